"""Soft targets on series, perturbed copies and mixes alike."""

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from sktime_tsd.losses._kd import KD, kd_loss

__all__ = ["SoftTargets", "SoftTargetsLoss"]


class SoftTargetsLoss(nn.Module):
    """`kd_loss`, averaged over the series of a batch, their perturbed copies and their mixes.

    Parameters
    ----------
    temperature : float
        T > 0.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.losses import Outputs, SoftTargetsLoss
    >>> outputs = Outputs(torch.zeros(1, 3), perturbed_logits=torch.ones(1, 4, 3))
    >>> SoftTargetsLoss(temperature=1.0)(outputs, outputs, torch.tensor([0]))
    tensor(0.)
    """

    def __init__(self, temperature):
        super().__init__()
        self.temperature = temperature

    def forward(self, student, teacher, y):
        """Compute the loss from the `Outputs` of student and teacher."""
        pairs = zip(_parts(student), _parts(teacher), strict=True)
        losses = [(len(s), kd_loss(s, t, self.temperature)) for s, t in pairs]
        return sum(n * loss for n, loss in losses) / sum(n for n, _ in losses)


def _parts(outputs):
    """List the logits of series, copies and mixes, each of shape (n, n_classes)."""
    of_each = (outputs.perturbed_logits, outputs.mixed_logits)
    return [outputs.logits, *(part.flatten(0, 1) for part in of_each if part is not None)]


@dataclass(frozen=True)
class SoftTargets(KD):
    """Match the teacher's class probabilities on the series, all perturbed copies and mixes.

    Unlike `KD`, it also needs the copies, and its temperature is 1: the probabilities themselves
    are matched. `SaliencyDistilledClassifier` adds this term when it is given unlabelled series.
    Of all terms, it alone learns from mixes of two series (``n_mixes``).

    Parameters
    ----------
    weight : float, default=1.0
        Factor in the total loss; the cross entropy has factor 1.
    temperature : float, default=1.0
        Softens both distributions.

    Raises
    ------
    ValueError
        If `weight` is negative, `temperature` is not positive, or either is not finite.
    TypeError
        If either is not a number.

    References
    ----------
    See `kd_loss`.

    Examples
    --------
    >>> from sktime_tsd.losses import SoftTargets
    >>> SoftTargets(weight=0.5).needs_perturbed
    True
    """

    temperature: float = 1.0
    name: ClassVar[str] = "soft_targets"
    needs_perturbed: ClassVar[bool] = True
    uses_mixes: ClassVar[bool] = True
    recordable: ClassVar[bool] = True

    def build(self):
        """Make the loss module."""
        return SoftTargetsLoss(self.temperature)
