"""The fast training path: what it does equals what is done plainly."""

import copy
import io
import itertools
import pickle
import warnings

import numpy as np
import pytest
import torch
from sklearn.frozen import FrozenEstimator
from torch import nn

from sktime_tsd import (
    SaliencyDistilledClassifier,
    SkorchClassifier,
    _cuda_graph,
    _training,
    _training_set,
)
from sktime_tsd._batches import in_batches
from sktime_tsd._cuda_graph import Recorded
from sktime_tsd._flat_parameters import FlatParameters
from sktime_tsd._inference import copies_logits_in_batches
from sktime_tsd._net import TrainingNet
from sktime_tsd._teacher import AlignedTeacher
from sktime_tsd._training import train_network
from sktime_tsd._training_set import BatchIterator, TrainingSet
from sktime_tsd.benchmark._plain import perturb_plainly, plain_loss
from sktime_tsd.losses import Outputs, TemporalSaliency
from sktime_tsd.networks import LSTM, ScaledNetwork, build_network, channel_statistics, n_parameters
from sktime_tsd.perturbations import OpposingClass, WindowBank
from tests.conftest import random_panel

STUDENTS = {
    "fcn": ("fcn", {"filters": (8, 16, 8)}),
    "lstm": ("lstm", {"hidden_size": 16, "num_layers": 1}),
}


def lively_lstm(n_channels, n_timepoints, n_classes):
    """An LSTM that its input moves: the saliency of a fresh one is rounding noise."""
    network = LSTM(n_channels, n_timepoints, n_classes, 16, 1)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(4)
    return network


TEACHER = ("lstm", {"hidden_size": 8, "num_layers": 2})
N, N_TIMEPOINTS, WIDTH = 37, 60, 6


@pytest.fixture
def data():
    X, y = random_panel(N, n_timepoints=N_TIMEPOINTS)
    return torch.from_numpy(X).float(), torch.from_numpy(np.unique(y, return_inverse=True)[1])


@pytest.fixture
def teacher():
    torch.manual_seed(5)
    network = build_network(TEACHER[0], 1, N_TIMEPOINTS, 2, TEACHER[1])
    return SkorchClassifier.from_module(network, [0, 1], device="cpu")


@pytest.fixture
def training_set(data, teacher):
    X, y = data
    bank = WindowBank.draw(
        X, y, OpposingClass(), width=WIDTH, n_entries=20, generator=torch.Generator().manual_seed(0)
    )
    scores = AlignedTeacher(teacher, np.arange(2), X[:2].numpy()).score(X, bank)
    return TrainingSet(X, y, teacher=Outputs(*scores), bank=bank, n_windows=4)


def fitted(kind, training_set, *, device="cpu", **settings):
    settings = {"max_epochs": 2, "batch_size": 8, "random_state": 0} | settings
    return train_network(
        SkorchClassifier(*kind, device=device, **settings),
        training_set,
        None,
        n_classes=2,
        terms=(TemporalSaliency(),),
        class_weight=None,
        seed=3,
        description="",
    )


def difference(a, b, X):
    """Largest difference of the logits of two networks.

    Not of the parameters: the bias before a batch norm has a gradient of rounding noise
    alone, which Adam makes a step of.
    """
    with torch.no_grad():
        return (a.eval()(X) - b.eval()(X)).abs().max().item()


# -- as a whole ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [STUDENTS["fcn"], (lively_lstm, None)], ids=["fcn", "lstm"])
def test_training_equals_the_plain_algorithm(kind, data, teacher, training_set, monkeypatch):
    # same windows, same seed: every copy scored anew and read whole, one optimizer of many
    # parameters, the recorded gradient of the loss
    lr = 0.05
    monkeypatch.setattr("sktime_tsd.networks._fcn._LEAST_SAVED", 0)
    monkeypatch.setattr("sktime_tsd.networks._lstm._VALUES_PER_PIECE", 5_000)
    network, history = fitted(kind, training_set, optimizer="sgd", lr=lr)
    X, y = data
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
        assert row["train_loss"] == pytest.approx(sum(losses), abs=1e-5)
    assert difference(network, plain, X) < 1e-5


@pytest.mark.parametrize("kind", ["fcn", "lstm", "inception_time"])
def test_a_bank_scored_from_windows_equals_one_scored_whole(kind, data, training_set, monkeypatch):
    monkeypatch.setattr("sktime_tsd.networks._fcn._LEAST_SAVED", 0)
    X, _ = data
    torch.manual_seed(0)
    network = ScaledNetwork(build_network(kind, 1, N_TIMEPOINTS, 2)).eval()
    for values in (1, 10 * N_TIMEPOINTS, 2**20):  # some entries, some series, all at once
        monkeypatch.setattr("sktime_tsd._inference._VALUES_PER_BATCH", {"cpu": values})
        monkeypatch.setattr("sktime_tsd._inference._FEW_COPIES", 3)
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
    monkeypatch.setattr(_training_set, "_VALUES_PER_GATHER", {"cpu": values})
    monkeypatch.setattr(_training_set, "_INTEGERS_PER_PLAN", integers)
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


