"""sktime's own conformance checks: every one of them, on every test parameter set."""

import pytest
from sktime.tests.test_class_register import get_test_classes_for_obj
from sktime.utils.estimator_checks import check_estimator, parametrize_with_checks

from sktime_tsd import CascadeClassifier, SaliencyDistilledClassifier, SkorchClassifier

ESTIMATORS = [SkorchClassifier, SaliencyDistilledClassifier, CascadeClassifier]

# that two fits agree and that a copy or file predicts alike: on cheaper networks, our own tests
# say so too (test_reproducibility, test_serialization, test_copies)
LONG = {
    "test_deepcopy_fitted",
    "test_deepcopy_fitted_predict",
    "test_fit_idempotent",
    "test_methods_have_no_side_effects",
    "test_non_state_changing_method_contract",
    "test_persistence_via_pickle",
    "test_save_estimators_to_file",
}

every_check = parametrize_with_checks(ESTIMATORS)


@pytest.mark.parametrize(
    ("obj", "test_name"),
    [
        pytest.param(
            *case,
            id=f"{case[0].__name__}-{case[1]}",
            marks=pytest.mark.slow if case[1] in LONG else (),
        )
        for case in every_check.args[1]
    ],
)
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
    assert estimator.get_class_tag("property:randomness") in ("derandomized", "deterministic")
    assert not estimator.get_class_tag("tests:skip_by_name")
    assert not estimator.get_class_tag("tests:skip_all")


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_checks_see_more_than_one_parameter_set(estimator):
    instances, _ = estimator.create_test_instances_and_names()

    assert len(instances) >= 2
