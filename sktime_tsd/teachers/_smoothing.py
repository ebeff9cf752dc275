"""Smoothing of votes, so that a vote of zero does not rule the saliency."""

import torch

from sktime_tsd._scoring.scorer import share_of_zeros
from sktime_tsd._training.auto import AUTO

__all__ = ["counts_votes", "smoothed", "smoothing_share"]

# What "auto" mixes in where votes are counted.
_OF_VOTES = 0.05

# Forests and neighbours say 0 more often than this of the series they were fitted on (4 to 90 %),
# logistic regression never. (Of perturbed series it may: there its values are extreme.)
_LEAST_SHARE_OF_ZEROS = 0.01


def counts_votes(logits):
    """Tell whether a teacher's probabilities are shares of votes: some are exactly 0.

    Parameters
    ----------
    logits : torch.Tensor of shape (n_instances, n_classes)
        Its answers to unperturbed series, if it has no logits of its own; see `clipped_logits`.

    Returns
    -------
    bool
    """
    return share_of_zeros(logits) > _LEAST_SHARE_OF_ZEROS


def smoothing_share(smoothing, logits):
    """Resolve the parameter ``teacher_smoothing``.

    Parameters
    ----------
    smoothing : float or "auto"
        "auto" is 0.05 for shares of votes, else 0.
    logits : torch.Tensor of shape (n_instances, n_classes)
        See `counts_votes`.

    Returns
    -------
    share : float
    """
    if smoothing != AUTO:
        return smoothing
    return _OF_VOTES if counts_votes(logits) else 0.0


def smoothed(logits, share):
    """Mix the uniform distribution into the probabilities that logits stand for.

    Parameters
    ----------
    logits : torch.Tensor of shape (..., n_classes)
        Answers of a teacher that has no logits of its own.
    share : float
        Of the uniform distribution, in [0, 1).

    Returns
    -------
    logits : torch.Tensor of shape (..., n_classes)
        Log-probabilities if anything is mixed in, else as given.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.teachers._smoothing import smoothed
    >>> smoothed(torch.tensor([0.0, -torch.inf]), 0.1).exp()
    tensor([0.9500, 0.0500])
    """
    if not share:
        return logits
    p = torch.softmax(logits, dim=-1)
    return torch.log((1 - share) * p + share / p.shape[-1])
