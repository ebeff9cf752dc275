"""Base class of all perturbations, and the ``window`` parameter."""

import numbers
from dataclasses import dataclass
from typing import ClassVar

import torch

from sktime_tsd._utils.validation import check_number
from sktime_tsd._utils.windows import cut_window, replace_window

__all__ = [
    "Perturbation",
    "check_perturbations",
    "check_window",
    "listed",
    "window_width",
    "window_widths",
]


def check_window(window):
    """Check a ``window`` parameter, as far as possible without knowing the series.

    Parameters
    ----------
    window : float or int
        See `window_width`.

    Raises
    ------
    ValueError
        If the window is not positive, or is a fraction above 1.
    TypeError
        If it is not a number.

    Examples
    --------
    >>> from sktime_tsd.perturbations import check_window
    >>> check_window(0.1), check_window(15)
    (None, None)
    """
    if isinstance(window, numbers.Real) and not isinstance(window, numbers.Integral):
        if not 0 < window <= 1:
            raise ValueError(
                f"window={window}: as a fraction of the series, a float must be in (0, 1]. For a "
                "number of time points pass an int."
            )
    else:
        check_number("window", window, integer=True, low=1)


def window_width(window, n_timepoints):
    """Convert a ``window`` parameter to a number of time points.

    Parameters
    ----------
    window : float or int
        A float in (0, 1] is a fraction of the series, rounded to at least one time point. An
        int is a number of time points.
    n_timepoints : int
        Length of a series.

    Returns
    -------
    width : int
        In ``[1, n_timepoints]``.

    Raises
    ------
    ValueError
        If the window is not positive, or longer than the series.
    TypeError
        If it is not a number.

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


def window_widths(window, n_timepoints):
    """Convert a ``window`` parameter that may be a list to numbers of time points.

    Parameters
    ----------
    window : float, int or list of them
    n_timepoints : int
        Length of a series.

    Returns
    -------
    widths : tuple of int
        See `window_width`.
    """
    return tuple(window_width(one, n_timepoints) for one in listed("window", window))


@dataclass(frozen=True)
class Perturbation:
    """Base class of perturbations: rules for filling a window of a series.

    A subclass defines `filler`. One that fills windows from other series (donors) also sets
    ``needs_donors = True`` and defines `n_donors` and `pick_donors`.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.perturbations import Perturbation
    >>> class SeriesMaximum(Perturbation):
    ...     def filler(self, x, starts, width, donor_windows=None):
    ...         return x.amax(dim=-1, keepdim=True).expand(*x.shape[:-1], width)
    >>> SeriesMaximum().fill(torch.tensor([[[0.0, 1.0, 2.0, 3.0]]]), torch.tensor([1]), 2)
    tensor([[[0., 3., 3., 3.]]])
    """

    needs_donors: ClassVar[bool] = False
    needs_labels: ClassVar[bool] = False

    def n_donors(self, y):
        """Count the possible donors of each series.

        Parameters
        ----------
        y : torch.Tensor of shape (n_instances,), int64
            Class indices.

        Returns
        -------
        n_donors : torch.Tensor of shape (n_instances,), int64
            Each at least 1.
        """
        return torch.ones_like(y)

    def pick_donors(self, y, ranks):
        """Convert ranks among the possible donors to indices into the pool.

        Parameters
        ----------
        y : torch.Tensor of shape (n_instances,), int64
            Class indices.
        ranks : torch.Tensor of shape (n_instances, n_draws), int64
            ``ranks[i]`` is in ``[0, n_donors(y)[i])``.

        Returns
        -------
        donors : torch.Tensor of shape (n_instances, n_draws), int64
            Indices into `pool`.
        """
        return ranks

    def pool(self, X, generator):
        """Return the series that donor indices refer to. By default, the training set.

        Parameters
        ----------
        X : torch.Tensor of shape (n_instances, n_channels, n_timepoints)
        generator : torch.Generator
            Source of randomness, if the pool is random.

        Returns
        -------
        pool : torch.Tensor of shape (n_pool, n_channels, n_timepoints)
        """
        return X

    def filler(self, x, starts, width, donor_windows=None):
        """Return the values that fill one window of each series.

        Parameters
        ----------
        x : torch.Tensor of shape (..., n_channels, n_timepoints)
        starts : torch.Tensor of shape (...), int64
            First time point of each window, in ``[0, n_timepoints - width]``.
        width : int
            Time points per window.
        donor_windows : torch.Tensor of shape (..., n_channels, width), optional
            The same window of each series' donor, if the perturbation needs donors.

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
            First time point of each window, in ``[0, n_timepoints - width]``.
        width : int
            Time points per window.
        donors : torch.Tensor of shape (..., n_channels, n_timepoints), optional
            The donor of each series, if the perturbation needs donors.

        Returns
        -------
        x_perturbed : torch.Tensor of shape (..., n_channels, n_timepoints)
            Differentiable in `x`.
        """
        donor_windows = None if donors is None else cut_window(donors, starts, width)
        return replace_window(x, starts, self.filler(x, starts, width, donor_windows))


def check_perturbations(perturbation):
    """Refuse anything but None and perturbations that training can use.

    Parameters
    ----------
    perturbation : Perturbation, list of Perturbation or None

    Raises
    ------
    TypeError
        If one is no instance of `Perturbation`, or overrides ``fill``.
    ValueError
        If the list is empty.
    """
    if perturbation is None:
        return
    for one in listed("perturbation", perturbation):
        if not isinstance(one, Perturbation):
            raise TypeError(
                "perturbation must be an instance such as "
                f"sktime_tsd.perturbations.OpposingClass(), or a list of them, got {one!r}."
            )
        if type(one).fill is not Perturbation.fill:
            raise TypeError(
                f"{type(one).__name__} overrides fill, but training never calls it. "
                "Override filler instead; it returns only the values of the window."
            )


def listed(name, value):
    """Make a tuple of a parameter that may be one value or a list of them.

    Parameters
    ----------
    name : str
        Of the parameter, for the message.
    value : object
        A list or tuple, or one value.

    Returns
    -------
    values : tuple

    Raises
    ------
    ValueError
        If the list is empty.
    """
    if not isinstance(value, (list, tuple)):
        return (value,)
    if not value:
        raise ValueError(f"{name} is an empty list. Name at least one, or leave it out.")
    return tuple(value)
