"""Parameter counts by hand, shapes, and independence of a series from its batch."""

import numpy as np
import pytest
import torch
from torch import nn

from sktime_tsd.networks import (
    FCN,
    LSTM,
    NETWORKS,
    InceptionTime,
    ScaledNetwork,
    build_network,
    channel_statistics,
    n_parameters,
)


def lstm_parameters(n_channels, hidden_size, num_layers, n_classes):
    """Four gates of input weights, recurrent weights and two biases for each layer."""
    n = 0
    for layer in range(num_layers):
        n_in = n_channels if layer == 0 else hidden_size
        n += 4 * hidden_size * (n_in + hidden_size + 2)
    return n + hidden_size * n_classes + n_classes


@pytest.mark.parametrize(
    ("hidden_size", "num_layers", "published"),
    [(100, 3, 203_002), (8, 1, 370), (16, 1, 1_250), (32, 1, 4_546)],
)
def test_lstm_has_the_papers_parameters(hidden_size, num_layers, published):
    network = LSTM(1, 100, 2, hidden_size=hidden_size, num_layers=num_layers)
    assert n_parameters(network) == published
    assert published == lstm_parameters(1, hidden_size, num_layers, 2)
    assert n_parameters(LSTM(6, 9, 4, 5, 2)) == lstm_parameters(6, 5, 2, 4)


def test_fcn_has_the_parameters_counted_by_hand():
    # convolution weights and biases, batch norm's scale and shift, linear
    by_hand = (3 * 4 * 8 + 4 + 8) + (4 * 6 * 5 + 6 + 12) + (6 * 2 + 2)
    assert n_parameters(FCN(3, 50, 2, filters=(4, 6), kernel_sizes=(8, 5))) == by_hand
    assert n_parameters(FCN(1, 50, 2, filters=(8, 16, 8))) == 1_202


def test_inception_time_has_the_parameters_counted_by_hand():
    def module(n_in, f, bottleneck):
        squeezed = bottleneck if n_in > 1 else 1
        n = n_in * bottleneck if n_in > 1 else 0
        n += squeezed * f * (40 + 20 + 10)  # three lengths, no biases
        n += n_in * f  # after the pooling
        return n + 2 * 4 * f  # batch norm

    f, bottleneck = 4, 5
    shortcut = 1 * 4 * f + 2 * 4 * f
    by_hand = module(1, f, bottleneck) + 2 * module(4 * f, f, bottleneck) + shortcut
    by_hand += 4 * f * 3 + 3
    network = InceptionTime(1, 30, 3, n_filters=f, depth=3, bottleneck_size=bottleneck)
    assert n_parameters(network) == by_hand


def test_inception_time_defaults_are_the_published_ones():
    network = InceptionTime(1, 100, 2)
    assert len(network.inceptions) == 6
    assert len(network.shortcuts) == 2
    assert network.features(torch.zeros(1, 1, 100)).shape == (1, 4 * 32, 100)
    sizes = [convolution.kernel_size[0] for convolution in network.inceptions[0].convolutions]
    assert sizes == [40, 20, 10]


