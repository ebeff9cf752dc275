"""Where the terms that match features get them from."""

import torch

from sktime_tsd._random import seeded
from sktime_tsd._teacher_features import TeacherFeatures
from sktime_tsd._teacher_source import trial_network
from sktime_tsd._training import feature_shapes
from sktime_tsd.losses import FeatureShape
from sktime_tsd.networks import feature_sizes

__all__ = ["check_terms", "teacher_features"]


def check_terms(terms, teacher, student, n_channels, n_timepoints, n_classes):
    """Refuse terms that student and teacher cannot serve, before anything is fitted.

    Parameters
    ----------
    terms : sequence of DistillationTerm
    teacher : classifier, FrozenEstimator, nn.Module or None
        As a distiller gets it.
    student : SkorchClassifier
    n_channels, n_timepoints, n_classes : int

    Raises
    ------
    ValueError, TypeError
        If the student's network cannot be built, a layer is not there, a term cannot work
        on features of such shapes or with so many classes, or the teacher has no features.
    """
    sizes = n_channels, n_timepoints, n_classes
    of_student = feature_shapes(student, terms, *sizes)
    for term in terms:
        term.check_classes(n_classes)
    matching = [term for term in terms if term.needs_features]
    if not matching:
        return
    try:
        network = trial_network(teacher, *sizes)
    except TypeError as error:
        raise TypeError(f"{matching[0]!r} cannot be used: {error}") from error
    of_teacher = feature_sizes(
        network, [term.teacher_layer for term in matching], n_channels, n_timepoints, "teacher"
    )
    with seeded(0, torch.device("cpu")):
        for term, student_shape, size in zip(matching, of_student, of_teacher, strict=True):
            term.build(student_shape, FeatureShape(*size))


def teacher_features(terms, teacher, n_channels, n_timepoints):
    """Features of a fitted teacher that the terms need.

    Parameters
    ----------
    terms : sequence of DistillationTerm
    teacher : fitted classifier
    n_channels, n_timepoints : int

    Returns
    -------
    features : TeacherFeatures or None
        None if no term needs any.
    """
    layers = [term.teacher_layer for term in terms if term.needs_features]
    if not layers:
        return None
    return TeacherFeatures(teacher._trained_network, layers, n_channels, n_timepoints)
