"""Exact binomial bounds of a share, and how many series a claim needs."""

import math

import numpy as np
from scipy.stats import beta, binom

__all__ = ["exact_bounds", "instances_needed", "p_value"]

# No data set is larger, so a search for a number of series ends here.
_MOST_INSTANCES = 10**9


def exact_bounds(n_hits, n_instances, confidence_level):
    """One-sided exact bounds of a share, each valid on its own (Clopper and Pearson).

    Parameters
    ----------
    n_hits : int or numpy.ndarray of int
    n_instances : int
        1 or more.
    confidence_level : float
        Of each bound, in (0, 1).

    Returns
    -------
    low, high : float or numpy.ndarray
        In [0, 1].

    References
    ----------
    Clopper, Pearson, "The use of confidence or fiducial limits illustrated in the case of the
    binomial", Biometrika, 1934.

    Examples
    --------
    >>> from sktime_tsd._utils.binomial import exact_bounds
    >>> [round(float(bound), 3) for bound in exact_bounds(10, 10, 0.95)]
    [0.741, 1.0]
    """
    k = np.asarray(n_hits, dtype=float)
    # a beta distribution with a parameter of 0 does not exist
    low = beta.ppf(1 - confidence_level, np.maximum(k, 0.5), n_instances - k + 1)
    high = beta.ppf(confidence_level, k + 1, np.maximum(n_instances - k, 0.5))
    return np.where(k > 0, low, 0.0)[()], np.where(k < n_instances, high, 1.0)[()]


def p_value(n_errors, n_instances, allowed):
    """How probable it is to see so few errors, if the share of errors were `allowed` or more.

    Parameters
    ----------
    n_errors : int or numpy.ndarray of int
    n_instances : int
    allowed : float
        In [0, 1].

    Returns
    -------
    p : float or numpy.ndarray
        ``P(Binomial(n_instances, allowed) <= n_errors)``. Small values speak for a share below
        `allowed`.
    """
    return binom.cdf(n_errors, n_instances, allowed)


def instances_needed(n_errors, n_instances, allowed, confidence_level):
    """Find how many series would show that a share of errors is below a limit.

    Parameters
    ----------
    n_errors, n_instances : int
        As seen so far; further series are taken to err as often.
    allowed : float
        The limit, in [0, 1].
    confidence_level : float
        In (0, 1).

    Returns
    -------
    n : int or None
        In all. None if the share seen is not below the limit.

    Examples
    --------
    >>> from sktime_tsd._utils.binomial import instances_needed
    >>> instances_needed(0, 20, 0.01, 0.95)
    299
    >>> instances_needed(2, 20, 0.01, 0.95) is None
    True
    """
    share = n_errors / n_instances
    if share >= allowed:
        return None

    def suffice(n):
        n_like_these = math.ceil(share * n - 1e-9)
        return p_value(n_like_these, n, allowed) <= 1 - confidence_level

    high = 1
    while not suffice(high):
        high *= 2
        if high > _MOST_INSTANCES:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if suffice(middle) else (middle, high)
    return high
