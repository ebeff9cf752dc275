"""What every perturbation has in common, and how wide a window is."""

import numbers
from dataclasses import dataclass
from typing import ClassVar

import torch

from sktime_tsd._utils.validation import check_number
from sktime_tsd._utils.windows import cut_window, replace_window

__all__ = ["Perturbation", "check_window", "window_width"]


def check_window(window):
    """Refuse a ``window`` parameter that no series could have.

    Parameters
    ----------
    window : float or int
        See `window_width`.

    Raises
    ------
    ValueError
        If the window is empty, or a fraction above 1.
    TypeError
        If it is no number.
    """
    if isinstance(window, numbers.Real) and not isinstance(window, numbers.Integral):
        name = "window, as a fraction of the series (for time points pass an int),"
        check_number(name, window, low=0, high=1, boundaries="right")
    else:
        check_number("window", window, integer=True, low=1)


def window_width(window, n_timepoints):
    """Turn a ``window`` parameter into a number of time points.

    Parameters
    ----------
    window : float or int
        A float in (0, 1] is a fraction of the series, rounded, at least one time
        point. An int is a number of time points.
    n_timepoints : int

    Returns
    -------
    width : int
        In ``[1, n_timepoints]``.

    Raises
    ------
    ValueError
        If the window is empty or longer than the series.
    TypeError
        If it is no number.

    Examples
    --------
    >>> from sktime_tsd.perturbations import window_width
    >>> window_width(0.1, 150), window_width(10, 150), window_width(0.1, 3)
    (15, 10, 1)
    """
    check_window(window)
    if not isinstance(window, numbers.Integral):
        return max(1, round(float(window) * n_timepoints))
    if window > n_timepoints:
        raise ValueError(
            f"window={window} time points is longer than the series, which have "
            f"{n_timepoints}. Use at most {n_timepoints}, or a fraction such as 0.1."
        )
    return int(window)


@dataclass(frozen=True)
class Perturbation:
    """What fills a window of a series: the base of all perturbations.

    A subclass gives `filler`; one that fills windows from other series gives
    `n_donors` and `pick_donors` too, and is then drawn with donors.
    """

    needs_donors: ClassVar[bool] = False
    needs_labels: ClassVar[bool] = False

    def n_donors(self, y):
        """Count the donors each series can have.

        Parameters
        ----------
        y : torch.Tensor of shape (n_instances,), int64
            Class indices.

        Returns
        -------
        n_donors : torch.Tensor of shape (n_instances,), int64
            At least 1 each.
        """
        return torch.ones_like(y)

    def pick_donors(self, y, ranks):
        """Turn numbers of donors into indices of series.

        Parameters
        ----------
        y : torch.Tensor of shape (n_instances,), int64
            Class indices.
        ranks : torch.Tensor of shape (n_instances, n_draws), int64
            ``ranks[i]`` lie in ``[0, n_donors(y)[i])``.

        Returns
        -------
        donors : torch.Tensor of shape (n_instances, n_draws), int64
            Indices into `pool`.
        """
        return ranks

    def pool(self, X, generator):
        """Give the series that donor indices refer to; by default the training set.

        Parameters
        ----------
        X : torch.Tensor of shape (n_instances, n_channels, n_timepoints)
        generator : torch.Generator
            Source of randomness, where the pool has any.

        Returns
        -------
        pool : torch.Tensor of shape (n_pool, n_channels, n_timepoints)
        """
        return X

    def filler(self, x, starts, width, donor_windows=None):
        """Give the values that fill one window of each series.

        Parameters
        ----------
        x : torch.Tensor of shape (..., n_channels, n_timepoints)
        starts : torch.Tensor of shape (...), int64
            First time point of each window, in ``[0, n_timepoints - width]``.
        width : int
            Time points per window.
        donor_windows : torch.Tensor of shape (..., n_channels, width), optional
            The same window of each series' donor, where the perturbation needs one.

        Returns
        -------
        filler : torch.Tensor of shape (..., n_channels, width)
            Differentiable in `x`.
        """
        raise NotImplementedError(f"{type(self).__name__} must define filler(...).")

    def fill(self, x, starts, width, donors=None):
        """Replace one window of each series.

        Parameters
        ----------
        x : torch.Tensor of shape (..., n_channels, n_timepoints)
        starts : torch.Tensor of shape (...), int64
            As for `filler`.
        width : int
        donors : torch.Tensor of shape (..., n_channels, n_timepoints), optional
            The donor of each series, where the perturbation needs one.

        Returns
        -------
        x_perturbed : torch.Tensor of shape (..., n_channels, n_timepoints)
            Differentiable in `x`.
        """
        donor_windows = None if donors is None else cut_window(donors, starts, width)
        return replace_window(x, starts, self.filler(x, starts, width, donor_windows))
