"""Temporal saliency of any fitted classifier: which parts of a series its answer rests on."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import log_softmax
from sktime.datatypes import convert_to
from tqdm.auto import tqdm

from sktime_tsd._random import draw_seed
from sktime_tsd._teacher import class_logits
from sktime_tsd._validation import as_float32_panel, check_number
from sktime_tsd.perturbations import AnyClass, LinearInterpolation, Perturbation, window_width

__all__ = ["Saliency", "temporal_saliency"]


@dataclass(frozen=True)
class Saliency:
    """Temporal saliency of a classifier on some series.

    Parameters
    ----------
    values : numpy.ndarray of shape (n_instances, n_timepoints)
        In nats, 0 or more: how far the answer moves when the surroundings of a time point
        are perturbed.
    window_values : numpy.ndarray of shape (n_instances, n_windows)
        The same for each window, averaged over the donors.
    starts : numpy.ndarray of shape (n_windows,)
        First time point of each window.
    width : int
        Time points per window.
    perturbation : Perturbation
        What filled the windows.
    """

    values: np.ndarray
    window_values: np.ndarray
    starts: np.ndarray
    width: int
    perturbation: Perturbation

    @property
    def window_weights(self):
        """Share of each window in each time point, of shape (n_windows, n_timepoints).

        Each column sums to 1.
        """
        points = np.arange(self.values.shape[1])
        starts = self.starts[:, None]
        covers = (starts <= points) & (points < starts + self.width)
        return covers / covers.sum(axis=0)

    def __str__(self):
        n, t = self.values.shape
        return (
            f"Temporal saliency of {n} series of {t} time points: {len(self.starts)} windows of "
            f"{self.width}, filled by {self.perturbation}; mean {self.values.mean():.4g} nats, "
            f"largest {self.values.max():.4g}."
        )


def temporal_saliency(
    classifier,
    X,
    *,
    background=None,
    perturbation=None,
    window=0.1,
    stride=None,
    n_donors=8,
    batch_size=1024,
    random_state=None,
    verbose=0,
):
    r"""Tell which parts of a series a classifier's answer rests on.

    For a time point u of series x, the mean over the windows W that cover u and over the
    donors d

    .. math:: S(u) = \mathrm{mean}_{W \ni u,\, d} \;
              \mathrm{KL}(p(x) \,\|\, p(\tilde x_{W, d}))

    where p are the classifier's probabilities and :math:`\tilde x_{W, d}` is x with
    window W taken from donor d. The donors are drawn once, of any class, and shared by
    all series: two classifiers called with the same background and seed answer the same
    questions, and the saliency of a series does not depend on the other series.

    Parameters
    ----------
    classifier : fitted classifier
        Of sktime, of scikit-learn on 3-D arrays, or ours.
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
        Or any other sktime panel of equal-length series.
    background : numpy.ndarray of shape (n_background, n_channels, n_timepoints), optional
        Where donors come from, usually the training series. Without it windows are filled
        by linear interpolation.
    perturbation : Perturbation, optional
        What fills a window; by default ``AnyClass()`` with a background, else
        ``LinearInterpolation()``.
    window : float or int, default=0.1
        A float is a fraction of the series, an int a number of time points.
    stride : int, optional
        Time points from one window to the next; by default half a window. The last
        window always ends at the end of the series.
    n_donors : int, default=8
        Donors per window, at most as many as the background has series.
    batch_size : int, default=1024
        Perturbed series that are scored at once; bounds the memory.
    random_state : int, RandomState or None, default=None
        Draws the donors.
    verbose : int, default=0
        1 shows a progress bar.

    Returns
    -------
    saliency : Saliency
        ``saliency.values[i]`` is that of series i, one value per time point. Higher values:
        the answer rests more on this part.

    Raises
    ------
    ValueError, TypeError
        If the series or an option cannot be used, or the perturbation needs donors and
        there is no background.

    References
    ----------
    Occlusion: Zeiler, Fergus, "Visualizing and understanding convolutional networks",
    ECCV 2014; by KL and donors as in doi 10.3233/FAIA251144.

    Examples
    --------
    >>> from sktime_tsd import SkorchClassifier, temporal_saliency
    >>> from sktime_tsd.datasets import make_planted_motifs
    >>> X, y, mask = make_planted_motifs(n_instances=60, n_timepoints=60, random_state=0)
    >>> clf = SkorchClassifier("fcn", {"filters": (8, 8), "kernel_sizes": (7, 5)},
    ...                        max_epochs=30, random_state=0).fit(X, y)
    >>> saliency = temporal_saliency(clf, X[:10], background=X, random_state=0)
    >>> saliency.values.shape
    (10, 60)
    >>> inside = saliency.values[mask[:10, 0]].mean()
    >>> outside = saliency.values[~mask[:10, 0]].mean()
    >>> bool(inside > 3 * outside)
    True
    """
    X = _as_tensor(X)
    width = window_width(window, X.shape[2])
    stride = max(1, width // 2) if stride is None else stride
    check_number("stride", stride, integer=True, low=1, high=width)
    check_number("n_donors", n_donors, integer=True, low=1)
    check_number("batch_size", batch_size, integer=True, low=1)
    if perturbation is None:
        perturbation = LinearInterpolation() if background is None else AnyClass()
    donors = _shared_donors(perturbation, background, X, n_donors, random_state)

    last = X.shape[2] - width
    starts = np.unique(np.append(np.arange(0, last, stride), last))
    shape = (len(X), len(starts), 1 if donors is None else len(donors))
    log_p = log_softmax(class_logits(classifier, X.numpy()).astype(np.float64), axis=1)

    divergences = np.empty(np.prod(shape))
    with tqdm(
        total=len(divergences), desc="saliency", unit="series", disable=not verbose
    ) as progress:
        for first in range(0, len(divergences), batch_size):
            flat = np.arange(first, min(first + batch_size, len(divergences)))
            series, window_index, donor = np.unravel_index(flat, shape)
            perturbed = perturbation.fill(
                X[series],
                torch.from_numpy(starts[window_index]),
                width,
                None if donors is None else donors[donor],
            )
            log_q = log_softmax(
                class_logits(classifier, perturbed.numpy()).astype(np.float64), axis=1
            )
            gap = log_p[series] - log_q
            divergences[flat] = (np.exp(log_p[series]) * gap).sum(axis=1)
            progress.update(len(flat))

    # rounding can leave a divergence of zero slightly below it
    window_values = divergences.reshape(shape).mean(axis=2).clip(min=0)
    saliency = Saliency(
        values=np.zeros((len(X), X.shape[2])),
        window_values=window_values,
        starts=starts,
        width=width,
        perturbation=perturbation,
    )
    saliency.values[:] = window_values @ saliency.window_weights
    return saliency


def _as_tensor(X):
    """Make a float32 tensor of any panel that `fit` takes; a 2-D array is one channel."""
    if not isinstance(X, np.ndarray):
        X = convert_to(X, "numpy3D", as_scitype="Panel")
    X = torch.from_numpy(as_float32_panel(X))
    return X.unsqueeze(1) if X.ndim == 2 else X


def _shared_donors(perturbation, background, X, n_donors, random_state):
    """Draw the donors that all series share; None where none are needed."""
    if not perturbation.needs_donors:
        return None
    if perturbation.needs_labels:
        raise ValueError(
            f"{perturbation} picks donors by class, but the donors of temporal_saliency are of "
            "any class and shared by all series. Use AnyClass()."
        )
    generator = torch.Generator().manual_seed(draw_seed(random_state))
    if background is None:
        background = X[:1]
        if type(perturbation).pool is Perturbation.pool:
            raise ValueError(
                f"{perturbation} fills windows from other series: give them as background, "
                "usually the training series."
            )
    else:
        background = _as_tensor(background)
        if background.shape[1:] != X.shape[1:]:
            raise ValueError(
                f"background has series of shape {tuple(background.shape[1:])}, X of shape "
                f"{tuple(X.shape[1:])}; they must agree."
            )
    pool = perturbation.pool(background, generator)
    return pool[torch.randperm(len(pool), generator=generator)[:n_donors]]
