"""What cannot be used is refused: before any training, in words, leaving nothing half-fitted."""

import signal
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import torch
from helpers import bad, flat, random_panel
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.validation import check_is_fitted
from skorch.callbacks import Callback, Checkpoint, EarlyStopping
from sktime.datatypes import convert
from torch import nn

from sktime_tsd import SaliencyDistilledClassifier, SkorchClassifier
from sktime_tsd.losses import KD
from sktime_tsd.perturbations import Zero

TINY_FCN = {"network": "fcn", "network_params": {"filters": (4,), "kernel_sizes": (3,)}}
TINY_LSTM = {"network": "lstm", "network_params": {"hidden_size": 4, "num_layers": 1}}
NAN, INF = float("nan"), float("inf")
X, Y = random_panel(12)
Y01 = np.arange(12) % 2

single_label_warning = pytest.mark.filterwarnings("ignore:.*only single label seen")


class UntouchableTeacher(ClassifierMixin, BaseEstimator):
    """Fails the test when it is fitted."""

    def fit(self, X, y):
        pytest.fail("the teacher was fitted")

    def predict_proba(self, X):
        pytest.fail("the teacher was asked")


class FlatLinear(nn.Module):
    """A network of one layer, with as many logits too many as it is told."""

    def __init__(self, n_channels, n_timepoints, n_classes, surplus=0):
        super().__init__()
        self.linear = nn.Linear(n_channels * n_timepoints, n_classes + surplus)

    def forward(self, x):
        return self.linear(x.flatten(1))


def classifier(**params):
    return SkorchClassifier(**{**TINY_FCN, "max_epochs": 2, "random_state": 0, **params})


def distiller(teacher=None, student=None, **params):
    return SaliencyDistilledClassifier(
        SkorchClassifier(**TINY_LSTM, max_epochs=1) if teacher is None else teacher,
        classifier() if student is None else student,
        **{"n_windows": 2, "bank_size": 4, "random_state": 0, **params},
    )


MAKERS = {"classifier": classifier, "distiller": distiller}
both = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


@pytest.fixture
def no_training(monkeypatch):
    def train(*args, **kwargs):
        pytest.fail("a network was trained")

    monkeypatch.setattr("sktime_tsd._training.train.TrainingNet.train", train)


def assert_not_fitted(clf):
    assert not clf.is_fitted
    with pytest.raises(ValueError, match="fitted"):
        clf.check_is_fitted()
    with pytest.raises(NotFittedError):
        check_is_fitted(clf)


def assert_refused(clf, X, y, error, match):
    with pytest.raises(error, match=match):
        clf.fit(X, y)
    assert_not_fitted(clf)


def with_value(value):
    changed = X.copy()
    changed[3, 0, 2] = value
    return changed


def multiindex(X):
    return convert(X, "numpy3D", "pd-multiindex")


def ragged_list():
    return [pd.DataFrame({"a": np.arange(10.0 + i)}) for i in range(12)]


def ragged_nested():
    return pd.DataFrame({"a": [pd.Series(np.arange(10.0 + i)) for i in range(12)]})


# -- series and labels ---------------------------------------------------------------

BAD_SERIES = {
    "NaN": (with_value(NAN), ValueError, r"X.*NaN.* 1 of 12 .*series 3\b"),
    "inf": (with_value(INF), ValueError, "X.*infinite.* 1 of 12 "),
    "-inf": (with_value(-INF), ValueError, "X.*infinite.* 1 of 12 "),
    "1-D": (X[:, 0, 0], ValueError, r"X.*shape.* \(12,\)"),
    "4-D": (X[None], ValueError, r"X.*shape.* \(1, 12, 1, 20\)"),
    "no series": (X[:0], ValueError, r"X.*shape.* \(0, 1, 20\)"),
    "no time points": (X[:, :, :0], ValueError, r"X.*shape.* \(12, 1, 0\)"),
    "no channels": (X[:, :0], ValueError, r"X.*shape.* \(12, 0, 20\)"),
    "beyond float32": (with_value(1e300), ValueError, r"X.*1e\+300.*float32"),
    "below float32": (with_value(-1e300), ValueError, r"X.*1e\+300.*float32"),
    "object": (X.astype(object), TypeError, "X.*dtype object"),
    "strings": (X.astype(str), TypeError, "X.*dtype <U"),
    "complex": (X.astype(complex), TypeError, "X.*dtype complex128"),
    "None": (None, TypeError, "X.*NoneType"),
    "ragged list": ([[1, 2], [3]], ValueError, "X.*unequal length, from 1 to 2"),
    "ragged df-list": (
        ragged_list(),
        ValueError,
        "unequal.*unequal_length=.*Resampler",
    ),
    "ragged nested": (
        ragged_nested(),
        ValueError,
        "unequal.*unequal_length=.*Resampler",
    ),
    "NaN in a frame": (multiindex(with_value(NAN)), ValueError, "X.*NaN.*Impute"),
    "inf in a frame": (multiindex(with_value(INF)), ValueError, "X.*infinite.* 1 of 12"),
    "beyond float32 in a frame": (multiindex(with_value(1e300)), ValueError, "X.*float32"),
}


