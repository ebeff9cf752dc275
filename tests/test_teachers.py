"""Every kind of teacher gives its logits by label, is left as it is, and is asked once."""

import copy
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import fcn, flat, lstm, random_panel, training_set_of
from scipy.special import log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Callback
from sktime.classification.base import BaseClassifier
from sktime.classification.distance_based import KNeighborsTimeSeriesClassifier
from sktime.transformations.panel.rocket import MiniRocketMultivariate
from torch import nn

from sktime_tsd import SaliencyDistilledClassifier, SkorchClassifier, to_onnx
from sktime_tsd.losses import KD
from sktime_tsd.networks import FCN, ScaledNetwork
from sktime_tsd.perturbations import WindowBank
from sktime_tsd.runtime import OnnxClassifier
from sktime_tsd.teachers import CallableTeacher, _fit
from sktime_tsd.teachers._teacher import Teacher

# most teachers here are untrained: what is tested needs none that is any good
pytestmark = pytest.mark.filterwarnings("ignore:.*gives the right label to")

BANK_SIZE = 4
X, Y = random_panel(12)
X_TEST, Y_TEST = random_panel(10, seed=1)
THREE = np.array([f"class {i:02d}" for i in np.arange(12) % 3])


def distiller(teacher, student=None, **params):
    student = fcn() if student is None else student
    settings = {"n_windows": 2, "bank_size": BANK_SIZE, "random_state": 0}
    settings |= params
    return SaliencyDistilledClassifier(teacher, student, **settings)


class Scorer(ClassifierMixin, BaseEstimator):
    """Graded probabilities of the series' means; counts its fits and the series it scores."""

    calls = {"fits": 0, "scored": 0}

    def __init__(self, order=1, kind="graded", random_state=None):
        self.order = order
        self.kind = kind
        self.random_state = random_state

    def fit(self, X, y):
        self.calls["fits"] += 1
        self.classes_ = np.unique(y)[:: self.order]
        self.levels_ = np.array([X[y == label].mean() for label in self.classes_])
        return self

    def predict_proba(self, X):
        self.calls["scored"] += len(X)
        scores = -((X.mean(axis=(1, 2))[:, None] - self.levels_) ** 2)
        if self.kind == "hard":
            return 1.0 * (scores == scores.max(axis=1, keepdims=True))
        proba = softmax(scores, axis=1)
        return {
            "graded": proba,
            "scores": 3 * proba,
            "log": np.log(proba),
            "one column": proba[:, 1],
            "NaN": np.full_like(proba, np.nan),
            "negative": np.column_stack([1.5 + 0 * proba[:, 0], -0.5 + 0 * proba[:, 1]]),
        }[self.kind]

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


@pytest.fixture
def calls(monkeypatch):
    monkeypatch.setattr(Scorer, "calls", {"fits": 0, "scored": 0})
    return Scorer.calls


class RecordedTargets(list):
    """Targets of the students trained since: teacher logits, and those of the bank."""


@pytest.fixture
def targets(monkeypatch):
    recorded = RecordedTargets()
    original = Teacher.score

    def score(self, X, bank=None, **kwargs):
        result = original(self, X, bank, **kwargs)
        recorded.append(result)
        return result

    monkeypatch.setattr(Teacher, "score", score)
    return recorded


def trained_module(n_logits=2):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = FCN(1, 20, n_logits, filters=(4,), kernel_sizes=(3,))
        module.train()
        for _ in range(3):  # running statistics of their own
            module(torch.randn(8, 1, 20))
    return module


def state_of(module):
    """Everything that a training could change, copied."""
    return (
        {name: value.clone() for name, value in module.state_dict().items()},
        {name: parameter.requires_grad for name, parameter in module.named_parameters()},
        {name: part.training for name, part in module.named_modules()},
        {name: parameter.grad for name, parameter in module.named_parameters()},
    )


def assert_same_state(module, before):
    weights, *flags = state_of(module)
    assert flags == list(before[1:])
    assert weights.keys() == before[0].keys()
    for name, value in weights.items():
        assert torch.equal(value, before[0][name]), name


# -- kinds ---------------------------------------------------------------------------

