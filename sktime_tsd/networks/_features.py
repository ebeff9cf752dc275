"""Features of any network: capture the output of a layer with forward hooks."""

import torch
from torch import nn

from sktime_tsd.networks._foreign import ForeignNetwork
from sktime_tsd.networks._scaled import ScaledNetwork

__all__ = ["FeatureTaps", "feature_sizes"]

_LISTED_LAYERS = 40

# Modules that have no forward pass of their own.
_CONTAINERS = (nn.ModuleList, nn.ModuleDict)

# Modules whose output has features on the last axis.
_FEATURES_LAST = (
    nn.Linear,
    nn.LayerNorm,
    nn.MultiheadAttention,
    nn.RNNBase,
    nn.TransformerEncoder,
    nn.TransformerEncoderLayer,
)


class _KeepOutput:
    """Forward hook that appends a module's output to a list. A class, so that it pickles."""

    def __init__(self, outputs):
        self.outputs = outputs

    def __call__(self, module, inputs, output):
        if isinstance(module, _FEATURES_LAST) and isinstance(output, tuple):
            output = output[0]  # the rest are hidden states or attention weights
        # a copy, since later layers may modify the output in place
        self.outputs.append(output.clone() if isinstance(output, torch.Tensor) else output)


class _StartForward:
    """Forward pre-hook that stores the number of series and drops the previous outputs."""

    def __init__(self, taps):
        self.taps = taps

    def __call__(self, network, inputs):
        self.taps.n_series = len(inputs[0])
        self.taps.forget()


def _order_of_axes(module):
    """Axes that permute a module's output to (n, n_features, n_timepoints); None if in order."""
    if not isinstance(module, _FEATURES_LAST):
        return None
    if isinstance(module, nn.TransformerEncoder):
        module = module.layers[0]
    module = getattr(module, "self_attn", module)
    return (0, 2, 1) if getattr(module, "batch_first", True) else (1, 2, 0)


class FeatureTaps:
    """Capture the outputs of chosen layers whenever a network runs.

    Parameters
    ----------
    network : nn.Module
        Gets forward hooks, until `remove` is called. For a `ScaledNetwork`, the layers are
        those of the network inside it.
    layers : sequence of str or None
        Paths of modules, as in ``network.named_modules()``. None stands for the layer that
        the network's class names in ``feature_layer``, as the networks of this package do.
    whose : str, default="network"
        What error messages call the network, such as "teacher".

    Raises
    ------
    ValueError
        If there is no such layer. The message lists the layers that exist.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.networks import FCN, FeatureTaps
    >>> network = FCN(1, 24, 2, filters=(4, 8), kernel_sizes=(5, 3))
    >>> taps = FeatureTaps(network, [None, "blocks.0"])
    >>> logits = network(torch.randn(3, 1, 24))
    >>> [features.shape for features in taps.collect()]
    [torch.Size([3, 8, 24]), torch.Size([3, 4, 24])]
    >>> taps.remove()
    """

    def __init__(self, network, layers, whose="network"):
        while isinstance(network, (ScaledNetwork, ForeignNetwork)):
            network = network.network if isinstance(network, ScaledNetwork) else network.module
        self._whose = whose
        self._paths = [self._path(network, layer) for layer in layers]
        self.caught = {path: [] for path in self._paths}
        self.n_series = None
        self._handles = [network.register_forward_pre_hook(_StartForward(self))]
        self._order = {}
        for path, outputs in self.caught.items():
            module = network.get_submodule(path)
            self._order[path] = _order_of_axes(module)
            self._handles.append(module.register_forward_hook(_KeepOutput(outputs)))

    def _path(self, network, layer):
        paths = [
            path
            for path, module in network.named_modules(remove_duplicate=False)
            if path and not isinstance(module, _CONTAINERS)
        ]
        if layer is None:
            layer = getattr(type(network), "feature_layer", None)
            if layer is None:
                raise ValueError(
                    f"The {self._whose}, a {type(network).__name__}, does not say which of its "
                    f"layers gives features. Name one of its layers: {_listed(paths)}."
                )
        if layer not in paths:
            raise ValueError(
                f"The {self._whose}, a {type(network).__name__}, has no layer {layer!r}. It has "
                f"{_listed(paths)}."
            )
        return layer

    def collect(self, n=None):
        """Return the features from the last forward pass, and drop them.

        Parameters
        ----------
        n : int, optional
            Return only those of the first n series. Default: all series.

        Returns
        -------
        features : tuple of torch.Tensor of shape (n, n_features, n_timepoints)
            One for each layer.

        Raises
        ------
        ValueError
            If a layer did not run exactly once, or its output is not one set of features per
            series.
        """
        features = tuple(self._checked(path)[:n] for path in self._paths)
        self.forget()
        return features

    def forget(self):
        """Drop the captured outputs."""
        for outputs in self.caught.values():
            outputs.clear()

    def _checked(self, path):
        outputs = self.caught[path]
        where = f"The layer {path!r} of the {self._whose}"
        if len(outputs) != 1:
            how_often = f"is run {len(outputs)} times" if outputs else "takes no part"
            raise ValueError(
                f"{where} {how_often} in the forward pass; it must run exactly once. Choose "
                "another layer."
            )
        (output,) = outputs
        if not isinstance(output, torch.Tensor) or not output.is_floating_point():
            of_dtype = f" of {output.dtype}" if isinstance(output, torch.Tensor) else ""
            raise ValueError(
                f"{where} gives a {type(output).__name__}{of_dtype}, not a tensor of floats. "
                "Choose another layer."
            )
        if output.ndim == 3 and self._order[path] is not None:
            output = output.permute(self._order[path])
        if output.ndim not in (2, 3):
            raise ValueError(
                f"{where} gives an output of shape {tuple(output.shape)}; features must have "
                "shape (n, n_features, n_timepoints) or (n, n_features)."
            )
        if len(output) != self.n_series:
            raise ValueError(
                f"{where} gives an output of shape {tuple(output.shape)} for {self.n_series} "
                "series; their number must come first."
            )
        return output.unsqueeze(2) if output.ndim == 2 else output

    def remove(self):
        """Remove the hooks from the network."""
        for handle in self._handles:
            handle.remove()
        self.forget()


