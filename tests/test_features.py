"""Features of student and teacher: where they come from, and what a distiller makes of them."""

import copy
import pickle
import shutil
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
import torch
from helpers import (
    N_TIMEPOINTS,
    STUDENTS,
    difference,
    fitted,
    flat,
    learner,
    make_data,
    make_teacher,
    make_training_set,
    random_panel,
    with_features,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from skorch.callbacks import Callback, Checkpoint, EarlyStopping
from torch import nn

from sktime_tsd import SaliencyDistilledClassifier, SkorchClassifier
from sktime_tsd._training import net, optimization
from sktime_tsd.losses import (
    DKD,
    DT2W,
    KD,
    RKD,
    VID,
    AttentionTransfer,
    DistillationCriterion,
    DistillationTerm,
    FitNets,
    MemKD,
    Outputs,
    TemporalSaliency,
    attention_transfer_loss,
)
from sktime_tsd.networks import (
    NETWORKS,
    FeatureTaps,
    ScaledNetwork,
    build_network,
    feature_sizes,
    forward_copies,
)
from sktime_tsd.perturbations import WindowBank
from sktime_tsd.teachers import _features
from sktime_tsd.teachers._features import TeacherFeatures

TERMS = [DKD(), FitNets(), AttentionTransfer(), RKD(0.01), VID(), DT2W(), MemKD()]
terms = pytest.mark.parametrize("term", TERMS, ids=lambda term: term.name)


class OwnNetwork(nn.Module):
    """A user's network, with layers of many kinds."""

    def __init__(self, n_channels, n_timepoints, n_classes):
        super().__init__()
        self.conv3 = nn.Conv1d(n_channels, 6, 3, stride=2)
        self.gru = nn.GRU(6, 5)  # time first
        self.squeeze = nn.Linear(5, 4)
        self.unused = nn.Linear(1, 1)
        self.dropout = nn.Dropout(0.5)
        self.head = nn.Linear(4, n_classes)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        hidden, _ = self.gru(self.relu(self.conv3(x)).permute(2, 0, 1))
        return self.head(self.dropout(self.squeeze(hidden[-1])))


# -- taps ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("scaled", [False, True])
def test_taps_catch_what_features_gives(name, scaled):
    network = build_network(name, 2, 30, 3).eval()
    if scaled:
        network = ScaledNetwork(network, torch.ones(2, 1), 2 * torch.ones(2, 1))
    x = torch.randn(4, 2, 30)
    taps = FeatureTaps(network, [None])
    with torch.no_grad():
        network(x)
        (caught,) = taps.collect()
        taps.remove()
        assert torch.equal(caught, network.features(x))
        assert feature_sizes(network, [None], 2, 30) == [tuple(caught.shape[1:])]


def test_any_layer_of_any_network_can_be_tapped():
    network, x = OwnNetwork(2, 21, 3).eval(), torch.randn(4, 2, 21)
    taps = FeatureTaps(network, ["conv3", "gru", "squeeze", "conv3"])
    with torch.no_grad():
        network(x)
        conv, gru, squeeze, again = taps.collect()
        assert torch.equal(conv, network.conv3(x))  # as it was before the ReLU in place
        assert torch.equal(conv, again)
        expected = network.gru(torch.relu(conv).permute(2, 0, 1))[0].permute(1, 2, 0)
        assert torch.equal(gru, expected)
        assert torch.equal(squeeze, network.squeeze(expected[:, :, -1]).unsqueeze(2))
    assert conv.shape == (4, 6, 10)
    assert squeeze.shape == (4, 4, 1)


def hooks(network):
    return [
        hook
        for module in network.modules()
        for hook in (*module._forward_hooks.values(), *module._forward_pre_hooks.values())
    ]


def test_taps_forget_and_can_be_taken_off():
    network = OwnNetwork(1, 20, 2)
    taps = FeatureTaps(network, ["conv3"])
    for n in (3, 5):  # of the last forward pass
        network(torch.randn(n, 1, 20))
    assert len(taps.collect()[0]) == 5
    with pytest.raises(ValueError, match="forward"):
        taps.collect()
    pickle.loads(pickle.dumps(network))
    taps.remove()
    assert hooks(network) == []


class Attention(nn.Module):
    """Layers that have the features last."""

    def __init__(self, batch_first=True):
        super().__init__()
        self.batch_first = batch_first
        layer = nn.TransformerEncoderLayer(6, 2, 8, batch_first=batch_first)
        self.project = nn.Linear(1, 6)
        self.encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(6)
        self.attention = nn.MultiheadAttention(6, 2, batch_first=batch_first)
        self.drop = nn.Dropout(0.1)
        self.head = nn.Linear(6, 2)

    def forward(self, x):
        x = self.project(x.transpose(1, 2))
        if not self.batch_first:
            x = x.transpose(0, 1)
        x = self.norm(self.encoder(x))
        x = self.drop(self.attention(x, x, x)[0])
        if not self.batch_first:
            x = x.transpose(0, 1)
        return self.head(x.mean(dim=1))


@pytest.mark.parametrize("n", [3, 20])  # also as many series as time points
@pytest.mark.parametrize("batch_first", [True, False])
def test_layers_with_the_features_last_are_transposed(batch_first, n):
    network, x = Attention(batch_first).eval(), torch.randn(n, 1, 20)
    layers = ["project", "encoder", "encoder.layers.0", "attention"]
    if batch_first:
        layers.append("norm")
    taps = FeatureTaps(network, layers)
    with torch.no_grad():
        network(x)
        project, encoder, layer, attention, *norm = taps.collect()
        expected = network.project(x.transpose(1, 2))
        torch.testing.assert_close(project, expected.transpose(1, 2))
        sequence = expected if batch_first else expected.transpose(0, 1)
        encoded = network.encoder(sequence)
        normed = network.norm(encoded)
        attended = network.attention(normed, normed, normed)[0]
        expected = (encoded, encoded, attended, *([normed] if batch_first else []))
        for found, value in zip((encoder, layer, attention, *norm), expected, strict=True):
            value = value if batch_first else value.transpose(0, 1)
            torch.testing.assert_close(found, value.transpose(1, 2))


class OwnAttention(Attention):
    """As a user's class: (n_channels, n_timepoints, n_classes)."""

    def __init__(self, n_channels, n_timepoints, n_classes):
        super().__init__()
        self.head = nn.Linear(6, n_classes)


def test_features_that_seem_to_be_transposed_are_warned_of(data, teacher):
    student = SkorchClassifier(OwnAttention, max_epochs=1)
    for layer in ("norm", "project"):
        distil(FrozenEstimator(teacher), [RKD(student_layer=layer)], student=student).fit(*data)
    clf = distil(FrozenEstimator(teacher), [RKD(student_layer="drop")], student=student)
    with pytest.warns(UserWarning, match=r"'drop'.*student.*24 features"):
        clf.fit(*data)


def test_sizes_are_found_without_a_trace():
    network = OwnNetwork(1, 2 + 1, 2).train()
    before = copy.deepcopy(network.state_dict())
    assert feature_sizes(network, ["conv3"], 1, 3) == [(6, 1)]
    assert network.training
    assert hooks(network) == []
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])


