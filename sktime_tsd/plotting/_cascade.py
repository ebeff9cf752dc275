"""Cascades in pictures: what is promised, what is seen, and what it costs."""

import numpy as np

from sktime_tsd.cascade import CascadeClassifier, compare_costs
from sktime_tsd.plotting._style import COLORS, new_axes

__all__ = ["plot_cascade"]

# Targets at which several students are compared.
_TARGETS = np.unique(np.round(1 - np.geomspace(0.2, 0.005, 40), 4))

_LINES = ("-", "--", "-.", ":")


def plot_cascade(cascades, *, student_ms, teacher_ms, ax=None):
    """Draw what a cascade promises and costs.

    For one cascade, over its thresholds: the agreement promised and seen and the share deferred
    (left), and the mean time for a series (right). A vertical line marks the threshold in use. For
    several, over the agreement that is promised: the share deferred (left) and the mean time
    (right) of each, so that one sees which student is cheapest.

    Parameters
    ----------
    cascades : CascadeClassifier or dict of str to CascadeClassifier
        Calibrated. Several by the student's name, all with one teacher and the same series.
    student_ms : float or dict of str to float
        Milliseconds that each student needs for one series.
    teacher_ms : float
        Milliseconds that the teacher needs for one series.
    ax : array of two matplotlib.axes.Axes, optional
        Default: a new figure.

    Returns
    -------
    fig : matplotlib.figure.Figure
    ax : numpy.ndarray of two matplotlib.axes.Axes

    Raises
    ------
    TypeError
        If `cascades` is neither a cascade nor a dict of them.
    ValueError
        If a time is missing or negative, or `ax` does not hold two axes.
    NotFittedError
        If a cascade is not calibrated.

    Examples
    --------
    >>> import numpy as np
    >>> from sktime_tsd import CascadeClassifier
    >>> from sktime_tsd.plotting import plot_cascade
    >>> from sktime_tsd.teachers import CallableTeacher
    >>> def teacher(X):
    ...     return 1 / (1 + np.exp(-20 * X.mean(axis=(1, 2))))
    >>> def student(X):
    ...     return 1 / (1 + np.exp(-20 * X[:, 0, 0]))
    >>> X = np.random.default_rng(0).normal(size=(500, 1, 3))
    >>> models = [CallableTeacher(f, classes=["down", "up"]) for f in (student, teacher)]
    >>> cascade = CascadeClassifier(*models, target_agreement=0.9).fit(X)
    >>> fig, (shares, times) = plot_cascade(cascade, student_ms=0.1, teacher_ms=20)
    >>> times.get_ylabel()
    'mean time for a series (ms)'
    """
    several = cascades if isinstance(cascades, dict) else {"student": cascades}
    if not several or not all(isinstance(c, CascadeClassifier) for c in several.values()):
        raise TypeError(
            f"cascades must be a CascadeClassifier or a dict of them by name, got {cascades!r:.80}."
        )
    costs = {"student_ms": student_ms, "teacher_ms": teacher_ms}
    if isinstance(cascades, dict):
        draw = _draw_several
        found = [compare_costs(several, target_agreement=goal, **costs) for goal in _TARGETS]
    else:
        draw, found = _draw_one, cascades.cost(**costs)
    axes = new_axes(ax, 1, 2, figsize=(10, 3.8)).ravel()
    draw(axes, found)
    axes[1].set_ylabel("mean time for a series (ms)")
    axes[1].set_ylim(bottom=0)
    return axes[0].figure, axes


def _draw_one(axes, frame):
    shares, times = axes
    inside = frame[np.isfinite(frame["threshold"])]
    for column, label, color, line in (
        ("agreement_bound", "agreement promised", COLORS["student"], "-"),
        ("agreement", "agreement seen", "black", ":"),
        ("deferral_rate", "share deferred", COLORS["teacher"], "--"),
    ):
        shares.plot(inside["threshold"], inside[column], color=color, linestyle=line, label=label)
    times.plot(inside["threshold"], inside["mean_ms"], color=COLORS["teacher"])
    (chosen,) = frame.loc[frame["chosen"], "threshold"]
    if np.isfinite(chosen):
        for axis in axes:
            axis.axvline(chosen, color="0.6", linewidth=1, zorder=0)
    shares.set(ylabel="share of series", ylim=(-0.02, 1.02))
    shares.legend(fontsize="small")
    for axis in axes:
        axis.set_xlabel("threshold of the score")


def _draw_several(axes, tables):
    for number, name in enumerate(tables[0].sort_index().index):
        style = {"linestyle": _LINES[number % len(_LINES)], "label": name}
        rows = [table.loc[name] for table in tables]
        for axis, column in zip(axes, ("deferral_rate", "mean_ms"), strict=True):
            axis.plot(_TARGETS, [row[column] for row in rows], color=f"C{number}", **style)
    axes[0].set(ylabel="share deferred", ylim=(-0.02, 1.02))
    axes[0].legend(fontsize="small")
    for axis in axes:
        axis.set_xlabel("agreement promised")
