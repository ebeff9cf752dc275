"""Teaching with answers that a teacher gave earlier, when it can no longer be asked."""

import numpy as np
import pandas as pd
import torch

from sktime_tsd._scoring.scorer import clipped_logits
from sktime_tsd._training.training_set import TrainingSet
from sktime_tsd._utils.validation import check_probabilities
from sktime_tsd.losses import Outputs
from sktime_tsd.teachers._smoothing import smoothed, smoothing_share
from sktime_tsd.teachers._teacher import warn_if_useless

__all__ = ["check_saved_answers", "teach_saved"]


def check_saved_answers(teacher_proba, *, teacher, X_unlabelled, terms, n_instances, classes):
    """Refuse saved probabilities that do not fit the series, or cannot teach what is asked.

    Parameters
    ----------
    teacher_proba : array-like of shape (n_instances, n_classes)
    teacher : object
        The distiller's parameter, which must be None.
    X_unlabelled : numpy.ndarray or None
        Must be None, too.
    terms : list of DistillationTerm
    n_instances : int
    classes : numpy.ndarray of shape (n_classes,)
        Sorted labels.

    Returns
    -------
    probabilities : numpy.ndarray of shape (n_instances, n_classes), float64

    Raises
    ------
    ValueError
        If they do not fit, a term needs a teacher that can be asked, or there is one.
    """
    name = "teacher_proba"
    if teacher is not None:
        raise ValueError(
            f"{name} is given, but also teacher={type(teacher).__name__}. Pass one of them: a "
            "teacher that can be asked teaches more."
        )
    if X_unlabelled is not None:
        raise ValueError(
            f"X_unlabelled needs a teacher that can be asked, but {name} holds answers for X "
            "alone. Leave one of them out."
        )
    asking = [term.name for term in terms if term.needs_perturbed or term.needs_features]
    if asking or not terms:
        raise ValueError(
            f"{name} holds answers for the series alone, but {', '.join(asking) or 'no term'} "
            f"{'needs a teacher that can be asked' if asking else 'uses them'}. Set "
            "saliency_weight=0 and distillation=[KD()] (of sktime_tsd.losses), or pass a teacher "
            "instead: its fitted classifier in FrozenEstimator, or a CallableTeacher."
        )
    if isinstance(teacher_proba, pd.DataFrame):
        teacher_proba = _in_order(teacher_proba, name, classes)
    probabilities = np.asarray(teacher_proba, dtype=np.float64)
    expected = n_instances, len(classes)
    if probabilities.shape != expected:
        raise ValueError(
            f"{name} must have a row for each series of X and a column for each class, "
            f"{expected}; got {probabilities.shape}."
        )
    check_probabilities(name, probabilities)
    return probabilities


def _in_order(table, name, classes):
    """Put columns that are named after the classes in order; others go by position."""
    columns, labels = table.columns.tolist(), classes.tolist()
    if columns == list(range(len(labels))) or columns == labels:
        return table
    if sorted(map(str, columns)) == sorted(map(str, labels)):
        places = [list(map(str, columns)).index(str(label)) for label in labels]
        return table.iloc[:, places]
    raise ValueError(
        f"{name} has columns {columns}, but the classes are {labels}. Name the columns so, or pass "
        f"{name}.to_numpy() with its columns in this order."
    )


def teach_saved(probabilities, X, y, *, split, smoothing):
    """Make the training set of a student that learns from saved probabilities.

    Parameters
    ----------
    probabilities : numpy.ndarray of shape (n_instances, n_classes)
        Columns in the order of the class indices.
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints), float32
    y : numpy.ndarray of shape (n_instances,)
        Class indices.
    split : tuple (train, valid)
        As for `teach`.
    smoothing : float or "auto"
        See `smoothing_share`.

    Returns
    -------
    training_set : TrainingSet
    valid_set : TrainingSet or None

    Warns
    -----
    UserWarning
        If the answers are right hardly more often than the most frequent class would be.
    """
    logits = clipped_logits(probabilities).float()
    X, y = torch.from_numpy(X), torch.from_numpy(y)
    warn_if_useless("The teacher of teacher_proba", logits, y)
    logits = smoothed(logits, smoothing_share(smoothing, logits))
    train, valid = split
    valid_set = None if valid is None else TrainingSet(X[valid], y[valid])
    return TrainingSet(X[train], y[train], teacher=Outputs(logits[train])), valid_set
