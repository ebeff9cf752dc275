"""LSTM and GRU, in one or two directions."""

import numpy as np

from sktime_tsd.export.c._layers import Recurrent, Tensor
from sktime_tsd.export.c._view import Stack, UnsupportedError, View

__all__ = ["recurrent"]

_DIRECTIONS = {b"forward": (False,), b"reverse": (True,), b"bidirectional": (False, True)}


def recurrent(lowering, node, attributes):
    """Translate an LSTM or a GRU.

    Parameters
    ----------
    lowering : Lowering
    node : onnx.NodeProto
    attributes : dict
    """
    view, kind = lowering.view(node.input[0]), node.op_type.lower()
    _check(lowering, node, attributes, view)
    directions = _DIRECTIONS[attributes.get("direction", b"forward")]
    weights = [lowering.constant(name).astype(np.float32) for name in node.input[1:3]]
    biases = lowering.optional(node, 3)
    n_hidden, length = weights[1].shape[2], view.tensor.n_timepoints
    layers = []
    for i, is_reversed in enumerate(directions):
        zeros = np.zeros(2 * weights[0].shape[1])
        layer = Recurrent(
            inputs=[view.tensor],
            output=Tensor(n_hidden, length),
            last=Tensor(n_hidden),
            kind=kind,
            matrix=np.concatenate([weights[0][i], weights[1][i]], axis=1),
            biases=_biases(kind, zeros if biases is None else biases[i].astype(np.float64)),
            is_reversed=is_reversed,
        )
        lowering.add(layer)
        layers.append(layer)
    outputs = [*node.output, "", ""]
    if outputs[0]:
        lowering.values[outputs[0]] = _sequence(lowering, layers)
    if outputs[1]:
        axes = ((), (), ("channel",))
        last = [View(layer.last, axes).moved(axes) for layer in layers]
        lowering.values[outputs[1]] = Stack(tuple(last))


def _check(lowering, node, attributes, view):
    if not view.holds("time", None, "channel"):
        raise UnsupportedError("its input must have the shape (n_timepoints, 1, n_channels)")
    known = {"direction", "hidden_size", "layout", "input_forget", "linear_before_reset"}
    is_plain = not attributes.get("layout") and not attributes.get("input_forget")
    if attributes.keys() - known or not is_plain:
        raise UnsupportedError("it must have torch's usual activations and layout")
    if node.op_type == "GRU" and not attributes.get("linear_before_reset"):
        raise UnsupportedError("linear_before_reset must be 1, as in torch")
    if len(node.input) > 4 and node.input[4]:
        raise UnsupportedError("lengths of sequences have no C code")
    for i in (5, 6, 7):
        state = lowering.optional(node, i)
        if state is not None and state.any():
            raise UnsupportedError("its first state must be zero, and peepholes have no C code")


def _biases(kind, biases):
    """Add up the biases of input and state, where they always meet."""
    of_input, of_state = biases.reshape(2, -1)
    if kind == "lstm":
        return of_input + of_state
    n_gates = 2 * len(of_input) // 3
    return np.concatenate([(of_input + of_state)[:n_gates], of_input[n_gates:], of_state[n_gates:]])


def _sequence(lowering, layers):
    """Join outputs of all time points, of shape (n_timepoints, n_directions, 1, n_hidden)."""
    if len(layers) == 1:
        axes = (("time",), (), (), ("channel",))
        return View(layers[0].output, axes).moved(axes)
    tensor = lowering.concatenated([layer.output for layer in layers])
    n_inner = layers[0].output.n_channels
    axes = (("time",), ("outer",), (), ("inner",))
    return View(tensor, axes, n_inner).moved(axes)
