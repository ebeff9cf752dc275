"""Each channel of a series around 0."""

from sktime_tsd.preprocessing._transformer import SeriesTransformer

__all__ = ["SeriesCenterer"]


class SeriesCenterer(SeriesTransformer):
    """Subtract from each channel of each series its own mean over time.

    It learns nothing from other series. It is saved and exported with the classifier behind it;
    see `sktime_tsd.save_model` and `sktime_tsd.to_onnx`.

    Notes
    -----
    It computes in float64. So a small signal on a large level survives, if the series are passed
    in float64.

    See Also
    --------
    SeriesStandardScaler : Divides by the standard deviation, too.

    Examples
    --------
    >>> import numpy as np
    >>> from sktime_tsd.preprocessing import SeriesCenterer
    >>> X = np.array([[[1.0, 2.0, 3.0], [5.0, 5.0, 8.0]]])
    >>> SeriesCenterer().fit_transform(X)
    array([[[-1.,  0.,  1.],
            [-1., -1.,  2.]]])

    In a pipeline of either library:

    >>> from sklearn.pipeline import make_pipeline
    >>> from sktime_tsd import SkorchClassifier
    >>> pipeline = make_pipeline(SeriesCenterer(), SkorchClassifier())
    >>> pipeline = SeriesCenterer() * SkorchClassifier()
    """

    _tags = {"transform-returns-same-time-index": True}

    def _transform_panel(self, X):
        return X - X.mean(axis=2, keepdims=True)
