"""Donors that fill the windows, shared by all series and all classifiers."""

import warnings
from dataclasses import dataclass

import numpy as np
import torch
from sktime.datatypes import check_is_scitype, convert_to

from sktime_tsd._utils.panels import as_float32_panel, check_panel
from sktime_tsd._utils.random import draw_seed
from sktime_tsd._utils.validation import check_labels, check_number
from sktime_tsd.perturbations import AnyClass, LinearInterpolation, Perturbation

__all__ = ["SharedDonors", "as_tensor"]


def as_tensor(X):
    """Convert any panel that `fit` accepts to a float32 tensor.

    Parameters
    ----------
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
        Or any other sktime panel of equal-length series. A 2-D array is one channel.

    Returns
    -------
    x : torch.Tensor of shape (n_instances, n_channels, n_timepoints)

    Raises
    ------
    ValueError, TypeError
        If `X` is not a panel of finite values.

    Warns
    -----
    UserWarning
        If float32 cannot resolve the variation of the series.
    """
    if not isinstance(X, np.ndarray):
        X = _as_numpy3d(X)
    x = torch.from_numpy(as_float32_panel(check_panel(X)))
    _warn_of_lost_digits(X)
    return x.unsqueeze(1) if x.ndim == 2 else x


def _warn_of_lost_digits(X):
    largest, spread = np.abs(X).max(), X.std()
    # a spread the size of float64's rounding errors does not count
    if X.dtype.itemsize > 4 and 1e-12 * largest < spread < 1000 * largest * 2.0**-24:
        warnings.warn(
            f"X has mean {X.mean():.3g} and a spread of only {spread:.3g}, which loses its digits "
            "in float32, the precision of perturbed series. Subtract the mean first.",
            UserWarning,
            stacklevel=4,
        )


def _as_numpy3d(X):
    reason = None
    try:
        is_panel, _, metadata = check_is_scitype(
            X, "Panel", return_metadata=["is_equal_length", "mtype"]
        )
    except Exception as error:  # sktime's checks may raise any error here
        is_panel, reason = False, error
    if not is_panel:
        raise TypeError(
            "X must be a numpy array of shape (n_instances, n_channels, n_timepoints) or another "
            f"sktime panel, got a {type(X).__name__} that is not a panel."
        ) from reason
    if not metadata["is_equal_length"]:
        raise ValueError(
            "X contains series of unequal length. Make them equally long first, for instance "
            "with sktime's PaddingTransformer."
        )
    return convert_to(X, "numpy3D", as_scitype="Panel")


@dataclass(frozen=True)
class SharedDonors:
    """A perturbation and the donors it fills windows from. Created by `draw`.

    Parameters
    ----------
    perturbation : Perturbation
    pool : torch.Tensor of shape (n_pool, n_channels, n_timepoints) or None
        Series to pick donors from; None if the perturbation needs none.
    picked : torch.Tensor of shape (n_donors,), int64, or None
        Indices of the donors in `pool`.
    from_background : bool
        Whether the donors are series of the background.
    """

    perturbation: Perturbation
    pool: torch.Tensor | None
    picked: torch.Tensor | None
    from_background: bool

    @classmethod
    def draw(cls, perturbation, background, X, n_donors, random_state):
        """Draw donors of any class.

        Parameters
        ----------
        perturbation : Perturbation or None
            None means ``AnyClass()`` with a background, else ``LinearInterpolation()``.
        background : panel, tuple (panel, labels) or None
            With labels, donors are spread as evenly as possible over the classes.
        X : torch.Tensor of shape (n_instances, n_channels, n_timepoints)
            The series to be perturbed.
        n_donors : int
            Maximum number of donors; a background may have fewer series.
        random_state : int, RandomState or None

        Returns
        -------
        donors : SharedDonors

        Raises
        ------
        ValueError, TypeError
            If the background does not match the series, or the perturbation cannot use it.
        """
        check_number("n_donors", n_donors, integer=True, low=1)
        if perturbation is None:
            perturbation = LinearInterpolation() if background is None else AnyClass()
        if not isinstance(perturbation, Perturbation):
            raise TypeError(
                f"perturbation must be one from sktime_tsd.perturbations, such as AnyClass(), "
                f"got {perturbation!r}."
            )
        series, labels = _check_background(background, X)
        if not perturbation.needs_donors:
            return cls(perturbation, None, None, False)
        if perturbation.needs_labels:
            raise ValueError(
                f"{perturbation} picks donors by class, but saliency draws donors of any class and "
                "shares them among all series. Use AnyClass()."
            )
        generator = torch.Generator().manual_seed(draw_seed(random_state))
        own_pool = type(perturbation).pool is not Perturbation.pool
        if series is None and not own_pool:
            raise ValueError(
                f"{perturbation} fills windows from other series: pass them as background, "
                "usually the training series."
            )
        pool = perturbation.pool(X[:1] if series is None else series, generator)
        order = torch.randperm(len(pool), generator=generator)
        if labels is not None and not own_pool:
            order = order[_class_by_class(labels[order.numpy()], generator)]
        return cls(perturbation, pool, order[:n_donors], not own_pool)

    @property
    def n_donors(self):
        """Number of copies of each window, at least 1."""
        return 1 if self.picked is None else len(self.picked)

    def fill(self, x, starts, width, donor):
        """Replace one window of each series; see `Perturbation.fill`.

        Parameters
        ----------
        x : torch.Tensor of shape (n, n_channels, n_timepoints)
        starts : torch.Tensor of shape (n,), int64
        width : int
        donor : numpy.ndarray of shape (n,), int
            Index of each series' donor, in ``[0, n_donors)``.

        Returns
        -------
        x_perturbed : torch.Tensor of shape (n, n_channels, n_timepoints)
        """
        donors = (
            None
            if self.pool is None
            else self.pool[self.picked[torch.from_numpy(donor)]].to(x.device)
        )
        return self.perturbation.fill(x, starts, width, donors)


def _check_background(background, X):
    """Return the background's series and labels, or None for what is missing."""
    if background is None:
        return None, None
    labels = None
    try:
        if isinstance(background, tuple):
            if len(background) != 2:
                raise ValueError(f"got a tuple of {len(background)}")
            background, labels = background
            labels = np.asarray(check_labels(labels))
        series = as_tensor(background)
    except (TypeError, ValueError) as error:
        raise type(error)(
            f"background must be a panel like X, or a tuple (panel, labels): {error}"
        ) from error
    if series.shape[1:] != X.shape[1:]:
        raise ValueError(
            f"background has series of shape {tuple(series.shape[1:])}, but those of X have "
            f"shape {tuple(X.shape[1:])}. They must be the same."
        )
    if labels is not None and labels.shape != (len(series),):
        raise ValueError(
            f"background has {len(series)} series, but labels of shape {labels.shape}. Pass one "
            "label per series."
        )
    return series, labels


def _class_by_class(labels, generator):
    """Order series so that each class comes once before any comes again.

    Classes come in random order; the series of a class keep their given order.
    """
    classes, of_series = np.unique(labels, return_inverse=True)
    rank = torch.randperm(len(classes), generator=generator).numpy()[of_series]
    turn = np.zeros(len(labels), dtype=int)
    for k in range(len(classes)):
        turn[of_series == k] = np.arange(np.sum(of_series == k))
    return torch.from_numpy(np.lexsort((rank, turn)))
