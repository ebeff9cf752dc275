"""The promise of a cascade, on students whose true agreement is known for every threshold."""

import numpy as np
import pytest
from scipy.stats import binomtest

from sktime_tsd import CascadeClassifier
from sktime_tsd._utils.binomial import exact_bounds, instances_needed, p_value
from sktime_tsd.cascade._calibrate import calibrate, threshold_curve
from sktime_tsd.teachers import CallableTeacher

CONFIDENCE = 0.95
N_CALIBRATIONS = 500

# With a score that is uniform in 0 .. 1: how probable an error is at a score, and the share of
# series above a threshold that are errors, its integral.
STUDENTS = {
    "easy": (lambda u: 0.1 * (1 - u) ** 2, lambda t: 0.1 * (1 - t) ** 3 / 3),
    "hard": (lambda u: 0.6 * (1 - u), lambda t: 0.3 * (1 - t) ** 2),
    "hopeless": (lambda u: np.full_like(u, 0.5), lambda t: 0.5 * (1 - t)),
}


def draw(student, n, rng):
    scores = rng.random(n)
    return scores, rng.random(n) >= STUDENTS[student][0](scores)


def is_broken(student, threshold, target):
    return STUDENTS[student][1](np.clip(threshold, 0, 1)) > 1 - target


@pytest.mark.parametrize("target", [0.9, 0.95, 0.99])
@pytest.mark.parametrize("student", STUDENTS)
def test_the_promise_is_broken_in_no_more_than_its_share(student, target):
    rng = np.random.default_rng(0)
    broken = 0
    for _ in range(N_CALIBRATIONS):
        found = calibrate(*draw(student, 400, rng), target, CONFIDENCE)
        broken += is_broken(student, found.threshold, target)
    share = binomtest(broken, N_CALIBRATIONS, 1 - CONFIDENCE, alternative="greater")
    assert share.pvalue > 0.05


def test_the_lowest_threshold_that_looks_good_would_break_a_promise():
    """The tempting rule: as many series as the bound of the errors among those kept allows."""
    rng, target, n_tries, n = np.random.default_rng(0), 0.9, 800, 300
    n_kept = np.arange(1, n + 1)
    broken = 0
    for _ in range(n_tries):
        # errors are as frequent at all scores, and a little too frequent
        n_errors = (rng.random(n) < 0.11).cumsum()
        broken += (exact_bounds(n_kept - n_errors, n_kept, CONFIDENCE)[0] >= target).any()
    share = binomtest(int(broken), n_tries, 1 - CONFIDENCE, alternative="greater")
    assert share.pvalue < 0.01


@pytest.mark.parametrize("target", [0.9, 0.95])
def test_most_of_what_can_be_promised_is_promised(target):
    rng = np.random.default_rng(1)
    risks = []
    for _ in range(100):
        found = calibrate(*draw("hard", 5000, rng), target, CONFIDENCE)
        risks.append(STUDENTS["hard"][1](found.threshold))
    # close below the limit: a cascade that defers all keeps any promise
    assert 0.85 * (1 - target) < np.mean(risks) < 1 - target


def test_the_promise_holds_where_many_series_share_a_score():
    """A forest of ten trees has eleven scores."""
    rng, target = np.random.default_rng(0), 0.9
    levels = np.arange(11) / 10
    wrong = 0.5 * (1 - levels)
    broken = 0
    for _ in range(N_CALIBRATIONS):
        place = rng.integers(11, size=300)
        agrees = rng.random(300) >= wrong[place]
        threshold = calibrate(levels[place], agrees, target, CONFIDENCE).threshold
        assert threshold not in levels
        broken += wrong[levels > threshold].sum() / 11 > 1 - target
    share = binomtest(broken, N_CALIBRATIONS, 1 - CONFIDENCE, alternative="greater")
    assert share.pvalue > 0.05


def by_level(X):
    return X[:, 0, 0]


def one_or_other(X):
    return X[:, 0, 1]


