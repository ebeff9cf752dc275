"""Explainers that no student was trained on: a panel to compare reasons under."""

import warnings
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from sktime_tsd.fidelity._reasons import saliency_spearman
from sktime_tsd.perturbations import (
    GaussianNoise,
    LinearInterpolation,
    Perturbation,
    SeriesMean,
    Zero,
)
from sktime_tsd.saliency._covering import width_and_stride, window_starts
from sktime_tsd.saliency._gradients import integrated_gradients
from sktime_tsd.saliency._measure import measure
from sktime_tsd.saliency._shapley import window_shapley
from sktime_tsd.saliency._shared_donors import SharedDonors

__all__ = ["EXPLAINERS", "HELD_OUT", "Panel", "check_explainers"]

# Fewer donors than the report's own saliency: both models see the same ones.
_N_DONORS = 2

HELD_OUT = "saliency_held_out"


@dataclass(frozen=True)
class Windows:
    """Temporal saliency with another filler or width of windows.

    Parameters
    ----------
    label : str
        What a printed report shows.
    perturbation : Perturbation, optional
        Default: the report's.
    window : float, optional
        Share of the series. Default: the report's width and stride.
    """

    label: str
    perturbation: Perturbation | None = None
    window: float | None = None

    def explain(self, panel, model, targets):
        """Explain the answers of a model; see `Panel.explain`."""
        return panel.of_windows(model, self)


@dataclass(frozen=True)
class Shapley:
    """Shapley values of ten windows, for the probability of the teacher's answer."""

    label: str

    def explain(self, panel, model, targets):
        """Explain the answers of a model; see `Panel.explain`."""
        return window_shapley(
            model.scorer,
            panel.x,
            np.exp(model.log_p[np.arange(len(targets)), targets]),
            targets,
            panel.donors(None),
            seed=panel.seed,
            **panel.batches,
        )


@dataclass(frozen=True)
class Gradients:
    """Integrated gradients of the logit of the teacher's answer. For torch networks alone."""

    label: str

    def explain(self, panel, model, targets):
        """Explain the answers of a model; see `Panel.explain`."""
        scorer = model.scorer
        if scorer.network is None:
            return None
        try:
            network = scorer.network_for(panel.x)
            return integrated_gradients(network, panel.x, targets, device=scorer.device)
        except RuntimeError as error:
            warnings.warn(
                f"{scorer.name} has no gradients ({error}), so reasons are not compared by "
                "integrated gradients.",
                UserWarning,
                stacklevel=2,
            )
            return None


#: Name -> explainer. The metric of each is named ``saliency_held_out_{name}``.
EXPLAINERS = {
    "zero": Windows("zeros", Zero()),
    "mean": Windows("mean of the series", SeriesMean()),
    "interpolation": Windows("straight line", LinearInterpolation()),
    "noise": Windows("noise", GaussianNoise()),
    "width_5": Windows("windows of 5 %", window=0.05),
    "width_20": Windows("windows of 20 %", window=0.2),
    "shapley": Shapley("window Shapley values"),
    "integrated_gradients": Gradients("integrated gradients"),
}


def check_explainers(explainers):
    """Check an ``explainers`` parameter.

    Parameters
    ----------
    explainers : sequence of str or None
        Keys of `EXPLAINERS`; None stands for all of them.

    Returns
    -------
    names : tuple of str
        Without duplicates, in the order of `EXPLAINERS`.

    Raises
    ------
    ValueError
        If a name is unknown.
    TypeError
        If it is no sequence of names.
    """
    if explainers is None:
        return tuple(EXPLAINERS)
    if isinstance(explainers, str) or not np.iterable(explainers):
        raise TypeError(
            f"explainers must be a sequence of names, such as ['zero', 'shapley'], or None for all "
            f"of them; got {explainers!r}."
        )
    chosen = list(explainers)
    unknown = [name for name in chosen if name not in EXPLAINERS]
    if unknown:
        raise ValueError(
            f"explainers names {', '.join(map(repr, unknown))}; it can name "
            f"{', '.join(EXPLAINERS)}."
        )
    return tuple(name for name in EXPLAINERS if name in chosen)


