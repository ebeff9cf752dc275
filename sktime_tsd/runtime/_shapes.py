"""What is known of the tensors of a graph before it runs."""

from typing import NamedTuple

import numpy as np

from sktime_tsd.runtime._model_files import ModelFileError

__all__ = ["Value", "axis_of", "numbers", "setting", "sized", "slices"]


class Value(NamedTuple):
    """What is known of a tensor before the graph runs."""

    shape: tuple
    #: Its values, if they are few and known.
    values: np.ndarray | None = None
    #: Whether it does not depend on the series, so that it may be computed when the file is loaded.
    is_fixed: bool = False


def numbers(value, what):
    """Return the values of a tensor of sizes.

    Parameters
    ----------
    value : Value or None
    what : str
        Its meaning, for the message.

    Returns
    -------
    numbers : list

    Raises
    ------
    ModelFileError
        If they depend on the series.
    """
    if value is None or value.values is None:
        raise ModelFileError(f"the {what} of a tensor depends on the values of the series")
    return value.values.reshape(-1).tolist()


def setting(node, name, inputs, place):
    """Return integers that older files have as an attribute and newer ones as an input.

    Parameters
    ----------
    node : Node
    name : str
        Of the attribute.
    inputs : sequence of Value or None
    place : int
        Of the input.

    Returns
    -------
    integers : list of int or None
        None if the node has neither.
    """
    if len(inputs) > place and inputs[place] is not None:
        return [int(number) for number in numbers(inputs[place], name)]
    return node.get(name)


def axis_of(axis, rank):
    """Count an axis from the front.

    Parameters
    ----------
    axis : int
        Negative from the back.
    rank : int
        Number of dimensions.

    Returns
    -------
    axis : int
    """
    if not -rank <= axis < max(rank, 1):
        raise ValueError(f"axis {axis} of a tensor of {rank} dimensions")
    return axis % rank if rank else 0


def sized(sizes):
    """Make a shape of numbers.

    Parameters
    ----------
    sizes : sequence of number
        Of 0 or more.

    Returns
    -------
    shape : tuple of int
    """
    if min(sizes, default=0) < 0:
        raise ValueError(f"the shape {sizes}")
    return tuple(map(int, sizes))


def slices(node, x, more):
    """Return Python's slices that an operator Slice takes.

    Parameters
    ----------
    node : Node
    x : Value
    more : sequence of Value or None
        Further inputs.

    Returns
    -------
    slices : list of slice
        One for each axis.
    """
    starts, ends, axes, steps = (
        setting(node, name, (x, *more), place)
        for place, name in enumerate(("starts", "ends", "axes", "steps"), start=1)
    )
    axes = range(len(starts)) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    found = [slice(None)] * len(x.shape)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        found[axis_of(axis, len(x.shape))] = slice(start, end, step)
    return found
