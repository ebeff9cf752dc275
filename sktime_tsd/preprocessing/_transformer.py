"""Base class of the steps: sktime transformers that also work in scikit-learn's pipelines."""

import numpy as np
import pandas as pd
from sklearn.utils import InputTags, Tags, TargetTags, TransformerTags
from sktime.transformations.base import BaseTransformer

from sktime_tsd._panels.arrays import as_array, together
from sktime_tsd._sklearn_interop import ResetKeepingState

__all__ = ["SeriesTransformer"]


class SeriesTransformer(ResetKeepingState, BaseTransformer):
    """Base of transformers that map each series to a series, whatever the others are.

    A subclass implements `_transform_panel`.
    """

    keeps_channels = True  # their number, order and names

    _tags = {
        "authors": ["sktime-tsd"],
        "maintainers": ["sktime-tsd"],
        "python_version": ">=3.11",
        "scitype:transform-input": "Series",
        "scitype:transform-output": "Series",
        "scitype:instancewise": True,
        "X_inner_mtype": ["pd-multiindex", "numpy3D"],  # the first takes other containers
        "y_inner_mtype": "None",
        "capability:multivariate": True,
        "capability:unequal_length": True,
        "capability:categorical_in_X": False,
        "fit_is_empty": True,
    }

    def fit(self, X, y=None):
        """Fit to series.

        Parameters
        ----------
        X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
            Or any other container of sktime. A 2-D array is read as one channel.
        y : object
            Ignored.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            If a parameter or the series cannot be used.
        """
        return super().fit(_with_channels(X), y)

    def transform(self, X, y=None):
        """Transform series.

        Parameters
        ----------
        X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
            Or a list of arrays, or any other container of sktime. A 2-D array is read as one
            channel.
        y : object
            Ignored.

        Returns
        -------
        X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints), float64
            Or a container like the one given.

        Raises
        ------
        ValueError, TypeError
            If the series cannot be used, for instance because values are missing.
        """
        given = _with_channels(X)
        found = super().transform(given, y)
        if given is not X and isinstance(given, list):
            return [frame.to_numpy().T for frame in found]
        return found

    def _transform(self, X, y=None):
        if isinstance(X, np.ndarray):
            return self._transform_panel(_checked(X))
        return self._transform_frame(X)

    def _transform_panel(self, X):
        """Transform series of shape (n_instances, n_channels, n_timepoints), float64."""
        raise NotImplementedError

    def _transform_frame(self, X):
        """Transform a frame with the index (instance, time), whose series may differ in length."""
        values = np.empty(X.shape)
        for rows in rows_by_length(X):
            panel = X.to_numpy()[rows].swapaxes(1, 2)  # (n, n_channels, n_timepoints)
            values[rows] = self._transform_panel(_checked(panel)).swapaxes(1, 2)
        return pd.DataFrame(values, index=X.index, columns=X.columns)

    @classmethod
    def get_test_params(cls, parameter_set="default"):
        """Return parameter sets for sktime's tests.

        Parameters
        ----------
        parameter_set : str
            Ignored.

        Returns
        -------
        params : dict
        """
        return {}

    def __sklearn_tags__(self):
        """Describe a transformer of panels of shape (n_instances, n_channels, n_timepoints)."""
        if hasattr(super(), "__sklearn_tags__"):  # a later sktime may bring its own
            return super().__sklearn_tags__()
        return Tags(
            estimator_type=None,
            target_tags=TargetTags(required=False),
            transformer_tags=TransformerTags(),
            input_tags=InputTags(three_d_array=True),
        )


def rows_by_length(X):
    """Find the rows of each series of a frame, those of equally long series together.

    Parameters
    ----------
    X : pandas.DataFrame
        With the index (instance, time).

    Yields
    ------
    rows : numpy.ndarray of shape (n_instances, n_timepoints)
        Numbers of rows: of the series with n_timepoints time points, in order of appearance.
    """
    codes, _ = pd.factorize(X.index.get_level_values(0))
    order, lengths = np.argsort(codes, kind="stable"), np.bincount(codes)
    firsts = np.cumsum(lengths) - lengths
    for length in np.unique(lengths):
        yield order[firsts[lengths == length][:, np.newaxis] + np.arange(length)]


def _with_channels(X):
    """Read arrays and lists of arrays; sktime would take two dimensions for one series.

    Arrays of unequal length become a list of frames.
    """
    is_list = isinstance(X, (list, tuple)) and any(isinstance(one, np.ndarray) for one in X)
    if not is_list and not isinstance(X, np.ndarray):
        return X
    X = together(X)
    if isinstance(X, list):
        return [pd.DataFrame(as_array(one[np.newaxis])[0].T) for one in X]
    return as_array(X)


def _checked(X):
    return as_array(np.asarray(X)).astype(np.float64)
