"""The result of a saliency measurement."""

from dataclasses import dataclass
from functools import cached_property
from math import ceil

import numpy as np
import pandas as pd

from sktime_tsd._panels.interpolation import resampled
from sktime_tsd._panels.irregular import Lengths
from sktime_tsd._utils.validation import check_number
from sktime_tsd.perturbations import Perturbation
from sktime_tsd.saliency._covering import mean_of_covering, window_weights

__all__ = ["Saliency"]


@dataclass(frozen=True, eq=False, repr=False)
class Saliency:
    """Temporal saliency of a classifier on some series, as `temporal_saliency` returns it.

    In the shapes below, ``(n_channels,)`` appears only for saliency per channel. If series were
    resampled, windows lie on the time axis that the classifier reads, and `values`,
    `class_values`, `to_frame` and `top` speak of each series' own.

    Parameters
    ----------
    window_values : numpy.ndarray of shape (n_instances, (n_channels,) n_windows)
        Saliency of each window, averaged over the donors.
    window_class_values : numpy.ndarray of shape (n_instances, n_classes, (n_channels,) n_windows)
        Contribution of each class to the divergence of each window, in nats.
    starts : numpy.ndarray of shape (n_windows,)
        First time point of each window.
    width : int
        Time points per window.
    n_timepoints : int
        Time points that the classifier reads.
    classes : numpy.ndarray of shape (n_classes,)
        Labels of the classifier.
    perturbation : Perturbation
        What filled the windows.
    n_donors : int or None
        How many donors filled each window; None if the perturbation needs none.
    from_background : bool
        Whether the donors are series of the background.
    target : numpy.ndarray of shape (n_instances,) or None
        Label whose probability was measured; None for the divergence over all classes.
    lengths : Lengths or None
        Time points of each series of its own: ``lengths.given`` with and ``lengths.read`` without
        padding, both of shape (n_instances,). None if all have `n_timepoints`.

    Examples
    --------
    >>> import numpy as np
    >>> from sktime_tsd.perturbations import Zero
    >>> from sktime_tsd.saliency import Saliency
    >>> saliency = Saliency(
    ...     window_values=np.array([[0.1, 0.5]]),
    ...     window_class_values=np.array([[[0.3, 0.9], [-0.2, -0.4]]]),
    ...     starts=np.array([0, 1]), width=2, n_timepoints=3, classes=np.array(["a", "b"]),
    ...     perturbation=Zero(), n_donors=None, from_background=False, target=None,
    ... )
    >>> saliency.values
    array([[0.1, 0.3, 0.5]])
    >>> saliency.class_values.shape  # (n_instances, n_classes, n_timepoints)
    (1, 2, 3)
    >>> saliency.top(1)[["start", "stop"]].to_numpy()
    array([[1, 3]])
    """

    window_values: np.ndarray
    window_class_values: np.ndarray
    starts: np.ndarray
    width: int
    n_timepoints: int
    classes: np.ndarray
    perturbation: Perturbation
    n_donors: int | None
    from_background: bool
    target: np.ndarray | None
    lengths: Lengths | None = None

    @property
    def per_channel(self):
        """Whether each channel was perturbed separately."""
        return self.window_values.ndim == 3

    @property
    def window_weights(self):
        """Weight of each window at each time point, of shape (n_windows, n_timepoints).

        Each column sums to 1.
        """
        return window_weights(self.starts, self.width, self.n_timepoints)

    @cached_property
    def values(self):
        """Saliency of each time point: the mean over the windows that cover it.

        Of shape (n_instances, (n_channels,) n_timepoints), with as many time points as the series
        have. If these differ, a list with an array of shape ((n_channels,) own length) for each.
        In nats, 0 or more; with a target, the drop in its probability, in [-1, 1]. Higher values:
        the answer depends more on this part. Padding has 0: it is not read.
        """
        return self._on_own_axes(self.common_values)

    @cached_property
    def common_values(self):
        """Saliency on the time axis that the classifier reads, to compare or average series.

        Of shape (n_instances, (n_channels,) n_timepoints). Equals `values` unless series were
        resampled; `values` are then interpolated from it.
        """
        return self._at_points(self.window_values)

    @cached_property
    def class_values(self):
        """Contribution of each class to the divergence at each time point, in nats.

        Of shape (n_instances, n_classes, (n_channels,) n_timepoints);
        ``class_values[i][k]`` has the shape of ``values[i]``, and where `values` is a list, this is
        one, too. Positive where the perturbation makes class k less probable. Without a target,
        the sum over the classes is `values`.
        """
        return self._on_own_axes(self._at_points(self.window_class_values))

    def _at_points(self, window_values):
        return mean_of_covering(window_values, self.starts, self.width, self.n_timepoints)

    def _on_own_axes(self, values):
        if self.lengths is None:
            return values
        parts = []
        for of_series, given, read in zip(values, *self.lengths, strict=True):
            on_own = (
                of_series.mean(axis=-1, keepdims=True) if read == 1 else resampled(of_series, read)
            )
            padding = [(0, 0)] * (of_series.ndim - 1) + [(0, given - read)]
            parts.append(np.pad(on_own, padding))
        return np.stack(parts) if len(set(self.lengths.given.tolist())) == 1 else parts

    def _own_window(self, instance, start):
        """Start and stop of a window on a series' own time axis; at least one time point."""
        if self.lengths is None:
            return start, start + self.width
        length = int(self.lengths.read[instance])
        # a time point belongs to the window in which it lies, as places between points are halved
        scale = (length - 1) / max(1, self.n_timepoints - 1)
        first, stop = (ceil((place - 0.5) * scale) for place in (start, start + self.width))
        first = min(max(first, 0), length - 1)
        return first, min(max(stop, first + 1), length)

    @property
    def filling(self):
        """Describe what filled the windows, in words."""
        if self.from_background:
            source = f" from {_count(self.n_donors, 'donor')}"
        else:
            draws = "" if self.n_donors is None else f" in {_count(self.n_donors, 'draw')}"
            source = f"{draws}, without a background"
        windows = _count(len(self.starts), "window")
        return f"{windows} of {_count(self.width, 'point')}, filled by {self.perturbation}{source}"

    def __len__(self):
        return len(self.window_values)

    def to_frame(self):
        """Saliency as a table, one row per time point.

        Returns
        -------
        frame : pandas.DataFrame
            Index ``instance``, (``channel``,) ``timepoint``. Columns ``saliency`` and, for each
            class, its contribution to the divergence in nats: ``class 1``, ``class 2``, ...
        """
        names = ["instance", *(["channel"] if self.per_channel else []), "timepoint"]
        shapes = [of_series.shape for of_series in self.values]
        instance = np.repeat(np.arange(len(shapes)), [np.prod(shape) for shape in shapes])
        places = [np.indices(shape).reshape(len(shape), -1) for shape in shapes]
        index = pd.MultiIndex.from_arrays([instance, *np.hstack(places)], names=names)
        columns = {"saliency": np.concatenate([values.reshape(-1) for values in self.values])}
        for k, label in enumerate(self.classes.tolist()):
            of_class = [values[k].reshape(-1) for values in self.class_values]
            columns[f"class {label}"] = np.concatenate(of_class)
        return pd.DataFrame(columns, index=index)

    def top(self, k=3):
        """Pick the most salient windows of each series.

        Windows that overlap one already picked in the same channel are skipped.

        Parameters
        ----------
        k : int, default=3
            Windows per series; fewer if no more fit without overlap.

        Returns
        -------
        frame : pandas.DataFrame
            Index ``instance`` and ``rank`` (from 1); columns (``channel``,) ``start``, ``stop``
            (not included) and ``saliency``.

        Raises
        ------
        ValueError, TypeError
            If `k` is not a positive integer.
        """
        check_number("k", k, integer=True, low=1)
        rows = []
        for instance, values in enumerate(self.window_values):
            taken = []
            for place in np.argsort(-values, axis=None, kind="stable"):
                *channel, window = map(int, np.unravel_index(place, values.shape))
                start = int(self.starts[window])
                if any(c == channel and abs(s - start) < self.width for c, s in taken):
                    continue
                taken.append((channel, start))
                saliency = float(values.flat[place])
                own = self._own_window(instance, start)
                rows.append((instance, len(taken), *channel, *own, saliency))
                if len(taken) == k:
                    break
        columns = [*(["channel"] if self.per_channel else []), "start", "stop", "saliency"]
        frame = pd.DataFrame(rows, columns=["instance", "rank", *columns])
        return frame.set_index(["instance", "rank"])

    def __repr__(self):
        channels = ""
        if self.per_channel:
            channels = f" in {_count(self.window_values.shape[1], 'channel')}"
        unit = "nats"
        if self.target is not None:
            labels = np.unique(self.target).tolist()
            of = repr(labels[0]) if len(labels) == 1 else "each series' own target"
            unit = f"of the probability of {of}"
        values, length = self.common_values, _count(self.n_timepoints, "time point")
        if self.lengths is not None:
            shortest, longest = self.lengths.read.min(), self.lengths.read.max()
            length = f"{shortest} to {longest} time points, read as {length}"
        return (
            f"Temporal saliency of {len(self)} series of {length}{channels}: {self.filling}; "
            f"mean {values.mean():.4g} {unit}, largest {values.max():.4g}."
        )


def _count(n, noun):
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
