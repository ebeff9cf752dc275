"""Enumerates perturbed copies of series, one batch at a time."""

from dataclasses import dataclass

import numpy as np
import torch
from tqdm.auto import tqdm

from sktime_tsd._utils.validation import check_number

__all__ = ["CopyBatch", "batches_of_copies", "most_at_once"]


def most_at_once(batch_size):
    """Check a ``batch_size`` parameter and limit it to what torch accepts.

    Parameters
    ----------
    batch_size : int

    Returns
    -------
    batch_size : int

    Raises
    ------
    ValueError, TypeError
        If `batch_size` is not a positive integer.
    """
    check_number("batch_size", batch_size, integer=True, low=1)
    return int(min(batch_size, 2**31 - 1))


@dataclass(frozen=True)
class CopyBatch:
    """The copies in a batch. All arrays have shape (n,).

    Parameters
    ----------
    series : numpy.ndarray, int
        Index of the copy's series; ascending.
    entry : numpy.ndarray, int
        Index of the perturbation of that series.
    donor : numpy.ndarray, int
        Index of the donor of that perturbation.
    n_entries : int
        Perturbations per series.
    """

    series: np.ndarray
    entry: np.ndarray
    donor: np.ndarray
    n_entries: int

    def originals(self, X, device):
        """Copy the unperturbed series of the batch to a device.

        Parameters
        ----------
        X : torch.Tensor of shape (n_instances, n_channels, n_timepoints)
        device : torch.device

        Returns
        -------
        x : torch.Tensor of shape (n, n_channels, n_timepoints)
        """
        first = self.series[0]
        x = X[first : self.series[-1] + 1].to(device)  # each series moves once
        return x[torch.from_numpy(self.series - first)]

    def add_over_donors(self, totals, values):
        """Add to each perturbation's total the values of its donors.

        Parameters
        ----------
        totals : numpy.ndarray of shape (n_instances * n_entries, ...)
            Changed in place.
        values : numpy.ndarray of shape (n, ...)
        """
        place = self.series * self.n_entries + self.entry
        first = np.flatnonzero(np.diff(place, prepend=-1))
        totals[place[first]] += np.add.reduceat(values, first)


def batches_of_copies(n_instances, n_entries, n_donors, *, batch_size, description, verbose):
    """Yield all copies in batches: series by series, the donors of a perturbation together.

    Parameters
    ----------
    n_instances, n_entries, n_donors : int
        Series; perturbations per series; donors per perturbation.
    batch_size : int
        Maximum number of copies per batch.
    description : str
        Name of the progress bar.
    verbose : int
        1 shows the progress bar.

    Yields
    ------
    batch : CopyBatch
    """
    shape = (n_instances, n_entries, n_donors)
    total = n_instances * n_entries * n_donors
    bar = {"desc": description, "unit": "series", "leave": False}  # a report draws dozens
    with tqdm(total=total, disable=not verbose, **bar) as progress:
        for first in range(0, total, batch_size):
            number = np.arange(first, min(first + batch_size, total))
            yield CopyBatch(*np.unravel_index(number, shape), n_entries)
            progress.update(len(number))
