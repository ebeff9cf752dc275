"""Pickles of version 0.1, written before modules and parameters got their present names."""

import pickle
from pathlib import Path

import numpy as np
import pytest

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
