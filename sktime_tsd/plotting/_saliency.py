"""Series with the saliency of their time points."""

import numpy as np

from sktime_tsd._panels.arrays import together
from sktime_tsd._utils.validation import check_flag, check_number
from sktime_tsd.fidelity import saliency_spearman
from sktime_tsd.plotting._style import COLORS, new_axes
from sktime_tsd.saliency import Saliency

__all__ = ["plot_saliency", "plot_saliency_comparison", "plot_saliency_pair"]

# More would not be legible.
_MOST_ROWS = 12
_MOST_COLUMNS = 6


def plot_saliency(X, saliency, *, instance=0, per_class=False, title=None, ax=None):
    """Draw one series coloured by saliency.

    Salient parts are dark and thick. Parts of negative saliency, which speak against a class or a
    target, are pale and thick. Each channel has its own row and, with `per_class`, each class its
    own column. Of more than 12 channels or 6 classes, the most salient are drawn.

    Parameters
    ----------
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
        The series the saliency was computed for, or a list of arrays. A 2-D array is one channel.
    saliency : Saliency
        What `temporal_saliency` returned, for all channels together or per channel.
    instance : int, default=0
        Which series.
    per_class : bool, default=False
        Draw each class's part of the saliency instead of the total.
    title : str, optional
    ax : matplotlib.axes.Axes or array of them, optional
        One per channel and class. Default: a new figure.

    Returns
    -------
    fig : matplotlib.figure.Figure
    ax : matplotlib.axes.Axes or numpy.ndarray of shape (n_channels, n_columns)
        An array if there are several.

    Raises
    ------
    ValueError, TypeError
        If the saliency does not belong to `X`, `instance` is out of range, or `ax` holds the
        wrong number of axes.

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
            f"saliency must come from temporal_saliency, got a {type(saliency).__name__}."
        )
    x = _series(X, instance, saliency.values)
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
        raise ValueError(f"X has {n_channels} channels but the saliency has {values.shape[1]}.")
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
                axis.set_title(name, parse_math=False)  # a label, which may hold a $
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
    """Give the indices of the n largest values, ascending; of equal values, the first."""
    return np.sort(np.argsort(-saliency, kind="stable")[:n])


def _draw_colored(ax, x, values, colors, largest):
    """Draw one channel as segments between time points, coloured by `values`."""
    from matplotlib.collections import LineCollection

    points = np.column_stack([np.arange(len(x)), x])
    segments = np.stack([points[:-1], points[1:]], axis=1)
    of_segments = (values[:-1] + values[1:]) / 2
    # a thin grey line keeps pale parts visible
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

    Each saliency is divided by its own largest absolute value, so that the shapes can be compared
    whatever their size. The picture gives their rank correlation.

    Parameters
    ----------
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
        The series the saliencies were computed for, or a list of arrays. A 2-D array is one
        channel.
    teacher, student : Saliency, or numpy.ndarray of shape (n_instances, n_timepoints)
        Of all channels together; `plot_saliency` draws saliency per channel.
    instance : int, default=0
        Which series.
    title : str, optional
    ax : matplotlib.axes.Axes, optional
        For the series; the saliency is drawn on a twin of it. Default: a new figure.

    Returns
    -------
    fig : matplotlib.figure.Figure
    ax : matplotlib.axes.Axes

    Raises
    ------
    ValueError, TypeError
        If the saliencies do not belong to `X`, or `instance` is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from sktime_tsd.plotting import plot_saliency_pair
    >>> X, teacher, student = np.zeros((1, 1, 9)), np.arange(9.0)[None], np.ones((1, 9))
    >>> fig, ax = plot_saliency_pair(X, teacher, student)
    >>> ax.get_xlabel()
    'time point'
    """
    teacher, student = map(_values, (teacher, student))
    _check_pair(teacher, student, "student")
    x = _series(X, instance, teacher)
    teacher, student = teacher[instance], student[instance]
    ax = new_axes(ax, figsize=(6, 3))[0, 0]
    below = _draw_above_saliency(ax, x, min(teacher.min(), student.min()) < 0)
    ax.set(xlabel="time point", title=title)
    ax.set_ylabel("series", loc="top")
    correlation = saliency_spearman(teacher[None], student[None])[0]
    ax.text(
        0.02,
        0.97,
        f"rank correlation {correlation:.2f}",
        transform=ax.transAxes,
        va="top",
        fontsize="small",
    )
    points = np.arange(x.shape[1])
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
    below.set_ylabel("share of largest saliency", loc="bottom", fontsize="small")
    below.legend(loc="upper right", fontsize="small", ncols=2, frameon=False)
    return ax.figure, ax


