"""Series and what an answer rests on."""

import numpy as np

from sktime_tsd._utils.validation import check_flag, check_number
from sktime_tsd.fidelity import saliency_spearman
from sktime_tsd.plotting._style import COLORS, new_axes
from sktime_tsd.saliency import Saliency

__all__ = ["plot_saliency", "plot_saliency_pair"]

# more could not be read
_MOST_ROWS = 12
_MOST_COLUMNS = 6


def plot_saliency(X, saliency, *, instance=0, per_class=False, title=None, ax=None):
    """Draw one series coloured by what the classifier's answer rests on.

    Salient parts are dark and thick; where values are negative (of a class or a target), what
    speaks against it is pale and thick. Each channel has a row of its own; with `per_class`,
    each class a column. Of more than 12 channels or 6 classes, the most salient are drawn.

    Parameters
    ----------
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
        The series the saliency was computed for. A 2-D array is one channel.
    saliency : Saliency
        In total or per channel.
    instance : int, default=0
        Which series.
    per_class : bool, default=False
        Draw what each class adds to the saliency instead of the total.
    title : str, optional
    ax : matplotlib.axes.Axes or array of them, optional
        One per channel and class. Default: a new figure.

    Returns
    -------
    fig : matplotlib.figure.Figure
    ax : matplotlib.axes.Axes or numpy.ndarray of shape (n_channels, n_columns)
        An array where there are several.

    Raises
    ------
    ValueError, TypeError
        If the saliency is not that of `X`, there is no such series, or `ax` does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from sktime.classification.dummy import DummyClassifier
    >>> from sktime_tsd import temporal_saliency
    >>> from sktime_tsd.plotting import plot_saliency
    >>> X, y = np.random.randn(4, 2, 20), np.array([0, 1, 0, 1])
    >>> saliency = temporal_saliency(DummyClassifier("prior").fit(X, y), X)
    >>> fig, ax = plot_saliency(X, saliency, per_class=True)
    >>> ax.shape  # two channels, two classes
    (2, 2)
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    check_flag("per_class", per_class)
    if not isinstance(saliency, Saliency):
        raise TypeError(
            f"saliency must be what temporal_saliency returns, got a {type(saliency).__name__}."
        )
    x = _series(X, instance, len(saliency), saliency.n_timepoints)
    n_channels = len(x)
    # (n_columns, n_channels, n_timepoints)
    if per_class:
        values = saliency.class_values[instance]
        names = [f"class {label}" for label in saliency.classes.tolist()]
    else:
        values = saliency.values[instance][None]
        names = [None]
    if not saliency.per_channel:
        values = np.repeat(values[:, None], n_channels, axis=1)
    if values.shape[1] != n_channels:
        raise ValueError(
            f"X has {n_channels} channels, the saliency {values.shape[1]}; it is not that of X."
        )
    columns = _most_salient(np.abs(values).max(axis=(1, 2)), _MOST_COLUMNS)
    channels = _most_salient(np.abs(values).max(axis=(0, 2)), _MOST_ROWS)
    values, names = values[columns][:, channels], [names[k] for k in columns]
    axes = new_axes(
        ax, len(channels), len(names), figsize=(5 * len(names) + 1, 0.9 + 1.7 * len(channels))
    )
    largest = np.abs(values).max() or 1.0
    low, high = min(0.0, values.min()), max(0.0, values.max())
    colors = ScalarMappable(Normalize(low, high if high > low else largest), cmap="cividis_r")
    for column, name in enumerate(names):
        for row, channel in enumerate(channels):
            axis = axes[row, column]
            _draw_colored(axis, x[channel], values[column, row], colors, largest)
            axis.set_ylabel(f"channel {channel}" if n_channels > 1 else "series")
            if row == 0 and name is not None:
                axis.set_title(name)
        axes[-1, column].set_xlabel("time point")
    figure = axes[0, 0].figure
    unit = "nats" if saliency.target is None or per_class else "fall of probability"
    figure.colorbar(colors, ax=list(axes.flat), label=f"saliency ({unit})")
    if title is not None:
        if len(names) > 1:
            figure.suptitle(title)
        else:
            axes[0, 0].set_title(title)
    return figure, axes if axes.size > 1 else axes[0, 0]


def _most_salient(saliency, n):
    """Places of the n largest values, ascending; of equal ones, the first."""
    return np.sort(np.argsort(-saliency, kind="stable")[:n])


def _draw_colored(ax, x, values, colors, largest):
    """Draw one channel as segments between time points, coloured by `values`."""
    from matplotlib.collections import LineCollection

    points = np.column_stack([np.arange(len(x)), x])
    segments = np.stack([points[:-1], points[1:]], axis=1)
    of_segments = (values[:-1] + values[1:]) / 2
    # a thin line below keeps pale parts visible
    ax.plot(points[:, 0], x, color="0.6", linewidth=0.8, zorder=1)
    ax.add_collection(
        LineCollection(
            segments,
            colors=colors.to_rgba(of_segments),
            linewidths=1 + 4 * np.abs(of_segments) / largest,
            capstyle="round",
            zorder=2,
        )
    )
    ax.set_xlim(0, max(1, len(x) - 1))


def plot_saliency_pair(X, teacher, student, *, instance=0, title=None, ax=None):
    """Draw one series with the teacher's and the student's saliency below it.

    Each saliency is drawn in shares of its own largest absolute value, so that their shapes can
    be compared whatever their size. Their rank correlation is written in.

    Parameters
    ----------
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
        The series the saliencies were computed for. A 2-D array is one channel.
    teacher, student : Saliency, or numpy.ndarray of shape (n_instances, n_timepoints)
        Not per channel: for those see `plot_saliency`.
    instance : int, default=0
        Which series.
    title : str, optional
    ax : matplotlib.axes.Axes, optional
        Where to draw the series; the saliency goes to a twin of it. Default: a new figure.

    Returns
    -------
    fig : matplotlib.figure.Figure
    ax : matplotlib.axes.Axes

    Raises
    ------
    ValueError, TypeError
        If the saliencies are not those of `X`, or there is no such series.

    Examples
    --------
    >>> import numpy as np
    >>> from sktime_tsd.plotting import plot_saliency_pair
    >>> X, teacher, student = np.zeros((1, 1, 9)), np.arange(9.0)[None], np.ones((1, 9))
    >>> fig, ax = plot_saliency_pair(X, teacher, student)
    >>> ax.get_xlabel()
    'time point'
    """
    teacher, student = (np.asarray(getattr(side, "values", side)) for side in (teacher, student))
    if teacher.shape != student.shape or teacher.ndim != 2:
        raise ValueError(
            "teacher and student must be saliencies of the same series, each of shape "
            f"(n_instances, n_timepoints); got {teacher.shape} and {student.shape}. Saliency per "
            "channel is drawn by plot_saliency."
        )
    x = _series(X, instance, *teacher.shape)
    teacher, student = teacher[instance], student[instance]
    ax = new_axes(ax, figsize=(6, 3))[0, 0]
    points = np.arange(x.shape[1])
    ax.plot(points, x.T, color="black", linewidth=1.2)
    # the series in the upper part, the saliency in the lower
    low, high = x.min(), x.max()
    span = (high - low) or 1.0
    ax.set_ylim(low - span, high + 0.3 * span)  # and room for the legend above
    ax.set_yticks([tick for tick in ax.get_yticks() if low <= tick <= high])
    ax.set_xlim(0, max(1, x.shape[1] - 1))
    ax.set(xlabel="time point", title=title)
    ax.set_ylabel("series", loc="top")
    agreement = saliency_spearman(teacher[None], student[None])[0]
    ax.text(
        0.02,
        0.97,
        f"rank correlation {agreement:.2f}",
        transform=ax.transAxes,
        va="top",
        fontsize="small",
    )

    below = ax.twinx()
    below.fill_between(
        points, _share_of_largest(teacher), color=COLORS["teacher"], alpha=0.35, label="teacher"
    )
    below.plot(
        points,
        _share_of_largest(student),
        color=COLORS["student"],
        linestyle="--",
        label="student",
    )
    lowest = -1 if min(teacher.min(), student.min()) < 0 else 0
    below.set_ylim(lowest, lowest + 2.6 * (1 - lowest))
    below.set_yticks([-1, 0, 1] if lowest else [0, 0.5, 1])
    below.set_ylabel("share of largest saliency", loc="bottom", fontsize="small")
    below.legend(loc="upper right", fontsize="small", ncols=2, frameon=False)
    return ax.figure, ax


def _series(X, instance, n_instances, n_timepoints):
    """One series of a panel, (n_channels, n_timepoints), after a check of the panel."""
    X = np.asarray(X, dtype=float)
    if X.ndim == 2:
        X = X[:, None]
    if X.ndim != 3 or X.shape[::2] != (n_instances, n_timepoints):
        raise ValueError(
            f"The saliency is of {n_instances} series of {n_timepoints} time points; X must be the "
            f"same series, (n_instances, n_channels, n_timepoints), got shape {X.shape}. The "
            "saliencies in a report are those of X[report.saliency_instances]."
        )
    check_number("instance", instance, integer=True, low=-len(X), high=len(X) - 1)
    return X[instance]


def _share_of_largest(saliency):
    largest = np.abs(saliency).max()
    return saliency / largest if largest > 0 else saliency
