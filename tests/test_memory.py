"""What is cached is found again, is what would have been computed, and nothing else is."""

import importlib
import pickle
import re
import sys
import warnings

import joblib
import numpy as np
import pytest
import torch
from helpers import distiller as quick_distiller
from helpers import fcn, flat, learner, lstm, random_panel
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.base import clone as sklearn_clone
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sktime.classification.distance_based import KNeighborsTimeSeriesClassifier
from sktime.classification.dummy import DummyClassifier
from sktime.transformations.panel.rocket import MiniRocketMultivariate
from torch import nn

from sktime_tsd import SaliencyDistilledClassifier, SkorchClassifier
from sktime_tsd._scoring.classifier import ClassifierScorer
from sktime_tsd._scoring.scorer import Scorer
from sktime_tsd._utils.fingerprint import fingerprint
from sktime_tsd.losses import KD
from sktime_tsd.perturbations import OpposingClass, SameClass, Zero

# most teachers here are untrained: what is tested needs none that is any good
pytestmark = pytest.mark.filterwarnings("ignore:.*gives the right label to")

X, Y = random_panel(12)
X_OTHER, Y_OTHER = random_panel(12, seed=1)
SWAPPED = np.where(np.isin(np.arange(12), (0, 1)), Y[::-1], Y)
BANK_SIZE = 4


class Counted(ClassifierMixin, BaseEstimator):
    """Probabilities of the series' means; counts its fits and the series it scores."""

    calls = {"fits": 0, "scored": 0}

    def __init__(self, sharpness=1.0, random_state=None):
        self.sharpness = sharpness
        self.random_state = random_state

    def fit(self, X, y):
        self.calls["fits"] += 1
        self.classes_ = np.unique(y)
        self.levels_ = np.array([X[y == label].mean() for label in self.classes_])
        return self

    def predict_proba(self, X):
        self.calls["scored"] += len(X)
        distances = (X.mean(axis=(1, 2))[:, None] - self.levels_) ** 2
        return softmax(-self.sharpness * distances, axis=1)

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


PROBE = 2  # series the teacher is tried on in every fit


@pytest.fixture
def calls(monkeypatch):
    monkeypatch.setattr(Counted, "calls", {"fits": 0, "scored": 0})
    return Counted.calls


def distiller(memory, teacher=None, student=None, **params):
    return SaliencyDistilledClassifier(
        Counted() if teacher is None else teacher,
        fcn() if student is None else student,
        memory=memory,
        **{"n_windows": 2, "bank_size": BANK_SIZE, "random_state": 0, **params},
    )


MEMORIES = {
    "str": str,
    "Path": lambda path: path,
    "Memory": lambda path: joblib.Memory(path, verbose=0),
    "memory-mapped": lambda path: joblib.Memory(path, mmap_mode="r", verbose=0),
    "compressed": lambda path: joblib.Memory(path, compress=True, verbose=0),
}


# -- found again ---------------------------------------------------------------------


@pytest.mark.parametrize("memory", MEMORIES.values(), ids=MEMORIES)
def test_another_student_finds_teacher_and_logits(memory, tmp_path, calls):
    memory = memory(tmp_path)
    distiller(memory).fit(X, Y)
    assert calls == {"fits": 1, "scored": PROBE + 12 * (1 + BANK_SIZE)}
    for student in (fcn(lr=1e-4), fcn(max_epochs=3), lstm(), fcn(random_state=4)):
        calls["scored"] = 0
        clf = distiller(memory, student=student).fit(X, Y)
        assert calls == {"fits": 1, "scored": PROBE}
        assert set(clf.predict(X)) <= set(Y)


