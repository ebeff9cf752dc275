"""Fully convolutional network."""

from torch import nn

from sktime_tsd.networks._convolution import SameConv1d

__all__ = ["FCN"]


class FCN(nn.Module):
    """Fully convolutional network: blocks of convolution, batch norm and ReLU.

    The mean of the last block over time goes through one linear layer.

    Parameters
    ----------
    n_channels : int
        Channels of a series.
    n_timepoints : int
        Length of a series. The network itself takes any length.
    n_classes : int
    filters : tuple of int, default=(128, 256, 128)
        Output channels of each block.
    kernel_sizes : tuple of int, default=(8, 5, 3)
        One per block.

    Raises
    ------
    ValueError
        If `filters` and `kernel_sizes` differ in length or hold no positive integers.

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

    def __init__(
        self,
        n_channels,
        n_timepoints,
        n_classes,
        filters=(128, 256, 128),
        kernel_sizes=(8, 5, 3),
    ):
        super().__init__()
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
