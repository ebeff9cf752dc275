"""Logits of any fitted classifier."""

import math

import numpy as np
import torch
from sklearn.frozen import FrozenEstimator
from sktime.base import BaseObject
from torch import nn

from sktime_tsd._utils.threads import keep_torch_threads
from sktime_tsd._utils.validation import check_probabilities

__all__ = [
    "FLATTEN",
    "LEAST_PROBABILITY",
    "Scorer",
    "check_answers",
    "class_labels",
    "class_logits",
    "class_probabilities",
    "gives_logits",
    "in_native_dtype",
    "one_hot",
]

# What scikit-learn's own words for a 3-D array leave unsaid.
FLATTEN = (
    " A classifier of 2-D tables needs a first step that flattens the series: "
    "make_pipeline(FunctionTransformer(lambda X: X.reshape(len(X), -1)), classifier)."
)

# Probabilities below count as it, so that their logarithm is finite.
LEAST_PROBABILITY = 1e-6


def gives_logits(classifier):
    """Tell whether a classifier has logits of its own, besides probabilities.

    Parameters
    ----------
    classifier : classifier

    Returns
    -------
    bool
    """
    return hasattr(classifier, "predict_logits")


def in_native_dtype(classifier, X):
    """Series in the precision a classifier is made for.

    Compiled transformers of sktime expect float64; the networks of others, such as
    skorch's, expect float32.

    Parameters
    ----------
    classifier : classifier
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)

    Returns
    -------
    X : numpy.ndarray of the same shape
        In float64 for classifiers of sktime, else as it is.
    """
    foreign = isinstance(classifier, BaseObject) and not gives_logits(classifier)
    return X.astype(np.float64) if foreign else X


def check_answers(classifier, name="classifier"):
    """Refuse what has neither logits nor probabilities.

    Parameters
    ----------
    classifier : object
    name : str
        What it is called in the message.

    Raises
    ------
    TypeError
        Saying what to pass instead.
    """
    inner = classifier.estimator if isinstance(classifier, FrozenEstimator) else classifier
    if isinstance(inner, nn.Module):
        raise TypeError(
            f"{name} must be a fitted classifier, got the network {type(inner).__name__}. "
            "Wrap it: SkorchClassifier.from_module(network, classes=[...])."
        )
    if isinstance(classifier, type):
        raise TypeError(
            f"{name} must be a fitted classifier, got the class {classifier.__name__}. Make an "
            "object of it and fit that."
        )
    if not (gives_logits(classifier) or hasattr(classifier, "predict_proba")):
        raise TypeError(
            f"{name} must be a fitted classifier with predict_proba, got "
            f"{type(classifier).__name__}. One without can be wrapped in sklearn's "
            "CalibratedClassifierCV."
        )


def class_labels(classifier, n_columns):
    """Labels of the columns of a classifier's logits.

    Parameters
    ----------
    classifier : fitted classifier
    n_columns : int

    Returns
    -------
    classes : numpy.ndarray of shape (n_columns,)
        ``0 .. n_columns - 1`` where the classifier has no ``classes_``.

    Raises
    ------
    ValueError
        If it has another number of classes.
    """
    classes = getattr(classifier, "classes_", None)
    if classes is None:
        return np.arange(n_columns)
    if len(classes) != n_columns:
        raise ValueError(
            f"{type(classifier).__name__} has {len(classes)} classes_ but gives probabilities of "
            f"{n_columns} classes."
        )
    return np.asarray(classes)


def class_logits(classifier, X):
    """Logits of any fitted classifier, in the order of its own classes.

    Parameters
    ----------
    classifier : fitted classifier
        With ``predict_logits``, or else with ``predict_proba``.
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)

    Returns
    -------
    logits : numpy.ndarray of shape (n_instances, n_classes)
        Without ``predict_logits``: ``log(clip(probabilities, 1e-6, 1))``.

    Raises
    ------
    ValueError
        If ``predict_proba`` does not return probabilities.
    TypeError
        If it has neither, such as a bare network.
    """
    check_answers(classifier)
    if gives_logits(classifier):
        return np.asarray(classifier.predict_logits(X))
    return np.log(np.clip(class_probabilities(classifier, X), LEAST_PROBABILITY, 1))


