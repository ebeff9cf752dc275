"""The cascade as a classifier: whose answers it gives, in which tools, with what input."""

import pickle
import threading
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
from helpers import Linear, bad, distiller, flat, learner, random_panel
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sktime.exceptions import NotFittedError as SktimeNotFittedError
from sktime.transformations.compose import Id
from torch import nn

from sktime_tsd import (
    CascadeClassifier,
    SaliencyDistilledClassifier,
    SkorchClassifier,
    save_model,
    to_onnx,
)
from sktime_tsd.cascade import compare_costs
from sktime_tsd.losses import KD
from sktime_tsd.preprocessing import SeriesCenterer
from sktime_tsd.runtime import ModelFileError, OnnxClassifier
from sktime_tsd.teachers import CallableTeacher

SHAPE = (1, 20)


@pytest.fixture(scope="module")
def panel():
    """Two classes apart by half a standard deviation of the series' means."""
    X, y = random_panel(600, seed=2)
    shift = 2 * np.random.RandomState(3).standard_normal((len(X), 1, 1))
    return X + shift, y


@pytest.fixture(scope="module")
def models(panel):
    """A student that knows some of what its teacher knows."""
    X, y = panel
    teacher = flat(LogisticRegression(max_iter=500)).fit(X[:200], y[:200])
    student = learner(max_epochs=30).fit(X[:40], y[:40])
    return student, teacher


@pytest.fixture(scope="module")
def cascade(models, panel):
    found = CascadeClassifier(*models, target_agreement=0.9).fit(panel[0][200:400])
    assert 0.1 < found.deferral_rate_ < 0.9
    return found


@pytest.fixture(scope="module")
def student_file(models, tmp_path_factory):
    return OnnxClassifier(to_onnx(models[0], tmp_path_factory.mktemp("onnx") / "student.onnx"))


def new_series(panel):
    return panel[0][400:]


# -- whose answers -------------------------------------------------------------------


def test_sure_answers_are_the_students_and_the_others_the_teachers(cascade, models, panel):
    student, teacher = models
    X = new_series(panel)
    deferred = cascade.defers(X)
    scores = student.predict_proba(X).max(axis=1)
    np.testing.assert_array_equal(deferred, scores <= cascade.threshold_)
    assert 0 < deferred.mean() < 1
    for name in ("predict", "predict_proba"):
        found = getattr(cascade, name)(X)
        of_student, of_teacher = (getattr(model, name)(X) for model in models)
        np.testing.assert_array_equal(found[~deferred], of_student[~deferred])
        np.testing.assert_array_equal(found[deferred], of_teacher[deferred])
    assert (cascade.predict(X) == teacher.predict(X)).mean() > 0.9
    # the other way round on a difference that is there
    assert (student.predict(X) != teacher.predict(X)).mean() > 0.1


def test_what_calibration_leaves_behind(cascade, models, panel):
    student, teacher = models
    X = panel[0][200:400]
    p = student.predict_proba(X)
    agrees = student.predict(X) == teacher.predict(X)
    np.testing.assert_allclose(cascade.calibration_scores_, p.max(axis=1))
    np.testing.assert_array_equal(cascade.calibration_agrees_, agrees)
    assert cascade.deferral_rate_ == pytest.approx(cascade.defers(X).mean())
    assert cascade.agreement_bound_ >= 0.9
    assert cascade.student_ is student
    assert cascade.teacher_ is teacher
    assert cascade.classes_.tolist() == teacher.classes_.tolist()


