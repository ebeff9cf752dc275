"""Whether new series are still like those of the calibration."""

from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd
from scipy.stats import fisher_exact, ks_2samp

from sktime_tsd._utils.validation import check_number

__all__ = ["DriftCheck", "check_drift"]


@dataclass(frozen=True, repr=False)
class DriftCheck:
    """New series beside those of the calibration, as `CascadeClassifier.check` returns it.

    Parameters
    ----------
    n_calibration, n_new : int
        Number of series.
    calibration_deferral_rate, deferral_rate : float
        Share of them that the teacher answers.
    deferral_p : float
        p-value of Fisher's exact test that both shares are equal.
    score_distance : float
        Largest distance of the distribution functions of the student's scores, in [0, 1].
    score_p : float
        p-value of the Kolmogorov-Smirnov test that both are equal.
    significance_level : float
        Probability of a false alarm, of both tests together.
    """

    n_calibration: int
    n_new: int
    calibration_deferral_rate: float
    deferral_rate: float
    deferral_p: float
    score_distance: float
    score_p: float
    significance_level: float

    @property
    def drifted(self):
        """Whether it is time to calibrate anew."""
        # two tests share the false alarms: Bonferroni
        return bool(min(self.deferral_p, self.score_p) <= self.significance_level / 2)

    def to_frame(self):
        """Return the comparison as a table.

        Returns
        -------
        frame : pandas.DataFrame
            One row per test, index ``test``; columns ``calibration`` and ``new`` (the deferral
            rates), ``difference``, ``p`` and ``drifted``.
        """
        rates = self.calibration_deferral_rate, self.deferral_rate
        rows = {
            "deferral_rate": (*rates, rates[1] - rates[0], self.deferral_p),
            "score": (np.nan, np.nan, self.score_distance, self.score_p),
        }
        columns = ["calibration", "new", "difference", "p"]
        frame = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
        frame["drifted"] = frame["p"] <= self.significance_level / 2
        return frame.rename_axis("test")

    def _lines(self):
        return [
            f"Drift of {self.n_new:,} new series against {self.n_calibration:,} of the calibration",
            f"  deferred to the teacher: {self.calibration_deferral_rate:.1%} -> "
            f"{self.deferral_rate:.1%} (Fisher's exact test, p = {self.deferral_p:.2g})",
            f"  student's scores: distance {self.score_distance:.3f} "
            f"(Kolmogorov-Smirnov test, p = {self.score_p:.2g})",
            "The series have changed, so the promise no longer stands: calibrate anew, with "
            "series as they are now."
            if self.drifted
            else "No change to be seen in the student's scores. A change that leaves them alone "
            "would not show: now and then, ask the teacher for some series that it does not get.",
        ]

    def __repr__(self):
        return "\n".join(self._lines())

    def _repr_html_(self):
        title, *lines, verdict = self._lines()
        items = "".join(f"<li>{escape(line.strip())}</li>" for line in lines)
        return f"<p>{escape(title)}</p><ul>{items}</ul><p><b>{escape(verdict)}</b></p>"


def check_drift(of_calibration, of_new, threshold, *, significance_level):
    """Compare the student's scores of new series with those of the calibration.

    Parameters
    ----------
    of_calibration : numpy.ndarray of shape (n_calibration,)
    of_new : numpy.ndarray of shape (n_new,)
    threshold : float
        Series with a score of at most this are deferred.
    significance_level : float
        In (0, 1).

    Returns
    -------
    drift : DriftCheck

    Raises
    ------
    ValueError, TypeError
        If `significance_level` is not in (0, 1).

    Examples
    --------
    >>> import numpy as np
    >>> from sktime_tsd.cascade._drift import check_drift
    >>> rng = np.random.default_rng(0)
    >>> old, same, worse = rng.random(500), rng.random(100), 0.7 * rng.random(100)
    >>> [check_drift(old, new, 0.4, significance_level=0.01).drifted for new in (same, worse)]
    [False, True]
    """
    check_number("significance_level", significance_level, low=0, high=1, boundaries="neither")
    deferred = [scores <= threshold for scores in (of_calibration, of_new)]
    counts = [[int(mask.sum()), int((~mask).sum())] for mask in deferred]
    scores = ks_2samp(of_calibration, of_new)
    return DriftCheck(
        n_calibration=len(of_calibration),
        n_new=len(of_new),
        calibration_deferral_rate=float(deferred[0].mean()),
        deferral_rate=float(deferred[1].mean()),
        deferral_p=float(fisher_exact(counts).pvalue),
        score_distance=float(scores.statistic),
        score_p=float(scores.pvalue),
        significance_level=significance_level,
    )
