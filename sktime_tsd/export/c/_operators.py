"""Operators that compute: convolutions, pooling, dense layers, activations."""

import numpy as np

from sktime_tsd.export.c._layers import (
    Activation,
    Combination,
    Convolution,
    Dense,
    Pool,
    Tensor,
    TimeDense,
)
from sktime_tsd.export.c._view import UnsupportedError, View

__all__ = ["OPERATORS"]


def _window(view, attributes, n_weights=None):
    """Read kernel, stride, dilation and padding of the time axis, the last one."""
    n_spatial, in_rows = len(view.axes) - 2, view.holds(None, "channel", "phase", "row")
    if not in_rows and not view.holds(None, "channel", *[None] * (n_spatial - 1), "time"):
        raise UnsupportedError("its input must have the shape (1, n_channels, n_timepoints)")
    ones, zeros = [1] * n_spatial, [0] * (2 * n_spatial)
    kernel = list(attributes.get("kernel_shape", n_weights))
    stride = list(attributes.get("strides", ones))
    dilation = list(attributes.get("dilations", ones))
    pads = list(attributes.get("pads", zeros))
    others = kernel[:-1] + stride[:-1]
    if any(n != 1 for n in others) or any(pads[: n_spatial - 1] + pads[n_spatial:-1]):
        raise UnsupportedError("it must work along the time axis only")
    window = {"kernel": kernel[-1], "stride": stride[-1], "dilation": dilation[-1]}
    before, after = pads[n_spatial - 1], pads[-1]
    automatic = attributes.get("auto_pad", b"NOTSET")
    if automatic in (b"SAME_UPPER", b"SAME_LOWER"):
        # as many columns as steps of the stride begin in the series
        n_timepoints = view.tensor.n_timepoints
        reach = (kernel[-1] - 1) * dilation[-1] + 1
        begins = (n_timepoints - 1) // stride[-1] * stride[-1]
        missing = max(0, begins + reach - n_timepoints)
        before, after = missing // 2, missing - missing // 2
        if automatic == b"SAME_LOWER":
            before, after = after, before
    if in_rows:  # in each phase by itself: every n-th time point
        if stride[-1] != 1 or automatic not in (b"NOTSET", b"VALID"):
            raise UnsupportedError("a series in rows must be read without stride")
        window["dilation"] *= view.n_phases
        before, after = before * view.n_phases, after * view.n_phases
    return window | {"pad": before}, after


def _length(n_timepoints, window, pad_after, *, ceil_mode=False):
    reach = (window["kernel"] - 1) * window["dilation"] + 1
    room = n_timepoints + window["pad"] + pad_after - reach
    length = room // window["stride"] + 1
    if ceil_mode and room % window["stride"]:
        # a window may begin in the series or the padding before it, not in that behind it
        begins = length * window["stride"]
        length += begins < n_timepoints + window["pad"]
    return length


def _convolution(lowering, node, attributes):
    view = lowering.view(node.input[0])
    weight = lowering.constant(node.input[1]).astype(np.float32)
    window, pad_after = _window(view, attributes, weight.shape[2:])
    tensor, groups = view.tensor, attributes.get("group", 1)
    matrix = weight.reshape(len(weight), weight.shape[1], -1).transpose(0, 2, 1)
    biases = lowering.optional(node, 2)
    output = Tensor(len(weight), _length(tensor.n_timepoints, window, pad_after))
    layer = Convolution(
        inputs=[tensor],
        output=output,
        matrix=np.ascontiguousarray(matrix),
        biases=np.zeros(len(weight)) if biases is None else biases,
        groups=groups,
        **window,
    )
    lowering.values[node.output[0]] = _windowed(view, lowering.add(layer))


def _windowed(view, tensor):
    """See what a window over the time axis gives: the same axes as its input."""
    if view.holds(None, "channel", "phase", "row"):
        axes = (), ("channel",), ("phase",), ("row",)
    else:
        axes = ((), ("channel",), *[()] * (len(view.axes) - 3), ("time",))
    return View(tensor, (), n_phases=view.n_phases).moved(axes)


def _pool(lowering, node, attributes):
    view = lowering.view(node.input[0])
    window, pad_after = _window(view, attributes)
    tensor = view.tensor
    is_max = node.op_type == "MaxPool"
    if len(node.output) > 1 or (window["dilation"] != 1 and not is_max):
        raise UnsupportedError("places of maxima, and means with dilation, have no C code")
    ceil_mode = bool(attributes.get("ceil_mode", 0))
    counts_padding = bool(attributes.get("count_include_pad", 0))
    length = _length(tensor.n_timepoints, window, pad_after, ceil_mode=ceil_mode)
    layer = Pool(
        inputs=[tensor],
        output=Tensor(tensor.n_channels, length),
        kind="max" if is_max else "mean",
        counts_from=-window["pad"] if counts_padding else 0,
        counts_to=tensor.n_timepoints + (pad_after if counts_padding else 0),
        **window,
    )
    lowering.values[node.output[0]] = _windowed(view, lowering.add(layer))


