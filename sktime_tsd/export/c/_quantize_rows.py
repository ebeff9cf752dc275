"""Weights of 8 bits, with one scale for each row."""

import numpy as np

__all__ = ["rounded_rows"]

# What the largest weight of a row may become. A row may fit another number better than 127:
# filters of simple fractions, say, fit one without an error.
_LARGEST = np.arange(64, 128)


def rounded_rows(matrix):
    """Round a matrix to whole numbers from -127 to 127, times one scale per row.

    Of a row's possible scales, the one with the smallest squared error is taken.

    Parameters
    ----------
    matrix : numpy.ndarray of shape (n_rows, ...)

    Returns
    -------
    rounded : numpy.ndarray of shape (n_rows, ...), int8
    scales : numpy.ndarray of shape (n_rows,)
        ``matrix`` is about ``scales * rounded``.

    Examples
    --------
    >>> import numpy as np
    >>> from sktime_tsd.export.c._quantize_rows import rounded_rows
    >>> rounded, scales = rounded_rows(np.array([[0.5, -1.27], [0.0, 0.0]]))
    >>> rounded.tolist(), scales.tolist()
    ([[50, -127], [0, 0]], [0.01, 1.0])
    """
    rows = matrix.reshape(len(matrix), -1).astype(np.float64)
    largest = np.abs(rows).max(axis=1)
    scales, least = np.ones(len(rows)), np.full(len(rows), np.inf)
    for n in _LARGEST:
        tried = np.where(largest > 0, largest / n, 1.0)
        error = np.square(rows - np.rint(rows / tried[:, None]) * tried[:, None]).sum(axis=1)
        scales = np.where(error < least, tried, scales)
        least = np.minimum(least, error)
    return np.rint(rows / scales[:, None]).astype(np.int8).reshape(matrix.shape), scales
