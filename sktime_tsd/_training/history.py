"""The course of a training, small enough to stay in a pickle."""

import numpy as np

__all__ = ["pack", "unpack"]


def pack(history):
    """Turn rows into columns where that loses nothing.

    Parameters
    ----------
    history : list of dict

    Returns
    -------
    packed : tuple
        For `unpack`. Numbers of all rows are arrays, other values stay in their rows.

    Examples
    --------
    >>> from sktime_tsd._training.history import pack, unpack
    >>> history = [{"epoch": 1, "lr": 0.1}, {"epoch": 2, "lr": 0.2, "note": "mine"}]
    >>> unpack(pack(history)) == history
    True
    """
    names = [list(row) for row in history]
    shared = set.intersection(*map(set, names)) if history else set()
    columns = {}
    for name in sorted(shared):
        values = [row[name] for row in history]
        kinds = set(map(type, values))
        if kinds == {float}:
            columns[name] = np.array(values)
        elif kinds == {int}:
            dtype = np.min_scalar_type(-max(map(abs, values)) - 1)
            if dtype.kind == "i":  # of 64 bits or fewer
                columns[name] = np.array(values, dtype)
    rest = [{k: v for k, v in row.items() if k not in columns} for row in history]
    same = all(row == names[0] for row in names)
    return columns, rest if any(rest) else len(rest), names[:1] if same else names


def unpack(packed):
    """Turn columns into the rows they were.

    Parameters
    ----------
    packed : tuple
        What `pack` gave.

    Returns
    -------
    history : list of dict
        With values of Python's own types, and their names in the same order.
    """
    columns, rest, names = packed
    rest = [{} for _ in range(rest)] if isinstance(rest, int) else rest
    names = names * len(rest) if len(names) == 1 else names
    columns = {name: values.tolist() for name, values in columns.items()}
    return [
        {name: columns[name][i] if name in columns else rest[i][name] for name in names[i]}
        for i in range(len(rest))
    ]
