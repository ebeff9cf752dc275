"""Checks of series, in numpy alone, so that every predictor refuses them in the same words."""

import numpy as np

__all__ = ["as_float32_panel", "check_panel", "check_panel_shape"]


def check_panel(X):
    """Refuse a numpy panel that no classifier can read.

    Other containers pass: sktime converts them, and the result is checked afterwards.

    Parameters
    ----------
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
        Or of shape (n_instances, n_timepoints), for one channel.

    Returns
    -------
    X : as given

    Raises
    ------
    ValueError
        If the number of dimensions is wrong, a dimension is empty, or a value is missing
        or infinite.
    TypeError
        If the values are not real numbers.
    """
    if not isinstance(X, np.ndarray):
        return X
    expected = "X of shape (n_instances, n_channels, n_timepoints)"
    if X.ndim not in (2, 3):
        raise ValueError(f"Expected {expected}, got an array of shape {X.shape}.")
    if 0 in X.shape:
        raise ValueError(
            f"Expected {expected} with at least one series, channel and time point, "
            f"got shape {X.shape}."
        )
    if not (np.issubdtype(X.dtype, np.number) or X.dtype == bool) or np.iscomplexobj(X):
        raise TypeError(f"X must hold real numbers, got dtype {X.dtype}.")
    _check_finite(X)
    return X


def _check_finite(X):
    finite = np.isfinite(X)
    if not finite.all():
        bad = np.unique(np.nonzero(~finite)[0])
        if np.isnan(X).any():
            kind, remedy = "NaN", "Impute or drop them first, for instance with sktime's Imputer."
        else:
            kind, remedy = "infinite values", "Drop these series, or replace the values first."
        raise ValueError(
            f"X contains {kind} in {len(bad)} of {len(X)} series (the first is series "
            f"{bad[0]}). {remedy}"
        )


def as_float32_panel(X):
    """Cast a panel to contiguous float32, refusing values that do not fit.

    Parameters
    ----------
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
        With the dimensions and a dtype that `check_panel` accepts.

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
            f"X holds values up to {np.abs(X).max():.3g}, beyond the range of float32 "
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
                f"on series with {expected} {what}. (A 2-D X holds series of one channel.)"
            )
