"""Recorded training steps, and what else is made for a GPU."""

import copy
import gc
import io
import weakref

import numpy as np
import pytest
import torch
from helpers import (
    SALIENCY,
    STUDENTS,
    difference,
    fitted,
    lively_lstm,
    make_training_set,
    with_features,
)
from torch.utils._python_dispatch import TorchDispatchMode

from sktime_tsd import SkorchClassifier
from sktime_tsd._scoring.batches import copies_logits_in_batches
from sktime_tsd._training import train
from sktime_tsd._training.net import TrainingNet
from sktime_tsd.losses import (
    DKD,
    DT2W,
    KD,
    MEASURES,
    RKD,
    VID,
    AttentionTransfer,
    FitNets,
    MemKD,
    TemporalSaliency,
    window_saliency,
)
from sktime_tsd.networks._copies import read_whole


@pytest.fixture
def training_set():
    return make_training_set()


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
    """Record steps on the CPU as on CUDA; gives the recordings."""
    made, original = [], TrainingNet._begin_stage

    def begin_stage(self, *arguments):
        original(self, *arguments)
        made.append(self._compute_gradient)

    monkeypatch.setattr(TrainingNet, "_begin_stage", begin_stage)
    monkeypatch.setattr(train, "_recorder", lambda *_: lambda function: replay_on_cpu(function))
    return made


BASE_METHODS = (
    DKD(),
    FitNets(hint_share=0.5),
    AttentionTransfer(),
    RKD(0.01),
    VID(),
    DT2W(),
    MemKD(),
)


@pytest.mark.parametrize("kind", [STUDENTS["fcn"], (lively_lstm, None)], ids=["fcn", "lstm"])
@pytest.mark.parametrize(
    ("terms", "optimizer"),
    # the bias before a batch norm has a gradient of rounding noise, which Adam makes a step of
    [(SALIENCY, "adamw"), ((*SALIENCY, *BASE_METHODS), "sgd")],
    ids=["tsd", "all"],
)
def test_a_replayed_step_does_what_the_step_does(
    kind, terms, optimizer, training_set, request, monkeypatch
):
    training_set = with_features(training_set, terms)
    settings = {"terms": terms, "optimizer": optimizer}
    eager, expected = fitted(kind, training_set, **settings)
    recordings = request.getfixturevalue("recorded")
    network, history = fitted(kind, training_set, **settings)
    assert len(recordings) == 1 + any(term.alone_until is not None for term in terms)
    for recording in recordings:
        assert sorted(recording._recordings) == [7, 8]  # both sizes of batches
        assert not recording.failed
    for row, other in zip(expected, history, strict=True):
        for term in row.keys() - {"epoch", "dur"}:
            assert row[term] == pytest.approx(other[term], rel=1e-6, abs=1e-6, nan_ok=True)
    assert difference(eager, network, training_set.X) < 1e-6
    for a, b in zip(eager.buffers(), network.buffers(), strict=True):
        torch.testing.assert_close(a, b)  # recording has moved no statistics


def test_a_step_that_cannot_be_recorded_is_run(training_set, recorded, monkeypatch):
    eager, _ = fitted(STUDENTS["fcn"], training_set)

    def fail(function):
        function()
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setitem(globals(), "replay_on_cpu", fail)
    with pytest.warns(UserWarning, match="CUDA graph"):
        network, _ = fitted(STUDENTS["fcn"], training_set)
    assert recorded[-1].failed
    assert difference(eager, network, training_set.X) == 0


class Counting(KD):
    """A term of a user, which may do something else at each step."""


OURS = (TemporalSaliency(), KD(), *BASE_METHODS)


@pytest.mark.parametrize(
    ("settings", "terms"),
    [
        ({"network": lambda c, t, k: None}, OURS),
        ({"compile": True}, OURS),
        ({"callbacks": [object()]}, OURS),
        ({"optimizer": torch.optim.Adam}, OURS),
        ({}, (*OURS, Counting())),
    ],
)
def test_only_steps_that_are_always_the_same_are_recorded(settings, terms):
    cuda = torch.device("cuda")
    assert train._recorder(SkorchClassifier("fcn"), OURS, cuda, 1000) is not None
    assert train._recorder(SkorchClassifier(**settings), terms, cuda, 1000) is None
    assert train._recorder(SkorchClassifier("fcn"), OURS, cuda, 10) is None  # not worth it
    assert train._recorder(SkorchClassifier("fcn"), OURS, torch.device("cpu"), 1000) is None


