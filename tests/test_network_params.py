"""A network's settings as nested parameters, and what "auto" became."""

import pytest
from helpers import learner, random_panel
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sktime.classification.compose import ClassifierPipeline
from sktime.transformations.series.exponent import ExponentTransformer

from sktime_tsd import SaliencyDistilledClassifier, SkorchClassifier
from sktime_tsd.networks import FCN, n_parameters

PARAMS = {"filters": (4,), "kernel_sizes": (3,)}


def test_each_setting_has_a_name():
    clf = SkorchClassifier("fcn", PARAMS)
    assert clf.get_params()["network__filters"] == (4,)
    assert "network__filters" not in clf.get_params(deep=False)
    assert clf.set_params(network__filters=(6,), lr=0.5) is clf
    assert clf.network_params == {"filters": (6,), "kernel_sizes": (3,)}
    assert clf.lr == 0.5
    assert PARAMS["filters"] == (4,)  # the caller's dict stays as it is


@pytest.mark.parametrize("make_clone", [clone, SkorchClassifier.clone])
def test_clones_carry_the_settings(make_clone):
    clf = SkorchClassifier("lstm").set_params(network__hidden_size=3)
    assert make_clone(clf).network_params == {"hidden_size": 3}
    assert make_clone(clf).set_params(**clf.get_params()).get_params() == clf.get_params()


def test_a_network_and_its_settings_are_set_together():
    clf = SkorchClassifier("fcn").set_params(network__hidden_size=3, network="lstm")
    assert (clf.network, clf.network_params) == ("lstm", {"hidden_size": 3})


@pytest.mark.parametrize(
    "classifier",
    [SkorchClassifier("fcn"), SaliencyDistilledClassifier(student=SkorchClassifier("fcn"))],
    ids=["network", "student"],
)
def test_settings_that_the_network_does_not_have_are_refused(classifier):
    prefix = "student__" if hasattr(classifier, "student") else ""
    with pytest.raises(ValueError, match=r"'hidden_size'.*filters, kernel_sizes"):
        classifier.set_params(**{f"{prefix}network__hidden_size": 3})


def test_a_grid_search_over_settings():
    X, y = random_panel(24)
    clf = SkorchClassifier("fcn", PARAMS, max_epochs=2, random_state=0)
    center = FunctionTransformer(lambda X: X - X.mean(axis=2, keepdims=True))
    grid = {"skorchclassifier__network__filters": [(2,), (5,)]}
    search = GridSearchCV(make_pipeline(center, clf), grid, cv=2).fit(X, y)
    sizes = [len(X[0]) * 3 * n + 3 * n + 2 * n + 2 for (n,) in ((2,), (5,))]
    assert n_parameters(search.best_estimator_[-1].network_) in sizes


def test_a_grid_search_over_the_settings_of_a_student():
    X, y = random_panel(24)
    clf = SaliencyDistilledClassifier(learner(), learner(), n_windows=2, bank_size=4)
    search = GridSearchCV(clf, {"student__network__filters": [(2,), (5,)]}, cv=2).fit(X, y)
    assert search.best_estimator_.student_.network_params["filters"] in ((2,), (5,))


def test_parameters_of_a_default_student_and_teacher_can_be_set():
    clf = SaliencyDistilledClassifier()
    clf.set_params(student__lr=0.5, teacher__network__depth=1)
    assert clf.student.lr == 0.5
    assert clf.student.network == "fcn"
    assert clf.teacher.network_params == {"n_filters": 16, "depth": 1}


def test_what_auto_became():
    X, y = random_panel(24)
    clf = SkorchClassifier("fcn", PARAMS, max_epochs=2, random_state=0).fit(X, y)
    assert (clf.lr_, clf.max_epochs_) == (0.02, 2)
    assert max(row["lr"] for row in clf.history_) <= 0.02
    clf = SkorchClassifier("fcn", {"filters": (128, 128), "kernel_sizes": (3, 3)}, max_epochs=1)
    assert clf.fit(X, y).lr_ == 0.002


def test_defaults_of_a_network_are_listed_but_not_taken_over():
    clf = SkorchClassifier("lstm", {"hidden_size": 3})
    assert clf.get_params()["network__num_layers"] == 3
    assert clf.set_params(**clf.get_params()).network_params == {"hidden_size": 3}


def test_settings_reach_a_network_in_a_pipeline_of_sktime():
    X, y = random_panel(24)
    classifier = SkorchClassifier("fcn", max_epochs=1)
    pipeline = ClassifierPipeline(classifier, [ExponentTransformer()])
    settings = {"classifier__network__filters": (2,), "classifier__network__kernel_sizes": (3,)}
    pipeline.set_params(**settings).fit(X, y)
    assert pipeline.classifier_.network_params == {"filters": (2,), "kernel_sizes": (3,)}


def test_settings_of_a_factory_that_takes_sizes_as_a_star():
    def make(*sizes, width=3):
        return FCN(*sizes, filters=(width,), kernel_sizes=(3,))

    assert SkorchClassifier(make).set_params(network__width=4).network_params == {"width": 4}
    with pytest.raises(ValueError, match=r"'height'.*width"):
        SkorchClassifier(make).set_params(network__height=4)


@pytest.mark.parametrize("params", [[1], {1: 2}, "wide"], ids=str)
def test_settings_that_are_no_dict_of_names_are_refused_in_fit(params):
    X, y = random_panel(12)
    clf = SkorchClassifier("fcn", params)
    assert clf.get_params()["network_params"] is params
    with pytest.raises((TypeError, ValueError), match="network_params"):
        clf.fit(X, y)
