"""From the nodes of an ONNX graph to layers."""

from sktime_tsd.export.c import _operators as operators
from sktime_tsd.export.c import _operators_on_axes as on_axes
from sktime_tsd.export.c._layers import Input, Tensor
from sktime_tsd.export.c._lowering import Lowering
from sktime_tsd.export.c._recurrent import recurrent
from sktime_tsd.export.c._view import UnsupportedError, View

__all__ = ["lower"]

_OPERATORS = {
    **operators.OPERATORS,
    **on_axes.OPERATORS,
    "GRU": recurrent,
    "LSTM": recurrent,
}


def lower(graph, input_shape):
    """Turn a graph into layers.

    Parameters
    ----------
    graph : Graph
    input_shape : tuple of int
        ``(n_channels, n_timepoints)``.

    Returns
    -------
    layers : list of Layer
        In an order in which they can be computed. The first one is the `Input`, the last one
        gives the logits.

    Raises
    ------
    UnsupportedError
        If an operator, or what it does here, cannot be written. The message names it.
    """
    import onnx

    n_channels, n_timepoints = input_shape
    series = Tensor(n_channels, n_timepoints)
    lowering = Lowering(graph.constants, [Input(inputs=[], output=series)])
    plain = View(series, ((), ("channel",), ("time",)))
    lowering.values["X"] = plain.moved(plain.axes)
    (last,) = (node for node in graph.nodes if "probabilities" in node.output)
    for node in graph.nodes[: graph.nodes.index(last)]:
        _lower_node(lowering, node, onnx)
    logits = lowering.values.get(last.input[0])
    if last.op_type != "Softmax" or not isinstance(logits, View) or logits.tensor.is_series:
        raise UnsupportedError(f"{last.op_type}: the network must end with one logit per class")
    return _needed(lowering.layers, logits.tensor)


def _lower_node(lowering, node, onnx):
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    operator = _OPERATORS.get(node.op_type)
    if operator is None or node.domain not in ("", "ai.onnx"):
        raise UnsupportedError(f"{node.op_type}: there is no C code for this operator")
    try:
        operator(lowering, node, attributes)
    except UnsupportedError as error:
        raise UnsupportedError(f"{node.op_type}: {error}") from None
    except Exception as error:  # an operator may be used in ways that nobody has thought of
        raise UnsupportedError(
            f"{node.op_type}: what it does here has no C code ({type(error).__name__}: {error})"
        ) from error


def _needed(layers, logits):
    """Drop layers that nothing reads, and outputs of recurrent layers that nothing reads."""
    read, kept = {logits}, []
    for layer in reversed(layers):
        if not read.intersection(layer.outputs):
            continue
        for name in ("output", "last"):
            if getattr(layer, name, None) not in read | {None}:
                setattr(layer, name, None)
        read.update(layer.inputs)
        kept.append(layer)
    if not isinstance(kept[-1], Input):
        raise UnsupportedError("Softmax: the probabilities do not depend on the series")
    return kept[::-1]
