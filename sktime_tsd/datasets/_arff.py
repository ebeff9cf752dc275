"""Files in Weka's .arff form, as the UCR archive has them."""

import csv
import re

from sktime_tsd.datasets._columns import ColumnOptions, find_columns
from sktime_tsd.datasets._text import BLANK, text_lines
from sktime_tsd.datasets._text_table import TextTable, of_equal_length
from sktime_tsd.datasets._wide import read_wide

__all__ = ["read_arff"]

_NUMBERS = ("numeric", "real", "integer")
_ATTRIBUTE = re.compile(r"""('[^']*'|"[^"]*"|\S+)\s+(\S.*)""")


def read_arff(path):
    """Read series of one channel, and their labels: the one attribute that lists its values.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    data : SeriesData

    Raises
    ------
    ValueError
        If the file is not of this form, has several channels or several attributes that are no
        numbers, or is a regression set.
    """
    lines = ((row, line.strip(BLANK)) for row, line in enumerate(text_lines(path), 1))
    lines = ((row, line) for row, line in lines if line and line[0] != "%")
    names, nominal = [], []
    for row, line in lines:
        tag, _, rest = line.replace("\t", " ").partition(" ")
        if tag.lower() == "@data":
            break
        if tag.lower() == "@attribute":
            name, kind = _attribute(path, row, rest.strip(BLANK))
            if kind.startswith("{"):
                nominal.append(len(names))
            elif kind.split()[0].lower() not in _NUMBERS:
                what = "several channels" if kind.lower() == "relational" else f"{kind} values"
                raise ValueError(
                    f"{path}, row {row}: attribute {name!r} is of {what}, which cannot be read "
                    "from .arff. Take the .ts file of the same set."
                )
            names.append(name)
    else:
        raise ValueError(f"{path} has no line @data: it is not an .arff file.")
    if len(nominal) > 1:
        raise ValueError(
            f"{path} has several attributes that are no numbers: "
            f"{', '.join(names[i] for i in nominal)}. One, the label, can be read."
        )
    label = nominal[0] if nominal else False
    if not nominal and names and names[-1].lower() in ("target", "class"):
        raise ValueError(
            f"{path} is a regression set: {names[-1]!r} holds numbers, not classes. Only "
            "classification sets can be read."
        )
    columns = find_columns(
        path, names, len(names), ColumnOptions(False, False, False, False, label)
    )
    rows = of_equal_length(path, _rows(path, lines), len(names), "attributes")
    return read_wide(TextTable(path, names, len(names), rows), columns)


def _attribute(path, row, text):
    found = _ATTRIBUTE.fullmatch(text)
    if found is None:
        raise ValueError(f"{path}, row {row}: @attribute must be followed by a name and a type.")
    return found[1].strip("'\""), found[2]


def _rows(path, lines):
    for row, line in lines:
        reader = csv.reader([line], quotechar="'", escapechar="\\", skipinitialspace=True)
        try:
            yield row, next(reader)
        except csv.Error as error:
            raise ValueError(f"{path}, row {row}: {error}.") from error