class Odd(nn.Module):
    """Layers whose outputs are no features."""

    def __init__(self):
        super().__init__()
        self.twice, self.in_training = nn.Identity(), nn.Identity()
        self.listed = nn.ModuleList([nn.Identity()])
        self.pair, self.image, self.integers, self.time_first = (nn.Identity() for _ in range(4))
        self.pair.forward = lambda x: (x, x)
        self.image.forward = lambda x: x.unsqueeze(1)
        self.integers.forward = lambda x: x.long()
        self.time_first.forward = lambda x: x.permute(2, 0, 1)

    def forward(self, x):
        for layer in (self.pair, self.image, self.integers, self.time_first, self.twice):
            layer(x)
        if self.training:
            self.in_training(x)
        self.twice(x)
        return x.mean(dim=2)


@pytest.mark.parametrize(
    ("network", "layer", "message"),
    [
        (OwnNetwork(1, 20, 2), None, "OwnNetwork.*'conv3', 'gru', 'squeeze'"),
        (OwnNetwork(1, 20, 2), "conv4", "'conv4'.*'conv3', 'gru'"),
        (OwnNetwork(1, 20, 2), "", "layer ''"),
        (OwnNetwork(1, 20, 2), "unused", "'unused'.*teacher"),
        (OwnNetwork(3, 20, 2), "conv3", "OwnNetwork.*1 channels"),
        (Odd(), "twice", "'twice'.*teacher.* 2 times"),
        (Odd(), "in_training", "'in_training'.*teacher"),
        (Odd(), "listed", "'listed'.*'twice', 'in_training', 'listed.0', 'pair'"),
        (Odd(), "pair", "'pair'.*tuple"),
        (Odd(), "image", r"'image'.*\(2, 1, 1, 20\)"),
        (Odd(), "integers", "'integers'.*float"),
        (Odd(), "time_first", r"'time_first'.*\(20, 2, 1\)"),
    ],
)
def test_layers_without_features_are_refused(network, layer, message):
    with pytest.raises(ValueError, match=message):
        feature_sizes(network, [layer], 1, 20, whose="teacher")
    assert hooks(network) == []


