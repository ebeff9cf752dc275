"""InceptionTime network."""

import torch
from torch import nn

from sktime_tsd.networks._convolution import SameConv1d

__all__ = ["InceptionTime"]


class _InceptionModule(nn.Module):
    """Parallel convolutions with several kernel lengths, and a max-pooling branch."""

    def __init__(self, n_in, n_filters, kernel_sizes, bottleneck_size):
        super().__init__()
        # a single channel needs no bottleneck
        if n_in > 1:
            self.bottleneck = nn.Conv1d(n_in, bottleneck_size, 1, bias=False)
            n_squeezed = bottleneck_size
        else:
            self.bottleneck = nn.Identity()
            n_squeezed = n_in
        self.convolutions = nn.ModuleList(
            SameConv1d(n_squeezed, n_filters, size, bias=False) for size in kernel_sizes
        )
        self.pool = nn.Sequential(
            nn.MaxPool1d(3, stride=1, padding=1), nn.Conv1d(n_in, n_filters, 1, bias=False)
        )
        self.norm = nn.BatchNorm1d(n_filters * (len(kernel_sizes) + 1))

    def forward(self, x):
        squeezed = self.bottleneck(x)
        branches = [convolution(squeezed) for convolution in self.convolutions]
        return torch.relu(self.norm(torch.cat([*branches, self.pool(x)], dim=1)))


class InceptionTime(nn.Module):
    """InceptionTime network: inception modules, with a residual connection every third.

    The output of the last module is averaged over time and passed to one linear layer. This is
    one network; the published classifier is an ensemble of five.

    Parameters
    ----------
    n_channels : int
        Channels of a series.
    n_timepoints : int
        Length of a series. Not used: the network accepts any length.
    n_classes : int
    n_filters : int, default=32
        Filters of each branch. A module has ``(len(kernel_sizes) + 1) * n_filters`` output
        channels.
    depth : int, default=6
        Number of inception modules.
    kernel_sizes : tuple of int, default=(40, 20, 10)
        Kernel length of each convolution branch, in time points.
    bottleneck_size : int, default=32
        Channels that enter the convolution branches.

    Raises
    ------
    ValueError
        If a size is below 1.

    References
    ----------
    Ismail Fawaz et al., "InceptionTime: Finding AlexNet for time series
    classification", Data Mining and Knowledge Discovery 34, 2020. As there, a ReLU follows each
    residual sum.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.networks import InceptionTime
    >>> teacher = InceptionTime(1, 150, 2, n_filters=16, depth=3)
    >>> teacher(torch.randn(5, 1, 150)).shape
    torch.Size([5, 2])
    """

    feature_layer = "last"

    def __init__(
        self,
        n_channels,
        n_timepoints,
        n_classes,
        n_filters=32,
        depth=6,
        kernel_sizes=(40, 20, 10),
        bottleneck_size=32,
    ):
        super().__init__()
        if min(n_filters, depth, bottleneck_size, *kernel_sizes) < 1:
            raise ValueError(
                "n_filters, depth, bottleneck_size and kernel_sizes must be positive, got "
                f"{n_filters}, {depth}, {bottleneck_size} and {kernel_sizes!r}."
            )
        n_out = n_filters * (len(kernel_sizes) + 1)
        self.inceptions = nn.ModuleList(
            _InceptionModule(
                n_channels if i == 0 else n_out, n_filters, kernel_sizes, bottleneck_size
            )
            for i in range(depth)
        )
        self.shortcuts = nn.ModuleList(
            nn.Sequential(
                nn.Conv1d(n_channels if i == 0 else n_out, n_out, 1, bias=False),
                nn.BatchNorm1d(n_out),
            )
            for i in range(depth // 3)
        )
        self.last = nn.Identity()  # names the output of the last residual sum, which is no layer
        self.linear = nn.Linear(n_out, n_classes)

    def features(self, x):
        """Output of the last inception module.

        Parameters
        ----------
        x : torch.Tensor of shape (n, n_channels, n_timepoints)

        Returns
        -------
        features : torch.Tensor of shape (n, n_features, n_timepoints)
            With ``n_features = (len(kernel_sizes) + 1) * n_filters``.
        """
        shortcut_input = x
        for i, inception in enumerate(self.inceptions):
            x = inception(x)
            if i % 3 == 2:
                x = torch.relu(x + self.shortcuts[i // 3](shortcut_input))
                shortcut_input = x
        return self.last(x)

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