def test_the_teacher_is_asked_for_deferred_series_only(models, panel):
    asked = []

    def watched(X):
        asked.append(len(X))
        return models[1].predict_proba(X)

    teacher = CallableTeacher(watched, models[1].classes_)
    cascade = CascadeClassifier(models[0], teacher, target_agreement=0.9).fit(panel[0][200:400])
    assert asked == [200]
    assert cascade.teacher_calls_ == 0
    X = new_series(panel)
    n_deferred = cascade.defers(X).sum()
    assert asked == [200]
    cascade.predict(X)
    cascade.predict_proba(X)
    assert asked == [200, n_deferred, n_deferred]
    assert cascade.teacher_calls_ == 2 * n_deferred
    cascade.predict(X[~cascade.defers(X)])
    cascade.check(X)
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("score", "function"),
    [
        ("margin", lambda p: np.abs(p[:, 0] - p[:, 1])),
        ("entropy", lambda p: (p * np.log(p)).sum(axis=1)),
        (lambda p: 3 * p.max(axis=1), lambda p: 3 * p.max(axis=1)),
    ],
    ids=["margin", "entropy", "callable"],
)
def test_other_scores(models, panel, cascade, score, function):
    found = CascadeClassifier(*models, target_agreement=0.9, score=score).fit(panel[0][200:400])
    scores = function(models[0].predict_proba(panel[0][200:400]))
    np.testing.assert_allclose(found.calibration_scores_, scores, atol=1e-12)
    # of two classes, all of them rank the series alike
    np.testing.assert_array_equal(
        found.defers(new_series(panel)), cascade.defers(new_series(panel))
    )


def test_scores_of_several_classes():
    from sktime_tsd.runtime._confidence import entropy, margin, top_probability

    p = np.array([[0.5, 0.3, 0.2], [0.0, 1.0, 0.0], [1 / 3, 1 / 3, 1 / 3]])
    np.testing.assert_allclose(top_probability(p), [0.5, 1, 1 / 3])
    np.testing.assert_allclose(margin(p), [0.2, 1, 0], atol=1e-15)
    np.testing.assert_allclose(entropy(p), [-1.0296530140645737, 0, -np.log(3)])
    np.testing.assert_array_equal(margin(np.ones((2, 1))), [1, 1])


# -- what cannot be promised ---------------------------------------------------------


def test_too_few_series_defer_everything_and_say_how_many_would_do(models, panel):
    cascade = CascadeClassifier(*models)
    with pytest.warns(UserWarning, match="about 299 calibration series, got 50"):
        cascade.fit(panel[0][:50])
    assert cascade.threshold_ == np.inf
    assert cascade.deferral_rate_ == 1
    X = new_series(panel)
    assert cascade.defers(X).all()
    np.testing.assert_array_equal(cascade.predict(X), models[1].predict(X))


def test_a_student_that_knows_nothing_defers_everything_and_is_told_apart(models, panel):
    def same(X):
        return np.full((len(X), 2), [0.6, 0.4])

    student = CallableTeacher(same, models[1].classes_)
    with pytest.warns(UserWarning, match="even where the student is surest.*299 or more"):
        cascade = CascadeClassifier(student, models[1]).fit(panel[0])
    assert cascade.defers(panel[0]).all()


def test_a_student_that_is_its_teacher_defers_nothing(models, panel):
    cascade = CascadeClassifier(models[1], models[1]).fit(panel[0][:400])
    assert cascade.threshold_ == -np.inf
    assert cascade.deferral_rate_ == 0
    assert not cascade.defers(new_series(panel)).any()
    cascade.predict(panel[0])
    assert cascade.teacher_calls_ == 0
    assert 0.99 <= cascade.agreement_bound_ < 1


def test_ties_at_the_threshold_go_to_the_teacher(models):
    """Of 400 equal scores a fifth is wrong: all of them or none can be kept, so none."""
    classes = ["down", "up"]
    sure, right = np.arange(800) < 400, np.arange(800) % 5 > 0
    X = np.zeros((800, 1, 2))
    X[:, 0, 0] = np.where(sure, 0.9, 0.7)
    X[:, 0, 1] = np.where(sure | right, 0.9, 0.1)
    student = CallableTeacher(lambda X: X[:, 0, 0], classes)
    teacher = CallableTeacher(lambda X: X[:, 0, 1], classes)
    cascade = CascadeClassifier(student, teacher).fit(X)
    np.testing.assert_array_equal(cascade.defers(X), ~sure)
    assert 0.7 < cascade.threshold_ < 0.9
    at_it = np.full((1, 1, 2), cascade.threshold_)
    assert cascade.defers(at_it).all()


# -- what may be student and teacher -------------------------------------------------


class Net(nn.Module):
    """A network without labels."""

    def __init__(self):
        super().__init__()
        self.line = nn.Linear(20, 2)

    def forward(self, X):
        return self.line(X[:, 0])


