"""Panels in pandas: the names of channels and series, and only the order of time stamps."""

import numpy as np
import pandas as pd

__all__ = ["is_nested", "is_real", "read_list", "read_multiindex", "read_nested"]

_REAL = "X must hold real numbers, but"


def read_multiindex(frame):
    """Read a frame with an index (series, time point) and a column for each channel.

    Rows are put in order of time within each series; the times themselves do not count.

    Parameters
    ----------
    frame : pandas.DataFrame

    Returns
    -------
    values : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
        NaN where values are missing. If lengths differ, a list with an array of shape (n_channels,
        n_timepoints) for each series.
    names : tuple or None
        Of the channels; None if they are only numbered.
    instances : pandas.Index of shape (n_instances,)
        Labels of the series.

    Raises
    ------
    ValueError, TypeError
        If it is no panel of series of numbers.
    """
    index = frame.index
    if index.nlevels != 2:
        raise TypeError(
            "X must have an index of two levels, series and time point, got "
            f"{index.nlevels} levels: {', '.join(map(repr, index.names))}."
        )
    _check_not_empty(frame)
    if any((codes < 0).any() for codes in index.codes):
        raise ValueError("X has missing entries (NaN or NaT) in its index. Drop these rows.")
    series, seen = pd.factorize(index.codes[0])
    times = _order_of_times(index.levels[1])[index.codes[1]]
    order, names = channels(frame.columns)
    values = _numbers(frame)[:, order]
    in_order = (np.diff(series) > 0) | ((np.diff(series) == 0) & (np.diff(times) >= 0))
    if not in_order.all():
        values = values[np.lexsort((times, series))]  # stable: equal times keep their order
    lengths = np.bincount(series)
    if (lengths == lengths[0]).all():
        values = values.reshape(len(lengths), lengths[0], -1).transpose(0, 2, 1)
    else:
        values = [part.T for part in np.split(values, np.cumsum(lengths)[:-1])]
    return values, names, index.levels[0].take(seen)


def is_nested(frame):
    """Tell whether the cells of a frame are series.

    Parameters
    ----------
    frame : pandas.DataFrame

    Returns
    -------
    bool
    """
    if 0 in frame.shape:
        return False
    first = frame.iloc[0].tolist()
    return any(isinstance(cell, (pd.Series, np.ndarray, list, tuple)) for cell in first)


def read_nested(frame):
    """Read a frame whose cells are series: a row for each instance, a column for each channel.

    Parameters
    ----------
    frame : pandas.DataFrame

    Returns
    -------
    values, names, instances
        As for `read_multiindex`.

    Raises
    ------
    ValueError, TypeError
        If it is no panel of series of numbers, or the channels of a series differ in length.
    """
    order, names = channels(frame.columns)
    columns = []
    for place in order:
        cells = [_cell(cell, frame.columns[place]) for cell in frame.iloc[:, place]]
        columns.append(cells)
    series = []
    for number, cells in enumerate(zip(*columns, strict=True)):
        lengths = [len(cell) for cell in cells]
        if len(set(lengths)) > 1:
            raise ValueError(
                f"The channels of series {number} of X differ in length, from {min(lengths)} to "
                f"{max(lengths)} time points. Resample them to one length; unequal_length is "
                "about whole series."
            )
        series.append(np.stack(cells))
    return _stacked_if_equal(series), names, frame.index


def read_list(frames):
    """Read a list with a frame for each series: a row for each time point.

    Parameters
    ----------
    frames : list of pandas.DataFrame or pandas.Series
        A pandas Series is a series of one channel.

    Returns
    -------
    values, names, instances
        As for `read_multiindex`; the series have no labels.

    Raises
    ------
    ValueError, TypeError
        If it is no panel of series of numbers with the same channels.
    """
    if all(isinstance(frame, pd.Series) for frame in frames):
        return _stacked_if_equal([_cell(frame, 0)[np.newaxis] for frame in frames]), None, None
    order, names = channels(frames[0].columns)
    wanted = [frames[0].columns[place] for place in order]
    columns, parts = pd.Index(wanted), []
    for number, frame in enumerate(frames):
        if isinstance(frame.index, pd.MultiIndex):
            raise TypeError(
                f"The frames in the list X must have an index of one level, time; that of series "
                f"{number} has {frame.index.nlevels}. Pass pandas.concat(X) if they hold panels."
            )
        if len(frame.columns) != len(wanted) or set(frame.columns) != set(wanted):
            raise ValueError(
                f"Series {number} of the list X has channels {_listed(frame.columns)}, but series "
                f"0 has {_listed(wanted)}."
            )
        _check_not_empty(frame)
        frame = _in_time_order(frame)
        parts.append(_numbers(frame if frame.columns.equals(columns) else frame[wanted]))
    return _stacked_if_equal([part.T for part in parts]), names, None


def _stacked_if_equal(series):
    return np.stack(series) if len({one.shape[1] for one in series}) == 1 else series


