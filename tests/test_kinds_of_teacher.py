"""A kind of teacher is one class with a scorer of its own."""

import numpy as np
import pytest
import torch
from helpers import learner, random_panel

from sktime_tsd import SaliencyDistilledClassifier, fidelity_report, temporal_saliency
from sktime_tsd._scoring.scorer import Scorer


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
