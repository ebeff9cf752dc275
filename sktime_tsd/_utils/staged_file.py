"""Write a file all at once: until it is whole, the former one stays."""

import re
import shutil
from contextlib import contextmanager, suppress
from uuid import uuid4

from sktime_tsd._utils.lock import locked
from sktime_tsd._utils.replace_file import replace_file

__all__ = ["staged_file"]

# Not the prefix of model folders' staging folders, which `save_model` sweeps.
_PREFIX = ".sktime_tsd_file-"


@contextmanager
def staged_file(path):
    """Yield the path of a new file that takes the place of `path` if the block succeeds.

    It keeps the former file's mode. What a killed writer of `path` has left is removed.

    Parameters
    ----------
    path : pathlib.Path

    Yields
    ------
    new : pathlib.Path
        Of the same name, in a folder beside `path` that is removed afterwards.
    """
    _sweep(path)
    folder = path.with_name(f"{_PREFIX}{path.name}-{uuid4().hex}")
    folder.mkdir(mode=0o700)
    with locked(folder):
        try:
            yield folder / path.name
            replace_file(folder / path.name, path)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _sweep(path):
    ours = re.compile(re.escape(f"{_PREFIX}{path.name}-") + "[0-9a-f]{32}")
    for left in path.parent.iterdir():
        if ours.fullmatch(left.name):
            with suppress(OSError), locked(left, wait=False) as is_free:
                if is_free:  # its writer is dead
                    shutil.rmtree(left)
