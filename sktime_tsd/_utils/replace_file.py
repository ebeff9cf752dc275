"""Put a finished file in the place of another, so that a crash leaves one of the two."""

import errno
import os
from contextlib import suppress

__all__ = ["keep_mode", "replace_file", "sync"]

# What some file systems say.
_FOLDERS_CANNOT_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.EBADF)


def replace_file(new, path):
    """Write `new` to the disk and let it take the place of `path`, with its mode and owner.

    Parameters
    ----------
    new : pathlib.Path
        A file of the same file system as `path`.
    path : pathlib.Path
        May be missing.
    """
    keep_mode(new, path)
    sync(new)
    os.replace(new, path)
    sync(path.parent)


def keep_mode(new, path):
    """Give a file the mode and, if we may, the owner of the one that it will replace.

    Parameters
    ----------
    new : pathlib.Path
    path : pathlib.Path
        If it is missing, nothing changes.
    """
    try:
        former = path.stat()
    except FileNotFoundError:
        return
    if hasattr(os, "chown"):
        with suppress(OSError):  # only root may give files away
            os.chown(new, former.st_uid, former.st_gid)
    os.chmod(new, former.st_mode & 0o7777)


def sync(path):
    """Wait until a file, or the entries of a folder, are on the disk.

    Parameters
    ----------
    path : pathlib.Path
    """
    is_folder = path.is_dir()
    if is_folder and os.name == "nt":  # Windows opens no folders
        return
    descriptor = os.open(path, os.O_RDONLY if is_folder else os.O_RDWR)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if not (is_folder and error.errno in _FOLDERS_CANNOT_SYNC):
            raise
    finally:
        os.close(descriptor)
