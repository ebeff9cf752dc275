"""Fillers against loops, donors against their classes, the bank's draws."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sktime_tsd.perturbations import (
    AnyClass,
    GaussianNoise,
    LinearInterpolation,
    OpposingClass,
    Perturbation,
    SameClass,
    SeriesMean,
    WindowBank,
    Zero,
    replace_window,
    window_width,
)

ALL = [
    OpposingClass(),
    SameClass(),
    AnyClass(),
    Zero(),
    SeriesMean(),
    LinearInterpolation(),
    GaussianNoise(scale=0.5, pool_size=7),
]
IDS = [type(p).__name__ for p in ALL]


def slow_fill(perturbation, x, starts, width, donors):
    """One series, channel and time point after another."""
    out = x.clone()
    n, n_channels, n_timepoints = x.shape
    for i in range(n):
        s, e = int(starts[i]), int(starts[i]) + width
        for c in range(n_channels):
            series = x[i, c].tolist()
            mean = sum(series) / n_timepoints
            std = (sum((v - mean) ** 2 for v in series) / n_timepoints) ** 0.5
            for t in range(s, e):
                if isinstance(perturbation, (OpposingClass, SameClass, AnyClass)):
                    value = donors[i, c, t]
                elif isinstance(perturbation, Zero):
                    value = 0.0
                elif isinstance(perturbation, SeriesMean):
                    value = mean
                elif isinstance(perturbation, GaussianNoise):
                    value = mean + perturbation.scale * std * donors[i, c, t]
                elif s == 0 and e == n_timepoints:
                    value = mean
                else:
                    left = series[s - 1] if s > 0 else series[e]
                    right = series[e] if e < n_timepoints else series[s - 1]
                    value = left + (right - left) * (t - s + 1) / (width + 1)
                out[i, c, t] = value
    return out


@pytest.mark.parametrize("perturbation", ALL, ids=IDS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_fill_equals_the_loop(perturbation, data):
    n = data.draw(st.integers(1, 4))
    n_channels = data.draw(st.integers(1, 3))
    n_timepoints = data.draw(st.integers(1, 9))
    width = data.draw(st.integers(1, n_timepoints))
    generator = torch.Generator().manual_seed(data.draw(st.integers(0, 999)))
    shape = (n, n_channels, n_timepoints)
    x = torch.randn(shape, generator=generator, dtype=torch.float64)
    donors = torch.randn(shape, generator=generator, dtype=torch.float64)
    starts = torch.randint(n_timepoints - width + 1, (n,), generator=generator)
    before = x.clone()
    filled = perturbation.fill(x, starts, width, donors)
    expected = slow_fill(perturbation, x, starts, width, donors)
    torch.testing.assert_close(filled, expected, rtol=1e-9, atol=1e-12)
    assert torch.equal(x, before), "the given series must stay as they are"


@pytest.mark.parametrize("perturbation", ALL, ids=IDS)
def test_fill_is_differentiable(perturbation):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(3, 2, 6, generator=generator, dtype=torch.float64, requires_grad=True)
    donors = torch.randn(3, 2, 6, generator=generator, dtype=torch.float64)
    starts = torch.tensor([0, 2, 4])
    assert torch.autograd.gradcheck(lambda x: perturbation.fill(x, starts, 2, donors), (x,))


def test_noise_leaves_a_constant_series_as_it_is_with_a_finite_gradient():
    x = torch.full((1, 1, 5), 3.0, requires_grad=True)
    filled = GaussianNoise().fill(x, torch.tensor([1]), 2, torch.ones(1, 1, 5))
    assert torch.equal(filled, x)
    filled.sum().backward()
    assert torch.isfinite(x.grad).all()


def draw(y, perturbation, *, n_timepoints=10, width=3, n_entries=50, seed=0):
    X = torch.arange(len(y), dtype=torch.float32)[:, None, None].expand(-1, 1, n_timepoints)
    generator = torch.Generator().manual_seed(seed)
    return X, WindowBank.draw(
        X,
        torch.as_tensor(y),
        perturbation,
        width=width,
        n_entries=n_entries,
        generator=generator,
    )


@given(
    y=st.lists(st.integers(0, 3), min_size=2, max_size=12).filter(lambda y: len(set(y)) > 1),
    seed=st.integers(0, 99),
)
@settings(max_examples=60, deadline=None)
def test_donors_are_of_the_class_the_perturbation_promises(y, seed):
    y = np.unique(y, return_inverse=True)[1]
    for perturbation in (OpposingClass(), SameClass(), AnyClass()):
        _, bank = draw(y, perturbation, seed=seed)
        donors = bank.donors.numpy()
        for i, of_series in enumerate(donors):
            if isinstance(perturbation, OpposingClass):
                assert (y[of_series] != y[i]).all()
            elif isinstance(perturbation, SameClass):
                assert (y[of_series] == y[i]).all()
                # itself only where it is alone in its class
                assert (of_series == i).all() == (np.sum(y == y[i]) == 1)
            else:
                assert (of_series != i).all()


@pytest.mark.parametrize("perturbation", [OpposingClass(), SameClass(), AnyClass()])
def test_every_valid_donor_is_drawn_equally_often(perturbation):
    y = [2, 0, 1, 0, 2, 1, 0, 2]  # in no order
    _, bank = draw(y, perturbation, n_timepoints=30, width=3, n_entries=200)
    counts = {i: np.bincount(bank.donors[i], minlength=len(y)) for i in range(len(y))}
    for i, label in enumerate(y):
        valid = {
            OpposingClass: [j for j in range(len(y)) if y[j] != label],
            SameClass: [j for j in range(len(y)) if y[j] == label and j != i],
            AnyClass: [j for j in range(len(y)) if j != i],
        }[type(perturbation)]
        assert set(np.nonzero(counts[i])[0]) == set(valid)
        expected = bank.n_entries / len(valid)
        assert np.abs(counts[i][valid] - expected).max() < 6 * np.sqrt(expected)


def test_first_and_last_window_are_drawn_as_often_as_the_others():
    _, bank = draw([0, 1] * 50, OpposingClass(), n_timepoints=10, width=3, n_entries=100)
    counts = np.bincount(bank.starts.reshape(-1), minlength=8)
    assert len(counts) == 8  # 0 .. 10 - 3
    expected = bank.starts.numel() / 8
    assert np.abs(counts - expected).max() < 6 * np.sqrt(expected)


def test_a_bank_is_never_larger_than_the_pairs_there_are():
    """Two series, 8 windows, one donor each: 8 pairs, every one of them once."""
    _, bank = draw([0, 1], OpposingClass(), n_entries=100)
    assert bank.n_entries == 8
    for starts in bank.starts.tolist():
        assert sorted(starts) == list(range(8))


def test_pairs_are_different_where_they_are_few():
    y = [0, 0, 1, 1, 1]  # 2 or 3 donors, 8 windows: 16 or 24 pairs
    _, bank = draw(y, OpposingClass(), n_entries=20)
    pairs = bank.starts * 100 + bank.donors
    for i, label in enumerate(y):
        n_different = len(set(pairs[i].tolist()))
        assert n_different == (20 if label == 0 else 16)


def test_perturb_equals_the_loop():
    rng = np.random.RandomState(0)
    X = torch.tensor(rng.randn(6, 2, 12)).float()
    y = torch.tensor([0, 1, 2, 0, 1, 2])
    generator = torch.Generator().manual_seed(0)
    bank = WindowBank.draw(X, y, OpposingClass(), width=4, n_entries=9, generator=generator)
    series, entries = torch.tensor([4, 0, 4]), torch.tensor([8, 2])
    perturbed = bank.perturb(X, series, entries)
    assert perturbed.shape == (3, 2, 2, 12)
    for a, i in enumerate(series.tolist()):
        for b, m in enumerate(entries.tolist()):
            expected = X[i].clone()
            s = bank.starts[i, m]
            expected[:, s : s + 4] = X[bank.donors[i, m], :, s : s + 4]
            assert torch.equal(perturbed[a, b], expected)


@pytest.mark.parametrize("perturbation", ALL, ids=IDS)
@pytest.mark.parametrize(("n_timepoints", "width"), [(1, 1), (2, 1), (3, 3), (5, 2), (5, 5)])
@pytest.mark.parametrize("y", [[0, 1], [0, 1, 1], [1, 0, 0, 2]])
def test_tiny_data_have_a_defined_answer(perturbation, n_timepoints, width, y):
    torch.manual_seed(0)
    X = torch.randn(len(y), 2, n_timepoints)
    generator = torch.Generator().manual_seed(0)
    bank = WindowBank.draw(
        X, torch.tensor(y), perturbation, width=width, n_entries=100, generator=generator
    )
    assert bank.n_entries >= 1
    perturbed = bank.perturb(X, torch.arange(len(y)), slice(None))
    assert perturbed.shape == (len(y), bank.n_entries, 2, n_timepoints)
    assert torch.isfinite(perturbed).all()


@pytest.mark.parametrize("perturbation", ALL, ids=IDS)
def test_the_same_generator_draws_the_same_bank(perturbation):
    y = [0, 1, 0, 1, 1]
    (X, a), (_, b), (_, c) = (draw(y, perturbation, seed=seed) for seed in (1, 1, 2))
    everything = torch.arange(5)
    same = a.perturb(X, everything, slice(None))
    assert torch.equal(same, b.perturb(X, everything, slice(None)))
    assert not torch.equal(a.starts, c.starts)


@pytest.mark.parametrize("perturbation", ALL, ids=IDS)
@pytest.mark.parametrize("n_timepoints", [10, 900], ids=["few pairs", "many pairs"])
def test_a_smaller_bank_is_the_beginning_of_a_larger_one(perturbation, n_timepoints):
    y = [0, 1, 0, 1, 1]
    settings = {"perturbation": perturbation, "n_timepoints": n_timepoints}
    X, largest = draw(y, n_entries=2000, **settings)
    for n_entries in (1, 3, 50):
        _, bank = draw(y, n_entries=n_entries, **settings)
        n_entries = bank.n_entries
        copies, first = (
            b.perturb(X, torch.arange(5), slice(0, n_entries)) for b in (bank, largest)
        )
        assert torch.equal(copies, first)
        assert torch.equal(bank.starts, largest.starts[:, :n_entries])


@pytest.mark.parametrize("perturbation", ALL, ids=IDS)
def test_slices_choose_what_indices_do(perturbation):
    X, bank = draw([0, 1, 0, 1, 1], perturbation)
    series, entries = torch.arange(1, 4), torch.arange(2, 7)
    expected = bank.perturb(X, series, entries)
    for some in (series, slice(1, 4)):
        for few in (entries, slice(2, 7), entries.expand(3, -1)):
            assert torch.equal(bank.perturb(X, some, few), expected)


def test_a_bank_holds_integers_not_copies():
    y = [0, 1] * 100
    X, bank = draw(y, OpposingClass(), n_timepoints=50, n_entries=100)
    assert bank.pool is X
    assert bank.starts.shape == bank.donors.shape == (200, 100)


@pytest.mark.parametrize(
    ("window", "n_timepoints", "width"),
    [
        (0.1, 100, 10),
        (0.1, 4, 1),
        (1.0, 7, 7),
        (7, 7, 7),
        (1, 7, 1),
        (0.25, 150, 38),
        (np.int64(5), 7, 5),
        (np.float32(0.5), 8, 4),
    ],
)
def test_window_width(window, n_timepoints, width):
    assert window_width(window, n_timepoints) == width


@pytest.mark.parametrize("window", [0, -1, 8, 0.0, -0.1, 1.1, float("nan"), float("inf")])
def test_impossible_windows_are_refused(window):
    with pytest.raises(ValueError, match="window"):
        window_width(window, 7)


@pytest.mark.parametrize("window", ["0.1", None, True])
def test_windows_of_the_wrong_kind_are_refused(window):
    with pytest.raises(TypeError, match="window"):
        window_width(window, 7)


def test_replace_window_is_out_of_place():
    x = torch.zeros(1, 1, 4)
    replaced = replace_window(x, torch.tensor([1]), torch.ones(1, 1, 2))
    assert replaced.tolist() == [[[0, 1, 1, 0]]]
    assert x.sum() == 0


def test_impossible_noise_is_refused():
    with pytest.raises(ValueError, match="scale"):
        GaussianNoise(scale=-1)
    with pytest.raises(ValueError, match="pool_size"):
        GaussianNoise(pool_size=0)


def test_perturbations_are_values():
    assert OpposingClass() == OpposingClass()
    assert hash(GaussianNoise(2.0)) == hash(GaussianNoise(2.0))
    assert GaussianNoise(2.0) != GaussianNoise(1.0)


@dataclass(frozen=True)
class Odd(Perturbation):
    """Gives a filler of a shape or kind of its own."""

    result: object = None

    def filler(self, x, starts, width, donor_windows=None):
        return self.result


@pytest.mark.parametrize("result", [None, 0.0, torch.zeros(1, 3), torch.zeros(4, 2, 1, 2)])
def test_a_filler_of_another_shape_is_refused(result):
    X, bank = draw([0, 1, 0, 1], Odd(result), n_entries=2, width=3)
    with pytest.raises(ValueError, match=r"filler.*Odd.*shape"):
        bank.windows(X, torch.arange(4), slice(None))


def test_a_filler_of_another_precision_is_converted():
    X, bank = draw([0, 1], Odd(torch.zeros(2, 2, 1, 3).double()), n_entries=2, width=3)
    assert bank.windows(X, torch.arange(2), slice(None))[1].dtype == X.dtype


def test_a_perturbation_without_filler_says_what_is_missing():
    X, bank = draw([0, 1], Perturbation(), n_entries=2, width=3)
    with pytest.raises(NotImplementedError, match=r"Perturbation.*filler"):
        bank.windows(X, torch.arange(2), slice(None))