def plot_saliency_comparison(X, saliencies, *, instances=(0,), names=None, ax=None):
    """Draw the saliency of several classifiers side by side, against that of the first.

    One row per series, one column per classifier. Each panel shows the series and, below it, the
    saliency divided by its largest absolute value. The columns after the first repeat the first
    classifier's saliency as a dashed line; their titles give the rank correlation with it.

    Parameters
    ----------
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
        The series the saliencies were computed for, or a list of arrays. A 2-D array is one
        channel.
    saliencies : dict of str to Saliency or numpy.ndarray of shape (n_instances, n_timepoints)
        By the classifier's name, the teacher first. Of all channels together; `plot_saliency`
        draws saliency per channel.
    instances : sequence of int, default=(0,)
        Which series.
    names : sequence of str, optional
        Labels of these series. Default: "series 0" and so on.
    ax : array of matplotlib.axes.Axes, optional
        One per series and classifier. Default: a new figure.

    Returns
    -------
    fig : matplotlib.figure.Figure
    ax : numpy.ndarray of shape (n_series, n_classifiers)

    Raises
    ------
    ValueError, TypeError
        If the saliencies do not belong to `X`, an instance is out of range, `names` and
        `instances` differ in length, or `ax` holds the wrong number of axes.

    Examples
    --------
    >>> import numpy as np
    >>> from sktime_tsd.plotting import plot_saliency_comparison
    >>> X, teacher = np.zeros((2, 1, 9)), np.arange(18.0).reshape(2, 9)
    >>> fig, axes = plot_saliency_comparison(
    ...     X, {"teacher": teacher, "alone": -teacher, "by TSD": teacher**2}, instances=(0, 1)
    ... )
    >>> [axis.get_title() for axis in axes[0]]
    ['teacher', 'alone: correlation -1.00', 'by TSD: correlation 1.00']
    """
    if not isinstance(saliencies, dict) or not saliencies:
        raise TypeError('saliencies must be a dict such as {"teacher": ..., "student": ...}.')
    instances = list(instances)
    names = [f"series {i}" for i in instances] if names is None else list(names)
    if not instances or len(names) != len(instances):
        raise ValueError(
            f"instances and names must be of one length, at least 1; got {len(instances)} and "
            f"{len(names)}."
        )
    values = {name: _values(saliency) for name, saliency in saliencies.items()}
    reference = next(iter(values.values()))
    for name, value in values.items():
        _check_pair(reference, value, f"saliencies[{name!r}]")
    series = [_series(X, i, reference) for i in instances]
    axes = new_axes(
        ax, len(series), len(values), figsize=(3.6 * len(values), 0.4 + 2.1 * len(series))
    )
    for row, (i, x) in enumerate(zip(instances, series, strict=True)):
        for column, (name, value) in enumerate(values.items()):
            axis = axes[row, column]
            below = _draw_above_saliency(axis, x, value[i].min() < 0 or reference[i].min() < 0)
            color = COLORS["student" if column else "teacher"]
            points = np.arange(x.shape[1])
            below.fill_between(
                points,
                _share_of_largest(value[i]),
                color=color,
                alpha=0.45,
                label="student" if column else "teacher",
            )
            title = name
            if column:
                below.plot(
                    points,
                    _share_of_largest(reference[i]),
                    color=COLORS["teacher"],
                    linestyle="--",
                    label=next(iter(values)),
                )
                correlation = saliency_spearman(reference[i][None], value[i][None])[0]
                title = f"{name}: correlation {correlation:.2f}"
            if row == 0:
                below.legend(loc="upper right", fontsize="x-small", frameon=False, ncols=2)
            below.set_yticks([])
            axis.set_title(title, fontsize="medium")
            if column == 0:
                axis.set_ylabel(names[row])
            if row == len(series) - 1:
                axis.set_xlabel("time point")
            axis.set_xlim(0, max(1, *(x.shape[1] - 1 for x in series)))  # rows may share it
    return axes[0, 0].figure, axes


