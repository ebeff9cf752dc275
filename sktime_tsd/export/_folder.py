"""Replace the model in a folder: every reader finds the old one or the new one, after a crash too.

No rename replaces several files at once, and the folder itself must stay, since it may be a mount
point or a shell's current directory. So one file decides: config.json, which names its weights by
their digest. New weights first wait beside the old ones, under a name made of their digest. Then
config.json is replaced, in one step; from here on, readers find the new model. Then the new
weights take the name model.safetensors. Between these steps the disk catches up. Readers look for
waiting weights first; if they find neither, another model was saved, and they start again.
"""

import os
import re
import shutil
from contextlib import contextmanager, suppress
from uuid import uuid4

from sktime_tsd._utils.lock import locked
from sktime_tsd._utils.replace_file import keep_mode, sync
from sktime_tsd.export._config import read_config, sha256
from sktime_tsd.export._read_folder import CONFIG, WEIGHTS, waiting_name
from sktime_tsd.runtime._model_files import ModelFileError

__all__ = ["CARD", "staging_folder"]

CARD = "README.md"

_FILES = (WEIGHTS, CONFIG, CARD)

# Prefix of the staging folders, which hold the new files until all are written and checked.
_STAGING = ".sktime_tsd-"

_LEFTOVER = re.compile(rf"{re.escape(_STAGING)}.*|{waiting_name('[0-9a-f]{64}')}", re.DOTALL)


@contextmanager
def staging_folder(folder, *, overwrite):
    """Yield an empty folder whose files replace those of `folder` if the block succeeds.

    What a killed writer has left in `folder` is removed.

    Parameters
    ----------
    folder : pathlib.Path
    overwrite : bool
        Whether to replace a model that is already there.

    Yields
    ------
    new : pathlib.Path
        The staging folder, inside `folder`.

    Raises
    ------
    OSError
        If `folder` cannot be used. The message says why.
    """
    _check_place(folder, overwrite=overwrite)
    is_new = not folder.exists()
    folder.mkdir(exist_ok=True)
    with locked(folder):
        _check_place(folder, overwrite=overwrite)  # another writer may have come first
        _sweep(folder)
        new = folder / f"{_STAGING}{uuid4().hex}"
        try:
            new.mkdir(mode=0o700)
            yield new
            _commit(new, folder)
        except BaseException:
            with suppress(OSError):
                _sweep(folder)
                if is_new:
                    folder.rmdir()
            raise
        shutil.rmtree(new, ignore_errors=True)
    if is_new:
        sync(folder.absolute().parent)


def _commit(new, folder):
    waiting = folder / waiting_name(sha256((new / WEIGHTS).read_bytes()))
    for name in _FILES:
        keep_mode(new / name, folder / name)
        sync(new / name)
    os.replace(new / WEIGHTS, waiting)
    sync(folder)
    os.replace(new / CONFIG, folder / CONFIG)  # the one step that decides
    sync(folder)
    os.replace(waiting, folder / WEIGHTS)
    os.replace(new / CARD, folder / CARD)
    sync(folder)


def _sweep(folder):
    """Finish what a killed writer had decided, and remove the rest of what it left."""
    try:
        digest = read_config((folder / CONFIG).read_bytes())["weights"]["sha256"]
    except (FileNotFoundError, ModelFileError):
        pass
    else:
        waiting = waiting_name(digest)
        if _LEFTOVER.fullmatch(waiting) and (folder / waiting).is_file():
            os.replace(folder / waiting, folder / WEIGHTS)
            sync(folder)
    for path in list(folder.iterdir()):
        if _LEFTOVER.fullmatch(path.name):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


def _check_place(folder, *, overwrite):
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(f"{folder} is a file. Pass the path of a folder.")
    names = {path.name for path in folder.iterdir()} if folder.exists() else set()
    found = {name for name in names if not _LEFTOVER.fullmatch(name)}
    if found and not overwrite:
        raise FileExistsError(f"{folder} is not empty; pass overwrite=True to replace it.")
    others = found - set(_FILES)
    others |= {name for name in found if not (folder / name).is_file()}
    # version 0.1.0, when killed, left a model without config.json beside a staging folder
    was_killed = found < names and CONFIG not in found
    if found and not others and not was_killed:
        try:  # other libraries use the same file names
            read_config((folder / CONFIG).read_bytes())
        except (ModelFileError, OSError):
            others = {CONFIG}
    if others:
        raise FileExistsError(
            f"{folder} contains files that save_model did not write "
            f"({', '.join(sorted(others)[:3])}). Pass another folder."
        )
    if not folder.parent.is_dir():
        raise FileNotFoundError(f"The folder {folder.parent} does not exist. Create it first.")
