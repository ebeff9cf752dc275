"""Temporal saliency of classifiers whose reasons are known."""

import copy
import tracemalloc
from dataclasses import dataclass, field

import joblib
import numpy as np
import pytest
import torch
from helpers import flat, learner, random_panel
from sklearn.linear_model import LogisticRegression

from sktime_tsd import temporal_saliency
from sktime_tsd.perturbations import AnyClass, GaussianNoise, Zero


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


@dataclass(frozen=True)
class Watched(AnyClass):
    """Notes how many series each call fills, and the first value of each donor."""

    sizes: list = field(default_factory=list)
    donors: list = field(default_factory=list)

    def fill(self, x, starts, width, donors=None):
        self.sizes.append(len(x))
        self.donors.extend(donors[:, 0, 0].tolist())
        return super().fill(x, starts, width, donors)


@pytest.fixture
def X():  # noqa: N802
    return np.random.RandomState(0).randn(7, 1, 30)


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
@pytest.mark.parametrize("per_channel", [False, True])
def test_every_point_is_covered_with_weights_that_sum_to_one(
    n_timepoints, window, stride, per_channel
):
    X = np.random.RandomState(0).randn(2, 3, n_timepoints)
    options = {"window": window, "stride": stride, "per_channel": per_channel}
    saliency = temporal_saliency(PointClassifier(0), X, perturbation=Zero(), **options)
    assert saliency.starts[0] == 0
    assert saliency.starts[-1] + saliency.width == n_timepoints
    np.testing.assert_allclose(saliency.window_weights.sum(axis=0), 1)
    np.testing.assert_allclose(saliency.values, saliency.window_values @ saliency.window_weights)
    assert saliency.values.shape == ((2, 3, n_timepoints) if per_channel else (2, n_timepoints))


@pytest.mark.parametrize("n_timepoints", range(1, 9))
def test_no_stride_leaves_a_point_out_or_goes_over_the_end(n_timepoints):
    X = np.zeros((1, 1, n_timepoints))
    for width in range(1, n_timepoints + 1):
        for stride in range(1, width + 1):
            saliency = temporal_saliency(PointClassifier(0), X, window=width, stride=stride)
            starts = saliency.starts.tolist()
            regular = [s for s in range(n_timepoints - width + 1) if s % stride == 0]
            assert starts == sorted({*regular, n_timepoints - width})
            covered = {u for s in starts for u in range(s, s + width)}
            assert covered == set(range(n_timepoints))
            np.testing.assert_allclose(saliency.window_weights.sum(axis=0), 1)


def test_default_stride_is_half_a_window(X):
    starts = temporal_saliency(PointClassifier(0), X, window=8).starts
    assert starts.tolist() == [0, 4, 8, 12, 16, 20, 22]


# -- what changes nothing ------------------------------------------------------------


@pytest.fixture(scope="module")
def network():
    X, y = random_panel(30, n_channels=2, n_classes=3)
    return learner(max_epochs=20).fit(X, y)


PANEL, LABELS = random_panel(6, n_channels=2, n_classes=3, seed=1)
PANEL = PANEL.astype(np.float32)
BACKGROUND = random_panel(9, n_channels=2, n_classes=3, seed=2)[0].astype(np.float32)


def saliency_of(classifier, X=PANEL, **options):
    options = {"background": BACKGROUND, "window": 8, "n_donors": 3, "random_state": 0} | options
    return temporal_saliency(classifier, X, **options)


def assert_close(saliency, expected, series=slice(None)):
    assert np.abs(expected.values[series]).max() > 0.02
    for of in ("values", "class_values"):
        np.testing.assert_allclose(
            getattr(saliency, of), getattr(expected, of)[series], rtol=1e-5, atol=1e-6
        )


kinds = pytest.mark.parametrize("per_channel", [False, True])


@kinds
@pytest.mark.parametrize("target", [None, LABELS])
@pytest.mark.parametrize("batch_size", [1, 7, 100_000])
def test_batch_size_does_not_matter(network, per_channel, target, batch_size):
    options = {"per_channel": per_channel, "target": target}
    expected = saliency_of(network, **options)
    assert_close(saliency_of(network, batch_size=batch_size, **options), expected)


@kinds
@pytest.mark.parametrize("target", [None, LABELS])
@pytest.mark.parametrize("series", [[4, 0, 2, 5, 1, 3], [2], [1, 1, 0]])
def test_neither_company_nor_order_matters(network, per_channel, target, series):
    expected = saliency_of(network, per_channel=per_channel, target=target)
    target = None if target is None else target[series]
    some = saliency_of(network, PANEL[series], per_channel=per_channel, target=target)
    assert_close(some, expected, series)


@kinds
def test_the_seed_draws_the_donors(network, per_channel):
    a, b, c, d, e = (
        saliency_of(network, per_channel=per_channel, random_state=seed).window_class_values
        for seed in (0, 0, 1, np.random.RandomState(5), np.random.RandomState(5))
    )
    assert np.array_equal(a, b)
    assert np.array_equal(d, e)
    assert not np.allclose(a, c)


