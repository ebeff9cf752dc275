"""The interface through which the package queries any fitted classifier."""

import math
from abc import ABC, abstractmethod

import numpy as np
import torch

from sktime_tsd._scoring.chunks import call_size

__all__ = [
    "LEAST_PROBABILITY",
    "Scorer",
    "clipped_logits",
    "floored",
    "share_of_zeros",
]

# Smaller probabilities are raised to this value, so that their logarithm is finite.
LEAST_PROBABILITY = 1e-6

# Positive probabilities are raised to this value, which float32 can tell from the other.
_LEAST_ABOVE_ZERO = 1.001e-6


class Scorer(ABC):
    """Scores series with a fitted classifier.

    Teachers, saliency, fidelity and export query classifiers only through a scorer. Each
    subclass serves one kind of classifier and implements `logits` and `probabilities`, and
    `bank_logits` unless it is chunked. `scorer_of.scorer_of` picks the subclass.

    Parameters
    ----------
    classifier : fitted classifier
    classes : array-like of shape (n_classes,) or None
        Labels in the order of the columns; None if the classifier has no ``classes_``.
    name : str
        Name used in messages.

    Attributes
    ----------
    device : torch.device
        Where series should be for scoring.
    precision : str
        Precision in which a bank is scored, for cache keys.
    network : nn.Module or None
        The trained network, if there is one.
    gives_logits : bool
        Whether the classifier returns logits of its own, not only probabilities.
    reads_float64 : bool
        Whether it can read series that float32 cannot tell apart.
    is_network : bool
        Whether its probabilities are the softmax of a network, as far as one can tell.
    is_steady : bool
        Whether equal series surely get equal answers, whatever is scored with them.
    is_consistent : bool
        Whether its probabilities are the softmax of its logits.
    is_chunked : bool
        Whether training sets are scored in calls of `logits`, which can be kept one by one and
        made in several processes.
    batch_size : int or None
        Most series per call of a chunked scorer.
    """

    device = torch.device("cpu")
    precision = ""
    network = None
    gives_logits = True
    is_network = True
    is_steady = False
    is_consistent = True
    reads_float64 = True
    is_chunked = False
    batch_size = None

    def __init__(self, classifier, classes, name):
        self.classifier = classifier
        self.classes = None if classes is None else np.asarray(classes)
        self.name = name

    def network_for(self, x):
        """Return the network that reads these series, as far as there is one.

        Parameters
        ----------
        x : torch.Tensor of shape (n, n_channels, n_timepoints)

        Returns
        -------
        network : nn.Module or None
        """
        return self.network

    @abstractmethod
    def logits(self, x):
        """Compute the logits of series.

        Parameters
        ----------
        x : torch.Tensor of shape (n, n_channels, n_timepoints), float32
            On any device.

        Returns
        -------
        logits : torch.Tensor of shape (n, n_classes)
            On the CPU.
        """

    @abstractmethod
    def probabilities(self, X):
        """Compute the probabilities of series, as ``predict_proba`` returns them.

        Parameters
        ----------
        X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
            The classifier may change it in place.

        Returns
        -------
        probabilities : numpy.ndarray of shape (n_instances, n_classes), float64

        Raises
        ------
        ValueError
            If the classifier cannot read the series, or returns invalid probabilities.
        """

    def bank_logits(self, X, bank, progress):
        """Compute the logits of series and of every perturbed copy that a bank describes.

        Scorers that are not chunked implement it.

        Parameters
        ----------
        X : torch.Tensor of shape (n_instances, n_channels, n_timepoints), float32
            The series the bank was drawn for.
        bank : WindowBank
        progress : callable
            Called with the number of series scored since the last call.

        Returns
        -------
        logits : torch.Tensor of shape (n_instances, n_classes)
        copies_logits : torch.Tensor of shape (n_instances, n_entries, n_classes)
            Both on the CPU and scored in the same precision.
        """
        raise NotImplementedError(f"{type(self).__name__} must define bank_logits(...).")

    def score(self, X, bank, progress):
        """Compute the logits of series and, with a bank, of their perturbed copies.

        Parameters
        ----------
        X : torch.Tensor of shape (n_instances, n_channels, n_timepoints), float32
        bank : WindowBank or None
        progress : callable
            As for `bank_logits`.

        Returns
        -------
        logits : torch.Tensor of shape (n_instances, n_classes)
        copies_logits : torch.Tensor of shape (n_instances, n_entries, n_classes) or None
            None without a bank.
        """
        if bank is not None:
            return self.bank_logits(X, bank, progress)
        logits = []
        for series in X.split(call_size(X, len(X))):
            logits.append(self.logits(series).float())
            progress(len(series))
        return torch.cat(logits), None

    def log_probabilities(self, x):
        """Compute log-probabilities of series; probabilities below 1e-6 count as 1e-6.

        Parameters
        ----------
        x : torch.Tensor of shape (n, n_channels, n_timepoints), float32

        Returns
        -------
        log_probabilities : numpy.ndarray of shape (n, n_classes), float64

        Raises
        ------
        ValueError
            If a logit is not finite.
        """
        logits = self.logits(x)
        if not (finite := torch.isfinite(logits)).all():
            raise ValueError(
                f"{self.name} returns logits that are not finite for "
                f"{int((~finite).any(dim=1).sum())} of {len(logits)} series."
            )
        return floored(logits)

    def labels(self, n_columns):
        """Return the labels of the columns.

        Parameters
        ----------
        n_columns : int

        Returns
        -------
        labels : numpy.ndarray of shape (n_columns,)
            ``0 .. n_columns - 1`` if the classifier has no ``classes_``.

        Raises
        ------
        ValueError
            If the classifier has a different number of classes.
        """
        if self.classes is None:
            return np.arange(n_columns)
        if len(self.classes) != n_columns:
            raise ValueError(
                f"{self.name} has {len(self.classes)} classes_ but returns probabilities of "
                f"{n_columns} classes."
            )
        return self.classes


def clipped_logits(probabilities):
    """Turn probabilities into logits: log(p), as if p were at least 1e-6.

    Probabilities of exactly 0, as forests give by votes, get the least logit alone; see
    `share_of_zeros`.

    Parameters
    ----------
    probabilities : numpy.ndarray of shape (n_instances, n_classes)

    Returns
    -------
    logits : torch.Tensor of shape (n_instances, n_classes), float64
    """
    small = np.clip(probabilities, _LEAST_ABOVE_ZERO, 1)
    return torch.from_numpy(np.log(np.where(probabilities > 0, small, LEAST_PROBABILITY)))


def share_of_zeros(logits):
    """Find the share of logits that stand for probabilities of exactly 0.

    Parameters
    ----------
    logits : torch.Tensor
        From `clipped_logits`.

    Returns
    -------
    share : float
    """
    between = math.log(math.sqrt(LEAST_PROBABILITY * _LEAST_ABOVE_ZERO))
    return (logits < between).double().mean().item()


def floored(logits):
    """Turn logits into log-probabilities of at least log(1e-6), up to renormalisation.

    Parameters
    ----------
    logits : torch.Tensor of shape (n, n_classes)

    Returns
    -------
    log_probabilities : numpy.ndarray of shape (n, n_classes), float64
    """
    log_p = logits.double().log_softmax(dim=1)
    # the same floor for all kinds: logits can express smaller probabilities
    return log_p.clamp(min=math.log(LEAST_PROBABILITY)).log_softmax(dim=1).numpy()
