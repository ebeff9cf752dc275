"""Files in sktime's .ts form."""

import re
from pathlib import Path

import numpy as np

from sktime_tsd.datasets._labels import check_no_targets
from sktime_tsd.datasets._regular_file import check_regular_file
from sktime_tsd.datasets._series_data import SeriesData, check_equal_lengths, joined
from sktime_tsd.datasets._text import BLANK, NotANumberError, numbers, text_lines
from sktime_tsd.datasets._times import NotATimeError, sortable_times

__all__ = ["load_ts_file", "read_ts", "ts_channels"]

# Between two channels whose values have times, which may hold colons themselves.
_AFTER_TIMED = re.compile(r"(?<=\))\s*:")
_BETWEEN_PAIRS = re.compile(r"\)\s*,\s*\(")


def load_ts_file(path):
    """Load a file in sktime's .ts form, with or without labels.

    `read_series` also reads other forms, and series of unequal lengths.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
    y : numpy.ndarray of shape (n_instances,), str, or None
        Labels to the letter; None if the file has none.

    Raises
    ------
    ValueError
        If the file cannot be read, is a regression set, or its series have unequal lengths.

    Examples
    --------
    >>> from importlib.resources import files
    >>> from sktime_tsd.datasets import load_ts_file
    >>> X, y = load_ts_file(files("sktime.datasets") / "data/UnitTest/UnitTest_TEST.ts")
    >>> X.shape, y.shape
    ((22, 1, 24), (22,))
    """
    path = Path(path)
    check_regular_file(path)
    data = read_ts(path)
    check_equal_lengths(path, [series.shape[1] for series in data.X])
    return data.X, data.y


def read_ts(path):
    """Read a .ts file.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    data : SeriesData

    Raises
    ------
    ValueError
        If the file is not of this form, is a regression set, or the channels of a series have
        unequal lengths.
    """
    series, y = ts_channels(path)
    for number, channels in enumerate(series, 1):
        lengths = [len(channel) for channel in channels]
        if len(set(lengths)) > 1:
            raise ValueError(
                f"{path}: the channels of series {number} have unequal lengths ({min(lengths)} "
                f"to {max(lengths)} time points); resample them first."
            )
    return SeriesData(joined([np.stack(channels) for channels in series]), y)


def ts_channels(path):
    """Read the channels of a .ts file, which may all have lengths of their own.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    series : list of list of numpy.ndarray of shape (n_timepoints,), float64
        The channels of each series.
    y : numpy.ndarray of shape (n_instances,), str, or None
        Labels to the letter, or None if the file has none.

    Raises
    ------
    ValueError
        If the file is not of this form, or is a regression set.
    """
    lines = enumerate((line.strip(BLANK) for line in text_lines(path)), 1)
    lines = ((number, line) for number, line in lines if line and line[0] not in "#%")
    header = _Header(path, lines)
    n_channels, first = header.n_channels, None
    series, labels = [], []
    for number, line in lines:
        where = f"{path}, line {number}"
        parts = _AFTER_TIMED.split(line) if header.timed and ")" in line else line.split(":")
        label = parts.pop().strip(BLANK) if header.labelled else None
        if n_channels is None:
            n_channels, first = len(parts), number
        if len(parts) != n_channels or not parts:
            expected = f"{n_channels}, as in {f'line {first}' if first else 'the header'}"
            raise ValueError(
                f"{where}: {len(parts)} channels{' and a label' if header.labelled else ''}, "
                f"expected {expected}. Colons separate channels and cannot be part of a label."
            )
        if label == "":
            raise ValueError(f"{where}: no label after the last colon.")
        series.append([_channel(where, i, part, header.timed) for i, part in enumerate(parts, 1)])
        labels.append(label)
    if not series:
        raise ValueError(f"{path} has no series after @data.")
    if not header.labelled:
        return series, None
    y = np.array(labels, dtype=str)
    check_no_targets(path, y)
    return series, y


class _Header:
    """What the lines before ``@data`` say."""

    def __init__(self, path, lines):
        tags = {}
        for number, line in lines:
            if line[0] != "@":
                raise ValueError(
                    f"{path}, line {number}: values before the line @data. A .ts file begins with "
                    "lines such as @problemName, @classLabel and @data."
                )
            tag, *words = line.split()
            tags[tag.lower()] = [word.lower() for word in words]
            if tag.lower() == "@data":
                break
        else:
            raise ValueError(f"{path} has no line @data: it is not a .ts file.")

        def says(tag):
            words = tags.get(tag, ["false"])
            if words[:1] not in (["true"], ["false"]):
                raise ValueError(f"{path}: {tag} must be followed by true or false.")
            return words[0] == "true"

        if says("@targetlabel"):
            raise ValueError(
                f"{path} is a regression set (@targetLabel): numbers, not classes. Only "
                "classification sets (@classLabel) can be read."
            )
        if not tags.keys() & {"@classlabel", "@targetlabel"}:
            raise ValueError(
                f"{path} does not say whether its series have labels. Add the line "
                "@classLabel true, followed by the labels, or @classLabel false."
            )
        self.labelled = says("@classlabel")
        self.timed = says("@timestamps")
        sizes = tags.get("@dimensions") or tags.get("@dimension")
        #: Number of channels, or None if the header does not say.
        self.n_channels = 1 if says("@univariate") else None
        if sizes and sizes[0].isdecimal() and self.n_channels is None:
            self.n_channels = int(sizes[0])


def _channel(where, number, text, timed):
    where = f"{where}, channel {number}"
    text = text.strip(BLANK)
    if not text:
        raise ValueError(f"{where}: no values.")
    cells = text.split(",")
    if timed:
        times, cells = _pairs(where, text)
    elif "" in cells:  # a comma too many, or a value that is missing
        raise ValueError(f"{where}: nothing between two commas; write ? for a missing value.")
    try:
        values = numbers(cells)
        if not timed:
            return values
        times = sortable_times(times)
    except (NotANumberError, NotATimeError) as error:
        raise ValueError(f"{where}, value {error.position + 1}: {error}.") from error
    order = np.argsort(times, kind="stable")
    twice = np.flatnonzero(times[order][1:] == times[order][:-1])
    if len(twice):
        raise ValueError(f"{where}: two values at the time {times[order][twice[0]]}.")
    return values[order]


def _pairs(where, text):
    if text[0] != "(" or text[-1] != ")":
        raise ValueError(
            f"{where}: expected (time,value) pairs, as the file says @timestamps true."
        )
    pairs = [pair.rpartition(",") for pair in _BETWEEN_PAIRS.split(text[1:-1])]
    return [time.strip(BLANK) for time, _, _ in pairs], [value for _, _, value in pairs]
