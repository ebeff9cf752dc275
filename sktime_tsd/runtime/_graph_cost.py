"""Bound the memory and the time that a graph takes, before it takes any."""

import math
from typing import NamedTuple

import numpy as np

from sktime_tsd.runtime._graph import DTYPES
from sktime_tsd.runtime._layer_shapes import LAYERS
from sktime_tsd.runtime._layout_shapes import LAYOUTS
from sktime_tsd.runtime._model_files import ModelFileError
from sktime_tsd.runtime._shapes import Value, slices

__all__ = ["Cost", "graph_cost", "graph_values"]

_RULES = {**LAYERS, **LAYOUTS}

# The widest type has 8 bytes.
_ITEMSIZE = 8

# Tensors of more values are never sizes.
_MOST_SIZES = 1024


class Cost(NamedTuple):
    """Bounds of what a graph takes."""

    #: Most bytes of tensors at a time.
    n_bytes: int
    #: Multiplications, or what takes as long.
    work: int
    #: The same for what does not depend on the series, and may be computed as the file is loaded.
    fixed_bytes: int
    fixed_work: int


def graph_cost(graph, n_instances):
    """Bound what a graph takes for a number of series.

    Parameters
    ----------
    graph : Graph
    n_instances : int

    Returns
    -------
    cost : Cost

    Raises
    ------
    ModelFileError
        If an operator is not known, the size of a tensor depends on values of the series, or
        shapes do not fit.
    """
    return graph_values(graph, n_instances)[1]


def graph_values(graph, n_instances):
    """Follow a graph without running it; see `graph_cost`.

    Parameters
    ----------
    graph : Graph
    n_instances : int

    Returns
    -------
    known : dict of str to Value
        What is known of each tensor.
    cost : Cost
    """
    known = {"": None}
    for name, tensor in graph.constants.items():
        known[name] = Value(tensor.shape, tensor.values, True)
    for name, (_, *sizes) in graph.inputs.items():
        known[name] = Value((n_instances, *sizes))
    last_use = {name: place for place, node in enumerate(graph.nodes) for name in node.inputs}
    last_use |= dict.fromkeys(graph.outputs, len(graph.nodes))
    live = peak = work = fixed_bytes = fixed_work = 0
    bytes_of = {}
    for place, node in enumerate(graph.nodes):
        outputs, node_work = _run(node, known)
        for name, value in zip(node.outputs, outputs, strict=False):
            if not name:
                continue
            if name in known:
                raise ModelFileError(f"two operators give {name!r}")
            known[name] = value
            bytes_of[name] = _ITEMSIZE * math.prod(value.shape)
            live += bytes_of[name]
            if value.is_fixed:
                fixed_bytes += bytes_of[name]
                last_use[name] = len(graph.nodes)
        peak = max(peak, live)
        work += node_work
        if outputs and outputs[0].is_fixed:
            fixed_work += node_work
        for name in {*node.inputs, *node.outputs} & bytes_of.keys():
            if last_use.get(name, 0) <= place:
                live -= bytes_of.pop(name)
    return known, Cost(peak, work, fixed_bytes, fixed_work)


def _run(node, known):
    """Return what is known of the outputs of a node, and its work."""
    rule = _RULES.get(node.kind)
    if rule is None:
        raise ModelFileError(
            f"the operator {node.kind[:50]!r} is not one whose memory and time can be bounded"
        )
    try:
        inputs = [known[name] for name in node.inputs]
        shapes, work = rule(node, *inputs)
        values = _values(node, inputs, shapes[0])
    except ModelFileError as error:
        raise ModelFileError(f"{node.kind}: {error}") from error
    except Exception as error:  # a file may hold anything
        raise ModelFileError(f"{node.kind} does not fit its inputs: {error!r:.200}") from error
    if values is None and any(0 in shape for shape in shapes):
        # one size that is 0 here and 1 there would hide all that follows
        raise ModelFileError(f"{node.kind} gives a tensor without values")
    fixed = all(each is None or each.is_fixed or each.values is not None for each in inputs)
    fixed = fixed or values is not None
    first, *others = shapes
    return [Value(first, values, fixed), *(Value(shape, None, fixed) for shape in others)], work


