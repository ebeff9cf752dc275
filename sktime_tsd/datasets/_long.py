"""Tables with one row per time point, or per time point and channel."""

import itertools

import numpy as np

from sktime_tsd.datasets._series_data import SeriesData, joined
from sktime_tsd.datasets._text import NotANumberError, numbers
from sktime_tsd.datasets._times import NotATimeError, sortable_times
from sktime_tsd.datasets._wide import not_a_number, present

__all__ = ["read_long", "series_of_rows"]

# Rows read at a time. With thousands, Python's garbage collector finds them alive again and again,
# which made reading ten times slower.
_CHUNK = 200


def read_long(table, columns):
    """Read a text table with one row per time point, or per time point and channel.

    Parameters
    ----------
    table : TextTable
    columns : Columns

    Returns
    -------
    data : SeriesData

    Raises
    ------
    ValueError
        If a cell holds something else than its column, a series has two rows of the same time,
        or two labels.
    """
    texts = {
        role: (getattr(columns, role), [])
        for role in ("id", "time", "channel", "label")
        if getattr(columns, role) is not None
    }
    of_values = columns.series if columns.channel is None else [columns.value]
    rows, values = [], []
    known = {}  # one object per text
    for chunk in iter(lambda: list(itertools.islice(table.rows, _CHUNK)), []):
        numbers_of_rows, cells = zip(*chunk, strict=True)
        rows += numbers_of_rows
        by_column = list(zip(*cells, strict=True))
        for column, found in texts.values():
            if not all(map(str.strip, by_column[column])):
                for row, cell in zip(numbers_of_rows, by_column[column], strict=True):
                    present(table, row, column, cell)
            found += [known.setdefault(cell, cell) for cell in by_column[column]]
        part = []
        for column in of_values:
            try:
                part.append(numbers(by_column[column]))
            except NotANumberError as error:
                row = numbers_of_rows[error.position]
                raise not_a_number(table, columns, row, column, error) from None
        values.append(np.stack(part, axis=1))
    if not values:
        raise ValueError(f"{table.path} has a header, but no series.")
    found = {role: cells for role, (_, cells) in texts.items()}
    try:
        times = sortable_times(found["time"])
    except NotATimeError as error:
        place = table.place(rows[error.position], columns.time)
        raise ValueError(f"{place}: {error}.") from None
    return series_of_rows(
        table.path,
        ids=found["id"],
        times=times,
        values=np.concatenate(values),
        channels=found.get("channel"),
        labels=found.get("label"),
        names=None if table.names is None else [table.names[i] for i in columns.series],
    )


def series_of_rows(where, *, ids, times, values, channels=None, labels=None, names=None):
    """Put rows together to series.

    Parameters
    ----------
    where : object
        What messages call the table.
    ids : list of length n_rows
        The series of each row.
    times : numpy.ndarray of shape (n_rows,)
        Used for the order only.
    values : numpy.ndarray of shape (n_rows, n_channels)
        With one column if there are `channels`.
    channels : list of length n_rows, optional
        The channel of each row.
    labels : list of length n_rows, optional
        The label of each row's series.
    names : list of str, optional
        Names of the channels that are columns.

    Returns
    -------
    data : SeriesData
        Series in the order in which they appear. Channels that are columns keep their order;
        others are sorted by name, so that two files agree.

    Raises
    ------
    ValueError
        If a series has two rows of the same time, two labels, or no series has two time points.
    """
    index = {}
    codes = np.array([index.setdefault(name, len(index)) for name in ids])
    y = None if labels is None else _label_of_each(where, ids, labels)
    order = np.lexsort((times, codes))  # (n_rows,)
    codes, sorted_times = codes[order], times[order]
    is_new = np.ones(len(order), dtype=bool)  # rows that begin a time point of a series
    is_new[1:] = (codes[1:] != codes[:-1]) | (sorted_times[1:] != sorted_times[:-1])
    if channels is None:
        twice = order[~is_new]
        matrix = values[order]  # (n_rows, n_channels)
    else:
        names = sorted(set(channels), key=_numbers_first)
        of_name = {name: i for i, name in enumerate(names)}
        names = [str(name) for name in names]
        cells = (np.cumsum(is_new) - 1) * len(names)
        cells += np.array([of_name[channels[row]] for row in order])
        _, first = np.unique(cells, return_index=True)
        twice = np.delete(order, first)
        matrix = np.full((is_new.sum(), len(names)), np.nan)
        matrix.ravel()[cells] = values[order, 0]
    if len(twice):
        row = twice[0]
        of_channel = "" if channels is None else f" and channel {channels[row]!r}"
        raise ValueError(
            f"{where}: series {ids[row]!r} has two rows of the same time, {times[row]}{of_channel}."
        )
    ends = np.flatnonzero(np.diff(codes[is_new])) + 1
    series = [np.ascontiguousarray(part.T) for part in np.split(matrix, ends)]
    if all(part.shape[1] == 1 for part in series):
        raise ValueError(
            f"{where}: every series has one time point. If each row is a whole series, pass "
            "time_column=False."
        )
    return SeriesData(joined(series), y, np.array(list(index)), names)


def _label_of_each(where, ids, labels):
    found = {}
    for name, label in zip(ids, labels, strict=True):
        if found.setdefault(name, label) != label:
            raise ValueError(
                f"{where}: series {name!r} has two labels, {found[name]!r} and {label!r}. If the "
                "column holds values, pass label_column=False."
            )
    return np.array(list(found.values()))


def _numbers_first(name):
    try:
        return 0, float(name), ""
    except ValueError:
        return 1, 0.0, str(name)
