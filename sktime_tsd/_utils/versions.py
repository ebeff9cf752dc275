"""Versions of this package and its dependencies, as recorded in files."""

import functools
import platform
from importlib.metadata import version

import sktime_tsd

__all__ = ["versions"]

_PACKAGES = ("sktime", "scikit-learn", "skorch", "torch", "numpy", "scipy")


@functools.cache
def versions():
    """Return the versions of Python, of this package and of its dependencies.

    Returns
    -------
    versions : dict of str to str
        Package name to version.
    """
    found = {"sktime_tsd": sktime_tsd.__version__, "python": platform.python_version()}
    return found | {name: version(name) for name in _PACKAGES}