def every_kind(panel, models, student_file):
    X, y = panel
    student, teacher = models
    yield "network", student
    yield "frozen", FrozenEstimator(student)
    yield "pipeline", make_pipeline(SeriesCenterer(), learner()).fit(X[:40], y[:40])
    yield "pipeline of sktime", (Id() * learner()).fit(X[:40], y[:40])
    yield "onnx", student_file
    yield "function", CallableTeacher(teacher.predict_proba, teacher.classes_)
    yield "object", Linear(0, *SHAPE, classes=teacher.classes_)
    yield "module", Net()
    yield "frozen module", FrozenEstimator(Net())


def test_whatever_answers_answers(models, panel, student_file):
    X = new_series(panel)
    for name, model in every_kind(panel, models, student_file):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The promise")
            cascades = [
                CascadeClassifier(*pair, target_agreement=0.6).fit(panel[0][:200])
                for pair in ((model, models[1]), (models[0], model))
            ]
        for cascade in cascades:
            deferred, labels = cascade.defers(X), cascade.predict(X)
            p = cascade.predict_proba(X)
            np.testing.assert_allclose(p.sum(axis=1), 1, err_msg=name)
            np.testing.assert_array_equal(labels, cascade.classes_[p.argmax(axis=1)], err_msg=name)
            one_by_one = np.concatenate([cascade.predict(x[None]) for x in X[:3]])
            np.testing.assert_array_equal(one_by_one, labels[:3], err_msg=name)
            assert deferred.shape == (len(X),)


def test_a_teacher_with_labels_alone_is_enough(models, panel):
    X, y = panel
    teacher = flat(RidgeClassifier()).fit(X[:200], y[:200])
    cascade = CascadeClassifier(models[0], teacher, target_agreement=0.8).fit(X[200:400])
    deferred = cascade.defers(X[400:])
    assert deferred.any()
    np.testing.assert_array_equal(
        cascade.predict(X[400:])[deferred], teacher.predict(X[400:])[deferred]
    )
    assert set(cascade.predict_proba(X[400:])[deferred].ravel()) == {0, 1}


class TiesTheOtherWay(Linear):
    """Its predict gives other labels than its probabilities do."""

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmin(axis=1)]


def test_the_teachers_answer_is_that_of_its_predict(models, panel):
    teacher = TiesTheOtherWay(0, *SHAPE, classes=models[1].classes_)
    X = panel[0]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The promise")
        cascade = CascadeClassifier(models[0], teacher, target_agreement=0.9).fit(X)
    agrees = models[0].predict(X) == teacher.predict(X)
    np.testing.assert_array_equal(cascade.calibration_agrees_, agrees)
    deferred = cascade.defers(X)
    np.testing.assert_array_equal(cascade.predict(X)[deferred], teacher.predict(X)[deferred])


def test_columns_are_found_by_label(models, panel):
    student, teacher = models
    turned = CallableTeacher(lambda X: teacher.predict_proba(X)[:, ::-1], teacher.classes_[::-1])
    X = new_series(panel)
    for pair in ((student, turned), (turned, teacher)):
        cascade = CascadeClassifier(*pair, target_agreement=0.8).fit(panel[0][200:400])
        plain = CascadeClassifier(
            *(teacher if model is turned else model for model in pair), target_agreement=0.8
        ).fit(panel[0][200:400])
        assert cascade.classes_.tolist() == plain.classes_.tolist()
        np.testing.assert_array_equal(cascade.predict(X), plain.predict(X))
        np.testing.assert_allclose(cascade.predict_proba(X), plain.predict_proba(X))


def test_labels_name_the_columns_of_models_without_classes(panel):
    X, y = panel
    cascade = CascadeClassifier(Net(), Net(), target_agreement=0.05, confidence_level=0.5)
    with pytest.raises(ValueError, match="Neither student nor teacher has classes_"):
        cascade.fit(X)
    assert cascade.fit(X, y).classes_.tolist() == np.unique(y).tolist()
    with pytest.raises(ValueError, match="2"):
        cascade.fit(X, np.arange(len(X)) % 3)


def test_neither_model_is_trained_or_changed(models, panel):
    before = [joblib.hash(model) for model in models]
    fits = []
    student, teacher = models
    for kind in (SkorchClassifier, type(teacher)):
        kind_fit = kind.fit

        def fit(self, *args, of=kind_fit, **kwargs):
            fits.append(self)
            return of(self, *args, **kwargs)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(kind, "fit", fit)
            CascadeClassifier(student, teacher, target_agreement=0.8).fit(*panel)
    assert fits == []
    assert [joblib.hash(model) for model in models] == before


