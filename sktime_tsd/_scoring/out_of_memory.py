"""Batches that shrink when the device runs out of memory."""

import warnings

import torch

__all__ = ["in_batches", "try_batch"]


def try_batch(function, batch_size):
    """Call a function and, if the device runs out of memory, halve the batch.

    Parameters
    ----------
    function : callable
        Takes no arguments.
    batch_size : int
        Size of the batch it works on.

    Returns
    -------
    result : object or None
        None if it ran out of memory.
    batch_size : int
        Size to try next: as given, or half of it.

    Raises
    ------
    torch.OutOfMemoryError
        If a batch of one does not fit. (A CPU that runs out of memory raises another error,
        if any, which is not caught.)

    Warns
    -----
    UserWarning
        If the batch was halved.
    """
    try:
        return function(), batch_size
    except torch.OutOfMemoryError:
        if batch_size == 1:
            raise
    # outside the handler, whose traceback would keep the memory in use
    torch.cuda.empty_cache()
    batch_size //= 2
    warnings.warn(
        f"Out of memory: the inference batch is halved to {batch_size}.",
        UserWarning,
        stacklevel=3,
    )
    return None, batch_size


def in_batches(function, n, batch_size):
    """Call a function on parts of ``range(n)`` and concatenate the results.

    Parameters
    ----------
    function : callable
        Takes a slice; returns a tensor with one row per index.
    n : int
        Number of indices.
    batch_size : int
        Maximum number of indices at a time; see `try_batch`.

    Returns
    -------
    result : torch.Tensor

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd._scoring.out_of_memory import in_batches
    >>> in_batches(lambda part: torch.arange(5)[part] ** 2, n=5, batch_size=2)
    tensor([ 0,  1,  4,  9, 16])
    """
    results, first = [], 0
    while first < n or not results:
        part = slice(first, first + batch_size)
        result, batch_size = try_batch(lambda part=part: function(part), batch_size)
        if result is not None:
            results.append(result)
            first = part.stop
    return torch.cat(results)
