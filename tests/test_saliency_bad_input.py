"""What `temporal_saliency` refuses, in words that help, and what it must not stumble on."""

import numpy as np
import pandas as pd
import pytest
from helpers import distiller, flat, learner, random_panel
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import LinearSVC
from sktime.classification.dummy import DummyClassifier
from sktime.datatypes import convert
from torch import nn

from sktime_tsd import SkorchClassifier, temporal_saliency
from sktime_tsd.perturbations import AnyClass, OpposingClass, SameClass, Zero

X, Y = random_panel(6, n_channels=2, n_timepoints=12)


def with_nan():
    bad = X.copy()
    bad[3, 0, 2] = np.nan
    return bad


UNFITTED_PIPELINE = make_pipeline(FunctionTransformer(), LogisticRegression())
NAN_LABELS = [np.nan, *Y[1:].tolist()]
RAGGED = [pd.DataFrame({"a": np.arange(10.0 + i), "b": 0.0}) for i in range(6)]
NESTED = pd.DataFrame({c: [pd.Series(np.arange(10.0 + i)) for i in range(6)] for c in "ab"})
INDEXED = convert(X, "numpy3D", "pd-multiindex").iloc[:-1]


class Logits:
    def __init__(self, classes=(0, 1), fill=0.0):
        self.classes_ = classes
        self.fill = fill

    def predict_logits(self, X):
        return np.full((len(X), 2), self.fill)


BAD = [
    ({"X": None}, TypeError, "^X .*NoneType"),
    ({"X": "abc"}, TypeError, "^X .*str"),
    ({"X": RAGGED}, ValueError, "unequal"),
    ({"X": NESTED}, ValueError, "unequal"),
    ({"X": INDEXED}, ValueError, "unequal"),
    ({"background": INDEXED}, ValueError, "^background.*unequal"),
    ({"background": [X, Y]}, TypeError, "^background.*list"),
    ({"background": (Y, X)}, ValueError, "^background"),
    ({"background": (X, None)}, TypeError, "^background"),
    ({"background": (X, [None] * 6)}, ValueError, "^background.*6 missing"),
    ({"background": X[:0]}, ValueError, "^background"),
    ({"background": "abc"}, TypeError, "^background.*str"),
    ({"random_state": "a"}, ValueError, "(?i)seed"),
    ({"random_state": -1}, ValueError, "(?i)seed"),
    ({"classifier": None}, TypeError, "classifier.*NoneType"),
    ({"classifier": SkorchClassifier}, TypeError, "class SkorchClassifier"),
    ({"classifier": FrozenEstimator(nn.Linear(12, 2))}, TypeError, "from_module"),
    ({"classifier": flat(LinearSVC()).fit(X, Y)}, TypeError, "predict_proba"),
    ({"classifier": LogisticRegression().fit(X[:, 0], Y)}, ValueError, "flatten"),
    ({"classifier": Logits(fill=np.nan)}, ValueError, "finite.* 6 of 6"),
    ({"classifier": Logits([0, 1, 2])}, ValueError, r"Logits.*\b3 classes_.*\b2 classes"),
    ({"X": with_nan()}, ValueError, r"X .*NaN.* 1 of 6 .*series 3\b"),
    ({"X": X[:0]}, ValueError, r"X .*shape.*\(0, 2, 12\)"),
    ({"X": X[0, 0]}, ValueError, r"X .*shape.*\(12,\)"),
    ({"X": X[:, :1]}, ValueError, "X .*1 channel.*2 channels"),
    ({"X": X[..., :11]}, ValueError, "X .*11 time points.*12 time points"),
    ({"X": X.astype(object)}, TypeError, "X .*dtype object"),
    ({"classifier": learner()}, ValueError, "fitted"),
    ({"classifier": distiller()}, ValueError, "fitted"),
    ({"classifier": DummyClassifier()}, ValueError, "fitted"),
    ({"classifier": UNFITTED_PIPELINE}, ValueError, "fitted"),
    ({"classifier": nn.Linear(12, 2)}, TypeError, "from_module"),
    ({"window": 0}, ValueError, "window.*0"),
    ({"window": 13}, ValueError, "window=13.*12"),
    ({"window": 1.5}, ValueError, r"window=1\.5.*fraction"),
    ({"window": True}, TypeError, "window.*True"),
    ({"window": "0.1"}, TypeError, "window.*'0.1'"),
    ({"stride": 0}, ValueError, "stride.*0"),
    ({"stride": 4, "window": 3}, ValueError, "stride.*4.*3"),
    ({"stride": 1.0}, TypeError, "stride.*1.0"),
    ({"n_donors": 0}, ValueError, "n_donors.*0"),
    ({"n_donors": 2.0}, TypeError, "n_donors.*2.0"),
    ({"batch_size": 0}, ValueError, "batch_size.*0"),
    ({"batch_size": 1.5}, TypeError, "batch_size.*1.5"),
    ({"verbose": -1}, ValueError, "verbose.*-1"),
    ({"verbose": "loud"}, TypeError, "verbose.*'loud'"),
    ({"per_channel": "yes"}, TypeError, "per_channel.*'yes'"),
    ({"per_channel": 1}, TypeError, "per_channel.*1"),
    ({"random_state": "a", "background": X}, ValueError, "(?i)seed"),
    ({"perturbation": "zero"}, TypeError, r"perturbation.*AnyClass\(\).*'zero'"),
    ({"perturbation": Zero}, TypeError, r"perturbation.*AnyClass\(\).*Zero"),
    ({"perturbation": AnyClass()}, ValueError, "background"),
    ({"perturbation": OpposingClass(), "background": (X, Y)}, ValueError, "AnyClass"),
    ({"perturbation": SameClass(), "background": (X, Y)}, ValueError, "AnyClass"),
    ({"background": (X, Y, Y)}, ValueError, "^background.*tuple of 3"),
    ({"background": (X, Y[:5])}, ValueError, r"background.*6 series.*\(5,"),
    ({"background": (X, NAN_LABELS)}, ValueError, "background.*1 missing"),
    ({"background": X[..., :11]}, ValueError, r"background.*\(2, 11\)"),
    ({"background": X[:, :1]}, ValueError, r"background.*\(1, 12\)"),
    ({"background": with_nan()}, ValueError, "NaN.* 1 of 6"),
    ({"background": (with_nan(), Y), "perturbation": Zero()}, ValueError, "NaN.* 1 of 6"),
]


