"""Decoupled knowledge distillation (DKD)."""

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from sktime_tsd._utils.validation import check_number
from sktime_tsd.losses._decoupled import decoupled_divergences
from sktime_tsd.losses._term import DistillationTerm

__all__ = ["DKD", "DKDLoss", "dkd_loss"]


def dkd_loss(student_logits, teacher_logits, y, *, alpha=1.0, beta=8.0, temperature=4.0):
    r"""Divergence from the teacher, split into the true class and the other classes.

    .. math:: T^2 \left( \alpha \, \mathrm{KL}(b^{teacher} \| b^{student})
              + \beta \, \mathrm{KL}(\hat p^{teacher} \| \hat p^{student}) \right)

    averaged over the batch, where p are the probabilities at temperature T,
    :math:`b = (p_y, 1 - p_y)` for the true class y, and :math:`\hat p` is the distribution
    over the other classes. Plain soft targets (`kd_loss`) weight the second part by
    :math:`1 - p_y`, which suppresses it where the teacher is sure.

    Parameters
    ----------
    student_logits, teacher_logits : torch.Tensor of shape (n, n_classes)
    y : torch.Tensor of shape (n,), int64
        True class indices.
    alpha : float, default=1.0
        Weight of the first part: the true class against the rest (TCKD).
    beta : float, default=8.0
        Weight of the second part: the other classes among themselves (NCKD). That part is 0
        for two classes.
    temperature : float, default=4.0
        T > 0.

    Returns
    -------
    loss : torch.Tensor, scalar
        In nats times :math:`T^2`, at least 0; lower is better.

    References
    ----------
    Zhao, Cui, Song, Qiu, Liang, "Decoupled knowledge distillation", CVPR 2022,
    arXiv 2203.08679.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.losses import dkd_loss
    >>> teacher = torch.tensor([[4.0, 2.0, 0.0]])
    >>> student = torch.tensor([[4.0, 0.0, 2.0]])  # right class, wrong order of the rest
    >>> y = torch.tensor([0])
    >>> dkd_loss(student, teacher, y, beta=0.0).abs() < 1e-5
    tensor(True)
    >>> dkd_loss(student, teacher, y)
    tensor(15.6748)
    """
    target, others = decoupled_divergences(
        teacher_logits[:, None] / temperature, student_logits[:, None] / temperature, y
    )
    return temperature**2 * (alpha * target + beta * others).mean()


class DKDLoss(nn.Module):
    """`dkd_loss` as a loss module.

    Parameters
    ----------
    **settings : float
        Keyword arguments of `dkd_loss`.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.losses import DKDLoss, Outputs
    >>> student, teacher = Outputs(torch.zeros(1, 3)), Outputs(torch.zeros(1, 3))
    >>> DKDLoss(beta=8.0)(student, teacher, torch.tensor([0]))
    tensor(0.)
    """

    def __init__(self, **settings):
        super().__init__()
        self.settings = settings

    def forward(self, student, teacher, y):
        """Compute the loss from the `Outputs` of student and teacher."""
        return dkd_loss(student.logits, teacher.logits, y, **self.settings)


@dataclass(frozen=True)
class DKD(DistillationTerm):
    """Soft targets, with separate weights for the true class and the other classes.

    Parameters
    ----------
    weight : float, default=0.1
        Factor in the total loss; the cross entropy has factor 1. The loss has the paper's
        scale; the paper uses 1, after a warm-up of 20 epochs that is left out here.
    alpha : float, default=1.0
        See `dkd_loss`.
    beta : float, default=8.0
        See `dkd_loss`. The paper tunes it for each teacher, between 1 and 8.
    temperature : float, default=4.0
        See `dkd_loss`.

    Raises
    ------
    ValueError
        If a weight is negative, `temperature` is not positive, or a value is not finite.
    TypeError
        If a value is not a number.

    References
    ----------
    See `dkd_loss`.

    Examples
    --------
    >>> from sktime_tsd.losses import DKD
    >>> DKD(beta=2.0)
    DKD(weight=0.1, alpha=1.0, beta=2.0, temperature=4.0)
    """

    weight: float = 0.1
    alpha: float = 1.0
    beta: float = 8.0
    temperature: float = 4.0
    name: ClassVar[str] = "dkd"
    recordable: ClassVar[bool] = True

    def __post_init__(self):
        for name in ("weight", "alpha", "beta"):
            check_number(name, getattr(self, name), low=0)
        check_number("temperature", self.temperature, low=0, boundaries="neither")

    def build(self):
        """Make the loss module."""
        return DKDLoss(alpha=self.alpha, beta=self.beta, temperature=self.temperature)