KINDS = {
    "SkorchClassifier": lstm,
    "MiniRocket pipeline": lambda: (
        MiniRocketMultivariate(num_kernels=84) * StandardScaler() * LogisticRegression()
    ),
    "nearest neighbours": lambda: KNeighborsTimeSeriesClassifier(3, distance="euclidean"),
    "sklearn pipeline": lambda: flat(LogisticRegression()),
    "distiller": lambda: distiller(lstm(), fcn()),
    "nn.Module": trained_module,
    "frozen SkorchClassifier": lambda: FrozenEstimator(lstm(random_state=0).fit(X, Y)),
    "frozen sklearn pipeline": lambda: FrozenEstimator(flat(LogisticRegression()).fit(X, Y)),
    "frozen sktime classifier": lambda: FrozenEstimator(
        KNeighborsTimeSeriesClassifier(3, distance="euclidean").fit(X, Y)
    ),
    "frozen distiller": lambda: FrozenEstimator(distiller(lstm(), fcn()).fit(X, Y)),
    "frozen from_module": lambda: FrozenEstimator(
        SkorchClassifier.from_module(trained_module(), ["class 00", "class 01"])
    ),
}


@pytest.fixture(scope="module", params=KINDS)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def fitted(kind):
    return distiller(KINDS[kind](), distillation=[KD()]).fit(X, Y)


def test_every_kind_teaches(fitted):
    proba = fitted.predict_proba(X_TEST)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert set(fitted.predict(X_TEST)) <= set(Y)
    assert all(np.isfinite(list(row.values())).all() for row in fitted.student_.history_)
    assert isinstance(fitted.student_, SkorchClassifier)


def test_the_fitted_teacher_is_a_classifier_of_its_own(fitted):
    np.testing.assert_array_equal(np.sort(fitted.teacher_.classes_), ["class 00", "class 01"])
    proba = fitted.teacher_.predict_proba(X_TEST)
    assert proba.shape == (len(X_TEST), 2)
    assert set(fitted.teacher_.predict(X_TEST)) <= set(Y)


def test_the_parameter_is_not_the_fitted_teacher(kind, fitted):
    # a clone is fitted, so that a second fit begins anew
    frozen = isinstance(fitted.teacher, FrozenEstimator)
    assert (fitted.teacher_ is getattr(fitted.teacher, "estimator", None)) == frozen
    assert fitted.teacher_ is not fitted.teacher
    if isinstance(fitted.teacher, BaseClassifier):
        assert not fitted.teacher.is_fitted


def test_targets_are_the_teacher_s_answers(kind, targets):
    clf = distiller(KINDS[kind]()).fit(X, Y)
    logits, perturbed_logits = targets[-1]
    assert logits.shape == (12, 2)
    assert perturbed_logits.shape == (12, BANK_SIZE, 2)
    X32 = X.astype(np.float32)
    if isinstance(clf.teacher_, (SkorchClassifier, SaliencyDistilledClassifier)):
        expected = clf.teacher_.predict_logits(X32)
    else:
        expected = np.log(np.clip(clf.teacher_.predict_proba(X32.astype(float)), 1e-6, 1))
    np.testing.assert_allclose(logits, expected, rtol=1e-5, atol=1e-6)


def test_logits_of_other_classifiers_are_clipped_logarithms(targets):
    teacher = flat(LogisticRegression(C=1e6)).fit(100 * X, Y)
    distiller(FrozenEstimator(teacher)).fit(100 * X, Y)
    logits = targets[-1][0].numpy()
    assert logits.min() == pytest.approx(np.log(1e-6), abs=2e-3)
    assert logits.max() <= 0


def test_the_default_teacher(monkeypatch):
    default = _fit.default_teacher()
    assert default.network == "inception_time"
    assert default.network_params == {"n_filters": 16, "depth": 3}
    assert default.lr == 2e-3
    assert {**default.get_params(deep=False)} == {
        **SkorchClassifier().get_params(deep=False),
        "network": "inception_time",
        "network_params": {"n_filters": 16, "depth": 3},
        "max_epochs": 120,
        "lr": 2e-3,
    }
    monkeypatch.setattr(_fit, "default_teacher", lstm)
    clf = distiller(None).fit(X, Y)
    assert clf.teacher_.network == "lstm"
    assert clf.teacher is None


# -- left as it is -------------------------------------------------------------------


