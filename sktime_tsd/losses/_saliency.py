"""Temporal saliency distillation (TSD): match responses to perturbed windows."""

from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import nn

from sktime_tsd._utils.validation import check_choice, check_number
from sktime_tsd.losses._term import DistillationTerm
from sktime_tsd.losses._window_saliency import (
    MEASURES,
    MIN_SCALE,
    OTHERS_WEIGHT,
    check_top_n,
    window_saliency,
)

__all__ = ["NORMALIZATIONS", "SaliencyLoss", "TemporalSaliency", "saliency_loss"]

NORMALIZATIONS = ("each", "teacher")


def _typical_size(saliency, floor):
    """Mean of the positive entries, but at least `floor`."""
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
    normalization="teacher",
    top_n=1,
):
    r"""Difference between the student's and the teacher's responses to the same perturbations.

    Both saliencies (see `window_saliency`) are divided by a mean over the positive entries of
    the batch, then compared:

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
        T > 0; see `window_saliency`.
    measure : str, default="kl_per_class"
        One of ``MEASURES``; see `window_saliency`.
    normalization : {"teacher", "each"}, default="teacher"
        "teacher" divides both by the teacher's mean, so that pattern and size are matched.
        "each" divides each by its own mean, so that only the pattern is matched; gradients
        flow through the student's mean.
    top_n : int, default=1
        See `window_saliency`.

    Returns
    -------
    loss : torch.Tensor, scalar
        At least 0, and 0 for equal saliencies; lower is better.

    Raises
    ------
    ValueError
        If `measure` or `normalization` is unknown, or `top_n` is out of range.

    References
    ----------
    See `window_saliency`. The publication normalises as "each"; "teacher" is specific to this
    package.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.losses import saliency_loss
    >>> teacher = torch.tensor([[2.0, 0.0]]), torch.tensor([[[2.0, 0.0], [0.0, 0.0]]])
    >>> student = torch.tensor([[2.0, 0.0]]), torch.tensor([[[0.0, 0.0], [2.0, 0.0]]])
    >>> y = torch.tensor([0])
    >>> saliency_loss(*teacher, *teacher, y)
    tensor(0.)
    >>> saliency_loss(*student, *teacher, y, measure="kl")  # sensitive to the wrong window
    tensor(0.5000)
    """
    check_choice("saliency_normalization", normalization, NORMALIZATIONS)
    settings = {"temperature": temperature, "measure": measure, "top_n": top_n}
    of_teacher = window_saliency(teacher_logits, teacher_perturbed_logits, y, **settings)
    of_student = window_saliency(student_logits, student_perturbed_logits, y, **settings)
    floor = {
        "decoupled_kl": OTHERS_WEIGHT * temperature**2 * MIN_SCALE,
        "sqrt_kl": temperature * MIN_SCALE**0.5,
        "target_probability": MIN_SCALE,
    }.get(measure, temperature**2 * MIN_SCALE)
    teacher_size = _typical_size(of_teacher, floor)
    student_size = teacher_size if normalization == "teacher" else _typical_size(of_student, floor)
    return F.smooth_l1_loss(of_student / student_size, of_teacher / teacher_size)


class SaliencyLoss(nn.Module):
    """`saliency_loss` as a loss module.

    Parameters
    ----------
    **settings : object
        Keyword arguments of `saliency_loss`.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.losses import Outputs, SaliencyLoss
    >>> outputs = Outputs(torch.zeros(1, 2), perturbed_logits=torch.ones(1, 3, 2))
    >>> SaliencyLoss(measure="kl")(outputs, outputs, torch.tensor([0]))
    tensor(0.)
    """

    def __init__(self, **settings):
        super().__init__()
        self.settings = settings

    def forward(self, student, teacher, y):
        """Compute the loss from the `Outputs` of student and teacher."""
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
    """Match the teacher's temporal saliency: how its output changes as windows are perturbed.

    `SaliencyDistilledClassifier` builds this term from its own parameters.

    Parameters
    ----------
    weight : float, default=1.0
        Factor in the total loss after the ramp; the cross entropy has factor 1.
    temperature : float, default=8.0
        See `window_saliency`.
    measure : str, default="kl_per_class"
        One of ``MEASURES``; see `window_saliency`.
    normalization : {"teacher", "each"}, default="teacher"
        See `saliency_loss`.
    ramp : float, default=0.5
        Share of the training, in [0, 1], over which the weight grows linearly from 0.
    top_n : int, default=1
        Used by the measure "top_n_kl" only; see `window_saliency`.

    Raises
    ------
    ValueError
        If a value is out of range or a name is unknown.
    TypeError
        If a number is of the wrong type.

    References
    ----------
    See `window_saliency`.

    Examples
    --------
    >>> from sktime_tsd.losses import TemporalSaliency
    >>> TemporalSaliency(weight=2.0, ramp=0.5).weight_at(progress=0.25)
    1.0
    """

    weight: float = 1.0
    temperature: float = 8.0
    measure: str = "kl_per_class"
    normalization: str = "teacher"
    ramp: float = 0.5
    top_n: int = 1
    name: ClassVar[str] = "saliency"
    needs_perturbed: ClassVar[bool] = True
    recordable: ClassVar[bool] = True

    def __post_init__(self):
        check_number("saliency_weight", self.weight, low=0)
        check_number("saliency_temperature", self.temperature, low=0, boundaries="neither")
        check_choice("saliency_measure", self.measure, MEASURES)
        check_choice("saliency_normalization", self.normalization, NORMALIZATIONS)
        check_number("saliency_ramp", self.ramp, low=0, high=1)
        check_number("saliency_top_n", self.top_n, integer=True, low=1)

    def build(self):
        """Make the loss module."""
        return SaliencyLoss(
            temperature=self.temperature,
            measure=self.measure,
            normalization=self.normalization,
            top_n=self.top_n,
        )

    def check_classes(self, n_classes):
        """Check that `top_n` leaves at least one class; see `DistillationTerm`."""
        if self.measure == "top_n_kl":
            check_top_n(self.top_n, n_classes)

    def weight_at(self, progress):
        """Weight at a given share of the training steps; see `DistillationTerm`."""
        if progress >= self.ramp:
            return self.weight
        return self.weight * progress / self.ramp
