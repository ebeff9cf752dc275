"""Which precision a panel needs: float32, unless it cannot tell the values apart."""

import numpy as np

from sktime_tsd._panels.arrays import as_float32_panel

__all__ = ["as_training_panel", "cast_panel", "float32_loses"]

# A channel whose standard deviation is fewer spacings of float32 needs float64.
_LEAST_SPACINGS = 1000
_SPACING = 2.0**-24

# A relative spread of the size of float64's own rounding errors is none.
_NO_SPREAD = 16 * np.finfo(np.float64).eps

# Outside these magnitudes, squares of float32 values are 0 or infinite.
_LEAST, _MOST = 2.0**-60, 2.0**60


def float32_loses(X):
    """Find a channel whose values float32 cannot tell apart.

    Parameters
    ----------
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
        Finite.

    Returns
    -------
    loss : tuple (channel, level, spread) or None
        Of the first such channel: its index, its largest absolute value, its standard deviation.

    Examples
    --------
    >>> import numpy as np
    >>> from sktime_tsd._panels.precision import float32_loses
    >>> X = np.array([[[0.0, 2.0, 0.0, 2.0]]])
    >>> float32_loses(X) is None, float32_loses(X + 1e8) is None
    (True, False)
    """
    if X.dtype.itemsize <= 2 or X.dtype == np.float32:
        return None
    for channel in range(X.shape[1]):
        values = X[:, channel].astype(np.float64, copy=False)
        level = max(values.max(), -values.min())
        if level == 0:
            continue
        relative = (values / level).std()
        spread = relative * level
        if relative <= _NO_SPREAD:
            continue
        too_fine = relative < _LEAST_SPACINGS * _SPACING
        if too_fine or (not _LEAST <= spread <= _MOST and not _LEAST <= _typical(values) <= _MOST):
            return channel, float(level), float(spread)
    return None


def _typical(values):
    """Median size of the values other than 0: a single outlier does not move it."""
    return np.median(np.abs(values[values != 0]))


def cast_panel(X, dtype, name="X"):
    """Cast a panel to contiguous, writeable memory of a given precision.

    Parameters
    ----------
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
        Finite.
    dtype : numpy.dtype
        float32 or float64.
    name : str
        What messages call it.

    Returns
    -------
    X : numpy.ndarray of the same shape

    Raises
    ------
    ValueError
        If a value is beyond float32's range.
    """
    if dtype == np.float32:
        return as_float32_panel(X, name)
    return np.require(X, dtype=np.float64, requirements=["C", "W"])


def as_training_panel(X, scale_inputs=True):
    """Cast a training set to the precision it needs.

    Parameters
    ----------
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
        Finite.
    scale_inputs : bool, default=True
        Whether the network subtracts level and scale, in the precision of its training set.

    Returns
    -------
    X : numpy.ndarray of the same shape, C-contiguous, writeable
        float32, or float64 if float32 would lose what tells the series apart.

    Raises
    ------
    ValueError
        If a value is beyond float32's range, or float32 loses the values and the network does
        not scale them.
    """
    loss = float32_loses(X)
    if loss is None:
        return as_float32_panel(X)
    if not scale_inputs:
        channel, level, spread = loss
        raise ValueError(
            f"X varies by only {spread:.3g} in channel {channel}, whose values go up to "
            f"{level:.9g}: float32 cannot hold that, and scale_inputs=False passes it to the "
            "network as it is. Pass X - X.mean(axis=(0, 2), keepdims=True), rescaled to about 1, "
            "or keep scale_inputs=True."
        )
    return cast_panel(X, np.float64)