def test_layers_of_the_training_are_found_there():
    assert feature_sizes(Odd(), ["in_training"], 1, 20, training=True) == [(1, 20)]


def test_a_long_list_of_layers_is_cut():
    network = nn.Sequential(*(nn.Identity() for _ in range(60)))
    with pytest.raises(ValueError, match=r"'39'.*20 more"):
        FeatureTaps(network, ["60"])


@pytest.mark.parametrize("name", STUDENTS)
def test_features_are_of_the_series_not_of_their_copies(name):
    training_set = make_training_set()
    network = build_network(STUDENTS[name][0], 1, N_TIMEPOINTS, 2, STUDENTS[name][1]).eval()
    batch, _ = training_set.batch(torch.tensor([4, 1]), torch.tensor([0, 3]))
    expected = network.features(batch.x)
    taps = FeatureTaps(network, [None])
    logits, copies_logits = forward_copies(network, batch.x, batch.starts, batch.fillers)
    (features,) = taps.collect(2)
    assert copies_logits.shape == (2, 2, 2)
    torch.testing.assert_close(features, expected)
    torch.testing.assert_close(logits, network(batch.x))


# -- features of the teacher -------------------------------------------------------------


class CountingNetwork(OwnNetwork):
    """Counts the series it has read."""

    n_read = 0

    def forward(self, x):
        CountingNetwork.n_read += len(x)
        return super().forward(x)


@pytest.mark.parametrize("most_bytes", [0, 2**28], ids=["per batch", "held"])
def test_teacher_features_of_a_batch(most_bytes, monkeypatch):
    monkeypatch.setattr(_features, "_MOST_BYTES_HELD", most_bytes)
    monkeypatch.setattr(_features, "_VALUES_PER_BATCH", 500)
    X, _ = make_data()
    network = ScaledNetwork(CountingNetwork(1, N_TIMEPOINTS, 2)).train()
    before = copy.deepcopy(network.state_dict())
    features = TeacherFeatures(network, ["conv3", "dropout"], 1, N_TIMEPOINTS)
    assert features.shapes == [(6, 29), (4, 1)]
    assert features.values_per_series == 6 * 29 + 4
    in_eval_mode = copy.deepcopy(network).eval()
    taps = FeatureTaps(in_eval_mode, ["dropout"])
    CountingNetwork.n_read = 0
    for series in (torch.tensor([3, 30, 3]), torch.tensor([5])):
        conv, dropout = features.of(X, series)
        assert torch.allclose(conv, network.network.conv3(X[series]), atol=1e-6)
        with torch.no_grad():
            in_eval_mode(X[series])
        assert torch.allclose(dropout, taps.collect()[0], atol=1e-6)
        assert not conv.requires_grad
        assert not conv.is_inference()  # a loss has to save them
    assert CountingNetwork.n_read == 4 + (4 if most_bytes == 0 else len(X))
    # the network itself is as it was: in train mode, without hooks, with its weights
    assert network.training
    assert hooks(network) == []
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])


@pytest.mark.parametrize("most_bytes", [0, 2**28], ids=["per batch", "held"])
def test_teacher_features_that_are_not_finite_are_the_teachers_fault(most_bytes, monkeypatch):
    monkeypatch.setattr(_features, "_MOST_BYTES_HELD", most_bytes)
    X, _ = make_data()
    network = OwnNetwork(1, N_TIMEPOINTS, 2)
    network.squeeze.register_forward_hook(lambda *parts: parts[-1].log())
    features = TeacherFeatures(network, ["conv3", "squeeze"], 1, N_TIMEPOINTS)
    with pytest.raises(ValueError, match=r"OwnNetwork.*'squeeze'.*finite"):
        features.of(X, torch.arange(5))


