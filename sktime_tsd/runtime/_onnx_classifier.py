"""Classifier that predicts from an ONNX file. Does not import torch, sktime or pandas."""

import json
import math
from numbers import Integral
from pathlib import Path

import numpy as np

from sktime_tsd._panels.arrays import as_array, check_panel_shape
from sktime_tsd._panels.precision import cast_panel
from sktime_tsd._utils.regular_file import read_regular_file
from sktime_tsd.runtime._bounds import check_model, read_model
from sktime_tsd.runtime._confidence import SCORES
from sktime_tsd.runtime._model_files import (
    ONNX_FORMAT_VERSION,
    ONNX_KEY,
    ModelFileError,
    check_format_version,
    check_sizes,
    classes_from_json,
    deferral_from_json,
    entry,
    names_from_json,
    rules_from_json,
)

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

    Several threads can share it. Copies in the same process share what was read. A pickle holds the
    path: unpickling reads the file again, so it must still be there.

    Parameters
    ----------
    path : path-like
        The ONNX file.
    n_threads : int, default=1
        Threads per call, from 1 to 1024. Small networks do not gain from more than 1.

    Attributes
    ----------
    path : pathlib.Path
        Absolute, so that changing the working directory does not matter.
    n_parameters_ : int or None
        Weights of the network; None for a file of version 0.1.
    classes_ : numpy.ndarray of shape (n_classes,)
        Labels, in the order of the columns of `predict_proba`.
    n_channels_, n_timepoints_ : int
        Shape of the series that the network reads.
    unequal_length, missing_values : str
        As of the exported classifier: "resample" and "interpolate", or "raise".
    input_dtype : type
        Precision in which the file reads series: ``numpy.float32``, or ``numpy.float64`` if
        float32 could not tell the training series apart, or there are steps before the network.
    feature_names_in_ : numpy.ndarray of shape (n_channels,), object
        Names of the channels, in their order. Only there if `fit` saw names.

    Raises
    ------
    ModelFileError
        A ``ValueError``. If the file is missing, damaged, or was not written by `to_onnx`; if it
        keeps data in other files, loops or branches, has unknown operators, or would take much
        memory or time.
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
        path = self.path = Path(path).absolute()
        self.n_threads = n_threads = int(n_threads)
        data = _read(path)
        graph = read_model(data, path)
        metadata = _read_metadata(graph.metadata, path)
        self.classes_ = classes_from_json(metadata["classes"])
        self.n_channels_, self.n_timepoints_ = check_sizes(metadata)
        self.n_parameters_ = None
        if "n_parameters" in metadata:
            self.n_parameters_ = entry(metadata, "n_parameters", int)
        self._rules = rules_from_json(metadata)._replace(n_timepoints=self.n_timepoints_)
        if (names := names_from_json(metadata, self.n_channels_)) is not None:
            self.feature_names_in_ = np.array(names, dtype=object)
        self._deferral = deferral_from_json(metadata)
        sizes = self.n_channels_, self.n_timepoints_
        bounds = check_model(graph, sizes, _VALUES_PER_BATCH // math.prod(sizes), path)
        self._at_once = bounds.n_instances
        self._session = _open_session(data, path, n_threads)
        self._check_file(with_trial=bounds.is_tried)

    def __repr__(self):
        return f"OnnxClassifier({str(self.path)!r}, n_threads={self.n_threads})"

    @property
    def unequal_length(self):
        """Whether series of any length are resampled ("resample") or refused ("raise")."""
        return self._rules.unequal_length

    @property
    def missing_values(self):
        """Whether missing values are filled ("interpolate") or refused ("raise")."""
        return self._rules.missing_values

    def _panel_rules(self):
        return self._rules

    def __reduce__(self):
        """Pickle the path only, since a session cannot be pickled."""
        return _reopen, (self.path, self.n_threads)

    def __copy__(self):
        copied = object.__new__(type(self))
        copied.__dict__.update(self.__dict__)
        return copied

    def __deepcopy__(self, memo):
        """Share the session, which several threads can use and nothing changes."""
        return self.__copy__()

    def _fingerprint_parts(self):
        """List what identifies the model to a cache: the file, and answers of the model in use."""
        rng = np.random.default_rng(0)
        probe = rng.normal(size=(4, self.n_channels_, self.n_timepoints_))
        return [self.path.read_bytes(), self._run(probe.astype(self.input_dtype)), self.classes_]

    def _check_file(self, *, with_trial):
        try:
            inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
            names = [value.name for value in (*inputs, *outputs)]
            shapes = [value.shape[1:] for value in (*inputs, *outputs)]
        except UnicodeDecodeError as error:
            raise ModelFileError(f"{self.path} is damaged: {error}") from error
        if names != ["X", "probabilities"]:
            raise ModelFileError(
                f"{self.path} must map X to probabilities, but its inputs and outputs are {names}."
            )
        expected = [[self.n_channels_, self.n_timepoints_], [len(self.classes_)]]
        if shapes != expected:
            raise ModelFileError(
                f"{self.path} maps shape {shapes[0]} to {shapes[1]}, but its metadata say "
                f"{expected[0]} to {expected[1]}."
            )
        if inputs[0].type not in _INPUT_DTYPES:
            raise ModelFileError(f"{self.path} reads {inputs[0].type}, no series of floats.")
        self.input_dtype = _INPUT_DTYPES[inputs[0].type]
        if not with_trial:  # it would take long; every answer is checked, too
            return
        found = self._run(np.zeros((2, *expected[0]), dtype=self.input_dtype))
        is_probability = found.dtype.kind == "f" and found.shape == (2, *expected[1])
        if not is_probability or not (found.min() >= 0 and np.allclose(found.sum(axis=1), 1)):
            raise ModelFileError(
                f"{self.path} does not return probabilities, as a trial on series of zeros shows."
            )

    def _run(self, X):
        try:
            return self._session.run(["probabilities"], {"X": X})[0]
        except Exception as error:  # onnxruntime raises many types of errors
            raise ModelFileError(f"{self.path} cannot be run: {error}") from error

    def predict_proba(self, X):
        """Predict class probabilities.

        Parameters
        ----------
        X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
            In the units of the training data, channels in the order of `fit`. Or a list with an
            array for each series, of shape (n_channels, n_timepoints) or (n_timepoints,). Or a
            single series, of shape (n_channels, n_timepoints) or (n_timepoints,). An array of
            shape (n_instances, n_timepoints) holds series of one channel. Lists of numbers do
            for arrays.
            Lengths may differ if `unequal_length` is "resample", and values may be missing (NaN or
            masked) if `missing_values` is "interpolate".

        Returns
        -------
        probabilities : numpy.ndarray of shape (n_instances, n_classes), float64
            Columns in the order of ``classes_``; rows sum to 1.

        Raises
        ------
        TypeError
            If `X` is neither an array of real numbers nor a list of such.
        ValueError
            If the series have a different shape than in `fit`, or missing values, and the file
            does not mend that; or infinite values, or the network overflows.
        ModelFileError
            If the file does not give probabilities for each series.
        """
        X = cast_panel(as_array([X] if self._is_single(X) else X, self._rules), self.input_dtype)
        check_panel_shape(X, self.n_channels_, self.n_timepoints_)
        at_once = self._at_once
        parts = [self._answers(X, start, at_once) for start in range(0, len(X), at_once)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _is_single(self, X):
        """Tell whether X is one series, which cannot be told from its dimensions alone."""
        if not isinstance(X, (np.ndarray, list, tuple)):
            return False
        try:
            shape = np.shape(X)
        except (ValueError, TypeError):  # of series that differ in length, or no arrays
            return False
        several = self.n_channels_ > 1  # then two dimensions cannot be series of one channel
        if len(shape) != 1 + several or (several and shape[0] != self.n_channels_):
            return False
        has_length = shape[-1] == self.n_timepoints_ or self._rules.resamples
        # an array of objects is a list of series
        return has_length and not (isinstance(X, np.ndarray) and X.dtype == object)

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
            In the units of the training data, channels in the order of `fit`. Or a list with an
            array for each series, of shape (n_channels, n_timepoints) or (n_timepoints,). Or a
            single series, of shape (n_channels, n_timepoints) or (n_timepoints,). An array of
            shape (n_instances, n_timepoints) holds series of one channel. Lists of numbers do
            for arrays.

        Returns
        -------
        labels : numpy.ndarray of shape (n_instances,)

        Raises
        ------
        TypeError, ValueError
            See `predict_proba`.
        """
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def defers(self, X):
        """Tell which series to send to the teacher, if the file was written from a cascade.

        Parameters
        ----------
        X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
            As for `predict_proba`.

        Returns
        -------
        deferred : numpy.ndarray of shape (n_instances,), bool
            Where False, the answer of `predict` is under the promise of the cascade.

        Raises
        ------
        TypeError, ValueError
            See `predict_proba`.
        ValueError
            If the file has no threshold.
        """
        if self._deferral is None:
            raise ValueError(
                f"{self.path} holds a student alone, without a threshold. Export a calibrated "
                "CascadeClassifier: to_onnx(cascade, path)."
            )
        score, threshold = self._deferral
        return ~(SCORES[score](self.predict_proba(X)) > threshold)


def _reopen(path, n_threads):
    return OnnxClassifier(path, n_threads=n_threads)


def _read(path):
    try:
        return read_regular_file(path, at_most=_LARGEST_FILE)
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read: {error}") from error


def _open_session(data, path, n_threads):
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


def _read_metadata(texts, path):
    text = texts.get(ONNX_KEY)
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
