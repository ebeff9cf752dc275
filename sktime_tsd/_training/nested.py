"""Nested tuples of tensors, such as a batch."""

import torch

__all__ = ["map_tensors"]


def map_tensors(function, parts):
    """Apply a function to each tensor in nested tuples.

    Parameters
    ----------
    function : callable
        Takes a tensor.
    parts : torch.Tensor, tuple or None

    Returns
    -------
    mapped : as `parts`
        Tuples keep their type, and None stays None.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd._training.nested import map_tensors
    >>> map_tensors(lambda x: x + 1, (torch.tensor(1), None, (torch.tensor(2),)))
    (tensor(2), None, (tensor(3),))
    """
    if parts is None or isinstance(parts, torch.Tensor):
        return None if parts is None else function(parts)
    mapped = (map_tensors(function, part) for part in parts)
    return type(parts)(*mapped) if hasattr(parts, "_fields") else tuple(mapped)