@both
@pytest.mark.parametrize(("bad", "error", "match"), BAD_SERIES.values(), ids=BAD_SERIES)
def test_series_that_cannot_be_used(make, bad, error, match, no_training):
    clf = make() if make is classifier else make(UntouchableTeacher())
    assert_refused(clf, bad, Y, error, match)


@both
@single_label_warning
@pytest.mark.parametrize("kind", ["inf", "-inf", "inf in a frame", "beyond float32 in a frame"])
def test_series_that_cannot_be_used_where_nothing_is_to_be_learnt(make, kind, no_training):
    bad, error, match = BAD_SERIES[kind]
    assert_refused(make(), bad, np.full(12, "a"), error, match)


def _first(value, kind=object):
    labels = Y.astype(kind) if kind is object else Y01.astype(kind)
    labels[0] = value
    return labels


MISSING = r"\by\b.*\b1 missing"
BAD_LABELS = {
    "None": (None, TypeError, r"\by\b.*None"),
    "a string": ("class 00", TypeError, r"\by\b.*class 00"),
    "a number": (3, TypeError, r"\by\b.*3"),
    "shorter": (Y[:-1], ValueError, r"\b12\b.*\b11\b"),
    "longer": (np.append(Y, Y[0]), ValueError, r"\b12\b.*\b13\b"),
    "empty": (Y[:0], ValueError, r"\by\b.*label"),
    "NaN among numbers": (_first(NAN, float), ValueError, MISSING),
    "NaN among objects": (_first(NAN), ValueError, MISSING),
    "None among objects": (_first(None), ValueError, MISSING),
    "None in a list": ([None, *Y[1:].tolist()], ValueError, MISSING),
    # numpy turns this one into the string "nan", a class of its own
    "NaN among strings in a list": ([NAN, *Y[1:].tolist()], ValueError, MISSING),
    "NA in a Series": (pd.Series([pd.NA, *Y[1:]]), ValueError, MISSING),
    "continuous": (np.linspace(0, 1, 12), ValueError, "continuous"),
    "continuous, 2-D": (np.linspace(0, 1, 24).reshape(12, 2), ValueError, "continuous"),
    "inf": (_first(INF, float), ValueError, "(?i)infinity|infinite"),
}


@both
@pytest.mark.parametrize(("bad", "error", "match"), BAD_LABELS.values(), ids=BAD_LABELS)
def test_labels_that_cannot_be_used(make, bad, error, match, no_training):
    clf = make() if make is classifier else make(UntouchableTeacher())
    assert_refused(clf, X, bad, error, match)


@pytest.fixture(scope="module", params=MAKERS.values(), ids=MAKERS)
def fitted(request):
    return request.param().fit(X, Y)


