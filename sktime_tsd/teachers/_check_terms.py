"""Early checks of the loss terms, so that unusable ones fail before anything is fitted."""

import warnings

import torch
from torch import nn

from sktime_tsd._training.build import feature_shapes
from sktime_tsd._utils.random import seeded
from sktime_tsd._utils.validation import check_number
from sktime_tsd.losses import DistillationTerm, FeatureShape, FeatureTerm
from sktime_tsd.networks import feature_sizes
from sktime_tsd.teachers._fit import teacher_network

__all__ = ["check_distillation", "check_terms"]

# Columns every history has, and the suffixes that skorch appends to others.
_RESERVED = {"cross_entropy", "train_loss", "valid_loss", "epoch", "dur", "lr", "batches"}
_RESERVED_ENDS = ("_best", "_batch_count")


def check_distillation(distillation):
    """Refuse anything but a list of valid terms.

    Parameters
    ----------
    distillation : object

    Raises
    ------
    TypeError, ValueError
        If a term is invalid.
    """
    if not isinstance(distillation, (list, tuple, type(None))) or not all(
        isinstance(term, DistillationTerm) for term in distillation or ()
    ):
        raise TypeError(
            "distillation must be a list of terms such as [sktime_tsd.losses.KD()], got "
            f"{distillation!r}."
        )
    for term in distillation or ():
        kind = type(term).__name__
        if term.needs_features and not isinstance(term, FeatureTerm):
            raise TypeError(f"{kind} needs features, so it must derive from FeatureTerm.")
        name = getattr(term, "name", None)
        if not isinstance(name, str) or name in _RESERVED or name.endswith(_RESERVED_ENDS):
            raise ValueError(
                f"{kind} must have a name, the string that labels its entries in history_. It must "
                f"not be one of {', '.join(sorted(_RESERVED))}, nor end in "
                f"{' or '.join(_RESERVED_ENDS)}; got {name!r}."
            )
        if not hasattr(term, "weight"):
            raise TypeError(f"{kind} must have a weight, a number of 0 or more.")
        check_number(f"weight of {kind}", term.weight, low=0)


def check_terms(terms, teacher, fresh):
    """Refuse terms that do not suit the student or the teacher, before anything is fitted.

    Parameters
    ----------
    terms : sequence of DistillationTerm
    teacher : classifier, FrozenEstimator, nn.Module or None
        The distiller's parameter.
    fresh : FreshNetwork
        The student's.

    Raises
    ------
    ValueError, TypeError
        If a layer is missing, the teacher has no features, or a term cannot handle the
        feature shapes or the number of classes.

    Warns
    -----
    UserWarning
        If a layer's features and time points seem to be swapped.
    """
    n_channels, n_timepoints, n_classes = fresh.sizes
    of_student = feature_shapes(fresh, terms)
    for term in terms:
        term.check_classes(n_classes)
        if not term.needs_features:
            _check_built(term)
    matching = [term for term in terms if term.needs_features]
    if not matching:
        return
    try:
        network = teacher_network(teacher, *fresh.sizes)
    except TypeError as error:
        raise TypeError(f"{matching[0]!r} cannot be used: {error}") from error
    if network is None:  # the teacher knows one class, so the student's classes are refused later
        return
    layers = [term.teacher_layer for term in matching]
    of_teacher = feature_sizes(network, layers, n_channels, n_timepoints, whose="teacher")
    for term, student_shape, size in zip(matching, of_student, of_teacher, strict=True):
        teacher_shape = FeatureShape(*size)
        _check_built(term, student_shape, teacher_shape)
        _warn_if_transposed("student", term.student_layer, student_shape, n_timepoints)
        _warn_if_transposed("teacher", term.teacher_layer, teacher_shape, n_timepoints)


def _warn_if_transposed(whose, layer, shape, n_timepoints):
    if shape.n_features == n_timepoints != shape.n_timepoints > 1:
        warnings.warn(
            f"The output of layer {layer!r} of the {whose} is read as {shape.n_features} features "
            f"over {shape.n_timepoints} time points, but the series have {n_timepoints} time "
            "points. If the output is (n, n_timepoints, n_features), name a neighbouring "
            "nn.Linear or nn.LayerNorm instead: their outputs are transposed.",
            UserWarning,
            stacklevel=5,
        )


def _check_built(term, *shapes):
    with seeded(0, torch.device("cpu")):
        module = term.build(*shapes)
    if not isinstance(module, nn.Module):
        raise TypeError(
            f"{type(term).__name__}.build must return an nn.Module, got {type(module).__name__}."
        )
