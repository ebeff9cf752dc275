"""Where memory does not suffice: smaller batches, smaller banks, nothing half done."""

import warnings

import numpy as np
import pytest
import torch
from helpers import STUDENTS, make_training_set, random_panel
from sklearn.frozen import FrozenEstimator
from torch import nn

from sktime_tsd import SaliencyDistilledClassifier, SkorchClassifier
from sktime_tsd._scoring.batches import copies_logits_in_batches
from sktime_tsd._scoring.out_of_memory import in_batches
from sktime_tsd.perturbations import OpposingClass, WindowBank, Zero


class Greedy:
    """A function that has memory for three places at a time."""

    def __init__(self, most=3):
        self.most = most
        self.seen = []

    def __call__(self, part):
        places = torch.arange(11)[part]
        if len(places) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        self.seen.append(len(places))
        return 2 * places


def test_batches_are_halved_until_they_fit():
    greedy = Greedy()
    with pytest.warns(UserWarning, match="halved to") as caught:
        doubled = in_batches(greedy, 11, 8)
    assert [str(warning.message)[-2] for warning in caught] == ["4", "2"]
    assert torch.equal(doubled, 2 * torch.arange(11))
    assert max(greedy.seen) == 2


def test_one_that_does_not_fit_is_an_error():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(torch.OutOfMemoryError, match="CUDA out of memory"):
            in_batches(Greedy(0), 11, 8)


def test_no_series_have_no_logits():
    assert in_batches(lambda part: torch.zeros(0, 2)[part], 0, 4).shape == (0, 2)


class Hungry(nn.Module):
    """A network that has memory for `most` series."""

    most = 10**9

    def __init__(self, n_channels, n_timepoints, n_classes):
        super().__init__()
        self.linear = nn.Linear(n_timepoints, n_classes)

    def forward(self, x):
        if len(x) > Hungry.most:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return self.linear(x[:, 0])


def test_a_teacher_short_of_memory_scores_in_smaller_batches(monkeypatch):
    X, y = random_panel(12)
    teacher = SkorchClassifier(Hungry, max_epochs=5, random_state=0).fit(X, y)
    clf = SaliencyDistilledClassifier(
        FrozenEstimator(teacher),
        SkorchClassifier(*STUDENTS["lstm"], max_epochs=1),
        n_windows=2,
        bank_size=4,
        random_state=0,
    )
    expected = clf.clone().fit(X, y).predict_proba(X)
    monkeypatch.setattr(Hungry, "most", 13)
    with pytest.warns(UserWarning, match="halved"):
        found = clf.clone().fit(X, y).predict_proba(X)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_fit_that_runs_out_of_memory_leaves_nothing_half_fitted(monkeypatch):
    X, y = random_panel(12)
    clf = SkorchClassifier(Hungry, max_epochs=2, batch_size=12, random_state=0)
    monkeypatch.setattr(Hungry, "most", 5)
    with pytest.raises(torch.OutOfMemoryError):
        clf.fit(X, y)
    assert not clf.is_fitted
    assert not hasattr(clf, "network_")


def test_a_bank_beyond_its_budget_is_drawn_with_fewer_windows(monkeypatch):
    X, y = random_panel(20, n_timepoints=40)
    per_window = 20 * (8 + 4 * 2)
    monkeypatch.setattr("sktime_tsd.teachers._teach._MOST_BYTES_OF_BANK", 7 * per_window + 1)
    drawn, original = [], WindowBank.draw

    def draw(*arguments, **settings):
        drawn.append(original(*arguments, **settings))
        return drawn[-1]

    monkeypatch.setattr(WindowBank, "draw", draw)
    student = SkorchClassifier(*STUDENTS["lstm"], max_epochs=1)
    settings = {"teacher": student, "student": student, "n_windows": 3, "random_state": 0}
    with pytest.warns(UserWarning, match=r"50 windows.*20 series.*\b7\b"):
        SaliencyDistilledClassifier(bank_size=50, **settings).fit(X, y)
    SaliencyDistilledClassifier(bank_size=7, **settings).fit(X, y)  # says nothing
    monkeypatch.setattr("sktime_tsd.teachers._teach._MOST_BYTES_OF_BANK", 1)
    with pytest.warns(UserWarning, match=r"\b3\b"):  # those of one step
        SaliencyDistilledClassifier(bank_size=50, **settings).fit(X, y)
    assert [bank.n_entries for bank in drawn] == [7, 7, 3]


class ShortOfMemory(nn.Module):
    """A linear network that has memory for some series at a time."""

    def __init__(self, most):
        super().__init__()
        self.most = most
        self.linear = nn.Linear(60, 2)

    def forward(self, x):
        if len(x) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return self.linear(x[:, 0])


@pytest.mark.parametrize("most", [2, 3, 9, 21, 22, 100])
def test_a_bank_is_scored_within_any_memory(most):
    training_set, device = make_training_set(), torch.device("cpu")
    network, told = ShortOfMemory(10**9), []
    arguments = network, training_set.X, training_set.bank, device
    expected = copies_logits_in_batches(*arguments, lambda n: None)
    network.most = most
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = copies_logits_in_batches(*arguments, told.append)
    assert len(caught) <= 12  # what has been found to fit is kept
    assert sum(told) == training_set.bank.starts.numel()
    for a, b in zip(expected, found, strict=True):
        torch.testing.assert_close(a, b)


def test_the_budget_counts_what_would_be_drawn():
    X, y = random_panel(8, n_timepoints=10)
    student = SkorchClassifier(*STUDENTS["lstm"], max_epochs=1)
    # 10 different windows, whatever is asked for: says nothing
    SaliencyDistilledClassifier(
        student, student, perturbation=Zero(), bank_size=10**9, window=1, random_state=0
    ).fit(X, y)


@pytest.mark.parametrize("n_entries", [3, 30])
def test_a_bank_drawn_in_parts_is_as_varied_as_one_drawn_at_once(n_entries, monkeypatch):
    X, y = random_panel(30, n_timepoints=20)
    X, y = torch.from_numpy(X), torch.from_numpy(np.unique(y, return_inverse=True)[1])
    generator = torch.Generator().manual_seed(0)
    settings = {"width": 2, "n_entries": n_entries, "generator": generator}
    for perturbation in (OpposingClass(), Zero()):
        monkeypatch.setattr("sktime_tsd.perturbations._bank._PAIRS_AT_ONCE", 50)
        bank = WindowBank.draw(X, y, perturbation, **settings)
        assert int(bank.starts.min()) >= 0
        assert int(bank.starts.max()) <= 18
        if bank.donors is not None:
            assert (y[bank.donors.long()] != y[:, None]).all()
            assert len(bank.donors.unique()) > 20
        elif n_entries == 30:  # as many as there are: without repetition
            assert all(len(row.unique()) == bank.n_entries for row in bank.starts)
