"""Shapley values of the windows of series, by sampling permutations."""

import numpy as np
import torch

from sktime_tsd.saliency._copy_batches import batches_of_copies

__all__ = ["window_shapley"]


def window_shapley(
    scorer,
    X,
    probabilities,
    targets,
    donors,
    *,
    n_windows=10,
    n_pairs=3,
    seed=0,
    batch_size=1024,
    verbose=0,
):
    r"""Estimate how much each window of a series adds to the probability of a class.

    The series is cut into windows without overlap. The value of a set of windows is the
    probability of the class when all other windows are filled. The Shapley value of a window is
    what it adds to that, averaged over the orders in which windows can be added to an empty
    series. Orders are sampled, each together with its reverse; all series and all classifiers
    share them. A removed time point takes its value under a perturbation window that spans the
    whole series.

    The values of a series sum exactly to the probability of its class minus its mean over the
    series filled as a whole.

    Parameters
    ----------
    scorer : Scorer
    X : torch.Tensor of shape (n_instances, n_channels, n_timepoints)
    probabilities : numpy.ndarray of shape (n_instances,)
        Of each series' class, for the whole series.
    targets : numpy.ndarray of shape (n_instances,), int
        Column of each series' class.
    donors : SharedDonors
        What fills removed windows; each pair of orders uses one donor, in turn.
    n_windows : int, default=10
        Of about equal width; fewer for series of fewer time points.
    n_pairs : int, default=3
        Orders sampled, besides their reverses.
    seed : int, default=0
        Of the orders.
    batch_size : int, default=1024
        Maximum number of perturbed series at once.
    verbose : int, default=0

    Returns
    -------
    values : numpy.ndarray of shape (n_instances, n_timepoints)
        The time points of a window share its value. In [-1, 1]: positive where the window
        supports the class.

    References
    ----------
    Strumbelj, Kononenko, "An efficient explanation of individual classifications using game
    theory", JMLR 2010. Orders with their reverses: Mitchell et al., "Sampling permutations for
    Shapley value estimation", JMLR 2022.
    """
    n_instances, _, n_timepoints = X.shape
    n_windows = min(n_windows, n_timepoints)
    window_of_point = np.arange(n_timepoints) * n_windows // n_timepoints
    orders, kept = _coalitions(n_windows, n_pairs, seed)
    per_pair = kept.shape[1]
    values = np.zeros(n_instances * n_pairs * per_pair)
    for batch in batches_of_copies(
        n_instances,
        n_pairs * per_pair,
        1,
        batch_size=batch_size,
        description="window Shapley values",
        verbose=verbose,
    ):
        x = batch.originals(X, X.device)
        pair, coalition = np.divmod(batch.entry, per_pair)
        start = torch.zeros(len(x), dtype=torch.int64)
        filler = donors.fill(x, start, n_timepoints, pair % donors.n_donors)
        stays = torch.from_numpy(kept[pair, coalition][:, window_of_point])
        x = torch.where(stays[:, None], x, filler)
        log_p = scorer.log_probabilities(x)
        batch.add_over_donors(values, np.exp(log_p[np.arange(len(x)), targets[batch.series]]))
    values = values.reshape(n_instances, n_pairs, per_pair)

    # the values of the sets along each order, from the empty set to the whole series
    empty = values[:, :, None, -1:].repeat(2, axis=2)
    along = values[:, :, :-1].reshape(n_instances, n_pairs, 2, n_windows - 1)
    whole = np.broadcast_to(probabilities[:, None, None, None], empty.shape)
    added = np.diff(np.concatenate([empty, along, whole], axis=-1))
    of_windows = np.zeros((n_instances, n_windows))
    for pair, both in enumerate(orders):
        for direction, order in enumerate(both):
            of_windows[:, order] += added[:, pair, direction]
    return (of_windows / (2 * n_pairs))[:, window_of_point]


def _coalitions(n_windows, n_pairs, seed):
    """Sample orders, and list the sets of windows met along each.

    Returns
    -------
    orders : numpy.ndarray of shape (n_pairs, 2, n_windows), int
        Each with its reverse.
    kept : numpy.ndarray of shape (n_pairs, 2 * (n_windows - 1) + 1, n_windows), bool
        Which windows are in each set: the first, the first two, ... of both orders; the empty
        set last.
    """
    random_state = np.random.RandomState(seed)
    forward = np.array([random_state.permutation(n_windows) for _ in range(n_pairs)])
    orders = np.stack([forward, forward[:, ::-1]], axis=1)
    rank = orders.argsort(axis=2)  # place of each window in the order
    sizes = np.arange(1, n_windows)[:, None]
    of_orders = (rank[:, :, None] < sizes).reshape(n_pairs, -1, n_windows)
    empty = np.zeros((n_pairs, 1, n_windows), dtype=bool)
    return orders, np.concatenate([of_orders, empty], axis=1)
