"""From two series to seven thousand, from one time point to a thousand, at any scale."""

import numpy as np
import pytest
import torch
from helpers import random_panel

from sktime_tsd import SaliencyDistilledClassifier, SkorchClassifier, perturbations
from sktime_tsd.perturbations import Perturbation

TINY_FCN = {"network": "fcn", "network_params": {"filters": (4,), "kernel_sizes": (3,)}}
TINY_LSTM = {"network": "lstm", "network_params": {"hidden_size": 4, "num_layers": 1}}
TINY_INCEPTION = {
    "network": "inception_time",
    "network_params": {"n_filters": 2, "depth": 2, "kernel_sizes": (5, 3)},
}
NETWORKS = {"fcn": TINY_FCN, "lstm": TINY_LSTM, "inception_time": TINY_INCEPTION}
SETTINGS = {"max_epochs": 1, "batch_size": 256, "random_state": 0}

PERTURBATIONS = [
    item
    for item in (getattr(perturbations, name) for name in perturbations.__all__)
    if isinstance(item, type) and issubclass(item, Perturbation) and item is not Perturbation
]


def classifier(**params):
    return SkorchClassifier(**{**TINY_FCN, **SETTINGS, **params})


def distiller(teacher=None, student=None, **params):
    return SaliencyDistilledClassifier(
        classifier() if teacher is None else teacher,
        classifier() if student is None else student,
        **{"n_windows": 2, "bank_size": 3, "random_state": 0, **params},
    )


MAKERS = {"classifier": classifier, "distiller": distiller}
both = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


def assert_fits_and_predicts(clf, X, y, X_test=None):
    X_test = X if X_test is None else X_test
    clf.fit(X, y)
    proba = clf.predict_proba(X_test)
    assert proba.shape == (len(X_test), len(np.unique(y)))
    assert np.isfinite(proba).all()
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(clf.predict(X_test), clf.classes_[proba.argmax(axis=1)])
    trained = getattr(clf, "student_", clf)
    assert all(np.isfinite(row["train_loss"]) for row in trained.history_)
    return clf


def test_there_are_perturbations_to_test():
    assert len(PERTURBATIONS) >= 7


@both
@pytest.mark.parametrize(
    ("n_instances", "n_channels", "n_timepoints", "n_classes"),
    [
        (20, 1, 8, 2),
        (120, 1, 8, 60),
        (20, 24, 8, 2),
        (12, 1, 1000, 2),
        (120, 24, 20, 60),
        (130, 24, 1000, 60),
        (7000, 1, 8, 2),
    ],
)
def test_sizes(make, n_instances, n_channels, n_timepoints, n_classes):
    X, y = random_panel(n_instances, n_channels, n_timepoints, n_classes)
    assert_fits_and_predicts(make(), X, y)


@both
@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize("n_timepoints", [1, 2, 3, 4, 5])
def test_the_shortest_series(make, network, n_timepoints):
    X, y = random_panel(10, 1, n_timepoints)
    clf = classifier(**network) if make is classifier else make(student=classifier(**network))
    assert_fits_and_predicts(clf, X, y)


@pytest.mark.parametrize("n_timepoints", [1, 2, 3, 5])
def test_the_shortest_series_with_the_default_networks(n_timepoints):
    X, y = random_panel(10, 1, n_timepoints)
    default = SaliencyDistilledClassifier(random_state=0)
    student = default._new_student().set_params(max_epochs=1)
    teacher = SkorchClassifier("inception_time", max_epochs=1)
    assert_fits_and_predicts(distiller(teacher, student), X, y)


@both
@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize("n_timepoints", [1, 20])
@pytest.mark.parametrize("batch_size", [1, 2, 5, 16])
def test_one_series_more_than_a_batch(make, network, batch_size, n_timepoints):
    # batch norm cannot train on a batch of a single value
    X, y = random_panel(batch_size + 1, 1, n_timepoints)
    clf = classifier(**network, batch_size=batch_size)
    if make is distiller:
        # without perturbed copies, so that nothing else fills the batch
        clf = distiller(student=clf, saliency_weight=0.0)
    assert_fits_and_predicts(clf, X, y)