METHODS = ["predict", "predict_proba", "predict_logits"]
BAD_AT_PREDICT = {
    "channels": (np.repeat(X, 2, axis=1), ValueError, r"\b2 channels.* 1 channel"),
    "length": (X[:, :, :-1], ValueError, r"\b19 time points.* 20 time points"),
    "NaN": (with_value(NAN), ValueError, "X.*NaN"),
    "inf": (with_value(INF), ValueError, "X.*infinite"),
    "-inf": (with_value(-INF), ValueError, "X.*infinite"),
    "beyond float32": (with_value(1e300), ValueError, "X.*float32"),
    "NaN in a frame": (multiindex(with_value(NAN)), ValueError, "X.*NaN"),
    "inf in a frame": (multiindex(with_value(INF)), ValueError, "X.*infinite"),
    "ragged": (ragged_list(), ValueError, "unequal"),
    "object": (X.astype(object), TypeError, "X.*object"),
    "complex": (X.astype(complex), TypeError, "X.*complex"),
    "no time points": (X[:, :, :0], ValueError, "X.*at least one"),
    "no series": (X[:0], ValueError, "(?i)at least one|cases required is 1"),
    "1-D": (X[:, 0, 0], (ValueError, TypeError), "X.*shape|compatible format"),
    "4-D": (X[None], (ValueError, TypeError), "X.*shape|compatible format"),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("bad", "error", "match"), BAD_AT_PREDICT.values(), ids=BAD_AT_PREDICT)
def test_series_that_cannot_be_predicted(fitted, method, bad, error, match):
    before = fitted.predict_logits(X)
    with pytest.raises(error, match=match):
        getattr(fitted, method)(bad)
    np.testing.assert_array_equal(fitted.predict_logits(X), before)


@both
@pytest.mark.parametrize("method", METHODS)
def test_prediction_before_fit(make, method):
    with pytest.raises(ValueError, match="fitted"):
        getattr(make(), method)(X)


# -- parameters ----------------------------------------------------------------------

BAD_CLASSIFIER = [
    bad(ValueError, "network.*'fcn', 'inception_time', 'lite', 'lstm'.*'resnet'", network="resnet"),
    bad(TypeError, "network.*class.*FlatLinear", network=FlatLinear(1, 20, 2)),
    bad(TypeError, network=3),
    bad(TypeError, "FCN.*depht", network_params={"depht": 1}),
    bad(TypeError, network_params=[1]),
    bad(
        ValueError,
        r"FlatLinear.*\(n, 2\).*\(2, 3\)",
        network=FlatLinear,
        network_params={"surplus": 1},
    ),
    bad(TypeError, r"network.*nn\.Module.*str", network=lambda *sizes: "", network_params=None),
    bad(ValueError, weight_decay=-0.1),
    bad(ValueError, weight_decay=NAN),
    bad(ValueError, r"class_weight.*'class 00'.*-1\.0", class_weight={"class 00": -1.0}),
    bad(ValueError, "class_weight.*'class 00'.*finite", class_weight={"class 00": NAN}),
    bad(ValueError, "class_weight.*'class 00'", class_weight={"class 07": 1.0}),
    bad(ValueError, class_weight="even"),
    bad(ValueError, "'adam', 'adamw', 'sgd'.*'adamax'", optimizer="adamax"),
    bad(ValueError, "'one_cycle', 'cosine', None.*'step'", lr_schedule="step"),
    bad(ValueError, max_epochs=0),
    bad(TypeError, max_epochs=1.5),
    bad(ValueError, batch_size=0),
    bad(ValueError, lr=0),
    bad(ValueError, lr=-1e-3),
    bad(ValueError, lr=NAN),
    bad(ValueError, lr=INF),
    bad(TypeError, lr=True),
    bad(TypeError, lr="0.1"),
    bad(ValueError, gradient_clip=0),
    bad(ValueError, gradient_clip=NAN),
    bad(ValueError, validation_fraction=0),
    bad(ValueError, validation_fraction=1.0),
    bad(ValueError, "validation_fraction", validation_fraction=0.999),
    bad(ValueError, "patience.*validation_fraction", patience=3),
    bad(ValueError, patience=0, validation_fraction=0.5),
    bad(TypeError, "callbacks.*list", callbacks=Callback()),
    bad(TypeError, "callbacks.*list", callbacks=["early stopping"]),
    bad((TypeError, ValueError), verbose="loud"),
    bad(ValueError, verbose=-1),
    bad(ValueError, "seed.*'a'|'a'.*seed", random_state="a"),
    bad(ValueError, "(?i)seed", random_state=-1),
    bad(ValueError, 'device=\'nonsense\'.*"auto", "cpu"', device="nonsense"),
    bad(ValueError, device=None),
]