def _values(node, inputs, shape):
    """Compute values that may be sizes."""
    compute = _SIZES.get(node.kind)
    if compute is None or math.prod(shape) > _MOST_SIZES:
        return None
    if node.kind not in ("Shape", "Size") and any(
        each is not None and each.values is None for each in inputs
    ):
        return None
    with np.errstate(all="ignore"):
        found = compute(node, shape, *inputs)
    return None if found is None else np.asarray(found)


def _plain(function):
    """Compute with the values alone."""
    return lambda node, shape, *inputs: function(*(each.values for each in inputs))


def _divide(a, b):
    if a.dtype.kind == "f":
        return a / b
    return (np.abs(a) // np.abs(b) * np.sign(a) * np.sign(b)).astype(a.dtype)


def _concatenate(node, shape, *inputs):
    return np.concatenate([each.values for each in inputs], axis=node.get("axis"))


def _constant(node, shape):
    value = next(iter(node.attributes.values()))
    return value.values if hasattr(value, "values") else np.asarray(value)


def _filled(node, shape, *_):
    value = node.get("value")
    fill = np.float32(0) if value is None else value.values.reshape(-1)[0]
    return np.full(shape, fill)


def _reduced(function):
    def compute(node, shape, x, *_):
        return function(x.values).reshape(shape) if math.prod(shape) == 1 else None

    return compute


def _sliced(node, shape, x, *more):
    return x.values[tuple(slices(node, x, more))]


_SIZES = {
    "Add": _plain(np.add),
    "And": _plain(np.logical_and),
    "Cast": lambda node, shape, x: x.values.astype(DTYPES[node.get("to")]),
    "Concat": _concatenate,
    "Constant": _constant,
    "ConstantOfShape": _filled,
    "Div": _plain(_divide),
    "Equal": _plain(np.equal),
    "Expand": lambda node, shape, x, _: np.broadcast_to(x.values, shape),
    "Flatten": lambda node, shape, x: x.values.reshape(shape),
    "Gather": lambda node, shape, x, i: np.take(x.values, i.values, axis=node.get("axis", 0)),
    "Greater": _plain(np.greater),
    "Identity": lambda node, shape, x: x.values,
    "Less": _plain(np.less),
    "Max": _plain(lambda *x: np.maximum.reduce(np.broadcast_arrays(*x))),
    "Min": _plain(lambda *x: np.minimum.reduce(np.broadcast_arrays(*x))),
    "Mul": _plain(np.multiply),
    "Neg": _plain(np.negative),
    "Not": _plain(np.logical_not),
    "Or": _plain(np.logical_or),
    "Range": _plain(lambda start, limit, step: np.arange(start, limit, step).astype(start.dtype)),
    "ReduceMax": _reduced(np.max),
    "ReduceMin": _reduced(np.min),
    "ReduceProd": _reduced(np.prod),
    "ReduceSum": _reduced(np.sum),
    "Reshape": lambda node, shape, x, _: x.values.reshape(shape),
    "Shape": lambda node, shape, x: np.array(
        x.shape[node.get("start", 0) : node.get("end")], dtype=np.int64
    ),
    "Size": lambda node, shape, x: np.array(math.prod(x.shape), dtype=np.int64),
    "Slice": _sliced,
    "Squeeze": lambda node, shape, x, *_: x.values.reshape(shape),
    "Sub": _plain(np.subtract),
    "Tile": lambda node, shape, x, repeats: np.tile(x.values, repeats.values),
    "Transpose": lambda node, shape, x: np.transpose(x.values, node.get("perm")),
    "Unsqueeze": lambda node, shape, x, *_: x.values.reshape(shape),
    "Where": _plain(np.where),
}
