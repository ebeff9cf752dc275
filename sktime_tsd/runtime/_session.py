"""The session of onnxruntime that runs a file."""

from sktime_tsd.runtime._model_files import ModelFileError

__all__ = ["open_session"]


def open_session(data, path, n_threads):
    """Open a session on the CPU, of a file that was checked before.

    Parameters
    ----------
    data : bytes
        Of the file.
    path : pathlib.Path
        For messages.
    n_threads : int

    Returns
    -------
    session : onnxruntime.InferenceSession

    Raises
    ------
    ModelFileError
        If onnxruntime cannot read it.
    ImportError
        If onnxruntime is not installed.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise ImportError(
            "OnnxClassifier needs onnxruntime: pip install onnxruntime (extra onnx)."
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # errors are raised, not printed
    # belts and braces, since `read_model` has refused such files: no other files, no other format
    options.add_session_config_entry(
        "session.model_external_initializers_file_folder_path", str(path / "none")
    )
    options.add_session_config_entry("session.load_model_format", "ONNX")
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises many types of errors
        raise ModelFileError(f"{path} is damaged, or not an ONNX file: {error}") from error
