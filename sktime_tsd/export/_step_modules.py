"""The steps before a classifier as torch modules, for an ONNX file."""

import numpy as np
import torch
from torch import nn

from sktime_tsd._panels.interpolation import places
from sktime_tsd.preprocessing import SeriesCenterer, SeriesResampler, SeriesStandardScaler

__all__ = ["Steps"]


class Steps(nn.Module):
    """Steps of `sktime_tsd.preprocessing`, in float64.

    In float64, since a signal may be small against the level that the steps take away. The
    `ScaledNetwork` behind them casts what they give to the precision that it reads.

    Parameters
    ----------
    steps : list of SeriesCenterer, SeriesStandardScaler or SeriesResampler
        Fitted.
    n_timepoints : int
        Length of the series that enter.
    """

    def __init__(self, steps, n_timepoints):
        super().__init__()
        modules = []
        for step in steps:
            if type(step) is SeriesResampler:
                modules.append(_Resample(n_timepoints, step.length))
                n_timepoints = step.length
            else:
                modules.append(_MODULES[type(step)]())
        self.steps = nn.Sequential(*modules)

    def forward(self, X):
        """Transform series.

        Parameters
        ----------
        X : torch.Tensor of shape (n_instances, n_channels, n_timepoints), float64

        Returns
        -------
        X : torch.Tensor of shape (n_instances, n_channels, n_timepoints), float64
        """
        return self.steps(X)


class _Center(nn.Module):
    def forward(self, X):
        return X - X.mean(dim=2, keepdim=True)


class _StandardScale(nn.Module):
    def forward(self, X):
        n_timepoints, eps = X.shape[2], float(np.finfo(np.float64).eps)
        mean = X.mean(dim=2, keepdim=True)
        centred = X - mean
        variance = (centred * centred).mean(dim=2, keepdim=True)
        errors = n_timepoints * eps * mean
        constant = variance <= n_timepoints * eps * variance + errors * errors
        scale = torch.where(constant, torch.ones_like(variance), variance).sqrt()
        return torch.where(constant, torch.zeros_like(centred), centred / scale)


class _Resample(nn.Module):
    def __init__(self, n_before, n_after):
        super().__init__()
        before, after, share = map(torch.from_numpy, places(n_before, n_after))
        self.register_buffer("before", before)
        self.register_buffer("after", after)
        self.register_buffer("share", share)

    def forward(self, X):
        start = X.index_select(2, self.before)
        return start + self.share * (X.index_select(2, self.after) - start)


_MODULES = {SeriesCenterer: _Center, SeriesStandardScaler: _StandardScale}