def test_a_set_without_teacher_has_batches_without(data):
    batches = list(BatchIterator(TrainingSet(*data), 10))
    assert [len(y) for _, y in batches] == [10, 9, 9, 9]
    assert all(batch[1:] == (None, None, None) for batch, _ in batches)
    assert torch.equal(torch.cat([batch.x for batch, _ in batches]), data[0])


# -- parameters in one vector ------------------------------------------------------------


@pytest.mark.parametrize("optimizer", ["adamw", "adam", "sgd"])
@pytest.mark.parametrize("gradient_clip", [None, 0.5])
def test_one_vector_trains_as_many_parameters_do(
    optimizer, gradient_clip, training_set, monkeypatch
):
    settings = {"optimizer": optimizer, "gradient_clip": gradient_clip}
    held, original = [], FlatParameters.__init__

    def spy(self, parameters):
        original(self, parameters)
        held.append(self.vector)

    monkeypatch.setattr(FlatParameters, "__init__", spy)
    flat, _ = fitted((lively_lstm, None), training_set, **settings)
    monkeypatch.setattr(_training, "_may_flatten", lambda *_: False)
    apart, _ = fitted((lively_lstm, None), training_set, **settings)
    assert [vector.numel() for vector in held] == [n_parameters(flat)]
    assert difference(flat, apart, training_set.X) < 1e-5


def test_a_trained_network_owns_its_parameters(training_set):
    network, _ = fitted(STUDENTS["fcn"], training_set)
    size = n_parameters(network) * 4
    assert all(p.untyped_storage().nbytes() == p.numel() * 4 for p in network.parameters())
    assert all(parameter.grad is None for parameter in network.parameters())
    assert len(pickle.dumps(network)) < 20 * size


def test_what_cannot_be_one_vector_stays_apart():
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
    assert not FlatParameters.can_hold(list(clf.network_.parameters()))
    double = [nn.Parameter(torch.zeros(2, dtype=torch.float64))]
    assert not FlatParameters.can_hold(double)


# -- recorded steps --------------------------------------------------------------------


def replay_on_cpu(function):
    """Stand in for a CUDA graph: do the same again, and write into the first result."""

    def leaves(part):
        if isinstance(part, torch.Tensor):
            return [part]
        parts = part.values() if isinstance(part, dict) else part or ()
        return [leaf for each in parts for leaf in leaves(each)]

    for _ in range(3):
        function()
    result = function()

    def replay():
        for held, new in zip(leaves(result), leaves(function()), strict=True):
            held.copy_(new)

    return replay, result


@pytest.fixture
def recorded(monkeypatch):
    """Record steps on the CPU too; gives the recordings."""
    made, original = [], TrainingNet.initialize_optimizer

    def initialize_optimizer(self, *arguments):
        original(self, *arguments)
        if self.record:
            buffers = [*self.module_.buffers(), *self.criterion_.buffers()]
            self._compute_gradient = Recorded(self._gradient_of_batch, buffers, replay_on_cpu)
            made.append(self._compute_gradient)
        return self

    monkeypatch.setattr(TrainingNet, "initialize_optimizer", initialize_optimizer)
    return made


@pytest.mark.parametrize("name", STUDENTS)
def test_a_replayed_step_does_what_the_step_does(name, training_set, request):
    eager, expected = fitted(STUDENTS[name], training_set)
    recordings = request.getfixturevalue("recorded")
    network, history = fitted(STUDENTS[name], training_set)
    assert sorted(recordings[0]._recordings) == [7, 8]  # both sizes of batches
    assert not recordings[0].failed
    for row, other in zip(expected, history, strict=True):
        for term in ("train_loss", "cross_entropy", "saliency"):
            assert row[term] == pytest.approx(other[term], abs=1e-6)
    assert difference(eager, network, training_set.X) < 1e-6
    for a, b in zip(eager.buffers(), network.buffers(), strict=True):
        torch.testing.assert_close(a, b)  # recording has moved no statistics


def test_a_step_that_cannot_be_recorded_is_run(training_set, recorded, monkeypatch):
    eager, _ = fitted(STUDENTS["fcn"], training_set)

    def fail(function):
        function()
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setitem(globals(), "replay_on_cpu", fail)
    with pytest.warns(UserWarning, match="could not be recorded as a CUDA graph"):
        network, _ = fitted(STUDENTS["fcn"], training_set)
    assert recorded[-1].failed
    assert difference(eager, network, training_set.X) == 0


@pytest.mark.parametrize(
    "settings", [{"network": lambda c, t, k: None}, {"compile": True}, {"callbacks": [object()]}]
)
def test_only_steps_that_are_always_the_same_are_recorded(settings):
    assert _training._may_record(SkorchClassifier("fcn"))
    assert not _training._may_record(SkorchClassifier(**settings))


