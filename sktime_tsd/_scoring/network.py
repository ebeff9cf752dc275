"""Scorer of torch networks, from this package or a user."""

import numpy as np
import torch
from scipy.special import softmax

from sktime_tsd._panels.arrays import check_panel_shape
from sktime_tsd._panels.precision import cast_panel
from sktime_tsd._scoring.batches import (
    bank_precision,
    copies_logits_in_batches,
    logits_in_batches,
)
from sktime_tsd._scoring.scorer import Scorer
from sktime_tsd.networks import NETWORKS, ScaledNetwork, adapted

__all__ = ["NetworkScorer"]


class NetworkScorer(Scorer):
    """Scorer that runs a network on its device, in batches that fit into memory.

    Parameters
    ----------
    classifier : SkorchClassifier
        Fitted.
    network : ScaledNetwork or None
        The classifier's network, or a copy on another device. None if all labels were equal;
        every logit is then 0.
    """

    def __init__(self, classifier, network):
        self.network = network
        name = type(classifier).__name__
        if self.network is not None:
            self.device = self.network.mean.device
            self.precision = str(bank_precision(self.network, self.device))
            name = type(self.network.network).__name__
            self.is_steady = type(self.network.network) in NETWORKS.values()
        super().__init__(classifier, classifier.classes_, name)
        self.reads_float64 = getattr(network, "reads_float64", network is None)
        self._sizes = classifier.n_channels_, classifier.n_timepoints_

    def logits(self, x):
        """Compute the logits of series; see `Scorer.logits`."""
        check_panel_shape(x, *self._sizes)
        if self.network is None:
            return torch.zeros(len(x), 1)
        logits = logits_in_batches(self.network_for(x), x, self.device).cpu()
        if logits.shape != (len(x), len(self.classes)):
            raise ValueError(
                f"The network {self.name} must return logits of shape (n, {len(self.classes)}), "
                f"for {len(x)} series it returned {tuple(logits.shape)}. Does it call squeeze()?"
            )
        return logits

    def network_for(self, x):
        """Return the network; adapted now if the shape of its series was unknown until now."""
        inner, sizes = self.network.network, x.shape[1:]
        if self._sizes != (None, None) or type(inner) in NETWORKS.values():
            return self.network
        inner = adapted(inner, len(self.classes), sizes)
        return ScaledNetwork(inner, self.network.mean, self.network.std).eval()

    def probabilities(self, X):
        """Compute the probabilities of series; see `Scorer.probabilities`."""
        return softmax(self.finite_logits(X).numpy().astype(np.float64), axis=1)

    def series(self, X):
        """Cast series to the precision that the network reads.

        Parameters
        ----------
        X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)

        Returns
        -------
        x : torch.Tensor of the same shape
        """
        return torch.from_numpy(cast_panel(X, np.float64 if self.reads_float64 else np.float32))

    def finite_logits(self, X):
        """Compute logits, and refuse series for which they are not finite.

        Parameters
        ----------
        X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
            Finite.

        Returns
        -------
        logits : torch.Tensor of shape (n_instances, n_classes)
            On the CPU.

        Raises
        ------
        ValueError
            If a logit is NaN or infinite. The message names the first such series.
        """
        logits = self.logits(self.series(X))
        if not torch.isfinite(logits).all():
            bad = (~torch.isfinite(logits)).any(dim=1).nonzero().flatten().tolist()
            raise ValueError(
                f"The network {self.name} has no finite answer for {len(bad)} of {len(X)} series "
                f"(the first is series {bad[0]}, with values up to {np.abs(X[bad[0]]).max():.3g}). "
                "If they lie far beyond the training series, drop or rescale them; if all series "
                "fail, the network's weights are damaged: train it again."
            )
        return logits

    def bank_logits(self, X, bank, progress):
        """Compute the logits of series and of their copies; see `Scorer.bank_logits`.

        This package's networks compute a copy only where it differs from its series.
        """
        check_panel_shape(X, *self._sizes)
        both = copies_logits_in_batches(self.network_for(X), X, bank, self.device, progress)
        progress(len(X))
        return both
