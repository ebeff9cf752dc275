"""Feature distillation with alignment in time by soft dynamic time warping (DT2W)."""

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import nn

from sktime_tsd._utils.validation import check_number
from sktime_tsd.losses._feature_term import FeatureTerm
from sktime_tsd.losses._soft_dtw import soft_dtw

__all__ = ["DT2W", "DT2WLoss", "dt2w_loss"]


def dt2w_loss(student_features, teacher_features, *, gamma=0.1, max_timepoints=100):
    r"""Distance between features after the best alignment in time.

    The soft-DTW divergence of the two sequences of feature vectors s and t,

    .. math:: \frac1L \left( \mathrm{sdtw}(s, t)
              - \tfrac12 \mathrm{sdtw}(s, s) - \tfrac12 \mathrm{sdtw}(t, t) \right)

    averaged over the batch. The cost of aligning two time points is the mean squared
    difference of their features; L is the length of the longer sequence. If one side has more
    features, an evenly spaced subset as large as the other side is compared.

    Parameters
    ----------
    student_features, teacher_features : torch.Tensor of shape (n, n_features, n_timepoints)
        They may differ in width and length.
    gamma : float, default=0.1
        How soft the alignment is; see `soft_dtw`. At least 1e-6.
    max_timepoints : int or None, default=100
        Longer features are first averaged down to this many time points; None never does.
        Time and memory grow with the square of the length (1,000 points and 16 series: 20 s
        and 4 GB for one step on a CPU). 100 is the length of all series in the TSD paper.

    Returns
    -------
    loss : torch.Tensor, scalar
        0 for equal features; lower is better.

    Notes
    -----
    The original is for two networks of equal size. It minimises sdtw(s, t) itself, which is
    neither 0 nor minimal for equal features, and sums squared differences where this averages
    them: its gamma 1 is ``1 / n_features`` here. The TSD authors also take a subset of the
    teacher's features for smaller students, but at random instead of evenly spaced.

    References
    ----------
    Qiao, Hu, Jiang, Suganthan, Savitha, "Class-incremental learning on multivariate time
    series via shape-aligned temporal distillation", ICASSP 2023. Divergence: Blondel,
    Mensch, Vert, "Differentiable divergences between time series", AISTATS 2021,
    arXiv 2010.08354.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.losses import dt2w_loss
    >>> bump = torch.tensor([[[0.0, 0.0, 1.0, 0.0, 0.0, 0.0]]])
    >>> later, higher = bump.roll(2), 2 * bump
    >>> dt2w_loss(later, bump, gamma=0.01) < 0.01 < dt2w_loss(higher, bump, gamma=0.01)
    tensor(True)
    """
    width = min(student_features.shape[1], teacher_features.shape[1])
    student, teacher = (
        _shortened(_spread(features, width), max_timepoints)
        for features in (student_features, teacher_features)
    )
    costs = [_costs(student, teacher), _costs(student, student)]
    if student.shape[2] == teacher.shape[2]:  # one call instead of two
        across, of_student = soft_dtw(torch.cat(costs), gamma).chunk(2)
    else:
        across, of_student = (soft_dtw(part, gamma) for part in costs)
    with torch.no_grad():  # a constant; it makes the divergence 0 for equal features
        of_teacher = soft_dtw(_costs(teacher, teacher), gamma)
    length = max(student.shape[2], teacher.shape[2])
    return (across - (of_student + of_teacher) / 2).mean() / length


def _spread(features, width):
    """Pick `width` evenly spaced features."""
    if features.shape[1] == width:
        return features
    places = torch.arange(width, device=features.device) * features.shape[1] // width
    return features[:, places]


def _shortened(features, max_timepoints):
    if max_timepoints is None or features.shape[2] <= max_timepoints:
        return features
    return F.adaptive_avg_pool1d(features, max_timepoints)


def _costs(a, b):
    """Mean squared differences of shape (n, n_timepoints of a, n_timepoints of b)."""
    a, b = a.transpose(1, 2), b.transpose(1, 2)
    # expanding |a - b|^2 into products would lose digits where features are far from 0
    distances = torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")
    return distances.square() / a.shape[2]


class DT2WLoss(nn.Module):
    """`dt2w_loss` as a loss module.

    Parameters
    ----------
    **settings : object
        Keyword arguments of `dt2w_loss`.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.losses import DT2WLoss, Outputs
    >>> outputs = Outputs(torch.zeros(3, 2), features=torch.ones(3, 4, 5))
    >>> DT2WLoss(gamma=0.1)(outputs, outputs, torch.tensor([0, 0, 1]))
    tensor(0.)
    """

    def __init__(self, **settings):
        super().__init__()
        self.settings = settings

    def forward(self, student, teacher, y):
        """Compute the loss from the `Outputs` of student and teacher."""
        return dt2w_loss(student.features, teacher.features, **self.settings)


@dataclass(frozen=True)
class DT2W(FeatureTerm):
    """Match the shape of the teacher's features, allowing shifts and warps in time.

    By far the slowest term: its work grows with the square of the number of time points, and
    the anti-diagonals of the cost matrix have to be computed one after the other.

    Parameters
    ----------
    weight : float, default=0.1
        Factor in the total loss; the cross entropy has factor 1.
    gamma : float, default=0.1
        See `dt2w_loss`.
    max_timepoints : int or None, default=100
        See `dt2w_loss`.
    student_layer, teacher_layer : str or None, default=None
        See `FeatureTerm`. The features are not rescaled: use student and teacher networks of
        the same kind, and pair layers after a ReLU with layers after a ReLU.

    Raises
    ------
    ValueError, TypeError
        If a value is out of range or of the wrong type.

    References
    ----------
    See `dt2w_loss`.

    Examples
    --------
    >>> from sktime_tsd.losses import DT2W
    >>> DT2W(gamma=0.01).gamma
    0.01
    """

    weight: float = 0.1
    gamma: float = 0.1
    max_timepoints: int | None = 100
    name: ClassVar[str] = "dt2w"
    recordable: ClassVar[bool] = True

    def __post_init__(self):
        super().__post_init__()
        check_number("gamma", self.gamma, low=1e-6)
        check_number("max_timepoints", self.max_timepoints, integer=True, low=1, none_ok=True)

    def build(self, student, teacher):
        """Make the loss module; see `FeatureTerm`."""
        return DT2WLoss(gamma=self.gamma, max_timepoints=self.max_timepoints)
