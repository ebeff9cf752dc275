"""Temporal saliency of any fitted classifier: which parts of a series its answer rests on."""

from sktime_tsd.saliency._result import Saliency
from sktime_tsd.saliency._temporal import temporal_saliency

__all__ = ["Saliency", "temporal_saliency"]
