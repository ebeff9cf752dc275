"""Agreement and KL divergence by the teacher's class, and by whether the teacher is right."""

import numpy as np
import pandas as pd

from sktime_tsd.fidelity._bootstrap import Bootstrap
from sktime_tsd.fidelity._comparisons import with_intervals

__all__ = ["PARTED", "class_line_names", "class_lines"]

#: Metrics that are also computed for parts of the series.
PARTED = ("top_1_agreement", "kl_divergence")


def _parts(report):
    """Yield the name of each part of the series, and which are in it."""
    answers = report.teacher_probabilities.argmax(axis=1)
    for k, label in enumerate(report.classes.tolist()):
        yield f"class_{label}", answers == k
    if "accuracy_teacher" in report.samples:
        right = report.samples["accuracy_teacher"].to_numpy() == 1
        yield "teacher_right", right
        yield "teacher_wrong", ~right


def class_line_names(report):
    """Names of the lines that `class_lines` computes, besides the metrics of the report.

    Parameters
    ----------
    report : FidelityReport

    Returns
    -------
    names : list of str
        ``top_1_agreement_class_...`` and ``kl_divergence_class_...`` for each class that the
        teacher may answer and, with labels, those where the teacher is right or wrong.
    """
    names = [f"{name}_{part}" for name in PARTED for part, _ in _parts(report)]
    return [name for name in names if name not in report.metrics.index]


def class_lines(report, names):
    """Compute lines for parts of the series, with intervals as in the report.

    Parameters
    ----------
    report : FidelityReport
    names : list of str
        Some of `class_line_names`.

    Returns
    -------
    samples : pandas.DataFrame
        One row per series; NaN for series of another part.
    intervals : dict of str to numpy.ndarray of shape (3,)
        Value, low and high.
    """
    samples = {
        f"{name}_{part}": np.where(inside, report.samples[name], np.nan)
        for name in PARTED
        for part, inside in _parts(report)
        if f"{name}_{part}" in names
    }
    samples = pd.DataFrame(samples, index=report.samples.index)
    settings = report.settings
    bootstrap = Bootstrap(
        settings["n_resamples"], settings["confidence_level"], settings["random_state"]
    )
    return samples, with_intervals(bootstrap, samples) if len(samples.columns) else {}
