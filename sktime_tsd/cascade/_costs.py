"""What a cascade costs: by its threshold, and by its student."""

import pandas as pd

from sktime_tsd._utils.validation import check_number
from sktime_tsd.cascade._calibrate import calibrate

__all__ = ["compare_costs", "cost_frame", "mean_ms"]


def mean_ms(deferral_rate, *, student_ms, teacher_ms):
    """Mean time for one series: the student reads all of them, the teacher those deferred.

    Parameters
    ----------
    deferral_rate : float or numpy.ndarray
    student_ms, teacher_ms : float

    Returns
    -------
    milliseconds : float or numpy.ndarray

    Raises
    ------
    ValueError, TypeError
        If a time is not a number of 0 or more.
    """
    check_number("student_ms", student_ms, low=0)
    check_number("teacher_ms", teacher_ms, low=0)
    return student_ms + deferral_rate * teacher_ms


def cost_frame(curve, threshold, *, student_ms, teacher_ms):
    """Make the table that `CascadeClassifier.cost` returns.

    Parameters
    ----------
    curve : dict of str to numpy.ndarray
        From `threshold_curve`.
    threshold : float
        The one in use.
    student_ms, teacher_ms : float

    Returns
    -------
    costs : pandas.DataFrame
    """
    frame = pd.DataFrame(curve)
    times = {"student_ms": student_ms, "teacher_ms": teacher_ms}
    frame["mean_ms"] = mean_ms(frame["deferral_rate"], **times)
    frame["chosen"] = frame["threshold"] == threshold
    return frame


def compare_costs(cascades, *, student_ms, teacher_ms, target_agreement=None):
    """Find the cheapest of several students for a promised agreement.

    Parameters
    ----------
    cascades : dict of str to CascadeClassifier
        By the student's name. Calibrated, with one teacher, on the same series.
    student_ms : float or dict of str to float
        Milliseconds that each student needs for one series.
    teacher_ms : float
        Milliseconds that the teacher needs for one series.
    target_agreement : float, optional
        Default: each cascade's own.

    Returns
    -------
    frame : pandas.DataFrame
        One row per student, index ``student``, the cheapest first: ``target_agreement``,
        ``threshold``, ``agreement_bound``, ``deferral_rate`` and ``mean_ms`` per series.

    Raises
    ------
    ValueError, TypeError
        If there is no cascade, a time is missing or not a number of 0 or more, or the target
        agreement is not in (0, 1).

    Notes
    -----
    Each promise holds with the confidence of its cascade. For the one picked as the cheapest of
    `m`, the doubt may add up: calibrate with ``confidence_level=1 - 0.05 / m`` to keep 95 %, or
    calibrate the one picked on series of its own.

    Examples
    --------
    >>> import numpy as np
    >>> from sktime_tsd.cascade import CascadeClassifier, compare_costs
    >>> from sktime_tsd.teachers import CallableTeacher
    >>> def teacher(X):
    ...     return 1 / (1 + np.exp(-20 * X.mean(axis=(1, 2))))
    >>> def student(X):
    ...     return 1 / (1 + np.exp(-20 * X[:, 0, 0]))
    >>> X = np.random.default_rng(0).normal(size=(500, 1, 3))
    >>> models = [CallableTeacher(f, classes=["down", "up"]) for f in (student, teacher)]
    >>> cascade = CascadeClassifier(*models, target_agreement=0.9).fit(X)
    >>> table = compare_costs({"first value": cascade}, student_ms=0.1, teacher_ms=20)
    >>> bool(0.1 < table.at["first value", "mean_ms"] < 20)
    True
    """
    kinds = [hasattr(c, "_calibrated") for c in getattr(cascades, "values", list)()]
    if not isinstance(cascades, dict) or not kinds or not all(kinds):
        raise TypeError(
            'cascades must be a dict such as {"alone": cascade, "TSD": cascade}, got '
            f"{cascades!r:.80}."
        )
    if target_agreement is not None:
        check_number("target_agreement", target_agreement, low=0, high=1, boundaries="neither")
    rows = []
    for name, cascade in cascades.items():
        if isinstance(student_ms, dict) and name not in student_ms:
            raise ValueError(f"student_ms has no time for {name!r}, only for {list(student_ms)}.")
        of_student = student_ms[name] if isinstance(student_ms, dict) else student_ms
        cascade._calibrated("compare_costs")
        target = cascade.target_agreement if target_agreement is None else target_agreement
        found = calibrate(
            cascade.calibration_scores_,
            cascade.calibration_agrees_,
            target,
            cascade.confidence_level,
        )
        rows.append(
            {
                "student": name,
                "target_agreement": target,
                "threshold": found.threshold,
                "agreement_bound": found.agreement_bound,
                "deferral_rate": found.deferral_rate,
                "mean_ms": mean_ms(
                    found.deferral_rate, student_ms=of_student, teacher_ms=teacher_ms
                ),
            }
        )
    return pd.DataFrame(rows).set_index("student").sort_values("mean_ms", kind="stable")
