"""Read regular files only: a pipe would wait forever, a device never end."""

import os
import stat

__all__ = ["read_regular_file"]

_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def read_regular_file(path, *, at_most):
    """Read a file, if it is a regular one and not too large.

    Parameters
    ----------
    path : path-like
    at_most : int
        Bytes.

    Returns
    -------
    data : bytes

    Raises
    ------
    OSError
        If it cannot be read, is a folder, a pipe or a device, or has more bytes.
    """
    _check_regular(path, os.stat(path))  # opening a device may already do something
    with open(path, "rb", opener=lambda name, _: os.open(name, _FLAGS)) as file:
        found = os.fstat(file.fileno())
        _check_regular(path, found)  # another file may have taken its place
        if found.st_size > at_most:
            raise OSError(f"{path} is larger than {at_most:,} bytes.")
        return file.read(found.st_size)


def _check_regular(path, found):
    if not stat.S_ISREG(found.st_mode):
        kind = "a folder" if stat.S_ISDIR(found.st_mode) else "a pipe or a device"
        raise OSError(f"{path} is not a file but {kind}.")
