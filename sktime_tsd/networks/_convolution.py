"""1-D convolution with "same" padding, for kernels of any length."""

import torch
from torch import nn
from torch.nn import functional as F

__all__ = ["SameConv1d", "same_convolution"]

# From this kernel length on, torch's convolution on a CPU is faster on channels-last memory: see
# `python -m sktime_tsd.benchmark.cost.kernels`.
_LONG_KERNEL = 10


def same_convolution(x, weight, bias=None, *, kernel_size=None, dilation=1, groups=1):
    """Convolve along time with stride 1, so that the length stays.

    For kernels of even length, torch's ``padding="same"`` copies the input and warns. Here the
    one surplus output is dropped instead.

    Parameters
    ----------
    x : torch.Tensor of shape (n, in_channels, n_timepoints)
    weight : torch.Tensor of shape (out_channels, in_channels / groups, kernel_size)
    bias : torch.Tensor of shape (out_channels,), optional
    kernel_size : int, optional
        That of `weight`, as a number: while torch traces, its shape holds none.
    dilation : int, default=1
        Time points from one value under the kernel to the next.
    groups : int, default=1
        See ``torch.nn.Conv1d``.

    Returns
    -------
    y : torch.Tensor of shape (n, out_channels, n_timepoints)
    """
    kernel_size = weight.shape[2] if kernel_size is None else kernel_size
    is_long = x.device.type == "cpu" and kernel_size >= _LONG_KERNEL
    padding = same_padding(kernel_size, dilation)
    if is_long and dilation > 1:
        return _folded(x, weight, bias, padding, dilation, groups)
    if is_long:
        x_image = x.unsqueeze(2).contiguous(memory_format=torch.channels_last)
        weight = weight.unsqueeze(2)
        y = F.conv2d(x_image, weight, bias, padding=(0, padding), groups=groups).squeeze(2)
    else:
        y = F.conv1d(x, weight, bias, padding=padding, dilation=dilation, groups=groups)
    return y[..., : x.shape[-1]]


def _folded(x, weight, bias, padding, dilation, groups):
    """Convolve with dilation: every dilation-th time point makes a row of an image.

    Three times faster for depthwise convolutions than torch's with dilation.
    """
    n_timepoints = x.shape[-1]
    surplus = -(n_timepoints + 2 * padding) % dilation
    rows = F.pad(x, (padding, padding + surplus)).unflatten(2, (-1, dilation)).transpose(2, 3)
    rows = rows.contiguous(memory_format=torch.channels_last)
    y = F.conv2d(rows, weight.unsqueeze(2), bias, groups=groups)  # (n, channels, dilation, ...)
    return y.transpose(2, 3).flatten(2)[..., :n_timepoints]


def same_padding(kernel_size, dilation=1):
    """Compute how many zeros to add at each end: half the time points a kernel spans."""
    return (dilation * (kernel_size - 1) + 1) // 2


class SameConv1d(nn.Conv1d):
    """1-D convolution with stride 1 whose output has as many time points as its input.

    Parameters
    ----------
    in_channels, out_channels, kernel_size : int
    bias : bool, default=True
    dilation, groups : int, default=1
        See ``torch.nn.Conv1d``.
    """

    def __init__(self, in_channels, out_channels, kernel_size, bias=True, dilation=1, groups=1):
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            padding=same_padding(kernel_size, dilation),
            dilation=dilation,
            groups=groups,
            bias=bias,
        )

    def forward(self, x):
        """Convolve; see `same_convolution`.

        Parameters
        ----------
        x : torch.Tensor of shape (n, in_channels, n_timepoints)

        Returns
        -------
        y : torch.Tensor of shape (n, out_channels, n_timepoints)
        """
        return same_convolution(
            x,
            self.weight,
            self.bias,
            kernel_size=self.kernel_size[0],
            dilation=self.dilation[0],
            groups=self.groups,
        )
