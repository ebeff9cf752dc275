"""Locks on folders. They end with the process that holds them."""

import os
from contextlib import contextmanager

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

__all__ = ["locked"]


@contextmanager
def locked(folder, *, wait=True):
    """Hold the lock of a folder.

    Where there are no locks (Windows, some network file systems), nobody is kept out.

    Parameters
    ----------
    folder : pathlib.Path
    wait : bool, default=True
        Whether to wait while another holds it.

    Yields
    ------
    is_free : bool
        False if another holds it, or there are no locks.
    """
    if fcntl is None:
        yield False
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            is_free = True
        except OSError:
            is_free = False
        yield is_free
    finally:
        if is_free:
            fcntl.flock(descriptor, fcntl.LOCK_UN)  # a forked child may hold a copy
        os.close(descriptor)
