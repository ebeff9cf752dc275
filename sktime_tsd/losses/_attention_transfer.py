"""Attention transfer (AT)."""

from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import nn

from sktime_tsd.losses._feature_term import (
    FeatureTerm,
    match_lengths,
    timepoints_to_compare,
)

__all__ = ["AttentionTransfer", "AttentionTransferLoss", "attention_transfer_loss"]

# Profiles are divided by their norm, or by this if it is larger.
_MIN_NORM = 1e-6


def attention_transfer_loss(student_features, teacher_features):
    r"""Difference in how the energy of the features is spread over time.

    .. math:: \left\| \frac{q^{student}}{\|q^{student}\|_2}
              - \frac{q^{teacher}}{\|q^{teacher}\|_2} \right\|_2^2, \quad
              q_t = \mathrm{mean}_c \, f_{c,t}^2

    averaged over the batch. The longer of the two profiles q is resampled to the length of the
    shorter; norms below 1e-6 count as 1e-6.

    Parameters
    ----------
    student_features, teacher_features : torch.Tensor of shape (n, n_features, n_timepoints)
        They may differ in width and length.

    Returns
    -------
    loss : torch.Tensor, scalar
        In [0, 2] for any length; lower is better. 0 for proportional profiles, 2 for profiles
        that do not overlap in time.

    References
    ----------
    Zagoruyko, Komodakis, "Paying more attention to attention: improving the performance
    of convolutional neural networks via attention transfer", ICLR 2017, arXiv 1612.03928.
    The paper averages over positions, where this sums: the paper's weight 1000 is
    ``1000 / n_timepoints`` here.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.losses import attention_transfer_loss
    >>> early, late = torch.tensor([[[1.0, 0.0]]]), torch.tensor([[[0.0, 1.0]]])
    >>> attention_transfer_loss(early, 3 * early), attention_transfer_loss(early, late)
    (tensor(0.), tensor(2.))
    """
    student, teacher = match_lengths(_profile(student_features), _profile(teacher_features))
    student, teacher = (
        F.normalize(profile.squeeze(1), eps=_MIN_NORM) for profile in (student, teacher)
    )
    return (student - teacher).square().sum(dim=1).mean()


def _profile(features):
    return features.square().mean(dim=1, keepdim=True)  # (n, 1, n_timepoints)


class AttentionTransferLoss(nn.Module):
    """`attention_transfer_loss` as a loss module.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.losses import AttentionTransferLoss, Outputs
    >>> outputs = Outputs(torch.zeros(3, 2), features=torch.ones(3, 4, 5))
    >>> AttentionTransferLoss()(outputs, outputs, torch.tensor([0, 0, 1]))
    tensor(0.)
    """

    def forward(self, student, teacher, y):
        """Compute the loss from the `Outputs` of student and teacher."""
        return attention_transfer_loss(student.features, teacher.features)


@dataclass(frozen=True)
class AttentionTransfer(FeatureTerm):
    """Match where in time the energy of the teacher's features lies.

    Parameters
    ----------
    weight : float, default=0.1
        Factor in the total loss; the cross entropy has factor 1. See
        `attention_transfer_loss` for how it relates to the paper's.
    student_layer, teacher_layer : str or None, default=None
        See `FeatureTerm`.

    Raises
    ------
    ValueError, TypeError
        If a value is out of range or of the wrong type; in `build`, if features have a single
        time point.

    References
    ----------
    See `attention_transfer_loss`.

    Examples
    --------
    >>> from sktime_tsd.losses import AttentionTransfer
    >>> AttentionTransfer(student_layer="blocks.0")
    AttentionTransfer(student_layer='blocks.0', teacher_layer=None, weight=0.1)
    """

    weight: float = 0.1
    name: ClassVar[str] = "attention_transfer"
    recordable: ClassVar[bool] = True

    def build(self, student, teacher):
        """Make the loss module; see `FeatureTerm`."""
        timepoints_to_compare(self, student, teacher)
        return AttentionTransferLoss()
