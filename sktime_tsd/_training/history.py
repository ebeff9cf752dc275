"""The history of a training, packed into columns for a pickle."""

import numpy as np

__all__ = ["pack", "unpack"]


def pack(history):
    """Turn rows of numbers into columns, which take half the space in a pickle.

    Parameters
    ----------
    history : list of dict

    Returns
    -------
    packed : dict of str to numpy.ndarray, or list of dict
        Unchanged if the rows have different keys, or if a value is not a number.

    Examples
    --------
    >>> from sktime_tsd._training.history import pack, unpack
    >>> history = [{"epoch": 1, "lr": 0.1}, {"epoch": 2, "lr": 0.2}]
    >>> unpack(pack(history)) == history
    True
    """
    if not history or not history[0] or any(list(row) != list(history[0]) for row in history):
        return history
    columns = {name: [row[name] for row in history] for name in history[0]}
    if any(len(set(map(type, values))) > 1 for values in columns.values()):
        return history
    arrays = {name: np.array(values) for name, values in columns.items()}
    return arrays if all(array.dtype.kind in "if" for array in arrays.values()) else history


def unpack(packed):
    """Turn columns back into rows.

    Parameters
    ----------
    packed : dict or list
        What `pack` returned.

    Returns
    -------
    history : list of dict
    """
    if isinstance(packed, list):
        return packed
    if isinstance(packed, tuple):  # version 0.1: columns, values not in columns, names
        columns, rest, names = packed
        rest = [{} for _ in range(rest)] if isinstance(rest, int) else rest
        names = names * len(rest) if len(names) == 1 else names
        columns = unpack(columns) or rest
        rows = [column | other for column, other in zip(columns, rest, strict=True)]
        return [
            {name: row[name] for name in of_row} for row, of_row in zip(rows, names, strict=True)
        ]
    return [
        dict(zip(packed, values, strict=True))
        for values in zip(*(column.tolist() for column in packed.values()), strict=True)
    ]
