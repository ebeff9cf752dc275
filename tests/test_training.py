"""The fast training path: what it does equals what is done plainly."""

import itertools
import pickle

import numpy as np
import pytest
import torch
from helpers import (
    N_TIMEPOINTS,
    STUDENTS,
    WIDTH,
    N,
    difference,
    fitted,
    lively_lstm,
    make_data,
    make_teacher,
    make_training_set,
    random_panel,
)
from skorch.callbacks import Callback, LRScheduler
from torch import nn

from sktime_tsd import SkorchClassifier
from sktime_tsd._scoring.batches import copies_logits_in_batches
from sktime_tsd._training import batches
from sktime_tsd._training.batches import BatchIterator
from sktime_tsd._training.training_set import TrainingSet
from sktime_tsd.benchmark.cost._plain import perturb_plainly, plain_loss
from sktime_tsd.networks import ScaledNetwork, build_network, channel_statistics, n_parameters
from sktime_tsd.teachers._teacher import Teacher


@pytest.fixture
def training_set():
    return make_training_set()


# -- as a whole ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [STUDENTS["fcn"], (lively_lstm, None)], ids=["fcn", "lstm"])
def test_training_equals_the_plain_algorithm(kind, training_set, monkeypatch):
    # same windows, same seed: every copy scored anew and read whole, one optimizer of many
    # parameters, the recorded gradient of the loss
    lr = 0.02
    monkeypatch.setattr("sktime_tsd.networks._fcn._LEAST_SAVED", 0)
    monkeypatch.setattr("sktime_tsd.networks._lstm._VALUES_PER_PIECE", 5_000)
    network, history = fitted(kind, training_set, optimizer="sgd", lr=lr)
    (X, y), teacher = make_data(), make_teacher()
    bank, n_epochs = training_set.bank, 2
    torch.manual_seed(3)
    plain = build_network(kind[0], 1, N_TIMEPOINTS, 2, kind[1])
    plain = ScaledNetwork(plain, *channel_statistics(X)).train()
    optimizer = torch.optim.SGD(plain.parameters(), lr=lr, weight_decay=1e-4)
    batches = BatchIterator(training_set, 8, torch.Generator().manual_seed(3), n_epochs=n_epochs)
    n_steps = n_epochs * len(batches)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=lr, total_steps=n_steps)
    generator, step = torch.Generator().manual_seed(3), 0
    for row in history:
        orders = torch.randperm(N, generator=generator)
        chosen = [torch.randperm(20, generator=generator)[:4] for _ in range(len(batches))]
        losses = []
        for series, entries in zip(orders.tensor_split(len(batches)), chosen, strict=True):
            starts = bank.starts[series][:, entries]
            donors = X[bank.donors[series][:, entries].long()]
            copies = perturb_plainly(X[series], starts, donors, WIDTH)
            optimizer.zero_grad()
            ramp = min(1.0, 2 * step / n_steps)
            loss = plain_loss(plain, teacher.network_, X[series], copies, y[series], ramp)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(plain.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            losses.append(loss.item() * len(series) / N)
            step += 1
        assert row["train_loss"] == pytest.approx(sum(losses), rel=1e-5)
    # the saliency of a fresh LSTM is near float32's rounding, of which Adam makes steps
    assert difference(network, plain, X) < 1e-4


@pytest.mark.parametrize("kind", ["fcn", "lstm", "inception_time"])
def test_a_bank_scored_from_windows_equals_one_scored_whole(kind, training_set, monkeypatch):
    monkeypatch.setattr("sktime_tsd.networks._fcn._LEAST_SAVED", 0)
    X = training_set.X
    torch.manual_seed(0)
    params = {"n_filters": 4, "depth": 3} if kind == "inception_time" else None
    network = ScaledNetwork(build_network(kind, 1, N_TIMEPOINTS, 2, params)).eval()
    for values in (1, 10 * N_TIMEPOINTS, 2**20):  # some entries, some series, all at once
        monkeypatch.setattr("sktime_tsd._scoring.batches._VALUES_PER_BATCH", {"cpu": values})
        monkeypatch.setattr("sktime_tsd._scoring.batches._FEW_COPIES", 3)
        scored = []
        logits, copies_logits = copies_logits_in_batches(
            network, X, training_set.bank, torch.device("cpu"), scored.append
        )
        assert sum(scored) == N * 20
        with torch.no_grad():
            copies = training_set.bank.perturb(X, torch.arange(N), slice(None))
            torch.testing.assert_close(logits, network(X), rtol=0, atol=1e-5)
            whole = network(copies.flatten(0, 1)).unflatten(0, (N, 20))
        torch.testing.assert_close(copies_logits, whole, rtol=0, atol=1e-5)


# -- batches ---------------------------------------------------------------------------


@pytest.mark.parametrize("values", [1, 500, 2**24])
@pytest.mark.parametrize("integers", [1, 100, 2**22])
def test_batches_do_not_depend_on_how_many_are_gathered_at_once(
    values, integers, training_set, monkeypatch
):
    monkeypatch.setattr(batches, "_VALUES_PER_GATHER", {"cpu": values})
    monkeypatch.setattr(batches, "_INTEGERS_PER_PLAN", integers)
    iterator = BatchIterator(training_set, 8, torch.Generator().manual_seed(7), n_epochs=2)
    generator = torch.Generator().manual_seed(7)
    for _ in range(3):  # one more than was announced
        order = torch.randperm(N, generator=generator)
        entries = [torch.randperm(20, generator=generator)[:4] for _ in range(len(iterator))]
        expected = zip(order.tensor_split(len(iterator)), entries, strict=True)
        for (batch, y), (series, chosen) in zip(iterator, expected, strict=True):
            assert torch.equal(batch.x, training_set.X[series])
            assert torch.equal(y, training_set.y[series])
            assert torch.equal(batch.starts, training_set.bank.starts[series][:, chosen])
            assert torch.equal(batch.teacher.logits, training_set.teacher.logits[series])
            assert torch.equal(
                batch.teacher.perturbed_logits,
                training_set.teacher.perturbed_logits[series][:, chosen],
            )
            for i, j in itertools.product(range(len(series)), range(4)):
                start = batch.starts[i, j]
                donor = training_set.bank.donors[series[i], chosen[j]]
                window = training_set.X[donor, :, start : start + WIDTH]
                assert torch.equal(batch.fillers[i, j], window)


def test_a_set_without_teacher_has_batches_without():
    data = make_data()
    batches = list(BatchIterator(TrainingSet(*data), 10))
    assert [len(y) for _, y in batches] == [10, 9, 9, 9]
    assert all(set(batch[1:]) == {None} for batch, _ in batches)
    assert torch.equal(torch.cat([batch.x for batch, _ in batches]), data[0])


def test_a_trained_network_owns_its_parameters(training_set):
    network, _ = fitted(STUDENTS["fcn"], training_set)
    size = n_parameters(network) * 4
    assert all(p.untyped_storage().nbytes() == p.numel() * 4 for p in network.parameters())
    assert all(parameter.grad is None for parameter in network.parameters())
    assert len(pickle.dumps(network)) < 20 * size


class Renormed(nn.Module):
    """Replaces its weights in each forward pass, as a largest norm is often written."""

    def __init__(self, n_channels, n_timepoints, n_classes):
        super().__init__()
        self.linear = nn.Linear(n_timepoints, n_classes)

    def forward(self, x):
        self.linear.weight.data = self.linear.weight.data.clamp(-0.5, 0.5)
        return self.linear(x[:, 0])


def test_a_network_that_replaces_its_parameters_is_trained():
    X, y = random_panel(40)
    clf = SkorchClassifier(Renormed, max_epochs=15, lr=0.05, random_state=0).fit(X, y)
    assert clf.score(X, y) > 0.9


def eval_mode_fcn(n_channels, n_timepoints, n_classes):
    return build_network("fcn", n_channels, n_timepoints, n_classes, {"filters": (4, 4, 4)}).eval()


@pytest.mark.parametrize("validation_fraction", [None, 0.25])
def test_a_network_built_in_eval_mode_is_trained_in_train_mode(validation_fraction):
    X, y = random_panel(40)
    clf = SkorchClassifier(
        eval_mode_fcn, max_epochs=3, validation_fraction=validation_fraction, random_state=0
    ).fit(X, y)
    n_steps = 3 * (3 if validation_fraction is None else 2)
    assert int(clf.network_.network.blocks[0][1].num_batches_tracked) == n_steps


def test_a_network_without_parameters_is_refused():
    class Mean(nn.Module):
        def __init__(self, n_channels, n_timepoints, n_classes):
            super().__init__()

        def forward(self, x):
            return x.mean(dim=2).expand(-1, 2)

    X, y = random_panel(20)
    with pytest.raises(ValueError, match="parameters"):
        SkorchClassifier(Mean).fit(X, y)


class Sharpened(SkorchClassifier):
    """A classifier that changes its logits after the fact, as a calibration does."""

    def predict_logits(self, X):
        return 5 * super().predict_logits(X)


def test_a_teacher_that_changes_its_logits_teaches_these(training_set):
    network = make_teacher().network_
    scored = {}
    for kind in (SkorchClassifier, Sharpened):
        teacher = Teacher(
            kind.from_module(network, [0, 1], device="cpu"),
            np.arange(2),
            training_set.X[:2],
        )
        scored[kind] = teacher.score(training_set.X, training_set.bank)
    for plain, sharpened in zip(*scored.values(), strict=True):
        torch.testing.assert_close(5 * plain, sharpened, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("step_every", ["batch", "epoch"])
def test_a_users_schedule_steps_when_it_is_told_to(step_every):
    X, y = random_panel(20)
    schedule = LRScheduler("StepLR", step_size=1, gamma=0.5, step_every=step_every)
    clf = SkorchClassifier(
        "fcn",
        {"filters": (4, 4, 4)},
        max_epochs=2,
        batch_size=5,
        lr=0.1,
        lr_schedule=None,
        callbacks=[schedule],
        random_state=0,
    ).fit(X, y)
    assert clf.history_[-1]["lr"] == pytest.approx(0.1 * 0.5 ** (7 if step_every == "batch" else 1))


def test_a_callbacks_own_attribute_is_called():
    X, y = random_panel(20)

    class Counter(Callback):
        def initialize(self):
            self.seen = []
            self.on_batch_end = lambda net, **_: SEEN.append(len(net.history))
            return self

    SEEN.clear()
    SkorchClassifier("fcn", {"filters": (4, 4, 4)}, max_epochs=2, callbacks=[Counter()]).fit(X, y)
    assert SEEN == [1, 1, 2, 2]


SEEN = []


def test_a_frozen_parameter_stays_as_it_was():
    class Mixed(nn.Module):
        def __init__(self, n_channels, n_timepoints, n_classes):
            super().__init__()
            self.linear = nn.Linear(n_timepoints, n_classes)
            self.fixed = nn.Parameter(torch.ones(3), requires_grad=False)

        def forward(self, x):
            return self.linear(x.mean(dim=1)) * self.fixed.mean()

    X, y = random_panel(20)
    clf = SkorchClassifier(Mixed, max_epochs=2, random_state=0).fit(X, y)
    assert torch.equal(clf.network_.network.fixed, torch.ones(3))
