"""Picks the scorer for a kind of fitted classifier."""

from sklearn.frozen import FrozenEstimator
from torch import nn

from sktime_tsd._scoring.classifier import ClassifierScorer
from sktime_tsd._utils.pipelines import split_pipeline, with_last_step

__all__ = ["check_answers", "makes_scorer", "scorer_of"]


def makes_scorer(classifier):
    """Tell whether a classifier makes its own scorer.

    Parameters
    ----------
    classifier : object

    Returns
    -------
    bool
        Whether its class has a method ``_scorer``. An attribute of that name, as some
        classifiers of scikit-learn have, does not count.
    """
    return callable(getattr(type(classifier), "_scorer", None))


def check_answers(classifier, role="classifier"):
    """Refuse objects with neither logits nor probabilities.

    Parameters
    ----------
    classifier : object
    role : str
        Name used in the message.

    Raises
    ------
    TypeError
        If there are none; the message says what to pass instead.
    """
    if isinstance(classifier, nn.Module):
        raise TypeError(
            f"{role} must be a fitted classifier, got the network {type(classifier).__name__}. "
            "Wrap it: SkorchClassifier.from_module(network, classes=[...], "
            "input_shape=(n_channels, n_timepoints))."
        )
    if isinstance(classifier, type):
        raise TypeError(
            f"{role} must be a fitted classifier, got the class {classifier.__name__}. Create an "
            "instance and fit it."
        )
    if not (hasattr(classifier, "predict_logits") or hasattr(classifier, "predict_proba")):
        raise TypeError(
            f"{role} must be a fitted classifier with predict_proba, got "
            f"{type(classifier).__name__}. Without predict_proba, wrap it in sklearn's "
            "CalibratedClassifierCV."
        )


def scorer_of(classifier, role="classifier"):
    """Return the scorer of a fitted classifier.

    Parameters
    ----------
    classifier : fitted classifier
        Or one in a ``FrozenEstimator``. A classifier with a ``_scorer`` method makes its own.
    role : str
        Name used in error messages.

    Returns
    -------
    scorer : Scorer

    Raises
    ------
    TypeError
        If it has neither logits nor probabilities.
    NotFittedError
        If a classifier of this package is not fitted. Others raise it when they score.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd import SkorchClassifier
    >>> from sktime_tsd._scoring.scorer_of import scorer_of
    >>> from sktime_tsd.networks import FCN
    >>> scorer = scorer_of(SkorchClassifier.from_module(FCN(1, 24, 2), ["a", "b"]))
    >>> scorer.logits(torch.zeros(3, 1, 24)).shape
    torch.Size([3, 2])
    """
    while isinstance(classifier, FrozenEstimator):
        classifier = classifier.estimator
    if makes_scorer(classifier):
        return classifier._scorer()
    check_answers(classifier, role)
    _, last = split_pipeline(classifier)
    if last is not classifier and makes_scorer(last):
        classifier = with_last_step(classifier, last._scorer().classifier)
    return ClassifierScorer(classifier)
