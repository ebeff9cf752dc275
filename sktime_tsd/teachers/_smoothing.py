"""Smoothing of probabilities, so that a vote of zero does not rule the saliency."""

import torch

__all__ = ["smoothed"]


def smoothed(logits, smoothing):
    """Mix the uniform distribution into the probabilities that logits stand for.

    A vote of 0 would otherwise be a logit that rules all others.

    Parameters
    ----------
    logits : torch.Tensor of shape (..., n_classes)
    smoothing : float
        Share of the uniform distribution, in [0, 1). 0 returns the logits as they are.

    Returns
    -------
    logits : torch.Tensor of shape (..., n_classes)
        Log-probabilities, if anything is mixed in.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.teachers._smoothing import smoothed
    >>> smoothed(torch.tensor([0.0, -torch.inf]), 0.1).exp()
    tensor([0.9500, 0.0500])
    """
    if not smoothing:
        return logits
    p = torch.softmax(logits, dim=-1)
    return torch.log((1 - smoothing) * p + smoothing / p.shape[-1])
