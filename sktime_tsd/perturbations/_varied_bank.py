"""A bank whose entries take turns among several perturbations and widths of windows."""

from dataclasses import dataclass
from itertools import product

import torch

from sktime_tsd._utils.windows import cut_window, replace_window
from sktime_tsd.perturbations._bank import WindowBank

__all__ = ["VariedBank"]


@dataclass(frozen=True)
class VariedBank(WindowBank):
    """Windows of several widths, filled by several perturbations in turn.

    Entry e belongs to part ``e % n_parts``, a perturbation with a width. All windows are given in
    frames of the largest width, whose values outside the window are those of the series, so that
    a varied bank is scored and learned from as any other. Create one with `draw_varied`.

    Parameters
    ----------
    perturbation : None
    width : int
        The largest width, that of the frames.
    starts : torch.Tensor of shape (n_instances, n_entries), int32
        First time point of each window (not of its frame).
    donors : torch.Tensor of shape (n_instances, n_entries), int32, or None
        Indices into `pool`; 0 where an entry needs no donor; None if no entry does.
    pool : torch.Tensor of shape (n_pool, n_channels, n_timepoints) or None
        The series of the parts' own pools.
    parts : tuple of tuple (Perturbation, int)
        Perturbation and width of each part.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.perturbations import OpposingClass, SeriesMean, VariedBank
    >>> X, y = torch.randn(4, 1, 20), torch.tensor([0, 0, 1, 1])
    >>> bank = VariedBank.draw_varied(
    ...     X, y, [OpposingClass(), SeriesMean()], widths=[2, 5], n_entries=8,
    ...     generator=torch.Generator(),
    ... )
    >>> [part[1] for part in bank.parts], bank.width
    ([2, 2, 5, 5], 5)
    >>> bank.perturb(X, torch.arange(4), slice(0, 3)).shape
    torch.Size([4, 3, 1, 20])
    """

    parts: tuple

    @classmethod
    def draw_varied(cls, X, y, perturbations, *, widths, n_entries, generator):
        """Draw windows and donors uniformly at random for every series, part by part.

        A bank with more entries begins with those of a smaller one from a generator in the same
        state. A part repeats its pairs of window and donor where it has fewer than entries.

        Parameters
        ----------
        X : torch.Tensor of shape (n_instances, n_channels, n_timepoints)
        y : torch.Tensor of shape (n_instances,), int64
            Class indices ``0 .. n_classes - 1``.
        perturbations : sequence of Perturbation
            One named twice gets twice the entries.
        widths : sequence of int
            Time points per window, each in ``[1, n_timepoints]``. All perturbations take turns
            before the next width.
        n_entries : int
        generator : torch.Generator
            On the CPU. The only source of randomness.

        Returns
        -------
        bank : VariedBank
        """
        parts = tuple(
            (perturbation, width) for width, perturbation in product(widths, perturbations)
        )
        # a seed each, so that the number of entries of one part does not change the others
        seeds = torch.randint(2**31, (len(parts),), generator=generator).tolist()
        starts = torch.zeros(len(y), n_entries, dtype=torch.int32)
        donors, pools = torch.zeros_like(starts), []
        for number, ((perturbation, width), seed) in enumerate(zip(parts, seeds, strict=True)):
            entries = torch.arange(number, n_entries, len(parts))
            bank = WindowBank.draw(
                X,
                y,
                perturbation,
                width=width,
                n_entries=max(1, len(entries)),
                generator=torch.Generator().manual_seed(seed),
            )
            turn = torch.arange(len(entries)) % bank.n_entries
            starts[:, entries] = bank.starts[:, turn]
            if bank.donors is not None:
                donors[:, entries] = bank.donors[:, turn] + _place(bank.pool, pools)
        if not pools:
            return cls(None, max(widths), starts, None, None, parts)
        pool = pools[0] if len(pools) == 1 else torch.cat(pools)
        return cls(None, max(widths), starts, donors, pool, parts)

    def windows(self, X, series, entries):
        """Return the frames around some windows, and their values; see `WindowBank.windows`."""
        chosen = self._chosen(series, entries)
        starts = self.starts[chosen].long()  # (n, k)
        part_of_entry = torch.arange(self.n_entries, device=starts.device) % len(self.parts)
        part = part_of_entry[entries].expand_as(starts)
        x = X[series].unsqueeze(1).expand(-1, starts.shape[1], -1, -1)
        first = starts.clamp(max=X.shape[2] - self.width)  # of the frames
        frames = cut_window(x, first, self.width)
        for number, (perturbation, width) in enumerate(self.parts):
            # entries of other parts are filled as well, and not used
            at = starts.clamp(max=X.shape[2] - width)
            donors = None
            if perturbation.needs_donors:
                donors = self.pool.unfold(2, width, 1).transpose(1, 2)[
                    self.donors[chosen].long(), at
                ]
            filler = perturbation.filler(x, at, width, donors)
            offset = (at - first).clamp(0, self.width - width)
            filled = replace_window(frames, offset, filler.to(X.dtype))
            frames = torch.where((part == number)[..., None, None], filled, frames)
        return first, frames


def _place(pool, pools):
    """Find a pool among others, or append it; return the index of its first series."""
    first = 0
    for known in pools:
        if known is pool:
            return first
        first += len(known)
    pools.append(pool)
    return first
