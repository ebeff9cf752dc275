"""What a calibrated cascade costs, and whether it still holds."""

from sktime_tsd.cascade._calibrate import threshold_curve
from sktime_tsd.cascade._costs import cost_frame
from sktime_tsd.cascade._drift import check_drift

__all__ = ["CascadeAnalysis"]


class CascadeAnalysis:
    """Mixin of a cascade: costs by threshold, and a check of new series."""

    def cost(self, *, student_ms, teacher_ms):
        """Compute what each threshold would cost and give, on the calibration series.

        Parameters
        ----------
        student_ms, teacher_ms : float
            Milliseconds that each needs for one series, such as ``report["latency_1_student"]``
            of a fidelity report.

        Returns
        -------
        costs : pandas.DataFrame
            One row per threshold, the safest first: ``threshold``, ``agreement_bound``,
            ``agreement`` (seen), ``deferral_rate``, ``mean_ms`` (per series: every series costs
            the student's time, deferred ones the teacher's as well) and ``chosen``, True in the
            row of ``threshold_``. A bound holds for a threshold fixed beforehand. For one chosen
            from the table, set `target_agreement` and calibrate.

        Raises
        ------
        ValueError, TypeError
            If a time is not a number of 0 or more.
        NotFittedError
            If the cascade is not calibrated.
        """
        self._calibrated("cost")
        curve = threshold_curve(
            self.calibration_scores_, self.calibration_agrees_, self.confidence_level
        )
        return cost_frame(curve, self.threshold_, student_ms=student_ms, teacher_ms=teacher_ms)

    def check(self, X, *, significance_level=0.01):
        """Compare new series with the calibration's, to see if the promise still stands.

        Parameters
        ----------
        X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
            New series, as they come in production. Only the student is asked.
        significance_level : float, default=0.01
            Probability of a false alarm, in (0, 1).

        Returns
        -------
        drift : DriftCheck
            Print it. ``drift.drifted`` is True if it is time to calibrate anew.

        Raises
        ------
        ValueError, TypeError
            If the series or `significance_level` cannot be used.
        NotFittedError
            If the cascade is not calibrated.
        """
        self._calibrated("check")
        return check_drift(
            self.calibration_scores_,
            self._scores(self._of_student(X)),
            self.threshold_,
            significance_level=significance_level,
        )