@pytest.mark.parametrize(
    "params",
    [
        {"saliency_weight": 0.1},
        {"saliency_measure": "sqrt_kl"},
        {"saliency_normalization": "teacher"},
        {"saliency_ramp": 0.0},
        {"saliency_temperature": 2.0},
        {"n_windows": 4},
        {"distillation": [KD()]},
        {"perturbation": OpposingClass()},  # the default, said aloud
        {"window": 2},  # the default of a tenth, in time points
        {"teacher_smoothing": 0.2},
        {"teacher_batch_size": 12},  # all series of a copy
        {"teacher_batch_size": 24},
    ],
    ids=str,
)
def test_what_does_not_concern_the_teacher_finds_its_logits(params, tmp_path, calls):
    distiller(tmp_path).fit(X, Y)
    distiller(tmp_path, **params).fit(X, Y)
    assert calls == {"fits": 1, "scored": 2 * PROBE + 12 * (1 + BANK_SIZE)}


def test_without_memory_nothing_is_found(calls):
    for _ in range(2):
        distiller(None).fit(X, Y)
    assert calls == {"fits": 2, "scored": 2 * (PROBE + 12 * (1 + BANK_SIZE))}


def test_without_a_seed_all_but_the_copies_is_found(tmp_path, calls):
    for _ in range(2):
        distiller(tmp_path, random_state=None).fit(X, Y)
    assert calls == {"fits": 1, "scored": 12 + 2 * (PROBE + 12 * BANK_SIZE)}


def test_a_grid_search_over_the_student_fits_the_teacher_of_each_fold_once(tmp_path, calls):
    search = GridSearchCV(
        distiller(tmp_path),
        {"student__lr": [1e-3, 1e-2], "student__max_epochs": [1, 2]},
        cv=StratifiedKFold(3),
        refit=True,
        error_score="raise",
    ).fit(X, Y)
    # three folds, and all series for the best
    assert calls["fits"] == 4
    n_fits = 3 * 4 + 1
    assert calls["scored"] == n_fits * PROBE + (3 * 8 + 12) * (1 + BANK_SIZE)
    assert search.best_estimator_.is_fitted


def test_a_grid_search_over_the_teacher_fits_each(tmp_path, calls):
    search = GridSearchCV(
        distiller(tmp_path), {"teacher__sharpness": [1.0, 2.0]}, cv=StratifiedKFold(2), refit=False
    )
    search.fit(X, Y)
    assert calls["fits"] == 4


TEACHERS = {
    "counted": Counted,
    "lstm": lstm,
    "fcn": fcn,
    "sklearn pipeline": lambda: flat(LogisticRegression()),
    "nearest neighbours": lambda: flat(KNeighborsClassifier()),
    "sktime": lambda: KNeighborsTimeSeriesClassifier(3, distance="euclidean"),
    "MiniRocket": lambda: (
        MiniRocketMultivariate(num_kernels=84) * StandardScaler() * LogisticRegression()
    ),
    "distiller": lambda: SaliencyDistilledClassifier(lstm(), fcn(), n_windows=2, bank_size=3),
    "frozen network": lambda: FrozenEstimator(lstm(random_state=0).fit(X, Y)),
    "frozen pipeline": lambda: FrozenEstimator(flat(LogisticRegression()).fit(X, Y)),
    "nn.Module": lambda: linear(1),
}


@pytest.fixture
def scorings(monkeypatch):
    """Which classifiers have scored how many series, example series left out."""
    made = []

    def recorded(kind, method):
        original = getattr(kind, method)

        def score(self, x, *args):
            if len(x) > PROBE:
                made.append((self.name, len(x)))
            return original(self, x, *args)

        monkeypatch.setattr(kind, method, score)

    recorded(Scorer, "score")
    recorded(ClassifierScorer, "logits")
    return made


