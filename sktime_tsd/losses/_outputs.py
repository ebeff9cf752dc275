"""What a term sees of a network."""

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
        A criterion is handed a tuple of them, one for each term that needs features.
    """

    logits: torch.Tensor
    perturbed_logits: torch.Tensor | None = None
    features: torch.Tensor | tuple[torch.Tensor, ...] | None = None
