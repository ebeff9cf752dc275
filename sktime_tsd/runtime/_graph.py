"""Read the graph of an ONNX file without running it, and refuse what could reach beyond it."""

import math
from typing import NamedTuple

import numpy as np

from sktime_tsd.runtime._model_files import ModelFileError
from sktime_tsd.runtime._protobuf import Message, floats, integers

__all__ = ["DTYPES", "Graph", "Node", "Tensor", "read_graph"]

# More than any student has. A limit is needed, since onnxruntime takes a while for each.
_MOST_NODES = 5000

# Tensors of more values are never sizes.
_MOST_SIZES = 1024

#: ONNX's numbers of the types that networks compute in: no text, nothing of less than a byte.
DTYPES = {
    1: np.dtype("float32"),
    2: np.dtype("uint8"),
    3: np.dtype("int8"),
    4: np.dtype("uint16"),
    5: np.dtype("int16"),
    6: np.dtype("int32"),
    7: np.dtype("int64"),
    9: np.dtype("bool"),
    10: np.dtype("float16"),
    11: np.dtype("float64"),
    12: np.dtype("uint32"),
    13: np.dtype("uint64"),
}
_BFLOAT16 = 16
_INT32_DATA = (2, 3, 4, 5, 6, 9)

# Fields of ONNX's messages, by https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
_MODEL_GRAPH, _MODEL_METADATA, _MODEL_TRAINING, _MODEL_FUNCTIONS = 7, 14, 20, 25
_GRAPH_NODES, _GRAPH_TENSORS, _GRAPH_INPUTS, _GRAPH_OUTPUTS, _GRAPH_SPARSE = 1, 5, 11, 12, 15
_NODE_INPUTS, _NODE_OUTPUTS, _NODE_TYPE, _NODE_ATTRIBUTES, _NODE_DOMAIN = 1, 2, 4, 5, 7
_NAME, _F, _I, _S, _T, _FLOATS, _INTS, _STRINGS, _KIND = 1, 2, 3, 4, 5, 7, 8, 9, 20
_SUBGRAPHS, _REFERENCE = (6, 11), 21
_OTHER_VALUES = (10, 14, 15, 22, 23)  # tensors, types, sparse tensors
# What an attribute's kind says is its field.
_KINDS = {1: _F, 2: _I, 3: _S, 4: _T, 6: _FLOATS, 7: _INTS, 8: _STRINGS}
_DIMS, _DTYPE, _FLOAT_DATA, _INT32, _TEXT_DATA, _INT64, _TENSOR_NAME, _RAW = 1, 2, 4, 5, 6, 7, 8, 9
_DOUBLE, _UINT64, _EXTERNAL, _LOCATION = 10, 11, 13, 14


class Tensor(NamedTuple):
    """A constant of the file."""

    shape: tuple
    #: Its values, if they may be sizes; None if they are not known here.
    values: np.ndarray | None


class Node(NamedTuple):
    """An operation."""

    kind: str
    inputs: list
    outputs: list
    attributes: dict

    def get(self, name, default=None):
        """Return an attribute."""
        return self.attributes.get(name, default)


class Graph(NamedTuple):
    """The graph of a file."""

    nodes: list
    #: Tensors by name.
    constants: dict
    #: Names of the inputs, each with its sizes. None for a size that is free.
    inputs: dict
    outputs: list
    #: Texts that came with the model.
    metadata: dict


def read_graph(data):
    """Read the graph of an ONNX file.

    Parameters
    ----------
    data : bytes

    Returns
    -------
    graph : Graph

    Raises
    ------
    ModelFileError
        If the file is damaged, keeps data in other files, or has functions, subgraphs (loops and
        branches), sparse tensors, or operators of other libraries.
    """
    model = Message(data)
    if model.all(_MODEL_FUNCTIONS) or model.all(_MODEL_TRAINING):
        raise ModelFileError("The file defines functions; files of to_onnx do not.")
    content = model.one(_MODEL_GRAPH)
    if content is None:
        raise ModelFileError("The file is damaged: it holds no graph.")
    graph = Message(content)
    if graph.all(_GRAPH_SPARSE):
        raise ModelFileError("The file has sparse tensors; files of to_onnx do not.")
    if len(graph.all(_GRAPH_NODES)) > _MOST_NODES:
        raise ModelFileError(f"The file has more than {_MOST_NODES} operations.")
    constants = {}
    for described in map(Message, graph.all(_GRAPH_TENSORS)):
        constants[described.text(_TENSOR_NAME)] = _tensor(described)
    inputs = {}
    for described in map(Message, graph.all(_GRAPH_INPUTS)):
        if described.text(_NAME) not in constants:
            inputs[described.text(_NAME)] = _sizes(described)
    return Graph(
        [_node(Message(node)) for node in graph.all(_GRAPH_NODES)],
        constants,
        inputs,
        [Message(output).text(_NAME) for output in graph.all(_GRAPH_OUTPUTS)],
        {pair.text(1): pair.text(2) for pair in map(Message, model.all(_MODEL_METADATA))},
    )