def _dense(lowering, view, weight, biases):
    """Multiply the last axis by a matrix of shape (n_in, n_out)."""
    tensor, n_out = view.tensor, weight.shape[1]
    if weight.ndim != 2 or len(view.axes) < 2:
        raise UnsupportedError("it must multiply by a matrix")
    *first, last = view.axes
    weight = np.ascontiguousarray(weight.T.astype(np.float32))
    biases = np.zeros(n_out) if biases is None else np.broadcast_to(biases, n_out)
    rest = [atom for axis in first for atom in axis]
    if tensor.is_series and rest == ["time"] and set(last) <= {"channel"}:
        layer = Convolution(
            inputs=[tensor],
            output=Tensor(n_out, tensor.n_timepoints),
            matrix=weight[:, None, :],
            biases=biases,
        )
    elif rest or "inner" in last or "outer" in last:
        raise UnsupportedError("it must multiply channels, or all values of a series")
    elif tensor.is_series:
        shape = [view.size_of(atom) for atom in ("channel", "time")]
        if last == ("channel", "time"):
            weight = weight.reshape(n_out, *shape).transpose(0, 2, 1)
        weight = weight.reshape(n_out, tensor.n_timepoints, tensor.n_channels)
        layer = TimeDense(
            inputs=[tensor], output=Tensor(n_out), matrix=weight.copy(), biases=biases
        )
    else:
        layer = Dense(inputs=[tensor], output=Tensor(n_out), matrix=weight, biases=biases)
    output = View(lowering.add(layer), ())
    return output.moved((*first, ("channel",)))


def _gemm(lowering, node, attributes):
    view, weight = lowering.view(node.input[0]), lowering.constant(node.input[1])
    if attributes.get("transA", 0):
        raise UnsupportedError("its first matrix must not be transposed")
    if attributes.get("transB", 0):
        weight = weight.T
    biases = lowering.optional(node, 2)
    if biases is not None:
        biases = biases * attributes.get("beta", 1.0)
    weight = weight * attributes.get("alpha", 1.0)
    lowering.values[node.output[0]] = _dense(lowering, view, weight, biases)


def _matmul(lowering, node, attributes):
    view, weight = lowering.view(node.input[0]), lowering.constant(node.input[1])
    lowering.values[node.output[0]] = _dense(lowering, view, weight, None)


def _per_channel(view, constant):
    """Read a constant that differs between channels at most, as one value per channel."""
    constant = np.asarray(constant, dtype=np.float64)
    n_more = len(view.axes) - constant.ndim
    if n_more < 0:
        raise UnsupportedError("a constant has more axes than the series")
    sizes = (1,) * n_more + constant.shape
    values, of_channels = np.ravel(constant), {("channel",), ("outer",), ("inner",)}
    long = [axis for axis, n in zip(view.axes, sizes, strict=True) if n != 1]
    if not long:
        return np.full(view.tensor.n_channels, values[0])
    if len(long) == 1 and long[0] == ("channel",):
        return values
    if all(axis in of_channels for axis in long):
        raise UnsupportedError("a constant differs between the directions of a layer")
    raise UnsupportedError("a constant differs between time points")


def _binary(lowering, node, attributes):
    kind, (first, second) = node.op_type, node.input
    if lowering.is_constant(first) or lowering.is_constant(second):
        found = _with_constant(lowering, kind, first, second)
    else:
        found = _combined(lowering, kind, lowering.view(first), lowering.view(second))
    lowering.values[node.output[0]] = found


def _with_constant(lowering, kind, first, second):
    is_first = lowering.is_constant(first)
    view = lowering.view(second if is_first else first)
    values = _per_channel(view, lowering.constant(first if is_first else second))
    if kind == "Add":
        return lowering.affine(view, 1, values)
    if kind == "Sub":
        return lowering.affine(view, -1 if is_first else 1, values if is_first else -values)
    if kind == "Mul":
        return lowering.affine(view, values, 0)
    if kind == "Div":
        if not is_first:
            return lowering.affine(view, 1 / values, 0)
        view = lowering.activate(view, Activation("reciprocal"))
        return lowering.affine(view, values, 0)
    raise UnsupportedError("it has no C code for a constant")


def _combined(lowering, kind, first, second):
    series, other = (first, second) if first.tensor.is_series else (second, first)
    n_axes = max(len(first.axes), len(second.axes))
    axes = [((),) * (n_axes - len(view.axes)) + view.axes for view in (series, other)]
    same = axes[0] == axes[1] and first.n_inner == second.n_inner
    without_time = tuple(() if axis == ("time",) else axis for axis in axes[0])
    spreads = not other.tensor.is_series and without_time == axes[1]
    lengths = {view.tensor.n_timepoints for view in (first, second)} - {None}
    same_channels = first.tensor.n_channels == second.tensor.n_channels
    if not (same or spreads) or len(lengths) > 1 or not same_channels:
        raise UnsupportedError(
            f"it has no C code for values of shapes {first.shape} and {second.shape}"
        )
    output = Tensor(series.tensor.n_channels, series.tensor.n_timepoints)
    layer = Combination(inputs=[first.tensor, second.tensor], output=output, kind=kind.lower())
    return View(lowering.add(layer), axes[0], series.n_inner)


