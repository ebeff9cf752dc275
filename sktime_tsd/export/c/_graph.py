"""The ONNX graph of a fitted network for one series at a time, with constants worked out."""

import copy
import io
import tempfile
import warnings
from contextlib import redirect_stdout
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from sktime_tsd._utils.random import seeded
from sktime_tsd.classifier import SkorchClassifier
from sktime_tsd.export._answers import TOLERANCE
from sktime_tsd.export._onnx import to_onnx
from sktime_tsd.export._quiet import quietly

__all__ = ["Graph", "network_graph"]

_N_TRIED = 8


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


class _Probabilities(nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, X):
        return self.network(X).softmax(dim=1)


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

    Warns
    -----
    UserWarning
        If the network branches on values that it computes.
    """
    import onnx

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        # tracing for one series takes a fraction of a second; to_onnx, which exports for any
        # number of series, up to a minute for an LSTM
        model = _traced(network, input_shape, path)
        if model is None:
            model = onnx.load(_by_to_onnx(network, n_classes, input_shape, path))
            for value in (*model.graph.input, *model.graph.output):
                value.type.tensor_type.shape.dim[0].dim_value = 1
            _fold(model, path)
        graph = onnx.load(path).graph
    constants = {value.name: onnx.numpy_helper.to_array(value) for value in graph.initializer}
    return Graph(list(graph.node), constants)


def _by_to_onnx(network, n_classes, input_shape, path):
    # without scaling: it is written for itself, so that it can be done in double precision
    alone = SkorchClassifier.from_module(
        network, list(range(n_classes)), input_shape=input_shape, device="cpu"
    )
    return to_onnx(alone, path, overwrite=True)


def _traced(network, input_shape, path):
    """Write a file by tracing, or return None if it does not give the network's answers."""
    import onnx

    module = _Probabilities(network).eval()
    generator = torch.Generator().manual_seed(0)
    series = torch.randn(_N_TRIED, *input_shape, generator=generator)
    try:
        # the lock of `seeded` first; on failure, torch prints the graph
        with (
            seeded(0, torch.device("cpu")),
            quietly("torch"),
            redirect_stdout(io.StringIO()),
        ):
            follows_one_path = _trace(module, series[:1], path)
        session = _fold(onnx.load(path), path)
        for x in series.split(1):
            with torch.no_grad():
                expected = module(x).numpy()
            (found,) = session.run(None, {"X": x.numpy()})
            if not np.abs(found - expected).max() <= TOLERANCE:
                return None
    except ImportError:
        raise
    except Exception:  # the exporter may raise anything on a user's network
        return None
    if follows_one_path and _reads_values(module, series[:1]):
        warnings.warn(
            f"{type(network).__name__} branches on values that it computes, which a C file cannot "
            "do: it always takes the branch taken in the export. Use torch.where instead of "
            "branches.",
            stacklevel=5,
        )
    return onnx.load(path)


def _reads_values(module, example):
    """Whether a network must know values, not only shapes, to decide what it computes."""
    try:
        copy.deepcopy(module).to("meta")(example.to("meta"))  # tensors without values
    except Exception:  # there is no one error for it
        return True
    return False


def _trace(module, example, path):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", torch.jit.TracerWarning)
        torch.onnx.export(
            module,
            (example,),
            str(path),
            dynamo=False,
            input_names=["X"],
            output_names=["probabilities"],
        )
    # torch's own layers only branch on shapes
    return any(
        issubclass(warning.category, torch.jit.TracerWarning)
        and not Path(warning.filename).is_relative_to(Path(torch.__file__).parent)
        for warning in said
    )


def _fold(model, path):
    """Write a model with its constants worked out, and open it."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(path)
    data = model.SerializeToString()
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
