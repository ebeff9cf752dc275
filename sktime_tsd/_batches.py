"""Work in batches that become smaller where the memory does not suffice."""

import warnings

import torch

__all__ = ["in_batches"]


def in_batches(function, n, batch_size):
    """Concatenate what a function returns for parts of ``range(n)``.

    Where it runs out of memory, the batch is halved, and stays so.

    Parameters
    ----------
    function : callable
        Takes a slice, returns a tensor or a tuple of tensors with one row for each place.
    n : int
    batch_size : int
        Most places at a time.

    Returns
    -------
    result : torch.Tensor or tuple of torch.Tensor

    Raises
    ------
    torch.OutOfMemoryError
        If there is too little memory for a single one.

    Warns
    -----
    UserWarning
        If a batch was halved.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd._batches import in_batches
    >>> in_batches(lambda part: torch.arange(5)[part] ** 2, n=5, batch_size=2)
    tensor([ 0,  1,  4,  9, 16])
    """
    results, first = [], 0
    while first < n or not results:
        result = _unless_out_of_memory(function, slice(first, first + batch_size), batch_size)
        if result is not None:
            results.append(result)
            first += batch_size
            continue
        # outside of the handler, whose traceback would keep the memory in use
        torch.cuda.empty_cache()
        batch_size //= 2
        warnings.warn(
            f"Out of memory: the batch of inference is halved to {batch_size}.",
            UserWarning,
            stacklevel=3,
        )
    if isinstance(results[0], tuple):
        return tuple(map(torch.cat, zip(*results, strict=True)))
    return torch.cat(results)


def _unless_out_of_memory(function, part, batch_size):
    try:
        return function(part)
    except torch.OutOfMemoryError:
        if batch_size == 1:
            raise
        return None
