"""Replace the files of a model folder all together, or not at all."""

import shutil
from contextlib import contextmanager, suppress
from uuid import uuid4

from sktime_tsd.export._config import read_config
from sktime_tsd.export._load import CONFIG, WEIGHTS
from sktime_tsd.runtime._model_files import ModelFileError

__all__ = ["CARD", "staging_folder"]

CARD = "README.md"

_FILES = (WEIGHTS, CONFIG, CARD)

# Prefix of the staging folders, which hold the new files until all are written and checked.
_STAGING = ".sktime_tsd-"


@contextmanager
def staging_folder(folder, *, overwrite):
    """Yield an empty folder whose files are moved into `folder` if the block succeeds.

    `folder` itself is kept, since it may be a mount point or a shell's current directory.

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
    new = folder / f"{_STAGING}{uuid4().hex}"
    try:
        new.mkdir()
        yield new
        _move(new, folder)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        if is_new:
            with suppress(OSError):
                folder.rmdir()
        raise
    shutil.rmtree(new, ignore_errors=True)


def _move(new, folder):
    former = new / "former"
    former.mkdir()
    try:
        for name in _FILES:
            if (folder / name).exists():
                (folder / name).rename(former / name)
        for name in _FILES:
            (new / name).rename(folder / name)
    except BaseException:  # even Ctrl-C must not lose the former model
        for name in _FILES:
            if (former / name).exists():
                (former / name).replace(folder / name)
            elif not (new / name).exists():
                (folder / name).unlink(missing_ok=True)
        raise


def _check_place(folder, *, overwrite):
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(f"{folder} is a file. Pass the path of a folder.")
    found = {path.name for path in folder.iterdir()} if folder.exists() else set()
    found = {name for name in found if not name.startswith(_STAGING)}
    if found and not overwrite:
        raise FileExistsError(f"{folder} is not empty; pass overwrite=True to replace it.")
    others = found - set(_FILES)
    others |= {name for name in found if not (folder / name).is_file()}
    if found and not others:
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
