"""Arrays in numpy's files."""

import zipfile

import numpy as np

from sktime_tsd.datasets._labels import stored_labels
from sktime_tsd.datasets._series_data import SeriesData

__all__ = ["read_npy", "read_npz"]

_X_NAMES = ("X", "x", "data", "series")
_Y_NAMES = ("y", "Y", "labels", "label", "target")


def read_npy(path):
    """Read series, without labels.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    data : SeriesData

    Raises
    ------
    ValueError
        If the file holds no array of numbers of two or three dimensions.
    """
    try:
        # as a memory map, a header that promises more than the file holds takes no memory
        X = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # damaged files raise anything
        raise _unreadable(path, error) from error
    if not isinstance(X, np.ndarray):
        raise ValueError(f"{path} is a .npz file by its content; rename it.")
    return SeriesData(_panel(path, X))


def read_npz(path):
    """Read series and labels: the arrays ``X`` and ``y``, or other usual names.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    data : SeriesData
        Without labels if there is no array of a usual name for them.

    Raises
    ------
    ValueError
        If there is no array of series, or the arrays do not fit each other.
    """
    if not zipfile.is_zipfile(path):
        raise ValueError(f"{path} is not a .npz file.")
    try:
        # opened here, as numpy leaves damaged files open
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            names = list(stored)
            found = {
                role: stored[name]
                for role, usual in (("X", _X_NAMES), ("y", _Y_NAMES))
                if (name := _only(path, names, usual)) is not None
            }
    except _AmbiguousError:
        raise
    except Exception as error:  # damaged files raise anything
        raise _unreadable(path, error) from error
    if "X" not in found:
        raise ValueError(
            f"{path} has no array X of series; it has: {', '.join(map(repr, names)) or 'none'}. "
            "Save it by numpy.savez(path, X=X, y=y)."
        )
    X = _panel(path, found["X"])
    y = None
    if "y" in found:
        y = found["y"][:, 0] if found["y"].shape[1:] == (1,) else found["y"]
        y = stored_labels(f"y of {path}", y)
    if y is not None and len(y) != len(X):
        raise ValueError(f"{path} has {len(X)} series, but {len(y)} labels.")
    return SeriesData(X, y)


class _AmbiguousError(ValueError):
    """Several arrays could be meant."""


def _only(path, names, usual):
    found = [name for name in names if name in usual]
    if len(found) > 1:
        raise _AmbiguousError(f"{path} has {' and '.join(found)}: call the one to read {usual[0]}.")
    return found[0] if found else None


def _unreadable(path, error):
    if "pickle" in str(error) or "Python objects" in str(error):
        reason = (
            "it holds Python objects, which are not loaded. Save series of unequal lengths as .ts "
            "or as a CSV with a row for each time point, labels as an array of text"
        )
    else:
        reason = " ".join(str(error).split()) or type(error).__name__
    return ValueError(f"{path} cannot be read: {reason}.")


def _panel(path, X):
    if X.ndim not in (2, 3) or X.dtype.kind not in "iubf":
        raise ValueError(
            f"{path}: expected numbers of shape (n_instances, n_channels, n_timepoints) or "
            f"(n_instances, n_timepoints), got {X.dtype} of shape {X.shape}."
        )
    if 0 in X.shape:
        raise ValueError(f"{path} holds no values: its array is of shape {X.shape}.")
    X = np.array(X, dtype=np.float64)
    return X if X.ndim == 3 else X[:, None]
