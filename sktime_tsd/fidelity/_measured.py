"""One classifier of a comparison, with its measurements cached."""

from functools import cached_property

import numpy as np

from sktime_tsd._scoring.classifier import in_native_dtype
from sktime_tsd._scoring.scorer import clipped_logits, floored
from sktime_tsd._scoring.scorer_of import makes_scorer
from sktime_tsd._utils.pipelines import split_pipeline
from sktime_tsd.fidelity._bootstrap import median_of_draws
from sktime_tsd.fidelity._cost import latency, parameters, size
from sktime_tsd.saliency._measure import measure

__all__ = ["MeasuredModel"]


class MeasuredModel:
    """A fitted classifier with its probabilities, saliency and cost on given series.

    Each is measured on first access and kept.

    Parameters
    ----------
    scorer : Scorer
    panel : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
        Series as the user passed them.
    picked : numpy.ndarray of int
        Indices of the series that saliency is measured on.
    x : torch.Tensor of shape (n_picked, n_channels, n_timepoints)
        Those series, in the precision they need.
    donors : SharedDonors
    of_saliency : dict
        Further arguments of `saliency._measure.measure`.
    """

    def __init__(self, scorer, *, panel, picked, x, donors, of_saliency):
        self.scorer = scorer
        self.classifier = self.scorer.classifier
        self._panel = panel
        self._picked = picked
        self._x = x
        self._donors = donors
        self._of_saliency = of_saliency
        self.saliency_by_copies = {}  # what the panel has measured

    @property
    def name(self):
        """Type of the classifier, with the name of its network if it has one."""
        network = getattr(self.classifier, "network", None)
        own = f"({network!r})" if isinstance(network, str) else ""
        return type(self.classifier).__name__ + own

    @cached_property
    def probabilities(self):
        """Probabilities of all series, of shape (n_instances, n_classes)."""
        # of the series as passed, not in float32; a copy, since some classifiers change their input
        return self.scorer.probabilities(self._panel.copy())

    @property
    def classes(self):
        """Labels of the columns of `probabilities`."""
        return self.scorer.labels(self.probabilities.shape[1])

    @cached_property
    def log_p(self):
        """Log-probabilities of the picked series, of shape (n_picked, n_classes)."""
        if self.scorer.is_consistent:
            return floored(clipped_logits(self.probabilities[self._picked]))
        # the copies are scored by their logits, so the series must be
        parts = self._x.split(self._of_saliency["batch_size"])
        return np.concatenate([self.scorer.log_probabilities(x) for x in parts])

    @cached_property
    def saliency(self):
        """`Saliency` of the picked series."""
        return measure(
            self.scorer,
            self._x,
            self.log_p,
            self._donors,
            classes=self.classes,
            **self._of_saliency,
        )

    def _network(self):
        """Return the network, also of a pipeline or a search; None if there is none."""
        _, last = split_pipeline(self.classifier)
        inside = last is not self.classifier and makes_scorer(last)
        return last._scorer().network if inside else self.scorer.network

    def cost(self, intervals, *, with_latency):
        """Measure size and, if requested, the time of single calls.

        Parameters
        ----------
        intervals : Bootstrap
        with_latency : bool

        Returns
        -------
        metrics : dict of str to numpy.ndarray of shape (3,)
            Value, low and high.
        """
        found = {
            "parameters": np.repeat(parameters(self.classifier, self._network()), 3),  # exact
            "bytes": np.repeat(size(self.classifier), 3),
        }
        answer = getattr(self.classifier, "predict_proba", self.scorer.probabilities)
        series = in_native_dtype(self.classifier, self._panel)
        for n_series in (1, 256) if with_latency else ():
            milliseconds = latency(answer, series, n_series)
            median = median_of_draws(milliseconds)
            found[f"latency_{n_series}"] = intervals.of(median, len(milliseconds))
        return found