@both
@pytest.mark.parametrize("n_timepoints", [1, 2, 20])
@pytest.mark.parametrize("schedule", ["one_cycle", "cosine", None])
def test_two_series_of_two_classes(make, n_timepoints, schedule):
    # one epoch of one batch: a schedule of a single step
    X, y = random_panel(2, 1, n_timepoints)
    clf = classifier(lr_schedule=schedule)
    assert_fits_and_predicts(clf if make is classifier else make(student=clf), X, y)


@pytest.mark.filterwarnings("ignore:No perturbed copy moves:UserWarning")
@pytest.mark.parametrize("perturbation", PERTURBATIONS)
def test_two_series_of_two_classes_under_every_perturbation(perturbation):
    X, y = random_panel(2, 1, 6)
    assert_fits_and_predicts(distiller(perturbation=perturbation()), X, y)


@pytest.mark.parametrize("perturbation", PERTURBATIONS)
def test_a_class_with_a_single_series(perturbation):
    X, y = random_panel(9, 2, 10)
    y[:] = "class 00"
    y[3] = "class 01"
    clf = distiller(perturbation=perturbation(), bank_size=50, n_windows=5)
    assert_fits_and_predicts(clf, X, y)


@both
def test_as_many_classes_as_series(make):
    X, y = random_panel(10, 1, 12, n_classes=10)
    assert_fits_and_predicts(make(), X, y)


@pytest.mark.parametrize("perturbation", PERTURBATIONS)
@pytest.mark.parametrize("window", [10, 1.0])
def test_a_window_as_long_as_the_series(perturbation, window):
    X, y = random_panel(8, 2, 10)
    assert_fits_and_predicts(distiller(perturbation=perturbation(), window=window), X, y)


@both
@pytest.mark.filterwarnings("ignore:No perturbed copy moves:UserWarning")
@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize("level", [0.0, 0.1, 1e6, 1e30])
@pytest.mark.parametrize("constant", ["a series", "a channel", "all"])
def test_constant_values(make, network, level, constant):
    X, y = random_panel(10, 2, 12)
    where = {"a series": 3, "a channel": (slice(None), 1), "all": ...}[constant]
    X[where] = level
    clf = classifier(**network)
    if make is distiller:
        clf = distiller(student=clf)
    if constant == "a series" and level == 1e30:
        # one series of its own scale leaves the others no spread, but nothing breaks
        assert np.isfinite(clf.fit(X, y).predict_proba(X)).all()
    else:
        assert_fits_and_predicts(clf, X, y)


@pytest.mark.parametrize("perturbation", PERTURBATIONS)
def test_a_constant_channel_under_every_perturbation(perturbation):
    X, y = random_panel(10, 2, 12)
    X[:, 1] = 0.1
    X[4] = 7.0
    assert_fits_and_predicts(distiller(perturbation=perturbation()), X, y)


@both
@pytest.mark.parametrize("dtype", [np.int64, np.int16, np.uint8, np.float32, np.float16, bool])
def test_values_of_any_numeric_type(make, dtype):
    X, y = random_panel(12, 1, 20)
    X = np.abs(np.round(3 * X)).astype(dtype)
    clf = assert_fits_and_predicts(make(), X, y)
    as_float = make().fit(X.astype(np.float64), y)
    np.testing.assert_array_equal(clf.predict_proba(X), as_float.predict_proba(X))


@both
@pytest.mark.parametrize("order", ["F", "reversed", "strided"])
def test_memory_layout_does_not_matter(make, order):
    X, y = random_panel(12, 2, 20)
    view = {
        "F": np.asfortranarray(X),
        "reversed": X[:, :, ::-1].copy()[:, :, ::-1],
        "strided": np.repeat(X, 2, axis=2)[:, :, ::2],
    }[order]
    assert not view.flags.c_contiguous
    clf = make().fit(X, y)
    np.testing.assert_array_equal(clf.predict_proba(view), clf.predict_proba(X))
    np.testing.assert_array_equal(make().fit(view, y).predict_proba(X), clf.predict_proba(X))


@both
def test_the_data_are_not_changed(make):
    X, y = random_panel(12, 2, 20)
    for array in (X, y):
        array.flags.writeable = False
    X_before, y_before = X.copy(), y.copy()
    make().fit(X, y).predict(X)
    np.testing.assert_array_equal(X, X_before)
    np.testing.assert_array_equal(y, y_before)


