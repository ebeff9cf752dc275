"""Options that say what the columns of a table hold."""

__all__ = ["ROLES", "add_table_options"]

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


def _column(text):
    if text == "none":
        return False
    try:
        return int(text)
    except ValueError:
        return text