def _node(node):
    kind, domain = node.text(_NODE_TYPE), node.text(_NODE_DOMAIN)
    if domain not in ("", "ai.onnx"):
        kind = f"{domain}.{kind}"
    attributes = {}
    for described in map(Message, node.all(_NODE_ATTRIBUTES)):
        found = described.fields
        if any(number in found for number in _SUBGRAPHS):
            raise ModelFileError(
                f"The file's {kind} holds a graph of its own, as loops and branches do. Files of "
                "to_onnx have none."
            )
        name = described.text(_NAME)
        if _REFERENCE in found or name in attributes:
            raise ModelFileError(f"The file is damaged: {kind} has an attribute {name!r} twice.")
        attributes[name] = _attribute(described, kind)
    return Node(kind, node.texts(_NODE_INPUTS), node.texts(_NODE_OUTPUTS), attributes)


def _attribute(described, kind):
    found = described.fields
    kept = [number for number in (*_KINDS.values(), *_OTHER_VALUES) if number in found]
    number = _KINDS.get(described.integer(_KIND))
    # onnxruntime reads the field that the kind names; with one alone, we read the same
    if number is None or kept not in ([], [number]):
        raise ModelFileError(f"The file's {kind} has an attribute of a kind that no network has.")
    if number == _T:
        return _tensor(Message(described.one(_T) or b""))
    if number == _INTS:
        return integers(found.get(_INTS, []))
    if number in (_F, _FLOATS):
        numbers = floats(found.get(number, []))
        return numbers if number == _FLOATS else (numbers or [0.0])[-1]
    if number == _STRINGS:
        return described.texts(_STRINGS)
    return described.text(_S) if number == _S else described.integer(_I)


def _tensor(described):
    """Check that the file holds all values of a tensor, and read them if they are few."""
    found = described.fields
    if described.integer(_LOCATION) or _EXTERNAL in found:
        raise ModelFileError(
            "The file keeps weights in other files. Save it as one file: files of to_onnx are."
        )
    number = described.integer(_DTYPE)
    shape = tuple(integers(found.get(_DIMS, [])))
    if (number not in DTYPES and number != _BFLOAT16) or _TEXT_DATA in found:
        raise ModelFileError("The file has a tensor of a type that no network computes in.")
    n_values = math.prod(shape)
    if any(size < 0 for size in shape):
        raise ModelFileError(f"The file is damaged: a tensor has the shape {shape}.")
    itemsize = 2 if number == _BFLOAT16 else DTYPES[number].itemsize
    if _RAW in found:
        raw = described.one(_RAW)
        fits = len(raw) == n_values * itemsize
    else:
        raw = None
        kept = (_FLOAT_DATA, _INT32, _INT64, _DOUBLE, _UINT64)
        parts = [part for field in kept for part in found.get(field, [])]
        fits = n_values <= sum(1 if type(part) is int else len(part) for part in parts)
    if not fits:
        raise ModelFileError(
            f"The file is damaged: it does not hold the values of a tensor of shape {shape}."
        )
    return Tensor(shape, _values(found, raw, number, shape) if n_values <= _MOST_SIZES else None)


def _values(found, raw, number, shape):
    """Read the values of a small tensor; None if they are stored in a way that no size is."""
    if number not in DTYPES:
        return None
    if raw is not None:
        values = np.frombuffer(raw, dtype=DTYPES[number].newbyteorder("<"))
    elif number == 7:
        values = integers(found.get(_INT64, []))
    elif number in _INT32_DATA:
        values = integers(found.get(_INT32, []))
    elif number == 1:
        values = floats(found.get(_FLOAT_DATA, []))
    else:
        return None
    if len(values) != math.prod(shape):
        raise ModelFileError(
            f"The file is damaged: it does not hold the values of a tensor of shape {shape}."
        )
    return np.array(values).astype(DTYPES[number]).reshape(shape)


def _sizes(described):
    """Read the sizes of an input: ValueInfo.type.tensor_type.shape.dim.dim_value."""
    sizes, inner = [], described.one(2)
    for number in (1, 2):
        inner = None if inner is None else Message(inner).one(number)
    if inner is None:
        raise ModelFileError("The file is damaged: an input is no tensor with a shape.")
    for size in map(Message, Message(inner).all(1)):
        sizes.append(size.integer(1) if 1 in size.fields else None)
    return sizes
