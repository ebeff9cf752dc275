"""A student that answers in its teacher's place where that is safe."""

from sktime_tsd.cascade._cascade_classifier import CascadeClassifier
from sktime_tsd.cascade._costs import compare_costs
from sktime_tsd.cascade._drift import DriftCheck

__all__ = ["CascadeClassifier", "DriftCheck", "compare_costs"]