# -- memory ----------------------------------------------------------------------------


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
        return places, 2 * places


def test_batches_are_halved_until_they_fit():
    greedy = Greedy()
    with pytest.warns(UserWarning, match="halved to") as caught:
        places, doubled = in_batches(greedy, 11, 8)
    assert [str(warning.message)[-2] for warning in caught] == ["4", "2"]
    assert torch.equal(places, torch.arange(11))
    assert torch.equal(doubled, 2 * places)
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
    with pytest.warns(UserWarning, match="the batch of inference is halved"):
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
    monkeypatch.setattr("sktime_tsd._teacher_scores._MOST_BYTES_OF_BANK", 7 * per_window + 1)
    drawn, original = [], WindowBank.draw

    def draw(*arguments, **settings):
        drawn.append(original(*arguments, **settings))
        return drawn[-1]

    monkeypatch.setattr(WindowBank, "draw", draw)
    student = SkorchClassifier(*STUDENTS["lstm"], max_epochs=1)
    settings = {"teacher": student, "student": student, "n_windows": 3, "random_state": 0}
    with pytest.warns(UserWarning, match=r"bank_size=50 windows for each of 20 series .* 7 are"):
        SaliencyDistilledClassifier(bank_size=50, **settings).fit(X, y)
    SaliencyDistilledClassifier(bank_size=7, **settings).fit(X, y)  # says nothing
    monkeypatch.setattr("sktime_tsd._teacher_scores._MOST_BYTES_OF_BANK", 1)
    with pytest.warns(UserWarning, match="3 are drawn"):  # those of one step
        SaliencyDistilledClassifier(bank_size=50, **settings).fit(X, y)
    assert [bank.n_entries for bank in drawn] == [7, 7, 3]


# -- on a GPU --------------------------------------------------------------------------

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@pytest.mark.gpu
@needs_cuda
@pytest.mark.parametrize("name", STUDENTS)
def test_a_cuda_graph_gives_the_losses_of_single_kernels(name, training_set, monkeypatch):
    recorded, history = fitted(STUDENTS[name], training_set, device="cuda")
    monkeypatch.setattr(_training, "_may_record", lambda settings: False)
    eager, expected = fitted(STUDENTS[name], training_set, device="cuda")
    for row, other in zip(expected, history, strict=True):
        for term in ("train_loss", "cross_entropy", "saliency"):
            assert row[term] == pytest.approx(other[term], abs=1e-4)
    assert difference(eager, recorded, training_set.X) < 1e-3


@pytest.mark.gpu
@needs_cuda
@pytest.mark.parametrize("name", STUDENTS)
@pytest.mark.parametrize("may_record", [True, False])
def test_no_step_waits_for_the_device(name, may_record, training_set, monkeypatch):
    monkeypatch.setattr(_training, "_may_record", lambda settings: may_record)
    original, steps = TrainingNet._train_on, []

    def train_on(self, *arguments):
        steps.append(len(steps))
        torch.cuda.set_sync_debug_mode("error" if len(steps) > 10 else "default")
        try:
            return original(self, *arguments)
        finally:
            torch.cuda.set_sync_debug_mode("default")

    monkeypatch.setattr(TrainingNet, "_train_on", train_on)
    fitted(STUDENTS[name], training_set, device="cuda", max_epochs=4)
    assert len(steps) == 20


@pytest.mark.gpu
@needs_cuda
def test_a_bank_in_bfloat16_has_the_saliency_of_single_precision(data, training_set):
    X, _ = data
    torch.manual_seed(0)
    network = ScaledNetwork(build_network("inception_time", 1, N_TIMEPOINTS, 2)).eval()
    found = [
        copies_logits_in_batches(
            copy.deepcopy(network).to(device), X, training_set.bank, torch.device(device), len_of
        )
        for device, len_of in (("cpu", lambda n: None), ("cuda", lambda n: None))
    ]
    (_, on_cpu), (_, on_cuda) = found
    correlation = np.corrcoef(on_cpu.flatten().numpy(), on_cuda.flatten().numpy())[0, 1]
    assert correlation > 0.99


@pytest.mark.gpu
@needs_cuda
@pytest.mark.parametrize("name", STUDENTS)
def test_training_in_bfloat16_learns(name, training_set):
    network, history = fitted(STUDENTS[name], training_set, device="cuda", amp=True, max_epochs=20)
    assert history[-1]["cross_entropy"] < history[0]["cross_entropy"]
    assert all(parameter.dtype == torch.float32 for parameter in network.parameters())


@pytest.mark.gpu
@needs_cuda
def test_recording_leaves_the_result_loadable_on_the_cpu(training_set):
    network, _ = fitted(STUDENTS["fcn"], training_set, device="cuda")
    held = io.BytesIO()
    torch.save(network.state_dict(), held)
    held.seek(0)
    assert all(not value.is_cuda for value in torch.load(held, map_location="cpu").values())
    assert _cuda_graph._WARM_UP_CALLS >= 3
