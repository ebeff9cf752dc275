"""Series as rows of a table."""

import numpy as np

__all__ = ["flatten"]


def flatten(X):
    """Turn series into rows, for a classifier of tables.

    Can be imported, so that pipelines with it pickle and are cached.

    Parameters
    ----------
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)

    Returns
    -------
    rows : numpy.ndarray of shape (n_instances, n_channels * n_timepoints)
        Channel after channel.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import FunctionTransformer
    >>> from sktime_tsd.teachers import flatten
    >>> teacher = make_pipeline(FunctionTransformer(flatten), RandomForestClassifier())
    >>> flatten(np.zeros((5, 2, 24))).shape
    (5, 48)
    """
    return np.asarray(X).reshape(len(X), -1)
