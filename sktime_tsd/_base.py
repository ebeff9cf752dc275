"""Base class of both classifiers: tags, order of checks, predictions from logits."""

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score
from sktime.classification.base import BaseClassifier

from sktime_tsd._panels.labels import check_labels
from sktime_tsd._panels.panel import channel_names, read_panel
from sktime_tsd._panels.precision import as_training_panel
from sktime_tsd._scoring.classifier import ClassifierScorer
from sktime_tsd._sklearn_interop import SklearnInterop
from sktime_tsd._utils.usual_state import usual_state

__all__ = ["LogitsClassifier"]


class LogitsClassifier(SklearnInterop, BaseClassifier):
    """Base of classifiers that return logits, for sktime and scikit-learn's tools.

    A subclass implements `_check_parameters`, `_fit`, `_fit_single_class`,
    `_network_scorer` and `_build_network`.
    """

    _tags = {
        "authors": ["sktime-tsd"],
        "maintainers": ["sktime-tsd"],
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
            Or a list of arrays, or any other sktime panel of equal-length series. A 2-D array
            is read as one channel.
        y : array-like of shape (n_instances,)
            Class labels. A pandas Series is put in the order of the series by its index, if
            `X` has one. With several columns, one classifier is fitted per column, as sktime
            does.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            If a parameter, the teacher, the series or the labels cannot be used, or if
            training diverges.
        """
        with usual_state():
            self._check_parameters()
            panel = read_panel(X)
            super().fit(panel.values, check_labels(y, panel))
            if self.n_classes_ == 1:  # the base class skips _fit then
                try:
                    inner_X = as_training_panel(panel.values)
                    self._fit_single_class(inner_X, np.repeat(self.classes_, len(inner_X)))
                except BaseException:
                    self.reset()
                    raise
            self._set_channel_names(panel.names)
        return self

    def _set_channel_names(self, names):
        """Remember the names of the channels, to find them again in `predict`."""
        if names is not None:
            self.feature_names_in_ = np.empty(len(names), dtype=object)
            self.feature_names_in_[:] = names

    def predict(self, X):
        """Predict the labels of series.

        Parameters
        ----------
        X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
            Or any other panel that `fit` accepts. Series must have the shape seen in `fit`;
            channels with names are found by name.

        Returns
        -------
        labels : numpy.ndarray of shape (n_instances,)
            The most probable class of each series, in the dtype of ``classes_``.

        Raises
        ------
        ValueError, TypeError
            If shape or channel names differ from `fit`, a value is NaN or infinite, or the
            network overflows.
        NotFittedError
            If the classifier is not fitted.
        """
        with usual_state():
            return super().predict(self._for_each_output(X))

    def predict_proba(self, X):
        """Predict the class probabilities of series.

        Parameters
        ----------
        X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
            Or any other panel that `fit` accepts. Series must have the shape seen in `fit`;
            channels with names are found by name.

        Returns
        -------
        probabilities : numpy.ndarray of shape (n_instances, n_classes), float64
            Columns in the order of ``classes_``; rows sum to 1.

        Raises
        ------
        ValueError, TypeError
            If shape or channel names differ from `fit`, a value is NaN or infinite, or the
            network overflows.
        NotFittedError
            If the classifier is not fitted.
        """
        with usual_state():
            return super().predict_proba(self._for_each_output(X))

    def score(self, X, y, sample_weight=None):
        """Compute the accuracy.

        Parameters
        ----------
        X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
            Or any other panel, as for `predict`.
        y : array-like of shape (n_instances,)
            Labels, in the order of the series as for `fit`.
        sample_weight : array-like of shape (n_instances,), optional
            Weights of the series; scikit-learn's pipelines know this parameter.

        Returns
        -------
        accuracy : float
            Share of the series whose label is predicted.
        """
        has_index = isinstance(y, (pd.Series, pd.DataFrame)) and not isinstance(X, np.ndarray)
        y = check_labels(y, read_panel(X) if has_index else None)
        if sample_weight is None:
            return super().score(X, y)
        return accuracy_score(y, self.predict(X), sample_weight=sample_weight)

    def predict_logits(self, X):
        """Predict the logits of series; their softmax is `predict_proba`.

        Parameters
        ----------
        X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
            Or any other panel that `fit` accepts. Series must have the shape seen in `fit`;
            channels with names are found by name.

        Returns
        -------
        logits : numpy.ndarray of shape (n_instances, n_classes), float32
            Columns in the order of ``classes_``. A single column of zeros if all labels
            were equal.

        Raises
        ------
        ValueError, TypeError
            If the series cannot be used, as for `predict_proba`, or if `y` had several
            outputs in `fit`.
        NotFittedError
            If the classifier is not fitted.
        """
        self._check_gives_logits()
        with usual_state():
            X = self._check_convert_X_for_predict(X)
            return self._network_scorer().finite_logits(X).numpy()

    def _check_gives_logits(self):
        self.check_is_fitted()
        if self._is_vectorized:
            raise ValueError(
                "predict_logits supports a single output, but y had several in fit. Use each of "
                "the classifiers in classifiers_."
            )

    def _predict_proba(self, X):
        return self._network_scorer().probabilities(X)

    def _scorer(self):
        """Return the scorer for the rest of the package.

        It scores the network directly, unless a subclass overrides a prediction method.
        """
        self._check_gives_logits()
        answers = ("predict_logits", "predict_proba", "_predict_proba")
        ours = all(getattr(type(self), a) is getattr(LogitsClassifier, a) for a in answers)
        of_network = self._network_scorer()
        if ours:
            return of_network
        scorer = ClassifierScorer(self)
        scorer.network, scorer.reads_float64 = of_network.network, of_network.reads_float64
        return scorer

    def _network_scorer(self):
        """Return the scorer of the fitted network."""
        raise NotImplementedError

    def _build_network(self, n_channels, n_timepoints, n_classes, seed):
        """Build the network that `fit` would train, as a `FreshNetwork`."""
        raise NotImplementedError

    def _check_convert_X_for_predict(self, X):  # noqa: N802 - the name of the base class
        return read_panel(X).in_order(channel_names(self)).values

    def _for_each_output(self, X):
        """Read X once, with names, if there is a classifier for each output: they have none."""
        self.check_is_fitted()
        return self._check_convert_X_for_predict(X) if self._is_vectorized else X
