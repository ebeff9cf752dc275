"""Operators that move, cut, join or sum up axes."""

import numpy as np

from sktime_tsd.export.c._layers import Dense, Shift, Summary, Tensor
from sktime_tsd.export.c._view import Stack, UnsupportedError, View

__all__ = ["OPERATORS"]


def _same(lowering, node, attributes):
    lowering.values[node.output[0]] = lowering.values.get(node.input[0]) or lowering.view(
        node.input[0]
    )


def _cast(lowering, node, attributes):
    if attributes.get("to") != 1:
        raise UnsupportedError("the network must compute in float32")
    _same(lowering, node, attributes)


def _transpose(lowering, node, attributes):
    view = lowering.view(node.input[0])
    order = attributes.get("perm") or range(len(view.axes))[::-1]
    lowering.values[node.output[0]] = view.moved(view.axes[i] for i in order)


def _axes_of(lowering, node, attributes, n_axes):
    axes = lowering.integers(node, 1)
    if axes is None:
        axes = attributes.get("axes")
    return None if axes is None else sorted(axis % n_axes for axis in axes)


def _squeeze(lowering, node, attributes):
    view = lowering.view(node.input[0])
    axes = _axes_of(lowering, node, attributes, len(view.axes))
    if axes is None:
        axes = [i for i, axis in enumerate(view.axes) if not axis]
    lowering.values[node.output[0]] = view.moved(
        axis for i, axis in enumerate(view.axes) if i not in axes
    )


def _unsqueeze(lowering, node, attributes):
    view = lowering.view(node.input[0])
    n_new = len(np.ravel(lowering.constant(node.input[1]))) if len(node.input) > 1 else 0
    new = _axes_of(lowering, node, attributes, len(view.axes) + n_new)
    axes = list(view.axes)
    for i in new:
        axes.insert(i, ())
    lowering.values[node.output[0]] = view.moved(axes)


def _reshape(lowering, node, attributes):
    view = lowering.view(node.input[0])
    if node.op_type == "Flatten":
        axis = attributes.get("axis", 1) % (len(view.axes) + 1)
        shape = [int(np.prod(view.shape[:axis])), -1]
    else:
        shape = lowering.integers(node, 1)
    found = view.reshaped(shape)
    if found is None:
        raise UnsupportedError(f"it has no C code from shape {view.shape} to {tuple(shape)}")
    lowering.values[node.output[0]] = found


def _concat(lowering, node, attributes):
    given = [lowering.values.get(name) for name in node.input]
    axis = attributes["axis"]
    if all(_is_stackable(value, axis) for value in given):
        views = [v for value in given for v in (value.views if type(value) is Stack else [value])]
        lowering.values[node.output[0]] = Stack(tuple(views))
        return
    if any(map(lowering.is_constant, node.input)):
        lowering.values[node.output[0]] = _with_constants(lowering, node.input, axis)
        return
    views = [lowering.view(name) for name in node.input]
    axis %= len(views[0].axes)
    along = {view.axes[axis] for view in views} - {()}
    rest = {view.axes[:axis] + view.axes[axis + 1 :] for view in views}
    lengths = {view.tensor.n_timepoints for view in views}
    if along - {("channel",)} or len(rest) > 1 or len(lengths) > 1:
        raise UnsupportedError("it must join channels of series of one length")
    tensor = lowering.concatenated([view.tensor for view in views])
    axes = list(views[0].axes)
    axes[axis] = ("channel",)
    lowering.values[node.output[0]] = View(tensor, ()).moved(axes)


def _with_constants(lowering, names, axis):
    """Join constants to vectors, as a dense layer that copies: a logit that is always 0, say."""
    rows, biases, view = [], [], None
    for name in names:
        if lowering.is_constant(name):
            biases += np.ravel(lowering.constant(name)).tolist()
            rows.append(np.zeros((np.size(lowering.constant(name)), 1)))
        else:
            if view is not None:
                raise UnsupportedError("it must join constants to one vector")
            view = lowering.view(name)
            rows.append(np.eye(view.tensor.n_channels))
            biases += [0.0] * view.tensor.n_channels
    is_last = axis % len(view.axes) == len(view.axes) - 1
    if view.tensor.is_series or not is_last or view.n_inner:
        raise UnsupportedError("it must join constants to one vector")
    n = view.tensor.n_channels
    matrix = np.concatenate([np.broadcast_to(row, (len(row), n)) for row in rows])
    output = Tensor(len(matrix))
    layer = Dense(inputs=[view.tensor], output=output, matrix=matrix, biases=np.array(biases))
    return View(lowering.add(layer), ()).moved((*view.axes[:-1], ("channel",)))