@pytest.mark.parametrize(("params", "error", "match"), BAD_CLASSIFIER)
def test_parameters_of_a_classifier(params, error, match, no_training):
    assert_refused(classifier(**params), X, Y, error, match)


@pytest.mark.parametrize(("params", "error", "match"), BAD_CLASSIFIER)
def test_parameters_of_a_student_are_refused_before_the_teacher_is_fitted(
    params, error, match, no_training
):
    clf = distiller(UntouchableTeacher(), classifier(**params))
    assert_refused(clf, X, Y, error, match)


BAD_DISTILLER = [
    bad(ValueError, saliency_weight=-1),
    bad(ValueError, saliency_weight=NAN),
    bad(TypeError, saliency_weight="1"),
    bad(ValueError, saliency_temperature=0),
    bad(ValueError, saliency_temperature=-2.0),
    bad(ValueError, saliency_temperature=NAN),
    bad(ValueError, "n_windows=5.*bank_size=4", n_windows=5),
    bad(ValueError, n_windows=0),
    bad(ValueError, bank_size=0),
    bad(ValueError, r"window=21\b.*\b20\b", window=21),
    bad(ValueError, window=0),
    bad(ValueError, r"window=0\.0.*fraction", window=0.0),
    bad(ValueError, r"window=1\.5.*fraction", window=1.5),
    bad(ValueError, r"window=-0\.5.*fraction", window=-0.5),
    bad(ValueError, "window=nan.*fraction", window=NAN),
    bad(TypeError, window="0.1"),
    bad(TypeError, window=True),
    bad(ValueError, r"window=21\b.*\b20\b", window=np.int64(21)),
    bad(ValueError, "saliency_measure.*'kl_per_class'.*'l2'", saliency_measure="l2"),
    bad(ValueError, "saliency_normalization.*'each'.*None", saliency_normalization=None),
    bad(ValueError, saliency_ramp=-0.1),
    bad(ValueError, saliency_ramp=1.1),
    bad(ValueError, saliency_ramp=NAN),
    bad(TypeError, r"perturbation.*\(\).*'zero'", perturbation="zero"),
    bad(TypeError, r"perturbation.*\(\).*Zero", perturbation=Zero),
    bad(TypeError, r"distillation.*list.*KD\(\)\].*KD\(", distillation=KD()),
    bad(TypeError, r"distillation.*list.*\['kd'\]", distillation=["kd"]),
    bad(TypeError, "distillation.*list.*'kd'", distillation="kd"),
    bad(TypeError, "distillation.*list.*KD", distillation=[KD]),
    bad(TypeError, "student.*SkorchClassifier.*str", student="fcn"),
    bad(TypeError, "student.*SkorchClassifier.*type", student=SkorchClassifier),
    bad(TypeError, "student.*SkorchClassifier.*Logistic", student=LogisticRegression()),
    bad(ValueError, device="nonsense"),
    bad((TypeError, ValueError), verbose="loud"),
    bad(ValueError, "seed.*'a'|'a'.*seed", random_state="a"),
    bad(ValueError, "(?i)seed", random_state=-1),
    bad(ValueError, "memory", memory=3),
    bad(ValueError, teacher_batch_size=0),
    bad(TypeError, teacher_batch_size=2.5),
    bad(ValueError, n_jobs=0),
    bad(TypeError, n_jobs="all"),
]


@pytest.mark.parametrize(("params", "error", "match"), BAD_DISTILLER)
def test_parameters_of_a_distiller(params, error, match, no_training):
    clf = distiller(**{"teacher": UntouchableTeacher(), **params})
    assert_refused(clf, X, Y, error, match)


@pytest.mark.parametrize("window", [np.int64(3), np.int32(3), np.float32(0.15)], ids=repr)
def test_a_window_of_any_numeric_type_is_as_good_as_python_s_own(window):
    plain = 3 if isinstance(window, np.integer) else 0.15
    proba = distiller(window=window).fit(X, Y).predict_proba(X)
    np.testing.assert_array_equal(proba, distiller(window=plain).fit(X, Y).predict_proba(X))