def test_training_does_not_depend_on_whether_features_are_held(monkeypatch):
    term = (AttentionTransfer(),)
    networks = []
    for most_bytes in (0, 2**28):
        monkeypatch.setattr(_features, "_MOST_BYTES_HELD", most_bytes)
        training_set = make_training_set()
        teacher = build_network("fcn", 1, N_TIMEPOINTS, 2, {"filters": (4,), "kernel_sizes": (3,)})
        with torch.no_grad():  # the same in both turns
            for parameter in teacher.parameters():
                parameter.copy_(torch.linspace(-1, 1, parameter.numel()).view(parameter.shape))
        training_set.teacher_features = TeacherFeatures(teacher, [None], 1, N_TIMEPOINTS)
        networks.append(fitted(STUDENTS["fcn"], training_set, terms=term)[0])
    assert difference(*networks, make_data()[0]) < 1e-5


# -- a step ----------------------------------------------------------------------------


@pytest.fixture
def steps(monkeypatch):
    """What each step of a training saw and did."""
    found = []
    gradient_of_batch = net.TrainingNet._gradient_of_batch

    def gradient(self, x, y):
        result = gradient_of_batch(self, x, y)
        found.append(
            {
                "net": self,
                "x": x,
                "weights": self.criterion_.weights.tolist(),
                "lr": self.optimizer_.param_groups[0]["lr"],
                "n_moments": len(self.optimizer_.state),
                "hooked": bool(hooks(self.module_)),
            }
        )
        return result

    monkeypatch.setattr(net.TrainingNet, "_gradient_of_batch", gradient)
    return found


def test_a_term_sees_the_students_features_of_the_series(steps, monkeypatch):
    terms = (TemporalSaliency(), AttentionTransfer())
    seen, forward = [], DistillationCriterion.forward

    def watch(self, student, teacher, y):
        seen.append((student.features[0].detach(), teacher.features[0]))
        return forward(self, student, teacher, y)

    monkeypatch.setattr(DistillationCriterion, "forward", watch)
    lstm = ("lstm", {"hidden_size": 5, "num_layers": 1})
    fitted(lstm, with_features(make_training_set(), terms), terms=terms, max_epochs=1, lr=1e-12)
    teacher = make_teacher().network_
    assert steps
    for step, (of_student, of_teacher) in zip(steps, seen, strict=True):
        assert step["x"].starts is not None
        with torch.no_grad():
            torch.testing.assert_close(of_student, step["net"].module_.features(step["x"].x))
            torch.testing.assert_close(of_teacher, teacher.features(step["x"].x))


def test_weights_follow_the_training_step_by_step(steps):
    terms = (TemporalSaliency(2.0, ramp=0.5), KD(0.5))
    fitted(STUDENTS["fcn"], make_training_set(), terms=terms, max_epochs=2)
    n = len(steps)
    assert n == 10
    for i, step in enumerate(steps):
        assert step["weights"] == pytest.approx([1, min(1, i / n / 0.5) * 2, 0.5])
        assert not step["hooked"]  # else copies are read whole