@pytest.mark.parametrize("training", [False, True], ids=["eval mode", "train mode"])
@pytest.mark.parametrize("trainable", [False, True], ids=["frozen", "trainable"])
def test_a_given_module_is_not_changed(training, trainable):
    module = trained_module().train(training).requires_grad_(trainable)
    before = state_of(module)
    clf = distiller(module, distillation=[KD()]).fit(X, Y)
    assert_same_state(module, before)
    own = clf.teacher_.network_
    own = own.network if isinstance(own, ScaledNetwork) else own
    assert own is not module
    for name, value in own.state_dict().items():
        assert torch.equal(value, before[0][name])
    assert not own.training
    assert not any(parameter.requires_grad for parameter in own.parameters())
    shared = {p.data_ptr() for p in module.parameters()}
    assert not shared & {p.data_ptr() for p in own.parameters()}


def test_a_module_in_train_mode_teaches_in_eval_mode(targets):
    module = trained_module().train()
    distiller(module).fit(X, Y)
    with torch.no_grad():
        expected = copy.deepcopy(module).eval()(torch.from_numpy(X.astype(np.float32)))
    np.testing.assert_allclose(targets[-1][0], expected, rtol=1e-5, atol=1e-6)


def frozen_network():
    return fcn(random_state=3, max_epochs=3).fit(X, Y)


def test_a_frozen_network_is_not_changed():
    teacher = frozen_network()
    before, proba = state_of(teacher.network_), teacher.predict_proba(X_TEST)
    statistics = [name for name in before[0] if "running" in name]
    assert statistics  # batch norm has something to lose
    clf = distiller(FrozenEstimator(teacher), distillation=[KD()]).fit(X, Y)
    assert clf.teacher_ is teacher
    assert_same_state(teacher.network_, before)
    np.testing.assert_array_equal(teacher.predict_proba(X_TEST), proba)


def test_a_frozen_teacher_is_not_touched_by_overrides():
    teacher = frozen_network()
    params = teacher.get_params()
    distiller(FrozenEstimator(teacher), verbose=0, device="cpu").fit(X, Y)
    assert teacher.get_params() == params


def test_a_frozen_teacher_is_never_fitted(calls):
    teacher = FrozenEstimator(Scorer().fit(X, Y))
    assert calls["fits"] == 1
    distiller(teacher).fit(X, Y)
    distiller(teacher).clone().fit(X, Y)
    assert calls["fits"] == 1


def test_a_frozen_teacher_can_have_learnt_from_other_data(targets):
    teacher = lstm(random_state=0).fit(*random_panel(30, seed=5))
    distiller(FrozenEstimator(teacher)).fit(X, Y)
    np.testing.assert_allclose(targets[-1][0], teacher.predict_logits(X), rtol=1e-5, atol=1e-6)


class OptimizerSpy(Callback):
    """Says which parameters are trained, and which modules are in train mode."""

    seen = []

    def on_batch_end(self, net, training=False, **kwargs):
        if training:
            groups = net.optimizer_.param_groups
            self.seen.append(
                (
                    [parameter for group in groups for parameter in group["params"]],
                    list(net.module_.parameters()),
                    list(net.criterion_.parameters()),
                )
            )


@pytest.mark.parametrize("freeze", [True, False], ids=["frozen", "fitted inside"])
def test_the_teacher_is_not_in_the_optimizer(freeze, monkeypatch):
    monkeypatch.setattr(OptimizerSpy, "seen", [])
    teacher = FrozenEstimator(frozen_network()) if freeze else fcn()
    student = lstm(callbacks=[OptimizerSpy()])
    clf = distiller(teacher, student, distillation=[KD()]).fit(X, Y)
    assert OptimizerSpy.seen
    teachers = {id(parameter) for parameter in clf.teacher_.network_.parameters()}
    students = {id(parameter) for parameter in clf.student_.network_.parameters()}
    for optimized, module, criterion in OptimizerSpy.seen:
        assert {id(parameter) for parameter in optimized} == students
        assert not teachers & {id(parameter) for parameter in [*module, *criterion]}


def test_a_fitted_teacher_that_is_not_frozen_is_fitted_anew_with_a_warning(calls):
    teacher = Scorer().fit(*random_panel(20, seed=5))
    levels = teacher.levels_.copy()
    with pytest.warns(UserWarning, match=r"Scorer.*FrozenEstimator"):
        clf = distiller(teacher).fit(X, Y)
    assert calls["fits"] == 2
    np.testing.assert_array_equal(teacher.levels_, levels)
    assert not np.allclose(clf.teacher_.levels_, levels)


