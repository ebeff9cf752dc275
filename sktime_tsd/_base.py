"""Base class of both classifiers: tags, the order of checks, predictions from logits."""

import numpy as np
import torch
from sktime.classification.base import BaseClassifier

from sktime_tsd._scoring.classifier import ClassifierScorer
from sktime_tsd._sklearn_interop import SklearnInterop
from sktime_tsd._utils.panels import as_float32_panel, check_panel
from sktime_tsd._utils.validation import check_labels, check_no_capability_gap

__all__ = ["LogitsClassifier"]


class LogitsClassifier(SklearnInterop, BaseClassifier):
    """Base of classifiers that give logits, for sktime and for scikit-learn's tools.

    A subclass implements `_check_parameters`, `_fit`, `_fit_single_class`,
    `_network_scorer` and `_build_network`.
    """

    _tags = {
        "authors": ["sktime_tsd developers"],
        "maintainers": ["sktime_tsd developers"],
        "python_version": ">=3.11",
        "python_dependencies": ["torch", "skorch"],
        "X_inner_mtype": "numpy3D",
        "capability:multivariate": True,
        "capability:predict_proba": True,
        "capability:random_state": True,
        "capability:categorical_in_X": False,
        "property:randomness": "derandomized",
    }

    def fit(self, X, y):
        """Fit to series and their labels.

        Parameters
        ----------
        X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
            Or any other sktime panel of equal-length series. A 2-D array is read as one
            channel.
        y : array-like of shape (n_instances,)
            Class labels. With several columns, one classifier is fitted for each, as sktime
            does.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            If a parameter, the teacher, the series or the labels cannot be used, or the
            loss is no longer finite.
        """
        self._check_parameters()
        y = check_labels(y)
        check_panel(X)
        super().fit(X, y)
        if self.n_classes_ == 1:  # the base class never calls _fit then
            try:
                inner_X = as_float32_panel(self._check_convert_X_for_predict(X))
                self._fit_single_class(inner_X, np.repeat(self.classes_, len(inner_X)))
            except BaseException:
                self.reset()
                raise
        return self

    def predict(self, X):
        """Labels of series.

        Parameters
        ----------
        X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
            Or any other sktime panel, of the length in `fit`.

        Returns
        -------
        labels : numpy.ndarray of shape (n_instances,)
            Those with the largest probability, in the dtype of `y` in `fit`.

        Raises
        ------
        ValueError, TypeError
            If the series have another shape than in `fit`, or NaN or infinite values.
        NotFittedError
            If the classifier is not fitted.
        """
        return super().predict(X)

    def predict_proba(self, X):
        """Probabilities of series.

        Parameters
        ----------
        X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
            Or any other sktime panel, of the length in `fit`.

        Returns
        -------
        probabilities : numpy.ndarray of shape (n_instances, n_classes), float64
            Columns in the order of ``classes_``; rows sum to 1.

        Raises
        ------
        ValueError, TypeError
            If the series have another shape than in `fit`, or NaN or infinite values.
        NotFittedError
            If the classifier is not fitted.
        """
        return super().predict_proba(X)

    def predict_logits(self, X):
        """Logits of series: what `predict_proba` takes the softmax of.

        Parameters
        ----------
        X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
            Or any other sktime panel.

        Returns
        -------
        logits : numpy.ndarray of shape (n_instances, n_classes), float32
            Columns in the order of ``classes_``. One column of zeros if all labels were
            equal.

        Raises
        ------
        ValueError
            If the series have another shape than in `fit`, NaN or infinite values, or `y`
            had several outputs.
        NotFittedError
            If the classifier is not fitted.
        """
        self._check_gives_logits()
        X = as_float32_panel(self._check_convert_X_for_predict(X))
        return self._network_scorer().logits(torch.from_numpy(X)).numpy()

    def _check_gives_logits(self):
        self.check_is_fitted()
        if self._is_vectorized:
            raise ValueError("predict_logits answers for one output; y had several in fit.")

    def _predict_proba(self, X):
        return self._network_scorer().probabilities(X)

    def _scorer(self):
        """Scorer for the rest of the package: the network, unless a subclass overrides answers."""
        self._check_gives_logits()
        answers = ("predict_logits", "predict_proba", "_predict_proba")
        ours = all(getattr(type(self), a) is getattr(LogitsClassifier, a) for a in answers)
        return self._network_scorer() if ours else ClassifierScorer(self)

    def _network_scorer(self):
        """Scorer of the fitted network."""
        raise NotImplementedError

    def _build_network(self, n_channels, n_timepoints, n_classes, seed):
        """Build the network that `fit` would train, as a `FreshNetwork`."""
        raise NotImplementedError

    def _check_convert_X_for_predict(self, X):  # noqa: N802 - the name of the base class
        check_panel(X)  # says more, in fewer words, than the base class
        return super()._check_convert_X_for_predict(X)

    def _check_capabilities(self, X_metadata):
        check_no_capability_gap(X_metadata, type(self).__name__)
        super()._check_capabilities(X_metadata)