def _values(saliency):
    """Values at the time points of each series; a list of arrays if the lengths differ."""
    values = getattr(saliency, "values", saliency)
    return values if isinstance(values, list) else np.asarray(values)


def _check_pair(teacher, student, name):
    shapes = [np.shape(values) for values in teacher]
    if shapes != [np.shape(values) for values in student] or any(len(s) != 1 for s in shapes):
        found = ["a list" if isinstance(s, list) else s.shape for s in (teacher, student)]
        raise ValueError(
            f"{name} must be the saliency of the same series as the first, both of shape "
            f"(n_instances, n_timepoints); got {found[0]} and {found[1]}. plot_saliency "
            "draws saliency per channel."
        )


def _draw_above_saliency(ax, x, signed):
    """Draw a series in the upper part of some axes, and give a twin for saliency in the lower."""
    ax.plot(np.arange(x.shape[1]), x.T, color="black", linewidth=1.2)
    low, high = np.nanmin(x), np.nanmax(x)  # missing values leave gaps
    span = (high - low) or 1.0
    ax.set_ylim(low - span, high + 0.3 * span)  # with room above for a legend
    ticks = [tick for tick in ax.get_yticks() if low <= tick <= high]
    ax.set_yticks(ticks if len(ticks) > 1 else [])  # one alone tells no scale
    ax.set_xlim(0, max(1, x.shape[1] - 1))
    below = ax.twinx()
    lowest = -1 if signed else 0
    below.set_ylim(lowest, lowest + 2.6 * (1 - lowest))
    below.set_yticks([-1, 0, 1] if signed else [0, 0.5, 1])
    return below


def _series(X, instance, values):
    """Check a panel and give one of its series, (n_channels, n_timepoints).

    Parameters
    ----------
    X : panel
    instance : int
    values : sequence of numpy.ndarray of shape (..., n_timepoints)
        Of each series.
    """
    X = together(X)
    if not isinstance(X, list):
        X = np.ma.filled(np.ma.asarray(X).astype(float), np.nan)
        X = X[:, None] if X.ndim == 2 else X
    lengths = [of_series.shape[-1] for of_series in values]
    of_X = [series.shape[-1] if series.ndim == 2 else 0 for series in X]
    if of_X != lengths:
        given = f"got shape {X.shape}" if isinstance(X, np.ndarray) else f"got a list of {len(X)}"
        span = min(lengths), max(lengths)
        raise ValueError(
            f"X must hold the same series as the saliency, {len(values)} of "
            f"{span[0] if span[0] == span[1] else f'{span[0]} to {span[1]}'} time points, as "
            f"(n_instances, n_channels, n_timepoints); {given}. The saliencies in a report belong "
            "to X[report.saliency_instances]."
        )
    check_number("instance", instance, integer=True, low=-len(X), high=len(X) - 1)
    return np.ma.filled(np.ma.asarray(X[instance]).astype(float), np.nan)


def _share_of_largest(saliency):
    largest = np.abs(saliency).max()
    return saliency / largest if largest > 0 else saliency