def test_a_fitted_network_that_is_not_frozen_is_trained_anew_with_a_warning():
    teacher = frozen_network()
    before = state_of(teacher.network_)
    with pytest.warns(UserWarning, match=r"SkorchClassifier.*FrozenEstimator"):
        clf = distiller(teacher).fit(X, Y)
    assert clf.teacher_ is not teacher
    assert_same_state(teacher.network_, before)


# -- classes -------------------------------------------------------------------------


def test_classes_are_aligned_by_label(targets):
    forward = distiller(Scorer(order=1)).fit(X, Y)
    backward = distiller(Scorer(order=-1)).fit(X, Y)
    assert list(backward.teacher_.classes_) == ["class 01", "class 00"]
    assert len(targets) == 2
    for one, other in zip(*targets, strict=True):
        assert torch.equal(one, other)
    # the targets belong to the labels: the true class has the larger one
    column = np.searchsorted(forward.classes_, Y)
    assert (targets[0][0].argmax(dim=1).numpy() == column).mean() > 0.8
    np.testing.assert_array_equal(forward.predict_proba(X), backward.predict_proba(X))


@pytest.mark.parametrize("label_type", [int, float, bool])
def test_labels_that_are_not_strings_are_aligned(label_type, targets):
    y = (np.arange(12) % 2).astype(label_type)
    distiller(FrozenEstimator(Scorer(order=-1).fit(X, y))).fit(X, y)
    expected = Scorer().fit(X, y).predict_proba(X.astype(np.float32).astype(float))
    np.testing.assert_allclose(targets[0][0], np.log(expected), rtol=1e-5)


@pytest.mark.parametrize("order", [1, -1])
def test_a_teacher_that_knows_more_is_cut_and_renormalised(order, targets):
    teacher = Scorer(order=order).fit(X, THREE)
    y = np.where(np.arange(12) % 2, "class 02", "class 00")
    with pytest.warns(UserWarning, match=r"classes.*\by\b.*class 01"):
        distiller(FrozenEstimator(teacher)).fit(X, y)
    proba = teacher.predict_proba(X.astype(np.float32).astype(float))
    columns = [list(teacher.classes_).index(label) for label in ("class 00", "class 02")]
    kept = proba[:, columns] / proba[:, columns].sum(axis=1, keepdims=True)
    np.testing.assert_allclose(softmax(targets[0][0].numpy(), axis=1), kept, rtol=1e-5)


def test_a_network_that_knows_more_is_cut_too(targets):
    teacher = lstm(random_state=0).fit(X, THREE)
    y = np.where(np.arange(12) % 2, "class 02", "class 01")
    with pytest.warns(UserWarning, match=r"classes.*\by\b.*class 00"):
        distiller(FrozenEstimator(teacher)).fit(X, y)
    proba = teacher.predict_proba(X)[:, [1, 2]]
    proba /= proba.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(
        log_softmax(targets[0][0].numpy(), axis=1), np.log(proba), rtol=1e-4, atol=1e-5
    )


# -- probabilities -------------------------------------------------------------------


@pytest.mark.parametrize("smoothing", [0, 0.05])
def test_probabilities_of_0_and_1_are_warned_about(smoothing):
    with pytest.warns(UserWarning, match=r"0 or 1.*saliency"):
        distiller(Scorer(kind="hard"), teacher_smoothing=smoothing, window=1.0).fit(X, Y)


@pytest.mark.parametrize("kind", ["scores", "log", "one column", "negative", "NaN"])
@pytest.mark.parametrize("freeze", [False, True], ids=["fitted inside", "frozen"])
def test_what_are_no_probabilities_is_refused(kind, freeze, monkeypatch):
    def train(*args, **kwargs):
        pytest.fail("a network was trained")

    monkeypatch.setattr("sktime_tsd._training.train.TrainingNet.train", train)
    teacher = Scorer(kind=kind)
    clf = distiller(FrozenEstimator(teacher.fit(X, Y)) if freeze else teacher)
    with pytest.raises(ValueError, match=r"Scorer.*(probabilities|finite)"):
        clf.fit(X, Y)
    assert not clf.is_fitted


