"""The outputs of a network that distillation terms compare."""

from typing import NamedTuple

import torch

__all__ = ["Outputs"]


class Outputs(NamedTuple):
    """Outputs of one network for a batch of n series.

    Parameters
    ----------
    logits : torch.Tensor of shape (n, n_classes)
    perturbed_logits : torch.Tensor of shape (n, n_windows, n_classes), optional
        Logits of the perturbed copies of each series.
    features : torch.Tensor of shape (n, n_features, n_timepoints), optional
        `DistillationCriterion` takes a tuple of them, one for each term that needs features.
    mixed_logits : torch.Tensor of shape (n, n_mixes, n_classes), optional
        Logits of mixes of each series with others.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.losses import Outputs
    >>> Outputs(torch.zeros(1, 2)).logits
    tensor([[0., 0.]])
    """

    logits: torch.Tensor
    perturbed_logits: torch.Tensor | None = None
    features: torch.Tensor | tuple[torch.Tensor, ...] | None = None
    mixed_logits: torch.Tensor | None = None
