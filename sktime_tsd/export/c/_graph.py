"""The ONNX graph of a fitted network for one series at a time, with constants worked out."""

import tempfile
from pathlib import Path
from typing import NamedTuple

from sktime_tsd.classifier import SkorchClassifier
from sktime_tsd.export._onnx import to_onnx

__all__ = ["Graph", "network_graph"]


class Graph(NamedTuple):
    """The graph of a network.

    Parameters
    ----------
    nodes : list of onnx.NodeProto
        In an order in which they can be computed.
    constants : dict of str to numpy.ndarray
    """

    nodes: list
    constants: dict


def network_graph(network, n_classes, input_shape):
    """Export a network, for one series at a time.

    Parameters
    ----------
    network : nn.Module
        In eval mode, on the CPU. Maps scaled series to logits.
    n_classes : int
    input_shape : tuple of int
        ``(n_channels, n_timepoints)``.

    Returns
    -------
    graph : Graph
        From ``X`` to ``probabilities``.

    Raises
    ------
    RuntimeError, ImportError
        See `to_onnx`.
    """
    import onnx
    import onnxruntime

    # without scaling: it is written for itself, so that it can be done in double precision
    alone = SkorchClassifier.from_module(
        network, list(range(n_classes)), input_shape=input_shape, device="cpu"
    )
    with tempfile.TemporaryDirectory() as folder:
        path, folded = Path(folder) / "network.onnx", Path(folder) / "folded.onnx"
        model = onnx.load(to_onnx(alone, path))
        for value in (*model.graph.input, *model.graph.output):
            value.type.tensor_type.shape.dim[0].dim_value = 1
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(folded)
        onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        graph = onnx.load(folded).graph
    constants = {value.name: onnx.numpy_helper.to_array(value) for value in graph.initializer}
    return Graph(list(graph.node), constants)
