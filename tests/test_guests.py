"""Whatever answers, teaches; and leaves everything as it was."""

import random
import threading
import types
import warnings

import numpy as np
import pytest
import torch
from helpers import distiller as quick_distiller
from helpers import random_panel
from scipy.special import expit
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from skorch import NeuralNetClassifier
from sktime.classification.dummy import DummyClassifier
from torch import nn

from sktime_tsd import (
    SaliencyDistilledClassifier,
    SkorchClassifier,
    fidelity_report,
    temporal_saliency,
    to_onnx,
)
from sktime_tsd.runtime import OnnxClassifier
from sktime_tsd.teachers import CallableTeacher

X, Y = random_panel(30)
CODES = np.unique(Y, return_inverse=True)[1]
LABELS = np.unique(Y)


def up(X):
    """Probability of the second class: by the mean of a series."""
    return 1 / (1 + np.exp(2 - 4 * X.mean(axis=(1, 2))))


def both(X):
    return np.column_stack([1 - up(X), up(X)])


def distil(teacher, y=Y, **params):
    tiny = {"filters": (6,), "kernel_sizes": (3,)}
    student = SkorchClassifier("fcn", tiny, max_epochs=30, lr=0.03)
    settings = {"n_windows": 3, "bank_size": 8, "window": 0.3, "random_state": 0} | params
    return SaliencyDistilledClassifier(teacher, student, **settings).fit(X, y)


class Answers:
    """Knows nothing but how to answer."""

    def __init__(self, classes=LABELS):
        self.classes_ = np.asarray(classes)

    def predict_proba(self, X):
        return both(X)


class AnswersAndFits(Answers):
    """Cannot be cloned: no parameters, no tags."""

    def fit(self, X, y):
        raise AssertionError("it was fitted elsewhere")


class Linear(nn.Module):
    """The same answers, as a network."""

    def __init__(self, n_logits=2):
        super().__init__()
        self.n_logits = n_logits

    def forward(self, x):
        z = 4 * x.mean(dim=(1, 2)) - 2
        return z if self.n_logits == 0 else torch.stack([0 * z, z], 1)[:, -self.n_logits :]


class Output(Linear):
    def forward(self, x):
        return types.SimpleNamespace(logits=super().forward(x), loss=None)


def scripted():
    with warnings.catch_warnings():  # torch would rather see torch.export
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.jit.trace(Linear(), torch.zeros(2, 1, 20))


@pytest.fixture(scope="module")
def onnx_file(tmp_path_factory):
    clf = SkorchClassifier("fcn", {"filters": (6,), "kernel_sizes": (3,)}, max_epochs=30, lr=0.03)
    path = tmp_path_factory.mktemp("onnx") / "teacher.onnx"
    return to_onnx(clf.set_params(random_state=0).fit(X, Y), path)


KINDS = {
    "object": Answers,
    "frozen object": lambda: FrozenEstimator(Answers()),
    "object with fit": AnswersAndFits,
    "function": lambda: CallableTeacher(both, LABELS),
    "frozen function": lambda: FrozenEstimator(CallableTeacher(both, LABELS)),
    "one column": lambda: CallableTeacher(up, LABELS),
    "logits": lambda: CallableTeacher(lambda X: np.log(both(X)), LABELS, output="logits"),
    "one logit, in batches": lambda: CallableTeacher(
        lambda X: 4 * X.mean(axis=(1, 2)) - 2, LABELS, output="logits", batch_size=7
    ),
    "codes": lambda: CallableTeacher(Answers([0, 1]).predict_proba, classes=LABELS),
    "module": Linear,
    "frozen module": lambda: FrozenEstimator(Linear()),
    "one logit": lambda: Linear(1),
    "logits without a column": lambda: Linear(0),
    "object with logits": Output,
    "torch.jit": scripted,
}


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_every_kind_teaches(make):
    clf = distil(make())
    expected = both(X.astype(np.float32))
    np.testing.assert_allclose(clf.teacher_.predict_proba(X.copy()), expected, atol=1e-5)
    agreement = np.mean(clf.predict(X) == LABELS[expected.argmax(axis=1)])
    assert agreement > 0.8
    assert clf.clone().set_params(n_windows=2).fit(X, Y).is_fitted


MODULES = {"logits": Linear, "one logit": lambda: Linear(1), "no column": lambda: Linear(0)}


@pytest.mark.parametrize("make", [*MODULES.values(), Output], ids=[*MODULES, "object"])
def test_every_module_answers_though_the_shape_of_its_series_is_unknown(make):
    clf = SkorchClassifier.from_module(make(), LABELS)
    np.testing.assert_allclose(clf.predict_proba(X), both(X), atol=1e-5)


