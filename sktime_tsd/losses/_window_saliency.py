"""How a network's answer moves when a window of its input is perturbed: the measures."""

import math

import torch
import torch.nn.functional as F

from sktime_tsd._utils.validation import check_choice, check_number
from sktime_tsd.losses._decoupled import decoupled_divergences

__all__ = [
    "LEAST_PROBABILITY",
    "LEAST_SCALE",
    "MEASURES",
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

# Probabilities below are equal to it: what the logarithm of a vanishing
# probability would add is noise.
LEAST_PROBABILITY = 1e-6

# A network that ignores its input has saliencies of pure rounding noise, which its
# own mean must not blow up into a target. In units of T**2.
LEAST_SCALE = 1e-6

# Weight of the other classes among themselves in "decoupled_kl", as in decoupled
# knowledge distillation.
OTHERS_WEIGHT = 8.0


def check_top_n(top_n, n_classes):
    """Refuse a number of classes that leaves none to compare them with.

    Parameters
    ----------
    top_n : int
    n_classes : int

    Raises
    ------
    ValueError
        If it is not in ``1 .. n_classes - 1``.
    """
    if not 1 <= top_n < n_classes:
        raise ValueError(
            f'top_n={top_n} must be in 1 .. {n_classes - 1}: "top_n_kl" compares the top_n most '
            f"probable of the {n_classes} classes with the rest."
        )


def window_saliency(
    logits, perturbed_logits, y, *, temperature=8.0, measure="kl_per_class", top_n=1
):
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
        Class indices; used by "target_probability" and "decoupled_kl" alone.
    temperature : float, default=8.0
        T > 0.
    measure : str, default="kl_per_class"
        * "kl_per_class": the terms above, which may be negative;
        * "kl": their sum over c, :math:`T^2 KL(p(z) \| p(\tilde z)) \ge 0`;
        * "sqrt_kl": the square root of that sum;
        * "target_probability": :math:`p_y(z) - p_y(\tilde z)`;
        * "decoupled_kl": :math:`T^2` times the divergence of class y against the rest, plus
          8 times that among the other classes, which "kl" weighs by :math:`1 - p_y`;
        * "top_n_kl": :math:`T^2` times the divergence of two probabilities, that of the
          `top_n` classes which the network itself finds most probable without a
          perturbation, and that of the rest.
    top_n : int, default=1
        For "top_n_kl", in ``1 .. n_classes - 1``.

    Returns
    -------
    saliency : torch.Tensor of shape (n, n_windows, n_classes)
        ``(n, n_windows, 1)`` for the measures with one value per window. Larger means
        that the window matters more.

    Raises
    ------
    ValueError
        If the measure is unknown, or `top_n` out of its range.

    References
    ----------
    "Learning to Reason: Temporal Saliency Distillation for Interpretable Knowledge
    Transfer", ECAI 2025, doi 10.3233/FAIA251144; "decoupled_kl" and "top_n_kl" as in its
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
    least = math.log(LEAST_PROBABILITY)
    if measure == "decoupled_kl":
        target, others = decoupled_divergences(logits, perturbed_logits, y, least=least)
        return temperature**2 * (target + OTHERS_WEIGHT * others).unsqueeze(2)
    if measure == "top_n_kl":
        check_number("top_n", top_n, integer=True)
        check_top_n(top_n, logits.shape[2])
        order = logits.argsort(dim=2, descending=True)
        logits = _against_the_rest(logits, order, top_n)
        perturbed_logits = _against_the_rest(perturbed_logits, order, top_n)
    log_p = F.log_softmax(logits, dim=-1)
    log_q = F.log_softmax(perturbed_logits, dim=-1)
    per_class = temperature**2 * log_p.exp() * (log_p.clamp(min=least) - log_q.clamp(min=least))
    if measure == "kl_per_class":
        return per_class
    divergence = per_class.sum(dim=-1, keepdim=True)
    if measure != "sqrt_kl":
        return divergence
    # the offset keeps the root's gradient finite at zero
    offset = temperature**2 * LEAST_SCALE * 1e-2
    return (divergence.clamp(min=0) + offset).sqrt() - offset**0.5


def _target_probability(logits, perturbed_logits, y):
    target = y[:, None, None]
    p = F.softmax(logits, dim=-1).gather(2, target)
    q = F.softmax(perturbed_logits, dim=-1)
    return p - q.gather(2, target.expand(-1, q.shape[1], 1))


def _against_the_rest(logits, order, top_n):
    """Logits of two classes: the first `top_n` in an order together, and the rest."""
    ordered = logits.gather(2, order.expand_as(logits))
    parts = ordered[..., :top_n], ordered[..., top_n:]
    return torch.stack([part.logsumexp(dim=-1) for part in parts], dim=-1)
