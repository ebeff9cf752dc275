"""Linear interpolation along time: other lengths, missing values. numpy alone."""

import numpy as np

__all__ = ["filled", "places", "resampled"]


def places(n_before, n_after):
    """Find where new, equally spaced time points lie among the old ones.

    Parameters
    ----------
    n_before, n_after : int
        Numbers of time points.

    Returns
    -------
    before, after : numpy.ndarray of shape (n_after,), int64
        The old time points next to each new one.
    share : numpy.ndarray of shape (n_after,), float64
        How far a new time point lies from `before` to `after`, from 0 to 1.

    Examples
    --------
    >>> from sktime_tsd._panels.interpolation import places
    >>> places(3, 5)
    (array([0, 0, 1, 1, 2]), array([1, 1, 2, 2, 2]), array([0. , 0.5, 0. , 0.5, 0. ]))
    """
    position = np.linspace(0, n_before - 1, n_after)
    before = position.astype(np.int64)
    return before, np.minimum(before + 1, n_before - 1), position - before


def resampled(X, n_timepoints):
    """Bring values to another number of time points; the first and the last one stay.

    Parameters
    ----------
    X : numpy.ndarray of shape (..., n_before), float64
    n_timepoints : int

    Returns
    -------
    X : numpy.ndarray of shape (..., n_timepoints), float64
        The array itself if it has this length.

    Examples
    --------
    >>> import numpy as np
    >>> from sktime_tsd._panels.interpolation import resampled
    >>> resampled(np.array([0.0, 2.0, 6.0]), 5)
    array([0., 1., 2., 4., 6.])
    """
    if X.shape[-1] == n_timepoints:
        return X
    before, after, share = places(X.shape[-1], n_timepoints)
    start = X[..., before]
    return start + share * (X[..., after] - start)


def filled(X):
    """Fill missing values: linearly in time, at both ends with the nearest value.

    Parameters
    ----------
    X : numpy.ndarray of shape (..., n_timepoints), float64
        NaN where values are missing; one value at least along the last axis.

    Returns
    -------
    X : numpy.ndarray of the same shape
        Finite if the values are.

    Examples
    --------
    >>> import numpy as np
    >>> from sktime_tsd._panels.interpolation import filled
    >>> filled(np.array([np.nan, 1.0, np.nan, np.nan, 4.0, np.nan]))
    array([1., 1., 2., 3., 4., 4.])
    """
    missing = np.isnan(X)
    if not missing.any():
        return X
    last = X.shape[-1] - 1
    points = np.broadcast_to(np.arange(last + 1), X.shape)
    before = np.maximum.accumulate(np.where(missing, -1, points), axis=-1)
    after = np.where(missing, last + 1, points)[..., ::-1]
    after = np.minimum.accumulate(after, axis=-1)[..., ::-1]
    # at the ends both are the nearest value
    before, after = np.where(before < 0, after, before), np.where(after > last, before, after)
    start, end = np.take_along_axis(X, before, -1), np.take_along_axis(X, after, -1)
    share = (points - before) / np.maximum(after - before, 1)
    return np.where(missing, start + np.where(after > before, share, 0) * (end - start), X)
