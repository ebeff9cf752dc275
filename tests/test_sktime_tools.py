"""sktime's tools: pipelines, ensembles, evaluation, benchmark, containers of series."""

import numpy as np
import pandas as pd
import pytest
from helpers import distiller, learner, random_panel
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import KFold
from sktime.benchmarking.classification import ClassificationBenchmark
from sktime.classification.compose import ClassifierPipeline
from sktime.classification.dummy import DummyClassifier
from sktime.classification.ensemble import BaggingClassifier, WeightedEnsembleClassifier
from sktime.classification.model_evaluation import evaluate
from sktime.datatypes import convert
from sktime.transformations.compose import FitInTransform
from sktime.transformations.func_transform import FunctionTransformer
from sktime.transformations.interpolate import TSInterpolator
from sktime.transformations.padder import PaddingTransformer

LABELS = ["class 00", "class 01"]


def assert_good(predictions, y):
    assert set(predictions) == set(y)
    assert accuracy_score(y, predictions) >= 0.85


def network_of(classifier):
    return getattr(classifier, "student_", classifier)


def test_transformer_times_classifier(classifier, train, test):
    pipeline = (TSInterpolator(12) * classifier).fit(*train)
    alone = classifier.clone().fit(TSInterpolator(12).fit_transform(train[0]), train[1])
    expected = alone.predict_proba(TSInterpolator(12).fit_transform(test[0]))

    assert isinstance(pipeline, ClassifierPipeline)
    assert network_of(pipeline.classifier_).n_timepoints_ == 12
    np.testing.assert_array_equal(pipeline.predict_proba(test[0]), expected)
    assert_good(pipeline.predict(test[0]), test[1])


def test_pipeline_of_several_transformers(classifier, train, test):
    pipeline = FunctionTransformer(np.tanh) * TSInterpolator(10) * classifier
    pipeline.fit(*train)

    assert network_of(pipeline.classifier_).n_timepoints_ == 10
    assert_good(pipeline.predict(test[0]), test[1])


def test_pipeline_makes_unequal_lengths_equal(classifier, train, test):
    def shorten(X):
        X = convert(X, "numpy3D", "df-list")
        return [series.iloc[: 15 + i % 6] for i, series in enumerate(X)]

    with pytest.raises(ValueError, match="unequal"):
        classifier.fit(shorten(train[0]), train[1])
    pipeline = (PaddingTransformer(20) * classifier).fit(shorten(train[0]), train[1])

    assert_good(pipeline.predict(shorten(test[0])), test[1])


def test_pipeline_with_transformer_that_fits_itself_anew(classifier, train, test):
    pipeline = (FitInTransform(TSInterpolator(12)) * classifier).fit(*train)

    assert_good(pipeline.predict(test[0]), test[1])


def test_pipeline_reaches_nested_parameters(train):
    pipeline = TSInterpolator(12) * distiller()
    pipeline.set_params(classifier__student__max_epochs=2).fit(*train)

    assert len(pipeline.classifier_.student_.history_) == 2


def test_bagging(classifier, train, test):
    bagging = BaggingClassifier(classifier, n_estimators=3, n_samples=0.8, random_state=0)
    bagging.fit(*train)
    members = [member.predict_proba(test[0]) for member in bagging.estimators_]

    np.testing.assert_allclose(bagging.predict_proba(test[0]), np.mean(members, axis=0))
    assert not np.array_equal(members[0], members[1])
    assert_good(bagging.predict(test[0]), test[1])


def test_weighted_ensemble(classifier, train, test):
    other = learner(random_state=1)
    ensemble = WeightedEnsembleClassifier([("a", classifier), ("b", other)], weights=[1, 3])
    ensemble.fit(*train)
    own = classifier.clone().fit(*train).predict_proba(test[0])
    expected = (own + 3 * other.fit(*train).predict_proba(test[0])) / 4

    np.testing.assert_allclose(ensemble.predict_proba(test[0]), expected)
    assert_good(ensemble.predict(test[0]), test[1])


def test_ensemble_as_teacher(train, test):
    teacher = WeightedEnsembleClassifier([("a", learner()), ("b", learner(random_state=1))])
    clf = distiller().set_params(teacher=teacher).fit(*train)

    assert_good(clf.teacher_.predict(test[0]), test[1])
    assert_good(clf.predict(test[0]), test[1])


@pytest.mark.parametrize("scoring", [[accuracy_score], [accuracy_score, log_loss]])
def test_evaluate_equals_a_loop_over_folds(classifier, train, scoring):
    X, y = train
    results = evaluate(classifier, KFold(4), X, y, scoring=scoring, error_score="raise")

    assert len(results) == 4
    for (fit, predict), row in zip(KFold(4).split(X), results.itertuples(), strict=True):
        fitted = classifier.clone().fit(X[fit], y[fit])
        expected = accuracy_score(y[predict], fitted.predict(X[predict]))
        assert row.test_accuracy_score == expected >= 0.75
        if log_loss in scoring:
            expected = log_loss(y[predict], fitted.predict_proba(X[predict]))
            assert row.test_log_loss == pytest.approx(expected, rel=1e-9)
            assert expected < np.log(2)


