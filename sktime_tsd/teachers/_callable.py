"""A function as a teacher."""

import numpy as np
from scipy.special import softmax

from sktime_tsd._scoring.classifier import ClassifierScorer
from sktime_tsd._utils.validation import check_choice, check_distinct_labels, check_number

__all__ = ["CallableTeacher"]


class CallableTeacher:
    """A function that answers, as a teacher: a service, a model of another library.

    Pass it as ``teacher``; it is used as it is and never fitted. Clones share the function.
    `temporal_saliency` and `fidelity_report` take it, too.

    Parameters
    ----------
    function : callable
        ``function(X)`` of series (n, n_channels, n_timepoints), float64, returns an array of
        shape (n, n_classes). It may also return (n,) or (n, 1) for two classes: the
        probability, or logit, of the second.
    classes : array-like of shape (n_classes,)
        Labels in the order of the columns.
    output : {"probabilities", "logits"}, default="probabilities"
        What the function returns.
    batch_size : int, optional
        Most series per call. Default: several hundred or more.

    Raises
    ------
    TypeError
        If `function` is not callable.
    ValueError
        If the labels are not two or more different ones, `output` is unknown, or `batch_size` is
        below 1.

    Examples
    --------
    >>> import numpy as np
    >>> from sktime_tsd.teachers import CallableTeacher
    >>> def service(X):
    ...     up = 1 / (1 + np.exp(-X.mean(axis=(1, 2))))
    ...     return np.column_stack([1 - up, up])
    >>> teacher = CallableTeacher(service, classes=["down", "up"])
    >>> teacher.predict_proba(np.zeros((3, 1, 24))).tolist()
    [[0.5, 0.5], [0.5, 0.5], [0.5, 0.5]]
    """

    def __init__(self, function, classes, *, output="probabilities", batch_size=None):
        if not callable(function):
            raise TypeError(f"function must be callable, got {function!r:.80}.")
        self.classes_ = check_distinct_labels(classes)
        check_choice("output", output, ("probabilities", "logits"))
        check_number("batch_size", batch_size, integer=True, low=1, none_ok=True)
        self.function = function
        self.output = output
        self.batch_size = batch_size

    def predict_proba(self, X):
        """Probabilities of series.

        Parameters
        ----------
        X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)

        Returns
        -------
        probabilities : numpy.ndarray of shape (n_instances, n_classes)
        """
        answers = self._answers(X)
        return softmax(answers, axis=1) if self.output == "logits" else answers

    def predict(self, X):
        """Labels of series.

        Parameters
        ----------
        X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)

        Returns
        -------
        labels : numpy.ndarray of shape (n_instances,)
        """
        return self.classes_[self._answers(X).argmax(axis=1)]

    def _answers(self, X):
        step = self.batch_size or len(X)
        parts = [X[start : start + step] for start in range(0, len(X), step)]
        return np.concatenate([self._answer(part) for part in parts])

    def _answer(self, X):
        answers = np.asarray(self.function(X), dtype=np.float64)
        if len(self.classes_) == 2 and answers.shape in ((len(X),), (len(X), 1)):
            second = answers.reshape(-1, 1)
            first = np.zeros_like(second) if self.output == "logits" else 1 - second
            answers = np.hstack([first, second])
        if answers.shape != (len(X), len(self.classes_)):
            raise ValueError(
                f"The function must return an array of shape ({len(X)}, {len(self.classes_)}) for "
                f"{len(X)} series and {len(self.classes_)} classes, got one of shape "
                f"{answers.shape}."
            )
        return answers

    def _scorer(self):
        return CallableScorer(self)

    def __sklearn_clone__(self):
        return self

    def __deepcopy__(self, memo):
        """Share the function: a connection to a service cannot be copied."""
        return self


class CallableScorer(ClassifierScorer):
    """Scorer of a `CallableTeacher`.

    Parameters
    ----------
    classifier : CallableTeacher
    """

    def __init__(self, classifier):
        super().__init__(classifier)
        self.name = getattr(classifier.function, "__name__", type(classifier.function).__name__)
        self.gives_logits = self.is_network = classifier.output == "logits"
        self.batch_size = classifier.batch_size

    def _own_logits(self, X):
        return self.classifier._answers(X)
