"""What a student learns from: pure functions of tensors, terms, and the criterion.

A term such as ``KD(weight=1.0)`` is passed to
``SaliencyDistilledClassifier(distillation=[...])``.
"""

from sktime_tsd.losses._criterion import DistillationCriterion
from sktime_tsd.losses._kd import KD, KDLoss, kd_loss
from sktime_tsd.losses._outputs import Outputs
from sktime_tsd.losses._saliency import (
    MEASURES,
    NORMALIZATIONS,
    SaliencyLoss,
    TemporalSaliency,
    saliency_loss,
    window_saliency,
)
from sktime_tsd.losses._term import DistillationTerm

__all__ = [
    "KD",
    "MEASURES",
    "NORMALIZATIONS",
    "DistillationCriterion",
    "DistillationTerm",
    "KDLoss",
    "Outputs",
    "SaliencyLoss",
    "TemporalSaliency",
    "kd_loss",
    "saliency_loss",
    "window_saliency",
]