def _split(lowering, node, attributes):
    value, sizes = lowering.values.get(node.input[0]), lowering.integers(node, 1)
    axis, n_parts = attributes.get("axis", 0), len(node.output)
    if type(value) is Stack and axis == 0 and len(value.views) == n_parts:
        lowering.values.update(zip(node.output, value.views, strict=True))
        return
    view = lowering.view(node.input[0])
    axis %= len(view.axes)
    if view.axes[axis] != ("channel",):
        raise UnsupportedError("it must split the channels")
    n = view.tensor.n_channels
    sizes = attributes.get("split") if sizes is None else sizes
    if sizes is None:
        each = -(-n // n_parts)
        sizes = [min(each, n - i * each) for i in range(n_parts)]
    first = 0
    for name, size in zip(node.output, sizes, strict=True):
        lowering.values[name] = _channels(lowering, view, first, size)
        first += size


def _channels(lowering, view, first, n_channels):
    output = Tensor(n_channels, view.tensor.n_timepoints)
    layer = Shift(inputs=[view.tensor], output=output, channel=first)
    return View(lowering.add(layer), ()).moved(view.axes)


def _is_stackable(value, axis):
    """Whether it is one of several vectors (1, 1, n) along the first axis: states of layers."""
    if type(value) is Stack:
        return axis == 0
    is_vector = value is not None and not value.tensor.is_series
    return is_vector and axis == 0 and len(value.axes) == 3 and value.holds(None, None, "channel")


def _gather(lowering, node, attributes):
    index = np.asarray(lowering.constant(node.input[1]))
    if index.size != 1:
        raise UnsupportedError("it must take one element")
    value, index = lowering.values.get(node.input[0]), int(index.ravel()[0])
    keeps = np.asarray(lowering.constant(node.input[1])).ndim
    axis = attributes.get("axis", 0)
    if type(value) is Stack and axis == 0:
        view = value.views[index % len(value.views)]
        lowering.values[node.output[0]] = view.moved([()] * keeps + list(view.axes[1:]))
        return
    view = lowering.view(node.input[0])
    axis %= len(view.axes)
    if view.axes[axis] == ("time",):
        view = _summary(lowering, view, "pick", index % view.tensor.n_timepoints)
    elif view.axes[axis]:
        raise UnsupportedError("it must take one time point")
    axes = [*view.axes[:axis], *[()] * keeps, *view.axes[axis + 1 :]]
    lowering.values[node.output[0]] = view.moved(axes)


def _summary(lowering, view, kind, position=0):
    """Sum up the time axis, which stays with length 1."""
    if view.n_inner and any("outer" in axis for axis in view.axes):
        raise UnsupportedError("it has no C code for the directions of a layer")
    output = Tensor(view.tensor.n_channels)
    layer = Summary(inputs=[view.tensor], output=output, kind=kind, position=position)
    return View(lowering.add(layer), tuple(() if "time" in a else a for a in view.axes))


def _reduce(lowering, node, attributes):
    view = lowering.view(node.input[0])
    n_axes = len(view.axes)
    axes = _axes_of(lowering, node, attributes, n_axes)
    if node.op_type.startswith("Global"):
        axes = range(2, n_axes)
    elif axes is None:
        axes = () if attributes.get("noop_with_empty_axes", 0) else range(n_axes)
    held = {atom for i in axes for atom in view.axes[i]}
    if held - {"time"} or any(len(view.axes[i]) > 1 for i in axes):
        raise UnsupportedError("it must sum up the time axis alone")
    kind = {"ReduceMax": "max", "ReduceMin": "min", "ReduceSum": "sum"}.get(node.op_type, "mean")
    if node.op_type == "GlobalMaxPool":
        kind = "max"
    if held:
        view = _summary(lowering, view, kind)
    keeps = node.op_type.startswith("Global") or attributes.get("keepdims", 1)
    if not keeps:
        view = view.moved(axis for i, axis in enumerate(view.axes) if i not in axes)
    lowering.values[node.output[0]] = view


def _slice(lowering, node, attributes):
    starts, ends, axes, steps = (lowering.integers(node, i) for i in (1, 2, 3, 4))
    axes = list(range(len(starts))) if axes is None else axes
    value = lowering.values.get(node.input[0])
    if type(value) is Stack and axes == [0]:
        picked = value.views[starts[0] : ends[0] : 1 if steps is None else steps[0]]
        lowering.values[node.output[0]] = Stack(picked)
        return
    view = lowering.view(node.input[0])
    for i, axis in enumerate(axes):
        axis %= len(view.axes)
        n, step = view.shape[axis], 1 if steps is None else steps[i]
        places = range(n)[slice(starts[i], ends[i], step)]
        if len(places) == n and step > 0:
            continue
        if view.axes[axis] == ("channel",) and step == 1 and places:
            view = _channels(lowering, view, places[0], len(places))
            continue
        if view.axes[axis] != ("time",) or step < 1 or not places:
            raise UnsupportedError("it must cut the time axis in its direction, or the channels")
        output = Tensor(view.tensor.n_channels, len(places))
        layer = Shift(inputs=[view.tensor], output=output, stride=step, pad=-places[0])
        view = View(lowering.add(layer), view.axes, view.n_inner)
        view = view.moved(view.axes)  # one time point may be left
    lowering.values[node.output[0]] = view


def _pad(lowering, node, attributes):
    view = lowering.view(node.input[0])
    value = lowering.optional(node, 2)
    if attributes.get("mode", b"constant") != b"constant" or (value is not None and value != 0):
        raise UnsupportedError("it must pad with zeros")
    pads, axes, n_axes = lowering.integers(node, 1), lowering.integers(node, 3), len(view.axes)
    axes = list(range(n_axes)) if axes is None else axes
    for i, axis in enumerate(axes):
        before, after = pads[i], pads[i + len(axes)]
        if not before and not after:
            continue
        if view.axes[axis % n_axes] != ("time",):
            raise UnsupportedError("it must pad the time axis")
        tensor = view.tensor
        output = Tensor(tensor.n_channels, tensor.n_timepoints + before + after)
        layer = Shift(inputs=[tensor], output=output, pad=before)
        view = View(lowering.add(layer), view.axes, view.n_inner)
    lowering.values[node.output[0]] = view


_REDUCTIONS = (
    "GlobalAveragePool",
    "GlobalMaxPool",
    "ReduceMax",
    "ReduceMean",
    "ReduceMin",
    "ReduceSum",
)

OPERATORS = {
    **dict.fromkeys(_REDUCTIONS, _reduce),
    "Cast": _cast,
    "Concat": _concat,
    "Dropout": _same,
    "Flatten": _reshape,
    "Gather": _gather,
    "Identity": _same,
    "Pad": _pad,
    "Reshape": _reshape,
    "Slice": _slice,
    "Split": _split,
    "Squeeze": _squeeze,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}
