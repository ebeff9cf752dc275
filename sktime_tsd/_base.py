"""Base class of classifiers that return logits: order of checks, predictions from logits."""

import numpy as np

from sktime_tsd._panel_classifier import PanelClassifier
from sktime_tsd._panels.labels import check_labels
from sktime_tsd._panels.panel import read_panel
from sktime_tsd._panels.precision import as_training_panel
from sktime_tsd._panels.rules import STRICT, PanelRules
from sktime_tsd._scoring.classifier import ClassifierScorer
from sktime_tsd._utils.long_work import timed
from sktime_tsd._utils.usual_state import usual_state

__all__ = ["LogitsClassifier"]


class LogitsClassifier(PanelClassifier):
    """Base of classifiers that return logits, for sktime and scikit-learn's tools.

    A subclass has the parameters ``unequal_length`` and ``missing_values``, and implements
    `_check_parameters`, `_fit`, `_fit_single_class`, `_network_scorer`, `_build_network` and
    `_n_timepoints_of_fit`.
    """

    _tags = {"capability:random_state": True}

    def __init__(self):
        super().__init__()
        self.set_tags(
            **{
                "capability:unequal_length": self.unequal_length == "resample",
                "capability:missing_values": self.missing_values == "interpolate",
            }
        )

    def fit(self, X, y):
        """Fit to series and their labels.

        Parameters
        ----------
        X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
            Or a list of arrays, or any other sktime panel. A 2-D array is read as one channel.
            `unequal_length` and `missing_values` say what may be irregular.
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
            panel = self._read_for_fit(X)
            with timed():
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

    def _read_for_fit(self, X):
        return read_panel(X, self._panel_rules(fitting=True))

    def predict(self, X):
        """Predict the labels of series.

        Parameters
        ----------
        X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
            Or any other panel that `fit` accepts. Series must have the shape seen in `fit`, or
            any length with ``unequal_length="resample"``; channels with names are found by name.

        Returns
        -------
        labels : numpy.ndarray of shape (n_instances,)
            The most probable class of each series, in the dtype of ``classes_``.

        Raises
        ------
        ValueError, TypeError
            If shape or channel names differ from `fit`, a value is missing that `missing_values`
            does not fill, or infinite, or the network overflows.
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
            Or any other panel that `fit` accepts. Series must have the shape seen in `fit`, or
            any length with ``unequal_length="resample"``; channels with names are found by name.

        Returns
        -------
        probabilities : numpy.ndarray of shape (n_instances, n_classes), float64
            Columns in the order of ``classes_``; rows sum to 1.

        Raises
        ------
        ValueError, TypeError
            If shape or channel names differ from `fit`, a value is missing that `missing_values`
            does not fill, or infinite, or the network overflows.
        NotFittedError
            If the classifier is not fitted.
        """
        with usual_state():
            return super().predict_proba(self._for_each_output(X))

    def predict_logits(self, X):
        """Predict the logits of series; their softmax is `predict_proba`.

        Parameters
        ----------
        X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
            Or any other panel that `fit` accepts. Series must have the shape seen in `fit`, or
            any length with ``unequal_length="resample"``; channels with names are found by name.

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

    def _panel_rules(self, *, fitting=False):
        """How series are read: in `fit`, or by the fitted classifier."""
        if self.unequal_length == self.missing_values == "raise":
            return STRICT
        n_timepoints = None if fitting else self._length_of_fit()
        return PanelRules(self.unequal_length, self.missing_values, n_timepoints)

    def _length_of_fit(self):
        if self._is_vectorized:  # a classifier for each output
            return self.classifiers_.iloc[0, 0]._n_timepoints_of_fit()
        return self._n_timepoints_of_fit()

    def _n_timepoints_of_fit(self):
        """Return the length of the series in `fit`; None before it, or if any will do."""
        raise NotImplementedError
