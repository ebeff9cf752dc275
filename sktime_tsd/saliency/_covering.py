"""Window positions, and the weight of each window at each time point."""

import numpy as np

from sktime_tsd._utils.validation import check_number
from sktime_tsd.perturbations import window_width

__all__ = ["mean_of_covering", "width_and_stride", "window_starts", "window_weights"]


def width_and_stride(window, stride, n_timepoints):
    """Turn the ``window`` and ``stride`` parameters into numbers of time points.

    Parameters
    ----------
    window : float or int
        See `sktime_tsd.perturbations.window_width`.
    stride : int or None
        None means half a window.
    n_timepoints : int

    Returns
    -------
    width, stride : int

    Raises
    ------
    ValueError, TypeError
        If such windows do not fit, or would skip time points.
    """
    width = window_width(window, n_timepoints)
    if stride is None:
        return width, max(1, width // 2)
    check_number("stride", stride, integer=True, low=1, high=width)
    return width, stride


def window_starts(n_timepoints, width, stride):
    """Compute the first time points of windows that cover a whole series.

    Parameters
    ----------
    n_timepoints : int
    width : int
        Time points per window, at most `n_timepoints`.
    stride : int
        Time points from one window to the next; at most `width`, so that none is skipped.

    Returns
    -------
    starts : numpy.ndarray of shape (n_windows,)
        The last window ends at the end of the series, whatever the stride.

    Examples
    --------
    >>> from sktime_tsd.saliency._covering import window_starts
    >>> window_starts(10, 4, 4)
    array([0, 4, 6])
    """
    last = n_timepoints - width
    return np.unique(np.append(np.arange(0, last, stride), last))


def window_weights(starts, width, n_timepoints):
    """Compute the weight of each window at each time point.

    Parameters
    ----------
    starts : numpy.ndarray of shape (n_windows,)
    width, n_timepoints : int

    Returns
    -------
    weights : numpy.ndarray of shape (n_windows, n_timepoints)
        All windows that cover a time point have equal weight; each column sums to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from sktime_tsd.saliency._covering import window_weights
    >>> window_weights(np.array([0, 1]), 2, 3)
    array([[1. , 0.5, 0. ],
           [0. , 0.5, 1. ]])
    """
    points = np.arange(n_timepoints)
    covers = (starts[:, None] <= points) & (points < starts[:, None] + width)
    return covers / covers.sum(axis=0)


def mean_of_covering(window_values, starts, width, n_timepoints):
    """Average, at each time point, the values of the windows that cover it.

    Equals ``window_values @ window_weights(...)``, without the matrix, which is large for long
    series.

    Parameters
    ----------
    window_values : numpy.ndarray of shape (..., n_windows)
    starts : numpy.ndarray of shape (n_windows,)
    width, n_timepoints : int

    Returns
    -------
    values : numpy.ndarray of shape (..., n_timepoints)

    Examples
    --------
    >>> import numpy as np
    >>> from sktime_tsd.saliency._covering import mean_of_covering
    >>> mean_of_covering(np.array([1.0, 3.0]), np.array([0, 1]), 2, 3)
    array([1., 2., 3.])
    """
    points = np.arange(n_timepoints)
    end = np.searchsorted(starts, points, side="right")
    first = np.searchsorted(starts, points - width, side="right")
    before = np.zeros((*window_values.shape[:-1], 1))
    sums = np.concatenate([before, window_values.cumsum(axis=-1)], axis=-1)
    return (sums[..., end] - sums[..., first]) / (end - first)