@pytest.fixture
def torch_warns_each_time():
    torch.set_warn_always(True)
    yield
    torch.set_warn_always(False)


@both
@pytest.mark.parametrize("when", ["fit", "predict"])
def test_read_only_series_of_float32(make, when, torch_warns_each_time):
    # joblib hands read-only memory maps to its workers; torch warns of such arrays
    X, y = random_panel(12, 2, 20)
    X = X.astype(np.float32)
    read_only = X.copy()
    read_only.flags.writeable = False
    clf = make().fit(X, y)
    expected = clf.predict_proba(X)
    if when == "fit":
        np.testing.assert_array_equal(make().fit(read_only, y).predict_proba(X), expected)
    else:
        np.testing.assert_array_equal(clf.predict_proba(read_only), expected)


# -- scale ---------------------------------------------------------------------------

LEARNERS = {
    "fcn": ("fcn", {"filters": (8, 16, 8)}),
    "lstm": ("lstm", {"hidden_size": 16, "num_layers": 1}),
}


def two_channels(seed):
    """A bump in the first channel tells the class, the second is noise."""
    rng = np.random.RandomState(seed)
    y = np.arange(100) % 2
    X = rng.standard_normal((100, 2, 30))
    X[:, 0, 10:20] += 2.0 * y[:, None]
    return X, y


@pytest.fixture(scope="module")
def channels():
    X, y = two_channels(0)
    X_test, y_test = two_channels(1)
    mean, std = X.mean(axis=(0, 2), keepdims=True), X.std(axis=(0, 2), keepdims=True)
    return (X - mean) / std, y, (X_test - mean) / std, y_test


def accuracy(learner, channels, factors, offset=0.0, **params):
    X, y, X_test, y_test = channels
    factors = np.array(factors)[:, None]
    X, X_test = factors * (X + offset), factors * (X_test + offset)
    clf = SkorchClassifier(*LEARNERS[learner], max_epochs=10, lr=1e-2, random_state=0, **params)
    return clf.fit(X, y).score(X_test, y_test)


@pytest.mark.parametrize("learner", LEARNERS)
@pytest.mark.parametrize("factors", [(1.0, 1000.0), (1e-3, 1.0), (1000.0, 1.0)], ids=str)
def test_channels_of_different_scale_are_learnt_as_well(learner, factors, channels):
    standardised = accuracy(learner, channels, (1.0, 1.0))
    assert standardised > 0.9
    assert abs(accuracy(learner, channels, factors, offset=5.0) - standardised) <= 0.02


@pytest.mark.parametrize("learner", LEARNERS)
def test_without_scaling_they_are_not(learner, channels):
    # the large channel of noise drowns the small one, else the test above proves nothing
    standardised = accuracy(learner, channels, (1.0, 1.0), scale_inputs=False)
    assert standardised > 0.9
    raw = accuracy(learner, channels, (1.0, 1000.0), scale_inputs=False)
    assert raw < standardised - 0.1


@both
@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_the_network_carries_the_scaling(make, network):
    X, y = random_panel(12, 2, 20)
    X = 1000 * X + 500
    if make is classifier:
        clf = classifier(**network).fit(X, y)
        trained = clf
    else:
        clf = distiller(student=classifier(**network)).fit(X, y)
        trained = clf.student_
    raw = torch.from_numpy(X.astype(np.float32))
    with torch.no_grad():
        logits = trained.network_(raw).numpy()
        unscaled = trained.network_.network(raw).numpy()
    np.testing.assert_allclose(logits, clf.predict_logits(X), rtol=1e-5, atol=1e-6)
    assert np.abs(unscaled - logits).max() > 1e-3
    np.testing.assert_allclose(trained.network_.mean.squeeze(), X.mean(axis=(0, 2)), rtol=1e-5)
    np.testing.assert_allclose(trained.network_.std.squeeze(), X.std(axis=(0, 2)), rtol=1e-5)


def test_a_far_level_does_not_hide_a_small_signal():
    # in float32, 1e4 +- 1 still has three digits of the signal
    X, y = two_channels(0)
    clf = SkorchClassifier(*LEARNERS["fcn"], max_epochs=10, lr=1e-2, random_state=0)
    assert clf.fit(X + 1e4, y).score(X + 1e4, y) > 0.9
