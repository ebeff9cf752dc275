"""How an answer changes when salient parts are removed, or only they are kept."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.integrate import trapezoid

from sktime_tsd.fidelity._reasons import without_rounding
from sktime_tsd.saliency._copy_batches import batches_of_copies

__all__ = ["KINDS", "REMOVAL_SCORES", "RemovalCurves", "removal_curves"]

# Shares of the time points at which curves are computed; the ends are exact.
FRACTIONS = (0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0)

# Shares over which comprehensiveness and sufficiency are averaged, as by their authors.
_BINS = (0.01, 0.05, 0.1, 0.2, 0.5)

KINDS = ("deletion", "insertion")


@dataclass(frozen=True, eq=False)
class RemovalCurves:
    """Deletion and insertion curves of several classifiers by several saliencies.

    Parameters
    ----------
    fractions : numpy.ndarray of shape (n_points,)
        Share of the time points that are removed (deletion) or kept (insertion).
    values : dict of (kind, model, source) to numpy.ndarray of shape (n_instances, n_points)
        Probability that `model` gives to its answer on the whole series as time points are
        removed or added in the order of the saliency of `source`.
    """

    fractions: np.ndarray
    values: dict

    def deletion_area(self, model, source):
        r"""Area under the deletion curve.

        The probability of the model's answer on the whole series, integrated over the share of
        time points removed, the most salient first.

        Parameters
        ----------
        model : str
            Whose answer is measured.
        source : str
            Whose saliency decides what is removed first.

        Returns
        -------
        area : numpy.ndarray of shape (n_instances,)
            In [0, 1]; lower is better: the probability drops once the salient parts are gone.

        References
        ----------
        Petsiuk, Das, Saenko, "RISE: Randomized input sampling for explanation of black-box
        models", BMVC 2018.
        """
        return trapezoid(self.values["deletion", model, source], self.fractions, axis=1)

    def insertion_area(self, model, source):
        """Area under the insertion curve.

        The probability of the model's answer on the whole series, integrated over the share of
        time points kept, the most salient first.

        Parameters
        ----------
        model : str
            Whose answer is measured.
        source : str
            Whose saliency decides what is added first.

        Returns
        -------
        area : numpy.ndarray of shape (n_instances,)
            In [0, 1]; higher is better: few time points restore the answer.

        References
        ----------
        Petsiuk, Das, Saenko, "RISE: Randomized input sampling for explanation of black-box
        models", BMVC 2018.
        """
        return trapezoid(self.values["insertion", model, source], self.fractions, axis=1)

    def comprehensiveness(self, model, source):
        """Drop in the answer's probability when the most salient time points are removed.

        Averaged over the most salient 1, 5, 10, 20 and 50 %.

        Parameters
        ----------
        model : str
            Whose answer is measured.
        source : str
            Whose saliency decides what is removed.

        Returns
        -------
        fall : numpy.ndarray of shape (n_instances,)
            In [-1, 1]; higher is better: the answer needed what was removed.

        References
        ----------
        DeYoung et al., "ERASER: A benchmark to evaluate rationalized NLP models", ACL 2020.
        """
        return self._mean_fall("deletion", model, source)

    def sufficiency(self, model, source):
        """Drop in the answer's probability when only the most salient time points are kept.

        Averaged over the most salient 1, 5, 10, 20 and 50 %.

        Parameters
        ----------
        model : str
            Whose answer is measured.
        source : str
            Whose saliency decides what is kept.

        Returns
        -------
        fall : numpy.ndarray of shape (n_instances,)
            In [-1, 1]; lower is better: what was kept carries the answer.

        References
        ----------
        DeYoung et al., "ERASER: A benchmark to evaluate rationalized NLP models", ACL 2020.
        """
        return self._mean_fall("insertion", model, source)

    def _mean_fall(self, kind, model, source):
        whole = self.values["deletion", model, source][:, :1]
        columns = [FRACTIONS.index(fraction) for fraction in _BINS]
        return (whole - self.values[kind, model, source][:, columns]).mean(axis=1)


# metric name -> function of curves, model and source
REMOVAL_SCORES = {
    name: getattr(RemovalCurves, name)
    for name in ("deletion_area", "insertion_area", "comprehensiveness", "sufficiency")
}


def removal_curves(models, X, saliencies, donors, *, n_donors, batch_size, verbose):
    """Compute the curves of every classifier by every saliency.

    A removed time point takes its value under a perturbation window that spans the whole
    series: that of the donor, 0, the series' mean, ...; the mean for linear interpolation.

    Parameters
    ----------
    models : dict of str to object
        Each with a ``scorer`` and ``log_p``, its log-probabilities of `X` of shape
        (n_instances, n_classes).
    X : torch.Tensor of shape (n_instances, n_channels, n_timepoints)
    saliencies : dict of str to numpy.ndarray of shape (n_instances, n_timepoints)
        The sources. Among equal values, the earlier time point counts as more salient.
    donors : SharedDonors
    n_donors : int
        Maximum number of donors to average a curve over.
    batch_size : int
        Maximum number of perturbed series at once.
    verbose : int

    Returns
    -------
    curves : RemovalCurves
    """
    n_instances, _, n_timepoints = X.shape
    n_donors = min(n_donors, donors.n_donors)
    n_removed = np.ceil(np.array(FRACTIONS) * n_timepoints).astype(int)
    # entry 0 removes everything; each other entry removes ranks [first, end) of one source
    inner = [k for k in np.unique(n_removed) if 0 < k < n_timepoints]
    entries = {("all", None): (0, 0, n_timepoints)}
    for number, source in enumerate(saliencies):
        for k in inner:
            entries["deletion", source, k] = (number, 0, k)
            entries["insertion", source, k] = (number, k, n_timepoints)
    which, first_rank, end_rank = np.array(list(entries.values())).T
    ranks = np.stack(
        [
            np.argsort(np.argsort(-without_rounding(s), axis=1, kind="stable"), axis=1)
            for s in saliencies.values()
        ]
    )  # (n_sources, n_instances, n_timepoints)

    answers = {name: model.log_p.argmax(axis=1) for name, model in models.items()}
    whole = {name: np.exp(model.log_p.max(axis=1)) for name, model in models.items()}
    left = {name: np.zeros(n_instances * len(entries)) for name in models}
    for batch in batches_of_copies(
        n_instances,
        len(entries),
        n_donors,
        batch_size=batch_size,
        description="removal curves",
        verbose=verbose,
    ):
        x = batch.originals(X, X.device)
        start = torch.zeros(len(x), dtype=torch.int64)
        filler = donors.fill(x, start, n_timepoints, batch.donor)
        rank = ranks[which[batch.entry], batch.series]  # (n, n_timepoints)
        goes = (rank >= first_rank[batch.entry, None]) & (rank < end_rank[batch.entry, None])
        x = torch.where(torch.from_numpy(goes)[:, None], filler, x)
        for name, model in models.items():
            log_p = model.scorer.log_probabilities(x)
            of_answer = log_p[np.arange(len(x)), answers[name][batch.series]]
            batch.add_over_donors(left[name], np.exp(of_answer) / n_donors)

    columns = {name: i for i, name in enumerate(entries)}
    values = {}
    for model in models:
        of_entries = left[model].reshape(n_instances, -1)
        ends = {"deletion": (whole[model], of_entries[:, 0])}
        ends["insertion"] = ends["deletion"][::-1]
        for source in saliencies:
            for kind in KINDS:
                curve = {0: ends[kind][0], n_timepoints: ends[kind][1]}
                curve |= {k: of_entries[:, columns[kind, source, k]] for k in inner}
                values[kind, model, source] = np.stack([curve[k] for k in n_removed], axis=1)
    return RemovalCurves(n_removed / n_timepoints, values)
