"""Perturbations that fill a window with the same window of another series."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from sktime_tsd.perturbations._base import Perturbation

__all__ = ["AnyClass", "OpposingClass", "SameClass"]


@dataclass(frozen=True)
class _DonorWindow(Perturbation):
    needs_donors: ClassVar[bool] = True

    def filler(self, x, starts, width, donor_windows=None):
        """Return the donors' windows unchanged; see `Perturbation.filler`."""
        return donor_windows


def _class_blocks(y):
    """Sort series by class, and find the block of each series' class in that order.

    Returns
    -------
    order : torch.Tensor of shape (n,), int64
        Series, sorted by class.
    position : torch.Tensor of shape (n,), int64
        Position of each series in `order`.
    first : torch.Tensor of shape (n,), int64
        Position in `order` where the block of its class begins.
    size : torch.Tensor of shape (n,), int64
        Length of that block.
    """
    order = torch.argsort(y, stable=True)
    position = torch.empty_like(order)
    position[order] = torch.arange(len(y), device=y.device)
    counts = torch.bincount(y)
    return order, position, (counts.cumsum(0) - counts)[y], counts[y]


@dataclass(frozen=True)
class OpposingClass(_DonorWindow):
    """Fill a window from a training series of a different class, as in the paper.

    All series of other classes are equally likely to be the donor.

    References
    ----------
    "Learning to Reason: Temporal Saliency Distillation for Interpretable Knowledge
    Transfer", ECAI 2025, doi 10.3233/FAIA251144.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.perturbations import OpposingClass
    >>> x, donor = torch.zeros(1, 1, 6), torch.ones(1, 1, 6)
    >>> OpposingClass().fill(x, torch.tensor([2]), 3, donor)
    tensor([[[0., 0., 1., 1., 1., 0.]]])
    """

    needs_labels: ClassVar[bool] = True

    def n_donors(self, y):
        """Count the series of other classes; see `Perturbation`."""
        return len(y) - _class_blocks(y)[3]

    def pick_donors(self, y, ranks):
        """Skip the block of the series' own class; see `Perturbation`."""
        order, _, first, size = _class_blocks(y)
        return order[torch.where(ranks < first[:, None], ranks, ranks + size[:, None])]


@dataclass(frozen=True)
class SameClass(_DonorWindow):
    """Fill a window from another training series of the same class (an ablation).

    A series that is alone in its class is its own donor, which leaves it unchanged.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.perturbations import SameClass
    >>> SameClass().n_donors(torch.tensor([0, 0, 0, 1]))
    tensor([2, 2, 2, 1])
    """

    needs_labels: ClassVar[bool] = True

    def n_donors(self, y):
        """Count the other series of the class, at least 1; see `Perturbation`."""
        return (_class_blocks(y)[3] - 1).clamp(min=1)

    def pick_donors(self, y, ranks):
        """Skip the series itself; see `Perturbation`."""
        order, position, first, size = _class_blocks(y)
        own = (position - first)[:, None]
        after_own = (ranks >= own) & (size > 1)[:, None]
        return order[first[:, None] + ranks + after_own]


@dataclass(frozen=True)
class AnyClass(_DonorWindow):
    """Fill a window from any other training series, whatever its class. Needs no labels.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.perturbations import AnyClass
    >>> y = torch.tensor([0, 1, 1])
    >>> AnyClass().pick_donors(y, torch.tensor([[0, 1], [0, 1], [0, 1]]))
    tensor([[1, 2],
            [0, 2],
            [0, 1]])
    """

    def n_donors(self, y):
        """Count all other series, at least 1; see `Perturbation`."""
        return torch.full_like(y, max(len(y) - 1, 1))

    def pick_donors(self, y, ranks):
        """Skip the series itself; see `Perturbation`."""
        own = torch.arange(len(y), device=y.device)[:, None]
        return ranks + ((ranks >= own) & (len(y) > 1))
