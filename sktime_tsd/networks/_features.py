"""Features of any network: what one of its layers puts out."""

import torch
from torch import nn

from sktime_tsd.networks._scaled import ScaledNetwork

__all__ = ["FeatureTaps", "feature_sizes"]

_LISTED_LAYERS = 40


class FeatureTaps:
    """Catch what some layers put out whenever a network runs.

    Parameters
    ----------
    network : nn.Module
        Gets a forward hook for each layer, until `remove`. The layers of a `ScaledNetwork`
        are those of the network in it.
    layers : sequence of str or None
        Paths of modules, as in ``network.named_modules()``. None is the layer that the
        network's class names in ``feature_layer``, as those of this package do.
    whose : str, default="network"
        What the network is called in messages.

    Raises
    ------
    ValueError
        If there is no such layer; the message lists those there are.

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
        if isinstance(network, ScaledNetwork):
            network = network.network
        self._whose = whose
        self._paths = [self._path(network, layer) for layer in layers]
        self._caught = {}
        self._handles = [
            network.get_submodule(path).register_forward_hook(self._catcher(path))
            for path in dict.fromkeys(self._paths)
        ]

    def _path(self, network, layer):
        modules = dict(network.named_modules())
        modules.pop("")
        if layer is None:
            layer = getattr(type(network), "feature_layer", None)
            if layer is None:
                raise ValueError(
                    f"The {self._whose}, a {type(network).__name__}, does not say which of its "
                    f"layers gives features. Name one of {_listed(modules)}."
                )
        if layer not in modules:
            raise ValueError(
                f"The {self._whose}, a {type(network).__name__}, has no layer {layer!r}. It has "
                f"{_listed(modules)}."
            )
        return layer

    def _catcher(self, path):
        caught = self._caught

        def catch(module, inputs, output):
            caught[path] = _by_time(module, output)

        return catch

    def collect(self, n=None):
        """Return the features of the last forward pass, and forget them.

        Parameters
        ----------
        n : int, optional
            How many of the series, from the first; default all.

        Returns
        -------
        features : tuple of torch.Tensor of shape (n, n_features, n_timepoints)
            One for each of the layers.

        Raises
        ------
        ValueError
            If a layer was not run, or gave something else than features.
        """
        features = tuple(self._checked(path)[:n] for path in self._paths)
        self._caught.clear()
        return features

    def _checked(self, path):
        output = self._caught.get(path)
        where = f"The layer {path!r} of the {self._whose}"
        if output is None:
            raise ValueError(f"{where} takes no part in the forward pass.")
        if not isinstance(output, torch.Tensor) or not output.is_floating_point():
            raise ValueError(f"{where} gives a {type(output).__name__}, not a tensor of floats.")
        if output.ndim not in (2, 3):
            raise ValueError(
                f"{where} gives an output of shape {tuple(output.shape)}; features must be of "
                "shape (n, n_features, n_timepoints) or (n, n_features)."
            )
        return output.unsqueeze(2) if output.ndim == 2 else output

    def remove(self):
        """Take the hooks off the network."""
        for handle in self._handles:
            handle.remove()
        self._caught.clear()


def feature_sizes(network, layers, n_channels, n_timepoints, whose="network"):
    """Find out the sizes of features.

    Parameters
    ----------
    network : nn.Module
        On the CPU; left as it is.
    layers : sequence of str or None
        See `FeatureTaps`.
    n_channels, n_timepoints : int
        Of the series it reads.
    whose : str, default="network"
        What the network is called in messages.

    Returns
    -------
    sizes : list of tuple (n_features, n_timepoints)
        One for each of the layers.

    Raises
    ------
    ValueError
        If there is no such layer, or it gives no features.

    Examples
    --------
    >>> from sktime_tsd.networks import LSTM, feature_sizes
    >>> feature_sizes(LSTM(1, 20, 2, hidden_size=8), [None], 1, 20)
    [(8, 20)]
    """
    if not layers:
        return []
    n = 2 if n_timepoints != 2 else 3  # not to be mistaken for the number of time points
    taps = FeatureTaps(network, layers, whose)
    was_training = network.training
    try:
        with torch.no_grad():
            network.eval()(torch.zeros(n, n_channels, n_timepoints))
        features = taps.collect()
    finally:
        taps.remove()
        network.train(was_training)
    for layer, of_layer in zip(layers, features, strict=True):
        if len(of_layer) != n:
            raise ValueError(
                f"The layer {layer!r} of the {whose} gives an output of shape "
                f"{tuple(of_layer.shape)} for {n} series; their number must come first."
            )
    return [tuple(of_layer.shape[1:]) for of_layer in features]


def _by_time(module, output):
    """Bring the output of a recurrent layer to (n, n_features, n_timepoints)."""
    if isinstance(module, nn.RNNBase):
        hidden = output[0]
        return hidden.transpose(1, 2) if module.batch_first else hidden.permute(1, 2, 0)
    return output


def _listed(modules):
    names = list(modules)
    more = f", and {len(names) - _LISTED_LAYERS} more" if len(names) > _LISTED_LAYERS else ""
    return ", ".join(map(repr, names[:_LISTED_LAYERS])) + more
