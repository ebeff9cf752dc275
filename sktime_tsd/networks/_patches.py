"""Convolve perturbed copies of series only in the patches where they differ from the series.

All tensors have their channels first, ``(n_channels, n, n_timepoints)``. A convolution then
treats all series as the rows of one image, which is faster than many short series.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

__all__ = ["Patches", "convolve"]


def convolve(x, convolution):
    """Convolve along time, without padding.

    Parameters
    ----------
    x : torch.Tensor of shape (n_channels, n, n_timepoints)
    convolution : nn.Conv1d
        Its weight and bias are used, its padding is not.

    Returns
    -------
    y : torch.Tensor of shape (out_channels, n, n_timepoints - kernel_size + 1)
    """
    weight = convolution.weight.unsqueeze(2)
    return F.conv2d(x.unsqueeze(0), weight, convolution.bias).squeeze(0)


@dataclass(frozen=True)
class Patches:
    """Values of copies where they may differ from their series: one patch per copy.

    Parameters
    ----------
    source : torch.Tensor of shape (n_patches,), int64
        Index of the series of each copy. Some series may have none.
    starts : torch.Tensor of shape (n_patches,), int64
        First time point of each patch.
    values : torch.Tensor of shape (n_channels, n_patches, width)
    """

    source: torch.Tensor
    starts: torch.Tensor
    values: torch.Tensor

    @property
    def width(self):
        """Time points per patch."""
        return self.values.shape[2]

    def neighbourhoods(self, padded, left, right):
        """Cut out what a convolution reads to compute all outputs that a patch affects.

        Parameters
        ----------
        padded : torch.Tensor of shape (n_channels, n, left + n_timepoints + right)
            The series, zero-padded as for the convolution.
        left, right : int
            How many time points before and after its own an output depends on.

        Returns
        -------
        starts : torch.Tensor of shape (n_patches,), int64
            First time point of each output. All outputs lie within the series.
        inputs : torch.Tensor of shape (n_channels, n_patches, width_out + left + right)
        """
        n_padded = padded.shape[2]
        n_timepoints = n_padded - left - right
        width_out = min(n_timepoints, self.width + left + right)
        starts = (self.starts - right).clamp(0, n_timepoints - width_out)
        point = torch.arange(width_out + left + right)
        in_patch = point - (self.starts + left - starts)[:, None]  # (n_patches, width_in)
        of_patch = (in_patch >= 0) & (in_patch < self.width)
        # One gather reads from series and patches, concatenated.
        first_of_patch = padded[0].numel() + self.width * torch.arange(len(starts))
        place = torch.where(
            of_patch,
            first_of_patch[:, None] + in_patch,
            (self.source * n_padded + starts)[:, None] + point,
        )
        numbers = torch.cat([padded.flatten(1), self.values.flatten(1)], dim=1)
        return starts, _gather(numbers, place)

    def multiplicity(self, n, n_timepoints):
        """Count how often each time point of a series occurs in the batch of series and copies.

        Parameters
        ----------
        n, n_timepoints : int
            Number and length of the series.

        Returns
        -------
        multiplicity : torch.Tensor of shape (n, n_timepoints), float
            1, plus 1 for each copy whose patch does not cover the time point.
        """
        ones = torch.ones(len(self.starts))
        steps = torch.zeros(n * (n_timepoints + 1))
        place = self.source * (n_timepoints + 1) + self.starts
        steps.index_add_(0, place, ones, alpha=-1).index_add_(0, place + self.width, ones)
        n_copies = self.source.bincount(minlength=n)[:, None]
        return 1 + n_copies + steps.view(n, -1)[:, :-1].cumsum(dim=1)

    def mean_over_time(self, x):
        """Mean over time of series and of their copies.

        Parameters
        ----------
        x : torch.Tensor of shape (n_channels, n, n_timepoints)

        Returns
        -------
        means : torch.Tensor of shape (n + n_patches, n_channels)
        """
        n_timepoints = x.shape[2]
        place = (self.source * n_timepoints + self.starts)[:, None] + torch.arange(self.width)
        totals = x.sum(dim=2)
        change = (self.values - _gather(x.flatten(1), place)).sum(dim=2)
        of_copies = totals[:, self.source] + change
        return torch.cat([totals, of_copies], dim=1).T / n_timepoints


def _gather(numbers, place):
    """Return ``numbers[:, place]`` by ``gather``, whose gradient is faster."""
    index = place.reshape(1, -1).expand(len(numbers), -1)
    return numbers.gather(1, index).unflatten(1, place.shape)
