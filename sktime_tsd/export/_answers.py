"""Which answers of a written file are compared with the network's, and how."""

import math

import numpy as np
import torch

from sktime_tsd.export._student import typical_series

__all__ = ["TOLERANCE", "batches_to_compare", "labels_differ"]

#: Largest accepted difference between a probability of the file and torch's.
TOLERANCE = 1e-5

_N_RANDOM_SERIES = 256
_MAX_RANDOM_VALUES = 2**21


def batches_to_compare(network, sizes, X):
    """Make the batches to compare predictions on: one random series, several, and `X`.

    They are separate, since predictions may depend on the other series of a batch.

    Parameters
    ----------
    network : ScaledNetwork
    sizes : tuple (n_channels, n_timepoints)
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints) or None
        The user's series.

    Returns
    -------
    batches : list of numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
    """
    n = min(_N_RANDOM_SERIES, max(8, _MAX_RANDOM_VALUES // math.prod(sizes)))
    waves = typical_series(network, *sizes, n)
    generator = torch.Generator().manual_seed(0)
    noise = network.mean.cpu() + network.std.cpu() * torch.randn(waves.shape, generator=generator)
    # waves alone activate few of a network's units, and noise has no slow components
    series = torch.cat([waves[: n // 2], noise[n // 2 :], 100 * noise[:2]]).numpy()
    return [series[:1], series[1:], *([] if X is None else [X])]


def labels_differ(found, expected):
    """Tell where labels differ, ignoring ties: probabilities equal up to rounding errors.

    Parameters
    ----------
    found, expected : numpy.ndarray of shape (n_instances, n_classes)
        Probabilities.

    Returns
    -------
    differ : numpy.ndarray of shape (n_instances,), bool
    """
    place = np.arange(len(expected))
    margin = expected.max(axis=1) - expected[place, found.argmax(axis=1)]
    return margin > 2 * TOLERANCE
