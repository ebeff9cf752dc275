"""Soft-DTW against tslearn, a double loop, and finite differences."""

import numpy as np
import pytest
import reference_terms
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tslearn.metrics import soft_dtw as tslearn_soft_dtw

from sktime_tsd.losses import soft_dtw


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(1, 3),
    n_rows=st.integers(1, 9),
    n_columns=st.integers(1, 9),
    gamma=st.sampled_from([1e-3, 0.1, 1.0, 50.0]),
    spread=st.sampled_from([0.0, 1e-3, 1.0, 100.0]),
    seed=st.integers(0, 9999),
)
def test_equals_the_double_loop(n, n_rows, n_columns, gamma, spread, seed):
    costs = spread * torch.from_numpy(np.random.RandomState(seed).rand(n, n_rows, n_columns))
    expected = [reference_terms.soft_dtw(part, gamma) for part in costs.tolist()]
    np.testing.assert_allclose(soft_dtw(costs, gamma), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.slow  # tslearn's is compiled
@pytest.mark.parametrize("lengths", [(12, 12), (7, 15), (15, 7), (1, 6)])
@pytest.mark.parametrize("gamma", [0.1, 1.0])
def test_equals_tslearn(lengths, gamma):
    rng = np.random.RandomState(0)
    a, b = (rng.randn(3, length, 2) for length in lengths)
    costs = torch.from_numpy(((a[:, :, None] - b[:, None]) ** 2).sum(axis=3))
    expected = [tslearn_soft_dtw(x, y, gamma=gamma) for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(soft_dtw(costs, gamma), expected, rtol=1e-7)


@pytest.mark.parametrize("shape", [(3, 4, 6), (2, 6, 4), (2, 1, 5), (2, 5, 1), (1, 1, 1)])
@pytest.mark.parametrize("gamma", [0.05, 1.0])
def test_gradient_equals_finite_differences(shape, gamma):
    costs = torch.rand(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda c: soft_dtw(c, gamma), costs.requires_grad_())


def test_the_gradient_is_the_share_of_the_alignments_through_a_cell():
    costs = torch.rand(2, 5, 8, generator=torch.Generator().manual_seed(1)).requires_grad_()
    soft_dtw(costs, 0.1).sum().backward()
    shares = costs.grad
    assert shares.min() >= 0
    torch.testing.assert_close(shares[:, 0, 0], torch.ones(2))
    torch.testing.assert_close(shares[:, -1, -1], torch.ones(2))
    # every alignment meets every row and every column
    assert (shares.sum(dim=1) >= 1 - 1e-5).all()
    assert (shares.sum(dim=2) >= 1 - 1e-5).all()


def test_long_and_large_costs_stay_finite():
    costs = torch.full((1, 300, 300), 1e8).requires_grad_()
    value = soft_dtw(costs, 0.01)
    value.backward()
    assert torch.isfinite(value)
    assert torch.isfinite(costs.grad).all()
