"""Standardisation of each channel, as part of the network."""

import torch
from torch import nn

from sktime_tsd.networks._copies import forward_copies
from sktime_tsd.networks._parametrized import picklable

__all__ = ["ScaledNetwork", "channel_statistics"]


def channel_statistics(x):
    """Mean and standard deviation of each channel, over series and time points.

    Parameters
    ----------
    x : torch.Tensor of shape (n_instances, n_channels, n_timepoints)

    Returns
    -------
    mean, std : torch.Tensor of shape (n_channels, 1)
        In the units of `x`. The std of a constant channel is 1. float64 if `x` is, else
        float32.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.networks import channel_statistics
    >>> channel_statistics(torch.tensor([[[1.0, 3.0]], [[1.0, 3.0]]]))
    (tensor([[2.]]), tensor([[1.]]))
    """
    if x.dtype == torch.float64:
        return _statistics_of_float64(x)
    x = x.double()  # a float32 sum over many values loses digits
    mean = x.mean(dim=(0, 2)).unsqueeze(1)
    std = x.std(dim=(0, 2), unbiased=False).unsqueeze(1)
    # rounding errors give a constant channel a tiny standard deviation
    constant = std <= 1e-6 * mean.abs().clamp(min=1e-30)
    return mean.float(), torch.where(constant, 1.0, std).float()


def _statistics_of_float64(x):
    """Like `channel_statistics`, for values that float32 cannot hold."""
    largest = x.abs().amax(dim=(0, 2)).clamp(min=torch.finfo(x.dtype).tiny).unsqueeze(1)
    relative = x / largest  # its squares neither overflow nor vanish
    mean = relative.mean(dim=(0, 2)).unsqueeze(1)
    std = relative.std(dim=(0, 2), unbiased=False).unsqueeze(1)
    constant = std <= 16 * torch.finfo(x.dtype).eps
    return mean * largest, torch.where(constant, 1.0, std * largest)


class ScaledNetwork(nn.Module):
    """A network that takes raw series and standardises each channel itself.

    Mean and std are buffers, so whatever holds the network (a pickle, an exported file) holds
    the scaling too. If they are float64, so is the scaling: the network then reads series that
    float32 cannot tell apart.

    Parameters
    ----------
    network : nn.Module
        Maps (n, n_channels, n_timepoints) to logits (n, n_classes).
    mean, std : torch.Tensor of shape (n_channels, 1), optional
        In the units of the series. Default: no scaling.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.networks import FCN, ScaledNetwork
    >>> network = ScaledNetwork(FCN(1, 24, 2), torch.tensor([[5.0]]), torch.tensor([[2.0]]))
    >>> network(torch.randn(3, 1, 24)).shape
    torch.Size([3, 2])
    """

    reads_float64 = False  # of networks in older pickles

    def __init__(self, network, mean=None, std=None):
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.zeros(1, 1) if mean is None else mean)
        self.register_buffer("std", torch.ones(1, 1) if std is None else std)
        self.reads_float64 = self.mean.dtype == torch.float64

    def __getstate__(self):
        """Hold the network in a form that can be pickled."""
        state = self.__dict__.copy()
        state["_modules"] = {"network": picklable(self.network)}
        return state

    def _scale(self, x):
        scaled = (x.to(self.mean.dtype) - self.mean) / self.std
        return scaled.to(self._inner_dtype()) if self.reads_float64 else scaled

    def _inner_dtype(self):
        weights = (p.dtype for p in self.network.parameters() if p.is_floating_point())
        return next(weights, torch.float32)

    def forward(self, x):
        """Logits of raw series.

        Parameters
        ----------
        x : torch.Tensor of shape (n, n_channels, n_timepoints)

        Returns
        -------
        logits : torch.Tensor of shape (n, n_classes)
        """
        return self.network(self._scale(x))

    def forward_copies(self, x, starts, fillers):
        """Logits of raw series and of their perturbed copies; see `networks.forward_copies`."""
        return forward_copies(self.network, self._scale(x), starts, self._scale(fillers))

    def features(self, x):
        """Features of raw series, if the network has a method ``features``.

        Parameters
        ----------
        x : torch.Tensor of shape (n, n_channels, n_timepoints)

        Returns
        -------
        features : torch.Tensor of shape (n, n_features, n_timepoints)
        """
        return self.network.features(self._scale(x))
