"""Features of a teacher network, for the series of a training set."""

import copy
import math

import torch

from sktime_tsd._scoring.out_of_memory import in_batches
from sktime_tsd.losses import FeatureShape
from sktime_tsd.networks import FeatureTaps, feature_sizes

__all__ = ["TeacherFeatures", "teacher_features"]

# Features of the whole set are computed once and kept if they take no more than this.
_MOST_BYTES_HELD = 2**28

_VALUES_PER_BATCH = 2**20


class TeacherFeatures:
    """Computes features of series with a copy of the teacher's network.

    Parameters
    ----------
    network : ScaledNetwork
        Not changed; the copy is frozen and in eval mode.
    layers : sequence of str or None
        One for each term; see `networks.FeatureTaps`.
    n_channels, n_timepoints : int
        Of the series.

    Attributes
    ----------
    shapes : list of FeatureShape
        One for each layer.
    """

    def __init__(self, network, layers, n_channels, n_timepoints):
        network = copy.deepcopy(network).cpu().requires_grad_(False).eval()
        sizes = feature_sizes(network, layers, n_channels, n_timepoints, whose="teacher")
        self.shapes = [FeatureShape(*size) for size in sizes]
        self._network = network
        self._taps = FeatureTaps(network, layers, "teacher")
        self._held = None
        self._is_checked = False
        self._layers = layers
        self._name = type(getattr(network, "network", network)).__name__

    @property
    def values_per_series(self):
        """Number of feature values per series, over all layers."""
        return sum(math.prod(shape) for shape in self.shapes)

    def to(self, device):
        """Move the network to a device.

        Parameters
        ----------
        device : torch.device

        Returns
        -------
        self
        """
        self._network.to(device)
        self._held = None
        return self

    def of(self, X, series):
        """Compute the features of some series of a training set.

        Parameters
        ----------
        X : torch.Tensor of shape (n_instances, n_channels, n_timepoints)
            The whole set, the same in every call, on the network's device.
        series : torch.Tensor of shape (n,), int64

        Returns
        -------
        features : tuple of torch.Tensor of shape (n, n_features, n_timepoints), float32
            One for each layer, without gradients.

        Raises
        ------
        ValueError
            If the features are not finite. Features that are not kept are checked in the
            first call only.
        """
        if self._held is None and len(X) * self.values_per_series * 4 <= _MOST_BYTES_HELD:
            at_once = max(1, _VALUES_PER_BATCH // self.values_per_series)
            flat = in_batches(lambda part: self._flat(X[part]), len(X), at_once)
            self._check_finite(flat)
            self._held = self._split(flat)
        if self._held is not None:
            return tuple(features[series] for features in self._held)
        flat = self._flat(X[series])
        if not self._is_checked:  # only once, as the check waits for the device
            self._check_finite(flat)
            self._is_checked = True
        return self._split(flat)

    def _flat(self, x):
        with torch.no_grad():  # not inference mode: losses save their inputs for backward
            self._network(x)
        features = [of_layer.flatten(1).float() for of_layer in self._taps.collect()]
        return torch.cat(features, dim=1)

    def _check_finite(self, flat):
        for layer, features in zip(self._layers, self._split(flat), strict=True):
            if not torch.isfinite(features).all():
                which = "its features" if layer is None else f"the features of layer {layer!r}"
                raise ValueError(
                    f"The student cannot match the teacher {self._name}: {which} are not finite."
                )

    def _split(self, flat):
        parts = flat.split([math.prod(shape) for shape in self.shapes], dim=1)
        return tuple(
            part.unflatten(1, shape) for part, shape in zip(parts, self.shapes, strict=True)
        )


def teacher_features(terms, network, n_channels, n_timepoints):
    """Prepare the teacher features that the terms need.

    Parameters
    ----------
    terms : sequence of DistillationTerm
    network : nn.Module or None
        The teacher's. May be None if no term needs features.
    n_channels, n_timepoints : int

    Returns
    -------
    features : TeacherFeatures or None
        None if no term needs features.
    """
    layers = [term.teacher_layer for term in terms if term.needs_features]
    if not layers:
        return None
    return TeacherFeatures(network, layers, n_channels, n_timepoints)
