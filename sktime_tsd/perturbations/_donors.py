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
        """Give the donors' windows as they are; see `Perturbation.filler`."""
        return donor_windows


def _class_blocks(y):
    """Sort series by class: the order, and each series' block in it.

    Returns
    -------
    order : (n,) series, class by class; position : (n,) place of each series in it;
    first : (n,) where the block of its class begins; size : (n,) of that block
    """
    order = torch.argsort(y, stable=True)
    position = torch.empty_like(order)
    position[order] = torch.arange(len(y), device=y.device)
    counts = torch.bincount(y)
    return order, position, (counts.cumsum(0) - counts)[y], counts[y]


@dataclass(frozen=True)
class OpposingClass(_DonorWindow):
    """Fill a window from a training series of a different class (the paper's choice).

    Every series of another class is equally likely as donor.

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
        """Step over the block of the series' own class; see `Perturbation`."""
        order, _, first, size = _class_blocks(y)
        return order[torch.where(ranks < first[:, None], ranks, ranks + size[:, None])]


@dataclass(frozen=True)
class SameClass(_DonorWindow):
    """Fill a window from another training series of the same class (an ablation).

    A series that is alone in its class is its own donor: it stays as it is.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.perturbations import SameClass
    >>> SameClass().n_donors(torch.tensor([0, 0, 0, 1]))
    tensor([2, 2, 2, 1])
    """

    needs_labels: ClassVar[bool] = True

    def n_donors(self, y):
        """Count the other series of the class, or the series itself; see `Perturbation`."""
        return (_class_blocks(y)[3] - 1).clamp(min=1)

    def pick_donors(self, y, ranks):
        """Step over the series itself; see `Perturbation`."""
        order, position, first, size = _class_blocks(y)
        own = (position - first)[:, None]
        after_own = (ranks >= own) & (size > 1)[:, None]
        return order[first[:, None] + ranks + after_own]


@dataclass(frozen=True)
class AnyClass(_DonorWindow):
    """Fill a window from any other series, whatever its class; needs no labels.

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
        """Count all other series, or the series itself if it is alone."""
        return torch.full_like(y, max(len(y) - 1, 1))

    def pick_donors(self, y, ranks):
        """Step over the series itself; see `Perturbation`."""
        own = torch.arange(len(y), device=y.device)[:, None]
        return ranks + ((ranks >= own) & (len(y) > 1))
