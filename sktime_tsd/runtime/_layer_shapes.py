"""Shapes of what layers compute, by ONNX's definitions, without computing anything.

Source: https://onnx.ai/onnx/operators. A rule takes a node and its inputs, and returns the shapes
of its outputs and how many multiplications they take, or what takes as long.
"""

import math

import numpy as np

from sktime_tsd.runtime._shapes import axis_of, numbers, setting, sized

__all__ = ["LAYERS"]


def _same(node, x, *_):
    return [x.shape] * len(node.outputs), 8 * math.prod(x.shape)


def _broadcast(node, *inputs):
    shapes = [value.shape for value in inputs if value is not None]
    shape = np.broadcast_shapes(*shapes)
    return [shape], 8 * math.prod(shape)


def _reduce(node, x, *more):
    axes = setting(node, "axes", (x, *more), 1)
    if not axes:
        if node.get("noop_with_empty_axes", 0):
            return [x.shape], math.prod(x.shape)
        axes = range(len(x.shape))
    axes = {axis_of(axis, len(x.shape)) for axis in axes}
    return [_without(x.shape, axes, node)], 8 * math.prod(x.shape)


def _arg_reduce(node, x):
    axis = axis_of(node.get("axis", 0), len(x.shape))
    return [_without(x.shape, {axis}, node)], 8 * math.prod(x.shape)


def _without(shape, axes, node):
    if node.get("keepdims", 1):
        return tuple(1 if axis in axes else size for axis, size in enumerate(shape))
    return tuple(size for axis, size in enumerate(shape) if axis not in axes)


def _matmul(node, a, b, *_):
    left, right = a.shape, b.shape
    if not left or not right:
        raise ValueError("a product of scalars")
    rows = left[-2:-1]
    columns = right[-1:] if len(right) > 1 else ()
    batch = np.broadcast_shapes(left[:-2], right[:-2])
    shape = (*batch, *rows, *columns)
    return [shape], math.prod(shape) * left[-1]


def _gemm(node, a, b, *_):
    rows, inner = a.shape[::-1] if node.get("transA", 0) else a.shape
    columns = b.shape[0] if node.get("transB", 0) else b.shape[1]
    return [(rows, columns)], rows * columns * inner


# Products of three tensors or more.
_MOST_EINSUM = 2**24


def _einsum(node, *inputs):
    terms, _, result = node.get("equation").replace(" ", "").partition("->")
    sizes = {}
    for term, value in zip(terms.split(","), inputs, strict=True):
        for letter, size in zip(term, value.shape, strict=True):
            sizes[letter] = max(size, sizes.get(letter, 1))
    if not all(letter.isalpha() for letter in [*sizes, *result]):
        raise ValueError(f"the equation {node.get('equation')}")
    if len(inputs) > 2 and math.prod(sizes.values()) > _MOST_EINSUM:  # pairs may need as many
        raise ValueError(f"a sum over {math.prod(sizes.values()):,} products")
    return [tuple(sizes[letter] for letter in result)], math.prod(sizes.values())


