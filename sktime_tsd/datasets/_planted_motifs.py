"""Synthetic series whose salient time points are known."""

import numpy as np
from sklearn.utils import check_random_state

from sktime_tsd._utils.validation import check_number

__all__ = ["make_planted_motifs"]


def make_planted_motifs(
    n_instances=100,
    *,
    n_timepoints=100,
    n_channels=1,
    n_classes=2,
    motif_width=0.15,
    n_distractors=1,
    noise=0.3,
    random_state=None,
):
    """Make noisy series whose class depends only on a motif at a known, random position.

    Each series contains bursts of the same width and energy at random positions, without
    overlap. One of them is the motif, a sine wave whose number of cycles (1, 2, ...) gives the
    class. The others are distractors: white noise with the same energy, unrelated to the
    class. With several channels, each burst is in one channel, drawn at random.

    Parameters
    ----------
    n_instances : int, default=100
        Number of series, at least 1. The classes are as balanced as possible.
    n_timepoints : int, default=100
        Length of a series, at least 10.
    n_channels : int, default=1
        At least 1.
    n_classes : int, default=2
        At least 2.
    motif_width : float, default=0.15
        Width of a burst as a share of the series, in (0, 0.4], but at least 4 time points.
    n_distractors : int, default=1
        Distractors per series, at least 0. With few of them, a network that responds to any
        burst appears to find the motif.
    noise : float, default=0.3
        Standard deviation of the background noise; a burst has a root mean square of 1.
    random_state : int, RandomState or None, default=None
        Seed; None draws different series each time.

    Returns
    -------
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
    y : numpy.ndarray of shape (n_instances,), int
        Classes 0 .. n_classes - 1, in random order.
    mask : numpy.ndarray of shape (n_instances, n_channels, n_timepoints), bool
        True at the motif: the only time points that depend on the class.

    Raises
    ------
    ValueError, TypeError
        If a value is out of range or of the wrong type, or the bursts do not fit.

    Examples
    --------
    >>> from sktime_tsd.datasets import make_planted_motifs
    >>> X, y, mask = make_planted_motifs(6, n_timepoints=40, random_state=0)
    >>> X.shape, mask.sum(axis=(1, 2))
    ((6, 1, 40), array([6, 6, 6, 6, 6, 6]))
    """
    check_number("n_instances", n_instances, integer=True, low=1)
    check_number("n_timepoints", n_timepoints, integer=True, low=10)
    check_number("n_channels", n_channels, integer=True, low=1)
    check_number("n_classes", n_classes, integer=True, low=2)
    check_number("motif_width", motif_width, low=0, high=0.4, boundaries="right")
    check_number("n_distractors", n_distractors, integer=True, low=0)
    check_number("noise", noise, low=0)
    random_state = check_random_state(random_state)
    width = max(4, round(motif_width * n_timepoints))
    if 2 * n_classes > width:
        raise ValueError(
            f"n_classes={n_classes} motifs have up to {n_classes} cycles and need at least "
            f"{2 * n_classes} time points each, but motif_width={motif_width} of "
            f"n_timepoints={n_timepoints} gives {width}. Use longer series or wider motifs."
        )
    n_bursts = 1 + n_distractors
    free = n_timepoints - n_bursts * width
    if free < 0:
        raise ValueError(
            f"The motif and n_distractors={n_distractors}, of {width} time points each, do not fit "
            f"into n_timepoints={n_timepoints}. Use longer series, narrower motifs or fewer "
            "distractors."
        )

    y = random_state.permutation(np.arange(n_instances) % n_classes)
    X = noise * random_state.standard_normal((n_instances, n_channels, n_timepoints))
    mask = np.zeros(X.shape, dtype=bool)
    phase = (np.arange(width) + 0.5) / width
    for i, label in enumerate(y):
        # positions are drawn with the bursts cut out, then shifted, so that bursts never overlap
        places = np.sort(random_state.randint(free + 1, size=n_bursts))
        places = random_state.permutation(places + width * np.arange(n_bursts))
        motif = np.sin(2 * np.pi * (label + 1) * phase)
        distractors = random_state.standard_normal((n_distractors, width))
        for number, (place, burst) in enumerate(zip(places, (motif, *distractors), strict=True)):
            channel = random_state.randint(n_channels)
            span = slice(place, place + width)
            X[i, channel, span] += burst / np.sqrt(np.mean(burst**2))
            mask[i, channel, span] = number == 0
    return X, y, mask
