"""LITE: the published count of parameters, its fixed filters, and a slow reference."""

import numpy as np
import pytest
import torch
from helpers import random_panel
from sklearn.metrics import accuracy_score

from sktime_tsd import (
    SaliencyDistilledClassifier,
    SkorchClassifier,
    load_model,
    save_model,
    to_onnx,
)
from sktime_tsd.losses import FitNets
from sktime_tsd.networks import LITE, n_parameters
from sktime_tsd.networks._convolution import same_convolution
from sktime_tsd.networks._lite import fixed_filters
from sktime_tsd.runtime import OnnxClassifier

SMALL = {"n_filters": 4, "kernel_size": 12}


def convolve_by_hand(x, weight, dilation, groups):
    """Sum over channels and kernel, value by value; zeros stand beyond the ends."""
    n, _, n_timepoints = x.shape
    n_out, per_group, size = weight.shape
    left = (dilation * (size - 1) + 1) // 2
    y = np.zeros((n, n_out, n_timepoints))
    for out in range(n_out):
        first = out // (n_out // groups) * per_group
        for t in range(n_timepoints):
            for k in range(size):
                at = t - left + k * dilation
                if 0 <= at < n_timepoints:
                    y[:, out, t] += x[:, first : first + per_group, at] @ weight[out, :, k]
    return y


@pytest.mark.parametrize("n_timepoints", [1, 7, 30])
@pytest.mark.parametrize("groups", [1, 4])
@pytest.mark.parametrize(("size", "dilation"), [(1, 3), (5, 2), (10, 1), (10, 4), (13, 3), (20, 2)])
def test_dilated_convolutions_are_those_by_hand(size, dilation, groups, n_timepoints):
    rng = np.random.RandomState(size)
    x, weight = rng.randn(2, 4, n_timepoints), rng.randn(8, 4 // groups, size)
    found = same_convolution(
        torch.from_numpy(x), torch.from_numpy(weight), dilation=dilation, groups=groups
    )
    np.testing.assert_allclose(found, convolve_by_hand(x, weight, dilation, groups), atol=1e-12)


def test_a_univariate_network_has_the_published_parameters():
    network = LITE(1, 150, 2)
    assert n_parameters(network) - n_parameters(network.linear) == 9_814
    # three lengths; depthwise and pointwise twice; batch norms; linear
    first = 3 * 32 + 17
    by_hand = 32 * (40 + 20 + 10) + first * 20 + first * 32 + 32 * 10 + 32 * 32
    assert n_parameters(network) == by_hand + 2 * (first + 32 + 32) + 32 * 2 + 2 == 9_880


def test_a_multivariate_network_has_the_parameters_counted_by_hand():
    c, f = 3, 4
    first = 3 * f + 17 * c
    by_hand = c * (12 + 6 + 3) + 3 * c * f  # separable, three lengths
    by_hand += first * 6 + first * f + f * 3 + f * f + 2 * (first + 2 * f) + f * 5 + 5
    assert n_parameters(LITE(c, 50, 5, **SMALL)) == by_hand


def test_fixed_filters_answer_to_what_they_detect():
    filters = fixed_filters()
    assert [len(one) for one in filters] == [2, 4, 8, 16, 32, 64] * 2 + [6, 12, 24, 48, 96]
    for one in filters:
        assert one.sum() == pytest.approx(0, abs=1e-5)  # none to a constant
    increase, decrease, peak = filters[0], filters[6], filters[12]
    assert increase.tolist() == [-1, 1]
    assert decrease.tolist() == [1, -1]
    assert peak.tolist() == [-1, -1, 2, 2, -1, -1]
    np.testing.assert_allclose(filters[13][:4], [-0.25, -1, -1, -0.25])
    np.testing.assert_allclose(filters[13][4:8], [0.5, 2, 2, 0.5])


@pytest.mark.parametrize("n_channels", [1, 2])
def test_logits_are_those_of_a_slow_reference(n_channels):
    torch.manual_seed(0)
    network = LITE(n_channels, 40, 3, **SMALL).double()
    network(torch.randn(9, n_channels, 40).double())  # moves batch norm off its start
    network.eval()
    x = np.random.RandomState(1).randn(2, n_channels, 40)

    def numbers(tensor):
        return tensor.detach().numpy()

    def norm(module, y):
        mean, var, scale, shift = map(
            numbers, (module.running_mean, module.running_var, module.weight, module.bias)
        )
        y = (y - mean[:, None]) / np.sqrt(var[:, None] + module.eps)
        return np.maximum(y * scale[:, None] + shift[:, None], 0)

    def separable(module, y, dilation=1):
        y = convolve_by_hand(y, numbers(module[0].weight), dilation, y.shape[1])
        return convolve_by_hand(y, numbers(module[1].weight), 1, 1)

    if n_channels == 1:
        first = [convolve_by_hand(x, numbers(c.weight), 1, 1) for c in network.convolutions]
    else:
        first = [separable(c, x) for c in network.convolutions]
    for channel in range(n_channels):
        for one in fixed_filters():
            weight = numbers(one.double())[None, None]
            fixed = convolve_by_hand(x[:, [channel]], weight, 1, 1)
            first.append(np.maximum(fixed, 0))
    y = norm(network.norm, np.concatenate(first, axis=1))
    y = norm(network.blocks[1], separable(network.blocks[0], y, dilation=2))
    y = norm(network.blocks[4], separable(network.blocks[3], y, dilation=4))
    expected = y.mean(axis=2) @ numbers(network.linear.weight).T + numbers(network.linear.bias)
    np.testing.assert_allclose(numbers(network(torch.from_numpy(x))), expected, atol=1e-10)


def test_fixed_filters_are_not_trained_but_saved(tmp_path):
    X, y = random_panel(20)
    clf = SkorchClassifier("lite", SMALL, max_epochs=25, lr=1e-2, random_state=0).fit(X, y)
    fixed = clf.network_.network.fixed.weight
    torch.testing.assert_close(fixed, LITE(1, 20, 2).fixed.weight)
    assert accuracy_score(y, clf.predict(X)) > 0.9
    loaded = load_model(save_model(clf, tmp_path / "model"))
    np.testing.assert_array_equal(loaded.predict_proba(X), clf.predict_proba(X))
    onnx = OnnxClassifier(to_onnx(clf, tmp_path / "lite.onnx", X))
    np.testing.assert_allclose(onnx.predict_proba(X), clf.predict_proba(X), atol=1e-5)


def test_lite_is_teacher_and_student():
    X, y = random_panel(16)
    lite = SkorchClassifier("lite", SMALL, max_epochs=2)
    settings = {"n_windows": 2, "bank_size": 4, "distillation": [FitNets()], "random_state": 0}
    clf = SaliencyDistilledClassifier(lite, lite, **settings).fit(X, y)
    assert {"saliency", "fitnets"} <= set(clf.student_.history_[-1])


@pytest.mark.parametrize("params", [{"n_filters": 0}, {"kernel_size": 3}])
def test_sizes_that_leave_no_filter_are_refused(params):
    with pytest.raises(ValueError, match=f"{next(iter(params))}={next(iter(params.values()))}"):
        LITE(1, 20, 2, **params)
