"""Percentile bootstrap intervals over the series."""

import numpy as np

from sktime_tsd._utils.validation import check_number

__all__ = ["Bootstrap", "mean_of_draws", "median_of_draws"]

# Counts held at once: limits the memory for large test sets.
_VALUES_PER_CHUNK = 2**22


def mean_of_draws(values):
    """Return the mean over the series as a function of how often each is drawn.

    Parameters
    ----------
    values : numpy.ndarray of shape (n_instances,) or (n_instances, n_values)
        NaN values do not count.

    Returns
    -------
    statistic : callable
        Maps counts of shape (n_resamples, n_instances) to means of shape (n_resamples,) or
        (n_resamples, n_values); NaN for resamples without any value.
    """
    there = (~np.isnan(values)).astype(float)
    zeroed = np.nan_to_num(values, nan=0.0)

    def statistic(counts):
        with np.errstate(invalid="ignore"):
            return (counts @ zeroed) / (counts @ there)

    return statistic


def median_of_draws(values):
    """Return the median as a function of how often each value is drawn.

    Parameters
    ----------
    values : numpy.ndarray of shape (n_instances,)

    Returns
    -------
    statistic : callable
        Maps counts of shape (n_resamples, n_instances) to medians of shape (n_resamples,).
    """

    def statistic(counts):
        return np.array([np.median(np.repeat(values, row)) for row in counts.astype(int)])

    return statistic


class Bootstrap:
    """Percentile intervals of statistics, all from the same resamples of the series.

    Parameters
    ----------
    n_resamples : int
        Number of resamples, drawn with replacement; 0 computes no intervals.
    confidence_level : float
        In (0, 1).
    seed : int

    Raises
    ------
    ValueError, TypeError
        If a setting is out of range.

    References
    ----------
    Efron, Tibshirani, "An introduction to the bootstrap", 1993, chapter 13.

    Examples
    --------
    >>> import numpy as np
    >>> from sktime_tsd.fidelity._bootstrap import Bootstrap, mean_of_draws
    >>> answers = mean_of_draws(np.repeat([0.0, 1.0], 50))
    >>> Bootstrap(n_resamples=1000, confidence_level=0.95, seed=0).of(answers, 100).round(2)
    array([0.5, 0.4, 0.6])
    """

    def __init__(self, n_resamples, confidence_level, seed):
        check_number("n_resamples", n_resamples, integer=True, low=0)
        check_number("confidence_level", confidence_level, low=0, high=1, boundaries="neither")
        self.n_resamples = n_resamples
        self.seed = seed
        self.levels = (1 - confidence_level) / 2, (1 + confidence_level) / 2

    def of(self, statistic, n_instances):
        """Compute a statistic and its interval.

        Parameters
        ----------
        statistic : callable
            Maps counts of shape (n_resamples, n_instances) to values of shape (n_resamples,)
            or (n_resamples, n_values).
        n_instances : int

        Returns
        -------
        value_low_high : numpy.ndarray of shape (3,) or (3, n_values)
            Value and ends of the interval. Resamples where the statistic is NaN are left out;
            the ends are NaN if none is left.
        """
        value = np.asarray(statistic(np.ones((1, n_instances)))[0])
        drawn = [statistic(counts) for counts in self._counts(n_instances)]
        if not drawn or n_instances < 2 or np.isnan(value).all():
            return np.stack([value, np.full_like(value, np.nan), np.full_like(value, np.nan)])
        drawn = np.concatenate(drawn)
        low_high = np.full((2, *value.shape), np.nan)
        defined = ~np.isnan(drawn).all(axis=0)
        low_high[:, defined] = np.nanquantile(drawn[:, defined], self.levels, axis=0)
        return np.stack([value, *low_high])

    def _counts(self, n):
        """Yield how often each series is drawn, in chunks of shape (some resamples, n)."""
        generator = np.random.default_rng(self.seed)
        per_chunk = max(1, _VALUES_PER_CHUNK // n)
        for first in range(0, self.n_resamples, per_chunk):
            n_rows = min(per_chunk, self.n_resamples - first)
            drawn = generator.integers(n, size=(n_rows, n)) + n * np.arange(n_rows)[:, None]
            counts = np.bincount(drawn.ravel(), minlength=n_rows * n).reshape(n_rows, n)
            yield counts.astype(float)  # integer matrix products are slow
