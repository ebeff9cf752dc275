"""Scorer of torch networks, from this package or a user."""

import numpy as np
import torch
from scipy.special import softmax

from sktime_tsd._scoring.batches import (
    bank_precision,
    copies_logits_in_batches,
    logits_in_batches,
)
from sktime_tsd._scoring.scorer import Scorer
from sktime_tsd._utils.panels import as_float32_panel, check_panel_shape

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
        super().__init__(classifier, classifier.classes_, name)
        self._sizes = classifier.n_channels_, classifier.n_timepoints_

    def logits(self, x):
        """Compute the logits of series; see `Scorer.logits`."""
        check_panel_shape(x, *self._sizes)
        if self.network is None:
            return torch.zeros(len(x), 1)
        return logits_in_batches(self.network, x, self.device).cpu()

    def probabilities(self, X):
        """Compute the probabilities of series; see `Scorer.probabilities`."""
        logits = self.logits(torch.from_numpy(as_float32_panel(X))).numpy()
        return softmax(logits.astype(np.float64), axis=1)

    def bank_logits(self, X, bank, progress):
        """Compute the logits of series and of their copies; see `Scorer.bank_logits`.

        This package's networks compute a copy only where it differs from its series.
        """
        check_panel_shape(X, *self._sizes)
        both = copies_logits_in_batches(self.network, X, bank, self.device, progress)
        progress(len(X))
        return both
