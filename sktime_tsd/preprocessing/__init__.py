"""First steps of a pipeline, which are saved and exported together with its classifier."""

from sktime_tsd.preprocessing._center import SeriesCenterer
from sktime_tsd.preprocessing._resample import SeriesResampler
from sktime_tsd.preprocessing._standard_scale import SeriesStandardScaler

__all__ = ["SeriesCenterer", "SeriesResampler", "SeriesStandardScaler"]