def _windows(node, spatial, kernel):
    """Sizes after a kernel has moved along each axis."""
    rank = len(spatial)
    strides = node.get("strides") or [1] * rank
    dilations = node.get("dilations") or [1] * rank
    pads = node.get("pads") or [0] * (2 * rank)
    if min(*strides, *dilations, *kernel) < 1 or len(strides) != rank or len(pads) != 2 * rank:
        raise ValueError(f"strides {strides}, dilations {dilations}, pads {pads}")
    if node.get("auto_pad", "NOTSET") in ("SAME_UPPER", "SAME_LOWER"):
        return tuple(-(-size // step) for size, step in zip(spatial, strides, strict=True))
    if node.get("auto_pad", "NOTSET") == "VALID":
        pads = [0] * (2 * rank)
    sizes = []
    for axis, size in enumerate(spatial):
        reach = (kernel[axis] - 1) * dilations[axis] + 1
        room = size + pads[axis] + pads[rank + axis] - reach
        # onnxruntime rounds towards 0, below 0 too
        steps = abs(room) // strides[axis] * (1 if room > 0 else -1)
        sizes.append(max(steps + 1 + node.get("ceil_mode", 0), 0))
    return tuple(sizes)


def _conv(node, x, weight, *_):
    kernel = weight.shape[2:]
    shape = (x.shape[0], weight.shape[0], *_windows(node, x.shape[2:], kernel))
    return [shape], math.prod(shape) * math.prod(weight.shape[1:])


def _quantized_conv(node, x, _scale, _zero, weight, *_):
    return _conv(node, x, weight)


def _quantized_matmul(node, a, _scale, _zero, b, *_):
    return _matmul(node, a, b)


def _conv_transpose(node, x, weight, *_):
    rank = len(x.shape) - 2
    kernel = weight.shape[2:]
    steps = node.get("strides") or [1] * rank
    dilations = node.get("dilations") or [1] * rank
    more = node.get("output_padding") or [0] * rank
    pads = node.get("pads") or [0] * (2 * rank)
    padding = node.get("auto_pad", "NOTSET")
    if min(*steps, *dilations, *kernel) < 1 or min(*more, *pads) < 0 or len(pads) != 2 * rank:
        raise ValueError(f"strides {steps}, dilations {dilations}, pads {pads}, {more}")
    sizes = node.get("output_shape")
    if not sizes:
        sizes = []
        for axis, size in enumerate(x.shape[2:]):
            if padding in ("SAME_UPPER", "SAME_LOWER"):
                sizes.append(size * steps[axis] + more[axis])
                continue
            taken = pads[axis] + pads[rank + axis] if padding == "NOTSET" else 0
            reach = (kernel[axis] - 1) * dilations[axis] + 1
            sizes.append((size - 1) * steps[axis] + reach + more[axis] - taken)
    if len(sizes) != rank:
        raise ValueError(f"sizes {sizes}")
    sizes = sized(sizes)
    shape = (x.shape[0], weight.shape[1] * node.get("group", 1), *sizes)
    work = 4 * math.prod(x.shape) * math.prod(weight.shape[1:])
    return [shape], work + 8 * math.prod(shape)


def _pool(node, x):
    kernel = node.get("kernel_shape")
    shape = (*x.shape[:2], *_windows(node, x.shape[2:], kernel))
    slow = 16 if node.kind == "LpPool" else 1
    return [shape] * len(node.outputs), slow * math.prod(shape) * math.prod(kernel)


def _global_pool(node, x):
    return [(*x.shape[:2], *(1 for _ in x.shape[2:]))], 8 * math.prod(x.shape)


def _recurrent(node, x, weight, recurrence, *_):
    by_row = node.get("layout", 0)
    steps, rows = x.shape[:2][::-1] if by_row else x.shape[:2]
    directions = weight.shape[0]
    hidden = max(node.get("hidden_size", 0), min(recurrence.shape[1:]))
    y = (rows, steps, directions, hidden) if by_row else (steps, directions, rows, hidden)
    last = (rows, directions, hidden) if by_row else (directions, rows, hidden)
    shapes = [y, *[last] * (len(node.outputs) - 1)]
    each = math.prod(weight.shape[1:]) + math.prod(recurrence.shape[1:])
    return shapes, steps * directions * (rows * each + _STEP)


# What a step of a recurrent layer takes beside its multiplications.
_STEP = 2000


def _dynamic_quantize(node, x):
    return [x.shape, (), ()], 8 * math.prod(x.shape)


def _fourier(node, x, *more):
    shape = list(x.shape)
    axis = node.get("axis", 1)
    if len(more) > 1 and more[1] is not None:
        (axis,) = numbers(more[1], "axis")
    axis = axis_of(int(axis), len(shape))
    if more and more[0] is not None:
        (shape[axis],) = map(int, numbers(more[0], "length"))
    n = shape[axis]
    shape[axis] = n // 2 + 1 if node.get("onesided", 0) else n
    shape[-1] = 2
    return [sized(shape)], 2 * n * math.prod(shape)


_SAME = """
Abs Acos Acosh Asin Asinh Atan Atanh BatchNormalization Cast CastLike Ceil Celu Clip Cos Cosh CumSum
DequantizeLinear Dropout Elu Erf Exp Floor Gelu GroupNormalization HardSigmoid HardSwish Hardmax
Identity InstanceNormalization IsInf IsNaN LayerNormalization LeakyRelu Log LogSoftmax
LpNormalization Mish Neg Not PRelu QuantizeLinear RMSNormalization Reciprocal Relu Round Selu
Shrink Sigmoid Sign Sin Sinh Softmax Softplus Softsign Sqrt Swish Tan Tanh ThresholdedRelu Trilu
MeanVarianceNormalization
"""
_BROADCAST = """
Add And BitShift BitwiseAnd BitwiseOr BitwiseXor Div Equal Greater GreaterOrEqual Less LessOrEqual
Max Mean Min Mod Mul Or Pow Sub Sum Where Xor
"""
_REDUCE = "L1 L2 LogSum LogSumExp Max Mean Min Prod Sum SumSquare"

#: For each operator, a function of a node and its inputs.
LAYERS = {
    **dict.fromkeys(_SAME.split(), _same),
    **dict.fromkeys(_BROADCAST.split(), _broadcast),
    **{f"Reduce{name}": _reduce for name in _REDUCE.split()},
    **dict.fromkeys(("ArgMax", "ArgMin"), _arg_reduce),
    **dict.fromkeys(("MatMul", "MatMulInteger"), _matmul),
    **dict.fromkeys(("Conv", "ConvInteger"), _conv),
    **dict.fromkeys(("AveragePool", "LpPool", "MaxPool"), _pool),
    **dict.fromkeys(("GlobalAveragePool", "GlobalLpPool", "GlobalMaxPool"), _global_pool),
    **dict.fromkeys(("GRU", "LSTM", "RNN", "com.microsoft.DynamicQuantizeLSTM"), _recurrent),
    "ConvTranspose": _conv_transpose,
    "DFT": _fourier,
    "DynamicQuantizeLinear": _dynamic_quantize,
    "Einsum": _einsum,
    "Gemm": _gemm,
    "QLinearConv": _quantized_conv,
    "QLinearMatMul": _quantized_matmul,
}
