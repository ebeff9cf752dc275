"""Builds untrained networks, and copies trained ones."""

import copy
from typing import NamedTuple

import torch
from torch import nn

from sktime_tsd._utils.random import seeded
from sktime_tsd._utils.validation import check_number
from sktime_tsd.losses import FeatureShape
from sktime_tsd.networks import (
    ScaledNetwork,
    adapted,
    build_network,
    check_logits,
    feature_sizes,
)
from sktime_tsd.networks._parametrized import deep_copy

__all__ = ["FreshNetwork", "build", "feature_shapes", "frozen_copy"]


class FreshNetwork(NamedTuple):
    """An untrained network and the state of the random generator after it was built.

    Parameters
    ----------
    network : nn.Module
        On the CPU, without scaling.
    sizes : tuple of int
        ``(n_channels, n_timepoints, n_classes)``.
    seed : int
        Of the fit.
    generator_state : torch.Tensor
        State of torch's CPU generator; training continues from it.
    """

    network: nn.Module
    sizes: tuple
    seed: int
    generator_state: torch.Tensor


def build(settings, n_channels, n_timepoints, n_classes, *, seed):
    """Build the untrained network of a classifier.

    Parameters
    ----------
    settings : object with the parameters of ``SkorchClassifier``
    n_channels, n_timepoints, n_classes : int
    seed : int
        Of the fit.

    Returns
    -------
    fresh : FreshNetwork

    Raises
    ------
    ValueError, TypeError
        If the network cannot be built for such series.
    """
    sizes = n_channels, n_timepoints, n_classes
    with seeded(seed, torch.device("cpu")):
        network = build_network(settings.network, *sizes, settings.network_params)
        return FreshNetwork(network, sizes, seed, torch.get_rng_state())


def feature_shapes(fresh, terms):
    """Find the shapes of the features that terms need from a network being trained.

    Parameters
    ----------
    fresh : FreshNetwork
    terms : sequence of DistillationTerm

    Returns
    -------
    shapes : list of FeatureShape
        One for each term that needs features, in the order of the terms.

    Raises
    ------
    ValueError
        If the network lacks such a layer.
    """
    layers = [term.student_layer for term in terms if term.needs_features]
    if not layers:
        return []
    network = copy.deepcopy(fresh.network)  # a trial in train mode changes batch norm's state
    with seeded(0, torch.device("cpu")):  # dropout may draw numbers
        sizes = feature_sizes(network, layers, *fresh.sizes[:2], whose="student", training=True)
    return [FeatureShape(*size) for size in sizes]


def frozen_copy(module, n_classes, input_shape=None):
    """Copy a network trained elsewhere, for prediction.

    Parameters
    ----------
    module : nn.Module
    n_classes : int
    input_shape : tuple of int, optional
        ``(n_channels, n_timepoints)``, to check that it can read such series.

    Returns
    -------
    network : ScaledNetwork
        On the CPU, frozen and in eval mode.

    Raises
    ------
    ValueError, TypeError
        If `input_shape` is not a shape, or the network cannot read such series.
    """
    if input_shape is not None:
        if not isinstance(input_shape, (tuple, list)) or len(input_shape) != 2:
            raise ValueError(
                f"input_shape must be (n_channels, n_timepoints), got {input_shape!r}."
            )
        for place, size in enumerate(input_shape):
            check_number(f"input_shape[{place}]", size, integer=True, low=1)
    with torch.no_grad():  # or a torch.jit module's copy could not be frozen
        copied = deep_copy(module).cpu().eval()
    if not isinstance(copied, ScaledNetwork):
        copied = ScaledNetwork(adapted(copied, n_classes, input_shape))
    copied.eval()
    for parameter in copied.parameters():
        parameter.requires_grad_(False)
    if input_shape is not None:
        check_logits(copied, *input_shape, n_classes, name=type(module).__name__)
    return copied
