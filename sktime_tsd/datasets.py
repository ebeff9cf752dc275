"""Data sets: synthetic series with known salient time points, and loaders of local files."""

from importlib.resources import files
from pathlib import Path

import numpy as np
from sklearn.utils import check_random_state
from sktime.datasets import load_from_tsfile_to_dataframe

from sktime_tsd._utils.validation import check_choice, check_number

__all__ = ["BUNDLED", "available_datasets", "load_dataset", "load_ts_file", "make_planted_motifs"]

# The equal-length classification sets inside the sktime wheel.
BUNDLED = (
    "ACSF1",
    "ArrowHead",
    "BasicMotions",
    "GunPoint",
    "ItalyPowerDemand",
    "OSULeaf",
    "UnitTest",
)


def available_datasets(data_dir=None):
    """List the data sets that `load_dataset` finds. Nothing is downloaded.

    Parameters
    ----------
    data_dir : path-like, optional
        Folder laid out like the UCR/UEA archive. Default: the data sets bundled with sktime.

    Returns
    -------
    names : list of str

    Examples
    --------
    >>> from sktime_tsd.datasets import available_datasets
    >>> "GunPoint" in available_datasets()
    True
    """
    if data_dir is None:
        return list(BUNDLED)
    folders = Path(data_dir).glob("*")
    return sorted(path.name for path in folders if (path / f"{path.name}_TRAIN.ts").exists())


def load_dataset(name, *, split, data_dir=None, unequal_lengths="error"):
    """Load the training or test set of a data set from sktime or a local folder.

    Nothing is downloaded.

    Parameters
    ----------
    name : str
        One of ``BUNDLED``, or the name of a folder in `data_dir`.
    split : {"train", "test"}
        Which part to load.
    data_dir : path-like, optional
        Folder laid out like the UCR/UEA archive: ``NAME/NAME_TRAIN.ts`` and
        ``NAME/NAME_TEST.ts``. Default: the data sets bundled with sktime.
    unequal_lengths : {"error", "resample"}, default="error"
        What to do with series of unequal lengths. "resample" interpolates them linearly to the
        length of the longest training series. Equal lengths are never changed.

    Returns
    -------
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
    y : numpy.ndarray of shape (n_instances,), str

    Raises
    ------
    ValueError
        If there is no such data set (the message lists those there are), a file is missing,
        the series have unequal lengths (unless they are resampled), or an option is unknown.

    Examples
    --------
    >>> from sktime_tsd.datasets import load_dataset
    >>> X, y = load_dataset("UnitTest", split="train")
    >>> X.shape, y.shape
    ((20, 1, 24), (20,))
    """
    check_choice("split", split, ("train", "test"))
    check_choice("unequal_lengths", unequal_lengths, ("error", "resample"))
    known = available_datasets(data_dir)
    folder = Path(str(files("sktime.datasets") / "data") if data_dir is None else data_dir)
    if name not in known:
        where = "inside sktime" if data_dir is None else f"in {folder}"
        raise ValueError(
            f"There is no data set {name!r} {where}; there are: {', '.join(known) or 'none'}."
        )
    series, y = _read(folder / name, split)
    lengths = _lengths(series)
    if unequal_lengths == "resample":
        of_training = lengths if split == "train" else _lengths(_read(folder / name, "train")[0])
        if len(of_training | lengths) > 1:
            series, lengths = _resampled(series, max(of_training)), {max(of_training)}
    if len(lengths) > 1:
        raise ValueError(
            f"The series of {name!r} have unequal lengths ({min(lengths)} to {max(lengths)} "
            'time points). Pad or resample them first, or pass unequal_lengths="resample".'
        )
    return _stacked(series), np.asarray(y)


def load_ts_file(path):
    """Load a file in sktime's .ts format, with or without labels.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
    y : numpy.ndarray of shape (n_instances,), str, or None
        None if the file has no labels.

    Raises
    ------
    ValueError
        If the file cannot be read, or its series have unequal lengths.

    Examples
    --------
    >>> from importlib.resources import files
    >>> from sktime_tsd.datasets import load_ts_file
    >>> X, y = load_ts_file(files("sktime.datasets") / "data/UnitTest/UnitTest_TEST.ts")
    >>> X.shape, y.shape
    ((22, 1, 24), (22,))
    """
    try:
        series, y = _read_file(Path(path))
    except Exception as error:  # sktime's reader fails in many ways on other files
        raise ValueError(f"{path} cannot be read as a .ts file: {error}") from error
    lengths = _lengths(series)
    if len(lengths) > 1:
        raise ValueError(
            f"The series of {path} have unequal lengths ({min(lengths)} to {max(lengths)} time "
            "points). Pad or resample them first."
        )
    return _stacked(series), y


def _read(folder, split):
    """Read series as lists of channels of any lengths, and the labels."""
    path = folder / f"{folder.name}_{split.upper()}.ts"
    if not path.exists():
        raise ValueError(
            f"The data set {folder.name!r} has no file {path.name}; it must be in {folder}."
        )
    return _read_file(path)


def _read_file(path):
    loaded = load_from_tsfile_to_dataframe(str(path))
    frame, y = loaded if isinstance(loaded, tuple) else (loaded, None)
    return [[np.asarray(cell) for cell in row] for row in frame.to_numpy()], y


def _stacked(series):
    return np.stack([np.stack(channels) for channels in series])


def _lengths(series):
    return {len(channel) for channels in series for channel in channels}


def _resampled(series, length):
    places = np.linspace(0, 1, length)
    return [
        [np.interp(places, np.linspace(0, 1, len(channel)), channel) for channel in channels]
        for channels in series
    ]


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
