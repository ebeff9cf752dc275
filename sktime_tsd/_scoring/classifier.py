"""Scorer of any classifier with ``predict_proba``, from sktime, scikit-learn or elsewhere."""

import math

import numpy as np
import torch
from sktime.base import BaseObject

from sktime_tsd._scoring.scorer import LEAST_PROBABILITY, Scorer, chunk_size, clipped_logits
from sktime_tsd._utils.threads import keep_torch_threads
from sktime_tsd._utils.validation import check_probabilities

__all__ = ["FLATTEN", "ClassifierScorer", "in_native_dtype", "one_hot"]

# The remedy that scikit-learn's message about 3-D arrays omits.
FLATTEN = (
    " A classifier of 2-D tables needs a first step that flattens the series: "
    "make_pipeline(FunctionTransformer(lambda X: X.reshape(len(X), -1)), classifier)."
)


def in_native_dtype(classifier, X):
    """Convert series to the precision a classifier expects.

    sktime's compiled transformers expect float64; networks of other libraries, such as
    skorch's, expect float32.

    Parameters
    ----------
    classifier : classifier
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)

    Returns
    -------
    X : numpy.ndarray of the same shape
        In float64 for classifiers of sktime, unchanged otherwise.
    """
    foreign = isinstance(classifier, BaseObject) and not hasattr(classifier, "predict_logits")
    return X.astype(np.float64) if foreign else X


def one_hot(logits):
    """Whether logits represent only probabilities of 0 and 1.

    Parameters
    ----------
    logits : torch.Tensor of shape (..., n_classes)
        As `ClassifierScorer` computes them from probabilities.

    Returns
    -------
    bool
    """
    least = math.log(LEAST_PROBABILITY)
    return bool(((logits == 0) | ((logits - least).abs() < 1e-5)).all())


class ClassifierScorer(Scorer):
    """Scorer that calls a classifier's public methods.

    The logits come from ``predict_logits`` if the classifier has it, else from
    ``log(clip(predict_proba, 1e-6, 1))``.

    Parameters
    ----------
    classifier : fitted classifier
    """

    def __init__(self, classifier):
        classes = getattr(classifier, "classes_", None)
        super().__init__(classifier, classes, type(classifier).__name__)
        self.gives_logits = hasattr(classifier, "predict_logits")
        self.is_consistent = not self.gives_logits

    def logits(self, x):
        """Compute the logits of series; see `Scorer.logits`."""
        X = x.cpu().numpy().copy()  # the classifier may change it in place
        if self.gives_logits:
            return torch.from_numpy(np.array(self.classifier.predict_logits(X)))
        return clipped_logits(self.probabilities(X))

    def probabilities(self, X):
        """Compute the probabilities of series; see `Scorer.probabilities`."""
        X = in_native_dtype(self.classifier, X)
        with keep_torch_threads():
            try:
                probabilities = np.asarray(self.classifier.predict_proba(X), dtype=np.float64)
            except (ValueError, RuntimeError) as error:
                if "dim 3" in str(error):
                    raise ValueError(f"{error}{FLATTEN}") from error
                if "double" in str(error).lower():  # torch's name for float64
                    raise ValueError(
                        f"{self.name} needs float32 series: pass X.astype(numpy.float32). ({error})"
                    ) from error
                raise
        name = f"predict_proba of {self.name}"
        check_probabilities(name, probabilities)
        if len(probabilities) != len(X):
            raise ValueError(f"{name} returned {len(probabilities)} rows for {len(X)} series.")
        return probabilities

    def bank_logits(self, X, bank, progress):
        """Compute the logits of series and copies, in chunks; see `Scorer.bank_logits`."""
        n_entries = bank.n_entries
        chunk = chunk_size(X, len(X) * (1 + n_entries))
        logits = self.in_chunks(X.split(chunk), progress)
        copies = self.in_chunks(_copies(X, bank, chunk), progress)
        return logits, copies.unflatten(0, (len(X), n_entries))


def _copies(X, bank, chunk):
    """Yield the copies, series by series, at most `chunk` at a time."""
    for series in torch.arange(len(X)).split(max(1, chunk // bank.n_entries)):
        for entries in torch.arange(bank.n_entries).split(chunk):
            yield bank.perturb(X, series, entries).flatten(0, 1)