@pytest.mark.parametrize(
    ("params", "error", "match"),
    [
        bad(ValueError, weight=-1),
        bad(ValueError, weight=NAN),
        bad(ValueError, temperature=0),
        bad(ValueError, temperature=-1),
        bad(ValueError, temperature=NAN),
    ],
)
def test_settings_of_a_term(params, error, match):
    with pytest.raises(error, match=match):
        KD(**params)


@both
@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
@pytest.mark.parametrize("device", ["cuda", "cuda:0"])
def test_a_device_that_is_not_there(make, device, no_training):
    # the device is named as the user wrote it
    assert_refused(make(device=device), X, Y, ValueError, f"device='{device}'")


# -- teachers ------------------------------------------------------------------------


def fitted_lstm(X, y):
    return SkorchClassifier(**TINY_LSTM, max_epochs=1, random_state=0).fit(X, y)


BAD_TEACHER = {
    "class": (SkorchClassifier, TypeError, "teacher.*classifier.*SkorchClassifier"),
    "module class": (FlatLinear, TypeError, "teacher.*classifier.*FlatLinear"),
    "string": ("lstm", TypeError, "teacher.*classifier.*'lstm'"),
    "object": (object(), TypeError, "teacher.*classifier.*object"),
    "transformer": (FunctionTransformer(), TypeError, "FunctionTransformer.* predict_proba"),
    "ridge": (RidgeClassifier(), TypeError, "RidgeClassifier.* predict_proba.*Calibrated"),
    "ridge in a pipeline": (flat(RidgeClassifier()), TypeError, "Pipeline.* predict_proba"),
    "frozen, fitted ridge": (
        FrozenEstimator(flat(RidgeClassifier()).fit(X, Y)),
        TypeError,
        "predict_proba",
    ),
    "frozen, not fitted": (
        FrozenEstimator(SkorchClassifier(**TINY_LSTM)),
        ValueError,
        "FrozenEstimator.*SkorchClassifier.*not.*fitted",
    ),
    "frozen, not fitted, of sklearn": (
        FrozenEstimator(flat(LogisticRegression())),
        ValueError,
        "FrozenEstimator.*Pipeline.*not.*fitted",
    ),
    "2-D only": (LogisticRegression(), ValueError, "dim 3"),
    "bad parameter": (SkorchClassifier(lr=-1), ValueError, "lr.*-1"),
    "unknown network": (SkorchClassifier("resnet"), ValueError, "'inception_time'.*'resnet'"),
    "module, 3 logits": (FlatLinear(1, 20, 3), ValueError, r"logits.*2\).*\(2, 3\)"),
    "module, other length": (FlatLinear(1, 21, 2), ValueError, "1 channels, 20 time points"),
}


@pytest.mark.parametrize(("teacher", "error", "match"), BAD_TEACHER.values(), ids=BAD_TEACHER)
def test_teachers_that_cannot_teach(teacher, error, match, no_training):
    assert_refused(distiller(teacher), X, Y, error, match)


@pytest.mark.parametrize(
    ("X_teacher", "y_teacher", "match"),
    [
        (X, np.where(Y == "class 00", "other", Y), r"know.*classes.*\['class 00'\]"),
        (X, Y01, r"know.*classes.*\['class 00', 'class 01'\].*\[0, 1\]"),
        (X[:, :, :-1], Y, "20 time points.* 19"),
        (np.repeat(X, 2, axis=1), Y, "1 channels.* 2"),
    ],
    ids=["lacks a class", "other labels", "other length", "other channels"],
)
def test_frozen_teachers_of_another_problem(X_teacher, y_teacher, match, request):
    teacher = fitted_lstm(X_teacher, y_teacher)
    request.getfixturevalue("no_training")  # from here on
    assert_refused(distiller(FrozenEstimator(teacher)), X, Y, ValueError, match)


@pytest.mark.parametrize(
    "teacher", [FlatLinear(1, 20, 3), FlatLinear(1, 21, 2)], ids=["3 logits", "other length"]
)
def test_the_message_names_the_network_that_was_given(teacher):
    with pytest.raises(ValueError, match="FlatLinear"):
        distiller(teacher).fit(X, Y)


