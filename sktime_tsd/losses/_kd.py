"""Knowledge distillation with soft targets (KD)."""

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from sktime_tsd._utils.validation import check_number
from sktime_tsd.losses._divergence import divergence
from sktime_tsd.losses._term import DistillationTerm

__all__ = ["KD", "KDLoss", "kd_loss"]


def kd_loss(student_logits, teacher_logits, temperature):
    r"""Divergence of the student's softened probabilities from the teacher's.

    .. math:: T^2 \, \mathrm{KL}(p(z_{teacher}) \,\|\, p(z_{student})), \quad
              p(z) = \mathrm{softmax}(z / T)

    averaged over the batch. The factor :math:`T^2` keeps the scale of the gradient
    independent of T.

    Parameters
    ----------
    student_logits, teacher_logits : torch.Tensor of shape (n, n_classes)
    temperature : float
        T > 0.

    Returns
    -------
    loss : torch.Tensor, scalar
        In nats times :math:`T^2`, at least 0; lower is better.

    References
    ----------
    Hinton, Vinyals, Dean, "Distilling the knowledge in a neural network", 2015,
    arXiv 1503.02531.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.losses import kd_loss
    >>> teacher, student = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 0.0]])
    >>> kd_loss(student, teacher, temperature=1.0)
    tensor(0.3278)
    """
    of_each = divergence(teacher_logits / temperature, student_logits / temperature)
    return temperature**2 * of_each.mean()


class KDLoss(nn.Module):
    """`kd_loss` as a loss module.

    Parameters
    ----------
    temperature : float
        T > 0.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.losses import KDLoss, Outputs
    >>> student, teacher = Outputs(torch.zeros(1, 3)), Outputs(torch.zeros(1, 3))
    >>> KDLoss(temperature=2.0)(student, teacher, torch.tensor([0]))
    tensor(0.)
    """

    def __init__(self, temperature):
        super().__init__()
        self.temperature = temperature

    def forward(self, student, teacher, y):
        """Compute the loss from the `Outputs` of student and teacher."""
        return kd_loss(student.logits, teacher.logits, self.temperature)


@dataclass(frozen=True)
class KD(DistillationTerm):
    """Soft targets: match the teacher's class probabilities.

    Parameters
    ----------
    weight : float, default=1.0
        Factor in the total loss; the cross entropy has factor 1.
    temperature : float, default=2.0
        Softens both distributions. Large values bring out the teacher's small probabilities.

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
    >>> from sktime_tsd.losses import KD
    >>> KD(weight=0.5)
    KD(weight=0.5, temperature=2.0)
    """

    weight: float = 1.0
    temperature: float = 2.0
    name: ClassVar[str] = "kd"
    recordable: ClassVar[bool] = True

    def __post_init__(self):
        check_number("weight", self.weight, low=0)
        check_number("temperature", self.temperature, low=0, boundaries="neither")

    def build(self):
        """Make the loss module."""
        return KDLoss(self.temperature)
