"""What a fitted classifier holds, and that it says the same after any way of storing it."""

import copy
import gc
import inspect
import io
import os
import pickle
import subprocess
import sys
import types

import cloudpickle
import joblib
import numpy as np
import pytest
import torch
from helpers import random_panel
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sktime.base import load

from sktime_tsd import SaliencyDistilledClassifier, SkorchClassifier
from sktime_tsd._training.history import pack, unpack
from sktime_tsd.losses import KD

# Odd numbers, so that an array that holds the training series shows by its shape.
N_SERIES, N_TIMEPOINTS = 37, 53


def small_teacher(**params):
    return SkorchClassifier(
        "fcn", {"filters": (4,), "kernel_sizes": (3,)}, max_epochs=2, **({"device": "cpu"} | params)
    )


def network(**params):
    settings = {"max_epochs": 2, "random_state": 0, "device": "cpu"} | params
    return SkorchClassifier("fcn", {"filters": (8, 16, 8)}, **settings)


def distiller(**params):
    """The default student on a cheap teacher."""
    settings = {"n_windows": 2, "bank_size": 4, "distillation": [KD()], "random_state": 0}
    return SaliencyDistilledClassifier(small_teacher(), network(), **(settings | params))


MAKERS = {"network": network, "distiller": distiller}
either = pytest.mark.parametrize("name", MAKERS)


def training_panel():
    """Series whose every value can be recognised."""
    X, y = random_panel(N_SERIES, n_timepoints=N_TIMEPOINTS)
    return X.astype(np.float32).astype(np.float64), y


@pytest.fixture(scope="module")
def fitted():
    return {name: make().fit(*training_panel()) for name, make in MAKERS.items()}


@pytest.fixture(scope="module")
def new_series():
    return random_panel(9, n_timepoints=N_TIMEPOINTS, seed=1)[0]


# -- round trips -------------------------------------------------------------------


def store(classifier, folder):
    """Write a classifier in every way there is, and name the ways."""
    folder.mkdir()
    (folder / "pickle").write_bytes(pickle.dumps(classifier))
    (folder / "pickle-2").write_bytes(pickle.dumps(classifier, protocol=2))
    (folder / "cloudpickle").write_bytes(cloudpickle.dumps(classifier))
    (folder / "deepcopy").write_bytes(pickle.dumps(copy.deepcopy(classifier)))
    (folder / "clone-of-bytes").write_bytes(pickle.dumps(pickle.loads(pickle.dumps(classifier))))
    joblib.dump(classifier, folder / "joblib")
    joblib.dump(classifier, folder / "joblib-compressed", compress=3)
    classifier.save(folder / "sktime")
    classifier.save(folder / "sktime-cloudpickle", serialization_format="cloudpickle")
    says_cuda = copy.deepcopy(classifier)
    for part in (says_cuda, getattr(says_cuda, "student_", says_cuda)):
        part.device = "cuda"
    (folder / "says-cuda").write_bytes(pickle.dumps(says_cuda))


WAYS = [
    "pickle",
    "pickle-2",
    "cloudpickle",
    "deepcopy",
    "clone-of-bytes",
    "joblib",
    "joblib-compressed",
    "sktime",
    "sktime-cloudpickle",
    "says-cuda",
]

# Imports nothing of the package by itself: a pickle must find what it needs.
LOAD_AND_PREDICT = """
import pickle
import sys
from pathlib import Path

import joblib
import numpy as np
from sktime.base import load

folder, results = Path(sys.argv[1]), {}
X = np.load(folder / "X.npy")
for path in sorted(folder.glob("*/*")):
    if path.name.startswith("joblib"):
        classifier = joblib.load(path)
    elif path.suffix == ".zip":
        classifier = load(str(path.with_suffix("")))
    else:
        classifier = pickle.loads(path.read_bytes())
    key = f"{path.parent.name}/{path.stem}"
    results[f"{key}/probabilities"] = classifier.predict_proba(X)
    results[f"{key}/labels"] = classifier.predict(X)
np.savez(folder / "results.npz", **results)
"""


