"""Temporal saliency of any fitted classifier: the parts of a series its answer depends on."""

from sktime_tsd.saliency._result import Saliency
from sktime_tsd.saliency._temporal import temporal_saliency

__all__ = ["Saliency", "temporal_saliency"]
