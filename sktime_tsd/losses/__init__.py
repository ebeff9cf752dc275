"""Distillation losses: functions of tensors, terms, and the total training loss.

A term such as ``KD(weight=1.0)`` is passed to
``SaliencyDistilledClassifier(distillation=[...])``.
"""

from sktime_tsd.losses._attention_transfer import (
    AttentionTransfer,
    AttentionTransferLoss,
    attention_transfer_loss,
)
from sktime_tsd.losses._criterion import UNLABELLED, DistillationCriterion
from sktime_tsd.losses._dkd import DKD, DKDLoss, dkd_loss
from sktime_tsd.losses._dt2w import DT2W, DT2WLoss, dt2w_loss
from sktime_tsd.losses._feature_term import FeatureShape, FeatureTerm
from sktime_tsd.losses._fitnets import FitNets, HintLoss, hint_loss
from sktime_tsd.losses._kd import KD, KDLoss, kd_loss
from sktime_tsd.losses._memkd import MemKD, MemKDLoss, memkd_loss
from sktime_tsd.losses._outputs import Outputs
from sktime_tsd.losses._rkd import RKD, RKDLoss, rkd_loss
from sktime_tsd.losses._saliency import (
    NORMALIZATIONS,
    SaliencyLoss,
    TemporalSaliency,
    saliency_loss,
)
from sktime_tsd.losses._soft_dtw import soft_dtw
from sktime_tsd.losses._soft_targets import SoftTargets, SoftTargetsLoss
from sktime_tsd.losses._term import DistillationTerm
from sktime_tsd.losses._vid import VID, VIDLoss, vid_loss
from sktime_tsd.losses._window_saliency import MEASURES, window_saliency

__all__ = [
    "DKD",
    "DT2W",
    "KD",
    "MEASURES",
    "NORMALIZATIONS",
    "RKD",
    "UNLABELLED",
    "VID",
    "AttentionTransfer",
    "AttentionTransferLoss",
    "DKDLoss",
    "DT2WLoss",
    "DistillationCriterion",
    "DistillationTerm",
    "FeatureShape",
    "FeatureTerm",
    "FitNets",
    "HintLoss",
    "KDLoss",
    "MemKD",
    "MemKDLoss",
    "Outputs",
    "RKDLoss",
    "SaliencyLoss",
    "SoftTargets",
    "SoftTargetsLoss",
    "TemporalSaliency",
    "VIDLoss",
    "attention_transfer_loss",
    "dkd_loss",
    "dt2w_loss",
    "hint_loss",
    "kd_loss",
    "memkd_loss",
    "rkd_loss",
    "saliency_loss",
    "soft_dtw",
    "vid_loss",
    "window_saliency",
]
