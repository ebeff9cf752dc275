"""A folder whose files are replaced together, or not at all."""

import shutil
from contextlib import contextmanager, suppress
from uuid import uuid4

from sktime_tsd.export._config import read_config
from sktime_tsd.export._load import CONFIG, WEIGHTS
from sktime_tsd.runtime._model_files import ModelFileError

__all__ = ["CARD", "files_of"]

CARD = "README.md"

_FILES = (WEIGHTS, CONFIG, CARD)

# Of the folders in which files wait until all is well.
_ASIDE = ".sktime_tsd-"


@contextmanager
def files_of(folder, *, overwrite):
    """Give an empty folder whose files move into `folder` once all went well.

    The folder itself stays: it may be a mount point, or the one that a shell stands in.

    Parameters
    ----------
    folder : pathlib.Path
    overwrite : bool
        Whether a model that is there is replaced.

    Yields
    ------
    new : pathlib.Path

    Raises
    ------
    OSError
        If `folder` cannot be used; which, and why.
    """
    _check_place(folder, overwrite=overwrite)
    is_new = not folder.exists()
    folder.mkdir(exist_ok=True)
    new = folder / f"{_ASIDE}{uuid4().hex}"
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
    except BaseException:  # Ctrl-C, too, must not lose the former model
        for name in _FILES:
            if (former / name).exists():
                (former / name).replace(folder / name)
            elif not (new / name).exists():
                (folder / name).unlink(missing_ok=True)
        raise


def _check_place(folder, *, overwrite):
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(f"{folder} is a file; name a folder.")
    found = {path.name for path in folder.iterdir()} if folder.exists() else set()
    found = {name for name in found if not name.startswith(_ASIDE)}
    if found and not overwrite:
        raise FileExistsError(f"{folder} is not empty; pass overwrite=True to replace it.")
    others = found - set(_FILES)
    others |= {name for name in found if not (folder / name).is_file()}
    if found and not others:
        try:  # a model of another library has files of the same names
            read_config((folder / CONFIG).read_bytes())
        except (ModelFileError, OSError):
            others = {CONFIG}
    if others:
        raise FileExistsError(
            f"{folder} holds what save_model has not written ({', '.join(sorted(others)[:3])}); "
            "name another folder."
        )
    if not folder.parent.is_dir():
        raise FileNotFoundError(f"The folder {folder.parent} does not exist; make it first.")
