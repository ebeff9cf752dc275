"""Likeness of answers and of reasons, and quality, against slow references."""

from itertools import combinations, pairwise, permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import rankdata
from sklearn.metrics import brier_score_loss, log_loss

from sktime_tsd.fidelity import (
    brier_score,
    expected_calibration_error,
    jensen_shannon_divergence,
    kl_divergence,
    macro_auc_prc,
    negative_log_likelihood,
    saliency_cosine,
    saliency_kendall,
    saliency_spearman,
    saliency_top_k_overlap,
    top_1_agreement,
    total_variation,
)
from sktime_tsd.fidelity._quality import auc_prc_of_draws, calibration_error_of_draws

PAIRWISE = [top_1_agreement, kl_divergence, jensen_shannon_divergence, total_variation]
QUALITY = [macro_auc_prc, negative_log_likelihood, brier_score, expected_calibration_error]
REASONS = [saliency_spearman, saliency_kendall, saliency_top_k_overlap, saliency_cosine]


def shares(n, k, seed):
    """Probabilities in tenths: with ties, zeros and ones."""
    return np.random.RandomState(seed).multinomial(10, np.full(k, 1 / k), size=n) / 10


@st.composite
def pairs(draw):
    n, k = draw(st.integers(1, 4)), draw(st.integers(2, 5))
    row = st.lists(st.integers(0, 1000), min_size=k, max_size=k).filter(any)
    sides = np.array(draw(st.lists(row, min_size=2 * n, max_size=2 * n)), dtype=float)
    sides /= sides.sum(axis=1, keepdims=True)
    return sides[:n], sides[n:]


# -- answers and probabilities -------------------------------------------------------


@pytest.mark.parametrize("k", [2, 3, 5])
def test_likeness_equals_the_loops(k):
    teacher, student = shares(60, k, seed=0), shares(60, k, seed=1)
    pairs = [(p.tolist(), q.tolist()) for p, q in zip(teacher, student, strict=True)]
    same = [p.index(max(p)) == q.index(max(q)) for p, q in pairs]
    assert top_1_agreement(teacher, student).tolist() == same
    kl = [
        max(0, sum(a * np.log(a / max(b, 1e-6)) for a, b in zip(p, q, strict=True) if a))
        for p, q in pairs
    ]
    np.testing.assert_allclose(kl_divergence(teacher, student), kl, atol=1e-12)
    # the definition: the largest difference over all sets of classes
    sets = [s for size in range(k + 1) for s in combinations(range(k), size)]
    tv = [max(sum(p[c] - q[c] for c in s) for s in sets) for p, q in pairs]
    np.testing.assert_allclose(total_variation(teacher, student), tv, atol=1e-12)


