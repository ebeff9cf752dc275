"""From the ``teacher`` parameter of a distiller to a fitted classifier."""

import copy
import warnings

import numpy as np
from sklearn.base import clone as sklearn_clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted
from sktime.base import BaseObject
from sktime.classification.base import BaseClassifier
from sktime.classification.dummy import DummyClassifier
from torch import nn

from sktime_tsd._base import LogitsClassifier
from sktime_tsd._scoring.classifier import FLATTEN, in_native_dtype
from sktime_tsd._scoring.scorer_of import makes_scorer
from sktime_tsd._utils.fingerprint import fingerprint
from sktime_tsd._utils.random import seed_unseeded
from sktime_tsd._utils.threads import keep_torch_threads
from sktime_tsd.classifier import SkorchClassifier

__all__ = [
    "check_teacher",
    "default_teacher",
    "fit_teacher",
    "is_given",
    "single_class_teacher",
    "teacher_network",
]


def default_teacher():
    """Make the default teacher of a distiller: a small InceptionTime.

    Returns
    -------
    teacher : SkorchClassifier
        Not fitted and without a seed. About 80,000 parameters.

    Examples
    --------
    >>> from sktime_tsd.teachers import default_teacher
    >>> default_teacher().network_params
    {'n_filters': 16, 'depth': 3}
    """
    return SkorchClassifier(
        "inception_time", {"n_filters": 16, "depth": 3}, max_epochs=120, lr=2e-3
    )


def _clone(estimator):
    """Clone with the estimator's own library."""
    return estimator.clone() if isinstance(estimator, BaseObject) else sklearn_clone(estimator)


def _is_fitted(estimator):
    if isinstance(estimator, BaseObject):
        return estimator.is_fitted
    if makes_scorer(estimator) and not hasattr(estimator, "fit"):
        return True
    try:
        check_is_fitted(estimator)
    except (NotFittedError, TypeError):
        return False
    return True


def is_given(teacher):
    """Whether a teacher was fitted elsewhere and is used as it is.

    Parameters
    ----------
    teacher : object

    Returns
    -------
    bool
        True for a ``FrozenEstimator``, a module, and an object with its own scorer but no
        ``fit``.
    """
    if isinstance(teacher, (FrozenEstimator, nn.Module)):
        return True
    return makes_scorer(teacher) and not hasattr(teacher, "fit")


def _unwrapped(teacher):
    """Take a teacher out of its ``FrozenEstimator``."""
    while isinstance(teacher, FrozenEstimator):
        teacher = teacher.estimator
    return teacher


def check_teacher(teacher):
    """Refuse anything that cannot teach, before anything is fitted.

    Parameters
    ----------
    teacher : object

    Raises
    ------
    TypeError
        If it is not a classifier, or has no probabilities.
    NotFittedError
        If a ``FrozenEstimator`` holds a classifier that is not fitted.
    """
    if teacher is None or isinstance(teacher, nn.Module):
        return
    if is_given(teacher) and not isinstance(teacher, (FrozenEstimator, type)):
        return
    if isinstance(teacher, type) or not hasattr(teacher, "fit"):
        raise TypeError(
            "teacher must be a classifier, a FrozenEstimator that holds a fitted one, a trained "
            f"nn.Module or None; got {teacher!r:.80}."
        )
    classifier = _unwrapped(teacher)
    if isinstance(teacher, FrozenEstimator) and not _is_fitted(classifier):
        raise NotFittedError(
            f"The FrozenEstimator given as teacher holds a {type(classifier).__name__} that is "
            "not fitted. Fit it first, or pass it without FrozenEstimator to have it fitted."
        )
    answers = ("predict_proba", "predict_logits")
    if not (makes_scorer(classifier) or any(hasattr(classifier, name) for name in answers)):
        raise TypeError(
            f"The teacher {type(classifier).__name__} has no predict_proba, which saliency needs. "
            "Use a classifier with probabilities, or wrap it in sklearn's "
            "CalibratedClassifierCV."
        )


