"""Which source a row was made with."""

import functools
import subprocess
from pathlib import Path

import sktime_tsd

__all__ = ["commit"]


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
