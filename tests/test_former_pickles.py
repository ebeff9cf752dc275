"""Pickles of version 0.1, written before modules and parameters got their present names."""

import copy
import pickle
from pathlib import Path

import numpy as np
import pytest

from sktime_tsd import SaliencyDistilledClassifier
from sktime_tsd.datasets import load_dataset
from sktime_tsd.losses import KD


@pytest.fixture(scope="module")
def former():
    return pickle.loads((Path(__file__).parent / "data" / "version_0_1.pkl").read_bytes())


def test_a_classifier_answers_as_it_did(former):
    X, y = load_dataset("UnitTest", split="train")
    clf = former["classifier"]
    np.testing.assert_allclose(clf.predict_logits(X), former["logits"], atol=1e-6)
    assert clf.saliency_temperature == 4.0
    assert clf.saliency_top_n == 1
    assert clf.distillation == [KD()]
    assert [row["epoch"] for row in clf.student_.history_] == [1, 2]
    assert clf.clone().fit(X, y).is_fitted


def test_a_report_reads_as_it_did(former):
    report = former["report"]
    assert 0 <= report["top_1_agreement"] <= 1
    assert report.settings["n_resamples"] == 20
    assert "Fidelity" in str(report)
    assert report.metrics.equals(report.to_frame())


def test_its_reliability_has_the_columns_of_today(former):
    columns = set(former["report"].reliability.columns)
    assert {"accuracy_low", "accuracy_high", "agreement_low", "agreement_high"} <= columns


class Own(SaliencyDistilledClassifier):
    """Has a parameter of its own under the former name of another."""

    def __init__(self, teacher=None, student=None, saliency_temperature=8.0, temperature=1.0):
        self.temperature = temperature
        super().__init__(teacher, student, saliency_temperature=saliency_temperature)


def test_parameters_of_subclasses_keep_their_names():
    copied = copy.deepcopy(Own(temperature=2.0, saliency_temperature=5.0))
    assert (copied.temperature, copied.saliency_temperature) == (2.0, 5.0)
