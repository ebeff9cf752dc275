"""Classifier that predicts from an ONNX file. Does not import torch, sktime or pandas."""

import json
from numbers import Integral
from pathlib import Path

import numpy as np

from sktime_tsd._panels.arrays import as_array, check_panel_shape
from sktime_tsd._panels.precision import cast_panel
from sktime_tsd.runtime._model_files import (
    ONNX_FORMAT_VERSION,
    ONNX_KEY,
    ModelFileError,
    check_format_version,
    check_sizes,
    classes_from_json,
    entry,
    names_from_json,
)
from sktime_tsd.runtime._stream import Stream

__all__ = ["ModelFileError", "OnnxClassifier"]

# More than any machine has cores. A limit is needed, since every thread is really started.
_MAX_THREADS = 1024

# An ONNX file cannot be larger, in bytes.
_LARGEST_FILE = 2**31

# What a graph may read. float64 is for series that float32 cannot tell apart, and for steps.
_INPUT_DTYPES = {"tensor(float)": np.float32, "tensor(double)": np.float64}

# What probabilities may sum to.
_LEAST_SUM, _LARGEST_SUM = 0.999, 1.001

# Values of series per batch; bounds the memory of a network's hidden layers.
_VALUES_PER_BATCH = 2**16


class OnnxClassifier:
    """Classifier that predicts from an ONNX file written by `sktime_tsd.to_onnx`.

    Several threads can share it. It can be pickled; unpickling reads the file again, so the file
    must still exist.

    Parameters
    ----------
    path : path-like
        The ONNX file.
    n_threads : int, default=1
        Threads per call, from 1 to 1024. Small networks do not gain from more than 1.

    Attributes
    ----------
    classes_ : numpy.ndarray of shape (n_classes,)
        Labels, in the order of the columns of `predict_proba`.
    n_channels_, n_timepoints_ : int
        Shape of a series.
    input_dtype : type
        Precision in which the file reads series: ``numpy.float32``, or ``numpy.float64`` if
        float32 could not tell the training series apart, or there are steps before the network.
    feature_names_in_ : numpy.ndarray of shape (n_channels,), object
        Names of the channels, in their order. Only there if `fit` saw names.

    Raises
    ------
    ModelFileError
        A ``ValueError``. If the file is missing, damaged, or was not written by `to_onnx`.
    ValueError
        If `n_threads` is not an integer from 1 to 1024.
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
        if not is_number or not 1 <= n_threads <= _MAX_THREADS:
            raise ValueError(
                f"n_threads must be an integer from 1 to {_MAX_THREADS}, got {n_threads!r}."
            )
        path = self.path = Path(path)
        self.n_threads = n_threads = int(n_threads)
        self._session = _open_session(path, n_threads)
        metadata = _read_metadata(self._session, path)
        self.classes_ = classes_from_json(metadata["classes"])
        self.n_channels_, self.n_timepoints_ = check_sizes(metadata)
        if (names := names_from_json(metadata, self.n_channels_)) is not None:
            self.feature_names_in_ = np.array(names, dtype=object)
        self._check_file()

    def __repr__(self):
        return f"OnnxClassifier({str(self.path)!r}, n_threads={self.n_threads})"

    def __reduce__(self):
        """Pickle the path only, since a session cannot be pickled."""
        return _reopen, (self.path, self.n_threads)

    def _check_file(self):
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        names = [value.name for value in (*inputs, *outputs)]
        if names != ["X", "probabilities"]:
            raise ModelFileError(
                f"{self.path} must map X to probabilities, but its inputs and outputs are {names}."
            )
        shapes = inputs[0].shape[1:], outputs[0].shape[1:]
        expected = [self.n_channels_, self.n_timepoints_], [len(self.classes_)]
        if shapes != expected:
            raise ModelFileError(
                f"{self.path} maps shape {shapes[0]} to {shapes[1]}, but its metadata say "
                f"{expected[0]} to {expected[1]}."
            )
        try:
            self.input_dtype = _INPUT_DTYPES[inputs[0].type]
            found = self._run(np.zeros((2, *expected[0]), dtype=self.input_dtype))
        except Exception as error:  # onnxruntime raises many types of errors
            raise ModelFileError(f"{self.path} cannot be run: {error}") from error
        is_probability = found.dtype.kind == "f" and found.shape == (2, *expected[1])
        if not is_probability or not (found.min() >= 0 and np.allclose(found.sum(axis=1), 1)):
            raise ModelFileError(
                f"{self.path} does not return probabilities, as a trial on series of zeros shows."
            )

    def _run(self, X):
        return self._session.run(["probabilities"], {"X": X})[0]

    def predict_proba(self, X):
        """Predict class probabilities.

        Parameters
        ----------
        X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
            In the units of the training data, channels in the order of `fit`. A 2-D array is
            read as one channel. Or a list of arrays, one for each series, of shape
            (n_channels, n_timepoints) or (n_timepoints,). For a single series pass ``[series]``.

        Returns
        -------
        probabilities : numpy.ndarray of shape (n_instances, n_classes), float64
            Columns in the order of ``classes_``; rows sum to 1.

        Raises
        ------
        TypeError
            If `X` is no numpy array of real numbers, nor a list of such.
        ValueError
            If the series have a different shape than in `fit`, missing, NaN or infinite values,
            or the network overflows.
        ModelFileError
            If the file does not give probabilities for each series.
        """
        X = cast_panel(as_array(X), self.input_dtype)
        check_panel_shape(X, self.n_channels_, self.n_timepoints_)
        at_once = max(1, _VALUES_PER_BATCH // X[0].size)
        parts = [self._answers(X, start, at_once) for start in range(0, len(X), at_once)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _answers(self, X, start, at_once):
        """Probabilities of some series, checked: a file may hold anything."""
        series = X[start : start + at_once]
        found = self._run(series)
        if found.shape != (len(series), len(self.classes_)):
            raise ModelFileError(
                f"{self.path} returned an array of shape {found.shape} for {len(series)} series of "
                f"{len(self.classes_)} classes. Export the model again."
            )
        probabilities = found.astype(np.float64)
        sums = probabilities.sum(axis=1, keepdims=True)
        # comparisons with NaN are False
        if not (found.min() >= 0 and sums.min() > _LEAST_SUM and sums.max() < _LARGEST_SUM):
            self._refuse(series, found, start)
        return probabilities / sums

    def _refuse(self, series, found, start):
        """Say what is wrong with answers that are no probabilities."""
        bad = np.nonzero(~np.isfinite(found).all(axis=1))[0]
        if not len(bad):
            raise ModelFileError(
                f"{self.path} returned values that are no probabilities. Export the model again."
            )
        raise ValueError(
            f"The network in {self.path} has no finite answer for {len(bad)} of {len(series)} "
            f"series (the first is series {start + bad[0]}, with values up to "
            f"{np.abs(series[bad[0]]).max():.3g}). If they lie far beyond the training series, "
            "drop or rescale them."
        )

    def predict(self, X):
        """Predict class labels.

        Parameters
        ----------
        X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
            In the units of the training data, channels in the order of `fit`. A 2-D array is
            read as one channel. Or a list of arrays, one for each series, of shape
            (n_channels, n_timepoints) or (n_timepoints,). For a single series pass ``[series]``.

        Returns
        -------
        labels : numpy.ndarray of shape (n_instances,)

        Raises
        ------
        TypeError, ValueError
            See `predict_proba`.
        """
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def stream(self, stride=1):
        """Begin a recording, of which the last time points are classified again and again.

        Parameters
        ----------
        stride : int, default=1
            Samples from one answer to the next.

        Returns
        -------
        stream : Stream

        Raises
        ------
        ValueError
            If `stride` is not an integer of at least 1.
        """
        return Stream(self, stride)


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
    options.log_severity_level = 3  # only errors, which are raised anyway
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise ModelFileError(f"{path} is too large for an ONNX file, which has at most 2 GiB.")
        data = path.read_bytes()
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read: {error}") from error
    try:
        # bytes instead of the path, so that the file cannot refer to other files
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises many types of errors
        raise ModelFileError(f"{path} is damaged, or not an ONNX file: {error}") from error


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
