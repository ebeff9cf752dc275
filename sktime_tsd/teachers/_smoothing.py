"""Smoothing of votes, so that a vote of zero does not rule the saliency."""

import torch

from sktime_tsd._scoring.scorer import share_of_zeros
from sktime_tsd._training.auto import AUTO

__all__ = ["counts_votes", "smoothed"]

# What "auto" mixes in where votes are counted.
_OF_VOTES = 0.05

# A forest gives more zeros than this, logistic regression fewer.
_LEAST_SHARE_OF_ZEROS = 0.005


def counts_votes(logits):
    """Tell whether a teacher's probabilities are shares of votes: some are exactly 0.

    Parameters
    ----------
    logits : sequence of torch.Tensor
        Answers of a teacher that has no logits of its own; see `clipped_logits`.

    Returns
    -------
    bool
    """
    return share_of_zeros(logits) > _LEAST_SHARE_OF_ZEROS


def smoothed(logits, smoothing):
    """Mix the uniform distribution into the probabilities that logits stand for.

    Parameters
    ----------
    logits : sequence of torch.Tensor of shape (..., n_classes)
        Answers of a teacher that has no logits of its own.
    smoothing : float or "auto"
        Share of the uniform distribution, in [0, 1). "auto" is 0.05 for shares of votes, else 0.

    Returns
    -------
    logits : list of torch.Tensor
        Log-probabilities if anything is mixed in, else as given.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.teachers._smoothing import smoothed
    >>> smoothed([torch.tensor([0.0, -torch.inf])], 0.1)[0].exp()
    tensor([0.9500, 0.0500])
    """
    logits = list(logits)
    if smoothing == AUTO:
        smoothing = _OF_VOTES if counts_votes(logits) else 0
    if not smoothing:
        return logits
    p = [torch.softmax(part, dim=-1) for part in logits]
    return [torch.log((1 - smoothing) * part + smoothing / part.shape[-1]) for part in p]
