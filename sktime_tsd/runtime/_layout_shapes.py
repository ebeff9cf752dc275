"""Shapes of what moves or makes values, by ONNX's definitions, without computing anything.

Source: https://onnx.ai/onnx/operators. A rule takes a node and its inputs, and returns the shapes
of its outputs and how many multiplications they take, or what takes as long.
"""

import math

import numpy as np

from sktime_tsd.runtime._shapes import axis_of, numbers, setting, sized, slices

__all__ = ["LAYOUTS"]


def _reshape(node, x, target):
    sizes = [int(size) for size in numbers(target, "shape")]
    if not node.get("allowzero", 0):
        sizes = [x.shape[place] if size == 0 else size for place, size in enumerate(sizes)]
    known = math.prod(size for size in sizes if size != -1)
    if sizes.count(-1) == 1 and known:
        sizes = [math.prod(x.shape) // known if size == -1 else size for size in sizes]
    if math.prod(sizes) != math.prod(x.shape) or min(sizes, default=0) < 0:
        raise ValueError(f"shape {x.shape} cannot become {sizes}")
    return [tuple(sizes)], 0


def _flatten(node, x):
    axis = node.get("axis", 1)
    axis += len(x.shape) if axis < 0 else 0
    return [(math.prod(x.shape[:axis]), math.prod(x.shape[axis:]))], 0


def _squeeze(node, x, *more):
    axes = setting(node, "axes", (x, *more), 1)
    if axes is None:
        return [tuple(size for size in x.shape if size != 1)], 0
    axes = {axis_of(axis, len(x.shape)) for axis in axes}
    return [tuple(size for axis, size in enumerate(x.shape) if axis not in axes)], 0


def _unsqueeze(node, x, *more):
    axes = setting(node, "axes", (x, *more), 1)
    rank = len(x.shape) + len(axes)
    axes, sizes = {axis_of(axis, rank) for axis in axes}, iter(x.shape)
    return [tuple(1 if axis in axes else next(sizes) for axis in range(rank))], 0


def _transpose(node, x):
    order = node.get("perm") or range(len(x.shape))[::-1]
    if sorted(order) != list(range(len(x.shape))):
        raise ValueError(f"the order of axes {order}")
    return [tuple(x.shape[axis] for axis in order)], 8 * math.prod(x.shape)


def _concat(node, *inputs):
    shape = list(inputs[0].shape)
    axis = axis_of(node.get("axis"), len(shape))
    shape[axis] = sum(value.shape[axis] for value in inputs)
    return [tuple(shape)], math.prod(shape)


def _split(node, x, *more):
    axis = axis_of(node.get("axis", 0), len(x.shape))
    sizes = setting(node, "split", (x, *more), 1)
    if sizes is None:
        each = -(-x.shape[axis] // len(node.outputs))
        sizes = [each] * len(node.outputs)
    if min(sizes) < 0 or max(sizes) > x.shape[axis] or len(sizes) != len(node.outputs):
        raise ValueError(f"a split into {sizes}")
    return [(*x.shape[:axis], size, *x.shape[axis + 1 :]) for size in sizes], math.prod(x.shape)


def _slice(node, x, *more):
    parts = slices(node, x, more)
    shape = tuple(
        len(range(*part.indices(size))) for part, size in zip(parts, x.shape, strict=True)
    )
    return [shape], math.prod(shape)


def _gather(node, x, indices):
    axis = axis_of(node.get("axis", 0), len(x.shape))
    shape = (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])
    return [shape], math.prod(shape)


def _gather_elements(node, x, indices):
    return [indices.shape], 8 * math.prod(indices.shape)


def _gather_nd(node, x, indices):
    depth = node.get("batch_dims", 0) + indices.shape[-1]
    shape = (*indices.shape[:-1], *x.shape[depth:])
    return [shape], 8 * math.prod(shape)


def _scatter(node, x, indices, updates, *_):
    return [x.shape], 8 * (math.prod(x.shape) + math.prod(indices.shape))


def _shape(node, x):
    return [(len(x.shape[node.get("start", 0) : node.get("end")]),)], 0


def _size(node, x):
    return [()], 0


def _constant(node):
    (value,) = node.attributes.values()
    return [value.shape if hasattr(value, "shape") else np.shape(value)], 0


def _filled(node, target):
    return [sized(numbers(target, "shape"))], 0


def _expand(node, x, target):
    shape = np.broadcast_shapes(x.shape, sized(numbers(target, "shape")))
    return [shape], math.prod(shape)


def _tile(node, x, repeats):
    repeats = sized(numbers(repeats, "repeats"))
    shape = tuple(size * n for size, n in zip(x.shape, repeats, strict=True))
    return [shape], math.prod(shape)


def _pad(node, x, *more):
    pads = setting(node, "pads", (x, *more), 1)
    axes = range(len(x.shape))
    if len(more) > 2 and more[2] is not None:
        axes = [axis_of(int(axis), len(x.shape)) for axis in numbers(more[2], "axes")]
    shape = list(x.shape)
    for place, axis in enumerate(axes):
        shape[axis] += pads[place] + pads[place + len(axes)]
    return [sized(shape)], math.prod(shape)


def _range(node, start, limit, step):
    (start,), (limit,), (step,) = (numbers(value, "range") for value in (start, limit, step))
    n = max(math.ceil((limit - start) / step), 0)
    return [(n,)], n


def _resize(node, x, *more):
    roi, scales, sizes = [*more, None, None, None][:3]
    if len(more) == 1:  # Upsample, and Resize before opset 11
        scales, sizes = roi, None
    if node.get("keep_aspect_ratio_policy", "stretch") != "stretch":
        raise ValueError("a resize that keeps proportions")
    if node.get("coordinate_transformation_mode") == "tf_crop_and_resize":
        raise ValueError("a resize that crops")
    axes = node.get("axes") or range(len(x.shape))
    shape = list(x.shape)
    if sizes is not None:
        found = numbers(sizes, "sizes")
    else:
        each = node.get("scales") or numbers(scales, "scales")
        found = [math.ceil(shape[axis] * scale) for axis, scale in zip(axes, each, strict=True)]
    for axis, size in zip(axes, found, strict=True):
        shape[axis] = size
    return [sized(shape)], 64 * math.prod(shape)


def _one_hot(node, indices, depth, *_):
    (n,) = numbers(depth, "depth")
    axis = axis_of(node.get("axis", -1), len(indices.shape) + 1)
    shape = (*indices.shape[:axis], int(n), *indices.shape[axis:])
    return [sized(shape)], math.prod(shape)


def _top_k(node, x, *more):
    (n,) = setting(node, "k", (x, *more), 1) if more else [node.get("k")]
    axis = axis_of(node.get("axis", -1), len(x.shape))
    shape = (*x.shape[:axis], min(n, x.shape[axis]), *x.shape[axis + 1 :])
    return [sized(shape)] * 2, 64 * math.prod(x.shape)


def _depth_to_space(node, x):
    n, channels, *spatial = x.shape
    size = node.get("blocksize")
    return [(n, channels // size ** len(spatial), *(size * s for s in spatial))], math.prod(x.shape)


def _space_to_depth(node, x):
    n, channels, *spatial = x.shape
    size = node.get("blocksize")
    return [(n, channels * size ** len(spatial), *(s // size for s in spatial))], math.prod(x.shape)


#: For each operator, a function of a node and its inputs.
LAYOUTS = {
    **dict.fromkeys(("Resize", "Upsample"), _resize),
    **dict.fromkeys(("ScatterElements", "ScatterND"), _scatter),
    "Concat": _concat,
    "Constant": _constant,
    "ConstantOfShape": _filled,
    "DepthToSpace": _depth_to_space,
    "Expand": _expand,
    "Flatten": _flatten,
    "Gather": _gather,
    "GatherElements": _gather_elements,
    "GatherND": _gather_nd,
    "OneHot": _one_hot,
    "Pad": _pad,
    "Range": _range,
    "Reshape": _reshape,
    "Shape": _shape,
    "Size": _size,
    "Slice": _slice,
    "SpaceToDepth": _space_to_depth,
    "Split": _split,
    "Squeeze": _squeeze,
    "Tile": _tile,
    "TopK": _top_k,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}
