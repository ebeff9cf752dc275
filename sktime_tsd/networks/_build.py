"""Build a network from the ``network`` parameter of a classifier, and check its output."""

import inspect

import torch
from torch import nn

from sktime_tsd.networks._fcn import FCN
from sktime_tsd.networks._inception_time import InceptionTime
from sktime_tsd.networks._lite import LITE
from sktime_tsd.networks._lstm import LSTM

__all__ = [
    "NETWORKS",
    "build_network",
    "check_logits",
    "check_network",
    "check_setting_names",
    "n_parameters",
    "network_settings",
]

NETWORKS = {"fcn": FCN, "inception_time": InceptionTime, "lite": LITE, "lstm": LSTM}


def check_network(network):
    """Check that `network` is a known name or something that can build a network.

    Parameters
    ----------
    network : str or callable
        See `build_network`.

    Returns
    -------
    factory : callable
        ``factory(n_channels, n_timepoints, n_classes, **network_params)``.

    Raises
    ------
    ValueError
        If the name is unknown.
    TypeError
        If it is a network that is already built, or not callable.

    Examples
    --------
    >>> from sktime_tsd.networks import check_network
    >>> check_network("fcn").__name__
    'FCN'
    """
    if isinstance(network, str):
        if network not in NETWORKS:
            raise ValueError(
                f"network must be one of {', '.join(map(repr, NETWORKS))}, an nn.Module class "
                f"or a function that returns an nn.Module; got {network!r}."
            )
        return NETWORKS[network]
    if isinstance(network, nn.Module):
        raise TypeError(
            f"network must be a class, got a {type(network).__name__} that is already built; "
            "its weights would carry over from one fit to the next. Pass the class and "
            "network_params, or use SkorchClassifier.from_module for a network trained "
            "elsewhere."
        )
    if not callable(network):
        raise TypeError(
            "network must be a name, an nn.Module class or a function that returns an "
            f"nn.Module; got {network!r}."
        )
    return network


def network_settings(network):
    """List the settings of a network that have a default.

    Parameters
    ----------
    network : str or callable
        See `check_network`.

    Returns
    -------
    settings : dict of str to object
        Name and default of each setting.

    Examples
    --------
    >>> from sktime_tsd.networks import network_settings
    >>> network_settings("lstm")
    {'hidden_size': 100, 'num_layers': 3}
    """
    return {
        parameter.name: parameter.default
        for parameter in _settings(check_network(network))
        if parameter.default is not parameter.empty
    }


def _settings(factory):
    """Parameters of a factory after the three sizes, those of ``**kwargs`` included."""
    signature = inspect.signature(factory)
    sizes = signature.bind_partial(None, None, None).arguments
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.VAR_POSITIONAL)
    return [
        parameter
        for name, parameter in signature.parameters.items()
        if name not in sizes and parameter.kind not in positional
    ]


def check_setting_names(network, names):
    """Refuse settings that a network does not have.

    Parameters
    ----------
    network : str or callable
        See `check_network`.
    names : iterable of str

    Raises
    ------
    ValueError
        If a name is unknown. The message lists the settings the network has.
    """
    factory = check_network(network)
    settings = _settings(factory)
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in settings):
        return
    known = [parameter.name for parameter in settings]
    unknown = [name for name in names if name not in known]
    if unknown:
        name = getattr(factory, "__name__", repr(factory))
        raise ValueError(
            f"{name} has no setting {', '.join(map(repr, unknown))}; it has "
            f"{', '.join(known) or 'none'}."
        )


def build_network(network, n_channels, n_timepoints, n_classes, network_params=None):
    """Build a network and check that it maps series to logits.

    Parameters
    ----------
    network : str or callable
        A key of ``NETWORKS``, or
        ``factory(n_channels, n_timepoints, n_classes, **network_params)``.
    n_channels, n_timepoints, n_classes : int
    network_params : dict, optional
        Keyword arguments of the factory. Default: none.

    Returns
    -------
    network : nn.Module

    Raises
    ------
    ValueError
        If the name is unknown, or the network does not return logits of shape
        (n, n_classes).
    TypeError
        If the factory does not accept the arguments, or does not return an ``nn.Module``.

    Examples
    --------
    >>> from sktime_tsd.networks import build_network, n_parameters
    >>> n_parameters(build_network("fcn", 1, 150, 2, {"filters": (8, 16, 8)}))
    1202
    """
    factory = check_network(network)
    settings = dict(network_params or {})
    try:
        inspect.signature(factory).bind(n_channels, n_timepoints, n_classes, **settings)
    except TypeError as error:
        name = getattr(factory, "__name__", repr(factory))
        raise TypeError(
            f"{name} cannot be built with network_params={settings!r}: {error}. It must take "
            f"(n_channels, n_timepoints, n_classes, **network_params); its signature is "
            f"{inspect.signature(factory)}."
        ) from error
    built = factory(n_channels, n_timepoints, n_classes, **settings)
    if not isinstance(built, nn.Module):
        raise TypeError(
            f"network must build an nn.Module, got {type(built).__name__}. Pass an nn.Module "
            "class or a function that returns an nn.Module."
        )
    check_logits(built, n_channels, n_timepoints, n_classes)
    return built


def check_logits(network, n_channels, n_timepoints, n_classes, name=None):
    """Check that a network maps series to logits.

    Parameters
    ----------
    network : nn.Module
    n_channels, n_timepoints, n_classes : int
    name : str, optional
        What messages call it. Default: its class.

    Raises
    ------
    ValueError
        If it fails on series of zeros, or returns anything but logits of shape (n, n_classes).

    Examples
    --------
    >>> from sktime_tsd.networks import FCN, check_logits
    >>> check_logits(FCN(1, 150, 2), n_channels=1, n_timepoints=150, n_classes=2)
    """
    name = name or type(network).__name__
    modes = [(module, module.training) for module in network.modules()]
    network.eval()  # in train mode, the trial would update batch norm's statistics
    try:
        shapes = {n: _shape_for(network, name, n, n_channels, n_timepoints) for n in (2, 1)}
    finally:
        for module, mode in modes:
            module.training = mode
    if shapes[2] != (2, n_classes):
        raise ValueError(
            f"{name} must return logits of shape (n, {n_classes}), "
            f"for 2 series it returned {shapes[2]}. Its last layer needs one output per class."
        )
    if shapes[1] != (1, n_classes):
        raise ValueError(
            f"{name} must return logits of shape (n, {n_classes}), for 1 series it returned "
            f"{shapes[1]}. Does it call squeeze()? Name the axis: squeeze(dim)."
        )


def _shape_for(network, name, n, n_channels, n_timepoints):
    """Try a network on n series of zeros, and return the shape of its answer."""
    try:
        with torch.no_grad():
            device = next(network.parameters(), torch.empty(0)).device
            logits = network(torch.zeros(n, n_channels, n_timepoints, device=device))
    except Exception as error:  # a user's network may fail in any way
        alone = " one at a time" if n == 1 else ""
        raise ValueError(
            f"{name} cannot read series of shape "
            f"({n_channels} channels, {n_timepoints} time points){alone}: {error}"
        ) from error
    return tuple(logits.shape) if isinstance(logits, torch.Tensor) else type(logits).__name__


def n_parameters(network):
    """Count the parameters of a network, not counting buffers.

    Parameters
    ----------
    network : nn.Module

    Returns
    -------
    n : int

    Examples
    --------
    >>> from torch import nn
    >>> from sktime_tsd.networks import n_parameters
    >>> n_parameters(nn.Linear(3, 2))
    8
    """
    return sum(parameter.numel() for parameter in network.parameters())