def test_leaves_classifier_and_series_and_global_generators_as_they_were(network):
    held = [network, PANEL, BACKGROUND]
    state = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    before = [joblib.hash(thing) for thing in held]
    for seed in (None, 0):
        for perturbation in (AnyClass(), GaussianNoise()):
            options = {"random_state": seed, "perturbation": perturbation}
            saliency_of(network, per_channel=True, target=LABELS, **options)
    assert [joblib.hash(thing) for thing in held] == before
    assert np.array_equal(np.random.get_state()[1], state[0])  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), state[1])


# -- memory --------------------------------------------------------------------------


@kinds
@pytest.mark.parametrize("n_donors", [1, 50])
def test_batch_size_bounds_what_is_filled_and_scored_at_once(per_channel, n_donors):
    X, background = np.ones((40, 2, 30)), np.zeros((50, 2, 30))
    clf, watched = PointClassifier(11), Watched()
    options = {"perturbation": watched, "n_donors": n_donors, "per_channel": per_channel}
    options |= {"background": background, "window": 0.5, "batch_size": 16}
    saliency = temporal_saliency(clf, X, **options)
    assert max(watched.sizes) == clf.largest_call == 16
    assert sum(watched.sizes) == saliency.window_values.size * n_donors  # each copy once


def test_more_donors_need_no_more_memory(X):
    def peak(n_donors):
        options = {"n_donors": n_donors, "batch_size": 64, "perturbation": GaussianNoise()}
        tracemalloc.start()
        temporal_saliency(PointClassifier(0), X, **options)
        largest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return largest

    peak(1)  # what is imported or compiled once does not count
    assert peak(64) < peak(4) + 20_000  # the divergences of all copies would be 200 kB


# -- background ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n_donors", "of_b"), [(1, {0, 1}), (2, {1}), (3, {1, 2}), (4, {2}), (6, {2}), (200, {2})]
)
def test_labels_balance_the_donors(X, n_donors, of_b):
    """100 series of one class and 2 of the other, each of its number."""
    series = np.arange(102.0)[:, None, None] * np.ones((1, 1, 30))
    labels = np.array(["b" if i in (17, 60) else "a" for i in range(102)])
    drawn, balanced = set(), []
    for seed in range(20):
        watched = Watched()
        options = {"perturbation": watched, "n_donors": n_donors, "random_state": seed}
        clf = PointClassifier(0)
        saliency = temporal_saliency(clf, X[:1], background=(series, labels), **options)
        donors = set(watched.donors)
        assert len(donors) == saliency.n_donors == min(n_donors, 102)
        assert f"from {saliency.n_donors} donor" in str(saliency)
        balanced.append(len(donors & {17, 60}))
        drawn |= donors
    assert set(balanced) <= of_b
    assert len(drawn) > 10  # not always the same


def test_a_classifier_that_ignores_the_series_has_no_saliency(X):
    class Constant(PointClassifier):
        def predict_proba(self, X):
            return np.full((len(X), 2), 0.5)

    assert temporal_saliency(Constant(0), X, background=X).values.max() == 0


def test_works_for_scikit_learn_on_3d_arrays(X):
    y = np.arange(7) % 2
    clf = flat(LogisticRegression()).fit(X, y)
    saliency = temporal_saliency(clf, X, background=X, random_state=0)
    assert saliency.values.shape == (7, 30)
    assert saliency.values.min() >= 0
    assert "7 series of 30 time points" in str(saliency)


@pytest.mark.parametrize("n_donors", [2, 100])
def test_noise_needs_no_background_and_takes_nothing_from_one(X, n_donors):
    clf, noise = PointClassifier(11), GaussianNoise(pool_size=10)
    alone, with_background, with_labels = (
        temporal_saliency(
            clf, X, background=b, perturbation=noise, n_donors=n_donors, random_state=0
        )
        for b in (None, X + 5, (X + 5, np.arange(7) % 2))
    )
    assert alone.values.max() > 0
    assert alone.n_donors == min(n_donors, 10)
    assert np.array_equal(alone.values, with_background.values)
    assert np.array_equal(alone.values, with_labels.values)


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


# -- on a GPU ------------------------------------------------------------------------


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("per_channel", [False, True])
def test_a_network_on_a_gpu_answers_there_as_on_the_cpu(per_channel):
    X_train, y = random_panel(40, n_channels=2)
    there = learner(device="cuda").fit(X_train, y)
    here = copy.deepcopy(there)
    here.network_.cpu()
    options = {"background": (X_train, y), "per_channel": per_channel, "batch_size": 50}
    of_both = [
        temporal_saliency(clf, X_train[:9], random_state=0, target=y[0], **options)
        for clf in (there, here)
    ]
    assert there.network_.mean.device.type == "cuda"
    np.testing.assert_allclose(of_both[0].values, of_both[1].values, atol=1e-5)
    np.testing.assert_allclose(of_both[0].class_values, of_both[1].class_values, atol=1e-5)