def test_channels_find_their_place_by_name():
    X, y = random_panel(200, n_channels=2)
    X[:, 1] = np.random.RandomState(0).standard_normal(X[:, 1].shape)
    names = ["acc", "gyr"]

    def frame(X, order):
        index = pd.MultiIndex.from_product([range(len(X)), range(X.shape[2])])
        columns = {name: X[:, k].ravel() for k, name in enumerate(names)}
        return pd.DataFrame(columns, index=index)[order]

    student = learner(max_epochs=3).fit(frame(X, ["gyr", "acc"]), y)
    teacher = learner(random_state=1).fit(frame(X, ["acc", "gyr"]), y)
    cascade = CascadeClassifier(student, teacher, target_agreement=0.7)
    cascade.fit(frame(X, names))
    assert cascade.feature_names_in_.tolist() == ["gyr", "acc"]
    expected = np.where(
        cascade.defers(frame(X, names)), teacher.predict(X), student.predict(X[:, ::-1])
    )
    np.testing.assert_array_equal(cascade.predict(frame(X, ["gyr", "acc"])), expected)
    with pytest.raises(ValueError, match="lacks gyr"):
        cascade.predict(frame(X, names).rename(columns={"gyr": "mag"}))
    with pytest.raises(ValueError, match="named channels"):
        cascade.predict(X)


def test_names_seen_in_calibration_are_kept(models):
    teacher = flat(LogisticRegression())
    X, y = random_panel(100, n_channels=2)
    teacher.fit(X, y)
    index = pd.MultiIndex.from_product([range(100), range(20)])
    frame = pd.DataFrame({"acc": X[:, 0].ravel(), "gyr": X[:, 1].ravel()}, index=index)
    cascade = CascadeClassifier(teacher, teacher, target_agreement=0.9).fit(frame)
    assert cascade.feature_names_in_.tolist() == ["acc", "gyr"]
    np.testing.assert_array_equal(
        cascade.predict_proba(frame[["gyr", "acc"]]), teacher.predict_proba(X)
    )


def test_series_of_unequal_length_are_read_as_the_models_do(panel):
    X, y = panel[0][:300].copy(), panel[1][:300]
    ragged = [x[:, : 15 + i % 6] for i, x in enumerate(X)]
    student, teacher = (
        learner(unequal_length="resample", random_state=seed).fit(ragged[:60], y[:60])
        for seed in (0, 1)
    )
    for pair in ((student, teacher), (FrozenEstimator(student), FrozenEstimator(teacher))):
        cascade = CascadeClassifier(*pair, target_agreement=0.6)
        assert cascade.get_tag("capability:unequal_length")
        cascade.fit(ragged[60:200])
        deferred = cascade.defers(ragged[200:])
        expected = np.where(deferred, teacher.predict(ragged[200:]), student.predict(ragged[200:]))
        np.testing.assert_array_equal(cascade.predict(ragged[200:]), expected)
    strict = learner().fit(X[:60], y[:60])
    with pytest.raises(ValueError, match="unequal length"):
        CascadeClassifier(strict, strict, target_agreement=0.6).fit(ragged)


# -- the short way -------------------------------------------------------------------


def test_from_distilled(panel):
    X, y = panel
    clf = distiller().fit(X[:40], y[:40])
    cascade = CascadeClassifier.from_distilled(clf, X[200:], target_agreement=0.8)
    assert cascade.student_ is clf.student_
    assert cascade.teacher_ is clf.teacher_
    assert cascade.target_agreement == 0.8
    for wrapped in (FrozenEstimator(clf), make_pipeline(SeriesCenterer(), distiller())):
        if not isinstance(wrapped, FrozenEstimator):
            wrapped.fit(X[:40], y[:40])
        again = CascadeClassifier.from_distilled(wrapped, X[200:], target_agreement=0.55)
        of_teacher = again.teacher_.predict(X)
        deferred = again.defers(X)
        np.testing.assert_array_equal(again.predict(X)[deferred], of_teacher[deferred])
        np.testing.assert_array_equal(again.predict(X)[~deferred], wrapped.predict(X)[~deferred])


