"""scikit-learn's tools on panels with string labels.

The two classes of ``random_panel`` are easy: whatever works is right on nearly all series,
and whatever misplaces labels, folds or columns is not.
"""

import numpy as np
import pytest
from helpers import distiller, learner, random_panel
from sklearn import config_context
from sklearn.base import clone, is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import (
    GridSearchCV,
    RandomizedSearchCV,
    StratifiedKFold,
    cross_val_predict,
    cross_validate,
    learning_curve,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.validation import check_is_fitted
from sktime import exceptions as sktime_exceptions

from sktime_tsd import SkorchClassifier

LABELS = ["class 00", "class 01"]
USELESS_LR = 1e-7


def trained(classifier, name):
    """Name of a parameter of the network that is trained on the labels."""
    return name if isinstance(classifier, SkorchClassifier) else f"student__{name}"


def every_second_point(X):
    return X[:, :, ::2]


def assert_good(predictions, y, at_least=0.85):
    assert set(predictions) == set(y)
    assert accuracy_score(y, predictions) >= at_least


def assert_probabilities(probabilities, y, at_least=0.85):
    """Rows sum to 1, and columns follow the sorted labels."""
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    assert_good(np.unique(y)[probabilities.argmax(axis=1)], y, at_least)


def test_recognised_as_classifier(classifier):
    # what makes scikit-learn stratify its folds
    assert is_classifier(classifier)


def test_pipeline_fits_on_transformed_panel(classifier, train, test):
    step = FunctionTransformer(every_second_point)
    pipeline = Pipeline([("thin", step), ("classify", classifier)]).fit(*train)
    alone = clone(classifier).fit(every_second_point(train[0]), train[1])

    np.testing.assert_array_equal(
        pipeline.predict_proba(test[0]), alone.predict_proba(every_second_point(test[0]))
    )
    assert pipeline.classes_.tolist() == LABELS
    assert_good(pipeline.predict(test[0]), test[1])
    assert pipeline.score(*test) == accuracy_score(test[1], pipeline.predict(test[0]))


def test_pipeline_sets_nested_parameters(train):
    pipeline = Pipeline([("thin", FunctionTransformer(every_second_point)), ("c", distiller())])
    pipeline.set_params(c__student__max_epochs=2).fit(*train)

    assert len(pipeline["c"].student_.history_) == 2


def test_grid_search_over_student_and_saliency_weight(train, test):
    grid = {"student__lr": [USELESS_LR, 3e-2], "saliency_weight": [0.0, 1.0]}
    search = GridSearchCV(distiller(), grid, cv=2, n_jobs=2, error_score="raise").fit(*train)
    scores = {
        (params["student__lr"], params["saliency_weight"]): score
        for params, score in zip(
            search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True
        )
    }

    assert search.best_params_["student__lr"] == 3e-2
    for weight in (0.0, 1.0):
        assert scores[3e-2, weight] >= 0.85
        assert scores[USELESS_LR, weight] <= 0.65
    assert search.best_score_ == max(scores.values())
    assert search.best_estimator_.saliency_weight == search.best_params_["saliency_weight"]
    assert_good(search.best_estimator_.predict(test[0]), test[1])
    # refitted on all training series: what a fit by hand gives
    by_hand = distiller().set_params(**search.best_params_).fit(*train)
    np.testing.assert_array_equal(search.predict_proba(test[0]), by_hand.predict_proba(test[0]))


def test_grid_search_of_network(train, test):
    search = GridSearchCV(learner(), {"lr": [USELESS_LR, 3e-2]}, cv=2, error_score="raise")
    search.fit(*train)

    assert search.best_params_ == {"lr": 3e-2}
    assert_good(search.predict(test[0]), test[1])


def test_randomized_search(classifier, train, test):
    # three of four combinations: at least one of them learns
    space = {
        trained(classifier, "lr"): [USELESS_LR, 3e-2],
        trained(classifier, "max_epochs"): [10, 12],
    }
    search = RandomizedSearchCV(
        classifier, space, n_iter=3, cv=2, random_state=0, error_score="raise"
    ).fit(*train)

    assert search.best_params_[trained(classifier, "lr")] == 3e-2
    assert search.best_score_ >= 0.85
    assert_good(search.predict(test[0]), test[1])


def test_cross_validate(classifier, train):
    result = cross_validate(
        classifier,
        *train,
        cv=2,
        scoring=["accuracy", "neg_log_loss", "roc_auc"],
        return_estimator=True,
        return_indices=True,
        error_score="raise",
    )

    assert (result["test_accuracy"] >= 0.85).all()
    assert (result["test_neg_log_loss"] > -np.log(2)).all()
    assert (result["test_roc_auc"] >= 0.95).all()
    for estimator, indices, score in zip(
        result["estimator"], result["indices"]["test"], result["test_accuracy"], strict=True
    ):
        assert estimator.score(train[0][indices], train[1][indices]) == score


def test_cross_val_predict_probabilities(classifier, train):
    X, y = train
    folds = StratifiedKFold(2, shuffle=True, random_state=0)
    probabilities = cross_val_predict(classifier, X, y, cv=folds, method="predict_proba")
    by_hand = np.empty_like(probabilities)
    for fit, predict in folds.split(X, y):
        by_hand[predict] = clone(classifier).fit(X[fit], y[fit]).predict_proba(X[predict])

    assert_probabilities(probabilities, y)
    np.testing.assert_array_equal(probabilities, by_hand)


def test_learning_curve(classifier, train):
    sizes, train_scores, test_scores = learning_curve(
        classifier,
        *train,
        train_sizes=[8, 20],
        cv=2,
        shuffle=True,
        random_state=0,
        error_score="raise",
    )

    assert sizes.tolist() == [8, 20]
    assert train_scores.shape == test_scores.shape == (2, 2)
    assert (test_scores[1] >= 0.85).all()
    assert (train_scores[1] >= 0.85).all()


def test_calibration(classifier, train, test):
    calibrated = CalibratedClassifierCV(classifier, method="sigmoid", cv=2).fit(*train)
    bases = [fold.estimator.predict_proba(test[0]) for fold in calibrated.calibrated_classifiers_]
    probabilities = calibrated.predict_proba(test[0])

    assert calibrated.classes_.tolist() == LABELS
    assert_probabilities(probabilities, test[1])
    assert_good(calibrated.predict(test[0]), test[1])
    assert not np.allclose(probabilities, np.mean(bases, axis=0), atol=1e-4)


def test_stacking(classifier, train, test):
    stack = StackingClassifier(
        [("own", classifier), ("useless", learner(lr=USELESS_LR, random_state=1))],
        LogisticRegression(),
        cv=2,
    ).fit(*train)
    columns = [base.predict_proba(test[0])[:, 1] for base in stack.estimators_]

    assert stack.stack_method_ == ["predict_proba", "predict_proba"]
    np.testing.assert_array_equal(stack.transform(test[0]), np.column_stack(columns))
    assert_probabilities(stack.predict_proba(test[0]), test[1])
    assert_good(stack.predict(test[0]), test[1])


def test_soft_voting(classifier, train, test):
    vote = VotingClassifier([("a", classifier), ("b", learner(random_state=1))], voting="soft")
    vote.fit(*train)
    # it fits its members on encoded labels
    encoded = np.unique(train[1], return_inverse=True)[1]
    members = [
        clone(member).fit(train[0], encoded).predict_proba(test[0])
        for member in (classifier, learner(random_state=1))
    ]

    np.testing.assert_allclose(vote.predict_proba(test[0]), np.mean(members, axis=0), rtol=1e-12)
    assert_good(vote.predict(test[0]), test[1])


def test_one_vs_rest(classifier):
    # more epochs: one threshold does not tell the middle class from the rest
    X, y = random_panel(60, n_classes=3)
    X_test, y_test = random_panel(30, n_classes=3, seed=1)
    classifier.set_params(**{trained(classifier, "max_epochs"): 30})
    rest = OneVsRestClassifier(classifier).fit(X, y)
    probabilities = rest.predict_proba(X_test)
    scores = np.column_stack([base.predict_proba(X_test)[:, 1] for base in rest.estimators_])

    assert rest.classes_.tolist() == ["class 00", "class 01", "class 02"]
    assert_good(rest.predict(X_test), y_test, 0.8)
    np.testing.assert_allclose(probabilities, scores / scores.sum(axis=1, keepdims=True))


def test_clone_has_equal_parameters_and_nothing_learned(classifier, train):
    fitted = classifier.fit(*train)
    copy = clone(fitted)

    assert type(copy) is type(fitted)
    assert set(copy.get_params()) == set(fitted.get_params())
    for name, value in fitted.get_params().items():
        assert repr(copy.get_params()[name]) == repr(value), name
    assert set(vars(copy)) == set(vars(type(copy)()))
    assert fitted.is_fitted
    assert not copy.is_fitted
    with pytest.raises(NotFittedError):
        check_is_fitted(copy)
    with pytest.raises(sktime_exceptions.NotFittedError):
        copy.predict(train[0])


def test_clone_shares_no_state(classifier, train, test):
    fitted = classifier.fit(*train)
    before = fitted.predict_proba(test[0])
    copy = clone(fitted)
    copy.set_params(**{trained(copy, "lr"): 1e-3}).fit(train[0][:, :, :7], train[1][::-1])

    assert fitted.get_params()[trained(fitted, "lr")] == 3e-2
    np.testing.assert_array_equal(fitted.predict_proba(test[0]), before)
    # the nested ones too
    for name, value in fitted.get_params().items():
        if hasattr(value, "fit"):
            assert copy.get_params()[name] is not value


def test_frozen_is_not_fitted_again(classifier, train, test):
    fitted = classifier.fit(*train)
    before = fitted.predict_proba(test[0])
    frozen = clone(FrozenEstimator(fitted)).fit(train[0], train[1][::-1])

    np.testing.assert_array_equal(frozen.predict_proba(test[0]), before)
    assert_good(frozen.predict(test[0]), test[1])


def test_frozen_is_calibrated_without_a_fit(classifier, train, test):
    fitted = classifier.fit(*train)
    network = getattr(fitted, "student_", fitted).network_
    calibrated = CalibratedClassifierCV(FrozenEstimator(fitted)).fit(*random_panel(30, seed=2))

    assert getattr(fitted, "student_", fitted).network_ is network
    assert_probabilities(calibrated.predict_proba(test[0]), test[1])


def test_frozen_is_taken_for_fitted_by_voting(classifier, train, test):
    fitted = classifier.fit(*train)
    before = fitted.predict_proba(test[0])
    members = [("a", FrozenEstimator(fitted)), ("b", FrozenEstimator(fitted))]
    vote = VotingClassifier(members, voting="soft").fit(*random_panel(10, seed=3))

    np.testing.assert_array_equal(vote.predict_proba(test[0]), before)


def test_frozen_teacher_in_grid_search(train, test):
    teacher = learner(random_state=7).fit(*train)
    before = teacher.predict_proba(test[0])
    search = GridSearchCV(
        distiller().set_params(teacher=FrozenEstimator(teacher)),
        {"student__lr": [USELESS_LR, 3e-2]},
        cv=2,
        error_score="raise",
    ).fit(*train)

    assert search.best_params_ == {"student__lr": 3e-2}
    np.testing.assert_array_equal(search.best_estimator_.teacher_.predict_proba(test[0]), before)


def test_metadata_routing_changes_nothing(classifier, train, test):
    def search():
        pipeline = Pipeline(
            [("thin", FunctionTransformer(every_second_point)), ("c", clone(classifier))]
        )
        grid = {f"c__{trained(classifier, 'lr')}": [USELESS_LR, 3e-2]}
        # Pipeline.score routes a sample_weight that no sktime classifier takes
        search = GridSearchCV(pipeline, grid, scoring="accuracy", cv=2, error_score="raise")
        return search.fit(*train)

    with config_context(enable_metadata_routing=True):
        routed = search()
        probabilities = routed.predict_proba(test[0])
    plain = search()

    assert routed.best_params_ == plain.best_params_ == {f"c__{trained(classifier, 'lr')}": 3e-2}
    np.testing.assert_array_equal(probabilities, plain.predict_proba(test[0]))
    assert_good(routed.predict(test[0]), test[1])


def test_metadata_routing_of_cross_validation(classifier, train):
    with config_context(enable_metadata_routing=True):
        routed = cross_validate(classifier, *train, cv=2, error_score="raise")
    plain = cross_validate(classifier, *train, cv=2, error_score="raise")

    np.testing.assert_array_equal(routed["test_score"], plain["test_score"])
    assert (routed["test_score"] >= 0.85).all()
