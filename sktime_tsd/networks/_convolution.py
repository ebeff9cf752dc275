"""A convolution whose output is as long as its input."""

from torch import nn

__all__ = ["SameConv1d"]


class SameConv1d(nn.Conv1d):
    """1-D convolution with stride 1 that keeps the number of time points.

    ``padding="same"`` of torch copies the input (and warns) where the kernel is
    even; here the one surplus output is dropped instead.

    Parameters
    ----------
    in_channels, out_channels, kernel_size : int
    bias : bool, default=True
    """

    def __init__(self, in_channels, out_channels, kernel_size, bias=True):
        super().__init__(
            in_channels, out_channels, kernel_size, padding=kernel_size // 2, bias=bias
        )

    def forward(self, x):
        """Convolve.

        Parameters
        ----------
        x : torch.Tensor of shape (n, in_channels, n_timepoints)

        Returns
        -------
        y : torch.Tensor of shape (n, out_channels, n_timepoints)
        """
        return super().forward(x)[..., : x.shape[-1]]
