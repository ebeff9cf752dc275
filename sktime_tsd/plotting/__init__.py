"""Plots of saliencies, fidelity reports and cascades. Needs matplotlib (extra ``plot``).

Every function takes ``ax=None`` and returns ``(fig, ax)``. None shows the figure or changes the
global style. Teacher and student differ in colour and in line style or marker, so the pictures
work in grey and for the colour-blind.
"""

from sktime_tsd.plotting._cascade import plot_cascade
from sktime_tsd.plotting._fidelity import plot_agreement, plot_fidelity_curve, plot_tradeoff
from sktime_tsd.plotting._saliency import (
    plot_saliency,
    plot_saliency_comparison,
    plot_saliency_pair,
)

__all__ = [
    "plot_agreement",
    "plot_cascade",
    "plot_fidelity_curve",
    "plot_saliency",
    "plot_saliency_comparison",
    "plot_saliency_pair",
    "plot_tradeoff",
]