def channels(columns):
    """Read the names of channels.

    Parameters
    ----------
    columns : pandas.Index

    Returns
    -------
    order : list of int
        Positions of the columns in the order in which they are read.
    names : tuple or None
        In that order. None if they are the numbers 0, 1, ..., which are then put in order.

    Raises
    ------
    ValueError
        If a name occurs twice.
    """
    names = columns.tolist()
    if len(set(names)) < len(names):
        twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
        raise ValueError(f"X has several channels of the same name: {_listed(twice)}.")
    if columns.dtype.kind in "iu" and sorted(names) == list(range(len(names))):
        return np.argsort(names).tolist(), None
    return list(range(len(names))), tuple(names)


def _listed(names):
    names = [repr(name) for name in names]
    return ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")


def _check_not_empty(frame):
    if 0 in frame.shape:
        raise ValueError(
            "Expected X with at least one series, channel and time point, got a frame of shape "
            f"{frame.shape}."
        )


def is_real(dtype):
    """Tell whether values of a dtype are real numbers; booleans are.

    Parameters
    ----------
    dtype : numpy.dtype or pandas.api.extensions.ExtensionDtype

    Returns
    -------
    bool
    """
    if isinstance(dtype, np.dtype):
        return dtype.kind in "fiub"
    types = pd.api.types
    return types.is_bool_dtype(dtype) or (
        types.is_numeric_dtype(dtype) and not types.is_complex_dtype(dtype)
    )


def _is_object(dtype):
    return isinstance(dtype, np.dtype) and dtype.kind == "O"


def _numbers(frame):
    """Values of shape (n_rows, n_columns); missing ones are NaN, whatever pandas calls them."""
    dtypes = frame.dtypes.to_numpy(copy=True)
    for place, dtype in enumerate(dtypes):
        if _is_object(dtype) and _is_object_for_missing(frame.iloc[:, place]):
            dtypes[place] = pd.Float64Dtype()
    for dtype in set(dtypes):
        if not is_real(dtype):
            name = frame.columns[np.nonzero(dtypes == dtype)[0][0]]
            raise TypeError(f"{_REAL} channel {name!r} has dtype {dtype}.")
    if all(isinstance(dtype, np.dtype) for dtype in dtypes):
        values = frame.to_numpy()
        return values if values.dtype != object else values.astype(np.float64)  # bools and numbers
    return np.column_stack(
        [
            frame.iloc[:, place].to_numpy(dtype=np.float64, na_value=np.nan)
            for place in range(frame.shape[1])
        ]
    )


def _is_object_for_missing(values):
    """Whether values are numbers, objects only because NA or None stands among them."""
    kind = pd.api.types.infer_dtype(values, skipna=True)
    is_number = kind in ("integer", "floating", "mixed-integer-float", "boolean", "empty")
    return is_number and bool(pd.isna(values).any())


def _cell(cell, name):
    if isinstance(cell, (list, tuple)):
        cell = np.asarray(cell)
    if isinstance(cell, (pd.Series, np.ndarray)) and _is_object(cell.dtype) and cell.ndim == 1:
        as_series = pd.Series(cell)
        if _is_object_for_missing(as_series):
            cell = as_series.astype("Float64")
    if isinstance(cell, pd.Series):
        if not is_real(cell.dtype):
            raise TypeError(f"{_REAL} series in channel {name!r} have dtype {cell.dtype}.")
        cell = _in_time_order(cell)
        if isinstance(cell.dtype, np.dtype):
            return cell.to_numpy()
        return cell.to_numpy(dtype=np.float64, na_value=np.nan)
    if cell is None or cell is pd.NA or (isinstance(cell, float) and np.isnan(cell)):
        raise ValueError(
            f"X contains NaN: a series of channel {name!r} is missing. Drop these rows."
        )
    if not isinstance(cell, np.ndarray):
        raise TypeError(
            f"Every cell of the frame X must be a series, but channel {name!r} holds a "
            f"{type(cell).__name__}. Drop columns that are no channels."
        )
    if cell.ndim != 1 or cell.dtype.kind not in "fiub":
        raise TypeError(
            f"{_REAL} channel {name!r} holds an array of dtype {cell.dtype} and {cell.ndim} "
            "dimensions."
        )
    return np.ma.filled(cell.astype(np.float64), np.nan) if np.ma.isMA(cell) else cell


def _in_time_order(frame):
    index = frame.index
    if index.is_monotonic_increasing:
        return frame
    return frame.iloc[np.argsort(_order_of_times(index), kind="stable")]


def _order_of_times(times):
    """Rank of each time; equal times have equal ranks."""
    if isinstance(times, pd.CategoricalIndex) and not times.ordered:
        times = pd.Index(times.astype(times.categories.dtype))
    if times.inferred_type in ("string", "mixed", "mixed-integer", "bytes"):
        raise TypeError(_no_times(times))
    if times.hasnans:
        raise ValueError("X has missing time stamps (NaN or NaT). Drop these rows.")
    return pd.factorize(times, sort=True)[0]


def _no_times(times):
    return (
        f"X has time stamps that are text or of several types, such as {times[0]!r}, which have no "
        "certain order. Convert them first, for instance with pandas.to_datetime, or number the "
        "rows of each series."
    )
