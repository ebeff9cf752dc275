"""Base class of the terms that match features, and how features are compared."""

from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

import torch.nn.functional as F

from sktime_tsd._utils.validation import check_number
from sktime_tsd.losses._term import DistillationTerm

__all__ = ["FeatureShape", "FeatureTerm", "match_lengths", "timepoints_to_compare"]


class FeatureShape(NamedTuple):
    """Shape of the features of one series.

    Parameters
    ----------
    n_features : int
    n_timepoints : int

    Examples
    --------
    >>> from sktime_tsd.losses import FeatureShape
    >>> FeatureShape(n_features=8, n_timepoints=24)
    FeatureShape(n_features=8, n_timepoints=24)
    """

    n_features: int
    n_timepoints: int


@dataclass(frozen=True)
class FeatureTerm(DistillationTerm):
    """Base class of terms that match features of the student with features of the teacher.

    `build` is called with the `FeatureShape` of student and teacher.

    Parameters
    ----------
    student_layer, teacher_layer : str or None, default=None
        Path of the module whose output is used, as in the network's ``named_modules()``. None
        uses the ``features`` of a network of this package. The output must have shape
        (n, n_features, n_timepoints), or (n, n_features) for a single time point. The outputs
        of torch's recurrent layers, transformer encoders and ``nn.MultiheadAttention``, and of
        ``nn.Linear`` and ``nn.LayerNorm`` on (n, n_timepoints, n_features), are transposed;
        no others are.

    Raises
    ------
    ValueError
        If ``weight`` is negative or not finite.
    TypeError
        If ``weight`` is not a number, or a layer is neither a string nor None.

    Examples
    --------
    See `FitNets` for a term that derives from it.
    """

    student_layer: str | None = field(default=None, kw_only=True)
    teacher_layer: str | None = field(default=None, kw_only=True)
    needs_features: ClassVar[bool] = True

    def __post_init__(self):
        if hasattr(self, "weight"):  # a term without one is rejected when it is used
            check_number("weight", self.weight, low=0)
        for name in ("student_layer", "teacher_layer"):
            layer = getattr(self, name)
            if not isinstance(layer, (str, type(None))):
                raise TypeError(
                    f"{name} must be the path of a layer, such as 'blocks.1', or None; got "
                    f"{layer!r}."
                )

    def build(self, student, teacher):
        """Make the loss module.

        Parameters
        ----------
        student, teacher : FeatureShape
            Shapes of the features that the module will be given.

        Returns
        -------
        module : nn.Module
        """
        raise NotImplementedError


def timepoints_to_compare(term, student, teacher):
    """Return the number of time points two features are compared on, at least 2.

    Parameters
    ----------
    term : FeatureTerm
    student, teacher : FeatureShape

    Returns
    -------
    n_timepoints : int

    Raises
    ------
    ValueError
        If either has a single time point.
    """
    n_timepoints = min(student.n_timepoints, teacher.n_timepoints)
    if n_timepoints < 2:
        raise ValueError(
            f"{type(term).__name__} compares features over time, so both layers must give two "
            f"time points or more; the student's gives {student.n_timepoints}, the teacher's "
            f"{teacher.n_timepoints}. Choose an earlier layer with student_layer or "
            "teacher_layer."
        )
    return n_timepoints


def match_lengths(student, teacher):
    """Resample the longer of two features to the length of the shorter.

    Uses linear interpolation, as in ``torch.nn.functional.interpolate``.

    Parameters
    ----------
    student, teacher : torch.Tensor of shape (n, n_features, n_timepoints)
        They may differ in width and length.

    Returns
    -------
    student, teacher : torch.Tensor
        Of equal length.
    """
    length = min(student.shape[2], teacher.shape[2])
    return _resample(student, length), _resample(teacher, length)


def _resample(features, n_timepoints):
    if features.shape[2] == n_timepoints:
        return features
    return F.interpolate(features, size=n_timepoints, mode="linear", align_corners=False)
