"""Series brought to one length."""

import numpy as np
import pandas as pd

from sktime_tsd._panels.interpolation import resampled
from sktime_tsd._utils.validation import check_number
from sktime_tsd.preprocessing._transformer import SeriesTransformer, rows_by_length

__all__ = ["SeriesResampler"]


class SeriesResampler(SeriesTransformer):
    """Resample each series to a number of time points, by linear interpolation.

    The first and last time points stay; the new ones are equally spaced between them. Series may
    have any length, and different lengths. It is saved and exported with the classifier behind
    it; see `sktime_tsd.save_model` and `sktime_tsd.to_onnx`.

    Parameters
    ----------
    length : int
        Number of time points, 1 or more.

    Attributes
    ----------
    n_timepoints_ : int or None
        Length of the series seen in `fit`; None if they had several. Series of other lengths are
        resampled, too. An ONNX file takes series of this length.

    Notes
    -----
    Frames lose their times: the time points of the result are numbered from 0.

    Examples
    --------
    >>> import numpy as np
    >>> from sktime_tsd.preprocessing import SeriesResampler
    >>> SeriesResampler(length=5).fit_transform(np.array([[[0.0, 2.0, 6.0]]]))
    array([[[0., 1., 2., 4., 6.]]])

    In a pipeline of either library:

    >>> from sklearn.pipeline import make_pipeline
    >>> from sktime_tsd import SkorchClassifier
    >>> pipeline = make_pipeline(SeriesResampler(length=50), SkorchClassifier())
    >>> pipeline = SeriesResampler(length=50) * SkorchClassifier()
    """

    _tags = {
        "capability:unequal_length:removes": True,
        "fit_is_empty": False,
        "transform-returns-same-time-index": False,
    }

    def __init__(self, length):
        self.length = length
        super().__init__()

    def _fit(self, X, y=None):
        check_number("length", self.length, integer=True, low=1)
        if isinstance(X, np.ndarray):
            lengths = [X.shape[2]]
        else:
            lengths = [rows.shape[1] for rows in rows_by_length(X)]
        self.n_timepoints_ = lengths[0] if len(lengths) == 1 else None
        return self

    def _transform_panel(self, X):
        return resampled(X, self.length)

    def _transform_frame(self, X):
        instances = X.index.get_level_values(0).unique()
        codes, _ = pd.factorize(X.index.get_level_values(0))
        values = np.empty((len(instances), self.length, X.shape[1]))
        for rows in rows_by_length(X):
            panel = X.to_numpy(dtype=np.float64)[rows].swapaxes(1, 2)
            values[codes[rows[:, 0]]] = self._transform_panel(panel).swapaxes(1, 2)
        index = pd.MultiIndex.from_product([instances, range(self.length)], names=X.index.names)
        return pd.DataFrame(values.reshape(-1, X.shape[1]), index=index, columns=X.columns)

    @classmethod
    def get_test_params(cls, parameter_set="default"):
        """Return parameter sets for sktime's tests.

        Parameters
        ----------
        parameter_set : str
            Ignored.

        Returns
        -------
        params : list of dict
        """
        return [{"length": 10}, {"length": 3}]
