"""Saliency measures: how a network's output changes when a window of its input is perturbed."""

import math

import torch
import torch.nn.functional as F

from sktime_tsd._utils.validation import check_choice, check_number
from sktime_tsd.losses._decoupled import decoupled_divergences

__all__ = [
    "MEASURES",
    "MIN_PROBABILITY",
    "MIN_SCALE",
    "OTHERS_WEIGHT",
    "check_top_n",
    "window_saliency",
]

MEASURES = (
    "kl_per_class",
    "kl",
    "sqrt_kl",
    "target_probability",
    "decoupled_kl",
    "top_n_kl",
)

# Smaller probabilities are clamped to this before the logarithm is taken: the logarithm of a
# vanishing probability is mostly noise.
MIN_PROBABILITY = 1e-6

# Lower bound of the mean that saliencies are divided by, in units of T**2. The saliencies of a
# network that ignores its input are rounding noise, which a tiny mean would magnify to a target.
MIN_SCALE = 1e-6

# Weight of the other classes among themselves in "decoupled_kl", as in decoupled knowledge
# distillation.
OTHERS_WEIGHT = 8.0


def check_top_n(top_n, n_classes):
    """Check that `top_n` classes leave at least one class to compare them with.

    Parameters
    ----------
    top_n : int
    n_classes : int

    Raises
    ------
    ValueError
        If `top_n` is not in ``1 .. n_classes - 1``.
    """
    if not 1 <= top_n < n_classes:
        raise ValueError(
            f'top_n={top_n} must be in 1 .. {n_classes - 1}: "top_n_kl" compares the top_n most '
            f"probable of the {n_classes} classes with the rest."
        )


def window_saliency(
    logits, perturbed_logits, y, *, temperature=8.0, measure="kl_per_class", top_n=1
):
    r"""How much a network's output changes when a window of its input is perturbed.

    With :math:`p(z) = \mathrm{softmax}(z / T)`, z the logits of the series and
    :math:`\tilde z` those of a perturbed copy, the saliency of a class c is

    .. math:: \phi_c = T^2 \, p_c(z) \, (\log p_c(z) - \log p_c(\tilde z))

    Probabilities below 1e-6 count as 1e-6 in the logarithms.

    Parameters
    ----------
    logits : torch.Tensor of shape (n, n_classes)
    perturbed_logits : torch.Tensor of shape (n, n_windows, n_classes)
    y : torch.Tensor of shape (n,), int64
        Class indices; used only by "target_probability" and "decoupled_kl".
    temperature : float, default=8.0
        T > 0.
    measure : str, default="kl_per_class"
        * "kl_per_class": :math:`\phi_c` for each class, which may be negative;
        * "kl": their sum over c, :math:`T^2 KL(p(z) \| p(\tilde z)) \ge 0`;
        * "sqrt_kl": the square root of that sum;
        * "target_probability": :math:`p_y(z) - p_y(\tilde z)`;
        * "decoupled_kl": :math:`T^2` times the sum of the divergence of class y against the
          rest and 8 times the divergence among the other classes ("kl" weights the latter by
          :math:`1 - p_y`);
        * "top_n_kl": :math:`T^2` times the divergence of a distribution over two groups: the
          `top_n` classes that the network finds most probable for the unperturbed series, and
          all other classes.
    top_n : int, default=1
        Used by "top_n_kl" only, in ``1 .. n_classes - 1``.

    Returns
    -------
    saliency : torch.Tensor of shape (n, n_windows, n_classes)
        Or (n, n_windows, 1) for the measures with one value per window, all but
        "kl_per_class". Larger means that the window matters more.

    Raises
    ------
    ValueError
        If `measure` is unknown, or `top_n` is out of range.

    References
    ----------
    "Learning to Reason: Temporal Saliency Distillation for Interpretable Knowledge
    Transfer", ECAI 2025, doi 10.3233/FAIA251144. "decoupled_kl" and "top_n_kl" follow its
    published code.

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
    logits = logits.unsqueeze(1) / temperature  # (n, 1, n_classes)
    perturbed_logits = perturbed_logits / temperature  # (n, n_windows, n_classes)
    if measure == "target_probability":
        return _target_probability(logits, perturbed_logits, y)
    min_log = math.log(MIN_PROBABILITY)
    if measure == "decoupled_kl":
        target, others = decoupled_divergences(logits, perturbed_logits, y, min_log=min_log)
        return temperature**2 * (target + OTHERS_WEIGHT * others).unsqueeze(2)
    if measure == "top_n_kl":
        check_number("top_n", top_n, integer=True)
        check_top_n(top_n, logits.shape[2])
        order = logits.argsort(dim=2, descending=True)
        logits = _against_the_rest(logits, order, top_n)
        perturbed_logits = _against_the_rest(perturbed_logits, order, top_n)
    log_p = F.log_softmax(logits, dim=-1)
    log_q = F.log_softmax(perturbed_logits, dim=-1)
    per_class = temperature**2 * log_p.exp() * (log_p.clamp(min=min_log) - log_q.clamp(min=min_log))
    if measure == "kl_per_class":
        return per_class
    divergence = per_class.sum(dim=-1, keepdim=True)
    if measure != "sqrt_kl":
        return divergence
    # the offset keeps the gradient of the square root finite at 0
    offset = temperature**2 * MIN_SCALE * 1e-2
    return (divergence.clamp(min=0) + offset).sqrt() - offset**0.5


def _target_probability(logits, perturbed_logits, y):
    target = y[:, None, None]
    p = F.softmax(logits, dim=-1).gather(2, target)
    q = F.softmax(perturbed_logits, dim=-1)
    return p - q.gather(2, target.expand(-1, q.shape[1], 1))


def _against_the_rest(logits, order, top_n):
    """Logits of two groups: the first `top_n` classes in the given order, and the rest."""
    ordered = logits.gather(2, order.expand_as(logits))
    parts = ordered[..., :top_n], ordered[..., top_n:]
    return torch.stack([part.logsumexp(dim=-1) for part in parts], dim=-1)