@pytest.mark.parametrize("k", [2, 3, 5])
def test_jensen_shannon_is_the_square_of_scipys_distance(k):
    teacher, student = shares(60, k, seed=0), shares(60, k, seed=1)
    with np.errstate(invalid="ignore"):
        expected = jensenshannon(teacher, student, axis=1) ** 2
    defined = ~np.isnan(expected)
    assert defined.sum() > 40
    found = jensen_shannon_divergence(teacher, student)
    np.testing.assert_allclose(found[defined], expected[defined], atol=1e-12)
    np.testing.assert_allclose(found[~defined], 0, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(pairs())
def test_likeness_keeps_its_bounds(pair):
    teacher, student = pair
    kl, js = kl_divergence(teacher, student), jensen_shannon_divergence(teacher, student)
    tv = total_variation(teacher, student)
    assert kl.min() >= 0
    assert kl.max() <= np.log(1e6) + 1e-9
    assert js.min() >= 0
    assert (js <= tv * np.log(2) + 1e-12).all()  # so at most log 2
    assert (tv <= 1 + 1e-12).all()
    np.testing.assert_allclose(js, jensen_shannon_divergence(student, teacher), atol=1e-12)
    np.testing.assert_array_equal(tv, total_variation(student, teacher))
    for divergence in (kl_divergence, jensen_shannon_divergence, total_variation):
        assert divergence(teacher, teacher).max() == 0
        turned = divergence(teacher[:, ::-1], student[:, ::-1])
        np.testing.assert_allclose(turned, divergence(teacher, student), atol=1e-12)
    assert top_1_agreement(teacher, teacher).min() == 1


def test_likeness_by_hand():
    teacher, student = np.array([[0.75, 0.25], [1.0, 0.0]]), np.array([[0.5, 0.5], [0.0, 1.0]])
    by_hand = [0.75 * np.log(1.5) + 0.25 * np.log(0.5), np.log(1e6)]
    np.testing.assert_allclose(kl_divergence(teacher, student), by_hand)
    np.testing.assert_allclose(total_variation(teacher, student), [0.25, 1])
    assert jensen_shannon_divergence(teacher, student)[1] == pytest.approx(np.log(2))
    sure = np.array([[1 - 1e-9, 1e-9]])  # raised to 1e-6 on the student's side alone
    assert kl_divergence(sure, sure)[0] == 0
    assert top_1_agreement(teacher, student).tolist() == [1, 0]


# -- reasons -------------------------------------------------------------------------


def slow_kendall(a, b):
    """Tau-b: concordant minus discordant pairs, over the pairs that each side orders."""
    signs = np.array([(np.sign(a[i] - a[j]), np.sign(b[i] - b[j])) for i, j in PLACES])
    return (signs[:, 0] * signs[:, 1]).sum() / np.sqrt(np.prod((signs**2).sum(axis=0)))


PLACES = list(combinations(range(20), 2))


def test_rank_correlations_and_cosine_equal_the_loops():
    rng = np.random.RandomState(0)
    teacher, student = rng.rand(6, 20).round(1), rng.rand(6, 20).round(2)
    rows = list(zip(teacher, student, strict=True))
    spearman = [np.corrcoef(rankdata(a), rankdata(b))[0, 1] for a, b in rows]
    np.testing.assert_allclose(saliency_spearman(teacher, student), spearman)
    kendall = [slow_kendall(a, b) for a, b in rows]
    np.testing.assert_allclose(saliency_kendall(teacher, student), kendall)
    cosine = [
        sum(x * y for x, y in zip(a, b, strict=True)) / np.sqrt(sum(a**2) * sum(b**2))
        for a, b in rows
    ]
    np.testing.assert_allclose(saliency_cosine(teacher, student), cosine)


def top_sets(saliency, k):
    """The k largest places, for every way to break ties."""
    n = len(saliency)
    return [
        set(sorted(range(n), key=lambda u: (-saliency[u], luck[u]))[:k])
        for luck in permutations(range(n))
    ]


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_overlap_averages_over_the_ways_to_break_ties(k):
    rng = np.random.RandomState(k)
    tied, untied = 1 + rng.randint(3, size=(8, 5)), rng.rand(8, 5)
    sets = [(top_sets(a, k), top_sets(b, k)[0]) for a, b in zip(tied, untied, strict=True)]
    expected = [np.mean([len(s & other) / k for s in of_tied]) for of_tied, other in sets]
    np.testing.assert_allclose(saliency_top_k_overlap(tied, untied, k=k), expected)
    np.testing.assert_allclose(saliency_top_k_overlap(untied, tied, k=k), expected)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_places_that_tie_on_both_sides_have_their_smaller_share_in_common(k):
    rng = np.random.RandomState(k)
    teacher, student = 1 + rng.randint(2, size=(2, 8, 5))
    expected = []
    for rows in zip(teacher, student, strict=True):
        member = [[np.mean([u in s for s in top_sets(r, k)]) for u in range(5)] for r in rows]
        expected.append(np.minimum(*member).sum() / k)
    np.testing.assert_allclose(saliency_top_k_overlap(teacher, student, k=k), expected)


@pytest.mark.parametrize(("k", "n", "number"), [(0.1, 4, 1), (0.25, 16, 4), (1.0, 7, 7), (3, 9, 3)])
def test_overlap_with_a_constant_saliency_is_that_of_chance(k, n, number):
    overlap = saliency_top_k_overlap(1 + np.arange(n)[None], np.full((1, n), 0.5), k=k)
    assert overlap[0] == pytest.approx(number / n)


def test_places_without_saliency_are_in_no_top():
    lone, other = np.eye(100)[[3]], np.eye(100)[[7]]
    assert saliency_top_k_overlap(lone, other, k=10)[0] == 0
    assert saliency_top_k_overlap(lone, lone, k=10)[0] == 1
    assert saliency_top_k_overlap(lone, lone + other, k=10)[0] == 0.5
    zero = np.zeros((1, 100))
    assert saliency_top_k_overlap(lone, zero, k=10)[0] == 0
    assert saliency_top_k_overlap(zero, zero, k=10)[0] == 1
    assert saliency_top_k_overlap(-lone, -lone, k=10)[0] == 1  # nothing speaks for the target


@pytest.mark.parametrize("function", [saliency_spearman, saliency_kendall, saliency_cosine])
def test_a_side_without_any_preference(function):
    zero, rising = np.zeros((1, 4)), np.arange(4.0)[None]
    assert function(zero, rising)[0] == function(rising, zero)[0] == 0
    assert function(zero, zero)[0] == 1


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_likeness_of_reasons_keeps_its_bounds(data):
    n = data.draw(st.integers(1, 6))
    rows = st.lists(st.integers(0, 5), min_size=n, max_size=n)
    teacher, student = (np.array([data.draw(rows)], dtype=float) for _ in range(2))
    for function in REASONS:
        found = function(teacher, student)[0]
        assert found == pytest.approx(function(student, teacher)[0])
        assert (-1 if function in REASONS[:2] else 0) <= found + 1e-12
        assert found <= 1 + 1e-12
        assert function(teacher, teacher)[0] == pytest.approx(1)
        assert function(7 * teacher, student)[0] == pytest.approx(found)


@pytest.mark.parametrize("function", REASONS)
def test_channels_count_as_time_points(function):
    teacher, student = np.random.RandomState(0).rand(2, 4, 3, 10)
    expected = function(teacher.reshape(4, 30), student.reshape(4, 30))
    np.testing.assert_array_equal(function(teacher, student), expected)
    with pytest.raises(ValueError, match="shape"):
        function(teacher, student[:, :2])
    with pytest.raises(ValueError, match="finite"):
        function(teacher, np.where(teacher > 0.9, np.nan, student))


@pytest.mark.parametrize(
    ("k", "error"),
    [(0.0, ValueError), (1.5, ValueError), (0, ValueError), (5, ValueError), ("1", TypeError)],
)
def test_an_impossible_k_is_refused(k, error):
    with pytest.raises(error, match="k"):
        saliency_top_k_overlap(np.eye(4), np.eye(4), k=k)


# -- quality -------------------------------------------------------------------------


def slow_auc_prc(y, score):
    """Precision and recall at every threshold, trapezoids between them."""
    points = [(0.0, 1.0)]
    for threshold in sorted(set(score), reverse=True):
        said = score >= threshold
        points.append((np.sum(said & y) / np.sum(y), np.sum(said & y) / np.sum(said)))
        if points[-1][0] == 1.0:
            break
    return sum((r2 - r1) * (p1 + p2) / 2 for (r1, p1), (r2, p2) in pairwise(points))


@pytest.mark.parametrize("seed", range(10))
def test_auc_prc_equals_the_loop(seed):
    probabilities, y = shares(40, 3, seed), np.random.RandomState(seed).randint(3, size=40)
    expected = np.mean([slow_auc_prc(y == k, probabilities[:, k]) for k in range(3)])
    assert macro_auc_prc(y, probabilities, [0, 1, 2]) == pytest.approx(expected)


def test_auc_prc_of_perfect_and_of_constant_answers():
    y = np.array(["a", "b", "a", "b"])
    assert macro_auc_prc(y, np.eye(2)[[0, 1, 0, 1]], ["a", "b"]) == 1
    assert macro_auc_prc(y, np.full((4, 2), 0.5), ["a", "b"]) == pytest.approx(0.75)
    # a class without series has no curve
    assert macro_auc_prc(y, np.eye(3)[[0, 1, 0, 1]], ["a", "b", "c"]) == 1


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("k", [2, 3, 5])
def test_likelihood_and_brier_score_are_those_of_scikit_learn(k, dtype):
    classes = np.array(list("badec"[:k]))  # in no order; scikit-learn sorts
    order = np.argsort(classes)
    y, p = np.random.RandomState(k).choice(classes, 50), shares(50, k, seed=k).astype(dtype)
    expected = log_loss(y, p[:, order], labels=classes[order])
    assert negative_log_likelihood(y, p, classes).mean() == pytest.approx(expected, rel=1e-6)
    if k == 2:
        expected = brier_score_loss(y == "a", p[:, 1])
    else:
        expected = brier_score_loss(y, p[:, order], labels=classes[order])
    assert brier_score(y, p, classes).mean() == pytest.approx(expected, rel=1e-6)


def test_whole_numbers_are_probabilities_too():
    assert negative_log_likelihood([0, 1], np.eye(2, dtype=int), [0, 1]).max() < 1e-9


@pytest.mark.parametrize("n_bins", [1, 4, 10, 15])
def test_calibration_error_equals_the_loop(n_bins):
    y, p = np.random.RandomState(0).randint(3, size=80), shares(80, 3, seed=0)
    expected = 0
    for b in range(n_bins):
        # a tenth that is an edge belongs to the bin below
        inside = [i for i in range(80) if b < round(p[i].max() * n_bins, 9) <= b + 1]
        right = sum(p[i].argmax() == y[i] for i in inside)
        expected += abs(right - sum(p[i].max() for i in inside)) / 80
    assert expected > 0.05
    found = expected_calibration_error(y, p, [0, 1, 2], n_bins=n_bins)
    assert found == pytest.approx(expected)


def test_a_bin_holds_its_upper_edge():
    p = np.array([[0.5, 0.3, 0.2], [0.4, 0.3, 0.3], [0.9, 0.1, 0.0]])
    error = expected_calibration_error([0, 1, 1], p, [0, 1, 2], n_bins=2)
    assert error == pytest.approx((abs(0.5 - 0.4) + 0.9) / 3)


@pytest.mark.parametrize(
    ("of_draws", "plain"),
    [
        (auc_prc_of_draws, macro_auc_prc),
        (calibration_error_of_draws, expected_calibration_error),
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_a_metric_of_draws_is_that_of_the_drawn_series(of_draws, plain, seed):
    rng = np.random.RandomState(seed)
    y = np.append(rng.randint(2, size=11), 2)  # the last class has a single series
    p = shares(12, 3, seed)
    counts = np.vstack([rng.multinomial(12, np.full(12, 1 / 12), size=40), 12 * np.eye(12)])
    expected = [
        plain(np.repeat(y, c), np.repeat(p, c, axis=0), [0, 1, 2]) for c in counts.astype(int)
    ]
    assert 10 < np.sum(counts[:, -1] == 0) < len(counts)
    np.testing.assert_allclose(of_draws(y, p)(counts), expected)


# -- what is refused -----------------------------------------------------------------


@pytest.mark.parametrize(
    "matrix",
    [[[2.0, -1.0]], [[0.3, 0.3]], [[np.nan, 1.0]], [[3.0, 4.0]], [0.5, 0.5], [[]]],
    ids=["negative", "short of 1", "NaN", "logits", "one row", "no class"],
)
def test_what_are_no_probabilities_is_refused(matrix):
    good = np.array([[0.5, 0.5]])
    for function in PAIRWISE:
        with pytest.raises(ValueError, match="teacher_probabilities"):
            function(np.array(matrix), good)
        with pytest.raises(ValueError, match="student_probabilities"):
            function(good, np.array(matrix))
    for function in QUALITY:
        with pytest.raises(ValueError, match=r"^probabilities"):
            function([0], np.array(matrix), [0, 1])


def test_shapes_that_differ_are_refused():
    for function in PAIRWISE:
        with pytest.raises(ValueError, match="shape"):
            function(np.eye(2), np.eye(3))
    for function in QUALITY:
        with pytest.raises(ValueError, match=r"3 labels.* 2 classes"):
            function([0, 1, 1], np.eye(2), [0, 1])


@pytest.mark.parametrize("function", QUALITY)
def test_labels_outside_the_classes_are_refused(function):
    with pytest.raises(ValueError, match=r"\by\b.*2.*classes.*\[0, 1\]"):
        function([0, 2], np.eye(2), [0, 1])
    with pytest.raises(ValueError, match="type"):
        function(["0", "1"], np.eye(2), [0, 1])
    same = [function(y, np.eye(2), [0, 1]) for y in ([0, 1], pd.Series([0, 1], index=[7, 3]))]
    np.testing.assert_array_equal(*same)
