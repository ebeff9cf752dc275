"""FitNets: hints from the teacher's features."""

from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import nn

from sktime_tsd._utils.validation import check_number
from sktime_tsd.losses._feature_term import FeatureTerm, match_lengths

__all__ = ["FitNets", "HintLoss", "hint_loss"]


def hint_loss(projected_features, teacher_features):
    """How far projected features of the student are from the teacher's.

    The mean squared difference over series, features and time points; the longer of the
    two is resampled to the length of the shorter.

    Parameters
    ----------
    projected_features : torch.Tensor of shape (n, n_features, n_timepoints)
        Of the student, after the regressor.
    teacher_features : torch.Tensor of shape (n, n_features, n_teacher_timepoints)

    Returns
    -------
    loss : torch.Tensor, scalar
        At least 0; lower is better.

    References
    ----------
    Romero et al., "FitNets: hints for thin deep nets", ICLR 2015, arXiv 1412.6550,
    equation 3 (there half the sum).

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.losses import hint_loss
    >>> hint_loss(torch.zeros(2, 3, 4), torch.ones(2, 3, 4))
    tensor(1.)
    """
    return F.mse_loss(*match_lengths(projected_features, teacher_features))


class HintLoss(nn.Module):
    """`hint_loss` behind a regressor, a 1x1 convolution that is trained with the student.

    Parameters
    ----------
    student, teacher : FeatureShape
    """

    def __init__(self, student, teacher):
        super().__init__()
        self.regressor = nn.Conv1d(student.n_features, teacher.n_features, kernel_size=1)

    def forward(self, student, teacher, y):
        """Compute the loss from the `Outputs` of student and teacher."""
        return hint_loss(self.regressor(student.features), teacher.features)


@dataclass(frozen=True)
class FitNets(FeatureTerm):
    """Hints: the teacher's features can be read off the student's.

    At first the hint is the only loss (hint stage), then it is gone and the cross entropy
    and other terms take over (task stage), with the weights that were found. Otherwise the
    task stage begins as a new training: the student's ``lr_schedule``, the optimizer's
    memory, the ramp of saliency, early stopping and what counts as the best epoch.

    Parameters
    ----------
    weight : float, default=1.0
        Factor in the hint stage. As the hint is alone there, an optimizer such as Adam
        does much the same for any weight.
    hint_share : float or None, default=0.3
        Share of the training that is the hint stage, in (0, 1), rounded down to whole steps.
        None has no stages: the hint stays beside everything else, and `weight` weighs it.
    student_layer, teacher_layer : str or None, default=None
        See `FeatureTerm`. The paper takes layers in the middle of both networks.

    Raises
    ------
    ValueError, TypeError
        If a value is out of its range or of the wrong kind.

    Examples
    --------
    >>> from sktime_tsd.losses import FitNets
    >>> FitNets(student_layer="blocks.1").alone_until
    0.3
    """

    weight: float = 1.0
    hint_share: float | None = 0.3
    name: ClassVar[str] = "fitnets"
    recordable: ClassVar[bool] = True

    def __post_init__(self):
        super().__post_init__()
        between = {"low": 0, "high": 1, "boundaries": "neither"}
        check_number("hint_share", self.hint_share, none_ok=True, **between)

    def build(self, student, teacher):
        """Make the loss module; see `FeatureTerm`."""
        return HintLoss(student, teacher)

    @property
    def alone_until(self):
        """Share of the training that is the hint stage; see `DistillationTerm`."""
        return self.hint_share
