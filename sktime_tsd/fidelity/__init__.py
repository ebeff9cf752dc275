"""How alike two classifiers are in their answers, probabilities and reasons."""

from sktime_tsd.fidelity._fidelity_report import fidelity_report
from sktime_tsd.fidelity._known_evidence import saliency_auc_prc
from sktime_tsd.fidelity._metrics import METRICS, Metric
from sktime_tsd.fidelity._probabilities import (
    jensen_shannon_divergence,
    kl_divergence,
    top_1_agreement,
    total_variation,
)
from sktime_tsd.fidelity._quality import (
    brier_score,
    expected_calibration_error,
    macro_auc_prc,
    negative_log_likelihood,
)
from sktime_tsd.fidelity._reasons import (
    saliency_cosine,
    saliency_kendall,
    saliency_spearman,
    saliency_top_k_overlap,
)
from sktime_tsd.fidelity._reference import FidelityReference
from sktime_tsd.fidelity._removal import RemovalCurves
from sktime_tsd.fidelity._report import FidelityReport, compare
from sktime_tsd.fidelity._verdict import Verdict

__all__ = [
    "METRICS",
    "FidelityReference",
    "FidelityReport",
    "Metric",
    "RemovalCurves",
    "Verdict",
    "brier_score",
    "compare",
    "expected_calibration_error",
    "fidelity_report",
    "jensen_shannon_divergence",
    "kl_divergence",
    "macro_auc_prc",
    "negative_log_likelihood",
    "saliency_auc_prc",
    "saliency_cosine",
    "saliency_kendall",
    "saliency_spearman",
    "saliency_top_k_overlap",
    "top_1_agreement",
    "total_variation",
]
