"""Weights of 8 bits, with one scale for each row."""

import numpy as np

__all__ = ["rounded_rows"]


def rounded_rows(matrix):
    """Round a matrix to whole numbers from -127 to 127, times one scale per row.

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
    largest = np.abs(matrix).reshape(len(matrix), -1).max(axis=1)
    scales = np.where(largest > 0, largest / 127, 1.0)
    rows = matrix / scales.reshape(-1, *[1] * (matrix.ndim - 1))
    return np.rint(rows).astype(np.int8), scales