def test_a_module_of_unknown_shape_with_too_many_outputs_is_refused():
    clf = SkorchClassifier.from_module(nn.Sequential(nn.Flatten(), nn.Linear(20, 3)), LABELS)
    with pytest.raises(ValueError, match=r"must return logits of shape \(n, 2\)"):
        clf.predict(X)


def test_an_onnx_file_teaches(onnx_file):
    teacher = OnnxClassifier(onnx_file)
    clf = distil(teacher)
    assert clf.teacher_ is teacher
    assert np.mean(clf.predict(X) == teacher.predict(X)) > 0.8


def test_a_fitted_skorch_net_teaches_under_names():
    net = NeuralNetClassifier(
        nn.Sequential(nn.Flatten(), nn.Linear(20, 2), nn.Softmax(dim=1)),
        criterion=nn.NLLLoss,
        train_split=None,
        max_epochs=50,
        lr=0.05,
        verbose=0,
    )
    net.fit(X.astype(np.float32), CODES)
    with pytest.raises(ValueError, match=r"\[0, 1\].*CallableTeacher.*classes="):
        distil(FrozenEstimator(net))
    clf = distil(CallableTeacher(net.predict_proba, LABELS))
    assert clf.score(X, Y) > 0.8
    assert distil(FrozenEstimator(net), CODES).score(X, CODES) > 0.8


def test_saliency_and_fidelity_ask_the_same_teachers():
    teacher = CallableTeacher(both, LABELS)
    one = temporal_saliency(teacher, X[:3], background=X, random_state=0)
    other = temporal_saliency(Answers(), X[:3], background=X, random_state=0)
    np.testing.assert_allclose(one.values, other.values)
    report = fidelity_report(teacher, Answers(), X, Y, background=X, latency=False)
    assert report["top_1_agreement"] == 1


@pytest.mark.parametrize(
    ("teacher", "said"),
    [
        (both, "function.*CallableTeacher"),
        (types.SimpleNamespace(predict=both), r"CallableTeacher\(teacher.predict"),
        (types.SimpleNamespace(predict_proba=both), r"classes_.*CallableTeacher"),
        (Answers, r"Answers\(...\)"),
        (3, "3"),
    ],
    ids=["function", "predict only", "no classes", "class", "number"],
)
def test_refusals_say_what_to_pass(teacher, said):
    with pytest.raises(TypeError, match=said):
        distil(teacher)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"function": 3}, TypeError, "function.*3"),
        ({"classes": ["a"]}, ValueError, r"classes.*\['a'\]"),
        ({"classes": ["a", "a"]}, ValueError, "classes"),
        ({"output": "labels"}, ValueError, "output.*'labels'"),
        ({"batch_size": 0}, ValueError, "batch_size.*0"),
    ],
)
def test_bad_options_of_a_function(options, error, said):
    settings = {"function": both, "classes": LABELS} | options
    with pytest.raises(error, match=said):
        CallableTeacher(settings.pop("function"), settings.pop("classes"), **settings)


def test_a_function_that_returns_too_little_is_refused():
    with pytest.raises(ValueError, match=r"\(2, 2\).*\(1, 2\)"):
        distil(CallableTeacher(lambda X: both(X[:1]), LABELS))


def test_a_function_is_shared_by_clones():
    clf = SaliencyDistilledClassifier(CallableTeacher(both, LABELS))
    assert clf.clone().teacher.function is both
    assert clone(clf).teacher.function is both


# -- guests --------------------------------------------------------------------------


class InPlace(Answers):
    """Changes what it is given."""

    def predict_proba(self, X):
        answers = both(X)
        X -= 1e3
        return answers


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_teacher_that_works_in_place_changes_nothing(dtype):
    given = X.astype(dtype)
    before = given.copy()
    student = SkorchClassifier("fcn", {"filters": (6,), "kernel_sizes": (3,)}, max_epochs=3)
    settings = {"n_windows": 2, "bank_size": 4, "random_state": 0}
    clf = SaliencyDistilledClassifier(InPlace(), student, **settings).fit(given, Y)
    plain = SaliencyDistilledClassifier(Answers(), student, **settings).fit(X, Y)
    np.testing.assert_array_equal(given, before)
    np.testing.assert_allclose(clf.predict_proba(X), plain.predict_proba(X), atol=1e-5)


class Compiled(LogisticRegression):
    """Reads float64 alone, as the compiled code of aeon does."""

    def fit(self, X, y):
        assert X.dtype == np.float64
        return super().fit(X.reshape(len(X), -1), y)

    def predict_proba(self, X):
        assert X.dtype == np.float64
        return super().predict_proba(X.reshape(len(X), -1))


@pytest.mark.parametrize("given", [Compiled, lambda: FrozenEstimator(Compiled().fit(X, Y))])
def test_compiled_teachers_get_float64(given):
    given = given()
    assert distil(given).score(X.astype(np.float32), Y) > 0.8


