"""The arithmetic of windows: reading one window of each series, and replacing it."""

import torch

__all__ = ["cut_window", "replace_window"]


def replace_window(x, starts, filler):
    """Put other values into one window of each series.

    Parameters
    ----------
    x : torch.Tensor of shape (..., n_channels, n_timepoints)
    starts : torch.Tensor of shape (...), int64
        First time point of each window.
    filler : torch.Tensor of shape (..., n_channels, width)

    Returns
    -------
    x_perturbed : torch.Tensor of shape (..., n_channels, n_timepoints)
        A new tensor; differentiable in `x` and `filler`.
    """
    return x.scatter(-1, _window_index(starts, filler.shape[-1], x), filler)


def cut_window(x, starts, width):
    """Read one window of each series.

    Parameters
    ----------
    x : torch.Tensor of shape (..., n_channels, n_timepoints)
    starts : torch.Tensor of shape (...), int64
    width : int

    Returns
    -------
    windows : torch.Tensor of shape (..., n_channels, width)
    """
    return x.gather(-1, _window_index(starts, width, x))


def _window_index(starts, width, x):
    points = starts[..., None] + torch.arange(width, device=x.device)  # (..., width)
    return points[..., None, :].expand(*x.shape[:-1], -1)  # (..., n_channels, width)
