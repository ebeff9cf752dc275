"""Rows of text tables: CSV and the .tsv and .txt files of the UCR archive."""

import csv
import itertools
import re
from dataclasses import dataclass

import numpy as np

from sktime_tsd.datasets._columns import KNOWN_NAMES
from sktime_tsd.datasets._text import BLANK, NotANumberError, numbers, text_lines

__all__ = ["TextTable", "of_equal_length", "open_table"]

# What a comment begins with.
_COMMENT = "#%"

_SEPARATOR = re.compile(r'"?sep=(.)"?', re.IGNORECASE)


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
    n_columns = n_cells = len(first[1])
    while names and not names[-1]:  # a separator too many at the end of each row
        names.pop()
        n_columns -= 1
    twice = [name for name in names or () if names.count(name) > 1]
    if twice:
        raise ValueError(
            f"{path}: two columns are named {twice[0]!r}. If the first row is a series, pass "
            "header=False."
        )
    if not has_header:
        rows = itertools.chain([first], rows)
    rows = of_equal_length(path, rows, n_cells, f"cells in row {first[0]}")
    if n_columns < n_cells:
        rows = _without_nameless(path, rows, n_columns)
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


def _without_nameless(path, rows, n_columns):
    """Cut the cells behind the last name off; there must be nothing in them."""
    for row, cells in rows:
        if any(cell.strip(BLANK) for cell in cells[n_columns:]):
            raise ValueError(f"{path}, row {row}: a value in column {n_columns + 1}, without name.")
        yield row, cells[:n_columns]


def _rows(path):
    """Yield the number and the cells of each row that is not blank."""
    lines = text_lines(path)
    n_before, delimiter, first = _first_line(path, lines)
    lines = itertools.chain([first], lines)
    if delimiter is None:
        yield from ((i, line.split()) for i, line in enumerate(lines, n_before + 1) if line.split())
        return
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            if cells and not (len(cells) == 1 and _is_remark(cells[0])):
                yield n_before + reader.line_num, cells
    except csv.Error as error:
        raise ValueError(f"{path}, row {n_before + reader.line_num}: {error}.") from error


def _is_remark(text):
    text = text.strip(BLANK)
    return not text or text[0] in _COMMENT


def _first_line(path, lines):
    """Skip blank lines, comments, and the line in which Excel is told the separator.

    Returns the number of lines before the first row, what separates cells, and that row.
    """
    n_before, delimiter, comment = 0, None, None
    for line in lines:
        said = _SEPARATOR.fullmatch(line.strip("\r\n"))
        if said is not None:
            delimiter = said[1]
        elif not _is_remark(line):
            break
        elif line.strip(BLANK):
            comment = n_before + 1, line
        n_before += 1
    else:
        return 0, ",", ""
    delimiter = delimiter or _delimiter(line)
    n_cells = len(line.split(delimiter))
    if comment is not None and len(comment[1].split(delimiter)) == n_cells > 1:
        raise ValueError(
            f"{path}, row {comment[0]} begins with {comment[1].strip(BLANK)[0]!r}, but has as many "
            "cells as the next row. If it holds the names, remove the sign; if it is a comment, "
            "remove the row."
        )
    return n_before, delimiter, line


def _delimiter(line):
    """Find what separates cells; None is any white space."""
    if "\t" in line:
        return "\t"
    for other in ";|":
        # there may be decimal commas
        if other in line and line.count(other) >= line.count(","):
            return other
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