def test_from_what_is_not_distilled(models, panel):
    X, y = panel
    with pytest.raises(TypeError, match="SaliencyDistilledClassifier, got a SkorchClassifier"):
        CascadeClassifier.from_distilled(models[0], X)
    with pytest.raises(SktimeNotFittedError):
        CascadeClassifier.from_distilled(distiller(), X)
    saved = SaliencyDistilledClassifier(
        student=learner(max_epochs=1), saliency_weight=0, distillation=[KD()], random_state=0
    )
    saved.fit(X[:40], y[:40], teacher_proba=models[1].predict_proba(X[:40]))
    with pytest.raises(ValueError, match="saved answers"):
        CascadeClassifier.from_distilled(saved, X)


# -- tools ---------------------------------------------------------------------------


def test_grid_search_over_the_target(models, panel):
    X, _ = panel
    student, teacher = models
    frozen = FrozenEstimator(student), FrozenEstimator(teacher)
    search = GridSearchCV(
        CascadeClassifier(*frozen), {"target_agreement": [0.7, 0.9]}, cv=3, error_score="raise"
    )
    # "labels" are the teacher's answers: accuracy is agreement
    search.fit(X[200:], teacher.predict(X[200:]))
    assert search.best_params_ == {"target_agreement": 0.9}
    assert (search.cv_results_["mean_test_score"] > [0.7, 0.9]).all()
    best = search.best_estimator_
    assert best.student_ is student
    np.testing.assert_array_equal(
        best.calibration_scores_, student.predict_proba(X[200:]).max(axis=1)
    )


def test_score_is_a_parameter_and_a_method(cascade, models, panel):
    X, y = new_series(panel), panel[1][400:]
    accuracy = np.mean(cascade.predict(X) == y)
    assert cascade.score == "top_probability"
    assert cascade.get_params()["score"] == "top_probability"
    assert cascade.score(X, y) == accuracy
    weights = np.arange(len(y))
    assert cascade.score(X, y, sample_weight=weights) == pytest.approx(
        np.average(cascade.predict(X) == y, weights=weights)
    )

    def doubled(p):
        return 2 * p.max(axis=1)

    own = cascade.clone().set_params(score=doubled).fit(panel[0][200:400])
    assert own.get_params()["score"] is doubled
    assert own.score == doubled
    assert own.score(X, y) == accuracy
    np.testing.assert_array_equal(own.score(np.eye(2)), [2, 2])
    assert not cascade.clone().set_params(score="margin").is_fitted


def test_clones_keep_the_fitted_models(cascade, models, panel):
    for cloned in (clone(cascade), cascade.clone()):
        assert not cloned.is_fitted
        assert cloned.student is models[0]
        assert cloned.get_params(deep=False) == cascade.get_params(deep=False)
        cloned.fit(panel[0][200:400])
        assert cloned.threshold_ == cascade.threshold_
    scores = cross_val_score(CascadeClassifier(*models, target_agreement=0.8), *panel, cv=3)
    assert (scores > 0.5).all()


def test_a_model_that_a_clone_has_forgotten_is_refused_with_the_remedy(models, panel):
    unfitted = models[0].clone()
    for pair in ((unfitted, models[1]), (models[0], clone(models[1]))):
        with pytest.raises(NotFittedError, match=r"is not fitted.*FrozenEstimator"):
            CascadeClassifier(*pair).fit(panel[0])


def test_in_a_pipeline(models, panel):
    X, y = panel
    pipeline = make_pipeline(SeriesCenterer(), CascadeClassifier(*models, target_agreement=0.5))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The promise")
        pipeline.fit(X, y)
    assert pipeline.predict(X).shape == (len(X),)


@pytest.mark.parametrize("through", [pickle, joblib])
def test_pickles_predict_alike(cascade, panel, through, tmp_path):
    if through is pickle:
        copied = pickle.loads(pickle.dumps(cascade))
    else:
        joblib.dump(cascade, tmp_path / "cascade.joblib")
        copied = joblib.load(tmp_path / "cascade.joblib")
    X = new_series(panel)
    np.testing.assert_array_equal(copied.predict_proba(X), cascade.predict_proba(X))
    np.testing.assert_array_equal(copied.defers(X), cascade.defers(X))


