"""A network as it is before training: built once, and handed on."""

import copy
from typing import NamedTuple

import torch
from torch import nn

from sktime_tsd._utils.random import seeded
from sktime_tsd.losses import FeatureShape
from sktime_tsd.networks import build_network, feature_sizes

__all__ = ["FreshNetwork", "build", "feature_shapes"]


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
        Of torch's generator on the CPU. Training goes on from there.
    """

    network: nn.Module
    sizes: tuple
    seed: int
    generator_state: torch.Tensor


def build(settings, n_channels, n_timepoints, n_classes, *, seed):
    """Build the network of a classifier.

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
        If it cannot be built for such series.
    """
    sizes = n_channels, n_timepoints, n_classes
    with seeded(seed, torch.device("cpu")):
        network = build_network(settings.network, *sizes, settings.network_params)
        return FreshNetwork(network, sizes, seed, torch.get_rng_state())


def feature_shapes(fresh, terms):
    """Find the shapes of the features that terms need from a network in training.

    Parameters
    ----------
    fresh : FreshNetwork
    terms : sequence of DistillationTerm

    Returns
    -------
    shapes : list of FeatureShape
        One for each term that needs features, in their order.

    Raises
    ------
    ValueError
        If the network has no such layers.
    """
    layers = [term.student_layer for term in terms if term.needs_features]
    if not layers:
        return []
    network = copy.deepcopy(fresh.network)  # in train mode, batch norm takes notice of a trial
    with seeded(0, torch.device("cpu")):  # so may dropout
        sizes = feature_sizes(network, layers, *fresh.sizes[:2], whose="student", training=True)
    return [FeatureShape(*size) for size in sizes]
