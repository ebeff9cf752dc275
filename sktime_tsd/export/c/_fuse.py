"""Join layers, so that less is stored and computed."""

from sktime_tsd.export.c._layers import Convolution, Dense, Shift, Window

__all__ = ["fuse"]


def fuse(layers):
    """Let activations join the layer before, and constants its weights.

    Parameters
    ----------
    layers : list of Layer
        See `lower`. They are changed.

    Returns
    -------
    layers : list of Layer
        Fewer, with the same logits.
    """
    readers = {}
    for layer in layers:
        for tensor in layer.inputs:
            readers.setdefault(tensor, []).append(layer)
    makers = {layer.output: layer for layer in layers}
    kept = []
    for layer in _without_padding(layers, readers):
        if type(layer) is Shift and len(readers[layer.inputs[0]]) == 1:
            maker = makers.get(layer.inputs[0])
            if maker is not None and (_is_same(layer) or _is_shorter(layer, maker)):
                for activation in layer.activations:
                    _activate(maker, activation)
                maker.output = layer.output
                makers[layer.output] = maker
                continue
        kept.append(layer)
    return kept


def _without_padding(layers, readers):
    """Let convolutions pad for themselves."""
    kept = []
    for layer in layers:
        if type(layer) is Shift and layer.stride == 1 and layer.pad >= 0 and not layer.activations:
            (x,), y = layer.inputs, layer.output
            following = readers.get(y, [])
            same_channels = x.n_channels == y.n_channels
            grows = y.is_series and same_channels and y.n_timepoints >= x.n_timepoints + layer.pad
            if grows and following and all(type(r) is Convolution for r in following):
                for reader in following:
                    reader.inputs = [x]
                    reader.pad += layer.pad
                readers[x] = [r for r in readers[x] if r is not layer] + following
                continue
        kept.append(layer)
    return kept


def _is_same(shift):
    (x,), y = shift.inputs, shift.output
    same_shape = (x.n_timepoints, x.n_channels) == (y.n_timepoints, y.n_channels)
    return same_shape and not shift.pad and shift.stride == 1


def _is_shorter(shift, maker):
    """Whether only the end is cut off, which a window need not compute."""
    if not isinstance(maker, Window) or shift.pad or shift.stride != 1:
        return False
    if shift.inputs[0].n_channels != shift.output.n_channels:
        return False
    return shift.output.n_timepoints <= shift.inputs[0].n_timepoints


def _activate(layer, activation):
    if activation.kind == "affine":
        factors, terms = activation.arrays
        if (factors == 1).all() and (terms == 0).all():
            return
        if isinstance(layer, (Convolution, Dense)) and not layer.activations:
            n_more = layer.matrix.ndim - 1
            layer.matrix = layer.matrix * factors.reshape(-1, *[1] * n_more)
            layer.biases = layer.biases * factors + terms
            return
        if layer.activations and layer.activations[-1].kind == "affine":
            former = layer.activations[-1]
            former.arrays = (former.arrays[0] * factors, former.arrays[1] * factors + terms)
            return
    layer.activations.append(activation)
