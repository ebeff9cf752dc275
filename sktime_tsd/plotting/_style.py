"""Colours, markers and axes that all plots share."""

import numpy as np

__all__ = ["COLORS", "MARKERS", "new_axes"]

# From the palette of Okabe and Ito, which the colour-blind can tell apart.
COLORS = {"teacher": "#0072B2", "student": "#D55E00"}
MARKERS = {"teacher": "o", "student": "s"}


def new_axes(ax, n_rows=1, n_columns=1, figsize=(6, 3.6)):
    """Return the axes to draw on, as a matrix.

    Parameters
    ----------
    ax : matplotlib.axes.Axes, array of them, or None
        None makes a new figure.
    n_rows, n_columns : int
        How many axes are needed.
    figsize : tuple of float
        Size of a new figure, in inches.

    Returns
    -------
    axes : numpy.ndarray of shape (n_rows, n_columns)

    Raises
    ------
    ValueError
        If `ax` holds the wrong number of axes.
    ImportError
        If matplotlib is not installed.
    """
    if ax is None:
        try:
            import matplotlib.pyplot as plt
        except ImportError as error:
            raise ImportError('pictures need matplotlib: pip install "sktime_tsd[plot]"') from error

        return plt.subplots(
            n_rows, n_columns, figsize=figsize, squeeze=False, sharex=True, layout="constrained"
        )[1]
    axes = np.atleast_1d(np.asarray(ax, dtype=object))
    if axes.size != n_rows * n_columns:
        raise ValueError(
            f"ax must hold {n_rows * n_columns} axes ({n_rows} rows and {n_columns} columns), "
            f"got {axes.size}. Leave it out for a new figure."
        )
    return axes.reshape(n_rows, n_columns)
