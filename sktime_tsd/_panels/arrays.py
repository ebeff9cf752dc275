"""Panels in numpy alone, so that every predictor reads and refuses them alike."""

import numpy as np

from sktime_tsd._panels.irregular import check_finite, regular
from sktime_tsd._panels.rules import STRICT

__all__ = [
    "as_array",
    "as_float32_panel",
    "as_numpy_hint",
    "check_panel_shape",
    "together",
    "with_lengths",
]

_EXPECTED = "X of shape (n_instances, n_channels, n_timepoints)"
_ANY_LENGTH = ' Fitted with unequal_length="resample", it reads any length.'


def as_array(X, rules=STRICT):
    """Read a panel given as an array, or as a list of arrays.

    Parameters
    ----------
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
        Or of shape (n_instances, n_timepoints), for one channel, or a list of arrays: one of
        shape (n_channels, n_timepoints) or (n_timepoints,) for each series. Lists of numbers
        do for these arrays, an array of objects for the list. Masked values are missing values.
    rules : PanelRules, optional
        What to do with unequal lengths and missing values; by default they are refused.

    Returns
    -------
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
        Finite; in the dtype given, or float64 if something was interpolated.

    Raises
    ------
    ValueError
        If the number of dimensions is wrong, series differ in length or channels, a dimension
        is empty, or a value is missing or infinite.
    TypeError
        If it is no such array, or the values are not real numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from sktime_tsd._panels.arrays import as_array
    >>> as_array([np.zeros((3, 24)), np.ones((3, 24))]).shape
    (2, 3, 24)
    """
    return with_lengths(X, rules)[0]


def with_lengths(X, rules=STRICT, *, may_be_padded=True):
    """Read a panel as `as_array` does, and tell how long the series were.

    Parameters
    ----------
    X, rules
        As for `as_array`.
    may_be_padded : bool, default=True
        Whether an array may end a series by missing values; series in a list never do.

    Returns
    -------
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
    lengths : Lengths or None
        None if nothing was resampled.

    Raises
    ------
    ValueError, TypeError
        As `as_array`.
    """
    if type(X) is np.ndarray and X.ndim == 3:  # what a service passes: no detour
        is_ready = X.size and X.dtype.kind in "fiub" and _has_length(X, rules)
        if is_ready and np.isfinite(X).all():
            return X, None
    given, X = X, together(X)
    may_be_padded = may_be_padded and given is X
    if isinstance(X, list):
        return regular(X, rules, may_be_padded=False)
    if not isinstance(X, np.ndarray):
        raise TypeError(
            f"X must be an array, {_EXPECTED[2:]}, or a list of arrays, one for each series; got "
            f"a {type(X).__name__}.{as_numpy_hint(X)}"
        )
    if X.ndim not in (2, 3):
        hint = " For a single series pass X[numpy.newaxis, numpy.newaxis]." if X.ndim == 1 else ""
        raise ValueError(f"Expected {_EXPECTED}, got an array of shape {X.shape}.{hint}")
    if 0 in X.shape:
        raise ValueError(
            f"Expected {_EXPECTED} with at least one series, channel and time point, got shape "
            f"{X.shape}."
        )
    _check_real(X.dtype)
    if X.ndim == 2:
        X = X[:, np.newaxis]
    if _has_length(X, rules) and not np.ma.is_masked(X):
        X = np.asarray(X)  # a masked array without masked values, too
        if np.isfinite(X).all():
            return X, None
    return regular(X, rules, may_be_padded=may_be_padded)


def _has_length(X, rules):
    return rules.unequal_length == "raise" or rules.n_timepoints in (None, X.shape[2])


def _holds_arrays(X):
    """Whether an array is but a list: numpy's form of series of unequal length."""
    return isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 1


def _check_real(dtype):
    if dtype.kind not in "fiub":
        raise TypeError(f"X must hold real numbers, got dtype {dtype}.")