@pytest.mark.parametrize("kind", TEACHERS)
def test_every_kind_of_teacher_is_found_again_and_says_the_same(kind, tmp_path, scorings):
    teacher = TEACHERS[kind]()
    expected = distiller(None, teacher).fit(X, Y).predict_proba(X_OTHER)
    scorings.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # joblib only warns where it cannot store
        warnings.filterwarnings("ignore", "The teacher .* gives the right label")
        fits = [distiller(tmp_path, teacher).fit(X, Y) for _ in range(3)]
    for clf in fits:
        np.testing.assert_array_equal(clf.predict_proba(X_OTHER), expected)
    # a distiller as teacher scores its own teacher too
    assert len(scorings) == len(set(scorings))


@pytest.mark.parametrize("kind", TEACHERS)
def test_the_found_teacher_is_the_fitted_one(kind, tmp_path):
    teacher = TEACHERS[kind]()
    first, second = (distiller(tmp_path, teacher).fit(X, Y).teacher_ for _ in range(2))
    np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))
    assert fingerprint(first) == fingerprint(second)


def test_labels_of_all_kinds_are_found_again(tmp_path, calls):
    for labels in (Y, Y.astype(object), Y[0] == Y, (Y[0] == Y).astype(int), Y.tolist()):
        calls.update(fits=0, scored=0)
        memory = tmp_path / str(np.asarray(labels).dtype) / type(labels).__name__
        for _ in range(2):
            # new objects that are equal
            again = np.array(labels.tolist(), labels.dtype) if hasattr(labels, "dtype") else labels
            distiller(memory).fit(X.copy(), again)
        assert calls["fits"] == 1


def test_the_found_teacher_is_not_shared(tmp_path):
    # what a user does to one fitted distiller must not reach the next
    first = distiller(tmp_path).fit(X, Y)
    proba = first.teacher_.predict_proba(X)
    second = distiller(tmp_path).fit(X, Y)
    first.teacher_.levels_ += 100.0
    third = distiller(tmp_path).fit(X, Y)
    for clf in (second, third):
        np.testing.assert_array_equal(clf.teacher_.predict_proba(X), proba)


@pytest.mark.parametrize("verbose", [0, 1])
def test_finding_is_silent(verbose, tmp_path, capfd):
    distiller(str(tmp_path), verbose=verbose).fit(X, Y)
    capfd.readouterr()
    distiller(str(tmp_path), verbose=verbose).fit(X, Y)
    out, err = capfd.readouterr()
    assert out == ""
    assert "scores" not in err  # nothing is scored, so nothing is announced
    assert bool(err) == bool(verbose)


def test_how_much_is_said_does_not_matter_to_what_is_found(tmp_path, scorings):
    probas = [
        distiller(tmp_path, lstm(), verbose=verbose).fit(X, Y).predict_proba(X)
        for verbose in (0, 1, None)
    ]
    assert len(scorings) == 1
    np.testing.assert_array_equal(probas[0], probas[1])
    np.testing.assert_array_equal(probas[0], probas[2])


def test_a_teacher_that_cannot_be_stored_is_refused_in_words(tmp_path):
    first_channel = FunctionTransformer(lambda X: X[:, 0])
    clf = distiller(tmp_path, make_pipeline(first_channel, LogisticRegression()))
    with pytest.raises((TypeError, ValueError), match="memory"):
        clf.fit(X, Y)


# -- the same as without -------------------------------------------------------------

CASES = {
    "saliency": {},
    "with KD": {"distillation": [KD()]},
    "KD alone": {"saliency_weight": 0.0, "distillation": [KD()]},
    "nothing": {"saliency_weight": 0.0},
    "without donors": {"perturbation": Zero()},
    "validation": {"student": fcn(validation_fraction=0.5)},
    "another seed": {"random_state": 5},
}


