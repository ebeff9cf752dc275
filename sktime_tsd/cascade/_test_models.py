"""A classifier without training, for the conformance tests of a cascade."""

import numpy as np

__all__ = ["Level"]


class Level:
    """Tells series by their mean. Its three columns have no labels; the third is always 0.

    Parameters
    ----------
    middle : float, default=0.0
        The mean at which both answers are as probable.
    """

    def __init__(self, middle=0.0):
        self.middle = middle

    def predict_proba(self, X):
        """Probabilities of series.

        Parameters
        ----------
        X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)

        Returns
        -------
        probabilities : numpy.ndarray of shape (n_instances, 3)
        """
        high = 1 / (1 + np.exp(self.middle - X.mean(axis=(1, 2))))
        return np.column_stack([1 - high, high, np.zeros_like(high)])
