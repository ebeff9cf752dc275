"""Measures how much a classifier's answer changes when a window of a series is perturbed."""

import numpy as np
import pandas as pd

from sktime_tsd._panels.labels import aligned
from sktime_tsd._panels.panel import channel_names, read_panel, rules_of
from sktime_tsd._scoring.scorer_of import scorer_of
from sktime_tsd._utils.usual_state import in_usual_state
from sktime_tsd._utils.validation import (
    check_flag,
    check_random_state_parameter,
    check_verbose,
    class_indices,
)
from sktime_tsd.saliency._copy_batches import most_at_once
from sktime_tsd.saliency._covering import width_and_stride
from sktime_tsd.saliency._measure import measure
from sktime_tsd.saliency._shared_donors import (
    SharedDonors,
    as_tensor,
    read_background,
    warn_of_lost_digits,
)

__all__ = ["temporal_saliency"]


@in_usual_state
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
    r"""Measure which parts of a series a classifier's answer depends on.

    The saliency of time point u of series x is a mean over the windows W that cover u and
    over the donors d,

    .. math:: S(u) = \mathrm{mean}_{W \ni u,\, d} \;
              \mathrm{KL}(p(x) \,\|\, p(\tilde x_{W, d}))

    where p are the classifier's probabilities and :math:`\tilde x_{W, d}` is x with
    window W taken from donor d. The donors are drawn once, from any class, and shared by
    all series. So two classifiers called with the same background and seed are tested on
    the same perturbed series, and the saliency of a series does not depend on the other
    series, up to rounding. Perturbed series are computed in float32, or in float64 if
    float32 cannot tell the series apart; probabilities below 1e-6 count as 1e-6.

    Parameters
    ----------
    classifier : fitted classifier
        Anything with ``predict_proba``: from sktime, from this package, or from scikit-learn
        if it reads 3-D arrays. This package's classifiers compute on their device.
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
        Or any other panel that `fit` accepts. A 2-D array is one channel. Named channels are
        put in the order of the classifier's. Series of unequal length and with missing values
        are read as by the classifier; windows replace parts of what it reads.
    background : panel like `X`, or tuple (panel, labels), optional
        Where donors come from, usually the training series. With labels, donors are spread
        as evenly as possible over the classes. Without a background, windows are filled by
        linear interpolation, and the result says so.
    perturbation : Perturbation, optional
        What fills a window; by default ``AnyClass()`` with a background, else
        ``LinearInterpolation()``.
    window : float or int, default=0.1
        Width of a window: a float is a fraction of the series, an int is time points.
    stride : int, optional
        Time points from one window to the next; by default half a window. The last
        window always ends at the end of the series.
    n_donors : int, default=8
        Donors per window, at most as many as the background has series.
    target : label or array-like of shape (n_instances,), optional
        A class, or one for each series, such as ``classifier.predict(X)``. The saliency is
        then the drop in its probability, the mean of
        :math:`p_{target}(x) - p_{target}(\tilde x_{W, d})`: positive where the series supports
        the class, negative where it speaks against it.
    per_channel : bool, default=False
        Perturb one channel at a time and return values per channel. Takes n_channels times
        the work.
    batch_size : int, default=1024
        Maximum number of perturbed series at once. It limits the memory, whatever the number
        of series, time points and donors, and changes results only by rounding.
    random_state : int, RandomState or None, default=None
        Seeds the drawing of donors.
    verbose : int, default=0
        1 shows a progress bar.

    Returns
    -------
    saliency : Saliency
        ``saliency.values[i]`` belongs to series i, on its own time axis. It has shape
        (n_timepoints,), or (n_channels, n_timepoints) with `per_channel`. Higher values: the
        answer depends more on this part.

    Raises
    ------
    ValueError, TypeError
        If the classifier cannot score the series, an option cannot be used, or the
        perturbation needs donors but there is no background.

    References
    ----------
    Occlusion: Zeiler, Fergus, "Visualizing and understanding convolutional networks",
    ECCV 2014. KL divergence and donors: doi 10.3233/FAIA251144.

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
    rules = rules_of(classifier)
    panel = read_panel(X, rules).in_order(channel_names(classifier))
    background = read_background(background, panel, rules)
    X = as_tensor(panel, background)
    width, stride = width_and_stride(window, stride, X.shape[2])
    batch_size = most_at_once(batch_size)
    check_flag("per_channel", per_channel)
    check_verbose(verbose)
    check_random_state_parameter(random_state)
    donors = SharedDonors.draw(perturbation, background, X, n_donors, random_state)
    scorer = scorer_of(classifier)
    warn_of_lost_digits(X, scorer)
    log_p = np.concatenate([scorer.log_probabilities(x) for x in X.split(batch_size)])
    classes = scorer.labels(log_p.shape[1])
    if isinstance(target, pd.Series):
        target = aligned("target", target, panel)
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
        lengths=panel.lengths,
        per_channel=per_channel,
        batch_size=batch_size,
        verbose=verbose,
    )


def _check_target(target, classes, n_instances):
    """Return the column of each series' target, or None without a target."""
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
            f"target must be one class, or one class for each of {n_instances} series; got "
            f"{len(target)} classes."
        )
    return class_indices("target", labels, classes)
