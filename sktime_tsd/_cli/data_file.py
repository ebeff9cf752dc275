"""The file of series that a command line names."""

import ast
import re
import shlex

from sktime_tsd._cli.table_options import ROLES
from sktime_tsd.datasets import read_series

__all__ = ["read_data"]

# How messages of read_series name its parameters, with the value to pass.
_PARAMETER = re.compile(
    rf"\b({'|'.join(ROLES)})_column(?:=('[^']*'|\"[^\"]*\"|-?\w+|\.\.\.))?|"
    r"\bignore_columns(?:=(\[[^]]*\]))?|\bheader=(False|True)"
)


def read_data(path, options):
    """Read a file of any form that `read_series` reads.

    Parameters
    ----------
    path : pathlib.Path
    options : argparse.Namespace
        With the options from `add_table_options`.

    Returns
    -------
    data : SeriesData

    Raises
    ------
    ValueError
        If the file cannot be read. The message names options of the command line.
    """
    columns = {f"{role}_column": getattr(options, f"{role}_column") for role in ROLES}
    try:
        data = read_series(
            path,
            **columns,
            ignore_columns=options.ignore_column,
            header=None if options.header is None else options.header == "yes",
        )
    except ValueError as error:
        raise ValueError(_PARAMETER.sub(_option, str(error))) from error
    return data


def _option(found):
    """Write a parameter of `read_series` as an option."""
    role, column, ignored, header = found.groups()
    if header is not None:
        return f"--header {'yes' if header == 'True' else 'no'}"
    if role is None:
        if ignored is None:
            return "--ignore-column"
        columns = ast.literal_eval(ignored)
        return " ".join(f"--ignore-column {shlex.quote(str(name))}" for name in columns)
    if column is None:
        return f"--{role}-column"
    if column == "...":
        return f"--{role}-column COLUMN"
    value = ast.literal_eval(column)
    return f"--{role}-column {'none' if value is False else shlex.quote(str(value))}"
