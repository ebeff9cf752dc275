"""Features aligned in time by soft dynamic time warping."""

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
    r"""How far features are apart after the best alignment in time.

    The soft-DTW divergence of the two sequences of feature vectors s and t,

    .. math:: \frac1L \left( \mathrm{sdtw}(s, t)
              - \tfrac12 \mathrm{sdtw}(s, s) - \tfrac12 \mathrm{sdtw}(t, t) \right)

    in the mean over the batch. The cost of aligning two time points is the mean squared
    difference of their features; L is the length of the longer sequence. Of the wider
    features as many as the narrower has are compared, evenly spread.

    Parameters
    ----------
    student_features, teacher_features : torch.Tensor of shape (n, n_features, n_timepoints)
        Each of its own width and length.
    gamma : float, default=0.1
        How soft the alignment is; see `soft_dtw`. At least 1e-6.
    max_timepoints : int or None, default=100
        Longer features are averaged to so many time points first. The work grows with the
        square of their number (1,000 points and 16 series: 20 s and 4 GB for a step on a
        CPU); 100 is the length of all series in the TSD paper.

    Returns
    -------
    loss : torch.Tensor, scalar
        0 for equal features; lower is better.

    Notes
    -----
    The original is for two networks of equal size. It minimises sdtw(s, t) itself, which
    for equal features is neither 0 nor least, over squared differences that are summed:
    gamma 1 there is ``1 / n_features`` here. The teacher's features are thinned as the TSD
    authors thin them for smaller students, but evenly, not at random.

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
    if student.shape[2] == teacher.shape[2]:  # half as many calls
        across, of_student = soft_dtw(torch.cat(costs), gamma).chunk(2)
    else:
        across, of_student = (soft_dtw(part, gamma) for part in costs)
    with torch.no_grad():  # a constant, which makes the divergence 0 for equal features
        of_teacher = soft_dtw(_costs(teacher, teacher), gamma)
    length = max(student.shape[2], teacher.shape[2])
    return (across - (of_student + of_teacher) / 2).mean() / length


def _spread(features, width):
    """Pick `width` of the features, evenly spread."""
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
    # not by squares and products, which cancel out where features are far from 0
    distances = torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")
    return distances.square() / a.shape[2]


class DT2WLoss(nn.Module):
    """`dt2w_loss` as a loss module.

    Parameters
    ----------
    **settings : object
        Those of `dt2w_loss`.
    """

    def __init__(self, **settings):
        super().__init__()
        self.settings = settings

    def forward(self, student, teacher, y):
        """Compute the loss from the `Outputs` of student and teacher."""
        return dt2w_loss(student.features, teacher.features, **self.settings)


@dataclass(frozen=True)
class DT2W(FeatureTerm):
    """The student's features have the teacher's shape, if not at the same time points.

    By far the most costly term: its work grows with the square of the number of time
    points, one anti-diagonal after the other.

    Parameters
    ----------
    weight : float, default=0.1
        Factor in the total loss, beside the cross entropy's 1.
    gamma : float, default=0.1
    max_timepoints : int or None, default=100
        See `dt2w_loss`.
    student_layer, teacher_layer : str or None, default=None
        See `FeatureTerm`. Nothing adapts the scale of the features: student and teacher
        should be of one kind, and layers behind a ReLU go with layers behind a ReLU.

    Raises
    ------
    ValueError, TypeError
        If a value is out of its range or of the wrong kind.

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
