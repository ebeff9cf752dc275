"""Small ONNX files, sound and crafted, for tests of what reads them."""

import json

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from sktime_tsd.runtime._model_files import ONNX_KEY, onnx_metadata

__all__ = ["constant", "model", "node", "sizes", "summed"]

node = helper.make_node


def constant(name, values, dtype=np.float32):
    return numpy_helper.from_array(np.asarray(values, dtype=dtype), name)


def sizes(name, *values):
    return constant(name, values, np.int64)


def summed(name):
    """Operators that make probabilities of any tensor of floats, each series the same."""
    return [
        node("ReduceSum", [name], ["total"], keepdims=0),
        node("ReduceMax", ["X", "axes"], ["largest"], keepdims=0),
        node("Mul", ["largest", "nothing"], ["zeros"]),
        node("Mul", ["total", "nothing_1"], ["none"]),
        node("Add", ["zeros", "none"], ["flat"]),
        node("Unsqueeze", ["flat", "last"], ["column"]),
        node("Concat", ["column", "column"], ["logits"], axis=1),
        node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]


def model(nodes, constants=(), *, domains=(), n_timepoints=24, **graph):
    """A file that looks like one of ours, with operators of any kind in front."""
    value = helper.make_tensor_value_info
    described = helper.make_graph(
        nodes,
        "g",
        [value("X", TensorProto.FLOAT, ["n", 1, n_timepoints])],
        [value("probabilities", TensorProto.FLOAT, ["n", 2])],
        [
            *constants,
            sizes("axes", 1, 2),
            sizes("last", 1),
            constant("nothing", 0.0),
            constant("nothing_1", 0.0),
        ],
        **graph,
    )
    opsets = [helper.make_opsetid("", 20), *(helper.make_opsetid(name, 1) for name in domains)]
    made = helper.make_model(described, opset_imports=opsets)
    made.ir_version = 10
    metadata = onnx_metadata(np.array(["a", "b"]), 1, n_timepoints)
    helper.set_model_props(made, {ONNX_KEY: json.dumps(metadata)})
    return made
