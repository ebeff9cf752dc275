"""How far a classifier's answer moves when a window of a series is perturbed."""

import numpy as np

from sktime_tsd._scoring.scorer_of import scorer_of
from sktime_tsd._utils.validation import (
    check_flag,
    check_random_state_parameter,
    check_verbose,
    class_indices,
)
from sktime_tsd.saliency._copy_batches import most_at_once
from sktime_tsd.saliency._covering import width_and_stride
from sktime_tsd.saliency._measure import measure
from sktime_tsd.saliency._shared_donors import SharedDonors, as_tensor

__all__ = ["temporal_saliency"]


def temporal_saliency(
    classifier,
    X,
    *,
    background=None,
    perturbation=None,
    window=0.1,
    stride=None,
    n_donors=8,
    target=None,
    per_channel=False,
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
    questions, and the saliency of a series does not depend, up to rounding, on the other
    series. Perturbed series are computed in float32; probabilities below 1e-6 count as 1e-6.

    Parameters
    ----------
    classifier : fitted classifier
        Of sktime, of scikit-learn on 3-D arrays, or ours: anything with ``predict_proba``.
        Ours compute on their device.
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
        Or any other sktime panel of equal-length series. A 2-D array is one channel.
    background : panel like `X`, or tuple (panel, labels), optional
        Where donors come from, usually the training series; with labels, all classes have
        as equal numbers of donors as they can. Without it windows are filled by linear
        interpolation, and the result says so.
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
    target : label or array-like of shape (n_instances,), optional
        A class, or one for each series, such as ``classifier.predict(X)``. The saliency is
        then the fall of its probability, mean of
        :math:`p_{target}(x) - p_{target}(\tilde x_{W, d})`: positive where the series speaks
        for the class, negative where against it.
    per_channel : bool, default=False
        Perturb one channel at a time, for values per channel; n_channels times the work.
    batch_size : int, default=1024
        Most perturbed series that exist at once: bounds the memory, whatever the number of
        series, time points and donors. Changes results by rounding alone.
    random_state : int, RandomState or None, default=None
        Draws the donors.
    verbose : int, default=0
        1 shows a progress bar.

    Returns
    -------
    saliency : Saliency
        ``saliency.values[i]`` is that of series i, one value per time point, or of shape
        (n_channels, n_timepoints). Higher values: the answer rests more on this part.

    Raises
    ------
    ValueError, TypeError
        If the classifier cannot score the series, an option cannot be used, or the
        perturbation needs donors and there is no background.

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
    X = as_tensor(X)
    width, stride = width_and_stride(window, stride, X.shape[2])
    batch_size = most_at_once(batch_size)
    check_flag("per_channel", per_channel)
    check_verbose(verbose)
    check_random_state_parameter(random_state)
    donors = SharedDonors.draw(perturbation, background, X, n_donors, random_state)
    scorer = scorer_of(classifier)
    log_p = np.concatenate([scorer.log_probabilities(x) for x in X.split(batch_size)])
    classes = scorer.labels(log_p.shape[1])
    targets = _check_target(target, classes, len(X))
    return measure(
        scorer,
        X,
        log_p,
        donors,
        width=width,
        stride=stride,
        classes=classes,
        targets=targets,
        per_channel=per_channel,
        batch_size=batch_size,
        verbose=verbose,
    )


def _check_target(target, classes, n_instances):
    """Tell the column of each series' target; None without a target."""
    if target is None:
        return None
    labels = np.empty(n_instances, dtype=object)
    if isinstance(target, np.ndarray):
        target = target.tolist()
    if isinstance(target, str) or not np.iterable(target):
        labels[:] = [target] * n_instances
    elif len(target) == n_instances:
        labels[:] = list(target)
    else:
        raise ValueError(
            f"target must be a class or one class for each of {n_instances} series; got "
            f"{len(target)}."
        )
    return class_indices("target", labels, classes)
