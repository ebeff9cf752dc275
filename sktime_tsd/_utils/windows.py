"""Cut out or replace one window of each series."""

import torch

__all__ = ["cut_window", "replace_window"]


def replace_window(x, starts, filler):
    """Replace the values in one window of each series.

    Parameters
    ----------
    x : torch.Tensor of shape (..., n_channels, n_timepoints)
    starts : torch.Tensor of shape (...), int64
        First time point of each window.
    filler : torch.Tensor of shape (..., n_channels, width)
        The new values.

    Returns
    -------
    x_perturbed : torch.Tensor of shape (..., n_channels, n_timepoints)
        A new tensor, differentiable in `x` and `filler`.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.perturbations import replace_window
    >>> replace_window(torch.zeros(1, 1, 4), torch.tensor([1]), torch.ones(1, 1, 2))
    tensor([[[0., 1., 1., 0.]]])
    """
    return x.scatter(-1, _window_index(starts, filler.shape[-1], x), filler)


def cut_window(x, starts, width):
    """Cut out one window of each series.

    Parameters
    ----------
    x : torch.Tensor of shape (..., n_channels, n_timepoints)
    starts : torch.Tensor of shape (...), int64
        First time point of each window.
    width : int
        Time points per window.

    Returns
    -------
    windows : torch.Tensor of shape (..., n_channels, width)
    """
    return x.gather(-1, _window_index(starts, width, x))


def _window_index(starts, width, x):
    points = starts[..., None] + torch.arange(width, device=x.device)  # (..., width)
    return points[..., None, :].expand(*x.shape[:-1], -1)  # (..., n_channels, width)