# -- labels of all kinds -------------------------------------------------------------


@both
def test_labels_in_a_list_or_tuple_are_as_good_as_an_array(make):
    expected = make().fit(X, Y).predict_proba(X)
    for labels in (Y.tolist(), tuple(Y.tolist())):
        clf = make().fit(X, labels)
        np.testing.assert_array_equal(clf.predict_proba(X), expected)
        assert clf.predict(X).dtype == Y.dtype


@both
@pytest.mark.parametrize(
    "labels",
    [
        pd.Series(Y),
        pd.Series(Y, dtype="category"),
        # a category that does not occur is no class
        pd.Series(pd.Categorical(Y, categories=["class 99", "class 01", "class 00"])),
        pd.Series(Y, index=range(50, 62)),
    ],
    ids=["strings", "categories", "unordered categories", "other index"],
)
def test_labels_in_a_series(make, labels):
    clf = make().fit(X, labels)
    assert list(clf.classes_) == ["class 00", "class 01"]
    np.testing.assert_array_equal(clf.predict_proba(X), make().fit(X, Y).predict_proba(X))
    assert set(clf.predict(X)) <= set(Y)


@both
@pytest.mark.parametrize(
    "labels",
    [Y01, Y01.astype(np.int8), Y01.astype(np.uint16), Y01 == 1, 2.0 * Y01, Y],
    ids=lambda labels: str(labels.dtype),
)
def test_labels_come_back_with_their_dtype(make, labels):
    clf = make().fit(X, labels)
    predicted = clf.predict(X)
    assert predicted.dtype == clf.classes_.dtype == labels.dtype
    assert set(predicted.tolist()) <= set(labels.tolist())


@both
def test_mixed_labels_are_refused_in_words(make, no_training):
    labels = np.array([1, "a"] * 6, dtype=object)
    # they are no regression target, and a user who is told so searches in the wrong place
    with pytest.raises((ValueError, TypeError), match=r"(?i)mix|different types|str.*int|int.*str"):
        make().fit(X, labels)


SINGLE_CLASS = {
    "classifier": classifier(),
    "distiller": distiller(),
    "default teacher": SaliencyDistilledClassifier(n_windows=2, bank_size=4),
    "sklearn teacher": distiller(flat(LogisticRegression())),
    "module teacher": distiller(FlatLinear(1, 20, 1)),
}


@single_label_warning
@pytest.mark.parametrize("clf", SINGLE_CLASS.values(), ids=SINGLE_CLASS)
@pytest.mark.parametrize("label", ["class 00", 3, True], ids=repr)
def test_a_single_class(clf, label, no_training):
    labels = np.full(12, label)
    clf = clf.clone().fit(X, labels)
    np.testing.assert_array_equal(clf.predict(X), labels)
    assert clf.predict(X).dtype == labels.dtype
    np.testing.assert_array_equal(clf.predict_proba(X), np.ones((12, 1)))
    assert clf.predict_logits(X).shape == (12, 1)
    assert "classes" in clf.get_fitted_params()
    if isinstance(clf, SaliencyDistilledClassifier):
        np.testing.assert_array_equal(clf.student_.predict(X), labels)
        assert len(clf.teacher_.predict(X)) == 12


@single_label_warning
def test_a_single_class_with_a_frozen_teacher(no_training):
    clf = distiller(FrozenEstimator(flat(LogisticRegression()).fit(X, Y)))
    with pytest.warns(UserWarning, match=r"classes.*\by\b.*\['class 01'\]"):
        clf.fit(X, np.full(12, "class 00"))
    np.testing.assert_array_equal(clf.predict_proba(X), np.ones((12, 1)))
    assert set(clf.teacher_.predict(X)) == {"class 00", "class 01"}  # as it was


@single_label_warning
def test_a_single_class_with_a_frozen_teacher_that_does_not_know_it(no_training):
    teacher = flat(LogisticRegression()).fit(X, Y)
    clf = distiller(FrozenEstimator(teacher))
    assert_refused(clf, X, np.full(12, "other"), ValueError, r"classes.*\['other'\]")


