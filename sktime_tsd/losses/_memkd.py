"""Memory-discrepancy knowledge distillation (MemKD)."""

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import nn

from sktime_tsd._utils.validation import check_number
from sktime_tsd.losses._feature_term import (
    FeatureTerm,
    match_lengths,
    timepoints_to_compare,
)

__all__ = ["MemKD", "MemKDLoss", "memkd_loss"]

# Changes are divided by the norm of the state they start from. That norm is clamped from below
# to this share of the series' mean norm, and to an absolute minimum.
_MIN_SHARE_OF_MEAN = 1e-2
_MIN_NORM = 1e-6


def memkd_loss(student_features, teacher_features, starts, stops):
    r"""Difference in how much the hidden states of two networks change over time.

    Over a sub-sequence from time point s to e, the hidden states h change by

    .. math:: r_{s,e} = \frac{\| h_e - h_s \|_2}{\| h_s \|_2}

    The loss is the smooth L1 distance between the student's and the teacher's r, averaged over
    series and sub-sequences.

    Parameters
    ----------
    student_features, teacher_features : torch.Tensor of shape (n, n_features, n_timepoints)
        They may differ in width and length. The longer one is resampled to the length of the
        shorter.
    starts, stops : torch.Tensor of shape (n_subsequences,), int64, or slice
        First and last time point of each sub-sequence.

    Returns
    -------
    loss : torch.Tensor, scalar
        At least 0; lower is better.

    Notes
    -----
    The norm in the denominator is at least a hundredth of the series' mean norm, and at least
    1e-6: after a ReLU, all features may be 0 at a time point.

    References
    ----------
    "MemKD: Memory-discrepancy knowledge distillation for efficient time series
    classification", arXiv 2601.04264.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.losses import memkd_loss
    >>> starts, stops = torch.tensor([0, 1]), torch.tensor([1, 2])
    >>> teacher = torch.tensor([[[1.0, 2.0, 4.0]]])  # doubles at each step
    >>> memkd_loss(5 * teacher, teacher, starts, stops)
    tensor(0.)
    >>> memkd_loss(torch.ones(1, 8, 3), teacher, starts, stops)
    tensor(0.5000)
    """
    states = _states(student_features, teacher_features)
    return F.smooth_l1_loss(*(_relative_change(*of_one, starts, stops) for of_one in states))


def _states(student_features, teacher_features):
    """Yield states (n, n_timepoints, n_features) and norms (n, n_timepoints) to divide by."""
    for features in match_lengths(student_features, teacher_features):
        states = features.transpose(1, 2).contiguous()  # each state contiguous in memory
        norms = torch.linalg.vector_norm(states, dim=2)
        min_norm = (_MIN_SHARE_OF_MEAN * norms.mean(dim=1, keepdim=True)).clamp(min=_MIN_NORM)
        yield states, torch.maximum(norms, min_norm)


def _relative_change(states, norms, starts, stops):
    change = torch.linalg.vector_norm(_at(states, stops) - _at(states, starts), dim=2)
    return change / _at(norms, starts)  # (n, n_subsequences)


def _at(values, points):
    if isinstance(points, slice):
        return values[:, points]
    return values.index_select(1, points)  # its gradient is faster than indexing's


class MemKDLoss(nn.Module):
    """`memkd_loss` over neighbouring time points, plus `memkd_loss` over random sub-sequences.

    Parameters
    ----------
    n_timepoints : int
        Length of the shorter features, at least 2.
    n_subsequences : int
        Random sub-sequences, drawn once, here, from torch's global generator.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.losses import MemKDLoss, Outputs
    >>> outputs = Outputs(torch.zeros(3, 2), features=torch.ones(3, 4, 5))
    >>> MemKDLoss(n_timepoints=5, n_subsequences=10)(outputs, outputs, torch.tensor([0, 0, 1]))
    tensor(0.)
    """

    def __init__(self, n_timepoints, n_subsequences):
        super().__init__()
        starts = torch.randint(n_timepoints - 1, (n_subsequences,))
        # uniform over the time points after the start
        stops = starts + 1 + (torch.rand(n_subsequences) * (n_timepoints - 1 - starts)).long()
        self.register_buffer("starts", starts)
        self.register_buffer("stops", stops)

    def forward(self, student, teacher, y):
        """Compute the loss from the `Outputs` of student and teacher."""
        of_both = list(_states(student.features, teacher.features))
        neighbours = slice(None, -1), slice(1, None)
        return sum(
            F.smooth_l1_loss(*(_relative_change(*of_one, *where) for of_one in of_both))
            for where in (neighbours, (self.starts, self.stops))
        )


@dataclass(frozen=True)
class MemKD(FeatureTerm):
    """Match how much the teacher's hidden states change over time.

    Made for recurrent networks, whose hidden states are their memory, but works on any
    features over time.

    Parameters
    ----------
    weight : float, default=0.1
        Factor in the total loss; the cross entropy has factor 1.
    n_subsequences : int, default=100
        Random sub-sequences, drawn once per fit (the paper draws new ones in each step). All
        pairs of neighbouring time points are compared too.
    student_layer, teacher_layer : str or None, default=None
        See `FeatureTerm`.

    Raises
    ------
    ValueError, TypeError
        If a value is out of range or of the wrong type; in `build`, if features have a single
        time point.

    References
    ----------
    See `memkd_loss`.

    Examples
    --------
    >>> from sktime_tsd.losses import MemKD
    >>> MemKD(n_subsequences=50).n_subsequences
    50
    """

    weight: float = 0.1
    n_subsequences: int = 100
    name: ClassVar[str] = "memkd"
    recordable: ClassVar[bool] = True

    def __post_init__(self):
        super().__post_init__()
        check_number("n_subsequences", self.n_subsequences, integer=True, low=1)

    def build(self, student, teacher):
        """Make the loss module; see `FeatureTerm`."""
        n_timepoints = timepoints_to_compare(self, student, teacher)
        return MemKDLoss(n_timepoints, self.n_subsequences)
