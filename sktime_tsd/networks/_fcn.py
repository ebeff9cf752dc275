"""Fully convolutional network (FCN)."""

import torch
import torch.nn.functional as F
from torch import nn

from sktime_tsd.networks._convolution import SameConv1d
from sktime_tsd.networks._copies import read_whole
from sktime_tsd.networks._joint_batch_norm import joint_batch_norm_relu
from sktime_tsd.networks._patches import Patches, convolve

__all__ = ["FCN"]

# Computing copies in part pays only if it saves at least this many hidden values: working out
# which ones to skip takes about as long as computing this many.
_LEAST_SAVED = 2**18


class FCN(nn.Module):
    """Fully convolutional network: blocks of convolution, batch norm and ReLU.

    The output of the last block is averaged over time and passed to one linear layer.

    Parameters
    ----------
    n_channels : int
        Channels of a series.
    n_timepoints : int
        Length of a series. Not used: the network accepts any length.
    n_classes : int
    filters : tuple of int, default=(128, 256, 128)
        Output channels of each block.
    kernel_sizes : tuple of int, default=(8, 5, 3)
        Kernel length of each block, in time points.

    Raises
    ------
    ValueError
        If `filters` and `kernel_sizes` differ in length, are empty, or have entries below 1.

    References
    ----------
    Wang, Yan, Oates, "Time series classification from scratch with deep neural
    networks", IJCNN 2017.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.networks import FCN
    >>> student = FCN(1, 150, 2, filters=(8, 16, 8))
    >>> sum(p.numel() for p in student.parameters())
    1202
    >>> student(torch.randn(5, 1, 150)).shape
    torch.Size([5, 2])
    """

    feature_layer = "blocks"

    def __init__(
        self,
        n_channels,
        n_timepoints,
        n_classes,
        filters=(128, 256, 128),
        kernel_sizes=(8, 5, 3),
    ):
        super().__init__()
        for name, sizes in (("filters", filters), ("kernel_sizes", kernel_sizes)):
            if not isinstance(sizes, (tuple, list)):
                raise ValueError(f"FCN: {name} must be a tuple of integers, got {sizes!r}.")
        if not filters or len(filters) != len(kernel_sizes):
            raise ValueError(
                "filters and kernel_sizes must have one entry per block, so set both; "
                f"got {filters!r} and {kernel_sizes!r}."
            )
        if min(*filters, *kernel_sizes) < 1:
            raise ValueError(
                "filters and kernel_sizes must be positive integers, "
                f"got {filters!r} and {kernel_sizes!r}."
            )
        widths = (n_channels, *filters)
        self.blocks = nn.Sequential(
            *(
                nn.Sequential(
                    SameConv1d(n_in, n_out, kernel_size), nn.BatchNorm1d(n_out), nn.ReLU()
                )
                for n_in, n_out, kernel_size in zip(
                    widths[:-1], widths[1:], kernel_sizes, strict=True
                )
            )
        )
        self.linear = nn.Linear(filters[-1], n_classes)

    def features(self, x):
        """Output of the last block.

        Parameters
        ----------
        x : torch.Tensor of shape (n, n_channels, n_timepoints)

        Returns
        -------
        features : torch.Tensor of shape (n, filters[-1], n_timepoints)
        """
        return self.blocks(x)

    def forward(self, x):
        """Logits.

        Parameters
        ----------
        x : torch.Tensor of shape (n, n_channels, n_timepoints)

        Returns
        -------
        logits : torch.Tensor of shape (n, n_classes)
        """
        return self.linear(self.features(x).mean(dim=-1))

    def forward_copies(self, x, starts, fillers):
        """Logits of series and of copies, computing copies only where they differ.

        Parameters
        ----------
        x : torch.Tensor of shape (n_series, n_channels, n_timepoints)
            The first n of them have copies.
        starts : torch.Tensor of shape (n, n_copies), int64
            First time point of each copy's window.
        fillers : torch.Tensor of shape (n, n_copies, n_channels, width)
            Values that replace those in the windows.

        Returns
        -------
        logits : torch.Tensor of shape (n_series, n_classes)
        copies_logits : torch.Tensor of shape (n, n_copies, n_classes)
        """
        n, n_copies = starts.shape
        is_plain = type(self.blocks) is nn.Sequential and all(map(_is_plain, self.blocks))
        if not is_plain or (
            self._n_saved(n * n_copies, x.shape[2], fillers.shape[3]) < _LEAST_SAVED
        ):
            return read_whole(self, x, starts, fillers)
        source = torch.arange(n).repeat_interleave(n_copies)
        x = x.transpose(0, 1)  # (n_channels, n, n_timepoints), see `Patches`
        patches = Patches(source, starts.flatten(), fillers.flatten(0, 1).transpose(0, 1))
        for convolution, norm, _ in self.blocks:
            left = convolution.padding[0]
            right = convolution.kernel_size[0] - 1 - left
            padded = F.pad(x, (left, right))
            first, inputs = patches.neighbourhoods(padded, left, right)
            z_patches = convolve(inputs, convolution)
            patches = Patches(source, first, z_patches)
            multiplicity = patches.multiplicity(*x.shape[1:]) if norm.training else None
            z = convolve(padded, convolution)
            x, y_patches = joint_batch_norm_relu(norm, z, z_patches, multiplicity)
            patches = Patches(source, first, y_patches)
        both = self.linear(patches.mean_over_time(x))
        logits, copies_logits = both.split([x.shape[1], n * n_copies])
        return logits, copies_logits.unflatten(0, (n, n_copies))

    def _n_saved(self, n_copies, n_timepoints, width):
        """Count the hidden values of copies that equal their series' and can be skipped."""
        n_saved = 0
        for convolution, _, _ in self.blocks:
            width = min(n_timepoints, width + convolution.kernel_size[0] - 1)
            n_saved += n_copies * convolution.out_channels * (n_timepoints - width)
        return n_saved


def _is_plain(block):
    """Tell whether a block is unchanged from how `FCN` builds it."""
    if type(block) is not nn.Sequential or len(block) != 3:
        return False
    convolution, norm, activation = block
    return (
        type(convolution) is SameConv1d
        and type(norm) is nn.BatchNorm1d
        and type(activation) is nn.ReLU
        and norm.affine
        and norm.track_running_stats
        and norm.momentum is not None
    )
