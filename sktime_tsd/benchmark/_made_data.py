"""Data sets that are made: with known evidence, or with a cue that misleads."""

import importlib.util
import re
from typing import NamedTuple

import numpy as np

from sktime_tsd.datasets import load_dataset, make_planted_motifs

__all__ = ["MADE", "Split", "add_cue", "check_made", "cue_of", "load_split"]

_N_TRAIN, _N_TEST, _N_TIMEPOINTS = 120, 200, 100

# The test series are drawn apart from the training series.
_SEED_OF_TEST = 10_000

# Part of a series that carries the cue, at its end.
_CUE_WIDTH = 0.1

_WITH_CUE = re.compile(r"(?P<name>.+)@(?P<strength>\d+(\.\d+)?)")


class Split(NamedTuple):
    """Series of a data set's training or test part.

    Parameters
    ----------
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
    y : numpy.ndarray of shape (n_instances,)
    mask : numpy.ndarray of shape (n_instances, n_timepoints), bool, or None
        Where the evidence for the class is, if it is known.
    """

    X: np.ndarray
    y: np.ndarray
    mask: np.ndarray | None = None


def _planted_motifs(n_instances, seed):
    X, y, mask = make_planted_motifs(
        n_instances, n_timepoints=_N_TIMEPOINTS, n_distractors=2, random_state=seed
    )
    return Split(X, y, mask.any(axis=1))


def _from_builder(n_instances, seed, features_of_classes, distractor=None):
    """Make series with xaitimesynth: noise, the class's features, perhaps a distractor."""
    from xaitimesynth import TimeSeriesBuilder, gaussian_noise

    builder = TimeSeriesBuilder(
        n_timesteps=_N_TIMEPOINTS,
        n_samples=n_instances,
        normalization="none",
        random_state=seed,
        data_format="channels_first",
    )
    for label, features in enumerate(features_of_classes):
        builder = builder.for_class(label).add_signal(gaussian_noise(sigma=0.3))
        for feature, share in features:
            builder = builder.add_feature(feature, random_location=True, length_pct=share)
        if distractor is not None:
            builder = builder.add_feature(
                gaussian_noise(sigma=1), random_location=True, length_pct=distractor
            )
    made = builder.build(return_components=False)
    of_evidence = [m for name, m in made["feature_masks"].items() if "gaussian_noise" not in name]
    return Split(made["X"], made["y"], np.any(of_evidence, axis=0))


def _localised(n_instances, seed):
    from xaitimesynth import gaussian_pulse, seasonal

    features = gaussian_pulse(amplitude=2.0), seasonal(period=15, amplitude=1.4)
    of_classes = [[(feature, 0.15)] for feature in features]
    return _from_builder(n_instances, seed, of_classes, distractor=0.15)


def _distributed(n_instances, seed):
    from xaitimesynth import gaussian_pulse

    of_classes = [4 * [(gaussian_pulse(amplitude=height), 0.06)] for height in (0.8, -0.8)]
    return _from_builder(n_instances, seed, of_classes, distractor=0.15)


def _frequency(n_instances, seed):
    from xaitimesynth import seasonal

    of_classes = [[(seasonal(period=period), 0.4)] for period in (14, 8)]
    return _from_builder(n_instances, seed, of_classes, distractor=0.2)


_MAKERS = {
    "planted_motifs": _planted_motifs,
    "xai_localised": _localised,
    "xai_distributed": _distributed,
    "xai_frequency": _frequency,
}

#: Made data set -> description. Those whose names begin with xai need xaitimesynth.
MADE = {
    "planted_motifs": "a motif among distractors of equal energy",
    "xai_localised": "a pulse or a wave in one place, beside a burst of noise",
    "xai_distributed": "four weak pulses, up or down, beside a burst of noise",
    "xai_frequency": "a wave of one of two frequencies over two fifths of the series",
}


def cue_of(name):
    """Split the name of a data set with a cue.

    Parameters
    ----------
    name : str
        Such as "GunPoint@0.5".

    Returns
    -------
    name : str
        Of the data set itself.
    strength : float or None
        None without a cue.

    Examples
    --------
    >>> from sktime_tsd.benchmark._made_data import cue_of
    >>> cue_of("GunPoint@0.5"), cue_of("GunPoint")
    (('GunPoint', 0.5), ('GunPoint', None))
    """
    found = _WITH_CUE.fullmatch(name)
    return (found["name"], float(found["strength"])) if found else (name, None)


def check_made(name):
    """Refuse a made data set whose library is missing.

    Raises
    ------
    ImportError
    """
    if name.startswith("xai_") and importlib.util.find_spec("xaitimesynth") is None:
        raise ImportError(f'data set "{name}" needs xaitimesynth: pip install xaitimesynth')


def load_split(name, split, *, data_dir, seed):
    """Load or make a part of a data set, without its cue.

    Parameters
    ----------
    name : str
        A key of `MADE`, or what `load_dataset` accepts.
    split : {"train", "test"}
    data_dir : path-like or None
    seed : int
        Of the run; every seed makes other series.

    Returns
    -------
    split : Split
    """
    if name in _MAKERS:
        n_instances, first = (_N_TRAIN, 0) if split == "train" else (_N_TEST, _SEED_OF_TEST)
        return _MAKERS[name](n_instances, first + seed)
    return Split(*load_dataset(name, split=split, data_dir=data_dir, unequal_lengths="resample"))


def add_cue(X, of_classes, n_classes, strength, scale):
    """Add a cue of a class to each series: half a sine wave over the last tenth.

    Its height is ``strength * scale`` times a number from -1 (the first class) to 1 (the last),
    in equal steps.

    Parameters
    ----------
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
    of_classes : numpy.ndarray of shape (n_instances,), int
        Index of the class that each cue points to.
    n_classes : int
        At least 2.
    strength : float
    scale : float
        Unit of the strength: the standard deviation of the training series.

    Returns
    -------
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
        A copy.
    """
    width = max(2, round(_CUE_WIDTH * X.shape[2]))
    bump = np.sin(np.pi * (np.arange(width) + 0.5) / width)
    height = strength * scale * np.linspace(-1, 1, n_classes)[of_classes]
    X = X.copy()
    X[..., -width:] += (height[:, None] * bump)[:, None].astype(X.dtype)
    return X
