"""Reports where rounding, or another road to the same numbers, must not matter."""

import numpy as np
import pytest
import torch
from helpers import flat
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from sktime_tsd import fidelity_report
from sktime_tsd.perturbations import Zero

X = np.random.RandomState(0).randn(30, 2, 12)
Y = np.random.RandomState(1).choice(["a", "b", "c"], 30)
QUICK = {"n_resamples": 0, "latency": False, "random_state": 0}


class Sharp:
    """Far more certain than probabilities of 1e-6 can tell."""

    classes_ = np.array(["a", "b", "c"])

    def predict_proba(self, X):
        return softmax(self.logits(X), axis=1)

    def logits(self, X):
        return 12 * X[:, 0, :3].astype(float)


class SharpLogits(Sharp):
    def predict_logits(self, X):
        return self.logits(X)


class Mean(Sharp):
    def __init__(self, slope):
        self.slope = slope

    def logits(self, X):
        return np.outer(X.mean(axis=(1, 2)), [self.slope, 0.0, 0.0])


def test_logits_and_probabilities_of_one_function_are_alike():
    report = fidelity_report(Sharp(), SharpLogits(), X, Y, background=X, **QUICK)
    for name in ("spearman", "kendall", "top_k_overlap", "cosine"):
        assert report[f"saliency_{name}"] == pytest.approx(1)
    for name in ("deletion_area", "sufficiency"):
        own, other = report[f"{name}_teacher_by_teacher"], report[f"{name}_student_by_student"]
        assert own == pytest.approx(other)
    assert report["kl_divergence"] == pytest.approx(0, abs=1e-6)


def test_two_sides_that_find_all_parts_alike_agree_whatever_the_windows():
    """Sums of equal numbers are not always equal: rounding must not make an order."""
    constant = np.full((4, 1, 60), 0.7)
    options = {"perturbation": Zero(), "window": 6, "stride": 1}
    report = fidelity_report(Mean(1.0), Mean(0.1), constant, **options, **QUICK)
    for name in ("spearman", "kendall", "top_k_overlap"):
        assert report[f"saliency_{name}"] == 1


def test_quality_is_that_of_the_series_as_given():
    """Not of float32 copies, which cannot tell these series apart."""
    far = X + 1.6e9
    clf = flat(StandardScaler(), LogisticRegression()).fit(far, Y)
    report = fidelity_report(clf, clf, far, Y, max_saliency_instances=0, **QUICK)
    assert report["accuracy_teacher"] == clf.score(far, Y)
    assert report["accuracy_teacher"] > 0.8


class Float32Network:
    """As wrappers of other libraries are: of the series' own dtype, or not at all."""

    classes_ = np.array(["a", "b", "c"])
    network = torch.nn.Linear(24, 3)

    def predict_proba(self, X):
        with torch.no_grad():
            return self.network(torch.from_numpy(X).flatten(1)).softmax(dim=1).numpy()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_network_that_wants_float32_gets_it(dtype):
    clf = Float32Network()
    assert fidelity_report(clf, clf, X.astype(dtype), Y, **QUICK)["top_1_agreement"] == 1
