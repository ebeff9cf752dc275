"""Standardisation of the input, carried inside the network."""

import torch
from torch import nn

from sktime_tsd.networks._copies import forward_copies

__all__ = ["ScaledNetwork", "channel_statistics"]


def channel_statistics(x):
    """Mean and standard deviation of each channel over series and time points.

    Parameters
    ----------
    x : torch.Tensor of shape (n_instances, n_channels, n_timepoints)

    Returns
    -------
    mean, std : torch.Tensor of shape (n_channels, 1)
        In float32. A constant channel has std 1.
    """
    x = x.double()  # a float32 sum over many series loses digits
    mean = x.mean(dim=(0, 2)).unsqueeze(1)
    std = x.std(dim=(0, 2), unbiased=False).unsqueeze(1)
    # rounding alone gives a constant channel a tiny spread
    constant = std <= 1e-6 * mean.abs().clamp(min=1e-30)
    return mean.float(), torch.where(constant, 1.0, std).float()


class ScaledNetwork(nn.Module):
    """A network that reads raw series and standardises each channel itself.

    The statistics are buffers, so whatever carries the network (a pickle, an
    exported file) carries the scaling too.

    Parameters
    ----------
    network : nn.Module
        Maps (n, n_channels, n_timepoints) to logits (n, n_classes).
    mean, std : torch.Tensor of shape (n_channels, 1), optional
        Default: no scaling.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.networks import FCN, ScaledNetwork
    >>> network = ScaledNetwork(FCN(1, 24, 2), torch.tensor([[5.0]]), torch.tensor([[2.0]]))
    >>> network(torch.randn(3, 1, 24)).shape
    torch.Size([3, 2])
    """

    def __init__(self, network, mean=None, std=None):
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.zeros(1, 1) if mean is None else mean)
        self.register_buffer("std", torch.ones(1, 1) if std is None else std)

    def _scale(self, x):
        return (x - self.mean) / self.std

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
        """Logits of raw series and of copies of them; see `networks.forward_copies`."""
        return forward_copies(self.network, self._scale(x), starts, self._scale(fillers))

    def features(self, x):
        """Features of raw series, where the network has them.

        Parameters
        ----------
        x : torch.Tensor of shape (n, n_channels, n_timepoints)

        Returns
        -------
        features : torch.Tensor of shape (n, n_features, n_timepoints)
        """
        return self.network.features(self._scale(x))
