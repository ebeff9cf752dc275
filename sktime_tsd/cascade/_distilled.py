"""The two models of a cascade, out of a distilled classifier."""

from sklearn.frozen import FrozenEstimator

from sktime_tsd._utils.pipelines import split_pipeline, with_last_step
from sktime_tsd.distiller import SaliencyDistilledClassifier
from sktime_tsd.teachers._fit import unwrapped

__all__ = ["distilled_models"]


def distilled_models(classifier):
    """Take student and teacher out of a distilled classifier.

    Parameters
    ----------
    classifier : SaliencyDistilledClassifier
        Fitted, or at the end of a fitted pipeline or search.

    Returns
    -------
    student, teacher : FrozenEstimator
        Each behind the first steps of the pipeline.

    Raises
    ------
    TypeError
        If the classifier is not distilled.
    NotFittedError
        If it is not fitted.
    ValueError
        If it was distilled from saved answers.
    """
    classifier = unwrapped(classifier)
    classifier = unwrapped(getattr(classifier, "best_estimator_", classifier))
    _, distilled = split_pipeline(classifier)
    if not isinstance(distilled, SaliencyDistilledClassifier):
        raise TypeError(
            "from_distilled needs a fitted SaliencyDistilledClassifier, got a "
            f"{type(distilled).__name__}. Pass student and teacher: "
            "CascadeClassifier(student, teacher).fit(X)."
        )
    distilled._check_gives_logits()
    if distilled.teacher_ is None:
        raise ValueError(
            "The classifier was distilled from saved answers, so it has no teacher to ask. Pass "
            "the teacher itself: CascadeClassifier(classifier.student_, teacher).fit(X)."
        )
    return tuple(
        FrozenEstimator(model if distilled is classifier else with_last_step(classifier, model))
        for model in (distilled.student_, distilled.teacher_)
    )