class BrokenLater(Scorer):
    """Fails on the perturbed copies only, which the probe does not see."""

    def predict_proba(self, X):
        proba = super().predict_proba(X)
        return proba if len(X) <= 12 else np.full_like(proba, np.nan)


def test_a_teacher_that_breaks_on_perturbed_copies_is_refused():
    with pytest.raises(ValueError, match=r"BrokenLater.*(probabilities|finite)"):
        distiller(BrokenLater()).fit(X, Y)


NEW_PROCESS = """
import torch
torch.set_num_threads(1)
import test_teachers
test_teachers.distiller(test_teachers.KINDS["MiniRocket pipeline"]()).fit(
    test_teachers.X, test_teachers.Y
)
print(torch.get_num_threads())
"""


@pytest.mark.slow
@pytest.mark.skipif(os.cpu_count() == 1, reason="needs more than one core")
def test_a_teacher_leaves_the_number_of_threads():
    # with more threads a small network trains many times slower, and not bit for bit alike;
    # numba sets the number for all of the process, at its first use only
    result = subprocess.run(
        [sys.executable, "-c", NEW_PROCESS],
        cwd=Path(__file__).parent,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.split()[-1] == "1"


# -- asked once ----------------------------------------------------------------------

PROBE = 2


@pytest.mark.parametrize(
    ("params", "copies"),
    [
        ({}, BANK_SIZE),
        ({"bank_size": 11}, 11),
        ({"saliency_weight": 0.0, "distillation": [KD()]}, 0),
        # nothing needs the teacher's answers then
        ({"saliency_weight": 0.0}, -1),
        ({"saliency_weight": 0.0, "distillation": [KD(weight=0.0)]}, -1),
    ],
)
def test_the_teacher_scores_each_series_once(params, copies, calls):
    student = fcn(max_epochs=7, batch_size=4)
    distiller(Scorer(), student, **params).fit(X, Y)
    assert calls["fits"] == 1
    assert calls["scored"] - PROBE == 12 * (1 + copies)


def test_prediction_does_not_ask_the_teacher(calls):
    clf = distiller(Scorer()).fit(X, Y)
    before = dict(calls)
    clf.predict(X_TEST)
    clf.predict_proba(X_TEST)
    assert calls == before


def test_series_kept_aside_are_not_scored(calls):
    distiller(Scorer(), fcn(validation_fraction=0.5)).fit(X, Y)
    assert calls["scored"] - PROBE == 6 * (1 + BANK_SIZE)


@pytest.mark.parametrize("distillation", [None, [], [KD()], [KD(), KD(temperature=4.0)]])
def test_without_saliency_no_copy_is_perturbed(distillation, monkeypatch):
    def refuse(*args, **kwargs):
        pytest.fail("a bank was drawn, or a copy perturbed")

    monkeypatch.setattr(WindowBank, "draw", refuse)
    monkeypatch.setattr(WindowBank, "perturb", refuse)
    clf = distiller(lstm(), saliency_weight=0.0, distillation=distillation).fit(X, Y)
    assert "saliency" not in clf.student_.history_[-1]
    assert ("kd" in clf.student_.history_[-1]) == bool(distillation)


def test_without_any_term_the_student_is_trained_as_if_alone():
    student = fcn(random_state=5)
    clf = distiller(lstm(), student, saliency_weight=0.0).fit(X, Y)
    np.testing.assert_array_equal(clf.predict_proba(X), student.fit(X, Y).predict_proba(X))


# -- what is said --------------------------------------------------------------------


def test_verbose_says_how_much_is_to_be_scored_before_it_is(capsys):
    said = []

    class Listening(Scorer):
        def predict_proba(self, X):
            said.append(capsys.readouterr().err)
            return super().predict_proba(X)

    distiller(FrozenEstimator(Listening().fit(X, Y)), verbose=1).fit(X, Y)
    assert "60 series" not in said[0]  # the probe
    assert "The teacher Listening scores 60 series: 12, and 48 perturbed copies" in said[1]


def test_verbose_shows_bars_on_stderr_alone(capfd):
    distiller(lstm(), verbose=1).fit(X, Y)
    out, err = capfd.readouterr()
    assert out == ""
    assert "scores 60 series: 12, and 48 perturbed copies of them" in err
    for bar in ("student", "teacher logits"):
        assert bar in err


@pytest.mark.parametrize("verbose", [0, None])
@pytest.mark.parametrize("teacher", [lstm(), Scorer(), trained_module()], ids=["1", "2", "3"])
def test_silence(teacher, verbose, capfd):
    clf = distiller(teacher, verbose=verbose, distillation=[KD()]).fit(X, Y)
    clf.predict(X_TEST)
    assert capfd.readouterr() == ("", "")


def test_verbose_0_silences_teacher_and_student(capfd):
    distiller(lstm(verbose=1), fcn(verbose=1), verbose=0).fit(X, Y)
    assert capfd.readouterr() == ("", "")


def test_without_a_word_from_the_distiller_each_keeps_its_own(capfd):
    clf = distiller(lstm(verbose=1), fcn(verbose=0)).fit(X, Y)
    assert (clf.teacher_.verbose, clf.student_.verbose) == (1, 0)
    assert "epoch" in capfd.readouterr().err


@pytest.mark.parametrize(("override", "expected"), [(None, "cpu:0"), ("cpu", "cpu")])
def test_device_overrides_teacher_and_student(override, expected):
    clf = distiller(lstm(device="cpu:0"), fcn(device="cpu:0"), device=override).fit(X, Y)
    assert clf.teacher_.device == clf.student_.device == expected


def test_device_is_that_of_the_classifier_made_of_a_module():
    clf = distiller(trained_module(), device="cpu").fit(X, Y)
    assert clf.teacher_.device == "cpu"


def test_overrides_do_not_change_the_parameters():
    teacher, student = lstm(verbose=1), fcn(device="cpu:0")
    clf = distiller(teacher, student, verbose=0, device="cpu").fit(X, Y)
    assert (clf.teacher.verbose, clf.student.device) == (1, "cpu:0")
    assert (teacher.verbose, student.device) == (1, "cpu:0")
    assert teacher.random_state is None
    assert student.random_state is None


# -- seeds ---------------------------------------------------------------------------


def test_the_seed_reaches_teacher_and_student_that_have_none():
    clf = distiller(lstm(), fcn(), random_state=0).fit(X, Y)
    again = distiller(lstm(), fcn(), random_state=0).fit(X, Y)
    other = distiller(lstm(), fcn(), random_state=1).fit(X, Y)
    for part in ("teacher_", "student_"):
        one, same, different = (getattr(c, part).predict_proba(X) for c in (clf, again, other))
        np.testing.assert_array_equal(one, same)
        assert not np.array_equal(one, different)
    assert clf.teacher_.random_state != clf.student_.random_state


def test_a_seed_of_their_own_is_kept():
    clf = distiller(lstm(random_state=11), fcn(random_state=12), random_state=0).fit(X, Y)
    assert (clf.teacher_.random_state, clf.student_.random_state) == (11, 12)
    alone = lstm(random_state=11).fit(X, Y)
    np.testing.assert_array_equal(clf.teacher_.predict_proba(X), alone.predict_proba(X))
    other = distiller(lstm(random_state=11), fcn(random_state=12), random_state=1).fit(X, Y)
    np.testing.assert_array_equal(clf.teacher_.predict_proba(X), other.teacher_.predict_proba(X))


def test_seed_0_of_their_own_is_a_seed():
    clf = distiller(lstm(random_state=0), fcn(random_state=0), random_state=7).fit(X, Y)
    assert clf.teacher_.random_state == clf.student_.random_state == 0


def test_seeds_reach_into_nested_teachers():
    pipeline = flat(Scorer2D())
    clf = distiller(pipeline, random_state=0).fit(X, Y)
    assert isinstance(clf.teacher_.steps[-1][1].random_state, int)
    assert pipeline.steps[-1][1].random_state is None


class Scorer2D(Scorer):
    """The same for series that have been made flat."""

    def fit(self, X, y):
        return super().fit(X[:, None], y)

    def predict_proba(self, X):
        return super().predict_proba(X[:, None])


def test_without_a_seed_of_the_distiller_the_teacher_keeps_none():
    clf = distiller(Scorer(), random_state=None).fit(X, Y)
    assert clf.teacher_.random_state is None


def test_the_seed_of_an_instance_moves_on():
    state = np.random.RandomState(0)
    clf = distiller(lstm(), fcn(), random_state=state)
    first = clf.fit(X, Y).predict_proba(X)
    assert not np.array_equal(first, clf.fit(X, Y).predict_proba(X))
    same = distiller(lstm(), fcn(), random_state=np.random.RandomState(0))
    np.testing.assert_array_equal(same.fit(X, Y).predict_proba(X), first)


def test_global_generators_are_left_alone():
    before = np.random.get_state()[1].copy(), torch.random.get_rng_state()  # noqa: NPY002
    distiller(lstm(), fcn(), random_state=0).fit(X, Y).predict(X_TEST)
    np.testing.assert_array_equal(np.random.get_state()[1], before[0])  # noqa: NPY002
    assert torch.equal(torch.random.get_rng_state(), before[1])


# -- what the teacher is given -------------------------------------------------------


class WatchingNeighbours(KNeighborsTimeSeriesClassifier):
    """Remembers what it was given."""

    seen = []

    def __init__(self, n_neighbors=5, distance="euclidean"):
        super().__init__(n_neighbors=n_neighbors, distance=distance)

    def _fit(self, X, y):
        self.seen.append(X.dtype)
        return super()._fit(X, y)

    def _predict_proba(self, X):
        self.seen.append(X.dtype)
        return super()._predict_proba(X)


class WatchingScorer(Scorer):
    seen = []

    def fit(self, X, y):
        self.seen.append(X.dtype)
        return super().fit(X, y)

    def predict_proba(self, X):
        self.seen.append(X.dtype)
        return super().predict_proba(X)


@pytest.mark.parametrize(
    ("teacher", "dtype"),
    # compiled classifiers are made for the one, networks of others for the other
    [(WatchingNeighbours(), np.float64), (WatchingScorer(), np.float64)],
    ids=["sktime", "another"],
)
@pytest.mark.parametrize("given", [np.float32, np.float64])
def test_the_precision_a_teacher_is_given(teacher, dtype, given, monkeypatch):
    monkeypatch.setattr(type(teacher), "seen", [])
    distiller(teacher).fit(X.astype(given), Y)
    assert len(teacher.seen) >= 3
    assert set(teacher.seen) == {np.dtype(dtype)}


def test_a_module_of_two_outputs_follows_sorted_labels(targets):
    module = nn.Sequential(nn.Flatten(), nn.Linear(20, 2))
    y = np.where(np.arange(12) % 2, "a", "b")  # the first label seen is not the first sorted
    clf = distiller(module).fit(X, y)
    assert list(clf.teacher_.classes_) == ["a", "b"]
    with torch.no_grad():
        expected = module(torch.from_numpy(X.astype(np.float32)))
    np.testing.assert_allclose(targets[0][0], expected, rtol=1e-5, atol=1e-6)


def test_a_module_that_names_its_classes_is_followed(targets):
    module = nn.Sequential(nn.Flatten(), nn.Linear(20, 2))
    module.classes_ = ["b", "a"]  # not sorted
    y = np.where(np.arange(12) % 2, "a", "b")
    clf = distiller(module).fit(X, y)
    with torch.no_grad():
        expected = module(torch.from_numpy(X.astype(np.float32)))
    np.testing.assert_allclose(targets[0][0], expected.flip(1), rtol=1e-5, atol=1e-6)
    labels = np.array(module.classes_)[expected.argmax(1)]
    assert (clf.teacher_.predict(X) == labels).all()


@pytest.mark.filterwarnings("ignore:.*only single label seen")
def test_overrides_hold_for_a_single_class_too():
    teacher = SkorchClassifier(device="cpu", verbose=1)
    clf = SaliencyDistilledClassifier(teacher, verbose=0).fit(X, ["one"] * len(X))
    assert clf.teacher_.verbose == 0
    assert isinstance(SaliencyDistilledClassifier().fit(X, ["one"] * 12).teacher_, SkorchClassifier)


class Level(nn.Module):
    """The true classes of `random_panel`, whose series differ in level."""

    def __init__(self, sign=1.0, head=None):
        super().__init__()
        self.sign, self.head = sign, head or nn.Identity()

    def forward(self, x):
        level = self.sign * (x.mean((1, 2)) - 0.5)
        return self.head(torch.stack([-level, level], dim=1) * 5)


def test_signs_of_a_mistaken_teacher_are_reported():
    X, y = random_panel(40)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        distiller(Level()).fit(X, y)  # a good one
    with pytest.warns(UserWarning, match=r"\d+% of the training series.*order"):
        distiller(Level(sign=-1.0)).fit(X, y)
    with pytest.warns(UserWarning, match=r"probabilities.* logits"):
        distiller(Level(head=nn.Softmax(dim=1))).fit(X, y)


def test_where_a_teachers_own_error_came_from_is_added():
    X, y = random_panel(12)
    with pytest.raises(ValueError, match="dim 3") as caught:
        distiller(LogisticRegression()).fit(X, y)
    assert "teacher LogisticRegression" in caught.value.__notes__[0]
    assert "flatten" in caught.value.__notes__[0]
    table = LogisticRegression().fit(X[:, 0], y)
    with pytest.raises(ValueError, match=r"(?s)dim 3.*flatten.*LogisticRegression"):
        distiller(FrozenEstimator(table)).fit(X, y)


def test_labels_of_another_type_are_told_so():
    X, y = random_panel(12)
    numbers = np.unique(y, return_inverse=True)[1]
    teacher = flat(LogisticRegression()).fit(X, numbers)
    with pytest.raises(ValueError, match=r"type.*convert y"):
        distiller(FrozenEstimator(teacher)).fit(X, numbers.astype(str))


# -- votes -----------------------------------------------------------------------------


def lessons(teacher, monkeypatch, **params):
    """The teacher's outputs for the training set."""
    return training_set_of(distiller(teacher, **params), monkeypatch, X, Y).teacher


@pytest.mark.parametrize("smoothing", [0.0, 0.05, 0.3])
def test_votes_are_mixed_with_the_uniform_distribution(smoothing, monkeypatch):
    forest = Scorer(kind="hard").fit(X, Y)
    with pytest.warns(UserWarning, match="0 or 1"):
        found = lessons(FrozenEstimator(forest), monkeypatch, teacher_smoothing=smoothing)
    votes = np.clip(forest.predict_proba(X.astype(np.float32)), 1e-6, 1)
    votes /= votes.sum(axis=1, keepdims=True)
    expected = (1 - smoothing) * votes + smoothing / 2
    np.testing.assert_allclose(found.logits.softmax(dim=1).numpy(), expected, atol=1e-6)
    smallest = found.perturbed_logits.softmax(dim=2).min().item()
    assert smallest == pytest.approx(max(smoothing / 2, 1e-6), rel=0.1)


def test_answers_of_networks_are_not(monkeypatch, tmp_path):
    network = fcn(random_state=0).fit(X, Y)
    teachers = {
        "ours": FrozenEstimator(network),
        "onnx": OnnxClassifier(to_onnx(network, tmp_path / "network.onnx")),
        "logits": CallableTeacher(network.predict_logits, network.classes_, output="logits"),
    }
    expected = network.predict_proba(X)
    for name, teacher in teachers.items():
        found = lessons(teacher, monkeypatch, teacher_smoothing=0.3).logits.softmax(dim=1)
        np.testing.assert_allclose(found.numpy(), expected, atol=1e-5, err_msg=name)


class Votes(Scorer):
    """Shares of votes: multiples of a tenth, or never quite 0."""

    def __init__(self, least=0.0, order=1, kind="graded", random_state=None):
        super().__init__(order, kind, random_state)
        self.least = least

    def predict_proba(self, X):
        votes = np.round(super().predict_proba(X), 1)
        return (1 - self.least) * votes + self.least / 2


@pytest.mark.parametrize(
    ("least", "n_zeros_matter"), [(0.0, True), (1e-9, False), (1e-7, False), (0.01, False)]
)
def test_zeros_alone_make_auto_smooth_and_soft_targets_join(least, n_zeros_matter, monkeypatch):
    far = Votes(least).fit(X, Y)
    far.levels_ = 3 * far.levels_
    found = lessons(FrozenEstimator(far), monkeypatch)
    expected = far.predict_proba(X.astype(np.float32))
    assert (expected <= max(least, 1e-6)).any()
    expected = 0.95 * expected + 0.025 if n_zeros_matter else expected
    np.testing.assert_allclose(found.logits.softmax(dim=1).numpy(), expected, atol=2e-6)
    history = distiller(FrozenEstimator(far), saliency_weight=1).fit(X, Y).student_.history_
    assert ("soft_targets" in history[0]) == n_zeros_matter
    own = distiller(FrozenEstimator(far), distillation=[KD()]).fit(X, Y).student_.history_
    assert "soft_targets" not in own[0]
