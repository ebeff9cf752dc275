"""Measures the saliency of a scorer's answers, with donors already drawn."""

import numpy as np
import torch

from sktime_tsd.saliency._copy_batches import batches_of_copies
from sktime_tsd.saliency._covering import window_starts
from sktime_tsd.saliency._result import Saliency

__all__ = ["measure"]


def measure(
    scorer,
    X,
    log_p,
    donors,
    *,
    width,
    stride,
    classes,
    targets=None,
    lengths=None,
    per_channel=False,
    batch_size=1024,
    verbose=0,
):
    """Measure temporal saliency; see `temporal_saliency` for the formula.

    Parameters
    ----------
    scorer : Scorer
    X : torch.Tensor of shape (n_instances, n_channels, n_timepoints), float32
    log_p : numpy.ndarray of shape (n_instances, n_classes)
        Log-probabilities of `X`, from the scorer.
    donors : SharedDonors
    width, stride : int
        Window width and stride, in time points.
    classes : numpy.ndarray of shape (n_classes,)
        Labels.
    targets : numpy.ndarray of shape (n_instances,), int, optional
        Index of the class whose probability is measured. None measures the divergence over
        all classes.
    lengths : Lengths, optional
        Of the series before they were resampled.
    per_channel : bool, default=False
    batch_size : int, default=1024
        Maximum number of perturbed series at once.
    verbose : int, default=0

    Returns
    -------
    saliency : Saliency
    """
    n_instances, n_channels, n_timepoints = X.shape
    starts = window_starts(n_timepoints, width, stride)
    shape = (n_instances, n_channels if per_channel else 1, len(starts))  # of the windows
    divergences = np.zeros((np.prod(shape), len(classes)))  # by class, summed over the donors
    falls = None if targets is None else np.zeros(len(divergences))
    batches = batches_of_copies(
        n_instances,
        shape[1] * shape[2],
        donors.n_donors,
        batch_size=batch_size,
        description="saliency",
        verbose=verbose,
    )
    for batch in batches:
        series = batch.series
        channel, window_index = np.divmod(batch.entry, len(starts))
        x = batch.originals(X, scorer.device)
        at = torch.from_numpy(starts[window_index]).to(scorer.device)
        if per_channel:
            filled = donors.fill(x.clone(), at, width, batch.donor)
            rows = np.arange(len(x))
            x[rows, channel] = filled[rows, channel]
        else:
            x = donors.fill(x, at, width, batch.donor)
        log_q = scorer.log_probabilities(x)
        gap = log_p[series] - log_q
        batch.add_over_donors(divergences, np.exp(log_p[series]) * gap)
        if falls is not None:
            wanted = np.arange(len(x)), targets[series]
            fall = np.exp(log_p[series][wanted]) - np.exp(log_q[wanted])
            batch.add_over_donors(falls, fall)

    divergences = divergences.reshape(*shape, -1) / donors.n_donors
    if targets is None:
        # rounding can leave a divergence of zero slightly below it
        values = divergences.sum(axis=-1).clip(min=0)
    else:
        values = falls.reshape(shape) / donors.n_donors
    of_classes = np.moveaxis(divergences, -1, 1)
    return Saliency(
        window_values=values if per_channel else values[:, 0],
        window_class_values=of_classes if per_channel else of_classes[:, :, 0],
        starts=starts,
        width=width,
        n_timepoints=n_timepoints,
        classes=classes,
        perturbation=donors.perturbation,
        n_donors=None if donors.picked is None else donors.n_donors,
        from_background=donors.from_background,
        target=None if targets is None else classes[targets],
        lengths=lengths,
    )
