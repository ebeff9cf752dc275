"""LITE network: one inception module with fixed filters, then separable convolutions."""

import torch
from torch import nn

from sktime_tsd.networks._convolution import SameConv1d, same_convolution

__all__ = ["LITE"]

# Lengths of the fixed filters that detect increases and decreases; those for peaks are half as
# long again, and there is none of the shortest.
_FIXED_LENGTHS = (2, 4, 8, 16, 32, 64)


def fixed_filters():
    """Make the filters that are not trained.

    Returns
    -------
    filters : list of torch.Tensor of shape (length,)
        Six that answer to increases, with values -1, 1, -1, 1, ...; six for decreases, their
        negatives; and five for peaks: three bumps side by side, the middle one up and twice as
        high as the others, which point down.
    """
    increase = [torch.tensor([-1.0, 1.0]).repeat(length // 2) for length in _FIXED_LENGTHS]
    peaks = []
    for length in _FIXED_LENGTHS[1:]:
        rising = torch.linspace(0, 1, length // 4 + 1)[1:].square()
        bump = torch.cat([rising, rising.flip(0)])
        peaks.append(torch.cat([-bump, 2 * bump, -bump]))
    return [*increase, *(-one for one in increase), *peaks]


class _FixedFilters(nn.Module):
    """Apply every fixed filter to every channel, as one convolution."""

    def __init__(self, n_channels):
        super().__init__()
        filters = fixed_filters()
        longest = max(map(len, filters))
        weight = torch.zeros(len(filters), 1, longest)
        for row, values in zip(weight[:, 0], filters, strict=True):
            first = longest // 2 - len(values) // 2  # the middles of all lie on each other
            row[first : first + len(values)] = values
        self.n_channels = n_channels
        self.register_buffer("weight", weight.repeat(n_channels, 1, 1))

    def forward(self, x):
        return torch.relu(same_convolution(x, self.weight, groups=self.n_channels))


class _Separable(nn.Sequential):
    """Convolve each channel by itself, then mix the channels at each time point."""

    def __init__(self, n_in, n_out, kernel_size, dilation=1):
        super().__init__(
            SameConv1d(n_in, n_in, kernel_size, bias=False, dilation=dilation, groups=n_in),
            nn.Conv1d(n_in, n_out, 1, bias=False),
        )


class LITE(nn.Module):
    """LITE: about 10,000 parameters, as accurate in its authors' tests as far larger networks.

    Convolutions of three lengths, side by side with 17 fixed filters that detect increases,
    decreases and peaks, are followed by two depthwise-separable convolutions with dilation 2 and
    4. Batch norm and a ReLU follow each of the three. The output is averaged over time and passed
    to one linear layer. This is one network; the published classifier LITETime is an ensemble
    of five.

    For series of several channels the first convolutions are separable and the fixed filters
    see each channel by itself, as in the authors' LITEMV.

    Copies of series that differ in a window are read as a whole: at its end, a value depends
    on 170 time points, so that in most series little could be skipped.

    Parameters
    ----------
    n_channels : int
        Channels of a series.
    n_timepoints : int
        Length of a series. Not used: the network accepts any length.
    n_classes : int
    n_filters : int, default=32
        Filters of each length, and output channels of the separable convolutions.
    kernel_size : int, default=40
        Length of the longest convolution, in time points, at least 4. The others have a half
        and a quarter of it.

    Raises
    ------
    ValueError
        If `n_filters` is below 1 or `kernel_size` below 4.

    References
    ----------
    Ismail-Fawaz, Devanne, Berretti, Weber, Forestier, "LITE: Light Inception with boosTing
    tEchniques for time series classification", DSAA 2023; "Look into the LITE in deep learning
    for time series classification", arXiv 2409.02869. Fixed filters: "Deep learning for time
    series classification using new hand-crafted convolution filters", IEEE Big Data 2022.

    Examples
    --------
    The authors count 9,814 parameters, without the linear layer:

    >>> from sktime_tsd.networks import LITE, n_parameters
    >>> network = LITE(1, 150, 2)
    >>> n_parameters(network) - n_parameters(network.linear)
    9814
    """

    feature_layer = "blocks"

    def __init__(self, n_channels, n_timepoints, n_classes, n_filters=32, kernel_size=40):
        super().__init__()
        if n_filters < 1 or kernel_size < 4:
            raise ValueError(
                "n_filters must be at least 1 and kernel_size at least 4, got "
                f"n_filters={n_filters} and kernel_size={kernel_size}."
            )
        lengths = [kernel_size // 2**i for i in range(3)]
        self.convolutions = nn.ModuleList(
            SameConv1d(1, n_filters, length, bias=False)
            if n_channels == 1
            else _Separable(n_channels, n_filters, length)
            for length in lengths
        )
        self.fixed = _FixedFilters(n_channels)
        n_first = len(lengths) * n_filters + len(self.fixed.weight)
        self.norm = nn.BatchNorm1d(n_first)
        self.blocks = nn.Sequential(
            _Separable(n_first, n_filters, lengths[1], dilation=2),
            nn.BatchNorm1d(n_filters),
            nn.ReLU(),
            _Separable(n_filters, n_filters, lengths[2], dilation=4),
            nn.BatchNorm1d(n_filters),
            nn.ReLU(),
        )
        self.linear = nn.Linear(n_filters, n_classes)

    def features(self, x):
        """Output of the last block.

        Parameters
        ----------
        x : torch.Tensor of shape (n, n_channels, n_timepoints)

        Returns
        -------
        features : torch.Tensor of shape (n, n_filters, n_timepoints)
        """
        branches = [convolution(x) for convolution in self.convolutions]
        return self.blocks(torch.relu(self.norm(torch.cat([*branches, self.fixed(x)], dim=1))))

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
