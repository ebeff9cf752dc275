"""Each channel of a series with mean 0 and standard deviation 1."""

import numpy as np

from sktime_tsd.preprocessing._transformer import SeriesTransformer

__all__ = ["SeriesStandardScaler"]


class SeriesStandardScaler(SeriesTransformer):
    """Give each channel of each series mean 0 and standard deviation 1 over time.

    It learns nothing from other series. A constant channel becomes 0. It is saved and exported
    with the classifier behind it; see `sktime_tsd.save_model` and `sktime_tsd.to_onnx`.

    Notes
    -----
    The standard deviation divides by the number of time points, as in scikit-learn's
    ``StandardScaler``; a channel also counts as constant by its rule, up to rounding errors. It
    computes in float64.

    See Also
    --------
    SeriesCenterer : Keeps the scale.

    Examples
    --------
    >>> import numpy as np
    >>> from sktime_tsd.preprocessing import SeriesStandardScaler
    >>> X = np.array([[[1.0, 3.0, 1.0, 3.0], [5.0, 5.0, 5.0, 5.0]]])
    >>> SeriesStandardScaler().fit_transform(X)
    array([[[-1.,  1., -1.,  1.],
            [ 0.,  0.,  0.,  0.]]])

    In a pipeline of either library:

    >>> from sklearn.pipeline import make_pipeline
    >>> from sktime_tsd import SkorchClassifier
    >>> pipeline = make_pipeline(SeriesStandardScaler(), SkorchClassifier())
    >>> pipeline = SeriesStandardScaler() * SkorchClassifier()
    """

    _tags = {"transform-returns-same-time-index": True}

    def _transform_panel(self, X):
        n_timepoints = X.shape[2]
        mean = X.mean(axis=2, keepdims=True)
        centred = X - mean
        variance = np.square(centred).mean(axis=2, keepdims=True)
        # the rounding errors of a constant channel, as in scikit-learn
        eps = np.finfo(np.float64).eps
        constant = variance <= n_timepoints * eps * variance + (n_timepoints * mean * eps) ** 2
        return np.where(constant, 0.0, centred / np.sqrt(np.where(constant, 1.0, variance)))
