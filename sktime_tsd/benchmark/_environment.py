"""What a row was made with."""

import functools
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import sktime_tsd

__all__ = ["commit", "versions"]

_PACKAGES = ("sktime", "scikit-learn", "skorch", "torch", "numpy", "scipy")


@functools.cache
def versions():
    """Versions of this package and of those it rests on.

    Returns
    -------
    versions : dict of str to str
    """
    found = {"sktime_tsd": sktime_tsd.__version__, "python": platform.python_version()}
    return found | {name: version(name) for name in _PACKAGES}


@functools.cache
def commit():
    """Commit of the package's source.

    Returns
    -------
    commit : str
        With "+" where the package's files differ from it; "" where it is no checkout.
    """
    folder = Path(sktime_tsd.__file__).parent
    try:
        if _git(folder, "ls-files", "--error-unmatch", "__init__.py") != "__init__.py":
            return ""
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no", ".")
        return _git(folder, "rev-parse", "--short=12", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return ""


def _git(folder, *arguments):
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()
