"""Tables in parquet files, through pandas."""

import importlib.util

import numpy as np
import pandas as pd

from sktime_tsd.datasets._columns import find_columns
from sktime_tsd.datasets._labels import stored_labels
from sktime_tsd.datasets._long import series_of_rows
from sktime_tsd.datasets._series_data import SeriesData
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
        Labels and ids have the type that is stored.

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

    values = np.stack(
        [_values(path, frame.iloc[:, column]) for column in (columns.series or [columns.value])],
        axis=1,
    )
    ids, labels = cells(columns.id), cells(columns.label)
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
        data = SeriesData(
            values[:, None],  # (n_instances, 1, n_timepoints)
            None if labels is None else np.array(labels.tolist()),
            None if ids is None else np.array(ids),
        )
    if data.y is not None:
        stored_labels(f"{path}, column {names[columns.label]!r}", data.y)
    return data


def _values(path, column):
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_complex_dtype(column):
        name = str(column.name)
        raise ValueError(
            f"{path}, column {name!r}: not numbers, but {column.dtype}; if it is the label, pass "
            f"label_column={name!r}; to leave it out, ignore_columns=[{name!r}]."
        )
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def _times(path, column):
    if pd.api.types.is_datetime64_any_dtype(column) or pd.api.types.is_numeric_dtype(column):
        # with a time zone, instants would be objects
        column = column.dt.tz_convert(None) if getattr(column.dtype, "tz", None) else column
        return column.to_numpy()
    try:
        return sortable_times([str(cell) for cell in column])
    except NotATimeError as error:
        raise ValueError(f"{path}, column {str(column.name)!r}: {error}.") from None
