"""Pictures of results that are computed elsewhere. Needs matplotlib (extra ``plot``).

Every function takes ``ax=None``, returns ``(fig, ax)``, shows nothing and leaves the
global style as it is. Teacher and student differ in colour and in line style or marker,
so that the pictures can be read in grey and by the colour-blind.
"""

from sktime_tsd.plotting._fidelity import plot_agreement, plot_fidelity_curve, plot_tradeoff
from sktime_tsd.plotting._saliency import plot_saliency, plot_saliency_pair

__all__ = [
    "plot_agreement",
    "plot_fidelity_curve",
    "plot_saliency",
    "plot_saliency_pair",
    "plot_tradeoff",
]
