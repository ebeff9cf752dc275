"""Predictions with numpy and onnxruntime alone: no torch, no sktime, no pandas is imported."""

import json
from numbers import Integral
from pathlib import Path

import numpy as np

from sktime_tsd._utils.panels import as_float32_panel, check_panel, check_panel_shape
from sktime_tsd.runtime._model_files import (
    ONNX_FORMAT_VERSION,
    ONNX_KEY,
    ModelFileError,
    check_format_version,
    check_sizes,
    classes_from_json,
    entry,
)

__all__ = ["ModelFileError", "OnnxClassifier"]

# More than any machine of ours has cores: each of them is started.
_MOST_THREADS = 1024

# No larger file can hold an ONNX model.
_LARGEST_FILE = 2**31

# Bounds the memory of a network's hidden layers.
_VALUES_PER_BATCH = 2**16


class OnnxClassifier:
    """A classifier in a file that `sktime_tsd.to_onnx` has written.

    It can be shared by threads and pickled (it then reads the file again, which must be there).

    Parameters
    ----------
    path : path-like
        Of the file.
    n_threads : int, default=1
        Threads that compute one call. Small networks gain nothing from more.

    Attributes
    ----------
    classes_ : numpy.ndarray of shape (n_classes,)
        Labels, in the order of the columns of `predict_proba`.
    n_channels_, n_timepoints_ : int
        Shape of a series.

    Raises
    ------
    ModelFileError
        A ``ValueError``. If the file is missing, damaged, or was not written by `to_onnx`.
    ValueError
        If `n_threads` is no integer from 1 to 1024.
    ImportError
        If onnxruntime is not installed.

    Notes
    -----
    On a device without torch: ``pip install numpy onnxruntime`` and
    ``pip install --no-deps sktime_tsd``.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from sktime_tsd import SkorchClassifier, to_onnx
    >>> from sktime_tsd.networks import FCN
    >>> from sktime_tsd.runtime import OnnxClassifier
    >>> network = FCN(1, 24, 2, filters=(8, 16, 8))
    >>> clf = SkorchClassifier.from_module(network, ["left", "right"], input_shape=(1, 24))
    >>> path = to_onnx(clf, Path(tempfile.mkdtemp()) / "student.onnx")
    >>> student = OnnxClassifier(path)
    >>> student.predict_proba(np.zeros((3, 1, 24))).shape
    (3, 2)
    >>> student.classes_
    array(['left', 'right'], dtype='<U5')
    """

    def __init__(self, path, *, n_threads=1):
        is_number = isinstance(n_threads, Integral) and not isinstance(n_threads, bool)
        if not is_number or not 1 <= n_threads <= _MOST_THREADS:
            raise ValueError(
                f"n_threads must be an integer from 1 to {_MOST_THREADS}, got {n_threads!r}."
            )
        path = self.path = Path(path)
        self.n_threads = n_threads = int(n_threads)
        self._session = _open_session(path, n_threads)
        metadata = _read_metadata(self._session, path)
        self.classes_ = classes_from_json(metadata["classes"])
        self.n_channels_, self.n_timepoints_ = check_sizes(metadata)
        self._check_file()

    def __repr__(self):
        return f"OnnxClassifier({str(self.path)!r}, n_threads={self.n_threads})"

    def __reduce__(self):
        """Pickle as the path: a session cannot be pickled."""
        return _reopen, (self.path, self.n_threads)

    def _check_file(self):
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        names = [value.name for value in (*inputs, *outputs)]
        if names != ["X", "probabilities"]:
            raise ModelFileError(f"{self.path} does not map X to probabilities, but has {names}.")
        shapes = inputs[0].shape[1:], outputs[0].shape[1:]
        expected = [self.n_channels_, self.n_timepoints_], [len(self.classes_)]
        if shapes != expected:
            raise ModelFileError(
                f"{self.path} maps {shapes[0]} to {shapes[1]}; its metadata say {expected[0]} to "
                f"{expected[1]}."
            )
        try:
            found = self._run(np.zeros((2, *expected[0]), dtype=np.float32))
        except Exception as error:  # onnxruntime has an error of its own for each kind of fault
            raise ModelFileError(f"{self.path} cannot be run: {error}") from error
        is_probability = found.dtype.kind == "f" and found.shape == (2, *expected[1])
        if not is_probability or not (found.min() >= 0 and np.allclose(found.sum(axis=1), 1)):
            raise ModelFileError(f"{self.path} gives no probabilities.")

    def _run(self, X):
        return self._session.run(["probabilities"], {"X": X})[0]

    def predict_proba(self, X):
        """Probabilities of series.

        Parameters
        ----------
        X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
            A 2-D array is read as one channel.

        Returns
        -------
        probabilities : numpy.ndarray of shape (n_instances, n_classes), float64
            Rows sum to 1.

        Raises
        ------
        TypeError
            If `X` is no array of real numbers.
        ValueError
            If the series have another shape than in `fit`, NaN or infinite values.
        """
        if not isinstance(X, np.ndarray):
            raise TypeError(
                "X must be a numpy array of shape (n_instances, n_channels, n_timepoints), got "
                f"{type(X).__name__}."
            )
        X = as_float32_panel(check_panel(X))
        X = X[:, np.newaxis] if X.ndim == 2 else X
        check_panel_shape(X, self.n_channels_, self.n_timepoints_)
        at_once = max(1, _VALUES_PER_BATCH // X[0].size)
        parts = [self._run(X[start : start + at_once]) for start in range(0, len(X), at_once)]
        probabilities = np.concatenate(parts).astype(np.float64)
        return probabilities / probabilities.sum(axis=1, keepdims=True)

    def predict(self, X):
        """Labels of series.

        Parameters
        ----------
        X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
            A 2-D array is read as one channel.

        Returns
        -------
        labels : numpy.ndarray of shape (n_instances,)

        Raises
        ------
        TypeError, ValueError
            As `predict_proba`.
        """
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def _reopen(path, n_threads):
    return OnnxClassifier(path, n_threads=n_threads)


def _open_session(path, n_threads):
    try:
        import onnxruntime
    except ImportError as error:
        raise ImportError(
            "OnnxClassifier needs onnxruntime: pip install onnxruntime (extra onnx)."
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors, which are raised anyway
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise ModelFileError(f"{path} is larger than any ONNX file.")
        data = path.read_bytes()
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read: {error}") from error
    try:
        # bytes instead of the path: a file must not lead to others
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has an error of its own for each kind of damage
        raise ModelFileError(f"{path} is no ONNX file, or is damaged: {error}") from error


def _read_metadata(session, path):
    text = session.get_modelmeta().custom_metadata_map.get(ONNX_KEY)
    if text is None:
        raise ModelFileError(f"{path} was not written by sktime_tsd.to_onnx: it has no labels.")
    try:
        metadata = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"The metadata of {path} are damaged: {error}") from error
    if not isinstance(metadata, dict):
        raise ModelFileError(f"The metadata of {path} are damaged.")
    check_format_version(metadata, ONNX_FORMAT_VERSION)
    entry(metadata, "classes", dict)
    return metadata