class Draws(LogisticRegression):
    """Draws from every global generator, in fit and in its answers."""

    def fit(self, X, y):
        noise = np.random.rand() + random.random() + torch.rand(1).item()  # noqa: NPY002
        super().fit(X.reshape(len(X), -1) + noise, y)
        return self

    def predict_proba(self, X):
        noise = np.random.rand() + random.random() + torch.rand(1).item()  # noqa: NPY002
        return super().predict_proba(X.reshape(len(X), -1) + noise)


def generators():
    return np.random.get_state()[1].tolist(), random.getstate(), torch.get_rng_state().tolist()  # noqa: NPY002


def test_a_teacher_that_draws_from_global_generators_is_reproducible_and_leaves_them():
    before = generators()
    one = distil(Draws()).predict_proba(X)
    assert generators() == before
    np.random.rand(), random.random(), torch.rand(1)  # noqa: NPY002
    np.testing.assert_array_equal(distil(Draws()).predict_proba(X), one)


class Unsteady(Answers):
    """Answers by the number of series it is asked for."""

    def predict_proba(self, X):
        return both(X + (0.1 if len(X) > 2 else 0.0))


def test_an_unsteady_teacher_is_warned_about():
    with pytest.warns(UserWarning, match=r"Unsteady.*unsteady"):
        distil(Unsteady())


class Backwards(Answers):
    def predict_proba(self, X):
        return both(X)[:, ::-1]


def test_a_useless_teacher_is_warned_about():
    with pytest.warns(UserWarning, match=r"Backwards.*right label"):
        distil(Backwards())
    with pytest.warns(UserWarning) as said:  # noqa: PT030 - both are looked for
        distil(DummyClassifier(strategy="prior"))
    told = " ".join(str(warning.message) for warning in said)
    assert "right label" in told
    assert "moves an answer" in told


class Dropping(torch.nn.Module):
    """Draws at random in eval mode, too."""

    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(1))

    def forward(self, x):
        x = torch.nn.functional.dropout(x, 0.5, training=True)
        mean = self.scale * x.mean(dim=(1, 2))
        return torch.stack([1 - 2 * mean, 2 * mean - 1], dim=1)


def test_a_module_that_draws_is_a_guest_and_unsteady():
    X, y = random_panel(24)
    state = torch.get_rng_state()
    found = []
    for _ in range(2):
        with pytest.warns(UserWarning, match=r"Dropping.*unsteady"):
            found.append(
                quick_distiller().set_params(teacher=Dropping()).fit(X, y).predict_proba(X)
            )
    np.testing.assert_array_equal(*found)
    assert torch.equal(torch.get_rng_state(), state)


def test_noise_row_by_row_is_found():
    X, y = random_panel(24)

    class Noisy:
        classes_ = np.unique(y)

        def predict_proba(self, X):
            p = expit(X.mean(axis=(1, 2)) + 2 * np.random.randn(len(X)))  # noqa: NPY002
            return np.column_stack([1 - p, p])

    with pytest.warns(UserWarning, match=r"Noisy.*unsteady"):
        quick_distiller().set_params(teacher=Noisy()).fit(X, y)


# -- errors that say what to do ----------------------------------------------------------


class Fails(Answers):
    def __init__(self, answer, classes=LABELS):
        super().__init__(classes)
        self.answer = answer

    def predict_proba(self, X):
        return self.answer(X)


def ended(X):
    return next(iter(()))


@pytest.mark.parametrize(
    ("teacher", "error", "said"),
    [
        (Fails(ended), RuntimeError, "StopIteration"),
        (Fails(lambda X: 100 * both(X)), ValueError, "percentages.*100"),
        (Fails(both, ["a", "b", "b"]), ValueError, "classes_ of the teacher Fails.*distinct"),
    ],
    ids=["StopIteration", "percentages", "labels twice"],
)
def test_errors_of_teachers_say_what_is_wrong(teacher, error, said):
    with pytest.raises(error, match=said):
        distil(teacher)


@pytest.mark.parametrize(
    "wrapped",
    [CalibratedClassifierCV, lambda inner: GridSearchCV(inner, {"strategy": ["prior"]})],
)
def test_wrappers_of_scikit_learn_around_sktime_get_a_remedy(wrapped):
    with pytest.raises(AttributeError) as caught:
        distil(wrapped(DummyClassifier()))
    assert any("TSCGridSearchCV" in note for note in caught.value.__notes__)


class CannotTravel(Answers):
    """Works here, but not in another process."""

    def __init__(self):
        super().__init__()
        self.lock = threading.Lock()


def test_memory_is_no_remedy_for_a_teacher_that_cannot_travel():
    with pytest.raises(TypeError, match="n_jobs=1") as caught:
        distil(CannotTravel(), n_jobs=2, teacher_batch_size=10)
    assert not any("memory=" in note for note in caught.value.__notes__)
