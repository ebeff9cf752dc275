"""The commit that a row was made with."""

import functools
import subprocess
from pathlib import Path

import sktime_tsd

__all__ = ["commit"]


@functools.cache
def commit():
    """Find the commit of the package's source.

    Returns
    -------
    commit : str
        Ends in "+" if the package's files have uncommitted changes; "" if the package does
        not run from a git checkout.
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