def _batch_norm(lowering, node, attributes):
    view = lowering.view(node.input[0])
    if len(view.axes) < 2 or view.axes[1] not in (("channel",), ()):
        raise UnsupportedError("its second axis must hold the channels")
    scale, bias, mean, variance = (
        lowering.constant(name).astype(np.float64) for name in node.input[1:5]
    )
    factors = scale / np.sqrt(variance + attributes.get("epsilon", 1e-5))
    lowering.values[node.output[0]] = lowering.affine(view, factors, bias - mean * factors)


def _layer_norm(lowering, node, attributes):
    view = lowering.view(node.input[0])
    axis = attributes.get("axis", -1) % len(view.axes)
    if axis != len(view.axes) - 1 or view.axes[-1] not in (("channel",), ()):
        raise UnsupportedError("it must normalise the channels of a time point, the last axis")
    scale = lowering.constant(node.input[1])
    bias = lowering.optional(node, 2)
    arrays = tuple(
        np.broadcast_to(values, view.tensor.n_channels)
        for values in (scale, 0.0 if bias is None else bias)
    )
    epsilon = (float(attributes.get("epsilon", 1e-5)),)
    activation = Activation("layer_norm", epsilon, arrays)
    lowering.values[node.output[0]] = lowering.activate(view, activation)


#: Operator -> kind of the activation, and its attributes with their defaults.
_UNARY = {
    "Abs": ("abs", {}),
    "Elu": ("elu", {"alpha": 1.0}),
    "Erf": ("erf", {}),
    "Exp": ("exp", {}),
    "HardSigmoid": ("hard_sigmoid", {"alpha": 0.2, "beta": 0.5}),
    "Log": ("log", {}),
    "Reciprocal": ("reciprocal", {}),
    "Relu": ("relu", {}),
    "Selu": ("selu", {"alpha": 1.67326319217681884765625, "gamma": 1.05070102214813232421875}),
    "Sigmoid": ("sigmoid", {}),
    "Softplus": ("softplus", {}),
    "Softsign": ("softsign", {}),
    "Sqrt": ("sqrt", {}),
    "Tanh": ("tanh", {}),
}


def _unary(lowering, node, attributes):
    kind, defaults = _UNARY[node.op_type]
    numbers = tuple(float(attributes.get(name, value)) for name, value in defaults.items())
    _activate(lowering, node, Activation(kind, numbers))


def _activate(lowering, node, activation):
    view = lowering.view(node.input[0])
    lowering.values[node.output[0]] = lowering.activate(view, activation)


def _gelu(lowering, node, attributes):
    is_exact = attributes.get("approximate", b"none") == b"none"
    _activate(lowering, node, Activation("gelu" if is_exact else "gelu_tanh"))


def _leaky_relu(lowering, node, attributes):
    view = lowering.view(node.input[0])
    slopes = [attributes.get("alpha", 0.01)]
    if node.op_type == "PRelu":
        slopes = _per_channel(view, lowering.constant(node.input[1]))
    zeros = np.zeros(view.tensor.n_channels)
    _activate(lowering, node, Activation("leaky_relu", arrays=(slopes + zeros,)))


def _clip(lowering, node, attributes):
    limits = [lowering.optional(node, i) for i in (1, 2)]
    low, high = (
        default if limit is None else float(np.ravel(limit)[0])
        for limit, default in zip(limits, (-np.inf, np.inf), strict=True)
    )
    largest = float(np.finfo(np.float32).max)
    numbers = (max(low, -largest), min(high, largest))
    _activate(lowering, node, Activation("clip", numbers))


def _power(lowering, node, attributes):
    exponent = lowering.constant(node.input[1])
    kinds = {2.0: "square", 0.5: "sqrt", -1.0: "reciprocal"}
    if exponent.size != 1 or float(exponent.ravel()[0]) not in kinds:
        raise UnsupportedError("its exponent must be 2, 0.5 or -1")
    _activate(lowering, node, Activation(kinds[float(exponent.ravel()[0])]))


def _negative(lowering, node, attributes):
    view = lowering.view(node.input[0])
    lowering.values[node.output[0]] = lowering.affine(view, -1, 0)


OPERATORS = {
    **dict.fromkeys(_UNARY, _unary),
    **dict.fromkeys(("Add", "Div", "Max", "Min", "Mul", "Sub"), _binary),
    "AveragePool": _pool,
    "BatchNormalization": _batch_norm,
    "Clip": _clip,
    "Conv": _convolution,
    "Gelu": _gelu,
    "Gemm": _gemm,
    "LayerNormalization": _layer_norm,
    "LeakyRelu": _leaky_relu,
    "MatMul": _matmul,
    "MaxPool": _pool,
    "Neg": _negative,
    "PRelu": _leaky_relu,
    "Pow": _power,
}
