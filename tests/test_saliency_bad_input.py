"""What `temporal_saliency` refuses, in words that help, and what it must not stumble on."""

import numpy as np
import pandas as pd
import pytest
from conftest import distiller, learner, random_panel
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
FLAT = FunctionTransformer(lambda X: X.reshape(len(X), -1))


class Logits:
    def __init__(self, classes=(0, 1), fill=0.0):
        self.classes_ = classes
        self.fill = fill

    def predict_logits(self, X):
        return np.full((len(X), 2), self.fill)


BAD = [
    ({"X": None}, TypeError, "^X must be .* NoneType"),
    ({"X": X.tolist()}, TypeError, "^X must be .* list"),
    ({"X": "abc"}, TypeError, "^X must be .* str"),
    ({"X": RAGGED}, ValueError, "unequal length"),
    ({"X": NESTED}, ValueError, "unequal length"),
    ({"X": INDEXED}, ValueError, "unequal length"),
    ({"background": INDEXED}, ValueError, "^background must be .* unequal length"),
    ({"background": [X, Y]}, TypeError, "^background must be .* list"),
    ({"background": (Y, X)}, ValueError, "^background must be"),
    ({"background": (X, None)}, TypeError, "^background must be"),
    ({"background": (X, [None] * 6)}, ValueError, "^background must be .*6 missing labels"),
    ({"background": X[:0]}, ValueError, "^background must be"),
    ({"background": "abc"}, TypeError, "^background must be .* str"),
    ({"random_state": "a"}, ValueError, "seed"),
    ({"random_state": -1}, ValueError, "Seed"),
    ({"classifier": None}, TypeError, "classifier must be a fitted classifier .* NoneType"),
    ({"classifier": SkorchClassifier}, TypeError, "got the class SkorchClassifier"),
    ({"classifier": FrozenEstimator(nn.Linear(12, 2))}, TypeError, "SkorchClassifier.from_module"),
    ({"classifier": make_pipeline(FLAT, LinearSVC()).fit(X, Y)}, TypeError, "with predict_proba"),
    (
        {"classifier": LogisticRegression().fit(X[:, 0], Y)},
        ValueError,
        "first step that flattens",
    ),
    ({"classifier": Logits(fill=np.nan)}, ValueError, "not finite for 6 of 6 series"),
    ({"classifier": Logits([0, 1, 2])}, ValueError, "Logits has 3 classes_ but .* of 2 classes"),
    ({"X": with_nan()}, ValueError, r"X contains NaN in 1 of 6 series \(the first is series 3\)"),
    ({"X": X[:0]}, ValueError, "Expected X of shape .* at least one series"),
    ({"X": X[0, 0]}, ValueError, "Expected X of shape"),
    ({"X": X[:, :1]}, ValueError, "X has 1 channels per series.* with 2 channels"),
    ({"X": X[..., :11]}, ValueError, "X has 11 time points per series.* with 12 time points"),
    ({"X": X.astype(object)}, TypeError, "X must hold real numbers, got dtype object"),
    ({"classifier": learner()}, ValueError, "not been fitted yet"),
    ({"classifier": distiller()}, ValueError, "not been fitted yet"),
    ({"classifier": DummyClassifier()}, ValueError, "not been fitted yet"),
    ({"classifier": UNFITTED_PIPELINE}, ValueError, "not fitted yet"),
    ({"classifier": nn.Linear(12, 2)}, TypeError, "Wrap it: SkorchClassifier.from_module"),
    ({"window": 0}, ValueError, "window == 0, must be >= 1"),
    ({"window": 13}, ValueError, "window=13 time points is longer.* Use at most 12"),
    ({"window": 1.5}, ValueError, "window, as a fraction .* must be <= 1"),
    ({"window": True}, TypeError, "window must be an integer, got True"),
    ({"window": "0.1"}, TypeError, "window must be an integer, got '0.1'"),
    ({"stride": 0}, ValueError, "stride == 0, must be >= 1"),
    ({"stride": 4, "window": 3}, ValueError, "stride == 4, must be <= 3"),
    ({"stride": 1.0}, TypeError, "stride must be an integer, got 1.0"),
    ({"n_donors": 0}, ValueError, "n_donors == 0, must be >= 1"),
    ({"n_donors": 2.0}, TypeError, "n_donors must be an integer, got 2.0"),
    ({"batch_size": 0}, ValueError, "batch_size == 0, must be >= 1"),
    ({"batch_size": 1.5}, TypeError, "batch_size must be an integer, got 1.5"),
    ({"verbose": -1}, ValueError, "verbose == -1, must be >= 0"),
    ({"verbose": "loud"}, TypeError, "verbose must be an integer, got 'loud'"),
    ({"per_channel": "yes"}, TypeError, "per_channel must be True or False, got 'yes'"),
    ({"per_channel": 1}, TypeError, "per_channel must be True or False, got 1"),
    ({"random_state": "a", "background": X}, ValueError, "'a' cannot be used to seed"),
    ({"perturbation": "zero"}, TypeError, r"such as AnyClass\(\); got 'zero'"),
    ({"perturbation": Zero}, TypeError, r"such as AnyClass\(\); got <class.*Zero"),
    ({"perturbation": AnyClass()}, ValueError, r"give them as background"),
    ({"perturbation": OpposingClass(), "background": (X, Y)}, ValueError, "Use AnyClass"),
    ({"perturbation": SameClass(), "background": (X, Y)}, ValueError, "Use AnyClass"),
    (
        {"background": (X, Y, Y)},
        ValueError,
        r"^background must be .* a tuple of 3",
    ),
    ({"background": (X, Y[:5])}, ValueError, r"background has 6 series, but labels of shape \(5,"),
    ({"background": (X, NAN_LABELS)}, ValueError, "1 missing labels"),
    ({"background": X[..., :11]}, ValueError, r"background has series of shape \(2, 11\)"),
    ({"background": X[:, :1]}, ValueError, r"background has series of shape \(1, 12\)"),
    ({"background": with_nan()}, ValueError, "NaN in 1 of 6 series"),
    ({"background": (with_nan(), Y), "perturbation": Zero()}, ValueError, "NaN in 1 of 6 series"),
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
        make_pipeline(FLAT, StandardScaler(copy=copy), LogisticRegression()).fit(x.copy(), Y)
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
    with pytest.warns(UserWarning, match="lose their digits in float32"):
        temporal_saliency(fitted, X + 1e9)
    temporal_saliency(fitted, X + 100)
    temporal_saliency(fitted, np.full_like(X, 1e9))  # nothing to tell apart