@pytest.mark.parametrize("params", CASES.values(), ids=CASES)
@pytest.mark.parametrize("teacher", [Counted(), lstm()], ids=["counted", "lstm"])
def test_results_are_those_without_memory(params, teacher, tmp_path):
    plain = distiller(None, teacher, **params).fit(X, Y)
    for _ in range(2):
        cached = distiller(tmp_path, teacher, **params).fit(X, Y)
        np.testing.assert_array_equal(cached.predict_logits(X), plain.predict_logits(X))
        for one, other in zip(cached.student_.history_, plain.student_.history_, strict=True):
            assert {**one, "dur": 0} == {**other, "dur": 0}
        np.testing.assert_array_equal(
            cached.teacher_.predict_proba(X), plain.teacher_.predict_proba(X)
        )


def test_a_network_seeded_by_an_instance_is_not_mixed_up(tmp_path):
    # the state of the instance moves on, so each fit is another
    plain, cached = np.random.RandomState(0), np.random.RandomState(0)
    for _ in range(2):
        expected = distiller(None, lstm(), random_state=plain).fit(X, Y).predict_proba(X)
        found = distiller(tmp_path, lstm(), random_state=cached).fit(X, Y).predict_proba(X)
        np.testing.assert_array_equal(found, expected)


# -- not found -----------------------------------------------------------------------

REFITTED = {
    "teacher parameter": {"teacher": Counted(sharpness=2.0)},
    "teacher seed": {"teacher": Counted(random_state=3)},
    "seed": {"random_state": 1},
    "series": {"X": X_OTHER},
    "one value": {"X": np.where(np.arange(20) == 7, X + 1e-3, X)},
    "order": {"X": X[::-1], "y": Y[::-1]},
    "labels": {"y": SWAPPED},
    "names of the labels": {"y": np.char.add(Y, "!")},
    "type of the labels": {"y": np.arange(12) % 2},
}
RESCORED = {
    "window": {"window": 5},
    "window as a fraction": {"window": 0.5},
    "perturbation": {"perturbation": SameClass()},
    "perturbation without donors": {"perturbation": Zero()},
}


@pytest.mark.parametrize("change", [*REFITTED, *RESCORED])
def test_what_changes_the_answer_is_not_found(change, tmp_path, calls):
    distiller(tmp_path).fit(X, Y)
    changed = {**REFITTED, **RESCORED}[change].copy()
    data = changed.pop("X", X), changed.pop("y", Y)
    calls.update(fits=0, scored=0)
    clf = distiller(tmp_path, **changed).fit(*data)
    assert calls["fits"] == (change in REFITTED)
    # the series themselves are as before where only the copies are others
    assert calls["scored"] == PROBE + 12 * ((change in REFITTED) + BANK_SIZE)
    plain = distiller(None, **changed).fit(*data)
    np.testing.assert_array_equal(clf.predict_logits(X), plain.predict_logits(X))


def test_a_larger_bank_asks_for_the_new_copies_only(tmp_path, calls):
    distiller(tmp_path).fit(X, Y)
    for bank_size, n_new in ((7, 3), (5, 0)):
        calls["scored"] = 0
        clf = distiller(tmp_path, bank_size=bank_size).fit(X, Y)
        assert calls["scored"] == PROBE + 12 * n_new
        plain = distiller(None, bank_size=bank_size).fit(X, Y)
        np.testing.assert_array_equal(clf.predict_logits(X), plain.predict_logits(X))


def test_without_copies_the_logits_of_a_fit_with_copies_are_taken(tmp_path, calls):
    distiller(tmp_path).fit(X, Y)
    calls["scored"] = 0
    clf = distiller(tmp_path, saliency_weight=0.0, distillation=[KD()]).fit(X, Y)
    assert calls["scored"] == PROBE
    plain = distiller(None, saliency_weight=0.0, distillation=[KD()]).fit(X, Y)
    np.testing.assert_array_equal(clf.predict_logits(X), plain.predict_logits(X))


class Scaled(nn.Module):
    """A linear network with a setting that is neither a weight nor in its repr."""

    def __init__(self, factor=1.0):
        super().__init__()
        self.factor = factor
        self.linear = nn.Linear(20, 2)
        with torch.no_grad():
            self.linear.weight.copy_(torch.linspace(-1, 1, 40).reshape(2, 20))
            self.linear.bias.zero_()

    def forward(self, x):
        return self.linear(self.factor * x.flatten(1))


