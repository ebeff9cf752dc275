"""sktime's own conformance checks: every one of them, on every test parameter set."""

import pytest
from sktime.tests.test_class_register import get_test_classes_for_obj
from sktime.utils.estimator_checks import check_estimator, parametrize_with_checks

from sktime_tsd import SaliencyDistilledClassifier, SkorchClassifier

ESTIMATORS = [SkorchClassifier, SaliencyDistilledClassifier]

every_check = parametrize_with_checks(ESTIMATORS)


@every_check
def test_sktime_check_passes(obj, test_name):
    results = check_estimator(obj, tests_to_run=test_name, raise_exceptions=True, verbose=False)

    # an excluded check, or one with nothing to run on, returns no results
    assert results
    assert set(results.values()) == {"PASSED"}


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_list_of_checks_is_complete(estimator):
    listed = [name for obj, name in every_check.args[1] if obj is estimator]
    suites = get_test_classes_for_obj(estimator)
    expected = [name for suite in suites for name in dir(suite) if name.startswith("test")]

    assert {suite.__name__ for suite in suites} == {
        "TestAllObjects",
        "TestAllEstimators",
        "TestAllClassifiers",
    }
    assert sorted(listed) == sorted(expected)
    assert len(listed) >= 40


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_no_tag_switches_checks_off(estimator):
    # "stochastic" would silently skip the checks that two fits agree
    assert estimator.get_class_tag("property:randomness") == "derandomized"
    assert not estimator.get_class_tag("tests:skip_by_name")
    assert not estimator.get_class_tag("tests:skip_all")


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_checks_see_more_than_one_parameter_set(estimator):
    instances, _ = estimator.create_test_instances_and_names()

    assert len(instances) >= 2