def _listed(paths):
    more = f", and {len(paths) - _LISTED_LAYERS} more" if len(paths) > _LISTED_LAYERS else ""
    return ", ".join(map(repr, paths[:_LISTED_LAYERS])) + more


def feature_sizes(network, layers, n_channels, n_timepoints, *, whose="network", training=False):
    """Find the sizes of features with a forward pass over series of zeros.

    Parameters
    ----------
    network : nn.Module
        On the CPU. Not changed, except that batch norm updates its statistics if `training`.
    layers : sequence of str or None
        See `FeatureTaps`.
    n_channels, n_timepoints : int
        Shape of a series.
    whose : str, default="network"
        What error messages call the network, such as "teacher".
    training : bool, default=False
        Whether to run the network in train mode.

    Returns
    -------
    sizes : list of tuple (n_features, n_timepoints)
        One for each layer.

    Raises
    ------
    ValueError
        If there is no such layer, its output is not usable as features, or the network cannot
        read series of this shape.

    Examples
    --------
    >>> from sktime_tsd.networks import LSTM, feature_sizes
    >>> feature_sizes(LSTM(1, 20, 2, hidden_size=8), [None], 1, 20)
    [(8, 20)]
    """
    if not layers:
        return []
    n = 2 if n_timepoints != 2 else 3  # differs from n_timepoints, to tell the axes apart
    taps = FeatureTaps(network, layers, whose)
    was_training = network.training
    try:
        with torch.no_grad():
            network.train(training)(torch.zeros(n, n_channels, n_timepoints))
        features = taps.collect()
    except ValueError:
        raise
    except Exception as error:  # a user's network may fail in any way
        raise ValueError(
            f"The {whose} {type(network).__name__} cannot read series of shape ({n_channels} "
            f"channels, {n_timepoints} time points): {error}"
        ) from error
    finally:
        taps.remove()
        network.train(was_training)
    return [tuple(of_layer.shape[1:]) for of_layer in features]