class Panel:
    """Compares two models' explanations of the same answers, explainer by explainer.

    All models and series share donors, orders and copies. Explainers with the same copies share
    their scores, with each other and with the report's own saliency.

    Parameters
    ----------
    names : tuple of str
        Keys of `EXPLAINERS`.
    x : torch.Tensor of shape (n_instances, n_channels, n_timepoints)
    background : Background or None
    donors : SharedDonors
        Those of the report's own saliency.
    width, stride : int
        Likewise.
    seed : int
    batches : dict
        ``batch_size`` and ``verbose``.
    """

    def __init__(self, names, *, x, background, donors, width, stride, seed, batches):
        self.names = names
        self.x = x
        self.seed = seed
        self.batches = batches
        self._background = background
        self._own_donors = donors
        self._own_windows = width, stride
        self._drawn = {}

    def donors(self, perturbation):
        """Draw the donors of a perturbation, once; None stands for the report's own."""
        if perturbation not in self._drawn:
            perturbation_or_own = perturbation or self._own_donors.perturbation
            self._drawn[perturbation] = SharedDonors.draw(
                perturbation_or_own, self._background, self.x, _N_DONORS, self.seed
            )
        return self._drawn[perturbation]

    @cached_property
    def _copies(self):
        """Perturbation, width and stride of each explainer by windows.

        The same ones stand for explainers that make the same copies.
        """
        own = self._own_donors.perturbation
        distinct = [(own, *self._own_windows)]
        found = {}
        for name in self.names:
            explainer = EXPLAINERS[name]
            if not isinstance(explainer, Windows):
                continue
            windows = self._own_windows
            if explainer.window is not None:
                windows = width_and_stride(explainer.window, None, self.x.shape[2])
            wanted = (explainer.perturbation or own, *windows)
            same = (one for one in distinct if self._same(one, wanted))
            found[explainer] = next(same, wanted)
            distinct.append(found[explainer])
        return found

    def _same(self, one, other):
        """Tell whether two perturbations with their windows give the same copies."""
        if one == other:
            return True
        if one[1:] != other[1:] or one[0].needs_donors or other[0].needs_donors:
            return False
        width, stride = one[1:]
        tolerance = 1e-6 * float(self.x.std()) if self.x.numel() > 1 else 0.0
        for start in window_starts(self.x.shape[2], width, stride):
            at = torch.full((len(self.x),), int(start))
            fillers = (part[0].filler(self.x, at, width) for part in (one, other))
            if (next(fillers) - next(fillers)).abs().max() > tolerance:
                return False
        return True

    def of_windows(self, model, explainer):
        """Saliency of a model with an explainer's windows, of shape (n_instances, n_timepoints)."""
        copies = self._copies[explainer]
        if copies == (self._own_donors.perturbation, *self._own_windows):
            return model.saliency.common_values
        known = model.saliency_by_copies
        if copies not in known:
            perturbation, width, stride = copies
            is_own = perturbation == self._own_donors.perturbation
            known[copies] = measure(
                model.scorer,
                self.x,
                model.log_p,
                self.donors(None if is_own else perturbation),
                classes=model.classes,
                width=width,
                stride=stride,
                **self.batches,
            ).common_values
        return known[copies]

    def explain(self, model, targets):
        """Explain a model's answers by each explainer.

        Parameters
        ----------
        model : MeasuredModel
        targets : numpy.ndarray of shape (n_instances,), int
            The model's column of the class whose evidence is wanted: the teacher's answer.

        Returns
        -------
        explanations : dict of str to numpy.ndarray of shape (n_instances, n_timepoints)
            None for an explainer that does not apply to the model.
        """
        return {name: EXPLAINERS[name].explain(self, model, targets) for name in self.names}

    def compare(self, of_teacher, of_student):
        """Correlate the explanations of two models.

        Parameters
        ----------
        of_teacher, of_student : dict
            From `explain`.

        Returns
        -------
        samples : dict of str to numpy.ndarray of shape (n_instances,)
            `saliency_spearman` by each explainer, NaN if it does not apply to both models, and
            the mean of those that do. Empty without explainers.
        """
        if not self.names:
            return {}
        found = {}
        for name in self.names:
            pair = of_teacher[name], of_student[name]
            applies = all(explanation is not None for explanation in pair)
            missing = np.full(len(self.x), np.nan)
            found[f"{HELD_OUT}_{name}"] = saliency_spearman(*pair) if applies else missing
        known = [values for values in found.values() if not np.isnan(values).any()]
        return {HELD_OUT: np.mean(known, axis=0) if known else missing, **found}
