"""1-D convolution with "same" padding, for kernels of any length."""

import torch
from torch import nn
from torch.nn import functional as F

__all__ = ["SameConv1d"]

# From this kernel length on, torch's convolution on a CPU is faster on channels-last memory: see
# `python -m sktime_tsd.benchmark.cost.kernels`.
_LONG_KERNEL = 10


class SameConv1d(nn.Conv1d):
    """1-D convolution with stride 1 whose output has as many time points as its input.

    For kernels of even length, torch's ``padding="same"`` copies the input and warns. Here the
    one surplus output is dropped instead.

    Parameters
    ----------
    in_channels, out_channels, kernel_size : int
    bias : bool, default=True
    """

    def __init__(self, in_channels, out_channels, kernel_size, bias=True):
        super().__init__(
            in_channels, out_channels, kernel_size, padding=kernel_size // 2, bias=bias
        )

    def forward(self, x):
        """Convolve.

        Parameters
        ----------
        x : torch.Tensor of shape (n, in_channels, n_timepoints)

        Returns
        -------
        y : torch.Tensor of shape (n, out_channels, n_timepoints)
        """
        is_long = x.device.type == "cpu" and self.kernel_size[0] >= _LONG_KERNEL
        y = self._channels_last(x) if is_long else super().forward(x)
        return y[..., : x.shape[-1]]

    def _channels_last(self, x):
        x = x.unsqueeze(2).contiguous(memory_format=torch.channels_last)
        weight, padding = self.weight.unsqueeze(2), (0, self.padding[0])
        return F.conv2d(x, weight, self.bias, padding=padding).squeeze(2)
