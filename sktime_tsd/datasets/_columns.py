"""What each column of a table holds: as the caller says, or guessed from its name."""

import re
from dataclasses import dataclass

__all__ = ["KNOWN_NAMES", "ColumnOptions", "Columns", "find_columns"]

# Names by which a column is known without being told, in any case.
_GUESSES = {
    "id": ("id", "series_id", "case_id", "instance_id", "sample_id", "series", "case", "instance"),
    "time": ("time", "timestamp", "timepoint", "time_point", "datetime", "date", "t", "reading_id"),
    "channel": ("channel", "channel_id", "dim_id", "dimension", "variable"),
    "value": ("value",),
    "label": ("label", "target", "class", "y"),
}

#: Those that are hardly a label themselves, as "y" and "t" may be.
KNOWN_NAMES = frozenset(name for names in _GUESSES.values() for name in names if len(name) > 1)

_NUMBER = re.compile(r"[-+]?\d[\d.]*")


@dataclass(frozen=True)
class ColumnOptions:
    """What a caller says about the columns of a table.

    Each is the name of a column, its position (0 is the first, -1 the last), False for "there
    is none", or None for a guess. `ignore` is a sequence of names and positions.
    """

    id: str | int | bool | None = None
    time: str | int | bool | None = None
    channel: str | int | bool | None = None
    value: str | int | bool | None = None
    label: str | int | bool | None = None
    ignore: tuple = ()


@dataclass(frozen=True)
class Columns:
    """Positions of the columns of a table.

    Parameters
    ----------
    id, time, channel, value, label : int or None
        None if there is no such column.
    series : list of int
        All others but those ignored: channels if there is a time column, time points if not.
    """

    id: int | None
    time: int | None
    channel: int | None
    value: int | None
    label: int | None
    series: list


def find_columns(where, names, n_columns, options):
    """Find out what each column holds.

    Parameters
    ----------
    where : object
        What messages call the table.
    names : list of str, or None
        Names of the columns.
    n_columns : int
    options : ColumnOptions

    Returns
    -------
    columns : Columns

    Raises
    ------
    ValueError
        If a column that is named does not exist, has two roles, or there is more than one guess;
        or columns are missing or too many. The message says which parameter of `read_series`
        helps.
    """
    ignored = {_position(where, names, n_columns, "ignore_columns", c) for c in options.ignore}
    found = _given(where, names, n_columns, options)
    if names is not None and names[0] == "" and 0 not in found.values():
        ignored.add(0)  # row numbers, as pandas writes them
    _check_distinct(where, found, ignored)
    found |= _guessed(where, names or [], options, found, ignored)
    _check_long(where, names, found)
    rest = [i for i in range(n_columns) if i not in ignored and i not in found.values()]
    if "channel" in found and rest:
        extra = [_reference(names, i) for i in rest]
        raise ValueError(
            f"{where} has a channel per row, so these columns are too many: "
            f"{', '.join(map(str, extra))}. Pass ignore_columns={extra!r}."
        )
    if "channel" not in found and not rest:
        known = [f"{role}_column={_reference(names, i)!r}" for role, i in found.items()]
        raise ValueError(
            f"{where} has no column of values, besides {', '.join(known) or 'those ignored'}."
        )
    columns = Columns(**{role: found.get(role) for role in _GUESSES}, series=rest)
    if names is not None and columns.time is None and options.label is None:
        _check_alike(where, names, columns)
    return columns


def _given(where, names, n_columns, options):
    """Find the columns that the caller names."""
    said = {role: getattr(options, role) for role in _GUESSES}
    return {
        role: _position(where, names, n_columns, f"{role}_column", column)
        for role, column in said.items()
        if column is not None and column is not False
    }


def _guessed(where, names, options, given, ignored):
    """Guess the others from their names."""
    lower = [name.lower() for name in names]
    free = [i for i in range(len(names)) if i not in ignored and i not in given.values()]
    guesses = {
        role: [i for i in free if lower[i] in usual]
        for role, usual in _GUESSES.items()
        if getattr(options, role) is None
    }
    labels = guesses.get("label", [])
    if len(labels) > 1 or "x" in lower:  # then y is no label, but a channel, as in x, y, z
        guesses["label"] = [i for i in labels if lower[i] != "y"]
    # "value" alone is the name of a channel, "channel" alone that of anything
    if not all(guesses.get(role) or role in given for role in ("channel", "value")):
        guesses |= {"channel": [], "value": []}
    for role, positions in guesses.items():
        if len(positions) > 1:
            candidates = [names[i] for i in positions]
            raise ValueError(
                f"{where}: which column holds the {role}, {' or '.join(candidates)}? Pass "
                f"{role}_column={candidates[0]!r} and, if the others hold no values, "
                f"ignore_columns={candidates[1:]!r}."
            )
    return {role: positions[0] for role, positions in guesses.items() if positions}


def _position(where, names, n_columns, option, said):
    if isinstance(said, int) and not isinstance(said, bool):
        if -n_columns <= said < n_columns:
            return said % n_columns
        raise ValueError(f"{where} has {n_columns} columns, so there is no {option}={said}.")
    if not isinstance(said, str):
        raise ValueError(
            f"{option} must be a column's name or position, False or None; got {said!r}."
        )
    if names is None:
        raise ValueError(
            f"{where} has no header, so there is no {option}={said!r}. Pass a position: 0 is the "
            "first column, -1 the last."
        )
    if said not in names:
        raise ValueError(
            f"{where} has no column {option}={said!r}; its columns are: {_shortened(names)}."
        )
    return names.index(said)


def _reference(names, position):
    """Return what an option calls a column."""
    return position if names is None else names[position]


def _check_distinct(where, found, ignored):
    for position in found.values():
        options = [f"{role}_column" for role in found if found[role] == position]
        if position in ignored:
            options.append("ignore_columns")
        if len(options) > 1:
            raise ValueError(f"{where}: {' and '.join(options)} name the same column.")


def _check_alike(where, names, columns):
    """Refuse a column that is named unlike time points: a label, perhaps, would be a value."""
    kinds = [_NUMBER.sub("#", names[i]) for i in columns.series]
    if len(kinds) < 4 or len(set(kinds[1:-1])) > 1:
        return
    for end in (-1, 0):
        if kinds[end] != kinds[1]:
            name = names[columns.series[end]]
            label = False if columns.label is None else names[columns.label]
            as_label = "" if label else f"if it is the label, pass label_column={name!r}; "
            raise ValueError(
                f"{where}: is column {name!r} a time point, as {names[columns.series[1]]!r} is? "
                f"If so, pass label_column={label!r}; {as_label}to leave it out, pass "
                f"ignore_columns=[{name!r}]."
            )


def _check_long(where, names, found):
    if ("channel" in found) != ("value" in found):
        given, other = ("channel", "value") if "channel" in found else ("value", "channel")
        raise ValueError(f"{where}: {given}_column also needs {other}_column=... .")
    if "channel" in found and "time" not in found:
        raise ValueError(
            f"{where} has a channel per row, but no column of times: name it with time_column=... ."
        )
    if "time" in found and "id" not in found:
        raise ValueError(
            f"{where} has a column of times, {_reference(names, found['time'])!r}, but none that "
            "tells which series a row belongs to: name it with id_column=... . If each row is a "
            "whole series, pass time_column=False."
        )


def _shortened(names):
    return ", ".join(names) if len(names) <= 12 else f"{', '.join(names[:12])} ..."
