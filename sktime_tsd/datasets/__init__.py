"""Data sets: files of any usual form, the UCR/UEA archive, and synthetic series."""

from sktime_tsd.datasets._archive import BUNDLED, available_datasets, load_dataset
from sktime_tsd.datasets._planted_motifs import make_planted_motifs
from sktime_tsd.datasets._read_series import read_series
from sktime_tsd.datasets._series_data import SeriesData
from sktime_tsd.datasets._ts import load_ts_file

__all__ = [
    "BUNDLED",
    "SeriesData",
    "available_datasets",
    "load_dataset",
    "load_ts_file",
    "make_planted_motifs",
    "read_series",
]
