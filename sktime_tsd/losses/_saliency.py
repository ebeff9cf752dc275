"""Temporal saliency distillation."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import nn

from sktime_tsd._validation import check_choice, check_number
from sktime_tsd.losses._kl_matching import kl_matching_loss
from sktime_tsd.losses._term import DistillationTerm

__all__ = [
    "MEASURES",
    "NORMALIZATIONS",
    "SaliencyLoss",
    "TemporalSaliency",
    "saliency_loss",
    "window_saliency",
]

MEASURES = ("kl_per_class", "kl", "sqrt_kl", "target_probability")
NORMALIZATIONS = ("each", "teacher")

# Probabilities below are equal to it: what the logarithm of a vanishing
# probability would add is noise.
_LEAST_PROBABILITY = 1e-6

# A network that ignores its input has saliencies of pure rounding noise, which its
# own mean must not blow up into a target. In units of T**2.
_LEAST_SCALE = 1e-6


def window_saliency(logits, perturbed_logits, y, *, temperature=8.0, measure="kl_per_class"):
    r"""How a network's answer moves when a window of its input is perturbed.

    With :math:`p(z) = \mathrm{softmax}(z / T)`, z the logits of the series and
    :math:`\tilde z` those of a perturbed copy, for each class c

    .. math:: \phi_c = T^2 \, p_c(z) \, (\log p_c(z) - \log p_c(\tilde z))

    where probabilities below 1e-6 count as 1e-6 in the logarithm.

    Parameters
    ----------
    logits : torch.Tensor of shape (n, n_classes)
    perturbed_logits : torch.Tensor of shape (n, n_windows, n_classes)
    y : torch.Tensor of shape (n,), int64
        Class indices; used by "target_probability" alone.
    temperature : float, default=8.0
        T > 0.
    measure : str, default="kl_per_class"
        * "kl_per_class": the terms above, which may be negative;
        * "kl": their sum over c, :math:`T^2 KL(p(z) \| p(\tilde z)) \ge 0`;
        * "sqrt_kl": the square root of that sum;
        * "target_probability": :math:`p_y(z) - p_y(\tilde z)`.

    Returns
    -------
    saliency : torch.Tensor of shape (n, n_windows, n_classes)
        ``(n, n_windows, 1)`` for the measures with one value per window. Larger means
        that the window matters more.

    Raises
    ------
    ValueError
        If the measure is unknown.

    References
    ----------
    "Learning to Reason: Temporal Saliency Distillation for Interpretable Knowledge
    Transfer", ECAI 2025, doi 10.3233/FAIA251144.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.losses import window_saliency
    >>> logits = torch.tensor([[2.0, 0.0]])
    >>> perturbed_logits = torch.tensor([[[2.0, 0.0], [0.0, 0.0]]])  # two windows
    >>> y = torch.tensor([0])
    >>> window_saliency(logits, perturbed_logits, y, temperature=1.0, measure="kl")
    tensor([[[0.0000],
             [0.3278]]])
    """
    check_choice("saliency_measure", measure, MEASURES)
    log_p = F.log_softmax(logits / temperature, dim=-1).unsqueeze(1)  # (n, 1, n_classes)
    log_q = F.log_softmax(perturbed_logits / temperature, dim=-1)  # (n, n_windows, n_classes)
    if measure == "target_probability":
        target = y[:, None, None].expand(-1, log_q.shape[1], 1)  # (n, n_windows, 1)
        p_target = log_p.expand_as(log_q).gather(2, target).exp()
        return p_target - log_q.gather(2, target).exp()
    floor = torch.as_tensor(_LEAST_PROBABILITY, dtype=log_p.dtype, device=log_p.device).log()
    per_class = (
        temperature**2 * log_p.exp() * (torch.maximum(log_p, floor) - torch.maximum(log_q, floor))
    )
    if measure == "kl_per_class":
        return per_class
    divergence = per_class.sum(dim=-1, keepdim=True)
    if measure == "kl":
        return divergence
    # the offset keeps the root's gradient finite at zero
    offset = temperature**2 * _LEAST_SCALE * 1e-2
    return (divergence.clamp(min=0) + offset).sqrt() - offset**0.5


def _typical_size(saliency, floor):
    """Mean of the positive entries, at least `floor`."""
    positive = saliency > 0
    mean = saliency.clamp(min=0).sum() / positive.sum().clamp(min=1)
    return mean.clamp(min=floor)


def saliency_loss(
    student_logits,
    student_perturbed_logits,
    teacher_logits,
    teacher_perturbed_logits,
    y,
    *,
    temperature=8.0,
    measure="kl_per_class",
    normalization="each",
):
    r"""How differently student and teacher answer to the same perturbations.

    Both saliencies (see `window_saliency`) are divided by the mean of the batch's
    positive entries and compared:

    .. math:: \mathrm{mean}\; \mathrm{smooth\,L1}\left(
              \frac{\phi^{student}}{s_{student}}, \frac{\phi^{teacher}}{s_{teacher}}\right)

    Parameters
    ----------
    student_logits : torch.Tensor of shape (n, n_classes)
    student_perturbed_logits : torch.Tensor of shape (n, n_windows, n_classes)
    teacher_logits : torch.Tensor of shape (n, n_classes)
    teacher_perturbed_logits : torch.Tensor of shape (n, n_windows, n_classes)
    y : torch.Tensor of shape (n,), int64
        Class indices.
    temperature : float, default=8.0
    measure : str, default="kl_per_class"
        See `window_saliency`.
    normalization : {"each", "teacher"}, default="each"
        Whether each side is divided by its own mean (only the pattern is matched) or
        both by the teacher's (its size too). The student's mean is part of the gradient.

    Returns
    -------
    loss : torch.Tensor, scalar
        0 for equal saliencies; lower is better.

    Raises
    ------
    ValueError
        If the measure or the normalisation is unknown.

    References
    ----------
    As for `window_saliency`; normalisation "teacher" is ours.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.losses import saliency_loss
    >>> teacher = torch.tensor([[2.0, 0.0]]), torch.tensor([[[2.0, 0.0], [0.0, 0.0]]])
    >>> student = torch.tensor([[2.0, 0.0]]), torch.tensor([[[0.0, 0.0], [2.0, 0.0]]])
    >>> y = torch.tensor([0])
    >>> saliency_loss(*teacher, *teacher, y)
    tensor(0.)
    >>> saliency_loss(*student, *teacher, y, measure="kl")  # the wrong window matters
    tensor(0.5000)
    """
    check_choice("saliency_normalization", normalization, NORMALIZATIONS)
    settings = {"temperature": temperature, "measure": measure}
    of_teacher = window_saliency(teacher_logits, teacher_perturbed_logits, y, **settings)
    of_student = window_saliency(student_logits, student_perturbed_logits, y, **settings)
    floor = {
        "kl_per_class": temperature**2 * _LEAST_SCALE,
        "kl": temperature**2 * _LEAST_SCALE,
        "sqrt_kl": temperature * _LEAST_SCALE**0.5,
        "target_probability": _LEAST_SCALE,
    }[measure]
    teacher_size = _typical_size(of_teacher, floor)
    student_size = teacher_size if normalization == "teacher" else _typical_size(of_student, floor)
    return F.smooth_l1_loss(of_student / student_size, of_teacher / teacher_size)


class SaliencyLoss(nn.Module):
    """`saliency_loss` as a loss module.

    Parameters
    ----------
    temperature : float
    measure, normalization : str
    """

    def __init__(self, temperature, measure, normalization):
        super().__init__()
        self.settings = {
            "temperature": temperature,
            "measure": measure,
            "normalization": normalization,
        }

    def forward(self, student, teacher, y):
        """Compute the loss from the `Outputs` of student and teacher."""
        if self.settings["measure"] in ("kl_per_class", "kl"):
            return kl_matching_loss(
                (student.logits, student.perturbed_logits),
                (teacher.logits, teacher.perturbed_logits),
                temperature=self.settings["temperature"],
                summed=self.settings["measure"] == "kl",
                each=self.settings["normalization"] == "each",
                least=math.log(_LEAST_PROBABILITY),
                floor=_LEAST_SCALE,
            )
        return saliency_loss(
            student.logits,
            student.perturbed_logits,
            teacher.logits,
            teacher.perturbed_logits,
            y,
            **self.settings,
        )


@dataclass(frozen=True)
class TemporalSaliency(DistillationTerm):
    """The student's answers move under perturbation as the teacher's do.

    `SaliencyDistilledClassifier` makes this term from its own parameters.

    Parameters
    ----------
    weight : float, default=1.0
        Factor in the total loss once the ramp is over.
    temperature : float, default=8.0
    measure : str, default="kl_per_class"
        See `window_saliency`.
    normalization : {"each", "teacher"}, default="each"
        See `saliency_loss`.
    ramp : float, default=0.5
        Share of the training over which the weight grows linearly from 0.

    Raises
    ------
    ValueError
        If a value is out of its range or a name unknown.

    Examples
    --------
    >>> from sktime_tsd.losses import TemporalSaliency
    >>> TemporalSaliency(weight=2.0, ramp=0.5).weight_at(progress=0.25)
    1.0
    """

    weight: float = 1.0
    temperature: float = 8.0
    measure: str = "kl_per_class"
    normalization: str = "each"
    ramp: float = 0.5
    name: ClassVar[str] = "saliency"
    needs_perturbed: ClassVar[bool] = True
    recordable: ClassVar[bool] = True

    def __post_init__(self):
        check_number("saliency_weight", self.weight, low=0)
        check_number("temperature", self.temperature, low=0, boundaries="neither")
        check_choice("saliency_measure", self.measure, MEASURES)
        check_choice("saliency_normalization", self.normalization, NORMALIZATIONS)
        check_number("saliency_ramp", self.ramp, low=0, high=1)

    def build(self):
        """Make the loss module."""
        return SaliencyLoss(self.temperature, self.measure, self.normalization)

    def weight_at(self, progress):
        """Weight after a share of the training steps; see `DistillationTerm`."""
        if progress >= self.ramp:
            return self.weight
        return self.weight * progress / self.ramp
