"""Copies that differ in one window: reading them in part equals reading them whole."""

import copy
import itertools

import pytest
import torch
from torch import nn

from sktime_tsd.networks import FCN, LSTM, InceptionTime, ScaledNetwork, forward_copies
from sktime_tsd.networks import _fcn as fcn_module
from sktime_tsd.networks import _lstm as lstm_module
from sktime_tsd.networks._copies import read_whole
from sktime_tsd.networks._joint_batch_norm import joint_batch_norm_relu

NETWORKS = {
    "fcn": lambda c, t: FCN(c, t, 3, (4, 6, 5)),
    "fcn, even kernels": lambda c, t: FCN(c, t, 2, (3, 4), (4, 6)),
    "fcn, long kernels": lambda c, t: FCN(c, t, 2, (3, 4), (2 * t, 5)),
    "fcn, kernel of one": lambda c, t: FCN(c, t, 2, (3,), (1,)),
    "lstm": lambda c, t: LSTM(c, t, 3, hidden_size=5, num_layers=1),
    "lstm, stacked": lambda c, t: LSTM(c, t, 2, hidden_size=4, num_layers=3),
    "inception_time": lambda c, t: InceptionTime(c, t, 2, 2, 3, (5, 3), 2),
}
# n, n_copies, n_channels, n_timepoints, width
SIZES = [(3, 4, 1, 20, 5), (2, 7, 3, 31, 4), (1, 1, 2, 9, 9), (4, 3, 1, 12, 1), (2, 2, 1, 6, 5)]


@pytest.fixture(autouse=True)
def in_part(monkeypatch):
    """Read in part, whether or not it pays for such small data."""
    monkeypatch.setattr(fcn_module, "_LEAST_SAVED", 0)
    monkeypatch.setattr(lstm_module, "_VALUES_PER_PIECE", 40)


def windows(n, n_copies, n_channels, n_timepoints, width, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, n_channels, n_timepoints, generator=generator, dtype=dtype)
    starts = torch.randint(n_timepoints - width + 1, (n, n_copies), generator=generator)
    starts[0, 0], starts[-1, -1] = 0, n_timepoints - width  # both ends
    fillers = torch.randn(n, n_copies, n_channels, width, generator=generator, dtype=dtype)
    return x, starts, fillers


def loop(network, x, starts, fillers):
    """Logits of each series and copy, made one by one; as one batch, for batch norm."""
    series = list(x)
    for i, j in itertools.product(*map(range, starts.shape)):
        one = x[i].clone()
        one[:, starts[i, j] : starts[i, j] + fillers.shape[-1]] = fillers[i, j]
        series.append(one)
    logits = network(torch.stack(series))
    return logits[: len(x)], logits[len(x) :].unflatten(0, starts.shape)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("name", NETWORKS)
