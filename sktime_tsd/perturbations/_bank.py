"""Window bank: the windows and donors drawn for a training set, and their perturbed copies."""

from dataclasses import dataclass, replace

import torch

from sktime_tsd._utils.windows import replace_window
from sktime_tsd.perturbations._base import Perturbation

__all__ = ["WindowBank"]

# Up to this many (window, donor) pairs per series are shuffled, so none repeats. More are drawn
# with replacement, which takes less time and memory.
_FEW_PAIRS = 1024

# Pairs drawn at a time; bounds the memory needed in addition to the bank's.
_PAIRS_AT_ONCE = 2**22


@dataclass(frozen=True)
class WindowBank:
    """Which windows of each series are perturbed, and with which donors.

    A bank holds a few integers per perturbed copy, never the copies themselves. Create one
    with `draw`.

    Parameters
    ----------
    perturbation : Perturbation
        Supplies the values that fill the windows.
    width : int
        Time points per window.
    starts : torch.Tensor of shape (n_instances, n_entries), int32
        First time point of each window.
    donors : torch.Tensor of shape (n_instances, n_entries), int32, or None
        Indices into `pool`; None if the perturbation needs no donors.
    pool : torch.Tensor of shape (n_pool, n_channels, n_timepoints) or None
        The series that donors are taken from; None if `donors` is None.

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
        """Draw windows and donors uniformly at random for every series.

        All windows can be drawn, including the first and the last. No series has more entries
        than the largest number of distinct (window, donor) pairs of any series. If that is at
        most 1,024, no pair repeats unless a series has fewer of them than entries.

        A bank with more entries begins with those of a smaller one from a generator in the same
        state.

        Parameters
        ----------
        X : torch.Tensor of shape (n_instances, n_channels, n_timepoints)
        y : torch.Tensor of shape (n_instances,), int64
            Class indices ``0 .. n_classes - 1``.
        perturbation : Perturbation
        width : int
            Time points per window, in ``[1, n_timepoints]``.
        n_entries : int
            Requested entries per series.
        generator : torch.Generator
            On the CPU. The only source of randomness.

        Returns
        -------
        bank : WindowBank
            With ``min(n_entries, most_entries(...))`` entries per series.
        """
        n_starts = X.shape[2] - width + 1
        n_pairs = n_starts * perturbation.n_donors(y)  # (n_instances,)
        most_pairs = int(n_pairs.max())
        n_entries = min(n_entries, most_pairs)
        shape = len(y), n_entries
        starts = torch.empty(shape, dtype=torch.int32)
        donors = torch.empty(shape, dtype=torch.int32) if perturbation.needs_donors else None
        # first, so that it does not depend on the number of entries
        pool = perturbation.pool(X, generator) if perturbation.needs_donors else None
        for entries, pairs in _draw_pairs(n_pairs, most_pairs, n_entries, generator):
            starts[:, entries] = (pairs % n_starts).int()
            if donors is not None:
                donors[:, entries] = perturbation.pick_donors(y, pairs // n_starts).int()
        return cls(perturbation, width, starts, donors, pool)

    @staticmethod
    def most_entries(X, y, perturbation, width):
        """Count the distinct (window, donor) pairs of the series that has the most.

        Parameters
        ----------
        X, y, perturbation, width
            See `draw`.

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
        """Return windows of some series, and the values that fill them.

        Parameters
        ----------
        X : torch.Tensor of shape (n_instances, n_channels, n_timepoints)
            The training set that the bank was drawn for.
        series : slice or torch.Tensor of shape (n,), int64
            Indices of the series. A slice is faster, if `entries` is one, too.
        entries : slice or torch.Tensor of shape (k,) or (n, k), int64
            Entries of the bank: the same for all these series, or one row per series.

        Returns
        -------
        starts : torch.Tensor of shape (n, k), int64
            First time point of each window.
        fillers : torch.Tensor of shape (n, k, n_channels, width)
            Values that fill the windows.

        Raises
        ------
        ValueError
            If the perturbation's `filler` does not return such values.
        """
        chosen = self._chosen(series, entries)
        starts = self.starts[chosen].long()  # (n, k)
        donor_windows = None
        if self.donors is not None:
            # whole windows are copied faster than values, one by one
            all_windows = self.pool.unfold(2, self.width, 1).transpose(1, 2)
            # (n_pool, n_starts, n_channels, width) -> (n, k, n_channels, width)
            donor_windows = all_windows[self.donors[chosen].long(), starts]
        x = X[series].unsqueeze(1).expand(-1, starts.shape[1], -1, -1)
        fillers = self.perturbation.filler(x, starts, self.width, donor_windows)
        expected = (*starts.shape, X.shape[1], self.width)
        shape = tuple(fillers.shape) if isinstance(fillers, torch.Tensor) else None
        if shape != expected:
            raise ValueError(
                f"filler of {type(self.perturbation).__name__} must give a tensor of shape "
                f"{expected} (n, n_windows, n_channels, width), got "
                f"{shape or type(fillers).__name__}."
            )
        return starts, fillers.to(X.dtype)

    def _chosen(self, series, entries):
        """Index of the entries of some series, in tables of shape (n_instances, n_entries)."""
        if isinstance(series, slice) and isinstance(entries, slice):
            return series, entries
        device = self.starts.device
        series, entries = (
            torch.arange(size, device=device)[part] if isinstance(part, slice) else part
            for part, size in zip((series, entries), self.starts.shape, strict=True)
        )
        return series[:, None], entries

    def perturb(self, X, series, entries):
        """Return perturbed copies of some series.

        Parameters
        ----------
        X, series, entries
            See `windows`.

        Returns
        -------
        x_perturbed : torch.Tensor of shape (n, k, n_channels, n_timepoints)
        """
        starts, fillers = self.windows(X, series, entries)
        x = X[series].unsqueeze(1).expand(-1, starts.shape[1], -1, -1)
        return replace_window(x, starts, fillers)


def _draw_pairs(n_pairs, most_pairs, n_entries, generator):
    """Draw numbered (window, donor) pairs, and yield some entries of all series at a time.

    Yields
    ------
    entries : slice
    pairs : torch.Tensor of shape (n_instances, n_entries of the slice), int64
        ``pairs[i]`` is in ``[0, n_pairs[i])``.
    """
    n = len(n_pairs)
    if most_pairs > _FEW_PAIRS:
        at_once = max(1, _PAIRS_AT_ONCE // n)
        for first in range(0, n_entries, at_once):
            width = min(at_once, n_entries - first)
            # entry after entry, so that further entries do not change these;
            # float64 has enough digits to reach every pair of any training set
            uniform = torch.rand(width, n, generator=generator, dtype=torch.float64).T
            yield slice(first, first + width), (uniform * n_pairs[:, None]).long()
        return
    pairs = torch.empty(n, n_entries, dtype=torch.int64)
    at_once = max(1, _PAIRS_AT_ONCE // most_pairs)
    for some, of_some in zip(pairs.split(at_once), n_pairs.split(at_once), strict=True):
        keys = torch.rand(len(some), most_pairs, generator=generator)
        keys[torch.arange(most_pairs) >= of_some[:, None]] = 2.0  # no such pair: sort it last
        turn = torch.arange(n_entries) % of_some[:, None]
        torch.gather(keys.argsort(dim=1), 1, turn, out=some)
    yield slice(0, n_entries), pairs
