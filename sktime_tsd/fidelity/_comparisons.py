"""The metrics of a report, from the answers of two classifiers."""

from itertools import product

import numpy as np
import pandas as pd

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
    confidence_bins,
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
    "quality_of_whole_sets",
    "reliability",
    "with_intervals",
]


def compare_answers(probabilities, y, classes):
    """Values per series of all metrics that need no saliency, a column each."""
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
    """Metrics that are no mean over series, with intervals."""
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
    """Values per series of all metrics that compare saliencies."""
    measures = (saliency_spearman, saliency_kendall, saliency_top_k_overlap, saliency_cosine)
    return {f.__name__: f(teacher_saliency, student_saliency) for f in measures}


def compare_removal(removed):
    """Values per series of all metrics that rest on removal."""
    return {
        f"{name}_{model}_by_{source}": score(removed, model, source)
        for name, score in REMOVAL_SCORES.items()
        for model, source in product(SIDES, SIDES)
    }


def with_intervals(intervals, samples):
    """Value, low and high of the mean of each column."""
    found = intervals.of(mean_of_draws(samples.to_numpy()), len(samples))
    return dict(zip(samples, found.T, strict=True))


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


def reliability(probabilities, samples):
    """Means of each bin of confidence, for both models."""
    frames = []
    for side in SIDES:
        confidence, bins = confidence_bins(probabilities[side])
        by_series = pd.DataFrame(
            {
                "bin": bins,
                "confidence": confidence,
                "accuracy": samples.get(f"accuracy_{side}", np.nan),
                "agreement": samples["top_1_agreement"],
            }
        )
        frame = by_series.groupby("bin").mean()
        frame.insert(0, "n", by_series.groupby("bin").size())
        frames.append(frame.reset_index().assign(model=side))
    columns = ["model", "bin", "n", "confidence", "accuracy", "agreement"]
    return pd.concat(frames, ignore_index=True)[columns]