class NoSynchronisation(TorchDispatchMode):
    """Refuses what on CUDA waits for the device, or copies to it."""

    def __torch_dispatch__(self, function, types, arguments=(), keywords=None):
        name = str(function)
        assert not any(word in name for word in ("_local_scalar_dense", "nonzero")), name
        return function(*arguments, **(keywords or {}))


@pytest.mark.parametrize("name", STUDENTS)
@pytest.mark.parametrize("measure", MEASURES)
def test_the_gradient_is_computed_without_reading_a_value(name, measure, training_set, monkeypatch):
    monkeypatch.setattr("sktime_tsd._training.net.forward_copies", read_whole)  # as on CUDA
    original = TrainingNet._gradient_of_batch

    def gradient(self, *batch):
        with NoSynchronisation():
            return original(self, *batch)

    monkeypatch.setattr(TrainingNet, "_gradient_of_batch", gradient)
    terms = (TemporalSaliency(measure=measure), KD(), *BASE_METHODS)
    training_set = with_features(training_set, terms)
    fitted(STUDENTS[name], training_set, terms=terms, max_epochs=1)


def test_a_net_ends_with_its_training(training_set, monkeypatch):
    held, original = [], TrainingNet.initialize

    def initialize(self):
        held.append(weakref.ref(self))
        return original(self)

    monkeypatch.setattr(TrainingNet, "initialize", initialize)
    gc.disable()
    try:
        fitted(STUDENTS["fcn"], training_set)
        assert held[0]() is None
    finally:
        gc.enable()


# -- on a GPU --------------------------------------------------------------------------

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@pytest.mark.gpu
@needs_cuda
@pytest.mark.parametrize("name", STUDENTS)
@pytest.mark.parametrize("terms", [SALIENCY, BASE_METHODS], ids=["tsd", "base methods"])
def test_a_cuda_graph_gives_the_losses_of_single_kernels(name, terms, training_set, monkeypatch):
    training_set = with_features(training_set, terms)
    settings = {"device": "cuda", "terms": terms}
    monkeypatch.setattr(train, "_LEAST_STEPS_TO_RECORD", 1)
    recorded, history = fitted(STUDENTS[name], training_set, **settings)
    monkeypatch.setattr(train, "_recorder", lambda *_: None)
    eager, expected = fitted(STUDENTS[name], training_set, **settings)
    for row, other in zip(expected, history, strict=True):
        for term in row.keys() - {"epoch", "dur"}:
            assert row[term] == pytest.approx(other[term], abs=1e-4, nan_ok=True)
    assert difference(eager.cpu(), recorded.cpu(), training_set.X) < 1e-3


@pytest.mark.gpu
@needs_cuda
@pytest.mark.parametrize("name", STUDENTS)
@pytest.mark.parametrize("may_record", [True, False])
def test_no_step_waits_for_the_device(name, may_record, training_set, monkeypatch):
    if not may_record:
        monkeypatch.setattr(train, "_recorder", lambda *_: None)
    monkeypatch.setattr(train, "_LEAST_STEPS_TO_RECORD", 1)
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
def test_a_bank_in_bfloat16_has_the_saliency_of_single_precision(training_set):
    kind = "inception_time", {"n_filters": 8, "depth": 3}
    network, _ = fitted(kind, training_set, max_epochs=20, terms=())
    saliency = []
    for device in ("cpu", "cuda"):
        logits, copies_logits = copies_logits_in_batches(
            copy.deepcopy(network).to(device),
            training_set.X,
            training_set.bank,
            torch.device(device),
            lambda n: None,
        )
        saliency.append(window_saliency(logits, copies_logits, training_set.y, measure="kl"))
    single, half = (part.flatten().numpy() for part in saliency)
    assert np.abs(half - single).mean() < 0.05 * single.mean()
    assert np.corrcoef(single, half)[0, 1] > 0.99


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
