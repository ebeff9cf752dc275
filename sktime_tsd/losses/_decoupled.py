"""A divergence between two distributions, split at one class."""

import torch
import torch.nn.functional as F

__all__ = ["decoupled_divergences"]


def decoupled_divergences(logits_p, logits_q, y, *, least=None):
    r"""Divergences of the target class against the rest, and among the rest.

    With t the target class, :math:`b = (p_t, 1 - p_t)` and :math:`\hat p` the distribution
    over the other classes, they are :math:`KL(b^p \| b^q)` and
    :math:`KL(\hat p \| \hat q)`. Together
    :math:`KL(p \| q) = KL(b^p \| b^q) + (1 - p_t) KL(\hat p \| \hat q)`.

    Parameters
    ----------
    logits_p, logits_q : torch.Tensor of shape (n, n_rows, n_classes)
        Of either, ``n_rows`` may be 1.
    y : torch.Tensor of shape (n,), int64
        Target classes.
    least : float, optional
        Logarithms of probabilities below it count as it.

    Returns
    -------
    target, others : torch.Tensor of shape (n, n_rows)
        In nats. For two classes the second is 0: there is one other class.

    References
    ----------
    Zhao et al., "Decoupled knowledge distillation", CVPR 2022, equation 5.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.losses._decoupled import decoupled_divergences
    >>> p = torch.tensor([[[0.5, 0.3, 0.2]]]).log()
    >>> q = torch.tensor([[[0.5, 0.2, 0.3]]]).log()
    >>> target, others = decoupled_divergences(p, q, torch.tensor([0]))
    >>> round(target.item(), 4), round(others.item(), 4)
    (0.0, 0.0811)
    """
    target_p, others_p = _split(logits_p, y)
    target_q, others_q = _split(logits_q, y)
    target = _divergence(
        _one_against_all(target_p, others_p), _one_against_all(target_q, others_q), least
    )
    return target, _divergence(others_p, others_q, least)


def _split(logits, y):
    """Logits of the target class, and of the others."""
    n_rows, n_classes = logits.shape[1:]
    steps = torch.arange(n_classes, device=y.device)
    order = ((y[:, None] + steps) % n_classes)[:, None].expand(-1, n_rows, -1)
    ordered = logits.gather(2, order)  # the target class first
    return ordered[..., :1], ordered[..., 1:]


def _one_against_all(target, others):
    """Logits of two classes: the target, and all others together."""
    return torch.cat([target, others.logsumexp(dim=-1, keepdim=True)], dim=-1)


def _divergence(logits_p, logits_q, least):
    log_p = F.log_softmax(logits_p, dim=-1)
    log_q = F.log_softmax(logits_q, dim=-1)
    p = log_p.exp()
    if least is not None:
        log_p, log_q = log_p.clamp(min=least), log_q.clamp(min=least)
    return (p * (log_p - log_q)).sum(dim=-1)
