"""Checks of a distiller's own parameters, before anything is fitted."""

import numpy as np

from sktime_tsd._panels.rules import MISSING_VALUES, UNEQUAL_LENGTH
from sktime_tsd._training.auto import AUTO
from sktime_tsd._utils.validation import (
    check_choice,
    check_number,
    check_random_state_parameter,
    check_verbose,
    resolve_device,
)
from sktime_tsd.perturbations import check_window
from sktime_tsd.perturbations._base import check_perturbations, listed
from sktime_tsd.teachers._check_terms import check_distillation
from sktime_tsd.teachers._fit import check_teacher
from sktime_tsd.teachers._loss_terms import loss_terms

__all__ = ["check_one_output", "check_transfer"]


def check_one_output(y, X_unlabelled, teacher_proba):
    """Refuse what `fit` takes for labels of one column alone.

    Parameters
    ----------
    y : array-like of shape (n_instances,) or (n_instances, n_outputs)
    X_unlabelled, teacher_proba : object or None

    Raises
    ------
    ValueError
        If one of them is given beside several columns.
    """
    is_given = X_unlabelled is not None or teacher_proba is not None
    if is_given and np.ndim(y) == 2 and np.shape(y)[1] > 1:
        raise ValueError(
            "X_unlabelled and teacher_proba need a y of one column, got "
            f"{np.shape(y)[1]} columns. Fit one classifier per column."
        )


def check_transfer(settings):
    """Refuse unusable parameters of a distiller, except its student's.

    Parameters
    ----------
    settings : object with the parameters of ``SaliencyDistilledClassifier``

    Raises
    ------
    ValueError, TypeError
        If a parameter is unusable; the message names it.
    """
    check_distillation(settings.distillation)
    loss_terms(settings)  # checks the parameters of the saliency loss
    check_perturbations(settings.perturbation)
    for window in listed("window", settings.window):
        check_window(window)
    smoothing = settings.teacher_smoothing
    if smoothing != AUTO:
        check_number("teacher_smoothing", smoothing, low=0, high=1, boundaries="left")
    for name, choices in (("unequal_length", UNEQUAL_LENGTH), ("missing_values", MISSING_VALUES)):
        check_choice(name, getattr(settings, name), choices)
        of_student = getattr(settings.student, name, choices[0])
        if of_student not in (choices[0], getattr(settings, name)):
            raise ValueError(
                f"student has {name}={of_student!r}, but the distiller, which reads the series for "
                f"teacher and student, has {name}={getattr(settings, name)!r}. Set {name} on the "
                "distiller: the student takes it over."
            )
    check_number("n_windows", settings.n_windows, integer=True, low=1)
    check_number("bank_size", settings.bank_size, integer=True, low=1)
    if settings.cross_entropy_weight != AUTO:
        check_number("cross_entropy_weight", settings.cross_entropy_weight, low=0)
    if settings.n_mixes != AUTO:
        check_number("n_mixes", settings.n_mixes, integer=True, low=0)
    if settings.n_windows > settings.bank_size:
        raise ValueError(
            f"n_windows={settings.n_windows} must not exceed bank_size={settings.bank_size}. Raise "
            "bank_size or lower n_windows."
        )
    if settings.verbose is not None:
        check_verbose(settings.verbose)
    if settings.device is not None:
        resolve_device(settings.device)
    check_random_state_parameter(settings.random_state)
    check_teacher(settings.teacher)
