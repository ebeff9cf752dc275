"""FitNets: hints, that is, regression on the teacher's features."""

from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import nn

from sktime_tsd._utils.validation import check_number
from sktime_tsd.losses._feature_term import FeatureTerm, match_lengths

__all__ = ["FitNets", "HintLoss", "hint_loss"]


def hint_loss(projected_features, teacher_features):
    """Mean squared error of the student's projected features against the teacher's.

    The mean is over series, features and time points. The longer of the two is resampled to
    the length of the shorter.

    Parameters
    ----------
    projected_features : torch.Tensor of shape (n, n_features, n_timepoints)
        The student's features, after the regressor.
    teacher_features : torch.Tensor of shape (n, n_features, n_teacher_timepoints)

    Returns
    -------
    loss : torch.Tensor, scalar
        At least 0; lower is better.

    References
    ----------
    Romero et al., "FitNets: hints for thin deep nets", ICLR 2015, arXiv 1412.6550,
    equation 3 (which takes half the sum instead of the mean).

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.losses import hint_loss
    >>> hint_loss(torch.zeros(2, 3, 4), torch.ones(2, 3, 4))
    tensor(1.)
    """
    return F.mse_loss(*match_lengths(projected_features, teacher_features))


class HintLoss(nn.Module):
    """`hint_loss` after a regressor, a 1x1 convolution that is trained with the student.

    Parameters
    ----------
    student, teacher : FeatureShape
        Shapes of the features of student and teacher.

    Examples
    --------
    >>> from sktime_tsd.losses import FeatureShape, HintLoss
    >>> HintLoss(FeatureShape(8, 24), FeatureShape(128, 24)).regressor.weight.shape
    torch.Size([128, 8, 1])
    """

    def __init__(self, student, teacher):
        super().__init__()
        self.regressor = nn.Conv1d(student.n_features, teacher.n_features, kernel_size=1)

    def forward(self, student, teacher, y):
        """Compute the loss from the `Outputs` of student and teacher."""
        return hint_loss(self.regressor(student.features), teacher.features)


@dataclass(frozen=True)
class FitNets(FeatureTerm):
    """Hints: predict the teacher's features from the student's.

    The hint is the only loss at first (hint stage). It is then dropped, and the cross entropy
    and the other terms take over (task stage). The task stage keeps the learned weights but
    restarts everything else: the student's ``lr_schedule``, the optimizer's state, the
    saliency ramp, early stopping and the choice of the best epoch.

    Parameters
    ----------
    weight : float, default=1.0
        Factor in the hint stage. The hint is alone there, so an optimizer such as Adam does
        much the same with any weight.
    hint_share : float or None, default=0.3
        Share of the training spent in the hint stage, in (0, 1), rounded down to whole steps.
        None means no stages: the hint is added to the other losses throughout, with factor
        `weight`.
    student_layer, teacher_layer : str or None, default=None
        See `FeatureTerm`. The paper uses layers in the middle of both networks.

    Raises
    ------
    ValueError, TypeError
        If a value is out of range or of the wrong type.

    References
    ----------
    See `hint_loss`.

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
