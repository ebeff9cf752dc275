"""From scores and agreements to the threshold of a cascade that keeps its promise."""

from typing import NamedTuple

import numpy as np

from sktime_tsd._utils.binomial import exact_bounds, instances_needed, p_value

__all__ = ["Calibration", "calibrate", "threshold_curve", "why_all_are_deferred"]


class Calibration(NamedTuple):
    """What `calibrate` finds.

    Parameters
    ----------
    threshold : float
        Series with a score above it are the student's. ``inf`` defers all, ``-inf`` none.
    deferral_rate : float
        Share of the calibration series with scores of at most `threshold`.
    agreement_bound : float
        Lower bound of the share of answers equal to the teacher's.
    n_needed : int or None
        How many series would do where all are deferred. None if no number of series like these
        would do, or if some are not deferred.
    """

    threshold: float
    deferral_rate: float
    agreement_bound: float
    n_needed: int | None = None


def _steps(scores, agrees):
    """Thresholds from the safest, with the series kept above each and the errors among them."""
    values, place = np.unique(-scores, return_inverse=True)
    values = -values  # falling
    n_kept = np.bincount(place, minlength=len(values)).cumsum()
    n_errors = np.bincount(place, weights=~agrees, minlength=len(values)).cumsum()
    # between two scores, so that rounding moves no series across; equal scores stay together
    between = values[:-1] / 2 + values[1:] / 2
    between = np.where((between < values[:-1]) & (between >= values[1:]), between, values[1:])
    return np.append(between, -np.inf), n_kept, n_errors.astype(int)


def calibrate(scores, agrees, target_agreement, confidence_level):
    """Find the threshold at which a student may answer in its teacher's place.

    At a threshold t, the cascade errs on a series if its score is above t and the student's answer
    is not the teacher's. ``R(t)`` is the probability of that, and ``K(t)`` the number of such
    errors among the n calibration series: all of them, not only those kept. A threshold passes if
    ``P(Binomial(n, 1 - target_agreement) <= K(t)) <= 1 - confidence_level``. Thresholds are tested
    from the safest, the highest; the first that fails ends the search, and the last that passed is
    taken.

    R and K only grow as t falls. So a threshold with too large a risk is taken only if the test
    errs where R crosses ``1 - target_agreement``. Its probability is at most
    ``1 - confidence_level``: many thresholds need no correction.

    Parameters
    ----------
    scores : numpy.ndarray of shape (n_instances,)
        How sure the student is; higher is surer. Finite.
    agrees : numpy.ndarray of shape (n_instances,), bool
        Whether the student gives the teacher's answer.
    target_agreement : float
        In (0, 1).
    confidence_level : float
        In (0, 1).

    Returns
    -------
    calibration : Calibration

    References
    ----------
    Angelopoulos, Bates, Candès, Jordan, Lei, "Learn then test: calibrating predictive algorithms
    to achieve risk control", 2021. For risks that only grow: Bates et al., "Distribution-free,
    risk-controlling prediction sets", Journal of the ACM, 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from sktime_tsd.cascade._calibrate import calibrate
    >>> scores = np.linspace(0.5, 1, 201)
    >>> found = calibrate(scores, scores > 0.7, target_agreement=0.95, confidence_level=0.95)
    >>> round(found.threshold, 3), round(found.deferral_rate, 3), round(found.agreement_bound, 3)
    (0.691, 0.383, 0.955)
    """
    n, allowed = len(scores), 1 - target_agreement
    thresholds, n_kept, n_errors = _steps(scores, agrees)
    passes = p_value(n_errors, n, allowed) <= 1 - confidence_level
    n_passed = len(passes) if passes.all() else int(passes.argmin())  # up to the first failure
    if n_passed == 0:
        # the series that count: the surest, and the others as if deferred
        needed = instances_needed(int(n_errors[0]), n, allowed, confidence_level)
        return Calibration(np.inf, 1.0, 1.0, needed)
    last = n_passed - 1
    bound = exact_bounds(n - n_errors[last], n, confidence_level)[0]
    return Calibration(float(thresholds[last]), float((n - n_kept[last]) / n), float(bound))


def threshold_curve(scores, agrees, confidence_level):
    """Compute what each threshold would have given, from the safest to the last.

    Parameters
    ----------
    scores, agrees : numpy.ndarray of shape (n_instances,)
    confidence_level : float

    Returns
    -------
    curve : dict of str to numpy.ndarray of shape (n_thresholds + 1,)
        ``threshold`` (falling from ``inf`` to ``-inf``), ``agreement_bound``, ``agreement``
        (seen) and ``deferral_rate``.
    """
    n = len(scores)
    thresholds, n_kept, n_errors = _steps(scores, agrees)
    bounds = exact_bounds(n - n_errors, n, confidence_level)[0]
    return {
        "threshold": np.append(np.inf, thresholds),
        "agreement_bound": np.append(1.0, bounds),
        "agreement": np.append(1.0, 1 - n_errors / n),
        "deferral_rate": np.append(1.0, (n - n_kept) / n),
    }


def why_all_are_deferred(n_instances, n_needed, target_agreement, confidence_level):
    """Say why a promise cannot be made, and what would help.

    Parameters
    ----------
    n_instances : int
        Number of calibration series.
    n_needed : int or None
        See `Calibration`.
    target_agreement, confidence_level : float

    Returns
    -------
    message : str
    """
    promise = (
        f"The promise of {target_agreement:g} agreement at a confidence level of "
        f"{confidence_level:g} cannot be made, so the teacher answers all series"
    )
    if n_needed is not None:
        return (
            f"{promise}: it takes about {n_needed:,} calibration series, got {n_instances:,}. Pass "
            "more (they need no labels), or lower target_agreement."
        )
    at_least = instances_needed(0, 1, 1 - target_agreement, confidence_level)
    return (
        f"{promise}: even where the student is surest, it often differs from the teacher. More "
        f"series like these {n_instances:,} would not do; with another student or score, it takes "
        f"{at_least:,} or more. Or lower target_agreement."
    )
