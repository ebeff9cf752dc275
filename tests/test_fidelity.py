"""Measures of likeness with known answers."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import rankdata

from sktime_tsd.fidelity import (
    kl_divergence,
    macro_auc_prc,
    saliency_rank_correlation,
    top_1_agreement,
)


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
    rng = np.random.RandomState(seed)
    probabilities = rng.dirichlet(np.ones(3), size=40).round(2)  # with ties
    y = rng.randint(3, size=40)
    expected = np.mean([slow_auc_prc(y == k, probabilities[:, k]) for k in range(3)])
    assert macro_auc_prc(y, probabilities, [0, 1, 2]) == pytest.approx(expected)


def test_auc_prc_of_perfect_and_of_constant_answers():
    y = np.array(["a", "b", "a", "b"])
    assert macro_auc_prc(y, np.eye(2)[[0, 1, 0, 1]], ["a", "b"]) == 1
    assert macro_auc_prc(y, np.full((4, 2), 0.5), ["a", "b"]) == pytest.approx(0.75)
    # a class without series has no curve
    assert macro_auc_prc(y, np.eye(3)[[0, 1, 0, 1]], ["a", "b", "c"]) == 1


def test_agreement():
    teacher = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    assert top_1_agreement(teacher, teacher) == 1
    assert top_1_agreement(teacher, teacher[:, ::-1]) == 0


def test_kl_divergence_by_hand():
    teacher, student = np.array([[0.75, 0.25]]), np.array([[0.5, 0.5]])
    by_hand = 0.75 * np.log(1.5) + 0.25 * np.log(0.5)
    assert kl_divergence(teacher, student)[0] == pytest.approx(by_hand)
    assert kl_divergence(teacher, teacher)[0] == 0
    assert kl_divergence(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]]))[0] == pytest.approx(
        np.log(1e6)
    )


def test_rank_correlation_equals_pearson_of_ranks():
    rng = np.random.RandomState(0)
    a, b = rng.rand(5, 20).round(1), rng.rand(5, 20)
    expected = [np.corrcoef(rankdata(x), rankdata(y))[0, 1] for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(saliency_rank_correlation(a, b), expected)


def test_rank_correlation_of_a_constant_saliency_is_zero():
    assert saliency_rank_correlation(np.ones((1, 4)), np.arange(4.0)[None])[0] == 0
