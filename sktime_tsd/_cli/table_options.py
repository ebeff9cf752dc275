"""Options that say how a file of series is read."""

__all__ = ["ROLES", "add_irregular_options", "add_table_options"]

#: What a column can hold. Each has an option.
ROLES = ("label", "id", "time", "channel", "value")


def add_table_options(parser):
    """Add the options that describe a table, for `read_data`.

    Parameters
    ----------
    parser : argparse.ArgumentParser
    """
    group = parser.add_argument_group(
        "tables",
        "A .csv, .tsv, .txt or .parquet file has a row per series, or a row per time point with "
        "columns of ids and times. COLUMN is a name, a position (0 is the first, -1 the last) or "
        "none. By default, columns are known by usual names, such as label, id and time.",
    )
    for role in ROLES:
        group.add_argument(f"--{role}-column", metavar="COLUMN", type=_column)
    group.add_argument(
        "--ignore-column", metavar="COLUMN", type=_column, action="append", default=[]
    )
    group.add_argument(
        "--header", choices=("yes", "no"), help="whether the first row of a text table holds names"
    )


def add_irregular_options(parser, length):
    """Add the options for series that are not regular.

    Parameters
    ----------
    parser : argparse.ArgumentParser
    length : str
        To what series are resampled.
    """
    parser.add_argument(
        "--unequal-length",
        choices=("raise", "resample"),
        default="raise",
        help=f"resample: interpolate series of other lengths to {length} (default: raise an error)",
    )
    parser.add_argument(
        "--missing-values",
        choices=("raise", "interpolate"),
        default="raise",
        help="interpolate: fill them linearly in time, channel by channel (default: raise an "
        "error)",
    )


def _column(text):
    if text == "none":
        return False
    try:
        return int(text)
    except ValueError:
        return text
