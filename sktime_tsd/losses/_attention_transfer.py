"""Attention transfer."""

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

# Profiles with a smaller norm are not blown up to 1.
_LEAST_NORM = 1e-6


def attention_transfer_loss(student_features, teacher_features):
    r"""How differently the energy of the features is spread over time.

    .. math:: \left\| \frac{q^{student}}{\|q^{student}\|_2}
              - \frac{q^{teacher}}{\|q^{teacher}\|_2} \right\|_2^2, \quad
              q_t = \mathrm{mean}_c \, f_{c,t}^2

    in the mean over the batch. The longer of the two profiles q is resampled to the length
    of the shorter; norms below 1e-6 count as 1e-6.

    Parameters
    ----------
    student_features, teacher_features : torch.Tensor of shape (n, n_features, n_timepoints)
        Each of its own width and length.

    Returns
    -------
    loss : torch.Tensor, scalar
        In [0, 2], whatever the length: 0 for proportional profiles, 2 for profiles that
        share no time point.

    References
    ----------
    Zagoruyko, Komodakis, "Paying more attention to attention: improving the performance
    of convolutional neural networks via attention transfer", ICLR 2017, arXiv 1612.03928.
    There the mean over the positions is taken, so that weight 1000 there is
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
        F.normalize(profile.squeeze(1), eps=_LEAST_NORM) for profile in (student, teacher)
    )
    return (student - teacher).square().sum(dim=1).mean()


def _profile(features):
    return features.square().mean(dim=1, keepdim=True)  # (n, 1, n_timepoints)


class AttentionTransferLoss(nn.Module):
    """`attention_transfer_loss` as a loss module."""

    def forward(self, student, teacher, y):
        """Compute the loss from the `Outputs` of student and teacher."""
        return attention_transfer_loss(student.features, teacher.features)


@dataclass(frozen=True)
class AttentionTransfer(FeatureTerm):
    """The student's features have their energy where the teacher's have it.

    Parameters
    ----------
    weight : float, default=0.1
        Factor in the total loss, beside the cross entropy's 1. See
        `attention_transfer_loss` for the scale.
    student_layer, teacher_layer : str or None, default=None
        See `FeatureTerm`.

    Raises
    ------
    ValueError, TypeError
        If a value is out of its range or of the wrong kind; in `build`, if features have a
        single time point.

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
