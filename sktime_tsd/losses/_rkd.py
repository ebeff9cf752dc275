"""Relational knowledge distillation (RKD)."""

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import nn

from sktime_tsd._utils.validation import check_number
from sktime_tsd.losses._feature_term import FeatureTerm

__all__ = ["RKD", "RKDLoss", "rkd_loss"]

# Distances are divided by their mean. A mean below this share of the embeddings' mean norm, or
# below the absolute minimum, is rounding noise; dividing by it would magnify the noise to 1.
_MIN_SHARE_OF_NORM = 1e-3
_MIN_MEAN_DISTANCE = 1e-6

# Between two series closer than this share of the mean distance, the direction is noise.
_MIN_RELATIVE_DISTANCE = 1e-3


def rkd_loss(student_features, teacher_features, *, distance_weight=25.0, angle_weight=50.0):
    r"""Difference in the relations (distances and angles) between the series of a batch.

    The embedding :math:`e_i` of a series is the mean of its features over time. The loss is

    .. math:: w_d \, \mathrm{mean}_{i \ne j} \, \ell(d_{ij}^{student}, d_{ij}^{teacher})
              + w_a \, \mathrm{mean}_{i, j, k} \, \ell(a_{ijk}^{student}, a_{ijk}^{teacher})

    where :math:`\ell` is smooth L1, :math:`d_{ij}` is the Euclidean distance between two
    embeddings divided by the mean distance in the batch, and :math:`a_{ijk}` is the cosine of
    the angle at i between the directions to j and k.

    Parameters
    ----------
    student_features, teacher_features : torch.Tensor of shape (n, n_features, n_timepoints)
        They may differ in width and length. Time and memory grow with :math:`n^3`: on a CPU
        about 0.1 ms for 16 series, 0.6 s for 256, 8 s and 1.6 GB for 512.
    distance_weight : float, default=25.0
        :math:`w_d`.
    angle_weight : float, default=50.0
        :math:`w_a`.

    Returns
    -------
    loss : torch.Tensor, scalar
        At least 0; lower is better. Batches of one or two series give 0: a single distance
        divided by itself is always 1.

    Notes
    -----
    The means are over distinct series only. The published code also counts each series'
    relations to itself, which for 16 series makes its values 6 % (distances) and 18 % (angles)
    smaller. Distances below 1e-3 of the mean norm of the embeddings, or below 1e-6, are
    rounding noise, so the mean distance is clamped to that threshold. For series closer than
    the threshold, or than a thousandth of the mean distance, directions shrink towards 0.

    References
    ----------
    Park, Kim, Lu, Cho, "Relational knowledge distillation", CVPR 2019, arXiv 1904.05068.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.losses import rkd_loss
    >>> features = torch.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 4.0]]).unsqueeze(2)
    >>> turned = 7 * features.flip(1)
    >>> round(rkd_loss(turned, features).item(), 6)  # relations are the same
    0.0
    >>> rkd_loss(features[[1, 0, 2]], features)
    tensor(6.5208)
    """
    (d_student, a_student), (d_teacher, a_teacher) = (
        _relations(features.mean(dim=2)) for features in (student_features, teacher_features)
    )
    # a series' relations to itself are 0 on both sides and add nothing to the sums
    n_pairs, n_triples = _n_relations(len(student_features))
    distance = F.smooth_l1_loss(d_student, d_teacher, reduction="sum") / n_pairs
    angle = F.smooth_l1_loss(a_student, a_teacher, reduction="sum") / n_triples
    return distance_weight * distance + angle_weight * angle


def _n_relations(n):
    """Count the pairs and triples of distinct series; at least 1, to divide by."""
    return max(1, n * (n - 1)), max(1, n * (n - 1) * (n - 2))


def _relations(embedding):
    """Relative distances (n, n) and cosines of angles (n, n, n) between distinct series."""
    n = len(embedding)
    difference = embedding[None] - embedding[:, None]  # [i, j] points from i to j
    distance = torch.linalg.vector_norm(difference, dim=2)
    norm = torch.linalg.vector_norm(embedding, dim=1).mean().detach()
    noise = (_MIN_SHARE_OF_NORM * norm).clamp(min=_MIN_MEAN_DISTANCE)
    mean = torch.maximum(distance.sum() / _n_relations(n)[0], noise)
    min_distance = torch.maximum(mean.detach() * _MIN_RELATIVE_DISTANCE, noise)
    direction = difference / distance.clamp(min=min_distance).unsqueeze(2)
    cosine = direction @ direction.transpose(1, 2)
    # j == k: the angle between a direction and itself
    same = torch.eye(n, dtype=torch.bool, device=embedding.device)
    return distance / mean, cosine.masked_fill(same, 0)


class RKDLoss(nn.Module):
    """`rkd_loss` as a loss module.

    Parameters
    ----------
    **settings : float
        Keyword arguments of `rkd_loss`.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.losses import RKDLoss, Outputs
    >>> outputs = Outputs(torch.zeros(3, 2), features=torch.ones(3, 4, 5))
    >>> RKDLoss()(outputs, outputs, torch.tensor([0, 0, 1]))
    tensor(0.)
    """

    def __init__(self, **settings):
        super().__init__()
        self.settings = settings

    def forward(self, student, teacher, y):
        """Compute the loss from the `Outputs` of student and teacher."""
        return rkd_loss(student.features, teacher.features, **self.settings)


@dataclass(frozen=True)
class RKD(FeatureTerm):
    """Match the teacher's distances and angles between the series of a batch.

    Parameters
    ----------
    weight : float, default=0.01
        Factor of both parts in the total loss; the cross entropy has factor 1. The loss has
        the paper's scale; the paper uses 1.
    distance_weight : float, default=25.0
        See `rkd_loss`. The default is the paper's for classification.
    angle_weight : float, default=50.0
        See `rkd_loss`. The default is the paper's for classification. In batches of one or
        two series the loss is 0.
    student_layer, teacher_layer : str or None, default=None
        See `FeatureTerm`.

    Raises
    ------
    ValueError, TypeError
        If a value is out of range or of the wrong type.

    References
    ----------
    See `rkd_loss`.

    Examples
    --------
    >>> from sktime_tsd.losses import RKD
    >>> RKD(angle_weight=0.0).distance_weight
    25.0
    """

    weight: float = 0.01
    distance_weight: float = 25.0
    angle_weight: float = 50.0
    name: ClassVar[str] = "rkd"
    recordable: ClassVar[bool] = True

    def __post_init__(self):
        super().__post_init__()
        for name in ("distance_weight", "angle_weight"):
            check_number(name, getattr(self, name), low=0)

    def build(self, student, teacher):
        """Make the loss module; see `FeatureTerm`."""
        return RKDLoss(distance_weight=self.distance_weight, angle_weight=self.angle_weight)
