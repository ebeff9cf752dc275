"""KL divergence of softmax distributions, without loss of digits where they are close."""

import torch.nn.functional as F

__all__ = ["divergence"]

# Above it, the plain formula has digits enough.
_CLOSE = 1.0


def divergence(logits_p, logits_q):
    r"""Divergence of one softmax distribution from another.

    With :math:`v = (z_q - z_p) - E_p[z_q - z_p]`,

    .. math:: \mathrm{KL}(p \| q) = \log E_p[e^v] = \log(1 + E_p[e^v - 1 - v]).

    Each term of the last mean is at least 0, and a power series keeps the digits of a small one.
    The textbook sum :math:`\sum p (\log p - \log q)` cancels: at high temperatures, where all
    distributions are close, rounding errors are all that is left of it.

    Parameters
    ----------
    logits_p, logits_q : torch.Tensor of shape (..., n_classes)

    Returns
    -------
    divergence : torch.Tensor of shape (...,)
        In nats, at least 0.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.losses._divergence import divergence
    >>> p, q = torch.tensor([0.5, 0.5]).log(), torch.tensor([0.25, 0.75]).log()
    >>> round(divergence(p, q).item(), 4)
    0.1438
    >>> divergence(torch.tensor([0.0, 1e-6]), torch.tensor([1e-6, 0.0]))  # (2e-6)**2 / 8
    tensor(5.0000e-13)
    """
    log_p = F.log_softmax(logits_p, dim=-1)
    p = log_p.exp()
    v = logits_q - logits_p
    v = v - (p * v).sum(dim=-1, keepdim=True)
    near = v.clamp(-_CLOSE, _CLOSE)
    close = (p * _exp_less_tangent(near)).sum(dim=-1).log1p()
    far = (log_p + v).logsumexp(dim=-1).clamp(min=0)
    return close.where(v.abs().amax(dim=-1) < _CLOSE, far)


def _exp_less_tangent(v):
    """Compute exp(v) - 1 - v for v in [-1, 1], by its power series."""
    tail = 1.0
    for n in range(12, 2, -1):
        tail = 1 + v / n * tail
    return v * v / 2 * tail