def test_threads_share_a_cascade_and_its_count(models, panel):
    cascade = CascadeClassifier(*models, target_agreement=0.9).fit(panel[0][200:400])
    X = new_series(panel)
    expected, found = cascade.predict(X), []
    once = cascade.teacher_calls_
    threads = [threading.Thread(target=lambda: found.append(cascade.predict(X))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert all((labels == expected).all() for labels in found)
    assert cascade.teacher_calls_ == 9 * once


def test_threads_ask_the_teacher_at_once(models, panel):
    """A service that answers in its own time must not make other threads wait."""
    both = threading.Barrier(2, timeout=20)
    is_fitted = []

    def service(X):
        if is_fitted:
            both.wait()
        return models[1].predict_proba(X)

    teacher = CallableTeacher(service, models[1].classes_)
    cascade = CascadeClassifier(models[0], teacher, target_agreement=0.9).fit(panel[0][200:400])
    is_fitted.append(True)
    X, found = new_series(panel), []
    threads = [threading.Thread(target=lambda: found.append(cascade.predict(X))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2  # a broken barrier is an error in its thread


# -- bad input -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "error", "said"),
    [
        bad(ValueError, target_agreement=1.0),
        bad(ValueError, target_agreement=0),
        bad(TypeError, target_agreement="0.9"),
        bad(ValueError, confidence_level=1),
        bad(ValueError, confidence_level=float("nan")),
        bad(ValueError, "score must be one of 'top_probability'", score="confidence"),
        bad(ValueError, "score must return one finite number", score=lambda p: p),
        bad(ValueError, "values that are not finite", score=lambda p: p[:, 0] * np.nan),
    ],
)
def test_unusable_settings_are_refused_by_name(models, panel, params, error, said):
    with np.errstate(divide="ignore"), pytest.raises(error, match=said):
        CascadeClassifier(*models, **params).fit(panel[0])


@pytest.mark.parametrize(
    ("X", "error", "said"),
    [
        (np.zeros((3, 1, 7)), ValueError, "7 time points"),
        (np.zeros((0, 1, 20)), ValueError, "at least one series"),
        (np.full((2, 1, 20), np.nan), ValueError, "NaN"),
        (np.zeros(20), ValueError, "shape"),
        ("series", TypeError, "X must be"),
    ],
)
def test_unusable_series_are_refused_as_everywhere(cascade, X, error, said):
    for ask in (cascade.predict, cascade.defers, cascade.predict_proba, cascade.check):
        with pytest.raises(error, match=said):
            ask(X)
    with pytest.raises(error, match=said):
        cascade.clone().fit(X)


def test_unusable_models_are_refused_in_words(models, panel):
    X = panel[0]
    for student, said in (
        (None, "student must be a fitted classifier"),
        (np.mean, "student must be"),
        (SkorchClassifier, "got the class SkorchClassifier"),
        (RidgeClassifier().fit(X[:, 0], panel[1]), "student.*predict_proba"),
    ):
        with pytest.raises(TypeError, match=said):
            CascadeClassifier(student, models[1]).fit(X)
    other = Linear(0, *SHAPE, classes=["x", "y"])
    with pytest.raises(ValueError, match="must know the same classes"):
        CascadeClassifier(other, models[1]).fit(X)


def test_a_failed_fit_leaves_nothing_half_done(models, panel):
    cascade = CascadeClassifier(*models, target_agreement=0.9).fit(panel[0])
    with pytest.raises(ValueError, match="NaN"):
        cascade.fit(panel[0] * np.nan)
    with pytest.raises(ValueError, match="time points"):
        cascade.fit(panel[0][:, :, :5])
    assert not cascade.is_fitted
    for ask in (cascade.predict, cascade.defers, cascade.check):
        with pytest.raises(SktimeNotFittedError):
            ask(panel[0])


# -- costs and drift -----------------------------------------------------------------


def test_costs_by_threshold(cascade):
    frame = cascade.cost(student_ms=0.5, teacher_ms=10)
    assert frame.columns.tolist() == [
        "threshold", "agreement_bound", "agreement", "deferral_rate", "mean_ms", "chosen"
    ]  # fmt: skip
    np.testing.assert_allclose(frame["mean_ms"], 0.5 + 10 * frame["deferral_rate"])
    (chosen,) = frame[frame["chosen"]].itertuples()
    assert chosen.threshold == cascade.threshold_
    assert chosen.deferral_rate == pytest.approx(cascade.deferral_rate_)
    assert chosen.agreement_bound == pytest.approx(cascade.agreement_bound_)
    for name, value in (("student_ms", -1), ("teacher_ms", "fast")):
        with pytest.raises((ValueError, TypeError), match=f"{name}.*{value}"):
            cascade.cost(**{"student_ms": 1, "teacher_ms": 1, name: value})


def test_the_cheapest_student_for_a_promise(cascade, models, panel):
    perfect = CascadeClassifier(models[1], models[1], target_agreement=0.9).fit(panel[0][200:400])
    several = {"small": cascade, "large": perfect}
    times = {"student_ms": {"small": 0.1, "large": 8}, "teacher_ms": 10}
    table = compare_costs(several, **times)
    by_rate = {name: c.deferral_rate_ for name, c in several.items()}
    assert table["deferral_rate"].to_dict() == pytest.approx(by_rate)
    assert table.at["large", "mean_ms"] == 8
    assert table.index[0] == ("small" if 0.1 + 10 * by_rate["small"] < 8 else "large")
    strict = compare_costs(several, target_agreement=0.97, **times)
    again = CascadeClassifier(*models, target_agreement=0.97).fit(panel[0][200:400])
    assert strict.at["small", "threshold"] == again.threshold_
    by_hand = 0.1 + 10 * again.deferral_rate_
    assert strict.at["small", "mean_ms"] == pytest.approx(by_hand)
    dear = compare_costs(several, student_ms={"small": 0.1, "large": 8}, teacher_ms=100)
    assert dear.index[0] == "large"
    with pytest.raises(ValueError, match="student_ms has no time for 'large'"):
        compare_costs(several, student_ms={"small": 1}, teacher_ms=1)
    with pytest.raises(TypeError, match="cascades must be"):
        compare_costs([cascade], student_ms=1, teacher_ms=1)
    with pytest.raises(TypeError, match="cascades must be"):
        compare_costs({"small": models[0]}, student_ms=1, teacher_ms=1)


def test_drift_is_seen_and_its_absence_too(cascade, panel):
    X = new_series(panel)
    same = cascade.check(X)
    assert not same.drifted
    assert "No change" in repr(same)
    assert same.deferral_rate == pytest.approx(cascade.defers(X).mean())
    unsure = X - X.mean(axis=(1, 2), keepdims=True) + 0.5  # between the classes
    moved = cascade.check(unsure)
    assert moved.drifted
    assert "calibrate anew" in repr(moved)
    assert "calibrate anew" in moved._repr_html_()
    frame = moved.to_frame()
    assert frame.loc["deferral_rate", "new"] == moved.deferral_rate
    assert frame["drifted"].any()
    with pytest.raises(ValueError, match=r"significance_level.*2"):
        cascade.check(X, significance_level=2)


def test_false_alarms_are_as_rare_as_said(cascade):
    from sktime_tsd.cascade._drift import check_drift

    rng = np.random.default_rng(0)
    alarms = [
        check_drift(rng.random(200), rng.random(60), 0.3, significance_level=0.2).drifted
        for _ in range(400)
    ]
    assert 0.05 < np.mean(alarms) < 0.2


# -- files ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "score",
    [
        "top_probability",
        pytest.param("margin", marks=pytest.mark.slow),
        pytest.param("entropy", marks=pytest.mark.slow),
    ],
)
def test_the_file_for_a_device_defers_what_the_cascade_does(models, panel, tmp_path, score):
    cascade = CascadeClassifier(*models, target_agreement=0.9, score=score).fit(panel[0][200:400])
    X = new_series(panel)
    path = to_onnx(cascade, tmp_path / "student.onnx", X)
    student = OnnxClassifier(path)
    np.testing.assert_array_equal(student.defers(X), cascade.defers(X))
    np.testing.assert_allclose(student.predict_proba(X), models[0].predict_proba(X), atol=1e-5)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(student)).defers(X), student.defers(X))