# -- training that fails -------------------------------------------------------------

DIVERGING = {
    **TINY_LSTM,
    "optimizer": "sgd",
    "lr": 1e30,
    "lr_schedule": None,
    "gradient_clip": None,
    "scale_inputs": False,
}


@pytest.mark.parametrize(
    "clf",
    [
        classifier(**DIVERGING, max_epochs=10),
        distiller(student=classifier(**DIVERGING, max_epochs=10)),
        distiller(classifier(**DIVERGING, max_epochs=10)),
    ],
    ids=["classifier", "student", "teacher"],
)
def test_a_loss_that_diverges(clf):
    assert_refused(clf, X, Y, ValueError, r"diverged.*epoch \d+.* lr .*1e\+30")


@pytest.mark.parametrize("validation_fraction", [None, 0.5])
def test_a_loss_that_diverges_in_the_last_step(validation_fraction):
    # the loss is measured before the step: of the last step no epoch tells
    params = {**DIVERGING, **TINY_FCN, "validation_fraction": validation_fraction}
    clf = classifier(**params, max_epochs=1, batch_size=12)
    assert_refused(clf, X, Y, ValueError, "diverged")


def test_a_class_of_weight_zero_is_ignored_also_where_a_batch_holds_no_other():
    clf = classifier(class_weight={"class 00": 0.0, "class 01": 1.0}, batch_size=1, max_epochs=20)
    assert (clf.fit(X, Y).predict(X) == "class 01").all()


class InterruptedNetwork(FlatLinear):
    """Is interrupted in the second epoch of one batch each."""

    def __init__(self, *sizes):
        super().__init__(*sizes)
        self.n_steps = 0

    def forward(self, x):
        self.n_steps += self.training
        if self.n_steps == 2:
            raise KeyboardInterrupt
        return super().forward(x)


class PressCtrlC(Callback):
    def __init__(self, on):
        self.on = on

    def on_epoch_end(self, net, **kwargs):
        self._press("epoch")

    def on_batch_end(self, net, **kwargs):
        self._press("batch")

    def on_train_end(self, net, **kwargs):
        self._press("train")

    def _press(self, now):
        if self.on == now:
            signal.raise_signal(signal.SIGINT)


INTERRUPTED = {
    "network": {"network": InterruptedNetwork, "network_params": None, "max_epochs": 4},
    "on_batch_end": {"callbacks": [PressCtrlC("batch")]},
    "on_epoch_end": {"callbacks": [PressCtrlC("epoch")]},
    "on_train_end": {"callbacks": [PressCtrlC("train")]},
    # its own stop must not hide a real one
    "with patience": {
        "callbacks": [PressCtrlC("epoch")],
        "validation_fraction": 0.5,
        "patience": 1,
    },
}