def linear(seed):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(nn.Flatten(), nn.Linear(20, 2))


def frozen_pair(make, *arguments):
    return [FrozenEstimator(make(argument)) for argument in arguments]


def nudged(amount):
    """A network that differs from another by one weight alone."""
    clf = lstm(random_state=0).fit(X, Y)
    with torch.no_grad():
        next(clf.network_.parameters())[0, 0] += amount
    return clf


PAIRS = {
    "weights": frozen_pair(lambda seed: lstm(random_state=seed).fit(X, Y), 0, 1),
    "one weight": frozen_pair(nudged, 0.0, 0.5),
    "data": frozen_pair(lambda data: lstm(random_state=0).fit(*data), (X, Y), (X_OTHER, Y_OTHER)),
    "modules": [linear(0), linear(1)],
    "setting of a module": [Scaled(1.0), Scaled(-2.0)],
    "pipelines": frozen_pair(
        lambda data: flat(LogisticRegression()).fit(*data), (X, Y), (X_OTHER, Y_OTHER)
    ),
    "sktime": frozen_pair(
        lambda data: KNeighborsTimeSeriesClassifier(3, distance="euclidean").fit(*data),
        (X, Y),
        (X_OTHER, Y_OTHER),
    ),
    "labels": frozen_pair(lambda y: lstm(random_state=0).fit(X, y), Y, SWAPPED),
}


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_one_frozen_teacher_does_not_find_the_logits_of_another(pair, tmp_path, scorings):
    plain = [distiller(None, teacher).fit(X, Y).predict_logits(X) for teacher in pair]
    assert not np.array_equal(*plain)  # else nothing can be mixed up
    scorings.clear()
    cached = [distiller(tmp_path, teacher).fit(X, Y).predict_logits(X) for teacher in pair]
    assert len(scorings) == 2 * len(set(scorings))
    for one, other in zip(cached, plain, strict=True):
        np.testing.assert_array_equal(one, other)


# -- fingerprints --------------------------------------------------------------------


def test_fingerprints_of_clones_are_equal():
    for estimator in (
        fcn(random_state=0),
        lstm(callbacks=[]),
        Counted(2.0),
        flat(LogisticRegression(C=3.0)),
        KNeighborsTimeSeriesClassifier(3, distance="euclidean"),
        MiniRocketMultivariate() * StandardScaler() * LogisticRegression(),
        distiller(None, distillation=[KD()], perturbation=Zero()),
        SkorchClassifier(Scaled, {"factor": 2.0}),
    ):
        assert fingerprint(estimator) == fingerprint(sklearn_clone(estimator))


def test_a_clone_of_a_fitted_classifier_is_that_of_an_unfitted_one():
    assert fingerprint(sklearn_clone(fcn().fit(X, Y))) == fingerprint(fcn())
    assert fingerprint(sklearn_clone(Counted().fit(X, Y))) == fingerprint(Counted())


def test_fingerprints_of_equal_fits_are_equal():
    for make in (
        lambda: lstm(random_state=0),
        Counted,
        lambda: flat(LogisticRegression()),
        lambda: DummyClassifier(strategy="prior"),
        lambda: KNeighborsTimeSeriesClassifier(3, distance="euclidean"),
    ):
        assert fingerprint(make().fit(X, Y)) == fingerprint(make().fit(X, Y)), make()