@pytest.mark.parametrize("lr_schedule", ["one_cycle", "cosine", None])
def test_the_task_stage_begins_as_a_training_of_its_own(steps, lr_schedule):
    terms = (TemporalSaliency(ramp=0.0), FitNets(hint_share=0.4))
    fitted(
        STUDENTS["lstm"], with_features(make_training_set(), terms), terms=terms, max_epochs=2,
        lr_schedule=lr_schedule,
    )  # fmt: skip
    assert [step["weights"] for step in steps] == [[0, 0, 1]] * 4 + [[1, 1, 0]] * 6
    # neither copies nor hooks where no term in the loss needs them
    assert [step["hooked"] for step in steps] == [True] * 4 + [False] * 6
    # neither moments nor the learning rate of the hints
    assert [step["n_moments"] > 0 for step in steps] == [i not in (0, 4) for i in range(10)]
    rates = [step["lr"] for step in steps]
    for stage in (rates[:4], rates[4:]):
        parameter = nn.Parameter(torch.zeros(1))
        optimizer = torch.optim.AdamW([parameter], lr=5e-3)
        schedule = optimization.schedule(SkorchClassifier(lr_schedule=lr_schedule, lr=5e-3))
        schedule = schedule and schedule(optimizer, len(stage))
        for rate in stage:
            assert rate == pytest.approx(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if schedule:
                schedule.step()


def test_a_hint_stage_makes_no_copies(monkeypatch):
    n_calls = []
    forward_copies = net.forward_copies
    monkeypatch.setattr(
        net, "forward_copies", lambda *parts: n_calls.append(1) or forward_copies(*parts)
    )
    terms = (TemporalSaliency(), FitNets(hint_share=0.4))
    fitted(STUDENTS["fcn"], with_features(make_training_set(), terms), terms=terms, max_epochs=2)
    assert len(n_calls) == 6


def test_outputs_of_autocast_are_brought_to_float32():
    half = torch.ones(2, 3, dtype=torch.bfloat16)
    outputs = net.in_float32(Outputs(half, None, (half, half)))
    assert outputs.perturbed_logits is None
    for part in (outputs.logits, *outputs.features):
        assert part.dtype == torch.float32


# -- the distiller -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def data():
    return random_panel(30, n_timepoints=24, n_classes=3)


@pytest.fixture(scope="module")
def teacher(data):
    settings = {"n_filters": 4, "depth": 3, "kernel_sizes": (9, 5, 3)}
    return SkorchClassifier("inception_time", settings, max_epochs=5, random_state=0).fit(*data)


def distil(teacher, terms, **params):
    settings = {
        "student": learner(max_epochs=4),
        "saliency_weight": 0,
        "n_windows": 2,
        "bank_size": 4,
        "random_state": 0,
    } | params
    return SaliencyDistilledClassifier(teacher, distillation=terms, **settings)


@terms
@pytest.mark.parametrize("saliency_weight", [0, 1.0])
def test_each_term_trains_with_and_without_saliency(term, saliency_weight, data, teacher):
    clf = distil(FrozenEstimator(teacher), [term], saliency_weight=saliency_weight).fit(*data)
    history = clf.student_.history_frame()
    expected = {"cross_entropy", term.name} | ({"saliency"} if saliency_weight else set())
    assert expected == set(history.columns) - {"train_loss", "lr", "dur"}
    # no number where a stage does without it
    n_epochs = 1 if term.name == "fitnets" else 4
    assert np.isfinite(history[term.name]).sum() == n_epochs
    if saliency_weight:
        assert np.isfinite(history["saliency"]).sum() == (3 if term.name == "fitnets" else 4)
    assert np.isfinite(history[["train_loss", "cross_entropy"]]).all(axis=None)
    # what is trained is what is reported, beside a weight
    alone = distil(FrozenEstimator(teacher), [], saliency_weight=saliency_weight).fit(*data)
    assert not np.array_equal(clf.predict_proba(data[0]), alone.predict_proba(data[0]))


@pytest.mark.parametrize("name", ["fitnets", "attention_transfer", "vid", "dt2w", "memkd"])
def test_training_lowers_the_loss_of_the_term(name, data, teacher):
    (term,) = (replace(term, weight=1.0) for term in TERMS if term.name == name)
    if name == "fitnets":
        term = FitNets(hint_share=0.9)
    student = learner(max_epochs=40)
    clf = distil(FrozenEstimator(teacher), [term], student=student).fit(*data)
    values = clf.student_.history_frame()[name].dropna()
    assert values.iloc[-1] < 0.9 * values.iloc[0]


def test_without_saliency_there_is_no_perturbed_forward(data, teacher, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a copy was made")

    monkeypatch.setattr(WindowBank, "draw", refuse)
    monkeypatch.setattr(net, "forward_copies", refuse)
    clf = distil(FrozenEstimator(teacher), TERMS).fit(*data)
    assert "saliency" not in clf.student_.history_[0]


def test_regressors_train_and_are_gone(data, teacher, monkeypatch):
    seen = []
    original = net.TrainingNet.train

    def train(self, training_set):
        before = {k: v.clone() for k, v in self.criterion_.named_parameters()}
        original(self, training_set)
        seen.append([before, dict(self.criterion_.named_parameters())])

    monkeypatch.setattr(net.TrainingNet, "train", train)
    clf = distil(FrozenEstimator(teacher), [FitNets(), VID()])
    clf.fit(*data)
    ((before, after),) = seen
    assert len(after) == 2 + 4
    assert all(not torch.equal(before[name], after[name]) for name in after)
    alone = learner(max_epochs=4).fit(*data)
    names = [name for name, _ in clf.student_.network_.named_parameters()]
    assert names == [name for name, _ in alone.network_.named_parameters()]
    assert hooks(clf.student_.network_) == []
    # drawn under the estimator's seed, and apart from the student's weights
    again = clf.clone().fit(*data)
    for name, value in seen[1][0].items():
        assert torch.equal(value, before[name])
    np.testing.assert_array_equal(again.predict_proba(data[0]), clf.predict_proba(data[0]))


def test_global_generators_are_not_touched(data, teacher):
    torch.manual_seed(1)
    state = torch.get_rng_state()
    distil(FrozenEstimator(teacher), TERMS).fit(*data)
    assert torch.equal(torch.get_rng_state(), state)


def test_the_teacher_is_unchanged(data):
    X, y = data
    module = OwnNetwork(1, 24, 3).train()
    before = copy.deepcopy(module.state_dict())
    term = FitNets(teacher_layer="gru")
    distil(module, [term]).fit(X, y)
    assert module.training
    assert hooks(module) == []
    for name, value in module.state_dict().items():
        assert torch.equal(value, before[name])
    clf = SkorchClassifier.from_module(module, np.unique(y))
    expected = clf.predict_logits(X)
    distil(FrozenEstimator(clf), [term]).fit(X, y)
    assert hooks(clf.network_) == []
    np.testing.assert_array_equal(clf.predict_logits(X), expected)


def test_layers_of_student_and_teacher_are_those_named(data, teacher, monkeypatch):
    shapes = []

    def loss(student, teacher):
        shapes.append((tuple(student.shape[1:]), tuple(teacher.shape[1:])))
        return attention_transfer_loss(student, teacher)

    monkeypatch.setattr("sktime_tsd.losses._attention_transfer.attention_transfer_loss", loss)
    terms = [
        AttentionTransfer(student_layer="conv3", teacher_layer="inceptions.0"),
        AttentionTransfer(student_layer="gru", teacher_layer="inceptions.0.convolutions.1"),
        AttentionTransfer(student_layer="relu", teacher_layer="inceptions.1.convolutions.0"),
    ]
    student = SkorchClassifier(OwnNetwork, max_epochs=1)
    clf = distil(FrozenEstimator(teacher), terms, student=student).fit(*data)
    assert set(shapes) == {
        ((6, 11), (16, 24)),
        ((5, 11), (4, 24)),
        ((6, 11), (4, 24)),
    }
    names = ["attention_transfer", "attention_transfer_2", "attention_transfer_3"]
    assert set(names) <= set(clf.student_.history_[0])


def test_a_distilled_classifier_has_features_too(data, teacher):
    first = distil(FrozenEstimator(teacher), [KD()])
    for tutor in (first, FrozenEstimator(first.clone().fit(*data))):
        clf = distil(tutor, [AttentionTransfer(teacher_layer="blocks.0")]).fit(*data)
        assert "attention_transfer" in clf.student_.history_[0]


@pytest.mark.parametrize("fit_first", [False, True])
def test_a_teacher_without_features_is_refused_before_it_is_fitted(data, fit_first, monkeypatch):
    X, y = data
    tutor = (
        FrozenEstimator(flat(LogisticRegression()).fit(X, y))
        if fit_first
        else flat(LogisticRegression())
    )
    monkeypatch.setattr(LogisticRegression, "fit", None)
    message = r"FitNets\(.*teacher Pipeline.*features.*KD, DKD"
    with pytest.raises(TypeError, match=message):
        distil(tutor, [KD(), FitNets()]).fit(X, y)


@pytest.mark.parametrize(
    ("term", "message"),
    [
        (FitNets(student_layer="conv3"), "student.*FCN.*'conv3'.*'blocks.0.1'"),
        (FitNets(teacher_layer="lstm"), "teacher.*InceptionTime.*'lstm'.*'last'"),
        (MemKD(student_layer="blocks"), None),
    ],
)
def test_layers_are_checked_before_the_teacher_is_fitted(term, message, data, monkeypatch):
    monkeypatch.setattr(SkorchClassifier, "_fit", None)  # TypeError if it is called
    clf = distil(SkorchClassifier("inception_time", {"n_filters": 2, "depth": 1}), [term])
    with pytest.raises(TypeError if message is None else ValueError, match=message or "NoneType"):
        clf.fit(*data)


def test_a_single_time_point_has_no_memory(data):
    term = MemKD(student_layer="squeeze")
    clf = distil(SkorchClassifier("fcn"), [term], student=SkorchClassifier(OwnNetwork))
    with pytest.raises(ValueError, match=r"two time points.*student.* 1"):
        clf.fit(*data)


@pytest.mark.parametrize("top_n", [3, 5])
def test_top_n_must_leave_a_rest(top_n, data, monkeypatch):
    monkeypatch.setattr(SkorchClassifier, "_fit", None)
    clf = distil(
        learner(), [], saliency_weight=1, saliency_measure="top_n_kl", saliency_top_n=top_n
    )
    with pytest.raises(ValueError, match=rf"top_n={top_n}\b.*2"):
        clf.fit(*data)


@pytest.mark.parametrize(
    ("measure", "top_n"), [("decoupled_kl", 1), ("top_n_kl", 1), ("top_n_kl", 2)]
)
def test_the_papers_ablations_train(measure, top_n, data, teacher):
    clf = distil(
        FrozenEstimator(teacher),
        [],
        saliency_weight=1,
        saliency_measure=measure,
        saliency_top_n=top_n,
    ).fit(*data)
    assert clf.student_.history_[-1]["saliency"] > 0


def test_a_hint_stage_leaves_the_classifier_alone(data, teacher):
    # in the hint stage only what leads to the features is trained
    term = FitNets(hint_share=0.99)
    student = learner(max_epochs=2, weight_decay=0.0)
    clf = distil(FrozenEstimator(teacher), [term], student=student).fit(*data)
    longer = distil(FrozenEstimator(teacher), [FitNets(hint_share=0.01)], student=student)
    longer.fit(*data)
    untrained = student.clone().set_params(max_epochs=1, lr=1e-12)
    untrained = distil(FrozenEstimator(teacher), [KD()], student=untrained).fit(*data)
    weights = [c.student_.network_.network.linear.weight for c in (clf, longer, untrained)]
    assert (weights[0] - weights[2]).abs().max() < 0.3 * (weights[1] - weights[2]).abs().max()


def test_early_stopping_begins_with_the_task(data, teacher):
    # else it stops in the hint stage, or goes back to it: an untrained classifier
    student = learner(max_epochs=40, lr=1e-2, validation_fraction=0.2, patience=3)
    for seed in range(3):
        student.set_params(random_state=seed)
        clf = distil(FrozenEstimator(teacher), [FitNets(hint_share=0.5)], student=student)
        clf.fit(*data)
        history = clf.student_.history_frame()
        assert len(history) > 23
        assert clf.score(*data) > 0.6


def test_the_best_epoch_is_one_of_the_task(data, teacher, tmp_path):
    seen = []

    class Watch(Callback):
        def on_epoch_end(self, net, **kwargs):
            seen.append(net.history[-1])

    student = learner(max_epochs=10, batch_size=8, callbacks=[Watch()])
    term = FitNets(weight=1e-3, hint_share=0.55)  # a small loss, and a stage within an epoch
    distil(FrozenEstimator(teacher), [term], student=student).fit(*data)
    assert [row["train_loss_best"] for row in seen[:6]] == [False] * 5 + [True]
    assert all(row["train_loss"] < 0.1 for row in seen[:5])
    # where stages change, what is said is of the last
    assert seen[5]["train_loss"] == pytest.approx(seen[5]["cross_entropy"])
    assert np.isfinite(seen[5]["fitnets"])
    assert sum(row["train_loss_best"] for row in seen) > 1


@pytest.mark.parametrize("monitor", ["train_loss", "valid_loss"])
def test_early_stopping_of_a_user_begins_with_the_task_too(monitor, data, teacher):
    stop = EarlyStopping(monitor, patience=2, load_best=True)
    student = learner(max_epochs=30, lr=1e-2, validation_fraction=0.2, callbacks=[stop])
    term = FitNets(weight=1e-3, hint_share=0.5)
    clf = distil(FrozenEstimator(teacher), [term], student=student).fit(*data)
    assert len(clf.student_.history_) > 17
    assert clf.score(*data) > 0.6


class Watch(Callback):
    """Looks at the net in training; a class of the module, so that it pickles."""

    nets: ClassVar[list] = []

    def __init__(self, fails=False):
        self.fails = fails

    def on_epoch_end(self, net, **kwargs):
        assert hooks(net.module_)
        Watch.nets.append(net)
        if self.fails:
            raise RuntimeError("no space left")


@pytest.mark.parametrize("fails", [False, True])
def test_a_net_in_training_pickles_and_loses_its_hooks(fails, data, teacher, tmp_path):
    checkpoint = Checkpoint(monitor="train_loss_best", dirname=tmp_path, f_pickle="net.pkl")
    student = learner(max_epochs=2, callbacks=[checkpoint, Watch(fails)])
    clf = distil(FrozenEstimator(teacher), [RKD()], student=student)
    if fails:
        with pytest.raises(RuntimeError, match="no space left"):
            clf.fit(*data)
    else:
        clf.fit(*data)
    assert hooks(Watch.nets.pop().module_) == []
    assert (tmp_path / "net.pkl").exists()


@dataclass(frozen=True)
class OwnTerm(DistillationTerm):
    weight: float = 1.0
    name: ClassVar[str] = "own"

    def build(self):
        return nn.Identity()


def own_term(**attributes):
    kind = type("OwnTerm", (OwnTerm,), attributes)
    return kind(**({"weight": attributes["weight"]} if "weight" in attributes else {}))


@pytest.mark.parametrize(
    ("term", "message"),
    [
        (own_term(name=None), "OwnTerm.*name"),
        (own_term(name="epoch"), "name.*batches, cross_entropy"),
        (own_term(name="loss_best"), "name.*_best"),
        (DistillationTerm(), "DistillationTerm.*name"),
        (own_term(needs_features=True), "OwnTerm.*FeatureTerm"),
        (own_term(build=lambda self: print), r"OwnTerm.*nn\.Module"),
        (OwnTerm(weight=-1), "weight.*OwnTerm.*-1"),
        (OwnTerm(weight="1"), "weight.*OwnTerm.*'1'"),
    ],
)
def test_terms_of_a_user_are_checked_before_the_teacher_is_fitted(term, message, data, monkeypatch):
    monkeypatch.setattr(SkorchClassifier, "_fit", None)
    with pytest.raises((TypeError, ValueError), match=message):
        distil(learner(), [term]).fit(*data)


def test_equal_names_are_told_apart():
    @dataclass(frozen=True)
    class Second(OwnTerm):
        name: ClassVar[str] = "kd_2"

    names = DistillationCriterion([KD(), Second(), KD()]).names
    assert names == ["kd", "kd_2", "kd_3"]


def test_a_teacher_of_other_series_is_named(data):
    X, y = data
    module = nn.Sequential(nn.Flatten(), nn.Linear(20, 3))
    with pytest.raises(ValueError, match=r"teacher Sequential.*24 time points"):
        distil(module, [RKD(teacher_layer="1")]).fit(X, y)


def test_a_term_of_weight_zero_is_left_out(data, teacher):
    terms = [TemporalSaliency(weight=0), KD()]
    clf = distil(FrozenEstimator(teacher), terms).fit(*data)
    assert "saliency" not in clf.student_.history_[0]


@pytest.mark.slow
@pytest.mark.skipif(
    not any(map(shutil.which, ("c++", "g++", "clang++"))), reason="needs a C++ compiler"
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # inside torch's compiler
def test_a_compiled_student_has_the_same_features(data, teacher):
    # the same network was compiled before without hooks, and with others
    for terms in ([KD()], [AttentionTransfer(student_layer="blocks.0.0")], [AttentionTransfer()]):
        histories = []
        for compiled in (False, True):
            student = learner(max_epochs=2, compile=compiled)
            clf = distil(FrozenEstimator(teacher), terms, student=student).fit(*data)
            histories.append([row[terms[0].name] for row in clf.student_.history_])
        assert histories[0] == pytest.approx(histories[1], abs=1e-4)
        assert histories[0][0] > 0.01


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("most_bytes", [0, 2**28], ids=["per batch", "held"])
def test_terms_train_on_cuda_and_predict_on_the_cpu(data, teacher, most_bytes, monkeypatch):
    monkeypatch.setattr(_features, "_MOST_BYTES_HELD", most_bytes)
    X, y = data
    histories = []
    for device in ("cpu", "cuda"):
        student = learner(max_epochs=20)
        clf = distil(
            FrozenEstimator(teacher), TERMS, student=student, saliency_weight=1, device=device
        ).fit(X, y)
        histories.append(clf.student_.history_frame())
    assert clf.student_.network_.mean.device.type == "cuda"
    first = [frame.drop(columns="dur").iloc[0] for frame in histories]
    assert first[0].to_dict() == pytest.approx(first[1].to_dict(), rel=0.05, abs=0.01)
    on_cpu = pickle.loads(pickle.dumps(clf.student_)).set_params(device="cpu")
    on_cpu.network_.cpu()
    np.testing.assert_allclose(on_cpu.predict_proba(X), clf.predict_proba(X), atol=1e-4)
