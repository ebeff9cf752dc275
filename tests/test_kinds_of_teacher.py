"""A kind of teacher is one class with a scorer of its own."""

import numpy as np
import pytest
import torch
from helpers import learner, random_panel
from scipy.special import softmax
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.frozen import FrozenEstimator

from sktime_tsd import (
    SaliencyDistilledClassifier,
    SkorchClassifier,
    fidelity_report,
    temporal_saliency,
)
from sktime_tsd._scoring.scorer import Scorer
from sktime_tsd.losses import FitNets
from sktime_tsd.networks import n_parameters


class LevelScorer(Scorer):
    """Tells classes by the mean of a series."""

    def __init__(self, classes):
        super().__init__(self, classes, "level")

    def logits(self, x):
        mean = x.mean(dim=(1, 2)).cpu()
        return torch.stack([1 - 2 * mean, 2 * mean - 1], dim=1)

    def probabilities(self, X):
        return self.logits(torch.from_numpy(X)).softmax(dim=1).double().numpy()

    def bank_logits(self, X, bank, progress):
        logits = self.logits(X)
        copies = bank.perturb(X, torch.arange(len(X)), slice(None))
        progress(len(X) * (1 + bank.n_entries))
        return logits, self.logits(copies.flatten(0, 1)).unflatten(0, copies.shape[:2])


class Level:
    """No classifier of any library: no fit, no predict_proba, no parameters."""

    def __init__(self, classes):
        self.classes = classes

    def _scorer(self):
        return LevelScorer(self.classes)


@pytest.fixture
def data():
    return random_panel(24)


def test_what_makes_its_own_scorer_teaches(data):
    X, y = data
    teacher = Level(np.unique(y))
    clf = SaliencyDistilledClassifier(teacher, learner(), bank_size=4, n_windows=2, random_state=0)
    clf.fit(X, y)
    assert clf.teacher_ is teacher
    assert clf.student_.history_[-1]["saliency"] > 0
    report = fidelity_report(teacher, clf.student_, X, y, background=X)
    assert report["top_1_agreement"] > 0.5
    assert report["latency_1_teacher"] > 0


def test_its_saliency_is_that_of_its_answers(data):
    X, y = data
    saliency = temporal_saliency(Level(np.unique(y)), X[:2], background=X, random_state=0)
    assert saliency.values.max() > 0
    assert saliency.classes.tolist() == np.unique(y).tolist()


def test_it_teaches_frozen_too(data):
    X, y = data
    teacher = Level(np.unique(y))
    clf = SaliencyDistilledClassifier(
        FrozenEstimator(FrozenEstimator(teacher)), learner(), bank_size=4, n_windows=2
    )
    assert clf.fit(X, y).teacher_ is teacher


class Boosting(HistGradientBoostingClassifier):
    """Has an attribute ``_scorer`` of its own, as scikit-learn's does."""

    def fit(self, X, y):
        return super().fit(X.reshape(len(X), -1), y)

    def predict_proba(self, X):
        return super().predict_proba(X.reshape(len(X), -1))


def test_an_attribute_of_the_same_name_makes_no_scorer(data):
    X, y = data
    fitted = Boosting(max_iter=3, min_samples_leaf=2).fit(X, y)
    assert "_scorer" in vars(fitted)
    assert temporal_saliency(fitted, X[:2], background=X).values.shape == (2, 20)
    clf = SaliencyDistilledClassifier(FrozenEstimator(fitted), learner(), bank_size=4, n_windows=2)
    assert clf.fit(X, y).is_fitted


class Softened(SkorchClassifier):
    """Its probabilities are not the softmax of its logits."""

    def predict_proba(self, X):
        return softmax(self.predict_logits(X).astype(float) / 4, axis=1)


def test_a_report_measures_the_saliency_that_temporal_saliency_does(data):
    X, y = data
    teacher = learner().fit(X, y)
    student = Softened("fcn", {"filters": (8,), "kernel_sizes": (3,)}, max_epochs=5).fit(X, y)
    report = fidelity_report(
        teacher, student, X, y, background=X, random_state=0, latency=False, removal=False
    )
    expected = temporal_saliency(student, X, background=X, random_state=0)
    np.testing.assert_allclose(report.student_saliency.values, expected.values, atol=1e-7)
    assert report["parameters_student"] == n_parameters(student.network_)


@pytest.mark.parametrize("freeze", [False, True], ids=["fitted inside", "frozen"])
def test_a_network_with_answers_of_its_own_has_features(freeze, data):
    X, y = data
    teacher = Softened("fcn", {"filters": (8,), "kernel_sizes": (3,)}, max_epochs=5, random_state=0)
    if freeze:
        teacher = FrozenEstimator(FrozenEstimator(teacher.fit(X, y)))
    clf = SaliencyDistilledClassifier(
        teacher, learner(), saliency_weight=0, distillation=[FitNets()], random_state=0
    )
    assert "fitnets" in clf.fit(X, y).student_.history_[-1]
