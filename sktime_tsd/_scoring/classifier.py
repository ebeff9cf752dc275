"""Scorer of any classifier with ``predict_proba``, from sktime, scikit-learn or elsewhere."""

import numpy as np
import torch
from skorch import NeuralNet

from sktime_tsd._scoring.scorer import Scorer, clipped_logits
from sktime_tsd._utils.guest import SEED_OF_GUESTS, as_guest
from sktime_tsd._utils.pipelines import last_step
from sktime_tsd._utils.validation import check_probabilities
from sktime_tsd.runtime import OnnxClassifier

__all__ = ["ClassifierScorer", "explained", "in_native_dtype"]

# The remedy that scikit-learn's message about 3-D arrays omits.
_FLATTEN = (
    "A classifier of 2-D tables needs a first step that flattens the series: "
    "make_pipeline(FunctionTransformer(sktime_tsd.teachers.flatten), classifier)."
)


# The same, of AttributeErrors about classifiers of sktime.
_TAGS = (
    "scikit-learn's meta-estimators do not take classifiers of sktime. To search, use sktime's "
    "TSCGridSearchCV. To calibrate, put the calibration after a transformer of sktime: "
    "MiniRocketMultivariate() * CalibratedClassifierCV(RidgeClassifierCV())."
)


def explained(error, where=""):
    """Add a remedy to an error of a classifier's that lacks one, and make StopIteration an error.

    Parameters
    ----------
    error : Exception
    where : str, default=""
        Begins the note.

    Returns
    -------
    error : Exception
        The same. A ``StopIteration`` becomes a ``RuntimeError``: it would end a loop in silence.
    """
    if isinstance(error, StopIteration):
        error = RuntimeError("It raised StopIteration: something that it iterates over has ended.")
    remedy = ""
    if "dim 3" in str(error):
        remedy = _FLATTEN
    elif isinstance(error, AttributeError) and "__sklearn_tags__" in str(error):
        remedy = _TAGS
    if note := f"{where} {remedy}".strip():
        error.add_note(note)
    return error


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
    return X.astype(np.float64 if _chooses_precision(classifier) else np.float32)


def _is_ours(classifier):
    return hasattr(type(classifier), "_scorer") or isinstance(classifier, OnnxClassifier)


def _chooses_precision(classifier):
    """Tell whether a classifier takes float64, be it to cast it itself."""
    last = last_step(classifier)
    is_network = hasattr(last, "predict_logits") or isinstance(last, NeuralNet)
    return _is_ours(last) or not is_network


def _reads_float64(classifier):
    """Tell whether a classifier uses the digits of float64, as far as one can tell."""
    # behind other steps, a file in float32 may do: they may take a level away
    in_float32 = isinstance(classifier, OnnxClassifier) and classifier.input_dtype == np.float32
    return _chooses_precision(classifier) and not in_float32


def _is_network(classifier):
    last = last_step(classifier)
    is_ours = hasattr(last, "predict_logits") or isinstance(last, OnnxClassifier)
    return is_ours or isinstance(last, NeuralNet)


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
        self.is_network = _is_network(classifier)
        self.is_consistent = not self.gives_logits
        self.reads_float64 = _reads_float64(classifier)

    def logits(self, x):
        """Logits of series; see `Scorer.logits`."""
        X = x.cpu().numpy()
        if not self.gives_logits:
            return clipped_logits(self.probabilities(X))
        with as_guest(SEED_OF_GUESTS):
            logits = self._own_logits(in_native_dtype(self.classifier, X))
        return torch.from_numpy(np.array(logits))

    def _own_logits(self, X):
        return self.classifier.predict_logits(X)

    def probabilities(self, X):
        """Probabilities of series; see `Scorer.probabilities`."""
        with as_guest(SEED_OF_GUESTS):
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
        except Exception as error:
            is_of_precision = isinstance(error, (ValueError, RuntimeError, TypeError))
            if is_of_precision and "double" in str(error).lower():  # torch's word for float64
                return self.classifier.predict_proba(X.astype(np.float32))
            if (better := explained(error)) is not error:
                raise better from error
            raise