def teacher_network(teacher, n_channels, n_timepoints, n_classes):
    """Return a teacher's network, trained or not, to look up its layers.

    Parameters
    ----------
    teacher : classifier, FrozenEstimator, nn.Module or None
    n_channels, n_timepoints, n_classes : int

    Returns
    -------
    network : nn.Module or None
        A copy, on the CPU. None for a classifier fitted on a single class.

    Raises
    ------
    TypeError
        If the teacher is not a torch network.
    """
    if isinstance(teacher, nn.Module):
        return copy.deepcopy(teacher).cpu()
    teacher = default_teacher() if teacher is None else teacher
    is_frozen = isinstance(teacher, FrozenEstimator)
    classifier = _unwrapped(teacher)
    if not isinstance(classifier, LogitsClassifier):
        raise TypeError(
            f"The teacher {type(classifier).__name__} has no features, as it is not a torch "
            "network. Use a SkorchClassifier or an nn.Module as teacher, or terms that need no "
            "features, such as KD, DKD and temporal saliency."
        )
    if not is_frozen:
        sizes = n_channels, n_timepoints, n_classes
        return classifier._build_network(*sizes, seed=0).network
    network = classifier._network_scorer().network
    return None if network is None else copy.deepcopy(network).cpu()


# Cached by `key`, which stands for the other arguments.
def _fit(key, teacher, X, y):
    with keep_torch_threads():
        try:
            return teacher.fit(X, y)
        except Exception as error:  # re-raised, with a note on where it came from
            error.add_note(
                f"Raised while fitting the teacher {type(teacher).__name__} on X of shape "
                f"{X.shape}."
                f"{FLATTEN if 'dim 3' in str(error) else ''}"
            )
            raise


def fit_teacher(teacher, X, y, *, prepare, seed, memory):
    """Fit a teacher, unless it is to be used as it is.

    Parameters
    ----------
    teacher : classifier, FrozenEstimator, nn.Module or None
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints), float32
    y : numpy.ndarray of shape (n_instances,)
        Original labels.
    prepare : callable
        Applies the caller's overrides to a classifier before it is fitted, and returns it.
    seed : int or None
        Seeds every ``random_state`` of the clone that is None; None leaves them.
    memory : joblib.Memory or None
        Caches the fit.

    Returns
    -------
    classifier : fitted classifier

    Warns
    -----
    UserWarning
        If the teacher is fitted already, but a clone of it is fitted again.
    """
    if isinstance(teacher, FrozenEstimator):
        return _unwrapped(teacher)
    if isinstance(teacher, nn.Module):
        device = prepare(SkorchClassifier()).device
        classes = getattr(teacher, "classes_", np.unique(y))
        return SkorchClassifier.from_module(teacher, classes, device=device)
    if is_given(teacher):
        return teacher
    if teacher is None:
        teacher = default_teacher()
    elif _is_fitted(teacher):
        warnings.warn(
            f"The teacher {type(teacher).__name__} is already fitted, but a clone of it is "
            "fitted again. To use it as it is, pass sklearn.frozen.FrozenEstimator(teacher).",
            UserWarning,
            stacklevel=6,
        )
    teacher = prepare(_clone(teacher))
    if seed is not None:
        seed_unseeded(teacher, seed)
    X = in_native_dtype(teacher, X)
    if memory is None:
        return _fit(None, teacher, X, y)
    fit = memory.cache(_fit, ignore=["teacher", "X", "y"])
    return fit(fingerprint(teacher, X, y), teacher, X, y)


def single_class_teacher(teacher, X, y, *, prepare):
    """Make a teacher for data with a single label.

    Parameters
    ----------
    teacher : classifier, FrozenEstimator, nn.Module or None
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
    y : numpy.ndarray of shape (n_instances,)
    prepare : callable
        As for `fit_teacher`.

    Returns
    -------
    classifier : fitted classifier
        sktime's ``DummyClassifier`` if this kind of teacher cannot learn from one label.
    """
    if isinstance(teacher, FrozenEstimator):
        return _unwrapped(teacher)
    if is_given(teacher) and not isinstance(teacher, nn.Module):
        return teacher
    if teacher is None:
        teacher = default_teacher()
    if isinstance(teacher, BaseClassifier):
        return prepare(_clone(teacher)).fit(X, y)
    return DummyClassifier().fit(X, y)