@pytest.mark.slow
def test_files_of_cascades_that_defer_all_or_nothing(models, panel, tmp_path):
    X = new_series(panel)
    with pytest.warns(UserWarning, match="299"):
        nothing = CascadeClassifier(*models).fit(X[:50])
    everything = CascadeClassifier(models[0], models[0]).fit(panel[0])
    for name, cascade, share in (("no", nothing, 1), ("yes", everything, 0)):
        path = to_onnx(cascade, tmp_path / f"{name}.onnx")
        assert OnnxClassifier(path).defers(X).mean() == share


@pytest.mark.slow
def test_the_file_includes_steps_of_both_pipelines(panel, tmp_path):
    X, y = panel
    student = make_pipeline(SeriesCenterer(), learner(max_epochs=3)).fit(X[:40], y[:40])
    teacher = flat(LogisticRegression(max_iter=500)).fit(X[:200], y[:200])
    pipeline = make_pipeline(
        SeriesCenterer(), CascadeClassifier(student, teacher, target_agreement=0.3)
    ).fit(X, y)
    path = to_onnx(pipeline, tmp_path / "student.onnx")
    deferred = pipeline[-1].defers(pipeline[:-1].transform(X))
    np.testing.assert_array_equal(OnnxClassifier(path).defers(X), deferred)


