"""Cost of a classifier: its size and prediction time."""

import pickle
import time

import numpy as np

from sktime_tsd._utils.threads import keep_torch_threads
from sktime_tsd.networks import n_parameters
from sktime_tsd.runtime import OnnxClassifier

__all__ = ["latency", "parameters", "size"]

_REPEATS = 20
_LEAST_REPEATS = 3
_SECONDS = 1.0
_MOST_SECONDS = 10.0


def parameters(classifier, network):
    """Count the parameters of a network.

    Parameters
    ----------
    classifier : fitted classifier
        An ``OnnxClassifier`` knows how many it has.
    network : nn.Module or None

    Returns
    -------
    n : float
        NaN without a network. Lower is cheaper.
    """
    if isinstance(classifier, OnnxClassifier) and classifier.n_parameters_ is not None:
        return float(classifier.n_parameters_)
    return np.nan if network is None else float(n_parameters(network))


def size(classifier):
    """Measure the size of a classifier: of its ONNX file, or of its pickle.

    Parameters
    ----------
    classifier : fitted classifier

    Returns
    -------
    size : float
        In bytes; NaN if it cannot be pickled. Lower is cheaper.
    """
    try:
        if isinstance(classifier, OnnxClassifier):  # a pickle of it holds only its path
            return float(classifier.path.stat().st_size)
        return float(len(pickle.dumps(classifier)))
    except Exception:  # a foreign classifier may raise anything
        return np.nan


def latency(answer, X, n_series):
    """Time single calls.

    Parameters
    ----------
    answer : callable
        Takes series, such as ``classifier.predict_proba``.
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
        Series to predict, repeated as often as needed.
    n_series : int
        Series per call.

    Returns
    -------
    milliseconds : numpy.ndarray of shape (n_calls,)
        Duration of each call, after one warm-up call. There are 20 calls, or as many as fit
        into one second but at least 3 (fewer if they take over 10 seconds). Lower is faster.
    """
    batch = X[np.arange(n_series) % len(X)]
    seconds = []
    with keep_torch_threads():
        answer(batch.copy())
        while len(seconds) < _REPEATS and (
            len(seconds) < _LEAST_REPEATS or sum(seconds) < _SECONDS
        ):
            own = batch.copy()  # some classifiers change their input in place
            start = time.perf_counter()
            answer(own)
            seconds.append(time.perf_counter() - start)
            if sum(seconds) > _MOST_SECONDS:
                break
    return 1000 * np.array(seconds)
