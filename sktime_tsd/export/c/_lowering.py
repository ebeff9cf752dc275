"""The state of a translation: what each value of the ONNX graph has become."""

from dataclasses import replace

import numpy as np

from sktime_tsd.export.c._layers import Activation, Concatenation, Shift, Tensor
from sktime_tsd.export.c._view import Stack, UnsupportedError, View

__all__ = ["Lowering"]


class Lowering:
    """Layers so far, and the values of an ONNX graph.

    Parameters
    ----------
    constants : dict of str to numpy.ndarray
    layers : list of Layer
        Appended to.

    Attributes
    ----------
    values : dict of str to View or Stack
        By the names of the graph.
    """

    def __init__(self, constants, layers):
        self.constants = constants
        self.layers = layers
        self.values = {}

    def view(self, name):
        """Return the view of this name, which must be no constant."""
        value = self.values.get(name)
        if isinstance(value, Stack):
            return self._joined(value)
        if value is None:
            raise UnsupportedError("it must read what the network computes, not a constant")
        return value

    def is_constant(self, name):
        """Whether a value of this name is known."""
        return name in self.constants

    def constant(self, name):
        """Return the constant of this name."""
        if name not in self.constants:
            raise UnsupportedError("its weights and settings must be constants")
        return self.constants[name]

    def optional(self, node, i):
        """Return the constant that is input number `i` of a node, or None."""
        return self.constant(node.input[i]) if len(node.input) > i and node.input[i] else None

    def integers(self, node, i):
        """Return the integers that are input number `i` of a node, or None."""
        found = self.optional(node, i)
        return None if found is None else [int(n) for n in np.ravel(found)]

    def add(self, layer):
        """Append a layer, and return its output."""
        self.layers.append(layer)
        return layer.output

    def activate(self, view, activation):
        """Do something to each value of a tensor. Later, it may join the layer before."""
        tensor = view.tensor
        output = Tensor(tensor.n_channels, tensor.n_timepoints)
        layer = Shift(inputs=[tensor], output=output, activations=[activation])
        return replace(view, tensor=self.add(layer))

    def affine(self, view, factors, terms):
        """Multiply and add one constant per channel."""
        arrays = tuple(
            np.broadcast_to(np.asarray(values, dtype=np.float64), view.tensor.n_channels)
            for values in (factors, terms)
        )
        return self.activate(view, Activation("affine", arrays=arrays))

    def concatenated(self, tensors):
        """Put the channels of several tensors after one another."""
        n_channels = sum(tensor.n_channels for tensor in tensors)
        output = Tensor(n_channels, tensors[0].n_timepoints)
        return self.add(Concatenation(inputs=list(tensors), output=output))

    def _joined(self, stack):
        """Make one tensor of a stack."""
        tensor = self.concatenated([view.tensor for view in stack.views])
        n_inner = stack.views[0].tensor.n_channels
        return View(tensor, (("outer",), *stack.views[0].axes[1:-1], ("inner",)), n_inner)
