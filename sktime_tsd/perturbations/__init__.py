"""Perturbations: replace a window of a series by zeros, noise, or another series' window."""

from sktime_tsd._utils.windows import replace_window
from sktime_tsd.perturbations._bank import WindowBank
from sktime_tsd.perturbations._base import Perturbation, check_window, window_width
from sktime_tsd.perturbations._donors import AnyClass, OpposingClass, SameClass
from sktime_tsd.perturbations._fillers import (
    GaussianNoise,
    LinearInterpolation,
    SeriesMean,
    Zero,
)
from sktime_tsd.perturbations._mixes import MixBank
from sktime_tsd.perturbations._varied_bank import VariedBank

__all__ = [
    "AnyClass",
    "GaussianNoise",
    "LinearInterpolation",
    "MixBank",
    "OpposingClass",
    "Perturbation",
    "SameClass",
    "SeriesMean",
    "VariedBank",
    "WindowBank",
    "Zero",
    "check_window",
    "replace_window",
    "window_width",
]