def test_inception_time_rectifies_after_the_residual_sum():
    """With inceptions that give nothing, what is left is relu(shortcut)."""
    torch.manual_seed(0)
    network = InceptionTime(1, 12, 2, n_filters=2, depth=3).eval()
    with torch.no_grad():
        for inception in network.inceptions:
            inception.norm.weight.zero_()
            inception.norm.bias.zero_()
    x = torch.randn(4, 1, 12)
    shortcut = network.shortcuts[0](x)
    assert (shortcut < 0).any()
    torch.testing.assert_close(network.features(x), shortcut.clamp(min=0))


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("n_channels", [1, 3])
@pytest.mark.parametrize("n_timepoints", [1, 2, 5, 31])
def test_logits_do_not_depend_on_the_rest_of_the_batch(name, n_channels, n_timepoints):
    torch.manual_seed(0)
    network = NETWORKS[name](n_channels, n_timepoints, 4)
    network(torch.randn(16, n_channels, n_timepoints))  # moves batch norm off its start
    network.eval()
    x = torch.randn(9, n_channels, n_timepoints)
    with torch.no_grad():
        together = network(x)
        alone = torch.cat([network(x[i : i + 1]) for i in range(len(x))])
        reversed_order = network(x.flip(0)).flip(0)
    assert together.shape == (9, 4)
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(together, reversed_order, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", NETWORKS)
def test_features_keep_time_and_lead_to_the_logits(name):
    torch.manual_seed(0)
    network = NETWORKS[name](2, 17, 3).eval()
    x = torch.randn(5, 2, 17)
    with torch.no_grad():
        features = network.features(x)
        assert features.shape[0] == 5
        assert features.shape[2] == 17
        pooled = features[..., -1] if name == "lstm" else features.mean(-1)
        torch.testing.assert_close(network.linear(pooled), network(x))


@pytest.mark.parametrize("n_channels", [1, 3])
@pytest.mark.parametrize("kernel_size", [1, 2, 3, 8, 10, 21, 40])
def test_convolutions_keep_the_length_and_match_padding_by_hand(kernel_size, n_channels):
    torch.manual_seed(0)
    network = FCN(n_channels, 10, 2, filters=(3,), kernel_sizes=(kernel_size,))
    convolution = network.blocks[0][0]
    x = torch.randn(2, n_channels, 10, requires_grad=True)
    left, right = kernel_size // 2, (kernel_size - 1) // 2
    padded = nn.functional.pad(x, (left, right))
    by_hand = nn.functional.conv1d(padded, convolution.weight, convolution.bias)
    y = convolution(x)
    torch.testing.assert_close(y, by_hand)
    inputs = (x, convolution.weight, convolution.bias)
    towards = torch.randn(y.shape)
    for found, expected in zip(
        torch.autograd.grad(y, inputs, towards),
        torch.autograd.grad(by_hand, inputs, towards),
        strict=True,
    ):
        torch.testing.assert_close(found, expected)


def test_scaled_network_standardises_each_channel():
    rng = np.random.RandomState(0)
    x = torch.tensor(rng.randn(50, 2, 20) * [[1000.0], [0.01]] + [[5.0], [-3.0]]).float()
    mean, std = channel_statistics(x)
    np.testing.assert_allclose(mean[:, 0], x.double().mean((0, 2)), rtol=1e-5)

    class Probe(nn.Module):
        def forward(self, x):
            return x

    scaled = ScaledNetwork(Probe(), mean, std)(x)
    assert scaled.mean((0, 2)).abs().max() < 1e-3
    assert (scaled.std((0, 2)) - 1).abs().max() < 1e-3


def test_a_constant_channel_is_left_in_its_units():
    x = torch.full((5, 1, 7), 1e4) + 0.1
    mean, std = channel_statistics(x)
    assert std.item() == 1
    assert ((x - mean) / std).abs().max() < 1e-2


def test_scaling_is_in_the_state_of_the_network():
    network = ScaledNetwork(FCN(2, 9, 2), torch.ones(2, 1), torch.full((2, 1), 3.0))
    assert {"mean", "std"} <= set(network.state_dict())


def test_building_leaves_batch_norm_as_it_was():
    """The trial run that checks the shape must not count as training."""
    built = build_network("fcn", 1, 20, 2)
    assert built.training
    for module in built.modules():
        if isinstance(module, nn.BatchNorm1d):
            assert module.num_batches_tracked == 0


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("fcn", {"filters": (4,)}),
        ("fcn", {"filters": (), "kernel_sizes": ()}),
        ("fcn", {"filters": (4, 0, 4)}),
        ("inception_time", {"depth": 0}),
        ("inception_time", {"kernel_sizes": (0,)}),
    ],
)
def test_impossible_sizes_are_refused(name, params):
    with pytest.raises(ValueError, match=r"filters|depth"):
        build_network(name, 1, 20, 2, params)
