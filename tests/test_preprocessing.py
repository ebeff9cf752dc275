"""Steps of a pipeline: what they do to each series, in every container and in both libraries."""

import pickle

import numpy as np
import pandas as pd
import pytest
from helpers import learner, random_panel
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sktime.datatypes import convert_to
from sktime.transformations.adapt import TabularToSeriesAdaptor
from sktime.transformations.interpolate import TSInterpolator
from sktime.utils.estimator_checks import check_estimator

from sktime_tsd.preprocessing import SeriesCenterer, SeriesResampler, SeriesStandardScaler

STEPS = [SeriesCenterer(), SeriesStandardScaler(), SeriesResampler(length=7)]
SKTIME = [
    TabularToSeriesAdaptor(StandardScaler(with_std=False), fit_in_transform=True),
    TabularToSeriesAdaptor(StandardScaler(), fit_in_transform=True),
    TSInterpolator(7),
]

each_step = pytest.mark.parametrize("step", STEPS, ids=lambda step: type(step).__name__)


@pytest.fixture(name="X")
def series():
    rng = np.random.default_rng(0)
    return rng.normal(size=(5, 2, 12)) * 3 + rng.normal(size=(5, 2, 1)) * 1e6


@pytest.mark.parametrize("kind", [type(step) for step in STEPS])
def test_sktime_checks_pass(kind):
    results = check_estimator(kind, raise_exceptions=True, verbose=False)
    assert len(results) > 100
    assert set(results.values()) == {"PASSED"}


@pytest.mark.parametrize(("step", "of_sktime"), list(zip(STEPS, SKTIME, strict=True)))
def test_it_does_what_the_counterpart_in_sktime_does(step, of_sktime, X):
    X[1, 1] = 0.1  # constant, up to rounding errors
    X[2, 0] = 1e9 / 3
    np.testing.assert_allclose(
        step.clone().fit_transform(X), of_sktime.fit_transform(X), rtol=1e-9, atol=1e-6
    )


def test_means_and_deviations(X):
    centred = SeriesCenterer().fit_transform(X)
    np.testing.assert_allclose(centred.mean(axis=2), 0, atol=1e-9)
    np.testing.assert_allclose(centred.std(axis=2), X.std(axis=2))
    scaled = SeriesStandardScaler().fit_transform(X)
    np.testing.assert_allclose(scaled.mean(axis=2), 0, atol=1e-9)
    np.testing.assert_allclose(scaled.std(axis=2), 1)


@pytest.mark.parametrize("level", [0, 0.1, 1e9 / 3, -7e-300])
def test_a_constant_channel_becomes_zero(level):
    X = np.stack([np.full((1, 1000), level), np.sin(np.arange(1000.0))[None]], axis=1)[0][None]
    scaled = SeriesStandardScaler().fit_transform(X)
    assert (scaled[0, 0] == 0).all()
    assert scaled[0, 1].std() == pytest.approx(1)


@pytest.mark.parametrize("n_before", [1, 2, 5, 12, 100])
@pytest.mark.parametrize("length", [1, 2, 7, 12, 250])
def test_resampling_is_linear_interpolation(n_before, length):
    X = np.random.default_rng(1).normal(size=(3, 2, n_before))
    found = SeriesResampler(length).fit_transform(X)
    old, new = np.arange(n_before), np.linspace(0, n_before - 1, length)
    expected = [[np.interp(new, old, channel) for channel in x] for x in X]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_same_length_changes_nothing(X):
    np.testing.assert_array_equal(SeriesResampler(12).fit_transform(X), X)


@each_step
def test_series_do_not_depend_on_each_other(step, X):
    together = step.clone().fit_transform(X)
    fitted = step.clone().fit(X[:1])
    for i in range(5):
        np.testing.assert_array_equal(fitted.transform(X[i : i + 1]), together[i : i + 1])


@each_step
@pytest.mark.parametrize("container", ["pd-multiindex", "df-list", "nested_univ"])
def test_every_container_gives_the_same_series(step, container, X):
    expected = step.clone().fit_transform(X)
    found = step.clone().fit_transform(convert_to(X, container, as_scitype="Panel"))
    np.testing.assert_allclose(convert_to(found, "numpy3D", as_scitype="Panel"), expected)


@pytest.mark.parametrize("step", STEPS[:2])
def test_frames_keep_their_times(step, X):
    frame = convert_to(X, "pd-multiindex", as_scitype="Panel")
    days = pd.date_range("2024-01-01", periods=12)
    index = pd.MultiIndex.from_product([list("abcde"), days], names=["id", "day"])
    found = step.clone().fit_transform(frame.set_axis(index).set_axis(["p", "q"], axis=1))
    assert found.index.equals(index)
    assert found.columns.tolist() == ["p", "q"]


@each_step
def test_series_of_several_lengths(step):
    rng = np.random.default_rng(2)
    series = [rng.normal(size=(n, 2)) for n in (5, 9, 5, 3)]
    frames = [pd.DataFrame(values, columns=["p", "q"]) for values in series]
    fitted = step.clone().fit(frames)
    found = fitted.transform(convert_to(frames, "pd-multiindex", as_scitype="Panel"))
    for i, values in enumerate(series):
        alone = step.clone().fit_transform(values.T[None])[0].T
        np.testing.assert_allclose(found.loc[i].to_numpy(), alone)
    if isinstance(step, SeriesResampler):
        assert fitted.n_timepoints_ is None
        assert step.clone().fit(frames[::2]).n_timepoints_ == 5


@each_step
@pytest.mark.parametrize("dtype", [np.float32, np.int16, bool])
def test_results_are_float64(step, dtype, X):
    X = (X > 0).astype(dtype)
    found = step.clone().fit_transform(X)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, step.clone().fit_transform(X.astype(np.float64)))


@each_step
def test_rows_are_series_of_one_channel(step, X):
    np.testing.assert_array_equal(
        step.clone().fit_transform(X[:, 0]), step.clone().fit_transform(X[:, :1])
    )


@each_step
def test_the_given_series_stay_as_they_are(step, X):
    before = X.copy()
    step.clone().fit_transform(X)
    np.testing.assert_array_equal(X, before)


@each_step
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_missing_and_infinite_values_are_refused(step, value, X):
    X[3, 1, 4] = value
    with pytest.raises(ValueError, match=r"X contains (NaN|infinite).*series 3"):
        step.clone().fit_transform(X)


@pytest.mark.parametrize("length", [0, -1, 2.5, "7", None, True])
def test_wrong_lengths(length, X):
    with pytest.raises((ValueError, TypeError), match=f"length.*{length}"):
        SeriesResampler(length).fit(X)


@each_step
def test_in_pipelines_of_both_libraries_cloned_and_pickled(step):
    X, y = random_panel(40)
    by_hand = learner().fit(step.clone().fit_transform(X), y)
    expected = by_hand.predict_proba(step.clone().fit_transform(X))
    for pipeline in (make_pipeline(step.clone(), learner()), step.clone() * learner()):
        fitted = clone(pipeline).fit(X, y)
        again = pickle.loads(pickle.dumps(fitted))
        np.testing.assert_allclose(fitted.predict_proba(X), expected, atol=1e-6)
        np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))