def together(X):
    """Make one array of a list of arrays, if they are equally long; it keeps masks.

    Parameters
    ----------
    X : list of numpy.ndarray, or anything else
        Or an array of objects that are arrays, numpy's form of series of unequal length.

    Returns
    -------
    X : numpy.ndarray, or list of numpy.ndarray of shape (n_channels, n_timepoints)
        A list if lengths differ. What is no list is returned as it is.

    Raises
    ------
    ValueError, TypeError
        If it is no list of arrays of numbers, or they differ in channels.
    """
    if not isinstance(X, (list, tuple)) and not _holds_arrays(X):
        return X
    series = X
    kinds = set(map(type, series))
    if (
        kinds == {np.ndarray}
        and len({one.shape for one in series}) == 1
        and series[0].ndim in (1, 2)
    ):
        return np.stack(series)
    if len(series) == 0:
        raise ValueError(f"Expected {_EXPECTED} with at least one series, got an empty list.")
    series = [_from_lists(one) for one in series]
    others = [one for one in series if not isinstance(one, np.ndarray)]
    if others:
        kinds = ", ".join(sorted({type(one).__name__ for one in others})[:3])
        hint = as_numpy_hint(others[0], "[{} for series in X]", "series")
        if kinds in ("float", "int"):
            hint = " For a single series of one channel pass [X]."
        elif "list" in kinds:
            hint = " Its lists are ragged, or hold more than numbers."
        raise TypeError(
            "X must be an array or a list of arrays, one for each series; got a list with "
            f"{kinds} in it.{hint}"
        )
    n_dimensions = {one.ndim for one in series}
    if n_dimensions not in ({1}, {2}):
        raise TypeError(
            "The arrays in the list X must have shape (n_channels, n_timepoints), or all "
            "(n_timepoints,); got arrays of "
            f"{', '.join(map(str, sorted(n_dimensions)))} dimensions."
        )
    if n_dimensions == {2} and len(sizes := {len(one) for one in series}) > 1:
        raise ValueError(
            f"X contains series of unequal numbers of channels, from {min(sizes)} to {max(sizes)}."
        )
    if len({one.shape[-1] for one in series}) == 1:
        return np.ma.stack(series) if any(map(np.ma.isMA, series)) else np.stack(series)
    for number, one in enumerate(series):
        _check_real(one.dtype)
        if 0 in one.shape:
            raise ValueError(
                f"Series {number} of the list X has shape {one.shape}: it needs at least one "
                "channel and one time point."
            )
    return [one[np.newaxis] if one.ndim == 1 else one for one in series]


def _from_lists(series):
    """Make an array of lists of numbers; leave what is anything else."""
    if not isinstance(series, (list, tuple)):
        return series
    try:
        array = np.asarray(series)
    except ValueError:  # of lists of several lengths
        return series
    return array if array.dtype.kind in "fiub" else series


def as_numpy_hint(X, form="{}", name="X"):
    """Say how to pass what numpy can convert, such as a tensor.

    Parameters
    ----------
    X : object
    form, name : str
        What to pass, with a place for the call; what the call is of.

    Returns
    -------
    hint : str
        Empty for tables, whose rows may be anything.
    """
    if not hasattr(X, "__array__") or hasattr(X, "iloc") or hasattr(X, "columns"):
        return ""
    return f" Pass {form.format(f'numpy.asarray({name})')}."


def as_float32_panel(X, name="X"):
    """Cast a panel to contiguous float32, refusing values that do not fit.

    Parameters
    ----------
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
        Finite, as `as_array` returns it.
    name : str
        What messages call it.

    Returns
    -------
    X : numpy.ndarray of the same shape, dtype float32, C-contiguous, writeable

    Raises
    ------
    ValueError
        If a value is missing, infinite, or beyond float32's range.
    """
    with np.errstate(over="ignore"):
        # torch warns about read-only memory, such as a memory map
        X32 = np.require(X, dtype=np.float32, requirements=["C", "W"])
    if not np.isfinite(X32).all():
        check_finite(X)  # the values may not have been finite before the cast
        raise ValueError(
            f"{name} holds values up to {np.abs(X).max():.3g}, beyond the range of float32 "
            "(3.4e38) in which networks compute. Rescale the series first."
        )
    return X32


def check_panel_shape(X, n_channels, n_timepoints):
    """Refuse series whose shape differs from `fit`.

    A size of None accepts any.

    Raises
    ------
    ValueError
        If the number of channels or of time points differs.
    """
    for axis, what, expected in ((1, "channels", n_channels), (2, "time points", n_timepoints)):
        if expected is not None and X.shape[axis] != expected:
            raise ValueError(
                f"X has {X.shape[axis]} {what} per series, but the classifier was fitted "
                f"on series with {expected} {what}."
                f"{_ANY_LENGTH if axis == 2 else ''} (A 2-D X holds series of one channel; for a "
                "single series pass X[numpy.newaxis].)"
            )
