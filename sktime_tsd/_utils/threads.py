"""The number of torch's threads, kept while foreign code runs."""

import contextlib

import torch

__all__ = ["keep_torch_threads"]


@contextlib.contextmanager
def keep_torch_threads():
    """Restore torch's number of threads after.

    numba's thread pool resets it at first use, which makes small networks slower by far
    and ends the bit for bit equality of fits.
    """
    n_threads = torch.get_num_threads()
    try:
        yield
    finally:
        if torch.get_num_threads() != n_threads:
            torch.set_num_threads(n_threads)