@pytest.fixture(scope="module")
def fitted():
    return learner().fit(X, Y)


@pytest.mark.parametrize(
    ("given", "error", "match"), BAD, ids=lambda v: f"{v!r:.30}" if isinstance(v, dict) else ""
)
def test_what_cannot_be_used_is_refused_in_words(fitted, given, error, match):
    with pytest.raises(error, match=match):
        temporal_saliency(**{"classifier": fitted, "X": X} | given)


@pytest.mark.parametrize("batch_size", [np.int64(5), 2**70])
def test_any_integer_is_a_batch_size(fitted, batch_size):
    expected = temporal_saliency(fitted, X).values
    values = temporal_saliency(fitted, X, batch_size=batch_size).values
    np.testing.assert_allclose(values, expected, atol=1e-6)


def test_a_classifier_that_computes_in_place_changes_neither_series_nor_result():
    x = (X * 3 + 1).astype(np.float32)
    before = x.copy()
    careful, careless = (
        flat(StandardScaler(copy=copy), LogisticRegression()).fit(x.copy(), Y)
        for copy in (True, False)
    )
    expected = temporal_saliency(careful, x, perturbation=Zero()).values
    values = temporal_saliency(careless, x, perturbation=Zero()).values
    assert np.array_equal(x, before)
    np.testing.assert_allclose(values, expected, atol=1e-5)


class InPlace(Zero):
    def fill(self, x, starts, width, donors=None):
        for i, start in enumerate(starts.tolist()):
            x[i, :, start : start + width] = 0
        return x


@pytest.mark.parametrize("per_channel", [False, True])
def test_a_perturbation_may_work_in_place(fitted, per_channel):
    options = {"per_channel": per_channel, "batch_size": 7}
    expected = temporal_saliency(fitted, X, perturbation=Zero(), **options).values
    values = temporal_saliency(fitted, X, perturbation=InPlace(), **options).values
    np.testing.assert_allclose(values, expected)


def test_series_that_float32_cannot_tell_apart_are_warned_of(fitted):
    with pytest.warns(UserWarning, match="float32"):
        temporal_saliency(fitted, X + 1e9)
    temporal_saliency(fitted, X + 100)
    temporal_saliency(fitted, np.full_like(X, 1e9))  # nothing to tell apart
