"""Temporal saliency of any fitted classifier: which parts of a series its answer rests on."""

from sktime_tsd.saliency._copy_batches import batches_of_copies, most_at_once
from sktime_tsd.saliency._covering import width_and_stride
from sktime_tsd.saliency._result import Saliency
from sktime_tsd.saliency._shared_donors import SharedDonors, as_tensor
from sktime_tsd.saliency._temporal import temporal_saliency

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