DIFFERENT = {
    "parameter": (lambda: fcn(lr=1e-3), lambda: fcn(lr=2e-3)),
    "seed": (lambda: fcn(random_state=0), lambda: fcn(random_state=1)),
    "seed or none": (lambda: fcn(random_state=0), fcn),
    "network": (fcn, lstm),
    "nested parameter": (
        lambda: flat(LogisticRegression(C=1.0)),
        lambda: flat(LogisticRegression(C=2.0)),
    ),
    "class": (lambda: LogisticRegression(), lambda: KNeighborsClassifier()),
    "fitted or not": (lambda: lstm(random_state=0), lambda: lstm(random_state=0).fit(X, Y)),
    "fitted or not, sklearn": (Counted, lambda: Counted().fit(X, Y)),
    "weights": (
        lambda: lstm(random_state=0).fit(X, Y),
        lambda: lstm(random_state=0).fit(X_OTHER, Y),
    ),
    "classes": (
        lambda: lstm(random_state=0).fit(X, Y),
        lambda: lstm(random_state=0).fit(X, np.char.add(Y, "!")),
    ),
    "sklearn, other data": (
        lambda: flat(LogisticRegression()).fit(X, Y),
        lambda: flat(LogisticRegression()).fit(X_OTHER, Y),
    ),
    "neighbours, other data": (
        lambda: flat(KNeighborsClassifier()).fit(X, Y),
        lambda: flat(KNeighborsClassifier()).fit(X_OTHER, Y),
    ),
    "sktime, other data": (
        lambda: KNeighborsTimeSeriesClassifier(3, distance="euclidean").fit(X, Y),
        lambda: KNeighborsTimeSeriesClassifier(3, distance="euclidean").fit(X_OTHER, Y),
    ),
    "sktime pipeline, other data": (
        lambda: (MiniRocketMultivariate(84) * LogisticRegression()).fit(X, Y),
        lambda: (MiniRocketMultivariate(84) * LogisticRegression()).fit(X_OTHER, Y),
    ),
    "distiller, other data": (
        lambda: distiller(None).fit(X, Y),
        lambda: distiller(None).fit(X_OTHER, Y),
    ),
    "array": (lambda: X, lambda: X_OTHER),
    "shape": (lambda: X, lambda: X.reshape(12, 20, 1)),
    "dtype": (lambda: np.zeros(2, np.int64), lambda: np.zeros(2, np.float64)),
    "object array": (lambda: Y.astype(object), lambda: SWAPPED.astype(object)),
    "tensor": (lambda: torch.zeros(2), lambda: torch.ones(2)),
    "module": (lambda: linear(0), lambda: linear(1)),
    "module's setting": (lambda: Scaled(1.0), lambda: Scaled(2.0)),
    "module's repr": (lambda: nn.Dropout(0.1), lambda: nn.Dropout(0.2)),
    "term": (lambda: KD(), lambda: KD(weight=0.5)),
    "perturbation": (Zero, OpposingClass),
    "number or text": (lambda: 1, lambda: "1"),
    "number or truth": (lambda: 1, lambda: True),
    "none": (lambda: None, lambda: "None"),
    "dict": (lambda: {"a": 1, "b": 2}, lambda: {"a": 2, "b": 1}),
    "list": (lambda: [[1], 2], lambda: [1, [2]]),
    "split": (lambda: ["ab", "c"], lambda: ["a", "bc"]),
    "function": (lambda: np.mean, lambda: np.median),
}


@pytest.mark.parametrize(("one", "other"), DIFFERENT.values(), ids=DIFFERENT)
def test_fingerprints_of_what_differs_differ(one, other):
    assert fingerprint(one()) != fingerprint(other())


def test_fingerprints_of_equal_values_are_equal():
    for value in (
        {"b": 1, "a": (1, [2.5, "x", None])},
        X,
        Y.astype(object),
        KD(weight=0.5),
        torch.arange(3),
        np.random.RandomState(3),
    ):
        assert fingerprint(value) == fingerprint(_rebuilt(value))
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint(X) == fingerprint(np.asfortranarray(X))


def _rebuilt(value):
    return pickle.loads(pickle.dumps(value))


