"""Scores of how sure a student is: the parameter ``score``, beside the method of that name."""

import numpy as np

from sktime_tsd._panel_classifier import PanelClassifier
from sktime_tsd._utils.validation import check_choice
from sktime_tsd.runtime._confidence import SCORES

__all__ = ["ClassifierWithScores"]


class _NamedScore(str):
    """Name of a score that can be called as the method ``score``."""

    def __new__(cls, name, method):
        """Make a string that knows the method."""
        named = super().__new__(cls, name)
        named.method = method
        return named

    def __call__(self, X, y, sample_weight=None):
        return self.method(X, y, sample_weight)


class _FunctionScore:
    """A user's score of probabilities that can be called as the method ``score``, too."""

    def __init__(self, function, method):
        self.function = function
        self.method = method

    def __eq__(self, other):
        return self.function == getattr(other, "function", other)

    def __hash__(self):
        return hash(self.function)

    def __call__(self, *args, **kwargs):
        is_method = len(args) + len(kwargs) > 1
        return (self.method if is_method else self.function)(*args, **kwargs)


class ScoreParameter:
    """Descriptor: stores the parameter, and answers as the method when called with labels.

    scikit-learn's tools call ``estimator.score(X, y)``, which an attribute of that name would hide.

    Parameters
    ----------
    method : function
        The method ``score(self, X, y, sample_weight=None)``.
    """

    def __init__(self, method):
        self.method = method

    def __get__(self, instance, owner=None):
        """Return the method of the class, or the parameter of an instance, which can be called."""
        if instance is None:
            return self.method
        value, method = instance.__dict__["score"], self.method.__get__(instance)
        if isinstance(value, str):
            return _NamedScore(value, method)
        return _FunctionScore(value, method) if callable(value) else value

    def __set__(self, instance, value):
        instance.__dict__["score"] = value


class ClassifierWithScores(PanelClassifier):
    """Base of a classifier with the parameter ``score``, which scores probabilities."""

    score = ScoreParameter(PanelClassifier.score)

    def get_params(self, deep=True):
        """Get the parameters, also those of both models with `deep`.

        Parameters
        ----------
        deep : bool, default=True

        Returns
        -------
        params : dict of str to object
        """
        return super().get_params(deep=deep) | {"score": self._score_setting}

    @property
    def _score_setting(self):
        return self.__dict__["score"]

    def _check_score(self):
        if not callable(self._score_setting):
            check_choice("score", self._score_setting, tuple(SCORES))

    def _scores(self, probabilities):
        """How sure the student is, checked if a user's function says so."""
        if not callable(self._score_setting):
            return SCORES[self._score_setting](probabilities)
        scores = np.asarray(self._score_setting(probabilities.copy()), dtype=np.float64)
        if scores.shape != (len(probabilities),) or not np.isfinite(scores).all():
            raise ValueError(
                "score must return one finite number for each of "
                f"{len(probabilities)} series, got an array of shape {scores.shape}"
                f"{'' if np.isfinite(scores).all() else ' with values that are not finite'}."
            )
        return scores
