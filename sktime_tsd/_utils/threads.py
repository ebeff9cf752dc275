"""Keep torch's number of threads while other libraries run."""

import contextlib

import torch

__all__ = ["keep_torch_threads"]


@contextlib.contextmanager
def keep_torch_threads():
    """Restore torch's number of threads on exit.

    numba's thread pool resets the number when it is first used. That makes small networks much
    slower, and repeated fits are no longer equal bit for bit.
    """
    n_threads = torch.get_num_threads()
    try:
        yield
    finally:
        if torch.get_num_threads() != n_threads:
            torch.set_num_threads(n_threads)