def test_logits_gradients_and_statistics_equal_those_of_the_loop(name, sizes, training):
    torch.manual_seed(1)
    x, starts, fillers = windows(*sizes)
    if sizes[0] > 1:
        x = torch.cat([x, torch.randn_like(x[1:])])  # series without copies
    scale = torch.full((sizes[2], 1), 2.0, dtype=torch.float64)
    plain = ScaledNetwork(NETWORKS[name](*sizes[2:4]), scale / 3, scale).double().train(training)
    fast = copy.deepcopy(plain)
    weights = torch.randn(2, dtype=torch.float64)
    found = []
    for network, function in ((plain, loop), (fast, forward_copies)):
        logits, copies_logits = function(network, x, starts, fillers)
        loss = weights[0] * logits.square().sum() + weights[1] * copies_logits.sin().sum()
        loss.backward()
        gradients = [parameter.grad for parameter in network.parameters()]
        found.append([logits, copies_logits, *gradients, *network.buffers()])
    for expected, value in zip(*found, strict=True):
        torch.testing.assert_close(value, expected, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("name", ["fcn", "lstm"])
def test_single_precision_is_as_good_as_the_whole_reading(name):
    torch.manual_seed(0)
    x, starts, fillers = windows(8, 10, 1, 100, 10, dtype=torch.float32)
    network = NETWORKS[name](1, 100)
    whole = read_whole(network.eval(), x, starts, fillers)
    part = forward_copies(network, x, starts, fillers)
    for a, b in zip(whole, part, strict=True):
        assert (a - b).abs().max() < 1e-5


@pytest.mark.parametrize("name", ["fcn", "lstm"])
def test_copies_do_not_depend_on_those_beside_them(name):
    torch.manual_seed(0)
    x, starts, fillers = windows(4, 6, 2, 30, 4)
    network = NETWORKS[name](2, 30).double().eval()
    _, together = forward_copies(network, x, starts, fillers)
    _, alone = forward_copies(network, x[2:3], starts[2:3, 3:4], fillers[2:3, 3:4])
    torch.testing.assert_close(together[2, 3], alone[0, 0])


def spied(monkeypatch, kind):
    """Count the calls of a network's own method."""
    calls = []
    original = kind.forward_copies

    def forward_copies(self, *arguments):
        calls.append(arguments)
        return original(self, *arguments)

    monkeypatch.setattr(kind, "forward_copies", forward_copies)
    return calls


def test_the_networks_own_method_is_used(monkeypatch):
    calls = spied(monkeypatch, FCN)
    forward_copies(ScaledNetwork(FCN(1, 20, 2)), *windows(2, 3, 1, 20, 4, dtype=torch.float32))
    assert len(calls) == 1


class Doubled(FCN):
    def forward(self, x):
        return 2 * super().forward(x)


class Shifted(LSTM):
    def features(self, x):
        return super().features(x) + 1


@pytest.mark.parametrize("kind", [Doubled, Shifted])
def test_a_subclass_that_changes_the_forward_pass_is_called(kind, monkeypatch):
    calls = spied(monkeypatch, kind.__bases__[0])
    network = kind(1, 20, 2).eval()
    given = windows(2, 3, 1, 20, 4, dtype=torch.float32)
    _, found = forward_copies(network, *given)
    torch.testing.assert_close(found, loop(network, *given)[1])
    assert not calls


def test_hooks_see_a_call():
    network, seen = FCN(1, 20, 2), []
    network.linear.register_forward_hook(lambda *call: seen.append(call))
    forward_copies(ScaledNetwork(network), *windows(2, 3, 1, 20, 4, dtype=torch.float32))
    assert len(seen) == 1


def test_backward_hooks_see_a_call():
    network, seen = FCN(1, 20, 2), []
    network.blocks[0].register_full_backward_hook(lambda *call: seen.append(call))
    x, starts, fillers = windows(2, 3, 1, 20, 4, dtype=torch.float32)
    logits, _ = forward_copies(ScaledNetwork(network), x.requires_grad_(), starts, fillers)
    logits.sum().backward()
    assert len(seen) == 1


class Residual(nn.Sequential):
    def forward(self, x):
        for block in self:
            y = block(x)
            x = x + y if x.shape == y.shape else y
        return x


def residual_fcn():
    network = FCN(1, 20, 2, (4, 4), (3, 3))
    network.blocks = Residual(*network.blocks)
    return network


def fcn_with_its_own_forward():
    network = FCN(1, 20, 2)
    original = network.forward
    network.forward = lambda x: 2 * original(x)
    return network


@pytest.mark.parametrize("make", [residual_fcn, fcn_with_its_own_forward])
def test_a_network_that_was_changed_is_called(make):
    network = make().double().eval()
    given = windows(3, 4, 1, 20, 5)
    for a, b in zip(forward_copies(network, *given), loop(network, *given), strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize(
    ("block", "place", "layer"),
    [
        (0, 1, nn.Identity()),
        (1, 1, nn.BatchNorm1d(6, affine=False)),
        (1, 1, nn.BatchNorm1d(6, track_running_stats=False)),
        (1, 1, nn.BatchNorm1d(6, momentum=None)),
        (2, 2, nn.Tanh()),
        (1, 0, nn.Conv1d(4, 6, 5, padding=4, dilation=2)),
        (2, 3, nn.Dropout(0.0)),
    ],
)
def test_a_network_with_another_layer_is_read_whole(block, place, layer):
    network = NETWORKS["fcn"](1, 20)
    parts = list(network.blocks[block])
    parts[place : place + 1] = [layer]
    network.blocks[block] = nn.Sequential(*parts)
    network.double().train()
    other = copy.deepcopy(network)
    given = windows(3, 4, 1, 20, 5)
    for a, b in zip(forward_copies(network, *given), loop(other, *given), strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported")
@pytest.mark.parametrize("settings", [{"bidirectional": True}, {"dropout": 0.5}, {"proj_size": 3}])
def test_another_lstm_is_read_whole(settings):
    network = LSTM(1, 20, 2, hidden_size=4, num_layers=2)
    network.lstm = nn.LSTM(1, 4, 2, batch_first=True, **settings)
    width = network.lstm(torch.zeros(1, 2, 1))[1][0].shape[-1]
    network.linear = nn.Linear(width, 2)
    network.double().eval()
    given = windows(3, 4, 1, 20, 5)
    for a, b in zip(forward_copies(network, *given), loop(network, *given), strict=True):
        torch.testing.assert_close(a, b)


def test_the_gradient_of_joint_batch_norm_is_exact():
    generator = torch.Generator().manual_seed(0)
    z, z_patches = (
        torch.randn(2, n, t, generator=generator, dtype=torch.float64, requires_grad=True)
        for n, t in ((3, 6), (6, 4))
    )
    multiplicity = torch.randint(1, 4, (3, 6), generator=generator).double()
    norm = nn.BatchNorm1d(2).double()
    nn.init.uniform_(norm.weight, 0.5, 2)

    def function(z, z_patches, weight, bias):
        held = nn.BatchNorm1d(2).double()
        del held.weight, held.bias
        held.weight, held.bias = weight, bias
        return tuple(joint_batch_norm_relu(held, z, z_patches, multiplicity))

    assert torch.autograd.gradcheck(function, (z, z_patches, norm.weight, norm.bias))


def test_small_data_are_read_whole_and_large_ones_in_part(monkeypatch):
    monkeypatch.undo()
    network = FCN(1, 100, 2, (8, 16, 8))
    assert network._n_saved(4, 24, 2) < fcn_module._LEAST_SAVED
    assert network._n_saved(160, 100, 10) >= fcn_module._LEAST_SAVED
    assert LSTM(1, 24, 2, 16, 1)._n_pieces(20 * 24) == 1
    assert LSTM(1, 100, 2)._n_pieces(1600 * 100) == lstm_module._MOST_PIECES
