"""Scorer of any classifier with ``predict_proba``, from sktime, scikit-learn or elsewhere."""

import numpy as np
import torch
from skorch import NeuralNet

from sktime_tsd._scoring.scorer import Scorer, clipped_logits
from sktime_tsd._utils.guest import as_guest
from sktime_tsd._utils.validation import check_probabilities

__all__ = ["FLATTEN", "ClassifierScorer", "in_native_dtype"]

# The remedy that scikit-learn's message about 3-D arrays omits.
FLATTEN = (
    " A classifier of 2-D tables needs a first step that flattens the series: "
    "make_pipeline(FunctionTransformer(sktime_tsd.teachers.flatten), classifier)."
)

# Guests draw from generators that begin here in every call: equal series, equal answers.
_SEED = 0


def in_native_dtype(classifier, X):
    """Copy series in the precision that a classifier is made for.

    Compiled classifiers, such as those of sktime and aeon, expect float64. Networks of torch
    expect float32.

    Parameters
    ----------
    classifier : classifier
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)

    Returns
    -------
    X : numpy.ndarray of the same shape
        A copy, since a classifier may work in place.
    """
    last = classifier
    while hasattr(last, "steps"):
        last = last.steps[-1][1]
    # behind other steps, ours cast what they give: a level may have to be taken away before
    ours = last is classifier and hasattr(last, "predict_logits")
    of_torch = isinstance(last, NeuralNet) or ours
    return X.astype(np.float32 if of_torch else np.float64)


class ClassifierScorer(Scorer):
    """Scorer that calls a classifier's public methods.

    Its logits are those of ``predict_logits`` if it has that method, else
    ``log(clip(predict_proba, 1e-6, 1))``. The classifier is a guest: it gets copies, and the
    process's generators and torch's threads are as before when it has answered.

    Parameters
    ----------
    classifier : fitted classifier
    """

    is_chunked = True

    def __init__(self, classifier):
        classes = getattr(classifier, "classes_", None)
        super().__init__(classifier, classes, type(classifier).__name__)
        self.gives_logits = hasattr(classifier, "predict_logits")
        self.is_consistent = not self.gives_logits

    def logits(self, x):
        """Logits of series; see `Scorer.logits`."""
        X = x.cpu().numpy()
        if not self.gives_logits:
            return clipped_logits(self.probabilities(X))
        with as_guest(_SEED):
            logits = self._own_logits(in_native_dtype(self.classifier, X))
        return torch.from_numpy(np.array(logits))

    def _own_logits(self, X):
        return self.classifier.predict_logits(X)

    def probabilities(self, X):
        """Probabilities of series; see `Scorer.probabilities`."""
        with as_guest(_SEED):
            answers = self._ask(in_native_dtype(self.classifier, X))
        name = f"predict_proba of {self.name}"
        probabilities = np.asarray(answers, dtype=np.float64)
        check_probabilities(name, probabilities)
        if len(probabilities) != len(X):
            raise ValueError(f"{name} returned {len(probabilities)} rows for {len(X)} series.")
        return probabilities

    def _ask(self, X):
        try:
            return self.classifier.predict_proba(X)
        except (ValueError, RuntimeError, TypeError) as error:
            if "double" in str(error).lower():  # torch's word for float64
                return self.classifier.predict_proba(X.astype(np.float32))
            if "dim 3" in str(error):
                error.add_note(FLATTEN.strip())
            raise
