"""Tables in parquet files, through pandas."""

import dataclasses
import importlib.util

import numpy as np
import pandas as pd

from sktime_tsd.datasets._channels_in_columns import panel_of_columns
from sktime_tsd.datasets._columns import find_columns
from sktime_tsd.datasets._labels import stored_labels
from sktime_tsd.datasets._long import series_of_rows
from sktime_tsd.datasets._series_data import SeriesData, joined
from sktime_tsd.datasets._times import NotATimeError, sortable_times
from sktime_tsd.datasets._wide import check_distinct_ids

__all__ = ["read_parquet"]


def read_parquet(path, options):
    """Read a table with a row per series, or per time point.

    Parameters
    ----------
    path : pathlib.Path
    options : ColumnOptions

    Returns
    -------
    data : SeriesData
        Labels and ids have the type that is stored. Columns of lists are channels.

    Raises
    ------
    ValueError
        If no engine is installed, or the table cannot be used.
    """
    if not any(importlib.util.find_spec(engine) for engine in ("pyarrow", "fastparquet")):
        raise ValueError(f"{path}: parquet files need pyarrow: pip install pyarrow.")
    try:
        frame = pd.read_parquet(path)
    except Exception as error:  # engines raise anything on damaged files
        reason = " ".join(str(error).split())
        raise ValueError(f"{path} cannot be read as a parquet file: {reason}") from error
    named = [name for name in frame.index.names if name is not None]
    frame = frame.reset_index(level=named) if named else frame
    if not len(frame):
        raise ValueError(f"{path} has no rows.")
    names = [str(name) for name in frame.columns]
    columns = find_columns(path, names, len(names), options)

    def cells(column):
        """Return a column with a value in each row."""
        if column is None:
            return None
        if frame.iloc[:, column].isna().any():
            raise ValueError(f"{path}, column {names[column]!r}: a value is missing.")
        return frame.iloc[:, column]

    of_values = [frame.iloc[:, column] for column in (columns.series or [columns.value])]
    ids, labels = cells(columns.id), cells(columns.label)
    if columns.time is None and all(_holds_lists(column) for column in of_values):
        data = SeriesData(
            _series_of_lists(path, of_values),
            None if labels is None else np.array(labels.tolist()),
            None if ids is None else np.array(ids.tolist()),
            [names[column] for column in columns.series],
        )
        return _with_checked_labels(path, names, columns, data)
    values = np.stack([_values(path, column) for column in of_values], axis=1)
    if columns.time is not None:
        channels = cells(columns.channel)
        data = series_of_rows(
            path,
            ids=ids.tolist(),
            times=_times(path, cells(columns.time)),
            values=values,
            channels=None if channels is None else channels.tolist(),
            labels=None if labels is None else labels.tolist(),
            names=[names[column] for column in columns.series],
        )
    else:
        ids = None if ids is None else ids.tolist()
        check_distinct_ids(path, ids or [], range(1, len(frame) + 1))
        X, of_columns = panel_of_columns(path, [names[i] for i in columns.series], values)
        data = SeriesData(
            X,
            None if labels is None else np.array(labels.tolist()),
            None if ids is None else np.array(ids),
            of_columns,
        )
    return _with_checked_labels(path, names, columns, data)


def _with_checked_labels(path, names, columns, data):
    if data.y is None:
        return data
    where = f"{path}, column {names[columns.label]!r}"
    return dataclasses.replace(data, y=stored_labels(where, data.y))


def _holds_lists(column):
    return isinstance(column.iloc[0], (list, np.ndarray))


def _series_of_lists(path, columns):
    """Read columns whose cells are series: a channel each."""
    series = []
    for row, cells in enumerate(zip(*columns, strict=True), 1):
        try:
            channels = [np.asarray(cell, dtype=np.float64) for cell in cells]
        except (TypeError, ValueError):
            raise ValueError(f"{path}, row {row}: a list that holds more than numbers.") from None
        if any(channel.ndim != 1 or not len(channel) for channel in channels):
            raise ValueError(f"{path}, row {row}: a list of numbers is missing.")
        lengths = [len(channel) for channel in channels]
        if len(set(lengths)) > 1:
            raise ValueError(
                f"{path}, row {row}: the channels have unequal lengths ({min(lengths)} to "
                f"{max(lengths)} time points); resample them first."
            )
        series.append(np.stack(channels))
    return joined(series)


def _values(path, column):
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_complex_dtype(column):
        name = str(column.name)
        raise ValueError(
            f"{path}, column {name!r}: not numbers, but {column.dtype}; if it is the label, pass "
            f"label_column={name!r}; to leave it out, ignore_columns=[{name!r}]."
        )
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def _times(path, column):
    types = pd.api.types
    is_time = types.is_datetime64_any_dtype, types.is_timedelta64_dtype, types.is_numeric_dtype
    if any(known(column) for known in is_time):
        # with a time zone, instants would be objects
        column = column.dt.tz_convert(None) if getattr(column.dtype, "tz", None) else column
        return column.to_numpy()
    try:
        return sortable_times([str(cell) for cell in column])
    except NotATimeError as error:
        raise ValueError(f"{path}, column {str(column.name)!r}: {error}.") from None
