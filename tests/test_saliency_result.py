"""What `temporal_saliency` gives back, and the label it watches."""

import pickle

import numpy as np
import pandas as pd
import pytest
from helpers import learner, random_panel
from scipy.special import softmax

from sktime_tsd import temporal_saliency
from sktime_tsd.perturbations import AnyClass, Zero
from sktime_tsd.saliency import Saliency
from sktime_tsd.saliency._covering import mean_of_covering, window_starts, window_weights

X, Y = random_panel(6, n_channels=2, n_timepoints=12)
STARTS, WIDTH = np.array([0, 2, 4, 6, 7]), 4


def result(per_channel=False, values=None, **fields):
    """Saliency of 3 series of 11 points, 2 classes and 2 channels, of any numbers."""
    shape = (3, 2, 2, 5) if per_channel else (3, 2, 5)
    of_classes = np.random.RandomState(0).standard_normal(shape)
    fields = {
        "window_values": of_classes.sum(axis=1) if values is None else values,
        "window_class_values": of_classes,
        "starts": STARTS,
        "width": WIDTH,
        "n_timepoints": 11,
        "classes": np.array(["a", "b"]),
        "perturbation": Zero(),
        "n_donors": None,
        "from_background": False,
        "target": None,
    } | fields
    return Saliency(**fields)


class Softmax:
    """Class k looks at time point 2 k alone; names its classes only if asked to."""

    def __init__(self, classes=None):
        if classes is not None:
            self.classes_ = np.array(classes)

    def predict_proba(self, X):
        return softmax(np.asarray(X, float)[:, 0, [0, 2, 4]], axis=1)


# -- the result ----------------------------------------------------------------------

kinds = pytest.mark.parametrize("per_channel", [False, True])


@kinds
def test_a_point_has_the_mean_of_the_windows_over_it(per_channel):
    saliency = result(per_channel)
    for u in range(11):
        over = [w for w, start in enumerate(STARTS) if start <= u < start + WIDTH]
        expected = saliency.window_values[..., over].mean(axis=-1)
        np.testing.assert_allclose(saliency.values[..., u], expected)
        expected = saliency.window_class_values[..., over].mean(axis=-1)
        np.testing.assert_allclose(saliency.class_values[..., u], expected)


@kinds
def test_the_parts_of_the_classes_add_up_to_the_values(per_channel):
    saliency = temporal_saliency(Softmax(), X, background=X, per_channel=per_channel, window=3)
    assert saliency.class_values.min() < -0.01  # some class becomes more probable
    np.testing.assert_allclose(saliency.class_values.sum(axis=1), saliency.values, atol=1e-12)


@kinds
def test_a_frame_has_one_row_per_point(per_channel):
    saliency = result(per_channel)
    frame = saliency.to_frame()
    channel = ["channel"] if per_channel else []
    assert list(frame.index.names) == ["instance", *channel, "timepoint"]
    assert list(frame.columns) == ["saliency", "class a", "class b"]
    assert len(frame) == saliency.values.size == len(frame.index.unique())
    for place in np.ndindex(saliency.values.shape):
        row = frame.loc[place]
        i, *rest = place
        assert row["saliency"] == saliency.values[place]
        assert row["class a"] == saliency.class_values[i, 0, *rest]
        assert row["class b"] == saliency.class_values[i, 1, *rest]
    of_classes = frame[["class a", "class b"]].sum(axis=1)
    np.testing.assert_allclose(of_classes, frame["saliency"], atol=1e-12)


def test_a_classifier_without_classes_has_numbers_for_them():
    saliency = temporal_saliency(Softmax(), X, target=2)
    assert saliency.classes.tolist() == [0, 1, 2]
    assert list(saliency.to_frame().columns) == ["saliency", "class 0", "class 1", "class 2"]
    named = temporal_saliency(Softmax(["x", "y", "z"]), X, target="z")
    assert np.array_equal(named.values, saliency.values)


def slow_top(values, k):
    """Of one series: the highest window, then the highest that shares no point with it, ..."""
    values = values if values.ndim == 2 else values[None]
    free, taken = list(np.ndindex(values.shape)), []  # earlier channels and starts first
    while free and len(taken) < k:
        best = free[0]
        for place in free:
            if values[place] > values[best]:
                best = place
        taken.append((best[0], STARTS[best[1]], STARTS[best[1]] + WIDTH, values[best]))
        points = set(range(*taken[-1][1:3]))
        free = [
            (c, w)
            for c, w in free
            if c != best[0] or not points & set(range(STARTS[w], STARTS[w] + WIDTH))
        ]
    return taken


@kinds
@pytest.mark.parametrize("k", [1, 2, 3, 10])
@pytest.mark.parametrize("ties", [False, True])
def test_top_windows_are_those_of_the_slow_search(per_channel, k, ties):
    rng = np.random.RandomState(1)
    shape = (40, 2, 5) if per_channel else (40, 5)
    values = rng.randint(3, size=shape) if ties else rng.standard_normal(shape)
    frame = result(per_channel, values.astype(float)).top(k)
    channel = ["channel"] if per_channel else []
    assert list(frame.index.names) == ["instance", "rank"]
    assert list(frame.columns) == [*channel, "start", "stop", "saliency"]
    rows = []
    for i in range(40):
        for rank, found in enumerate(slow_top(values[i], k), start=1):
            rows.append((i, rank, *(found if per_channel else found[1:])))
    assert [tuple(row) for row in frame.reset_index().to_numpy().tolist()] == rows
    assert per_channel or len(frame) <= 40 * min(k, 2)  # no more fit into 11 points
    assert result(per_channel).top().equals(result(per_channel).top(3))