@pytest.fixture
def ctrl_c_interrupts():
    """What a shell without job control starts in the background ignores it otherwise."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c_interrupts")
@pytest.mark.parametrize("params", INTERRUPTED.values(), ids=INTERRUPTED)
@pytest.mark.parametrize("role", ["classifier", "student", "teacher"])
def test_ctrl_c_propagates(params, role):
    clf = classifier(**params)
    if role != "classifier":
        clf = distiller(**{role: clf})
    with pytest.raises(KeyboardInterrupt):
        clf.fit(X, Y)
    assert_not_fitted(clf)


@both
def test_patience_stops_without_an_interrupt(make):
    # with so small a step the validation loss does not fall
    params = {
        **TINY_LSTM,
        "lr": 1e-12,
        "max_epochs": 30,
        "validation_fraction": 0.5,
        "patience": 2,
    }
    clf = classifier(**params) if make is classifier else make(student=classifier(**params))
    clf.fit(X, Y)
    trained = clf if make is classifier else clf.student_
    assert len(trained.history_) < 10
    assert clf.is_fitted


def test_early_stopping_of_the_user_stops_without_an_interrupt():
    stopping = EarlyStopping(monitor="train_loss", patience=2, threshold=100.0)
    clf = classifier(callbacks=[stopping], max_epochs=30).fit(X, Y)
    assert len(clf.history_) < 10


NO_FILES = dict.fromkeys(["f_params", "f_optimizer", "f_criterion", "f_history", "f_pickle"])


@pytest.mark.parametrize("what", NO_FILES)
@both
def test_a_checkpoint_that_cannot_be_written_is_not_silent(make, what, tmp_path):
    target = str(tmp_path / "missing" / "file")
    checkpoint = Checkpoint(monitor=None, **{**NO_FILES, what: target})
    clf = classifier(callbacks=[checkpoint])
    if make is distiller:
        clf = distiller(student=clf)
    with pytest.raises(OSError, match="missing"):
        clf.fit(X, Y)
    assert_not_fitted(clf)


def test_a_checkpoint_folder_that_is_a_file_is_not_silent(tmp_path):
    (tmp_path / "taken").touch()
    checkpoint = Checkpoint(monitor=None, **{**NO_FILES, "f_params": "p.pt"})
    checkpoint.dirname = str(tmp_path / "taken")
    with pytest.raises(OSError, match="taken"):
        classifier(callbacks=[checkpoint]).fit(X, Y)


def test_a_checkpoint_that_can_be_written_is(tmp_path):
    checkpoint = Checkpoint(monitor=None, dirname=str(tmp_path), **{**NO_FILES, "f_params": "p.pt"})
    assert classifier(callbacks=[checkpoint]).fit(X, Y).is_fitted
    assert (tmp_path / "p.pt").exists()


# -- a second fit that fails ---------------------------------------------------------

FAILING_FITS = {
    "NaN": (with_value(NAN), Y),
    "NaN in a frame": (multiindex(with_value(NAN)), Y),
    "inf in a frame": (multiindex(with_value(INF)), Y),
    "float32": (with_value(1e300), Y),
    "ragged": (ragged_list(), Y),
    "shorter y": (X, Y[:-1]),
    "NaN label": (X, _first(NAN)),
}


@both
@pytest.mark.parametrize(("bad_X", "bad_y"), FAILING_FITS.values(), ids=FAILING_FITS)
def test_a_failed_fit_leaves_the_earlier_one_or_nothing(make, bad_X, bad_y):
    clf = make().fit(X, Y)
    before = clf.predict_proba(X)
    with pytest.raises((ValueError, TypeError)):
        clf.fit(bad_X, bad_y)
    assert_as_before_or_not_fitted(clf, before)


def test_a_distiller_that_fails_on_another_problem_forgets_the_first_or_keeps_it():
    clf = distiller(window=4).fit(X, Y)
    before = clf.predict_proba(X)
    with pytest.raises(ValueError, match="window=4 "):
        clf.fit(X[:, :, :3], np.arange(12) % 3)
    assert_as_before_or_not_fitted(clf, before)


@pytest.mark.usefixtures("ctrl_c_interrupts")
@pytest.mark.parametrize("role", ["classifier", "student", "teacher"])
def test_an_interrupted_second_fit_leaves_the_earlier_one_or_nothing(role):
    pressed = PressCtrlC(None)
    trained = classifier(callbacks=[pressed])
    clf = trained if role == "classifier" else distiller(**{role: trained})
    before = clf.fit(X, Y).predict_proba(X)
    pressed.on = "epoch"
    with pytest.raises(KeyboardInterrupt):
        clf.fit(X, Y)
    assert_as_before_or_not_fitted(clf, before)


def assert_as_before_or_not_fitted(clf, before):
    if clf.is_fitted:
        np.testing.assert_array_equal(clf.predict_proba(X), before)
        assert list(clf.classes_) == ["class 00", "class 01"]
        assert set(clf.predict(X)) <= set(Y)
    else:
        assert_not_fitted(clf)
        for method in METHODS:
            with pytest.raises(ValueError, match="fitted"):
                getattr(clf, method)(X)


@dataclass(frozen=True)
class OldWay(Zero):
    def fill(self, x, starts, width, donors=None):
        return x


def test_a_perturbation_that_overrides_fill_is_told_what_to_override():
    X, y = random_panel(20)
    with pytest.raises(TypeError, match=r"OldWay.* fill.* filler"):
        distiller(perturbation=OldWay()).fit(X, y)
