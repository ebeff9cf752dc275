"""The windows and donors of a training set, drawn once."""

from dataclasses import dataclass, replace

import torch

from sktime_tsd._utils.windows import replace_window
from sktime_tsd.perturbations._base import Perturbation

__all__ = ["WindowBank"]

# Below this many (window, donor) pairs per bank entry, pairs are drawn without
# repetition; above it repetitions are rare, and a draw need not know all pairs.
_FEW_PAIRS = 4

# Pairs drawn at a time: bounds the memory beside that of the bank.
_PAIRS_AT_ONCE = 2**22


@dataclass(frozen=True)
class WindowBank:
    """Which windows of each series are perturbed, and with which donors.

    Holds a few integers per perturbed copy, never the copies themselves. Make one
    with `draw`.

    Parameters
    ----------
    perturbation : Perturbation
    width : int
        Time points per window.
    starts : torch.Tensor of shape (n_instances, n_entries), int32
        First time point of each window.
    donors : torch.Tensor of shape (n_instances, n_entries), int32, or None
        Indices into `pool`; None where the perturbation needs no donors.
    pool : torch.Tensor of shape (n_pool, n_channels, n_timepoints) or None
        The donors' series; None together with `donors`.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.perturbations import OpposingClass, WindowBank
    >>> X, y = torch.randn(4, 1, 20), torch.tensor([0, 0, 1, 1])
    >>> bank = WindowBank.draw(
    ...     X, y, OpposingClass(), width=5, n_entries=8, generator=torch.Generator()
    ... )
    >>> bank.starts.shape
    torch.Size([4, 8])
    >>> bank.perturb(X, torch.arange(4), slice(0, 3)).shape
    torch.Size([4, 3, 1, 20])
    """

    perturbation: Perturbation
    width: int
    starts: torch.Tensor
    donors: torch.Tensor | None
    pool: torch.Tensor | None

    @classmethod
    def draw(cls, X, y, perturbation, *, width, n_entries, generator):
        """Draw windows and donors uniformly for every series.

        Both the first and the last possible window can be drawn. A series has at most
        as many entries as it has different pairs of window and donor; where a class has
        fewer than another, its pairs are used again.

        Parameters
        ----------
        X : torch.Tensor of shape (n_instances, n_channels, n_timepoints)
        y : torch.Tensor of shape (n_instances,), int64
            Class indices ``0 .. n_classes - 1``.
        perturbation : Perturbation
        width : int
            Time points per window, in ``[1, n_timepoints]``.
        n_entries : int
            Entries per series wanted.
        generator : torch.Generator
            On the CPU; the only source of randomness.

        Returns
        -------
        bank : WindowBank
            With ``min(n_entries, most pairs of any series)`` entries per series.
        """
        n_starts = X.shape[2] - width + 1
        n_pairs = n_starts * perturbation.n_donors(y)  # (n_instances,)
        most_pairs = int(n_pairs.max())
        n_entries = min(n_entries, most_pairs)
        shape = len(y), n_entries
        starts = torch.empty(shape, dtype=torch.int32)
        donors = torch.empty(shape, dtype=torch.int32) if perturbation.needs_donors else None
        for entries, pairs in _draw_pairs(n_pairs, most_pairs, n_entries, generator):
            starts[:, entries] = (pairs % n_starts).int()
            if donors is not None:
                donors[:, entries] = perturbation.pick_donors(y, pairs // n_starts).int()
        pool = perturbation.pool(X, generator) if perturbation.needs_donors else None
        return cls(perturbation, width, starts, donors, pool)

    @staticmethod
    def most_entries(X, y, perturbation, width):
        """Count the different pairs of window and donor of the series that has most.

        Parameters
        ----------
        X, y, perturbation, width
            As for `draw`.

        Returns
        -------
        most_entries : int
        """
        return (X.shape[2] - width + 1) * int(perturbation.n_donors(y).max())

    @property
    def n_entries(self):
        """Entries per series."""
        return self.starts.shape[1]

    def to(self, device):
        """Move the bank's tensors to a device.

        Parameters
        ----------
        device : torch.device

        Returns
        -------
        bank : WindowBank
        """
        if self.donors is None:
            return replace(self, starts=self.starts.to(device))
        return replace(
            self,
            starts=self.starts.to(device),
            donors=self.donors.to(device),
            pool=self.pool.to(device),
        )

    def windows(self, X, series, entries):
        """Windows of some series, and what fills them.

        Parameters
        ----------
        X : torch.Tensor of shape (n_instances, n_channels, n_timepoints)
            The set the bank was drawn for.
        series : torch.Tensor of shape (n,), int64
            Which series.
        entries : slice or torch.Tensor of shape (k,) or (n, k), int64
            Which entries of the bank: the same for each of these series, or each its own.

        Returns
        -------
        starts : torch.Tensor of shape (n, k), int64
            First time point of each window.
        fillers : torch.Tensor of shape (n, k, n_channels, width)
            Values that fill it.
        """
        if isinstance(entries, slice):
            entries = torch.arange(self.n_entries, device=series.device)[entries]
        chosen = series[:, None], entries
        starts = self.starts[chosen].long()  # (n, k)
        donor_windows = None
        if self.donors is not None:
            points = starts[..., None] + torch.arange(self.width, device=starts.device)
            donor_windows = self.pool.transpose(1, 2)[
                self.donors[chosen].long()[..., None], points
            ].transpose(2, 3)  # (n, k, n_channels, width)
        x = X[series].unsqueeze(1).expand(-1, starts.shape[1], -1, -1)
        fillers = self.perturbation.filler(x, starts, self.width, donor_windows)
        expected = (*starts.shape, X.shape[1], self.width)
        shape = tuple(fillers.shape) if isinstance(fillers, torch.Tensor) else None
        if shape != expected:
            raise ValueError(
                f"filler of {type(self.perturbation).__name__} must give a tensor of shape "
                f"{expected}, got {shape or type(fillers).__name__}."
            )
        return starts, fillers.to(X.dtype)

    def perturb(self, X, series, entries):
        """Perturbed copies of some series.

        Parameters
        ----------
        X, series, entries
            As for `windows`.

        Returns
        -------
        x_perturbed : torch.Tensor of shape (n, k, n_channels, n_timepoints)
        """
        starts, fillers = self.windows(X, series, entries)
        x = X[series].unsqueeze(1).expand(-1, starts.shape[1], -1, -1)
        return replace_window(x, starts, fillers)


def _draw_pairs(n_pairs, most_pairs, n_entries, generator):
    """Yield pairs of window and donor, numbered, for some entries of all series at a time.

    Yields
    ------
    entries : slice
    pairs : torch.Tensor of shape (n_instances, n_entries of the slice), int64
        ``pairs[i]`` lie in ``[0, n_pairs[i])``.
    """
    n = len(n_pairs)
    if most_pairs > _FEW_PAIRS * n_entries:
        at_once = max(1, _PAIRS_AT_ONCE // n)
        for first in range(0, n_entries, at_once):
            width = min(at_once, n_entries - first)
            # float64 spans far more pairs than any training set has
            uniform = torch.rand(n, width, generator=generator, dtype=torch.float64)
            yield slice(first, first + width), (uniform * n_pairs[:, None]).long()
        return
    pairs = torch.empty(n, n_entries, dtype=torch.int64)
    at_once = max(1, _PAIRS_AT_ONCE // most_pairs)
    for some, of_some in zip(pairs.split(at_once), n_pairs.split(at_once), strict=True):
        keys = torch.rand(len(some), most_pairs, generator=generator)
        keys[torch.arange(most_pairs) >= of_some[:, None]] = 2.0  # no such pair: last
        turn = torch.arange(n_entries) % of_some[:, None]
        torch.gather(keys.argsort(dim=1), 1, turn, out=some)
    yield slice(0, n_entries), pairs