def test_the_order_of_arguments_matters():
    assert fingerprint(1, 2) != fingerprint(2, 1)
    assert fingerprint(1, None) != fingerprint(1)


def test_prediction_and_pickling_do_not_change_a_fingerprint():
    for clf in (lstm(random_state=0).fit(X, Y), flat(LogisticRegression()).fit(X, Y)):
        before = fingerprint(clf)
        clf.predict_proba(X)
        assert fingerprint(clf) == before
        assert fingerprint(_rebuilt(clf)) == before


def test_changed_code_of_a_users_own_class_is_seen(tmp_path, monkeypatch):
    """A network defined in a notebook keeps its name when its forward is changed."""
    monkeypatch.syspath_prepend(tmp_path)
    digests = []
    for factor in (1, 22):  # of another length, so that no stale bytecode is taken
        (tmp_path / "own_network.py").write_text(
            "from torch import nn\n\n\nclass Own(nn.Identity):\n"
            f"    def forward(self, x):\n        return {factor} * x\n"
        )
        sys.modules.pop("own_network", None)
        importlib.invalidate_caches()
        own = importlib.import_module("own_network").Own
        digests.append((fingerprint(own), fingerprint(own()), fingerprint(SkorchClassifier(own))))
    sys.modules.pop("own_network", None)
    assert all(before != after for before, after in zip(*digests, strict=True))


def test_arrays_and_tensors_of_every_kind_have_a_fingerprint():
    values = [
        np.array(["2020-01-01"], dtype="datetime64[D]"),
        np.array(["2020-01-02"], dtype="datetime64[D]"),
        np.array(1.0),
        np.zeros((0, 3)),
        torch.zeros(2, dtype=torch.bfloat16),
        torch.ones(2, dtype=torch.bfloat16),
        torch.tensor(1),
        torch.tensor([True]),
    ]
    assert len({fingerprint(value) for value in values}) == len(values)


@pytest.mark.parametrize(
    "teacher",
    [
        RandomForestClassifier(5, random_state=0),
        ExtraTreesClassifier(5, random_state=0),
        HistGradientBoostingClassifier(max_iter=3, random_state=0),
    ],
    ids=lambda teacher: type(teacher).__name__,
)
@pytest.mark.filterwarnings("ignore:No perturbed copy moves")  # so few series
def test_forests_are_recognised(teacher, tmp_path, capsys):
    # their nodes have gaps that hold anything, other after each loading
    X, y = random_panel(12)
    asked = []
    for bank_size in (4, 4, 6):
        clf = quick_distiller(memory=tmp_path / "memory", bank_size=bank_size, verbose=1)
        clf.set_params(teacher=flat(teacher)).fit(X, y)
        err = capsys.readouterr().err
        asked.append(re.search(r"scores (\d+)", err) or "none")
    assert [a if a == "none" else a[1] for a in asked] == ["60", "none", "24"]


class Restless:
    """Changes with every answer, and fails after some."""

    classes_ = np.array(["class 00", "class 01"])

    def __init__(self, network, fails_after=None):
        self.network, self.fails_after, self.n_asked = network, fails_after, 0

    def predict_proba(self, X):
        self.n_asked += len(X)
        if self.fails_after is not None and self.n_asked > self.fails_after:
            raise ConnectionError("no route")
        return self.network.predict_proba(X)


def test_a_teacher_that_changes_as_it_answers_resumes(tmp_path):
    X, y = random_panel(12)
    network = learner().fit(X, y)
    clf = quick_distiller(memory=tmp_path / "memory", teacher_batch_size=6)
    with pytest.raises(ConnectionError) as caught:
        clf.set_params(teacher=Restless(network, fails_after=35)).fit(X, y)
    assert "30 of 60" in caught.value.__notes__[0]
    again = Restless(network, fails_after=35)
    clf.set_params(teacher=again).fit(X, y)
    assert again.n_asked == 2 + 30  # a trial, and the rest
