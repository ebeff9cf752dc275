"""Pictures of results; nothing is computed here. Needs matplotlib (extra ``plot``)."""

import numpy as np

__all__ = ["plot_saliency_pair"]


def plot_saliency_pair(x, teacher_saliency, student_saliency, *, title=None, ax=None):
    """Draw one series with the teacher's and the student's saliency below it.

    Each saliency is drawn in shares of its own largest value, so that their shapes can be
    compared whatever their size.

    Parameters
    ----------
    x : numpy.ndarray of shape (n_channels, n_timepoints)
    teacher_saliency, student_saliency : numpy.ndarray of shape (n_timepoints,)
        In nats, as in ``Saliency.values``.
    title : str, optional
    ax : matplotlib.axes.Axes, optional
        Where to draw the series; the saliency goes to a twin of it. Default: a new figure.

    Returns
    -------
    fig : matplotlib.figure.Figure
    ax : matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If it is not one series with one row of saliency each, or the lengths differ.

    Examples
    --------
    >>> import numpy as np
    >>> from sktime_tsd.plotting import plot_saliency_pair
    >>> fig, ax = plot_saliency_pair(np.zeros((1, 9)), np.arange(9), np.ones(9))
    >>> ax.get_xlabel()
    'time point'
    """
    import matplotlib.pyplot as plt

    x = np.atleast_2d(x)
    if x.ndim != 2 or np.ndim(teacher_saliency) != 1 or np.ndim(student_saliency) != 1:
        raise ValueError(
            "x must be one series (n_channels, n_timepoints) and each saliency one row of "
            f"Saliency.values, (n_timepoints,); got shapes {x.shape}, "
            f"{np.shape(teacher_saliency)} and {np.shape(student_saliency)}."
        )
    if not x.shape[1] == len(teacher_saliency) == len(student_saliency):
        raise ValueError(
            f"The series has {x.shape[1]} time points, the saliencies {len(teacher_saliency)} "
            f"and {len(student_saliency)}; they must be of one length."
        )
    if ax is None:
        _, ax = plt.subplots(figsize=(6, 3), layout="constrained")
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

    below = ax.twinx()
    below.fill_between(
        points, _share_of_largest(teacher_saliency), color="#56B4E9", alpha=0.6, label="teacher"
    )
    below.plot(
        points,
        _share_of_largest(student_saliency),
        color="#D55E00",
        linestyle="--",
        label="student",
    )
    below.set_ylim(0, 2.6)
    below.set_yticks([0, 0.5, 1])
    below.set_ylabel("share of largest saliency", loc="bottom", fontsize="small")
    below.legend(loc="upper right", fontsize="small", ncols=2, frameon=False)
    return ax.figure, ax


def _share_of_largest(saliency):
    saliency = np.asarray(saliency, dtype=float)
    largest = saliency.max()
    return saliency / largest if largest > 0 else saliency
