"""Read the files of a model folder, of one model even while another is saved there."""

from pathlib import Path

from sktime_tsd._utils.regular_file import read_regular_file
from sktime_tsd.export._config import read_config, sha256
from sktime_tsd.runtime._model_files import ModelFileError

__all__ = ["CONFIG", "WEIGHTS", "read_folder", "waiting_name"]

CONFIG, WEIGHTS = "config.json", "model.safetensors"

# In bytes, far above any student. Larger files are not read into memory.
_LARGEST_CONFIG = 2**22
_LARGEST_WEIGHTS = 2**31

# More models than are saved to a folder while one is loaded from it.
_MOST_ATTEMPTS = 100


def waiting_name(digest):
    """Name the file in which weights wait until they may be called ``model.safetensors``.

    Parameters
    ----------
    digest : str
        SHA-256 of the weights, as in the config.

    Returns
    -------
    name : str
    """
    return f"model-{digest}.safetensors"


def read_folder(folder):
    """Read a configuration and the weights that belong to it.

    Parameters
    ----------
    folder : pathlib.Path

    Returns
    -------
    config : dict
        See `read_config`.
    weights : bytes
        Their digest is the one in `config`.

    Raises
    ------
    ModelFileError
        If a file is missing, damaged, too large, no regular file, or outside the folder.
    """
    for attempt in range(_MOST_ATTEMPTS):
        before = _identity(folder)
        config = read_config(_read(folder, CONFIG, at_most=_LARGEST_CONFIG))
        described = config["weights"]
        if described["file"] != WEIGHTS:
            raise ModelFileError(
                f"config.json: the weights must be in {WEIGHTS} in the same folder, got "
                f"{described['file']!r}."
            )
        problem = None
        # in this order: weights leave their waiting place only for their final one
        for name in (waiting_name(described["sha256"]), WEIGHTS):
            try:
                weights = _read(folder, name, at_most=_LARGEST_WEIGHTS)
            except ModelFileError as error:
                problem = error
                continue
            if sha256(weights) == described["sha256"]:
                return config, weights
            problem = None
        if attempt and _identity(folder) == before:  # no other model was saved meanwhile
            break
    raise problem or ModelFileError(
        f"{folder / WEIGHTS} is not the file that was saved: its sha256 does not match that in "
        "config.json. The copy may be incomplete; copy the folder again."
    )


def _identity(folder):
    """Tell one config.json from the next."""
    try:
        found = (folder / CONFIG).stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_ctime_ns


def _read(folder, name, at_most):
    path = folder / name
    try:
        if not folder.is_dir():
            raise ModelFileError(f"{folder} is not a folder.")
        if not _is_plain(name):
            raise ModelFileError(f"{path} is outside its folder.")
        real = path.resolve(strict=True)
        if not real.is_relative_to(folder.resolve(strict=True)):
            raise ModelFileError(f"{path} links to a place outside its folder.")
        return read_regular_file(real, at_most=at_most)
    except FileNotFoundError as error:
        raise ModelFileError(f"{path} is missing.") from error
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: circular links
        if isinstance(error, ModelFileError):
            raise
        raise ModelFileError(f"{path} cannot be read: {error}") from error


def _is_plain(name):
    return Path(name).name == name
