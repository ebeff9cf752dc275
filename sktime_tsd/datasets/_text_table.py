"""Rows of text tables: CSV and the .tsv and .txt files of the UCR archive."""

import csv
import itertools
from dataclasses import dataclass

import numpy as np

from sktime_tsd.datasets._columns import KNOWN_NAMES
from sktime_tsd.datasets._text import BLANK, NotANumberError, numbers, text_lines

__all__ = ["TextTable", "of_equal_length", "open_table"]


@dataclass(frozen=True)
class TextTable:
    """A table whose cells are text.

    Parameters
    ----------
    path : pathlib.Path
    names : list of str, or None
        Names of the columns, or None if there is no header.
    n_columns : int
    rows : iterator of (int, list of str)
        Number of each row in the file, counted from 1, and its cells, `n_columns` in each.
    """

    path: object
    names: list | None
    n_columns: int
    rows: object

    def place(self, row, column):
        """Say where a cell is, for messages."""
        name = f"column {column + 1}" if self.names is None else f"column {self.names[column]!r}"
        return f"{self.path}, row {row}, {name}"

    def reference(self, column):
        """Return what an option calls a column: its name, or its position."""
        return column if self.names is None else self.names[column]


def open_table(path, header):
    """Begin to read a table; find out what separates its cells, and whether it has a header.

    Parameters
    ----------
    path : pathlib.Path
    header : bool or None
        Whether the first row holds names. None: it does if a cell other than the first
        and the last is no number, or a cell is a usual name (``id``, ``label`` ...).

    Returns
    -------
    table : TextTable

    Raises
    ------
    ValueError
        If the file has no rows. Or, while rows are read, if one has another number of cells.
    """
    rows = _rows(path)
    first = next(rows, None)
    if first is None:
        raise ValueError(f"{path} is empty.")
    has_header = _is_header(first[1]) if header is None else header
    names = [name.strip(BLANK) for name in first[1]] if has_header else None
    twice = [name for name in names or () if names.count(name) > 1]
    if twice:
        raise ValueError(
            f"{path}: two columns are named {twice[0]!r}. If the first row is a series, pass "
            "header=False."
        )
    n_columns = len(first[1])
    if not has_header:
        rows = itertools.chain([first], rows)
    rows = of_equal_length(path, rows, n_columns, f"cells in row {first[0]}")
    return TextTable(path, names, n_columns, rows)


def of_equal_length(path, rows, n_columns, what):
    """Pass rows on, refusing one with another number of cells.

    Parameters
    ----------
    path : pathlib.Path
    rows : iterator of (int, list of str)
    n_columns : int
    what : str
        What there are `n_columns` of.

    Yields
    ------
    row, cells : int, list of str

    Raises
    ------
    ValueError
        If a row is longer or shorter.
    """
    for row, cells in rows:
        if len(cells) != n_columns:
            raise ValueError(
                f"{path}, row {row}: {len(cells)} cells, but there are {n_columns} {what}."
            )
        yield row, cells


def _rows(path):
    """Yield the number and the cells of each row that is not blank."""
    lines = text_lines(path)
    n_blank, first = next(((i, line) for i, line in enumerate(lines) if line.strip(BLANK)), (0, ""))
    lines = itertools.chain([first], lines)
    delimiter = _delimiter(first)
    if delimiter is None:
        yield from ((i, line.split()) for i, line in enumerate(lines, n_blank + 1) if line.split())
        return
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            if cells and not (len(cells) == 1 and not cells[0].strip(BLANK)):
                yield n_blank + reader.line_num, cells
    except csv.Error as error:
        raise ValueError(f"{path}, row {n_blank + reader.line_num}: {error}.") from error


def _delimiter(line):
    """Find what separates cells; None is any white space."""
    if "\t" in line:
        return "\t"
    if ";" in line and line.count(";") >= line.count(","):  # there may be decimal commas
        return ";"
    return None if "," not in line and len(line.split()) > 1 else ","


def _is_header(cells):
    if any(cell.strip(BLANK).lower() in KNOWN_NAMES for cell in cells):
        return True
    try:
        between = numbers(cells[1:-1] or cells)
    except NotANumberError:
        return True
    # of series, or the numbers of their time points
    return len(between) > 1 and _is_text(cells[-1]) and bool((np.diff(between) == 1).all())


def _is_text(cell):
    try:
        numbers([cell])
    except NotANumberError:
        return True
    return False
