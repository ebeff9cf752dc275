"""What a file was made with."""

import functools
import platform
from importlib.metadata import version

import sktime_tsd

__all__ = ["versions"]

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