def test_files_without_a_threshold_and_cascades_that_no_file_holds(
    models, panel, student_file, tmp_path
):
    student, teacher = models
    X = new_series(panel)
    with pytest.raises(ValueError, match=r"without a threshold.*to_onnx\(cascade, path\)"):
        student_file.defers(X)
    path = tmp_path / "no.onnx"
    by_function = CascadeClassifier(
        *models, target_agreement=0.9, score=lambda p: p.max(axis=1)
    ).fit(panel[0])
    with pytest.raises(TypeError, match="score of the cascade is a function"):
        to_onnx(by_function, path)
    with pytest.raises(SktimeNotFittedError):
        to_onnx(CascadeClassifier(*models), path)
    fitted = CascadeClassifier(*models, target_agreement=0.9).fit(panel[0])
    with pytest.raises(ValueError, match="int8=True would change"):
        to_onnx(fitted, path, X, int8=True)
    with pytest.raises(TypeError, match="step 'functiontransformer' of the pipeline"):
        to_onnx(CascadeClassifier(teacher, student, target_agreement=0.9).fit(panel[0]), path)
    assert not path.exists()
    for whole in (fitted, FrozenEstimator(fitted), make_pipeline(SeriesCenterer(), fitted)):
        if not isinstance(whole, CascadeClassifier | FrozenEstimator):
            whole[0].fit(X)
        with pytest.raises(TypeError, match=r"save_model\(cascade.student_, folder\)"):
            save_model(whole, tmp_path / "model")


@pytest.mark.slow
def test_a_threshold_for_a_file_that_is_there(models, panel, student_file, tmp_path):
    """As for rounded weights: the cascade is calibrated on the file's own answers."""
    X = new_series(panel)
    cascade = CascadeClassifier(student_file, models[1], target_agreement=0.9).fit(
        panel[0][200:400]
    )
    path = to_onnx(cascade, tmp_path / "with_threshold.onnx", X)
    student = OnnxClassifier(path)
    np.testing.assert_array_equal(student.predict_proba(X), student_file.predict_proba(X))
    np.testing.assert_array_equal(student.defers(X), cascade.defers(X))
    with pytest.raises(FileExistsError, match="overwrite=True"):
        to_onnx(cascade, path)
    to_onnx(cascade, path, overwrite=True)


@pytest.mark.parametrize(
    "deferral",
    [
        [],
        {},
        {"score": "top_probability"},
        {"score": "top_probability", "threshold": 0.5},
        {"score": "top_probability", "threshold": "nan"},
        {"score": "top_probability", "threshold": "high"},
        {"score": "unknown", "threshold": "0.5"},
        {"score": ["margin"], "threshold": "0.5"},
    ],
)
def test_a_damaged_threshold_is_refused(deferral):
    from sktime_tsd.runtime._model_files import deferral_from_json

    with pytest.raises(ModelFileError):
        deferral_from_json({"deferral": deferral})
    assert deferral_from_json({}) is None
