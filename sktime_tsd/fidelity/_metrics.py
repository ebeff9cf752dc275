"""Names, labels, units and directions of the metrics of a fidelity report."""

from dataclasses import dataclass

from sktime_tsd.fidelity._explainers import EXPLAINERS, HELD_OUT

__all__ = ["ALL_METRICS", "DEVICE_METRICS", "GROUPS", "METRICS", "Metric"]

SIDES = ("teacher", "student")


@dataclass(frozen=True)
class Metric:
    """One metric of a report.

    Parameters
    ----------
    name : str
        Index of the metric in the report.
    group : str
        A key of ``GROUPS``.
    label : str
        What a printed report shows.
    unit : str
        Empty for a metric without unit, such as a share.
    higher_is_better : bool
    side : {"teacher", "student"} or None
        Which model it measures; None for a comparison of both.
    """

    name: str
    group: str
    label: str
    unit: str
    higher_is_better: bool
    side: str | None = None

    @property
    def axis_label(self):
        """Label with side and unit, for the axis of a plot."""
        side = f", {self.side}" if self.side else ""
        return f"{self.label.strip()}{side}" + (f" ({self.unit})" if self.unit else "")


GROUPS = {
    "answers": "Same answers",
    "probabilities": "Same probabilities",
    "reasons": "Same reasons",
    "held_out": "Same reasons, by explainers nobody trained on",
    "removal": "Answers as parts are removed or added, by whose saliency",
    "quality": "Against the true labels",
    "cost": "Cost",
    "device": "Student as a C file",
}


def _metrics():
    yield Metric("top_1_agreement", "answers", "top-1 agreement", "", True)
    yield Metric(
        "top_1_agreement_teacher_right", "answers", "  where the teacher is right", "", True
    )
    yield Metric(
        "top_1_agreement_teacher_wrong", "answers", "  where the teacher is wrong", "", True
    )
    yield Metric("kl_divergence", "probabilities", "KL(teacher || student)", "nats", False)
    yield Metric("jensen_shannon_divergence", "probabilities", "Jensen-Shannon", "nats", False)
    yield Metric("total_variation", "probabilities", "total variation", "", False)
    yield Metric("saliency_spearman", "reasons", "Spearman correlation", "", True)
    yield Metric("saliency_kendall", "reasons", "Kendall correlation", "", True)
    yield Metric("saliency_top_k_overlap", "reasons", "overlap of the top 10 %", "", True)
    yield Metric("saliency_cosine", "reasons", "cosine", "", True)
    yield Metric(HELD_OUT, "held_out", "mean Spearman correlation", "", True)
    for name, explainer in EXPLAINERS.items():
        yield Metric(f"{HELD_OUT}_{name}", "held_out", f"  {explainer.label}", "", True)
    for name, label, higher in (
        ("deletion_area", "deletion area", False),
        ("insertion_area", "insertion area", True),
        ("comprehensiveness", "comprehensiveness", True),
        ("sufficiency", "sufficiency", False),
    ):
        for source in SIDES:
            for side in SIDES:
                yield Metric(
                    f"{name}_{side}_by_{source}",
                    "removal",
                    f"{label} by {source}",
                    "",
                    higher,
                    side,
                )
    for name, group, label, unit, higher in (
        ("accuracy", "quality", "accuracy", "", True),
        ("auc_prc", "quality", "macro AUC-PRC", "", True),
        ("negative_log_likelihood", "quality", "neg. log-likelihood", "nats", False),
        ("brier_score", "quality", "Brier score", "", False),
        ("expected_calibration_error", "quality", "calibration error", "", False),
        ("parameters", "cost", "parameters", "", False),
        ("bytes", "cost", "size", "bytes", False),
        ("latency_1", "cost", "one call, 1 series", "ms", False),
        ("latency_256", "cost", "one call, 256 series", "ms", False),
    ):
        for side in SIDES:
            yield Metric(f"{name}_{side}", group, label, unit, higher, side)


METRICS = {metric.name: metric for metric in _metrics()}

#: What a report with `c_cost` says in addition.
DEVICE_METRICS = {
    f"c_{name}": Metric(f"c_{name}", "device", label, unit, higher_is_better=False)
    for name, label, unit in (
        ("weight_bytes", "weights", "bytes"),
        ("code_bytes", "code", "bytes"),
        ("stack_bytes", "stack", "bytes"),
        ("static_bytes", "static memory", "bytes"),
        ("multiply_adds", "multiply-adds", ""),
    )
}

ALL_METRICS = METRICS | DEVICE_METRICS
