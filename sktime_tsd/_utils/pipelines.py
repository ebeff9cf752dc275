"""Take fitted pipelines apart, those of scikit-learn and of sktime."""

import copy

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sktime.classification.compose import ClassifierPipeline
from sktime.transformations.compose import TransformerPipeline

__all__ = ["last_step", "split_pipeline", "with_last_step"]


def split_pipeline(classifier):
    """Split a fitted pipeline into its first steps and the classifier at its end.

    Pipelines in pipelines are flattened, a ``FrozenEstimator`` and a fitted search of
    scikit-learn stand for the estimator that they ask. Subclasses, which may predict in their
    own way, stay whole.

    Parameters
    ----------
    classifier : object
        Of any kind.

    Returns
    -------
    steps : list of (str, object)
        Names and fitted transformers, in the order in which series pass them; empty for what is
        no pipeline.
    classifier : object
        The last step.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sktime_tsd import SkorchClassifier
    >>> from sktime_tsd._utils.pipelines import split_pipeline
    >>> from sktime_tsd.preprocessing import SeriesCenterer
    >>> steps, last = split_pipeline(make_pipeline(SeriesCenterer(), SkorchClassifier()))
    >>> steps
    [('seriescenterer', SeriesCenterer())]
    >>> last
    SkorchClassifier()
    """
    steps = []
    while True:
        classifier = _asked(classifier)
        if type(classifier) is Pipeline:
            first, classifier = classifier.steps[:-1], classifier.steps[-1][1]
        elif type(classifier) is ClassifierPipeline:
            first, classifier = classifier.transformers_.steps_, classifier.classifier_
        else:
            return steps, classifier
        for name, transformer in first:
            steps += _flat(name, transformer)


def _asked(classifier):
    """Return the estimator that answers for a frozen one or for a search."""
    while True:
        of_search = type(classifier).__module__.startswith("sklearn.model_selection.")
        if type(classifier) is FrozenEstimator:
            classifier = classifier.estimator
        elif of_search and hasattr(classifier, "best_estimator_"):
            classifier = classifier.best_estimator_
        else:
            return classifier


def _flat(name, transformer):
    while type(transformer) is FrozenEstimator:
        transformer = transformer.estimator
    if type(transformer) is Pipeline:
        inner = transformer.steps
    elif type(transformer) is TransformerPipeline:
        inner = transformer.steps_
    else:
        return [(name, transformer)]
    return [step for pair in inner for step in _flat(*pair)]


def last_step(classifier):
    """Return the classifier at the end of a pipeline, fitted or not.

    Parameters
    ----------
    classifier : object
        Of any kind.

    Returns
    -------
    classifier : object
        As of `split_pipeline`, but subclasses of pipelines are taken apart, too.
    """
    while True:
        classifier = _asked(classifier)
        if hasattr(classifier, "steps"):
            classifier = classifier.steps[-1][1]
        elif isinstance(classifier, ClassifierPipeline):
            classifier = getattr(classifier, "classifier_", classifier.classifier)
        else:
            return classifier


def with_last_step(pipeline, last):
    """Copy a fitted pipeline with another fitted classifier at its end.

    Parameters
    ----------
    pipeline : Pipeline or ClassifierPipeline
        Fitted.
    last : fitted classifier

    Returns
    -------
    pipeline : of the same type
        It shares the first steps with the one given. One of another type is returned as it is.
    """
    if type(pipeline) is Pipeline:
        changed = copy.copy(pipeline)
        changed.steps = [*pipeline.steps[:-1], (pipeline.steps[-1][0], last)]
        return changed
    if type(pipeline) is ClassifierPipeline:
        changed = copy.copy(pipeline)
        changed.classifier = changed.classifier_ = last
        return changed
    return pipeline
