"""The shortest time that a training step can take on a device."""

import torch
from torch.utils.flop_counter import FlopCounterMode

from sktime_tsd.benchmark.cost._timing import seconds, wait_for

__all__ = ["step_floor"]


def step_floor(network, x):
    """Estimate the shortest time of a network's forward and backward pass on its device.

    This is the larger of two times: the network's multiplications at the rate of a large matrix
    product, as far as torch counts them (it does not count an LSTM's); and writing and reading
    once, at the rate of a copy, the values that its layers keep for the backward pass.

    Parameters
    ----------
    network : nn.Module
        In train mode.
    x : torch.Tensor of shape (n, n_channels, n_timepoints)

    Returns
    -------
    floor : float
        In seconds.
    """
    kept = []

    def pack(tensor):
        kept.append(tensor.numel() * tensor.element_size())
        return tensor

    with (
        FlopCounterMode(display=False) as counter,
        torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor),
    ):
        network(x).sum().backward()
    size = 2048
    matrix, large = x.new_ones(size, size), x.new_ones(2**24)
    product = _fastest_seconds(lambda: matrix @ matrix, x.device)
    copying = _fastest_seconds(large.clone, x.device)
    arithmetic = counter.get_total_flops() * product / (2 * size**3)
    # a copy reads and writes each byte, just like storing it and reading it back
    memory = sum(kept) * copying / (large.numel() * large.element_size())
    return max(arithmetic, memory)


def _fastest_seconds(function, device, repeats=5):
    def run():
        function()
        wait_for(device)

    return min(seconds(run) for _ in range(repeats))
