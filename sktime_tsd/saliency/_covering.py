"""Where the windows of a series lie, and what share each has in each time point."""

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
        None is half a window.
    n_timepoints : int

    Returns
    -------
    width, stride : int

    Raises
    ------
    ValueError, TypeError
        If there are no such windows, or they would leave out time points.
    """
    width = window_width(window, n_timepoints)
    if stride is None:
        return width, max(1, width // 2)
    check_number("stride", stride, integer=True, low=1, high=width)
    return width, stride


def window_starts(n_timepoints, width, stride):
    """First time points of windows that cover a whole series.

    Parameters
    ----------
    n_timepoints : int
    width : int
        Time points per window, at most `n_timepoints`.
    stride : int
        From one window to the next; at most `width`, so that no time point is left out.

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
    """Share of each window in each time point.

    Parameters
    ----------
    starts : numpy.ndarray of shape (n_windows,)
    width, n_timepoints : int

    Returns
    -------
    weights : numpy.ndarray of shape (n_windows, n_timepoints)
        All windows that cover a time point weigh the same; each column sums to 1.

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
    """Mean, at each time point, of the windows that cover it.

    ``window_values @ window_weights(...)`` without the matrix, which for long series would
    be large.

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
