"""From the ``teacher`` parameter of a distiller to a fitted classifier."""

import copy
import pickle
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
from sktime_tsd._scoring.classifier import explained, in_native_dtype
from sktime_tsd._scoring.kept_answers import cached
from sktime_tsd._scoring.scorer_of import makes_scorer
from sktime_tsd._utils.fingerprint import fingerprint
from sktime_tsd._utils.guest import SEED_OF_GUESTS, as_guest
from sktime_tsd._utils.random import draw_seed, seed_unseeded
from sktime_tsd._utils.silence import silenced
from sktime_tsd.classifier import SkorchClassifier
from sktime_tsd.networks import adapted
from sktime_tsd.networks._parametrized import deep_copy

__all__ = [
    "check_teacher",
    "default_teacher",
    "fit_teacher",
    "is_fitted",
    "is_given",
    "single_class_teacher",
    "teacher_network",
    "unwrapped",
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


def is_fitted(estimator):
    """Tell whether an estimator is fitted, or answers without a fit.

    Parameters
    ----------
    estimator : object
        Of sktime, scikit-learn or elsewhere.

    Returns
    -------
    bool
    """
    if isinstance(estimator, BaseObject):
        return estimator.is_fitted
    if makes_scorer(estimator) and not hasattr(estimator, "fit"):
        return True
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        return False
    except (TypeError, AttributeError):  # no estimator of scikit-learn
        return hasattr(estimator, "classes_")
    return True


def unwrapped(teacher):
    """Take a teacher out of its ``FrozenEstimator``.

    Parameters
    ----------
    teacher : object

    Returns
    -------
    teacher : object
    """
    while isinstance(teacher, FrozenEstimator):
        teacher = teacher.estimator
    return teacher


def is_given(teacher):
    """Whether a teacher was fitted elsewhere and is used as it is.

    Parameters
    ----------
    teacher : object

    Returns
    -------
    bool
        True for a ``FrozenEstimator``, a module, and whatever answers but cannot be cloned and
        fitted.
    """
    if isinstance(teacher, (FrozenEstimator, nn.Module)):
        return True
    return teacher is not None and not (hasattr(teacher, "fit") and hasattr(teacher, "get_params"))


def check_teacher(teacher):
    """Refuse anything that cannot teach, before anything is fitted.

    Parameters
    ----------
    teacher : object

    Raises
    ------
    TypeError
        If it has no probabilities, or does not say which classes they are of. The message says
        what to pass instead.
    NotFittedError
        If a ``FrozenEstimator`` holds a classifier that is not fitted.
    """
    classifier, kind = unwrapped(teacher), type(unwrapped(teacher)).__name__
    if classifier is None or isinstance(classifier, nn.Module):
        return
    if isinstance(classifier, type):
        raise TypeError(
            f"teacher must be a classifier, got the class {classifier.__name__}. Pass "
            f"{classifier.__name__}(...)."
        )
    answers = ("predict_proba", "predict_logits")
    if not (makes_scorer(classifier) or any(hasattr(classifier, name) for name in answers)):
        raise TypeError(_without_probabilities(classifier, kind))
    if isinstance(teacher, FrozenEstimator) and not is_fitted(classifier):
        raise NotFittedError(
            f"The FrozenEstimator given as teacher holds a {kind} that is not fitted. Fit it "
            "first, or pass it without FrozenEstimator to have it fitted."
        )
    if makes_scorer(classifier) or not is_given(teacher):
        return
    if not hasattr(classifier, "classes_"):
        raise TypeError(
            f"The teacher {kind} does not say which classes its columns are of: it has no "
            "classes_. Pass sktime_tsd.teachers.CallableTeacher(teacher.predict_proba, "
            "classes=[...]), with the labels in the order of the columns."
        )


def _without_probabilities(classifier, kind):
    """Say what to pass in place of what has no ``predict_proba``."""
    teachers = "sktime_tsd.teachers.CallableTeacher"
    if hasattr(classifier, "fit") and hasattr(classifier, "get_params"):
        return (
            f"The teacher {kind} has no predict_proba, so it has no saliency. Use a classifier "
            "with probabilities; wrap one of scikit-learn in CalibratedClassifierCV."
        )
    if hasattr(classifier, "predict"):
        return (
            f"The teacher {kind} has no predict_proba. If its predict returns probabilities, pass "
            f"{teachers}(teacher.predict, classes=[...])."
        )
    if callable(classifier):
        return (
            f"teacher={classifier!r:.60} is a function. Pass {teachers}(function, classes=[...]), "
            "with the labels in the order of its columns."
        )
    return (
        "teacher must be a classifier, a FrozenEstimator with a fitted one, a trained nn.Module, "
        f"a {teachers} or None; got {classifier!r:.80}."
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
    if isinstance(unwrapped(teacher), nn.Module):
        return adapted(deep_copy(unwrapped(teacher)).cpu(), n_classes)
    teacher = default_teacher() if teacher is None else teacher
    is_frozen = isinstance(teacher, FrozenEstimator)
    classifier = unwrapped(teacher)
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


def _fit(teacher, X, y, seed):
    parts = (teacher, *teacher.get_params(deep=True).values())
    has_own = any(isinstance(part, LogitsClassifier) for part in parts)
    with as_guest(seed, uses_torch=not has_own):
        try:
            return teacher.fit(X, y)
        except Exception as error:  # re-raised, with a note on where it came from
            name = type(teacher).__name__
            better = explained(
                error, f"Raised while fitting the teacher {name} on X of shape {X.shape}."
            )
            if better is not error:
                raise better from error
            raise


def fit_teacher(teacher, X, y, *, prepare, seed, memory):
    """Fit a teacher, unless it is to be used as it is.

    Parameters
    ----------
    teacher : classifier, FrozenEstimator, nn.Module or None
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
        As passed to the distiller.
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
    if is_given(teacher):
        return _given(teacher, X, y, device=prepare(SkorchClassifier()).device)
    if teacher is None:
        teacher = default_teacher()
    elif is_fitted(teacher):
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
    seed = draw_seed(None) if seed is None else seed
    if memory is None:
        return _fit(teacher, X, y, seed)
    _check_can_be_kept(teacher)
    kept, key = cached(memory), fingerprint("fit", teacher, X, y)
    if kept.check_call_in_cache(key, None):
        return kept(key, lambda: _fit(teacher, X, y, seed))
    fitted = _fit(teacher, X, y, seed)
    with silenced("Unable to cache to disk") as failed:
        fitted = kept(key, lambda: fitted)
    if failed:
        warnings.warn(
            f"memory cannot keep the fitted teacher {type(teacher).__name__}: it cannot be written "
            "to the disk, because there is no room or a part of it cannot be pickled. It will be "
            "fitted again next time. Its answers are kept.",
            UserWarning,
            stacklevel=6,
        )
    return fitted


def _check_can_be_kept(teacher):
    """Refuse before the fit what could not be kept after it."""
    try:
        pickle.dumps(teacher)
    except Exception as error:  # pickling fails in many ways
        raise TypeError(
            f"memory cannot keep the teacher {type(teacher).__name__}, because it cannot be "
            f"pickled ({error}). Use functions and classes that can be imported, or set "
            "memory=None."
        ) from error


def _given(teacher, X, y, device):
    """Give a teacher that is used as it is; a module as a classifier."""
    teacher = unwrapped(teacher)
    if not isinstance(teacher, nn.Module):
        return teacher
    classes = getattr(teacher, "classes_", np.unique(y))
    with as_guest(SEED_OF_GUESTS):  # a trial forward may draw numbers
        return SkorchClassifier.from_module(
            teacher, classes, input_shape=X.shape[1:], device=device
        )


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
    if is_given(teacher) and not isinstance(unwrapped(teacher), nn.Module):
        return unwrapped(teacher)
    if teacher is None:
        teacher = default_teacher()
    if isinstance(teacher, BaseClassifier):
        return prepare(_clone(teacher)).fit(X, y)
    return DummyClassifier().fit(X, y)
