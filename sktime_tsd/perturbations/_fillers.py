"""Perturbations that fill a window without other series: zeros, mean, line or noise."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from sktime_tsd._utils.validation import check_number
from sktime_tsd._utils.windows import cut_window
from sktime_tsd.perturbations._base import Perturbation

__all__ = ["GaussianNoise", "LinearInterpolation", "SeriesMean", "Zero"]


@dataclass(frozen=True)
class Zero(Perturbation):
    """Fill a window with zeros, in the units of the raw series.

    Suitable if zero means "no signal". For data far from zero use `SeriesMean`.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.perturbations import Zero
    >>> Zero().fill(torch.ones(1, 1, 4), torch.tensor([1]), 2)
    tensor([[[1., 0., 0., 1.]]])
    """

    def filler(self, x, starts, width, donor_windows=None):
        """Return zeros; see `Perturbation.filler`."""
        return x.new_zeros(*x.shape[:-1], width)


@dataclass(frozen=True)
class SeriesMean(Perturbation):
    """Fill a window with the mean of the series, channel by channel.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.perturbations import SeriesMean
    >>> SeriesMean().fill(torch.tensor([[[0.0, 2.0, 6.0, 0.0]]]), torch.tensor([2]), 1)
    tensor([[[0., 2., 2., 0.]]])
    """

    def filler(self, x, starts, width, donor_windows=None):
        """Return the mean of each series; see `Perturbation.filler`."""
        mean = x.mean(dim=-1, keepdim=True)  # (..., n_channels, 1)
        return mean.expand(*x.shape[:-1], width)


@dataclass(frozen=True)
class LinearInterpolation(Perturbation):
    """Fill a window with a straight line between the time points before and after it.

    At an end of the series, the value of the one neighbour is repeated. A window over the whole
    series is filled with the series' mean.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.perturbations import LinearInterpolation
    >>> x = torch.tensor([[[0.0, 9.0, 9.0, 3.0]]])
    >>> LinearInterpolation().fill(x, torch.tensor([1]), 2)
    tensor([[[0., 1., 2., 3.]]])
    """

    def filler(self, x, starts, width, donor_windows=None):
        """Return a line between the window's neighbours; see `Perturbation.filler`."""
        n_timepoints = x.shape[-1]
        if width == n_timepoints:
            return x.mean(dim=-1, keepdim=True).expand_as(x)
        before, after = starts - 1, starts + width
        no_left, no_right = before < 0, after >= n_timepoints
        left = cut_window(x, torch.where(no_left, after, before), 1)  # (..., n_channels, 1)
        right = cut_window(x, torch.where(no_right, before, after), 1)
        share = torch.arange(1, width + 1, device=x.device, dtype=x.dtype) / (width + 1)
        return left + (right - left) * share


@dataclass(frozen=True)
class GaussianNoise(Perturbation):
    """Fill a window with Gaussian noise with the series' own mean and std, per channel.

    The noise is drawn once, as a pool of series, so that teacher and student see the same
    values.

    Parameters
    ----------
    scale : float, default=1.0
        Standard deviation of the noise, as a multiple of the series'.
    pool_size : int, default=64
        Number of different noise series.

    Raises
    ------
    ValueError
        If `scale` is negative or not finite, or `pool_size` is not positive.
    TypeError
        If either is of the wrong type.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.perturbations import GaussianNoise
    >>> x, noise = torch.tensor([[[1.0, 3.0, 1.0, 3.0]]]), torch.ones(1, 1, 4)
    >>> GaussianNoise().fill(x, torch.tensor([0]), 2, noise)
    tensor([[[3., 3., 1., 3.]]])
    """

    scale: float = 1.0
    pool_size: int = 64
    needs_donors: ClassVar[bool] = True

    def __post_init__(self):
        check_number("scale", self.scale, low=0)
        check_number("pool_size", self.pool_size, integer=True, low=1)

    def n_donors(self, y):
        """Return the number of noise series; see `Perturbation`."""
        return torch.full_like(y, self.pool_size)

    def pool(self, X, generator):
        """Draw the noise series; see `Perturbation`."""
        return torch.randn(self.pool_size, *X.shape[1:], generator=generator, dtype=X.dtype)

    def filler(self, x, starts, width, donor_windows=None):
        """Return noise with each series' mean and std; see `Perturbation.filler`."""
        mean = x.mean(dim=-1, keepdim=True)
        # the gradient of the square root is infinite at the variance 0 of a constant series
        variance = (x - mean).square().mean(dim=-1, keepdim=True)
        std = torch.where(variance > 0, variance, 1.0).sqrt() * (variance > 0)
        return mean + self.scale * std * donor_windows
