"""KL divergence split into the target class and the other classes."""

import torch
import torch.nn.functional as F

from sktime_tsd.losses._divergence import divergence

__all__ = ["decoupled_divergences"]


def decoupled_divergences(logits_p, logits_q, y, *, min_log=None):
    r"""Split a KL divergence: the target class against the rest, and among the rest.

    With t the target class, :math:`b = (p_t, 1 - p_t)` and :math:`\hat p` the distribution
    over the other classes, the two parts are :math:`KL(b^p \| b^q)` and
    :math:`KL(\hat p \| \hat q)`. They add up to
    :math:`KL(p \| q) = KL(b^p \| b^q) + (1 - p_t) KL(\hat p \| \hat q)`.

    Parameters
    ----------
    logits_p, logits_q : torch.Tensor of shape (n, n_rows, n_classes)
        ``n_rows`` may be 1 for one of them; it is then broadcast.
    y : torch.Tensor of shape (n,), int64
        Target classes.
    min_log : float, optional
        Lower bound of log probabilities; smaller ones are clamped to it.

    Returns
    -------
    target, others : torch.Tensor of shape (n, n_rows)
        In nats. For two classes `others` is 0, since there is only one other class.

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
        _one_against_all(target_p, others_p), _one_against_all(target_q, others_q), min_log
    )
    return target, _divergence(others_p, others_q, min_log)


def _split(logits, y):
    """Split logits into those of the target class and those of the other classes."""
    n_rows, n_classes = logits.shape[1:]
    steps = torch.arange(n_classes, device=y.device)
    order = ((y[:, None] + steps) % n_classes)[:, None].expand(-1, n_rows, -1)
    ordered = logits.gather(2, order)  # the target class comes first
    return ordered[..., :1], ordered[..., 1:]


def _one_against_all(target, others):
    """Logits of two classes: the target, and all other classes combined."""
    return torch.cat([target, others.logsumexp(dim=-1, keepdim=True)], dim=-1)


def _divergence(logits_p, logits_q, min_log):
    if min_log is None:
        return divergence(logits_p, logits_q)
    log_p = F.log_softmax(logits_p, dim=-1)
    log_q = F.log_softmax(logits_q, dim=-1)
    change = log_p.clamp(min=min_log) - log_q.clamp(min=min_log)
    return (log_p.exp() * change).sum(dim=-1)