@pytest.mark.parametrize("confidence_level", [0.5, 0.9])
def test_the_promise_of_the_classifier_itself(confidence_level):
    """The first value is the student's probability, the second the teacher's."""
    target, n_tries, rng = 0.9, 200, np.random.default_rng(0)
    classes = ["down", "up"]
    student, teacher = (CallableTeacher(f, classes) for f in (by_level, one_or_other))
    broken = 0
    for _ in range(n_tries):
        scores, agrees = draw("hard", 300, rng)
        probability = (1 + scores) / 2  # of "up"
        X = np.stack([probability, np.where(agrees, 0.9, 0.1)], axis=1)[:, None]
        cascade = CascadeClassifier(
            student, teacher, target_agreement=target, confidence_level=confidence_level
        ).fit(X)
        broken += is_broken("hard", 2 * cascade.threshold_ - 1, target)
    share = binomtest(broken, n_tries, 1 - confidence_level, alternative="greater")
    assert share.pvalue > 0.05
    assert broken > 0  # not by deferring everything


def slow_calibration(scores, agrees, target):
    """One threshold after the other, from the safest, with scipy's own test."""
    passed = np.inf
    for threshold in [*sorted(set(scores), reverse=True)[1:], -np.inf]:
        errors = int(((scores > threshold) & ~agrees).sum())
        test = binomtest(errors, len(scores), 1 - target, alternative="less")
        if test.pvalue > 1 - CONFIDENCE:
            break
        passed = threshold
    return passed


@pytest.mark.parametrize("seed", range(6))
def test_the_threshold_is_that_of_a_slow_search(seed):
    rng = np.random.default_rng(seed)
    scores, agrees = draw("hard", 150, rng)
    scores = scores.round(seed % 3 + 1)  # with equal ones
    found = calibrate(scores, agrees, 0.9, CONFIDENCE)
    expected = slow_calibration(scores, agrees, 0.9)
    np.testing.assert_array_equal(scores > found.threshold, scores > expected)
    assert found.deferral_rate == pytest.approx(np.mean(scores <= expected))
    errors = int(((scores > expected) & ~agrees).sum())
    interval = binomtest(errors, 150, alternative="less").proportion_ci(CONFIDENCE)
    assert found.agreement_bound == pytest.approx(1 - interval.high)
    assert found.agreement_bound >= 0.9


def test_bounds_are_those_of_scipy():
    for n_hits in (0, 3, 29, 30):
        low, high = exact_bounds(n_hits, 30, 0.9)
        of_scipy = [
            binomtest(n_hits, 30, alternative=side).proportion_ci(0.9)
            for side in ("greater", "less")
        ]
        assert low == pytest.approx(of_scipy[0].low)
        assert high == pytest.approx(of_scipy[1].high)


@pytest.mark.parametrize(("target", "needed"), [(0.95, 59), (0.98, 149), (0.99, 299)])
def test_as_many_series_as_said_are_enough_and_one_fewer_is_not(target, needed):
    def deferred(n):
        return calibrate(np.linspace(0, 1, n), np.ones(n, bool), target, CONFIDENCE)

    assert deferred(needed).threshold == -np.inf
    assert deferred(needed - 1).threshold == np.inf
    assert deferred(needed - 1).n_needed == needed
    assert deferred(5).n_needed == needed


def test_series_needed_with_errors_among_those_seen():
    n = instances_needed(3, 100, 0.05, CONFIDENCE)
    assert p_value(np.ceil(3 * n / 100), n, 0.05) <= 0.05
    assert p_value(3, 100, 0.05) > 0.05
    assert 200 < n < 500
    assert instances_needed(5, 100, 0.05, CONFIDENCE) is None


def test_extreme_scores_and_neighbouring_ones():
    step = np.nextafter(0.5, 1)
    scores = np.repeat([0.5, step, 1e308, -1e308], 100)
    agrees = np.repeat([False, True, True, False], 100)
    found = calibrate(scores, agrees, 0.95, CONFIDENCE)
    assert (scores > found.threshold).tolist() == agrees.tolist()


def test_the_curve_of_thresholds_starts_safe_and_ends_with_the_student_alone():
    scores, agrees = draw("hard", 200, np.random.default_rng(3))
    curve = threshold_curve(scores, agrees, CONFIDENCE)
    assert curve["threshold"][[0, -1]].tolist() == [np.inf, -np.inf]
    assert (np.diff(curve["threshold"]) < 0).all()
    assert (np.diff(curve["agreement_bound"]) <= 0).all()
    assert curve["deferral_rate"][[0, -1]].tolist() == [1, 0]
    assert curve["agreement"][-1] == pytest.approx(agrees.mean())
    for i in (0, 50, 120, -1):
        kept = scores > curve["threshold"][i]
        assert curve["agreement"][i] == pytest.approx(1 - np.mean(kept & ~agrees))
        assert curve["deferral_rate"][i] == pytest.approx(np.mean(~kept))
