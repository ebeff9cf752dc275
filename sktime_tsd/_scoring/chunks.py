"""Cuts series and their copies into chunks, and puts chunks together to calls of a classifier."""

import math
from dataclasses import dataclass

import torch

__all__ = ["Chunk", "call_size", "chunks_of", "grouped", "indices", "series_of"]

# Values in one call: limits the memory, whatever the bank's size.
_VALUES_PER_CALL = 2**22
_LEAST_CALL = 256
_PROGRESS_STEPS = 50

# Series in one chunk: few enough for short calls, many enough for few files in a cache.
_SERIES_PER_CHUNK = 1024


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some neighbouring series of a training set, or one perturbed copy of each.

    Parameters
    ----------
    first, stop : int
        The series ``X[first:stop]``.
    entry : int or None
        Entry of the bank that perturbs them; None for the series themselves.
    """

    first: int
    stop: int
    entry: int | None = None

    @property
    def n_series(self):
        """How many series it has."""
        return self.stop - self.first


def call_size(X, n_series):
    """Choose how many series to score at a time: few enough for memory and a steady progress bar.

    Parameters
    ----------
    X : torch.Tensor of shape (n_instances, n_channels, n_timepoints)
    n_series : int
        How many will be scored in all.

    Returns
    -------
    n : int
    """
    steady = max(_LEAST_CALL, math.ceil(n_series / _PROGRESS_STEPS))
    return min(steady, max(1, _VALUES_PER_CALL // X[0].numel()))


def chunks_of(X, n_entries, batch_size=None):
    """Cut series and their copies into chunks: the series first, then entry after entry.

    A chunk has copies of one entry only, so the chunks of a small bank are among those of a
    larger one.

    Parameters
    ----------
    X : torch.Tensor of shape (n_instances, n_channels, n_timepoints)
    n_entries : int
        Copies of each series.
    batch_size : int, optional
        Most series per chunk. Default: chosen from the size of the series.

    Returns
    -------
    chunks : list of Chunk

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd._scoring.chunks import chunks_of
    >>> chunks = chunks_of(torch.zeros(5, 1, 24), n_entries=1, batch_size=3)
    >>> [(chunk.first, chunk.stop, chunk.entry) for chunk in chunks]
    [(0, 3, None), (3, 5, None), (0, 3, 0), (3, 5, 0)]
    """
    size = batch_size or min(_SERIES_PER_CHUNK, max(1, _VALUES_PER_CALL // X[0].numel()))
    return [
        Chunk(first, min(first + size, len(X)), entry)
        for entry in (None, *range(n_entries))
        for first in range(0, len(X), size)
    ]


def grouped(chunks, size):
    """Put neighbouring chunks together to calls: series apart from copies.

    Parameters
    ----------
    chunks : list of Chunk
    size : int
        Most series per call, unless a single chunk has more.

    Returns
    -------
    calls : list of list of Chunk
    """
    calls, n_series = [], 0
    for chunk in chunks:
        full = n_series + chunk.n_series > size
        if not calls or full or (calls[-1][-1].entry is None) != (chunk.entry is None):
            calls.append([])
            n_series = 0
        calls[-1].append(chunk)
        n_series += chunk.n_series
    return calls


def series_of(call, X, bank):
    """Return the series of a call, perturbed where its chunks say so.

    Parameters
    ----------
    call : list of Chunk
    X : torch.Tensor of shape (n_instances, n_channels, n_timepoints)
    bank : WindowBank or None
        Drawn for `X`.

    Returns
    -------
    series : torch.Tensor of shape (n_series, n_channels, n_timepoints)
    """
    parts = [
        X[chunk.first : chunk.stop]
        if chunk.entry is None
        else bank.perturb(X, *indices(chunk)).squeeze(1)
        for chunk in call
    ]
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def indices(chunk):
    """Return the series and the entry of a chunk of copies, as a bank takes them.

    Parameters
    ----------
    chunk : Chunk

    Returns
    -------
    series, entries : slice
    """
    return slice(chunk.first, chunk.stop), slice(chunk.entry, chunk.entry + 1)
