"""Base class of all classifiers: tags, panels in any container, channels by name."""

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score
from sktime.classification.base import BaseClassifier

from sktime_tsd._panels.arrays import as_array
from sktime_tsd._panels.labels import check_labels
from sktime_tsd._panels.panel import channel_names, read_panel
from sktime_tsd._panels.rules import STRICT
from sktime_tsd._sklearn_interop import SklearnInterop

__all__ = ["PanelClassifier"]


class PanelClassifier(SklearnInterop, BaseClassifier):
    """Base of classifiers that read panels in any container, for sktime and scikit-learn."""

    _tags = {
        "authors": ["sktime-tsd"],
        "maintainers": ["sktime-tsd"],
        "python_version": ">=3.11",
        "python_dependencies": ["torch", "skorch"],
        "X_inner_mtype": "numpy3D",
        "capability:multivariate": True,
        "capability:predict_proba": True,
        "capability:categorical_in_X": False,
        "property:randomness": "derandomized",
    }

    def _set_channel_names(self, names):
        """Remember the names of the channels, to find them again in `predict`."""
        if names is not None:
            self.feature_names_in_ = np.empty(len(names), dtype=object)
            self.feature_names_in_[:] = names

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
        y = check_labels(y, read_panel(X, self._panel_rules()) if has_index else None)
        if sample_weight is None:
            return super().score(X, y)
        return accuracy_score(y, self.predict(X), sample_weight=sample_weight)

    def _check_convert_X_for_predict(self, X):  # noqa: N802 - the name of the base class
        rules = self._panel_rules()
        if isinstance(X, np.ndarray):  # has no names
            return as_array(X, rules)
        return read_panel(X, rules).in_order(channel_names(self)).values

    def _panel_rules(self):
        """How the fitted classifier reads series."""
        return STRICT

    def _for_each_output(self, X):
        """Read X once, with names, if there is a classifier for each output: they have none."""
        self.check_is_fitted()
        return self._check_convert_X_for_predict(X) if self._is_vectorized else X
