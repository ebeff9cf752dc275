"""Put a C file, its header and its test in their place, together or not at all."""

import os
import shutil
import tempfile
from uuid import uuid4

__all__ = ["check_place", "replaced"]

_MARK = "/* Series with known answers"


def check_place(path, *, overwrite):
    """Refuse a place where the files cannot or must not be written.

    Parameters
    ----------
    path : pathlib.Path
        Of the C file.
    overwrite : bool

    Raises
    ------
    ValueError
        If the name does not end in ``.c``, or an ``#include`` cannot hold it.
    OSError
        If the folder does not exist, a file exists and `overwrite` is False, or the path is a
        folder.
    """
    is_plain = path.name.isprintable() and not set(path.name) & set('"\\?<>*|:')
    if path.suffix != ".c" or not is_plain:
        raise ValueError(
            f"path must name a file that ends in .c, without quotes, ? and \\, got {path.name!r}."
        )
    if not path.parent.is_dir():
        raise FileNotFoundError(f"The folder {path.parent} does not exist. Create it first.")
    for file in (path, path.with_suffix(".h"), _test_of(path)):
        if file.is_dir():
            raise FileExistsError(f"{file} is a folder. Pass another path.")
        if file.exists() and not overwrite:
            raise FileExistsError(f"{file} exists; pass overwrite=True to replace it.")
    with tempfile.TemporaryFile(dir=path.parent):
        pass  # fails here, before the export, if the place is not writable


def _test_of(path):
    return path.with_name(f"{path.stem}_test.c")


def replaced(path, files, test_name):
    """Copy files beside `path`, in place of former ones.

    Parameters
    ----------
    path : pathlib.Path
        Of the C file.
    files : list of pathlib.Path
        New ones, of which the first is the C file.
    test_name : str
        Of the test, which is removed if it is an earlier export's and there is no new one.
    """
    folder = path.parent
    staging = folder / f".{path.name}-{uuid4().hex}"
    former = staging / "former"
    former.mkdir(parents=True)
    names = [file.name for file in files]
    try:
        for file in files:
            shutil.copyfile(file, staging / file.name)
        stale = [test_name] if _is_stale_test(folder / test_name, names) else []
        for name in [*names, *stale]:
            if (folder / name).exists():
                shutil.copy2(folder / name, former / name)
        try:
            for name in names:
                os.replace(staging / name, folder / name)  # at each moment, old or new is there
            for name in stale:
                (folder / name).unlink()
        except BaseException:  # even Ctrl-C must not leave a header of another file
            for name in [*names, *stale]:
                if (former / name).exists():
                    os.replace(former / name, folder / name)
                elif not (staging / name).exists():
                    (folder / name).unlink(missing_ok=True)
            raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _is_stale_test(path, names):
    if path.name in names or not path.is_file():
        return False
    try:
        return path.read_text(encoding="utf-8").startswith(_MARK)
    except (OSError, ValueError):
        return False
