"""Computes the metrics of a report from the answers of two classifiers."""

from itertools import product

import numpy as np
import pandas as pd
from scipy.stats import binomtest, rankdata

from sktime_tsd._utils.binomial import exact_bounds
from sktime_tsd.fidelity._bootstrap import mean_of_draws
from sktime_tsd.fidelity._metrics import SIDES
from sktime_tsd.fidelity._probabilities import (
    jensen_shannon_divergence,
    kl_divergence,
    top_1_agreement,
    total_variation,
)
from sktime_tsd.fidelity._quality import (
    auc_prc_of_draws,
    brier_score,
    calibration_error_of_draws,
    negative_log_likelihood,
)
from sktime_tsd.fidelity._reasons import (
    saliency_cosine,
    saliency_kendall,
    saliency_spearman,
    saliency_top_k_overlap,
)
from sktime_tsd.fidelity._removal import REMOVAL_SCORES

__all__ = [
    "compare_answers",
    "compare_reasons",
    "compare_removal",
    "curves_frame",
    "is_share",
    "quality_of_whole_sets",
    "reliability",
    "with_intervals",
]


def compare_answers(probabilities, y, classes):
    """Compute per-series values of all metrics without saliency, one column each."""
    both = probabilities["teacher"], probabilities["student"]
    agreement = top_1_agreement(*both)
    samples = {"top_1_agreement": agreement}
    for function in (kl_divergence, jensen_shannon_divergence, total_variation):
        samples[function.__name__] = function(*both)
    if y is not None:
        for side in SIDES:
            right = classes[probabilities[side].argmax(axis=1)] == y
            samples[f"accuracy_{side}"] = right.astype(float)
            for function in (negative_log_likelihood, brier_score):
                samples[f"{function.__name__}_{side}"] = function(y, probabilities[side], classes)
        right = samples["accuracy_teacher"] == 1
        samples["top_1_agreement_teacher_right"] = np.where(right, agreement, np.nan)
        samples["top_1_agreement_teacher_wrong"] = np.where(right, np.nan, agreement)
    return pd.DataFrame(samples)


def quality_of_whole_sets(intervals, probabilities, of_series):
    """Compute, with intervals, the metrics that are not means over series."""
    metrics = {}
    for side in SIDES:
        for name, make in (
            ("auc_prc", auc_prc_of_draws),
            ("expected_calibration_error", calibration_error_of_draws),
        ):
            statistic = make(of_series, probabilities[side])
            metrics[f"{name}_{side}"] = intervals.of(statistic, len(of_series))
    return metrics


def compare_reasons(teacher_saliency, student_saliency):
    """Compute per-series values of all metrics that compare saliencies."""
    measures = (saliency_spearman, saliency_kendall, saliency_top_k_overlap, saliency_cosine)
    return {f.__name__: f(teacher_saliency, student_saliency) for f in measures}


def compare_removal(removed):
    """Compute per-series values of all removal metrics."""
    return {
        f"{name}_{model}_by_{source}": score(removed, model, source)
        for name, score in REMOVAL_SCORES.items()
        for model, source in product(SIDES, SIDES)
    }


def is_share(name):
    """Tell whether a metric is a share of the series, whose interval is exact.

    Parameters
    ----------
    name : str

    Returns
    -------
    bool
    """
    return name.startswith(("top_1_agreement", "accuracy"))


def with_intervals(intervals, samples):
    """Compute value, low and high of the mean of each column.

    Shares get exact binomial intervals: where all series agree, all resamples do, and a bootstrap
    would be sure of it after two series.

    Parameters
    ----------
    intervals : Bootstrap
    samples : pandas.DataFrame
        One row per series; NaN values do not count.

    Returns
    -------
    metrics : dict of str to numpy.ndarray of shape (3,)
        The ends are NaN where the bootstrap has none.
    """
    found = intervals.of(mean_of_draws(samples.to_numpy()), len(samples)).T
    for row, name in zip(found, samples, strict=True):
        if is_share(name) and not np.isnan(row).any():
            n = int(samples[name].notna().sum())
            row[1:] = exact_bounds(samples[name].sum(), n, intervals.levels[1])
    return dict(zip(samples, found, strict=True))


def curves_frame(removed, intervals):
    frames = []
    for (kind, model, source), values in removed.values.items():
        value, low, high = intervals.of(mean_of_draws(values), len(values))
        frame = pd.DataFrame(
            {
                "kind": kind,
                "model": model,
                "source": source,
                "fraction": removed.fractions,
                "value": value,
                "low": low,
                "high": high,
            }
        )
        frames.append(frame.drop_duplicates("fraction"))
    return pd.concat(frames, ignore_index=True)


def reliability(probabilities, samples, confidence_level=0.95):
    """How often a model is right, and agrees with the other, by its confidence.

    For each model, the series are sorted by confidence and split into ten bins of about equal
    size, or fewer if bins would hold under 30 series. Series of equal confidence share a bin.

    Parameters
    ----------
    probabilities : dict of str to numpy.ndarray of shape (n_instances, n_classes)
        Keys "teacher" and "student".
    samples : pandas.DataFrame
        Result of `compare_answers`.
    confidence_level : float, default=0.95
        Level of the Wilson intervals.

    Returns
    -------
    bins : pandas.DataFrame
        One row per model and bin, the least confident bin first. Columns: ``model``, ``bin``
        (from 0), ``n`` series, mean ``confidence``, ``accuracy``, ``agreement`` with the other
        model, and the Wilson intervals of these two: ``accuracy_low``, ``accuracy_high``,
        ``agreement_low`` and ``agreement_high``. Accuracy and its interval are NaN without
        labels.
    """
    frames = []
    for side in SIDES:
        confidence = probabilities[side].max(axis=1)
        by_series = pd.DataFrame(
            {
                "bin": _bins_of_equal_size(confidence),
                "confidence": confidence,
                "accuracy": samples.get(f"accuracy_{side}", np.nan),
                "agreement": samples["top_1_agreement"],
            }
        )
        bins = by_series.groupby("bin")
        frame = bins.mean()
        frame.insert(0, "n", bins.size())
        for name in ("accuracy", "agreement"):
            intervals = [
                _wilson_interval(share, n, confidence_level)
                for share, n in zip(frame[name], frame["n"], strict=True)
            ]
            frame[f"{name}_low"], frame[f"{name}_high"] = np.transpose(intervals)
        frames.append(frame.reset_index().assign(model=side))
    frame = pd.concat(frames, ignore_index=True)
    return frame[["model", *frame.columns.drop("model")]]


def _bins_of_equal_size(confidence, n_bins=10, min_instances=30):
    """Return the bin of each series, (n_instances,), numbered from 0 by confidence."""
    n = len(confidence)
    n_bins = max(1, min(n_bins, n // min_instances))
    share_below = (rankdata(confidence) - 0.5) / n  # ties get their mean rank
    return np.unique((share_below * n_bins).astype(int), return_inverse=True)[1]


def _wilson_interval(share, n, confidence_level):
    if np.isnan(share):
        return np.nan, np.nan
    return binomtest(round(share * n), n).proportion_ci(confidence_level, method="wilson")