def class_probabilities(classifier, X):
    """Probabilities of any fitted classifier, in the order of its own classes.

    Parameters
    ----------
    classifier : fitted classifier
        With ``predict_proba``.
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)

    Returns
    -------
    probabilities : numpy.ndarray of shape (n_instances, n_classes), float64

    Raises
    ------
    ValueError
        If ``predict_proba`` cannot read the series or does not return probabilities of each.
    """
    X = in_native_dtype(classifier, X)
    with keep_torch_threads():
        try:
            probabilities = np.asarray(classifier.predict_proba(X), dtype=np.float64)
        except (ValueError, RuntimeError) as error:
            if "dim 3" in str(error):
                raise ValueError(f"{error}{FLATTEN}") from error
            if "double" in str(error).lower():  # torch's word for float64
                raise ValueError(
                    f"{type(classifier).__name__} computes in float32: pass the series as "
                    f"X.astype(numpy.float32). ({error})"
                ) from error
            raise
    name = f"predict_proba of {type(classifier).__name__}"
    check_probabilities(name, probabilities)
    if len(probabilities) != len(X):
        raise ValueError(f"{name} gave {len(probabilities)} rows for {len(X)} series.")
    return probabilities


def one_hot(logits):
    """Tell whether logits stand for probabilities of 0 and 1 alone.

    Parameters
    ----------
    logits : numpy.ndarray of shape (n_instances, n_classes)
        As `class_logits` makes them of probabilities.

    Returns
    -------
    bool
    """
    least = math.log(LEAST_PROBABILITY)
    return bool(np.all((logits == 0) | (np.abs(logits - least) < 1e-9)))


class Scorer:
    """Log-probabilities of finite series, on the device where a classifier computes.

    Parameters
    ----------
    classifier : fitted classifier

    Attributes
    ----------
    device : torch.device
        Where series should be: that of a torch classifier, else the CPU.

    Raises
    ------
    NotFittedError, ValueError, TypeError
        If the classifier cannot answer at all. One that is not ours may say so only when
        asked.
    """

    def __init__(self, classifier):
        check_answers(classifier)
        self._classifier = classifier
        self._of_torch = hasattr(classifier, "_tensor_logits")
        if self._of_torch:
            classifier._check_gives_logits()
        self.device = classifier._torch_device if self._of_torch else torch.device("cpu")

    def log_probabilities(self, x):
        """Log-probabilities in the order of the classifier's classes.

        Probabilities below 1e-6 count as 1e-6.

        Parameters
        ----------
        x : torch.Tensor of shape (n, n_channels, n_timepoints), float32

        Returns
        -------
        log_probabilities : numpy.ndarray of shape (n, n_classes), float64

        Raises
        ------
        ValueError, TypeError
            If the classifier cannot score such series, or gives no probabilities.
        """
        if self._of_torch:
            logits = self._classifier._tensor_logits(x).cpu()
        else:
            # a copy: the classifier may scale it in place
            logits = torch.from_numpy(class_logits(self._classifier, x.cpu().numpy().copy()))
        if not torch.isfinite(logits).all():
            raise ValueError(
                f"The logits of {type(self._classifier).__name__} are not finite for "
                f"{int((~torch.isfinite(logits)).any(dim=1).sum())} of {len(x)} series."
            )
        log_p = logits.double().log_softmax(dim=1)
        # one floor for all: logits know smaller probabilities, and would differ from
        # probabilities of the same function
        return log_p.clamp(min=math.log(LEAST_PROBABILITY)).log_softmax(dim=1).numpy()

    def log_probabilities_in_batches(self, X, batch_size):
        """`log_probabilities` of any number of series, `batch_size` at a time."""
        return np.concatenate([self.log_probabilities(x) for x in X.split(batch_size)])
