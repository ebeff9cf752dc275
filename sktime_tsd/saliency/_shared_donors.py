"""Donors that fill the windows, shared by all series and all classifiers."""

import warnings
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from sktime_tsd._panels.labels import check_labels
from sktime_tsd._panels.panel import Panel, read_panel
from sktime_tsd._panels.precision import cast_panel, float32_loses
from sktime_tsd._panels.rules import STRICT
from sktime_tsd._utils.random import draw_seed
from sktime_tsd._utils.validation import check_number
from sktime_tsd.perturbations import AnyClass, LinearInterpolation, Perturbation

__all__ = ["Background", "SharedDonors", "as_tensor", "read_background", "warn_of_lost_digits"]


def as_tensor(panel, background=None):
    """Convert a panel to a tensor in the precision that it and a background need.

    Parameters
    ----------
    panel : panel in any container
    background : Background or None

    Returns
    -------
    x : torch.Tensor of shape (n_instances, n_channels, n_timepoints)
        float32, or float64 if float32 cannot tell the values of a channel apart.

    Raises
    ------
    ValueError
        If a value is beyond float32's range.
    """
    panel = read_panel(panel)
    panels = [panel] if background is None else [panel, background.panel]
    in_float64 = any(float32_loses(one.values) is not None for one in panels)
    dtype = np.float64 if in_float64 else np.float32
    return torch.from_numpy(cast_panel(panel.values, dtype))


def warn_of_lost_digits(x, scorer):
    """Warn of a network that computes in float32 where float32 cannot tell series apart.

    Parameters
    ----------
    x : torch.Tensor of shape (n_instances, n_channels, n_timepoints)
        From `as_tensor`.
    scorer : Scorer

    Warns
    -----
    UserWarning
        If its network was not trained on such series.
    """
    if x.dtype == torch.float64 and not scorer.reads_float64:
        warnings.warn(
            f"The values of X vary too little around their level ({x.abs().max():.3g}) for "
            f"float32, in which {scorer.name} computes. Subtract the mean first.",
            UserWarning,
            stacklevel=4,
        )


class Background(NamedTuple):
    """Where donors come from.

    Parameters
    ----------
    panel : Panel
    labels : numpy.ndarray of shape (n_instances,) or None
    """

    panel: Panel
    labels: np.ndarray | None


def read_background(background, panel, rules=STRICT):
    """Read where donors come from.

    Parameters
    ----------
    background : panel in any container, tuple (panel, labels), Background or None
    panel : Panel
        The series to be perturbed.
    rules : PanelRules, optional
        What to do with unequal lengths, to bring them to that of `panel`, and missing values.

    Returns
    -------
    background : Background or None
        Channels in the order of `panel`.

    Raises
    ------
    ValueError, TypeError
        If it cannot be read, or its series are not like those of `panel`.
    """
    if background is None or isinstance(background, Background):
        return background
    labels = None
    try:
        if isinstance(background, tuple):
            if len(background) != 2:
                raise ValueError(f"got a tuple of {len(background)}")
            background, labels = background
            if labels is None:
                raise TypeError("the labels are None")
        rules = rules._replace(n_timepoints=panel.values.shape[2])
        series = read_panel(background, rules).in_order(panel.names, "X's owner")
    except (TypeError, ValueError) as error:
        raise type(error)(
            f"background must be a panel like X, or a tuple (panel, labels): {error}"
        ) from error
    shapes = series.values.shape[1:], panel.values.shape[1:]
    if shapes[0] != shapes[1]:
        raise ValueError(
            f"background has series of shape {shapes[0]}, but those of X have shape {shapes[1]}. "
            "They must be the same."
        )
    if labels is not None:
        try:
            labels = np.asarray(check_labels(labels, series))
        except (TypeError, ValueError) as error:
            raise type(error)(f"background has labels that do not fit: {error}") from error
        if labels.ndim != 1:
            raise ValueError(f"background has labels of shape {labels.shape}. Pass one per series.")
    return Background(series, labels)


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
        background : panel, tuple (panel, labels), Background or None
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
        background = read_background(background, Panel(X.numpy()))
        series = labels = None
        if background is not None:
            series = torch.from_numpy(cast_panel(background.panel.values, X.numpy().dtype))
            labels = background.labels
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
