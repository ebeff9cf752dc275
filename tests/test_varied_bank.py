"""Banks of several perturbations and widths: the same copies as made one by one."""

import numpy as np
import pytest
import torch
from helpers import bad, distiller, flat, learner, random_panel, training_set_of
from sklearn.linear_model import LogisticRegression

from sktime_tsd.benchmark import BenchmarkMethod
from sktime_tsd.perturbations import (
    GaussianNoise,
    LinearInterpolation,
    OpposingClass,
    SeriesMean,
    VariedBank,
    WindowBank,
    Zero,
)

KINDS = [OpposingClass(), SeriesMean(), GaussianNoise(pool_size=3), LinearInterpolation()]
WIDTHS = [2, 5]


@pytest.fixture
def series():
    generator = torch.Generator().manual_seed(1)
    return torch.randn(6, 2, 17, generator=generator), torch.tensor([0, 1, 0, 2, 1, 1])


def draw(series, kinds=KINDS, widths=WIDTHS, n_entries=50, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return VariedBank.draw_varied(
        *series, kinds, widths=widths, n_entries=n_entries, generator=generator
    )


def copy_by_hand(bank, X, i, e):
    """One copy, through the perturbation's own `fill`."""
    perturbation, width = bank.parts[e % len(bank.parts)]
    donor = None if not perturbation.needs_donors else bank.pool[bank.donors[i, e]][None]
    return perturbation.fill(X[i : i + 1], bank.starts[i, e : e + 1].long(), width, donor)[0]


@pytest.mark.parametrize(
    ("some", "entries"),
    [
        (slice(None), slice(None)),
        (slice(1, 4), slice(3, 20)),
        (torch.tensor([4, 0]), torch.tensor([9, 2, 49])),
        (torch.tensor([4, 0]), torch.tensor([[9, 2], [0, 33]])),
    ],
)
@pytest.mark.parametrize("kinds", [KINDS, [SeriesMean(), Zero()]], ids=["donors", "no donors"])
def test_copies_are_those_made_one_by_one(series, kinds, some, entries):
    bank, X = draw(series, kinds), series[0]
    starts, fillers = bank.windows(X, some, entries)
    assert fillers.shape[-1] == bank.width == 5
    assert starts.min() >= 0
    assert starts.max() <= 17 - 5
    copies = bank.perturb(X, some, entries)
    numbers = torch.arange(50)[entries].expand(starts.shape)
    for i, own, found in zip(torch.arange(6)[some].tolist(), numbers, copies, strict=True):
        expected = torch.stack([copy_by_hand(bank, X, i, e) for e in own.tolist()])
        torch.testing.assert_close(found, expected)


def test_parts_take_turns_and_reach_every_start(series):
    bank = draw(series, n_entries=800)
    kinds, widths = zip(*bank.parts, strict=True)
    assert kinds == (*KINDS, *KINDS)
    assert widths == (2, 2, 2, 2, 5, 5, 5, 5)
    for number, width in enumerate(widths):
        of_part = bank.starts[:, number :: len(widths)]
        assert set(of_part.flatten().tolist()) == set(range(17 - width + 1))
    labels = series[1]
    of_classes = bank.donors[:, 0 :: len(widths)].long()  # opposing class
    assert (labels[of_classes] != labels[:, None]).all()
    noise = bank.donors[:, 2 :: len(widths)]
    assert set(noise.flatten().tolist()) <= {6, 7, 8}  # after the six series
    assert len(bank.pool) == 9 + 3  # each width draws noise of its own


def test_a_smaller_bank_is_the_beginning_of_a_larger_one(series):
    small, large = draw(series, n_entries=11), draw(series, n_entries=50)
    torch.testing.assert_close(small.starts, large.starts[:, :11])
    torch.testing.assert_close(small.donors, large.donors[:, :11])
    torch.testing.assert_close(small.pool, large.pool)
    assert not torch.equal(draw(series, seed=1).starts, large.starts)


def test_a_student_learns_from_a_varied_bank(monkeypatch):
    X, y = random_panel(30)
    settings = {"bank_size": 30, "n_windows": 6}
    clf = distiller(perturbation=[OpposingClass(), SeriesMean()], window=[0.1, 4], **settings)
    learned = training_set_of(clf, monkeypatch, X, y)
    assert learned.bank.parts == (
        (OpposingClass(), 2), (SeriesMean(), 2), (OpposingClass(), 4), (SeriesMean(), 4),
    )  # fmt: skip
    copies = learned.bank.perturb(learned.X, slice(None), slice(None)).flatten(0, 1).numpy()
    logits = torch.from_numpy(clf.teacher_.predict_logits(copies)).view(30, 30, 2)
    found = learned.teacher.perturbed_logits
    torch.testing.assert_close(found, logits, rtol=1e-4, atol=1e-5)
    assert clf.score(X, y) > 0.8
    # a list of one is no list
    one = distiller(perturbation=[SeriesMean()], window=[3]).fit(X, y)
    plain = distiller(perturbation=SeriesMean(), window=3).fit(X, y)
    np.testing.assert_array_equal(one.predict_proba(X), plain.predict_proba(X))


def test_guests_answer_for_a_varied_bank_in_several_processes(monkeypatch):
    X, y = random_panel(12)
    settings = {"perturbation": [OpposingClass(), GaussianNoise()], "window": [2, 3]}
    found = []
    for n_jobs in (1, 2):
        clf = distiller(n_jobs=n_jobs, **settings).set_params(teacher=flat(LogisticRegression()))
        found.append(training_set_of(clf, monkeypatch, X, y).teacher.perturbed_logits)
    torch.testing.assert_close(*found)


def test_a_bank_of_few_pairs_repeats_them(series):
    """A width of the whole series has one window, and the mean fills it in one way."""
    bank = draw(series, [SeriesMean(), OpposingClass()], widths=[17], n_entries=40)
    assert bank.n_entries == 40
    assert not bank.starts.any()
    most = WindowBank.most_entries(*series, SeriesMean(), 17)
    assert most == 1


def test_benchmarks_name_lists():
    method = BenchmarkMethod("tsd:perturbation=[OpposingClass, SeriesMean],window=[0.05, 0.1]")
    assert method.name == "tsd:perturbation=[OpposingClass,SeriesMean],window=[0.05,0.1]"
    assert BenchmarkMethod(method.name) == method
    made = method.classifier(None, learner())
    assert made.perturbation == [OpposingClass(), SeriesMean()]
    assert made.window == [0.05, 0.1]


@pytest.mark.parametrize(
    ("params", "error", "said"),
    [
        bad(ValueError, "perturbation is an empty list", perturbation=[]),
        bad(ValueError, "window is an empty list", window=[]),
        bad(TypeError, "perturbation .*'zero'", perturbation=[Zero(), "zero"]),
        bad(ValueError, "window=1.5", window=[0.1, 1.5]),
        bad(ValueError, "window=99 .*longer", window=[0.1, 99]),
    ],
)
def test_unusable_lists_are_refused(params, error, said):
    X, y = random_panel(12)
    with pytest.raises(error, match=said):
        distiller(**params).fit(X, y)
