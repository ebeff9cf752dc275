"""What terms that match features share."""

from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

import torch.nn.functional as F

from sktime_tsd._utils.validation import check_number
from sktime_tsd.losses._term import DistillationTerm

__all__ = ["FeatureShape", "FeatureTerm", "match_lengths", "timepoints_to_compare"]


class FeatureShape(NamedTuple):
    """Shape of the features of one series."""

    n_features: int
    n_timepoints: int


@dataclass(frozen=True)
class FeatureTerm(DistillationTerm):
    """A term that matches features of the student with features of the teacher.

    `build` is called with the `FeatureShape` of student and teacher.

    Parameters
    ----------
    student_layer, teacher_layer : str or None, default=None
        Path of the module whose output is taken, as in ``named_modules()`` of the network;
        None takes what a network of this package gives as ``features``. Outputs are of
        shape (n, n_features, n_timepoints), or (n, n_features) for one time point. Those of
        torch's recurrent layers, transformer encoders and ``nn.MultiheadAttention``, and of
        ``nn.Linear`` and ``nn.LayerNorm`` on (n, n_timepoints, n_features), are transposed;
        those of other modules are not.
    """

    student_layer: str | None = field(default=None, kw_only=True)
    teacher_layer: str | None = field(default=None, kw_only=True)
    needs_features: ClassVar[bool] = True

    def __post_init__(self):
        if hasattr(self, "weight"):  # a term without one is refused where it is used
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

        Returns
        -------
        module : nn.Module
        """
        raise NotImplementedError


def timepoints_to_compare(term, student, teacher):
    """Count the time points on which two features are compared, which must be several.

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
        If there is a single one.
    """
    n_timepoints = min(student.n_timepoints, teacher.n_timepoints)
    if n_timepoints < 2:
        raise ValueError(
            f"{type(term).__name__} compares features over time, so both layers must give two "
            f"time points or more; the student's gives {student.n_timepoints}, the teacher's "
            f"{teacher.n_timepoints}."
        )
    return n_timepoints


def match_lengths(student, teacher):
    """Resample the longer of two features to the length of the shorter.

    By linear interpolation, as ``torch.nn.functional.interpolate``.

    Parameters
    ----------
    student, teacher : torch.Tensor of shape (n, n_features, n_timepoints)
        Each of its own width and length.

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
