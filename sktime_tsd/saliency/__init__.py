"""Temporal saliency of any fitted classifier: which parts of a series its answer rests on."""

from sktime_tsd.saliency._copies import batches_of_copies, most_at_once
from sktime_tsd.saliency._donors import SharedDonors, as_tensor
from sktime_tsd.saliency._result import Saliency
from sktime_tsd.saliency._temporal import temporal_saliency
from sktime_tsd.saliency._windows import width_and_stride

# what fidelity measures with, besides the public two
__all__ = [
    "Saliency",
    "SharedDonors",
    "as_tensor",
    "batches_of_copies",
    "most_at_once",
    "temporal_saliency",
    "width_and_stride",
]
