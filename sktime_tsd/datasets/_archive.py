"""Data sets laid out like the UCR/UEA archive."""

from importlib.resources import files
from pathlib import Path

import numpy as np

from sktime_tsd._panels.interpolation import filled, resampled
from sktime_tsd._utils.validation import check_choice
from sktime_tsd.datasets._read_series import read_series
from sktime_tsd.datasets._series_data import SeriesData, check_equal_lengths
from sktime_tsd.datasets._ts import ts_channels

__all__ = ["BUNDLED", "available_datasets", "load_dataset", "load_split"]

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

# The forms in which the archive is distributed; the first that is there is read.
_SUFFIXES = (".ts", ".tsv", ".txt", ".arff", ".csv", ".npz", ".parquet")


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
    return sorted(path.name for path in folders if _file(path, "train") is not None)


def load_dataset(name, *, split, data_dir=None, unequal_lengths="error", missing_values="keep"):
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
        ``NAME/NAME_TEST.ts``, or with files of another form that `read_series` reads. Default: the
        data sets bundled with sktime.
    unequal_lengths : {"error", "resample"}, default="error"
        What to do with series of unequal lengths. "resample" interpolates them linearly to the
        length of the longest training series. In files of equally long series, time points at the
        end at which all channels lack a value are padding and do not count. Equal lengths are
        never changed.
    missing_values : {"keep", "interpolate"}, default="keep"
        What to do with missing values: leave NaN, or interpolate linearly in time, at both ends
        with the nearest value.

    Returns
    -------
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
    y : numpy.ndarray of shape (n_instances,), str
        Labels to the letter.

    Raises
    ------
    ValueError
        If there is no such data set (the message lists those there are), a file is missing or
        cannot be read, it holds numbers instead of classes, the series have unequal lengths
        (unless they are resampled), or an option is unknown.

    Examples
    --------
    >>> from sktime_tsd.datasets import load_dataset
    >>> X, y = load_dataset("UnitTest", split="train")
    >>> X.shape, y.shape
    ((20, 1, 24), (20,))
    """
    data = load_split(
        name,
        split=split,
        data_dir=data_dir,
        unequal_lengths=unequal_lengths,
        missing_values=missing_values,
    )
    return data.X, data.y


def load_split(name, *, split, data_dir=None, unequal_lengths="error", missing_values="keep"):
    """Load a split as `load_dataset` does, with the names of its channels.

    Parameters
    ----------
    name, split, data_dir, unequal_lengths, missing_values
        As of `load_dataset`.

    Returns
    -------
    data : SeriesData
        Channels with names are in the order of the training file.

    Raises
    ------
    ValueError
        As of `load_dataset`.
    """
    check_choice("split", split, ("train", "test"))
    check_choice("unequal_lengths", unequal_lengths, ("error", "resample"))
    check_choice("missing_values", missing_values, ("keep", "interpolate"))
    known = available_datasets(data_dir)
    folder = Path(str(files("sktime.datasets") / "data") if data_dir is None else data_dir)
    if name not in known:
        where = "inside sktime" if data_dir is None else f"in {folder}"
        raise ValueError(
            f"There is no data set {name!r} {where}; there are: {', '.join(known) or 'none'}."
        )
    resamples, fills = unequal_lengths == "resample", missing_values == "interpolate"
    series, y, channels = _read(folder / name, split, cut=resamples, fill=fills)
    lengths = of_training = _lengths(series)
    if split == "test" and (resamples or channels is not None):
        training, _, names = _read(folder / name, "train", cut=resamples, fill=False)
        of_training = _lengths(training)
        if channels is not None and names is not None and channels != names:
            order = _order(name, names, channels)
            series, channels = [[parts[i] for i in order] for parts in series], names
    if resamples and len(of_training | lengths) > 1:
        series, lengths = _resampled(series, max(of_training)), {max(of_training)}
    check_equal_lengths(repr(name), lengths, ', or pass unequal_lengths="resample"')
    X = np.stack([np.stack(parts) for parts in series])
    return SeriesData(X, y, channels=channels)


def _order(name, names, channels):
    if set(names) != set(channels):
        raise ValueError(
            f"The channels of {name!r} are {', '.join(names)} in the training set, "
            f"{', '.join(channels)} in the test set."
        )
    return [channels.index(channel) for channel in names]


def _file(folder, split):
    paths = [folder / f"{folder.name}_{split.upper()}{suffix}" for suffix in _SUFFIXES]
    return next((path for path in paths if path.exists()), None)


def _read(folder, split, *, cut, fill):
    """Read series as lists of channels of any lengths, the labels, and the channels' names.

    If told, cut padding off the ends of series, and fill missing values.
    """
    path = _file(folder, split)
    if path is None:
        raise ValueError(
            f"The data set {folder.name!r} has no file {folder.name}_{split.upper()}.ts; it must "
            f"be in {folder}."
        )
    if path.suffix == ".ts":
        (series, y), names = ts_channels(path), None
    else:
        try:
            data = read_series(path)
        except ValueError as error:
            if "_column" not in str(error):
                raise
            raise ValueError(
                f"{error} These are parameters of read_series; in folders of data sets, columns "
                "need usual names, such as label, id and time."
            ) from error
        series, y, names = list(map(list, data.X)), data.y, data.channels
    if y is None:
        raise ValueError(f"{path} has no labels.")
    if cut and len(_lengths(series)) == 1:  # else the file says itself how long they are
        series = [_without_padding(channels) for channels in series]
    if fill:
        series = [_filled(path, i, channels) for i, channels in enumerate(series, 1)]
    return series, y, names


def _without_padding(channels):
    ends = [len(channel) - int((~np.isnan(channel))[::-1].argmax()) for channel in channels]
    if any(np.isnan(channel).all() for channel in channels):
        return channels
    # a channel may lack its last values while others have theirs
    n_padded = min(len(channel) - end for channel, end in zip(channels, ends, strict=True))
    return [channel[: len(channel) - n_padded] for channel in channels]


def _filled(path, number, channels):
    if any(np.isnan(channel).all() for channel in channels):
        raise ValueError(f"{path}: a channel of series {number} has no values to interpolate.")
    return [filled(channel) for channel in channels]


def _lengths(series):
    return {len(channel) for channels in series for channel in channels}


def _resampled(series, length):
    return [[resampled(channel, length) for channel in channels] for channels in series]