def test_evaluate_in_two_threads(classifier, train):
    options = {"scoring": [accuracy_score], "return_data": True, "error_score": "raise"}
    serial = evaluate(classifier, KFold(3), *train, **options)
    threads = {"backend": "threading", "backend_params": {"n_jobs": 2}}
    parallel = evaluate(classifier, KFold(3), *train, **threads, **options)

    assert serial["test_accuracy_score"].tolist() == parallel["test_accuracy_score"].tolist()
    for one, other in zip(serial["y_pred"], parallel["y_pred"], strict=True):
        np.testing.assert_array_equal(one, other)


def test_benchmark_ranks_a_learner_above_chance(train, tmp_path):
    benchmark = ClassificationBenchmark()
    for name, estimator in {
        "network": learner(),
        "distiller": distiller(),
        "chance": DummyClassifier(strategy="prior"),
    }.items():
        benchmark.add_estimator(estimator, name)
    benchmark.add_task(train, KFold(4), [accuracy_score, log_loss], task_id="levels")
    results = benchmark.run(tmp_path / "results.csv").set_index("model_id")
    accuracy = results["accuracy_score_mean"]

    assert sorted(results.index) == ["chance", "distiller", "network"]
    assert (results["validation_id"] == "levels").all()
    assert accuracy["network"] >= 0.85
    assert accuracy["distiller"] >= 0.85
    assert accuracy["chance"] <= 0.6
    assert results["log_loss_mean"]["distiller"] < results["log_loss_mean"]["chance"]
    # the numbers are those of `evaluate`
    folds = evaluate(learner(), KFold(4), *train, scoring=[accuracy_score])
    assert accuracy["network"] == folds["test_accuracy_score"].mean()


CONTAINERS = ["pd-multiindex", "nested_univ", "df-list"]


@pytest.mark.parametrize("container", [*CONTAINERS, "numpyflat"])
def test_containers_of_series_are_equal(classifier, container, train, test):
    X, X_test = (convert(part[0], "numpy3D", container) for part in (train, test))
    expected = classifier.fit(*train).predict_proba(test[0])

    np.testing.assert_array_equal(classifier.predict_proba(X_test), expected)
    np.testing.assert_array_equal(
        classifier.predict_logits(X_test), classifier.predict_logits(test[0])
    )
    again = classifier.clone().fit(X, train[1])
    np.testing.assert_array_equal(again.predict_proba(test[0]), expected)
    np.testing.assert_array_equal(again.predict(X_test), classifier.predict(test[0]))


@pytest.mark.parametrize("container", CONTAINERS)
def test_containers_of_multivariate_series_are_equal(classifier, container):
    X, y = random_panel(30, n_channels=3)
    X[:, 1] *= 10  # so that a mix-up of channels shows
    X[:, 2] *= -1
    X_test, _ = random_panel(20, n_channels=3, seed=1)
    expected = classifier.fit(X, y).predict_proba(X_test)
    again = classifier.clone().fit(convert(X, "numpy3D", container), y)

    np.testing.assert_array_equal(
        again.predict_proba(convert(X_test, "numpy3D", container)), expected
    )


@pytest.mark.parametrize(
    "container", [list, pd.Series, lambda y: pd.Series(y, index=np.arange(len(y))[::-1] + 7)]
)
def test_containers_of_labels_are_equal(classifier, container, train, test):
    expected = classifier.fit(*train).predict_proba(test[0])
    again = classifier.clone().fit(train[0], container(train[1]))

    assert again.classes_.tolist() == LABELS
    np.testing.assert_array_equal(again.predict_proba(test[0]), expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int64])
def test_types_of_numbers_are_equal(classifier, dtype, train, test):
    X, X_test = (np.round(part[0] * 4).astype(dtype) for part in (train, test))
    expected = classifier.fit(X.astype(np.float64), train[1]).predict_proba(X_test)
    again = classifier.clone().fit(X, train[1])

    np.testing.assert_array_equal(again.predict_proba(X_test.astype(np.float64)), expected)


@pytest.fixture
def two_outputs(train, test):
    """Labels of two kinds, of which the second is the first turned round."""

    def labels(y):
        return pd.DataFrame({"level": y, "turned": np.where(y == LABELS[0], "up", "down")})

    return labels(train[1]), labels(test[1])


def test_several_outputs(classifier, train, test, two_outputs):
    y, y_test = two_outputs
    classifier.fit(train[0], y)
    predictions = classifier.predict(test[0])
    probabilities = classifier.predict_proba(test[0])
    alone = [classifier.clone().fit(train[0], y[name]) for name in y]

    assert list(predictions.columns) == ["level", "turned"]
    for name, single in zip(y, alone, strict=True):
        assert_good(predictions[name], y_test[name])
        np.testing.assert_array_equal(predictions[name], single.predict(test[0]))
        np.testing.assert_array_equal(probabilities[name], single.predict_proba(test[0]))


def test_logits_of_several_outputs_are_refused_clearly(classifier, train, two_outputs):
    classifier.fit(train[0], two_outputs[0])

    with pytest.raises((NotImplementedError, TypeError, ValueError), match="output"):
        classifier.predict_logits(train[0])


def test_history_of_several_outputs_is_refused_clearly(train, two_outputs):
    clf = learner().fit(train[0], two_outputs[0])

    with pytest.raises((NotImplementedError, TypeError, ValueError), match="output"):
        clf.history_frame()
