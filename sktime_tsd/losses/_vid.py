"""Variational information distillation (VID)."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import nn

from sktime_tsd.losses._feature_term import FeatureTerm, match_lengths

__all__ = ["VID", "VIDLoss", "vid_loss"]

_INITIAL_VARIANCE = 5.0
_MIN_VARIANCE = 1e-5


def vid_loss(predicted_features, variance, teacher_features):
    r"""Negative log likelihood of the teacher's features, given the student's.

    .. math:: \mathrm{mean}_{i, c, t} \;
              \frac{(f_{i,c,t} - \mu_{i,c,t})^2}{2 \sigma_c^2} + \frac12 \log \sigma_c^2

    This is the negative log density of a normal distribution, up to a constant. Minimising it
    raises a lower bound on the mutual information of the two features.

    Parameters
    ----------
    predicted_features : torch.Tensor of shape (n, n_features, n_timepoints)
        :math:`\mu`, the regressor's prediction from the student's features. The longer of
        `predicted_features` and `teacher_features` is resampled to the length of the shorter.
    variance : torch.Tensor of shape (n_features,)
        :math:`\sigma^2` of each of the teacher's features; positive.
    teacher_features : torch.Tensor of shape (n, n_features, n_teacher_timepoints)
        f.

    Returns
    -------
    loss : torch.Tensor, scalar
        In nats; lower is better. For a perfect prediction it is the mean of
        :math:`\frac12 \log \sigma_c^2`, which may be negative.

    References
    ----------
    Ahn, Hu, Damianou, Lawrence, Dai, "Variational information distillation for knowledge
    transfer", CVPR 2019, arXiv 1904.05835.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.losses import vid_loss
    >>> vid_loss(torch.zeros(2, 3, 4), torch.ones(3), torch.ones(2, 3, 4))
    tensor(0.5000)
    """
    predicted, teacher = match_lengths(predicted_features, teacher_features)
    variance = variance[:, None]
    return ((predicted - teacher).square() / variance + variance.log()).mean() / 2


class VIDLoss(nn.Module):
    """`vid_loss` with a regressor and variances that are trained with the student.

    The regressor is three 1x1 convolutions with ReLU between them. The variances start at 5
    and stay above 1e-5.

    Parameters
    ----------
    student, teacher : FeatureShape
        Shapes of the features of student and teacher.

    Examples
    --------
    >>> from sktime_tsd.losses import FeatureShape, VIDLoss
    >>> VIDLoss(FeatureShape(8, 24), FeatureShape(128, 24)).variance.shape
    torch.Size([128])
    """

    def __init__(self, student, teacher):
        super().__init__()
        width = teacher.n_features
        self.regressor = nn.Sequential(
            nn.Conv1d(student.n_features, width, kernel_size=1, bias=False),
            nn.ReLU(),
            nn.Conv1d(width, width, kernel_size=1, bias=False),
            nn.ReLU(),
            nn.Conv1d(width, width, kernel_size=1, bias=False),
        )
        raw = math.log(math.expm1(_INITIAL_VARIANCE - _MIN_VARIANCE))
        self.raw_variance = nn.Parameter(torch.full((width,), raw))

    @property
    def variance(self):
        """Variance of each of the teacher's features, of shape (n_features,)."""
        return F.softplus(self.raw_variance) + _MIN_VARIANCE

    def forward(self, student, teacher, y):
        """Compute the loss from the `Outputs` of student and teacher."""
        return vid_loss(self.regressor(student.features), self.variance, teacher.features)


@dataclass(frozen=True)
class VID(FeatureTerm):
    """Maximise the information that the student's features hold about the teacher's.

    Parameters
    ----------
    weight : float, default=0.1
        Factor in the total loss; the cross entropy has factor 1.
    student_layer, teacher_layer : str or None, default=None
        See `FeatureTerm`.

    Raises
    ------
    ValueError, TypeError
        If a value is out of range or of the wrong type.

    References
    ----------
    See `vid_loss`.

    Examples
    --------
    >>> from sktime_tsd.losses import VID
    >>> VID(teacher_layer="inceptions.1").weight
    0.1
    """

    weight: float = 0.1
    name: ClassVar[str] = "vid"
    recordable: ClassVar[bool] = True

    def build(self, student, teacher):
        """Make the loss module; see `FeatureTerm`."""
        return VIDLoss(student, teacher)