@pytest.mark.parametrize(
    ("k", "error"), [(0, ValueError), (-1, ValueError), (1.5, TypeError), ("1", TypeError)]
)
def test_top_of_no_number_of_windows_is_refused(k, error):
    with pytest.raises(error, match=r"^k "):
        result().top(k)


STRINGS = {
    "plain": (result(), ["3 series of 11 time points: 5 windows of 4", "Zero()"]),
    "no background": (result(), ["Zero(), without a background", "nats"]),
    "donors": (
        result(perturbation=AnyClass(), n_donors=5, from_background=True),
        ["AnyClass() from 5 donors"],
    ),
    "noise": (result(perturbation=Zero(), n_donors=8), ["in 8 draws, without a background"]),
    "channels": (result(per_channel=True), ["11 time points in 2 channels"]),
    "one target": (result(target=np.repeat("b", 3)), ["of the probability of 'b'"]),
    "targets": (result(target=np.array(["a", "b", "a"])), ["each series' own target"]),
    "numbers": (result(values=np.full((3, 5), 0.25)), ["mean 0.25 nats, largest 0.25"]),
}


@pytest.mark.parametrize(("saliency", "parts"), STRINGS.values(), ids=STRINGS)
def test_says_what_was_measured(saliency, parts):
    for part in parts:
        assert part in str(saliency)
    assert ("nats" in str(saliency)) == (saliency.target is None)


@kinds
def test_knows_its_length_and_survives_a_pickle(per_channel):
    saliency = temporal_saliency(Softmax(), X, background=X, per_channel=per_channel, target=1)
    again = pickle.loads(pickle.dumps(saliency))
    assert len(again) == len(saliency) == 6
    assert str(again) == str(saliency)
    assert again.per_channel == per_channel
    assert again.to_frame().equals(saliency.to_frame())
    assert again.top(2).equals(saliency.top(2))
    assert again.target.tolist() == [1] * 6


@pytest.mark.parametrize(("width", "stride"), [(1, 1), (5, 1), (5, 2), (5, 5), (30, 1)])
def test_the_mean_of_the_covering_windows_is_that_of_the_weights(width, stride):
    starts = window_starts(30, width, stride)
    values = np.random.RandomState(0).rand(3, 2, len(starts))
    found = mean_of_covering(values, starts, width, 30)
    np.testing.assert_allclose(found, values @ window_weights(starts, width, 30))


# -- the label it watches ------------------------------------------------------------


def test_what_speaks_for_a_class_is_positive_and_what_speaks_against_it_negative():
    x = np.zeros((1, 1, 12))
    x[0, 0, 2] = 2.0  # zeroed, all three classes are equally probable
    p = softmax([0.0, 2.0, 0.0])
    for label, k in (("a", 0), ("b", 1), ("c", 2)):
        options = {"perturbation": Zero(), "window": 1, "target": label}
        values = temporal_saliency(Softmax(["a", "b", "c"]), x, **options).values[0]
        assert values[2] == pytest.approx(p[k] - 1 / 3)
        assert (values[2] > 0) == (label == "b")
        assert np.delete(values, 2).tolist() == [0] * 11


@pytest.mark.parametrize("classes", [["a", "b", "c"], [1, 2, 3], [0.0, 1.0, 2.0]])
def test_a_target_for_each_series_is_that_of_each_alone(classes):
    clf = Softmax(classes)
    targets = np.array(classes)[[2, 0, 1, 1, 0, 2]]
    for given in (targets, targets.tolist(), targets.astype(object)):
        saliency = temporal_saliency(clf, X, target=given)
        assert saliency.target.tolist() == targets.tolist()
        for i, label in enumerate(targets):  # of numpy's types
            alone = temporal_saliency(clf, X[i : i + 1], target=label)
            np.testing.assert_allclose(saliency.values[i], alone.values[0], rtol=0, atol=1e-12)
            assert alone.target.tolist() == [classes[classes.index(label)]]


def test_the_target_can_be_the_prediction():
    clf = learner().fit(X, Y)
    saliency = temporal_saliency(clf, X, target=clf.predict(X), background=(X, Y))
    assert saliency.target.tolist() == clf.predict(X).tolist()
    assert np.abs(saliency.values).max() <= 1


@pytest.mark.parametrize(
    ("classes", "target", "match"),
    [
        (["1", "2", "3"], 1, r"target.* 1,.*\['1', '2', '3'\].*convert"),
        ([1, 2, 3], "1", r"target.* '1'.*\[1, 2, 3\].*convert"),
        ([1, 2, 3], ["1"] * 6, r"target.* '1'.*\[1, 2, 3\]"),
        (["a", "b", "c"], "d", r"target.* 'd'.*\['a', 'b', 'c'\]"),
        (["a", "b", "c"], list("abcabd"), "target.* 'd'"),
        (["a", "b", "c"], ["a", 1] * 3, "target.* 1"),
        (["a", "b", "c"], [None] * 6, "target.* None"),
        (["a", "b", "c"], [np.nan] * 6, "target.* nan"),
        (["a", "b", "c"], pd.NA, "target.* <NA>"),
        (["a", "b", "c"], [["a"], ["b", "c"]] * 3, r"target.*\['a'\], \['b', 'c'\]"),
        ([1, 2, 3], 1.5, "target.* 1.5"),
        ([1, 2, 3], [1] * 5, r"target.*\b6 series.*\b5\b"),
        ([1, 2, 3], [], r"target.*\b6 series.*\b0\b"),
        ([1, 2, 3], [[1]] * 6, r"target.*\[1\]"),
        ([1, 2, 3], {"a": 1}, r"target.*\b6 series.*\b1\b"),
    ],
)
def test_a_target_that_is_no_class_is_refused(classes, target, match):
    with pytest.raises(ValueError, match=match):
        temporal_saliency(Softmax(classes), X, target=target)
