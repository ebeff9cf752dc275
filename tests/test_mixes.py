"""Mixes of two series: drawn once, scored by the teacher, learned by soft targets."""

import numpy as np
import pytest
import torch
from helpers import bad, distiller, learner, random_panel, training_set_of
from sklearn.frozen import FrozenEstimator

from sktime_tsd import SkorchClassifier
from sktime_tsd._training.batches import BatchIterator
from sktime_tsd._training.training_set import TrainingSet
from sktime_tsd.losses import KD, Outputs, SoftTargets, kd_loss
from sktime_tsd.perturbations import MixBank


def draw(X, n_entries, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return MixBank.draw_mixes(X, n_entries=n_entries, generator=generator)


@pytest.fixture
def series():
    return torch.randn(5, 2, 7, generator=torch.Generator().manual_seed(1))


def mixes_one_by_one(bank, X, i, entries):
    shares = bank.shares[i, entries].tolist()
    partners = bank.donors[i, entries].tolist()
    return torch.stack(
        [share * X[i] + (1 - share) * X[j] for share, j in zip(shares, partners, strict=True)]
    )


def test_every_mix_is_of_a_series_and_another(series):
    bank = draw(series, 2000)
    for i in range(5):
        assert set(bank.donors[i].tolist()) == {0, 1, 2, 3, 4} - {i}
    counts = torch.bincount(bank.donors[0].long(), minlength=5)[1:]
    assert counts.min() > 2000 / 4 * 0.8
    assert bank.shares.min() >= 0
    assert bank.shares.max() < 1
    assert bank.shares.mean().item() == pytest.approx(0.5, abs=0.02)


def test_windows_and_copies_are_the_mixes(series):
    bank = draw(series, 6)
    chosen, entries = torch.tensor([3, 0]), torch.tensor([[0, 5], [2, 2]])
    starts, fillers = bank.windows(series, chosen, entries)
    assert not starts.any()
    for i, some, found in zip(chosen.tolist(), entries, fillers, strict=True):
        torch.testing.assert_close(found, mixes_one_by_one(bank, series, i, some))
    torch.testing.assert_close(bank.perturb(series, chosen, entries), fillers)
    sliced = bank.windows(series, slice(1, 4), slice(0, 2))[1]
    torch.testing.assert_close(sliced[0], mixes_one_by_one(bank, series, 1, [0, 1]))


def test_a_smaller_bank_is_the_beginning_of_a_larger_one(series):
    small, large = draw(series, 3), draw(series, 50)
    torch.testing.assert_close(small.shares, large.shares[:, :3])
    torch.testing.assert_close(small.donors, large.donors[:, :3])


def test_a_single_series_is_mixed_with_itself():
    X = torch.randn(1, 1, 4)
    torch.testing.assert_close(draw(X, 3).perturb(X, torch.tensor([0]), slice(None))[0, 2], X[0])


def test_batches_pair_mixes_with_the_answers_to_them(series):
    bank = draw(series, 8)
    # the teacher's answer to a mix says which one it is
    answers = torch.arange(5 * 8 * 2, dtype=torch.float32).view(5, 8, 2)
    teacher = Outputs(torch.zeros(5, 2), mixed_logits=answers)
    training_set = TrainingSet(
        series, torch.arange(5) % 2, teacher=teacher, mix_bank=bank, n_mixes=3
    )
    seen = []
    for batch, _ in BatchIterator(training_set, 2, torch.Generator().manual_seed(0)):
        assert batch.mixes.shape[1:] == (3, 2, 7)
        for mixes, logits in zip(batch.mixes, batch.teacher.mixed_logits, strict=True):
            for mix, logit in zip(mixes, logits, strict=True):
                i, entry = divmod(int(logit[0]) // 2, 8)
                torch.testing.assert_close(mix, mixes_one_by_one(bank, series, i, [entry])[0])
                seen.append((i, entry))
    assert len(set(seen)) == 15


@pytest.mark.parametrize("with_copies", [True, False])
def test_soft_targets_average_mixes_too(with_copies):
    generator = torch.Generator().manual_seed(0)

    def outputs():
        copies = torch.randn(4, 2, 3, generator=generator) if with_copies else None
        return Outputs(
            torch.randn(4, 3, generator=generator),
            copies,
            mixed_logits=torch.randn(4, 5, 3, generator=generator),
        )

    student, teacher = outputs(), outputs()
    pairs = list(zip(student.logits, teacher.logits, strict=True))
    for name in ("perturbed_logits", "mixed_logits"):
        if getattr(student, name) is not None:
            of_both = (getattr(student, name).flatten(0, 1), getattr(teacher, name).flatten(0, 1))
            pairs += zip(*of_both, strict=True)
    expected = np.mean([kd_loss(s[None], t[None], 1.0).item() for s, t in pairs])
    found = SoftTargets().build()(student, teacher, None)
    assert found.item() == pytest.approx(expected, rel=1e-5)


def test_the_teacher_answers_every_mix(monkeypatch):
    X, y = random_panel(12)
    teacher = learner().fit(X, y)
    clf = distiller(n_mixes=2, distillation=[SoftTargets()])
    clf.set_params(teacher=FrozenEstimator(teacher))
    learned = training_set_of(clf, monkeypatch, X, y)
    mixes = learned.mix_bank.perturb(learned.X, torch.arange(12), slice(None))
    assert mixes.shape[1] == 20
    expected = teacher.predict_logits(mixes.flatten(0, 1).numpy())
    np.testing.assert_allclose(learned.teacher.mixed_logits.flatten(0, 1), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("params", "unlabelled", "n_expected"),
    [
        ({}, False, 0),
        ({}, True, 4),
        ({"n_mixes": 1}, True, 1),
        ({"n_mixes": 0}, True, 0),
        ({"n_mixes": 3}, False, 0),  # no term would learn from them
        ({"n_mixes": 3, "distillation": [KD()]}, True, 0),
        ({"n_mixes": 3, "distillation": [SoftTargets()]}, False, 3),
    ],
)
def test_mixes_are_drawn_for_soft_targets_alone(params, unlabelled, n_expected, monkeypatch):
    X, y = random_panel(12)
    more = {"X_unlabelled": random_panel(6, seed=1)[0]} if unlabelled else {}
    assert training_set_of(distiller(**params), monkeypatch, X, y, **more).n_mixes == n_expected


@pytest.mark.parametrize(
    ("params", "error", "said"),
    [bad(ValueError, n_mixes=-1), bad(TypeError, n_mixes=1.5), bad(TypeError, n_mixes="many")],
)
def test_refusals(params, error, said):
    with pytest.raises(error, match=said):
        distiller(**params).fit(*random_panel(12))


def test_any_network_learns_from_mixes():
    X, y = random_panel(12)
    for name, settings in (("lstm", {"hidden_size": 4}), ("inception_time", {"n_filters": 4})):
        student = SkorchClassifier(name, settings, max_epochs=2)
        clf = (
            distiller(n_mixes=2, distillation=[SoftTargets()]).set_params(student=student).fit(X, y)
        )
        assert np.isfinite(clf.student_.history_[-1]["soft_targets"])
