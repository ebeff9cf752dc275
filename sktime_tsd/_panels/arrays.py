"""Panels in numpy alone, so that every predictor reads and refuses them alike."""

import numpy as np

__all__ = ["as_array", "as_float32_panel", "check_panel_shape"]

_EXPECTED = "X of shape (n_instances, n_channels, n_timepoints)"


def as_array(X):
    """Read a panel given as an array, or as a list of arrays.

    Parameters
    ----------
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
        Or of shape (n_instances, n_timepoints), for one channel, or a list of arrays: one of
        shape (n_channels, n_timepoints) or (n_timepoints,) for each series. Lists of numbers
        do for these arrays, an array of objects for the list. Masked values are missing values.

    Returns
    -------
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
        Finite; in the dtype given.

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
    if isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 1:
        X = X.tolist()
    if isinstance(X, (list, tuple)):
        X = _stacked(X)
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
    if X.dtype.kind not in "fiub":
        raise TypeError(f"X must hold real numbers, got dtype {X.dtype}.")
    _check_finite(X)
    X = np.asarray(X)  # a masked array without masked values, too
    return X[:, np.newaxis] if X.ndim == 2 else X


def _stacked(series):
    """Make one array of a list of arrays, keeping masks."""
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
    for axis, what in ((-1, "length"), (0, "numbers of channels")):
        sizes = [one.shape[axis] for one in series]
        if len(set(sizes)) > 1:
            raise ValueError(unequal(sizes, what))
    return np.ma.stack(series) if any(map(np.ma.isMA, series)) else np.stack(series)


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


def unequal(sizes, what="length"):
    """Word the refusal of series that differ in length or channels.

    Parameters
    ----------
    sizes : sequence of int
        One for each series.
    what : str

    Returns
    -------
    message : str
    """
    remedy = (
        " Make them equally long first: resample them, or put sktime's "
        "PaddingTransformer(pad_length=...) before the classifier in a pipeline."
    )
    return (
        f"X contains series of unequal {what}, from {min(sizes)} to {max(sizes)}."
        f"{remedy if what == 'length' else ''}"
    )


def _check_finite(X):
    masked = np.ma.getmaskarray(X) if isinstance(X, np.ma.MaskedArray) else None
    X = np.asarray(X)
    usable = np.isfinite(X)
    if masked is not None:
        usable &= ~masked
    if usable.all():
        return
    bad = np.unique(np.nonzero(~usable)[0])
    if masked is not None and masked.any():
        kind, remedy = "masked (missing) values", "Impute them, or drop these series."
    elif np.isnan(X).any():
        kind = "NaN"
        remedy = (
            "Impute or drop them first: sktime's FitInTransform(Imputer()) * classifier also "
            "imputes new series."
        )
    else:
        kind, remedy = "infinite values", "Drop these series, or replace the values first."
    raise ValueError(
        f"X contains {kind} in {len(bad)} of {len(X)} series (the first is series {bad[0]}). "
        f"{remedy}"
    )


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
        _check_finite(X)  # the values may not have been finite before the cast
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
                f"on series with {expected} {what}. (A 2-D X holds series of one channel; for a "
                "single series pass X[numpy.newaxis].)"
            )
