"""Temporal saliency of classifiers whose reasons are known."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from torch import nn

from sktime_tsd import temporal_saliency
from sktime_tsd.perturbations import AnyClass, GaussianNoise, OpposingClass, Zero


class PointClassifier:
    """Looks at one time point only: p(class 1) = sigmoid(x[point])."""

    classes_ = np.array([0, 1])

    def __init__(self, point):
        self.point = point
        self.largest_call = 0

    def predict_proba(self, X):
        self.largest_call = max(self.largest_call, len(X))
        p = 1 / (1 + np.exp(-X[:, 0, self.point]))
        return np.stack([1 - p, p], axis=1)


@pytest.fixture
def X():  # noqa: N802
    return np.random.RandomState(0).randn(7, 1, 30)


def slow_saliency(classifier, X, starts, width, donors=None):
    """Loop over series, time points, windows and donors; zero filling without donors."""
    values = np.zeros((len(X), X.shape[2]))
    for i, x in enumerate(X):
        p = classifier.predict_proba(x[None])[0]
        per_window = []
        for s in starts:
            divergences = []
            for donor in [None] if donors is None else donors:
                perturbed = x.copy()
                perturbed[:, s : s + width] = 0 if donor is None else donor[:, s : s + width]
                q = classifier.predict_proba(perturbed[None])[0]
                divergences.append(sum(p * np.log(p / q)))
            per_window.append(np.mean(divergences))
        for u in range(X.shape[2]):
            covering = [v for s, v in zip(starts, per_window, strict=True) if s <= u < s + width]
            values[i, u] = np.mean(covering)
    return values


def test_equals_the_loop_with_zeros(X):
    clf = PointClassifier(11)
    saliency = temporal_saliency(clf, X, perturbation=Zero(), window=4)
    expected = slow_saliency(clf, X, saliency.starts, 4)
    np.testing.assert_allclose(saliency.values, expected, atol=1e-6)


def test_equals_the_loop_with_donors(X):
    """All series of the background as donors: the draw plays no part."""
    clf, background = PointClassifier(11), np.random.RandomState(1).randn(3, 1, 30)
    saliency = temporal_saliency(clf, X, background=background, window=5, n_donors=3)
    expected = slow_saliency(clf, X, saliency.starts, 5, background)
    np.testing.assert_allclose(saliency.values, expected, atol=1e-6)


@pytest.mark.parametrize("point", [0, 14, 29])
def test_only_windows_over_the_point_matter(X, point):
    saliency = temporal_saliency(PointClassifier(point), X, perturbation=Zero(), window=3)
    touched = np.flatnonzero(saliency.values.max(axis=0) > 1e-9)
    assert point in touched
    assert touched.min() >= point - 2
    assert touched.max() <= point + 2


@pytest.mark.parametrize("n_timepoints", [1, 2, 5, 30, 31])
@pytest.mark.parametrize("window", [1, 0.1, 0.3, 1.0])
@pytest.mark.parametrize("stride", [None, 1])
def test_every_point_is_covered_with_weights_that_sum_to_one(n_timepoints, window, stride):
    X = np.random.RandomState(0).randn(2, 1, n_timepoints)
    saliency = temporal_saliency(
        PointClassifier(0), X, perturbation=Zero(), window=window, stride=stride
    )
    assert saliency.starts[0] == 0
    assert saliency.starts[-1] + saliency.width == n_timepoints
    np.testing.assert_allclose(saliency.window_weights.sum(axis=0), 1)
    np.testing.assert_allclose(saliency.values, saliency.window_values @ saliency.window_weights)


def test_default_stride_is_half_a_window(X):
    starts = temporal_saliency(PointClassifier(0), X, window=8).starts
    assert starts.tolist() == [0, 4, 8, 12, 16, 20, 22]


def test_neither_batch_size_nor_company_nor_order_matters(X):
    options = {"background": X, "n_donors": 3, "random_state": 0}
    clf = PointClassifier(11)
    together = temporal_saliency(clf, X, **options).values
    np.testing.assert_allclose(
        temporal_saliency(clf, X, batch_size=5, **options).values, together, atol=1e-12
    )
    np.testing.assert_allclose(
        temporal_saliency(clf, X[::-1], **options).values[::-1], together, atol=1e-12
    )
    np.testing.assert_allclose(
        temporal_saliency(clf, X[2:3], **options).values, together[2:3], atol=1e-12
    )


def test_batch_size_bounds_what_is_scored_at_once(X):
    clf = PointClassifier(11)
    temporal_saliency(clf, X, background=X, batch_size=16)
    assert clf.largest_call <= 16


def test_the_seed_draws_the_donors(X):
    clf = PointClassifier(11)
    a, b, c = (
        temporal_saliency(clf, X, background=X, n_donors=2, random_state=seed).values
        for seed in (0, 0, 1)
    )
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)


def test_a_classifier_that_ignores_the_series_has_no_saliency(X):
    class Constant(PointClassifier):
        def predict_proba(self, X):
            return np.full((len(X), 2), 0.5)

    assert temporal_saliency(Constant(0), X, background=X).values.max() == 0


def test_works_for_scikit_learn_on_3d_arrays(X):
    y = np.arange(7) % 2
    flat = make_pipeline(
        FunctionTransformer(lambda X: X.reshape(len(X), -1)), LogisticRegression()
    ).fit(X, y)
    saliency = temporal_saliency(flat, X, background=X, random_state=0)
    assert saliency.values.shape == (7, 30)
    assert saliency.values.min() >= 0
    assert "7 series of 30 time points" in str(saliency)


def test_noise_needs_no_background_and_donors_do(X):
    clf = PointClassifier(11)
    assert temporal_saliency(clf, X, perturbation=GaussianNoise()).values.max() > 0
    with pytest.raises(ValueError, match="background"):
        temporal_saliency(clf, X, perturbation=AnyClass())
    with pytest.raises(ValueError, match="by class"):
        temporal_saliency(clf, X, background=X, perturbation=OpposingClass())
    with pytest.raises(ValueError, match="must agree"):
        temporal_saliency(clf, X, background=X[..., :20])


@pytest.mark.parametrize(
    ("option", "value", "error"),
    [
        ("window", 31, ValueError),
        ("stride", 0, ValueError),
        ("stride", 9, ValueError),
        ("n_donors", 0, ValueError),
        ("batch_size", 1.5, TypeError),
    ],
)
def test_impossible_options_are_refused(X, option, value, error):
    with pytest.raises(error, match=option):
        temporal_saliency(PointClassifier(0), X, **{option: value})


def test_nan_is_refused(X):
    X[3, 0, 4] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        temporal_saliency(PointClassifier(0), X)


def test_verbose_shows_a_bar_and_silence_nothing(X, capsys):
    temporal_saliency(PointClassifier(0), X)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""
    temporal_saliency(PointClassifier(0), X, verbose=1)
    assert "saliency" in capsys.readouterr().err


def test_any_panel_and_2d_arrays_give_the_same(X):
    from sktime.datatypes import convert_to

    clf = PointClassifier(11)
    expected = temporal_saliency(clf, X, background=X, random_state=0).values
    for mtype in ("pd-multiindex", "nested_univ"):
        panel = convert_to(X, mtype, as_scitype="Panel")
        values = temporal_saliency(clf, panel, background=panel, random_state=0).values
        np.testing.assert_allclose(values, expected)
    flat = temporal_saliency(clf, X[:, 0], background=X[:, 0], random_state=0)
    np.testing.assert_allclose(flat.values, expected)


def test_a_bare_network_is_refused_with_a_way_out(X):
    with pytest.raises(TypeError, match="from_module"):
        temporal_saliency(nn.Linear(30, 2), X)
