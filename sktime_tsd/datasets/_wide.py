"""Tables with one series per row."""

import numpy as np

from sktime_tsd.datasets._channels_in_columns import panel_of_columns
from sktime_tsd.datasets._series_data import SeriesData
from sktime_tsd.datasets._text import BLANK, NotANumberError, numbers

__all__ = ["check_distinct_ids", "read_wide"]


def read_wide(table, columns):
    """Read a text table with one series per row.

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
        If a cell is no number, a label or an id is missing, or an id occurs twice.
    """
    values, labels, ids, rows = [], [], [], []
    for row, cells in table.rows:
        try:
            values.append(numbers([cells[i] for i in columns.series]))
        except NotANumberError as error:
            raise not_a_number(table, columns, row, columns.series[error.position], error) from None
        for found, column in ((labels, columns.label), (ids, columns.id)):
            if column is not None:
                found.append(present(table, row, column, cells[column]))
        rows.append(row)
    if not values:
        raise ValueError(f"{table.path} has a header, but no series.")
    check_distinct_ids(table.path, ids, rows)
    names = None if table.names is None else [table.names[i] for i in columns.series]
    X, channels = panel_of_columns(table.path, names, np.array(values))
    return SeriesData(
        X, np.array(labels) if labels else None, np.array(ids) if ids else None, channels
    )


def check_distinct_ids(where, ids, rows):
    """Refuse two rows with the same id in a table with one series per row.

    Parameters
    ----------
    where : object
        What the message calls the table.
    ids : list
    rows : list of int
        What the message calls the rows.

    Raises
    ------
    ValueError
        If two are equal.
    """
    first = {}
    for name, row in zip(ids, rows, strict=False):
        if first.setdefault(name, row) != row:
            raise ValueError(
                f"{where}: rows {first[name]} and {row} have the same id, {name!r}. If there is "
                "a row for each time point, name the column of times with time_column=... ."
            )


def present(table, row, column, cell):
    """Return a label or an id, refusing a blank.

    Parameters
    ----------
    table : TextTable
    row, column : int
    cell : str

    Returns
    -------
    cell : str
        As given.

    Raises
    ------
    ValueError
        If there is nothing in it.
    """
    if not cell.strip(BLANK):
        raise ValueError(f"{table.place(row, column)}: nothing here, where every row needs a name.")
    return cell


def not_a_number(table, columns, row, column, error):
    """Make the error for a cell that should hold a number.

    Parameters
    ----------
    table : TextTable
    columns : Columns
    row, column : int
    error : NotANumberError

    Returns
    -------
    error : ValueError
        Says what to pass if the column is none of values.
    """
    name = table.reference(column)
    ways = f"to leave the column out, pass ignore_columns=[{name!r}]"
    if columns.label is None:
        ways = f"if it is the label, pass label_column={name!r}; {ways}"
    return ValueError(f"{table.place(row, column)}: {error}; {ways}.")