def load_elsewhere(folder, X):
    """Predict with all that lies in the folder, in a new interpreter without CUDA."""
    np.save(folder / "X.npy", X)
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    process = subprocess.run(
        [sys.executable, "-W", "error", "-c", LOAD_AND_PREDICT, str(folder)],
        env=environment | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return dict(np.load(folder / "results.npz"))


@pytest.fixture(scope="module")
def predicted_elsewhere(fitted, new_series, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stored")
    for name, classifier in fitted.items():
        store(classifier, folder / name)
    return load_elsewhere(folder, new_series)


@either
@pytest.mark.parametrize("way", WAYS)
def test_fresh_process_predicts_the_same(name, way, fitted, new_series, predicted_elsewhere):
    np.testing.assert_array_equal(
        predicted_elsewhere[f"{name}/{way}/probabilities"], fitted[name].predict_proba(new_series)
    )
    np.testing.assert_array_equal(
        predicted_elsewhere[f"{name}/{way}/labels"], fitted[name].predict(new_series)
    )


@either
def test_storing_leaves_the_classifier_as_it_is(name, fitted, new_series, tmp_path):
    before = fitted[name].predict_proba(new_series)
    attributes = set(vars(fitted[name]))
    store(fitted[name], tmp_path / "stored")

    assert set(vars(fitted[name])) == attributes
    np.testing.assert_array_equal(fitted[name].predict_proba(new_series), before)


@either
def test_save_returns_a_container_without_a_path(name, fitted, new_series):
    again = load(fitted[name].save())

    np.testing.assert_array_equal(
        again.predict_proba(new_series), fitted[name].predict_proba(new_series)
    )


@either
def test_copy_shares_no_weights(name, fitted, new_series):
    before = fitted[name].predict_proba(new_series)
    other = copy.deepcopy(fitted[name])
    with torch.no_grad():
        for weights in getattr(other, "student_", other).network_.parameters():
            weights.zero_()

    assert not np.array_equal(other.predict_proba(new_series), before)
    np.testing.assert_array_equal(fitted[name].predict_proba(new_series), before)


@either
def test_loaded_classifier_keeps_what_it_learned(name, fitted):
    again = pickle.loads(pickle.dumps(fitted[name]))
    network, original = (getattr(clf, "student_", clf) for clf in (again, fitted[name]))

    assert again.is_fitted
    assert again.classes_.tolist() == ["class 00", "class 01"]
    assert network.history_ == original.history_
    assert not network.network_.training
    assert repr(again) == repr(fitted[name])
    with pytest.raises(ValueError, match=f"{N_TIMEPOINTS} time points"):
        again.predict(np.zeros((2, 1, 7)))


@either
def test_loaded_classifier_can_be_fitted_again(name, fitted, new_series):
    again = pickle.loads(pickle.dumps(fitted[name])).fit(*training_panel())

    np.testing.assert_array_equal(
        again.predict_proba(new_series), fitted[name].predict_proba(new_series)
    )


@either
def test_unfitted_classifier_can_be_stored(name, fitted, new_series):
    again = pickle.loads(pickle.dumps(MAKERS[name]()))

    assert not again.is_fitted
    np.testing.assert_array_equal(
        again.fit(*training_panel()).predict_proba(new_series),
        fitted[name].predict_proba(new_series),
    )


@pytest.mark.parametrize("way", [pickle, cloudpickle])
def test_classifier_of_one_label_can_be_stored(way):
    X, _ = training_panel()
    y = np.full(N_SERIES, "only")
    for make in MAKERS.values():
        with pytest.warns(UserWarning, match="single label"):
            classifier = make().fit(X, y)
        again = pickle.loads(way.dumps(classifier))

        assert again.predict(X[:3]).tolist() == ["only"] * 3
        np.testing.assert_array_equal(again.predict_proba(X[:3]), np.ones((3, 1)))


# -- contents ----------------------------------------------------------------------


def reachable(root):
    """Every object that a fitted object keeps alive, without code and classes."""
    code = (type, types.ModuleType, types.CodeType, types.BuiltinFunctionType)
    seen, waiting = {}, [root]
    while waiting:
        item = waiting.pop()
        if id(item) in seen or isinstance(item, code):
            continue
        seen[id(item)] = item
        if inspect.isfunction(item):  # its globals are the program, not the object
            waiting += [item.__closure__, item.__defaults__, item.__kwdefaults__]
        else:
            waiting += gc.get_referents(item)
        if isinstance(item, torch.Tensor):
            waiting += [item.grad, item.grad_fn]
        if isinstance(item, np.ndarray):
            waiting.append(item.base)
    return list(seen.values())


def sizes(items):
    return [tuple(item.shape) for item in items if isinstance(item, (torch.Tensor, np.ndarray))]


def holding_training_data(items):
    return [
        shape
        for shape in sizes(items)
        if {N_SERIES, N_TIMEPOINTS} & set(shape) or np.prod(shape) >= N_SERIES * N_TIMEPOINTS
    ]


def names_of_types(items):
    return {f"{type(item).__module__}.{type(item).__name__}" for item in items}


def pickled_objects(root):
    """Every object that the pickler meets, after all the reductions."""
    met = []

    class Recorder(pickle.Pickler):
        def persistent_id(self, item):
            met.append(item)

    Recorder(io.BytesIO()).dump(root)
    return met


@pytest.mark.parametrize("walk", [reachable, pickled_objects])
def test_walk_finds_what_is_hidden(walk):
    # the tests below would pass if the walk went nowhere
    classifier = network().fit(*training_panel())
    assert not holding_training_data(walk(classifier))
    classifier.network_.hidden = {"deep": [torch.zeros(N_SERIES, 1, N_TIMEPOINTS)]}

    assert holding_training_data(walk(classifier)) == [(N_SERIES, 1, N_TIMEPOINTS)]


@either
@pytest.mark.parametrize("walk", [reachable, pickled_objects])
def test_nothing_of_the_training_is_held(name, walk, fitted):
    items = walk(fitted[name])
    types_held = names_of_types(items)

    assert len(sizes(items)) >= 10  # weights and statistics
    assert holding_training_data(items) == []
    assert not [held for held in types_held if held.startswith(("torch.optim", "skorch"))]
    for forbidden in ("TrainingSet", "WindowBank", "DistillationCriterion", "Teacher"):
        assert not [held for held in types_held if held.endswith(forbidden)]
    assert not [item for item in items if isinstance(item, torch.Generator)]


@pytest.mark.parametrize("walk", [reachable, pickled_objects])
def test_student_holds_no_teacher(walk, fitted):
    student = fitted["distiller"].student_

    def classifiers(root):
        ours = (SkorchClassifier, SaliencyDistilledClassifier)
        return {id(item) for item in walk(root) if isinstance(item, ours)}

    assert classifiers(student) == {id(student)}
    assert {id(fitted["distiller"].teacher_), id(student)} < classifiers(fitted["distiller"])


@pytest.mark.parametrize(
    "take", [lambda f: f["network"], lambda f: f["distiller"], lambda f: f["distiller"].student_]
)
def test_bytes_of_training_series_are_not_in_the_pickle(take, fitted):
    stored = pickle.dumps(take(fitted))
    X, _ = training_panel()

    def holds(stored):
        return any(
            series[: N_TIMEPOINTS // 3].astype(dtype).tobytes() in stored
            for series in X[:, 0]
            for dtype in (np.float32, np.float64)
        )

    assert holds(pickle.dumps((stored, X)))
    assert holds(pickle.dumps(torch.from_numpy(X).float()))
    assert not holds(stored)


def test_default_student_is_small(fitted):
    # few series, but all its epochs: the history is a part of what is stored
    X, y = training_panel()
    default = SaliencyDistilledClassifier(small_teacher(), n_windows=1, bank_size=2, device="cpu")
    whole = default.fit(X[:8], y[:8]).student_
    short = fitted["distiller"].student_

    assert len(whole.history_) == 400
    for student in (whole, short):
        assert sum(weights.numel() for weights in student.network_.parameters()) == 1202
        assert len(pickle.dumps(student)) < 40_000


def test_size_does_not_grow_with_the_data():
    def size(n_instances):
        X, y = random_panel(n_instances, n_timepoints=N_TIMEPOINTS)
        return len(pickle.dumps(distiller().fit(X, y)))

    assert size(120) == pytest.approx(size(20), abs=200)


# -- devices -----------------------------------------------------------------------


@either
def test_network_of_a_machine_without_cuda_is_on_the_cpu(name, fitted, new_series, monkeypatch):
    says_cuda = copy.deepcopy(fitted[name])
    for part in (says_cuda, getattr(says_cuda, "student_", says_cuda)):
        part.device = "cuda:7"  # nor does this machine have that
    again = pickle.loads(pickle.dumps(says_cuda))
    student = getattr(again, "student_", again)

    assert {weights.device.type for weights in student.network_.parameters()} == {"cpu"}
    np.testing.assert_array_equal(
        again.predict_proba(new_series), fitted[name].predict_proba(new_series)
    )


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_to_a_machine_without(new_series, tmp_path):
    classifiers = {
        "network": network(device="cuda"),
        "distiller": distiller(device="cuda"),
    }
    for name, classifier in classifiers.items():
        classifier.fit(*training_panel())
        student = getattr(classifier, "student_", classifier)
        assert {weights.device.type for weights in student.network_.parameters()} == {"cuda"}
        store(classifier, tmp_path / name)
        # nor does storing move the network
        assert {weights.device.type for weights in student.network_.parameters()} == {"cuda"}
    results = load_elsewhere(tmp_path, new_series)

    for name, classifier in classifiers.items():
        for way in WAYS:
            np.testing.assert_allclose(
                results[f"{name}/{way}/probabilities"],
                classifier.predict_proba(new_series),
                atol=1e-5,
            )


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["epoch", "lr", "dur", "note"]),
            st.one_of(
                st.integers(), st.floats(allow_nan=False), st.text(), st.none(), st.booleans()
            ),
        )
    )
)
def test_a_history_is_packed_without_loss(history):
    again = unpack(pickle.loads(pickle.dumps(pack(history))))
    assert again == history
    assert [list(row) for row in again] == [list(row) for row in history]
    assert [[type(v) for v in row.values()] for row in again] == [
        [type(v) for v in row.values()] for row in history
    ]
