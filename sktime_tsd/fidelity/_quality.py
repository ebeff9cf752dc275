"""Quality of a classifier's probabilities, given the true labels."""

import numpy as np
from scipy.integrate import trapezoid
from sklearn.metrics import auc, precision_recall_curve

from sktime_tsd._utils.validation import check_number, check_probabilities, class_indices

__all__ = [
    "brier_score",
    "expected_calibration_error",
    "macro_auc_prc",
    "negative_log_likelihood",
]


def _check(y, probabilities, classes):
    probabilities = np.asarray(probabilities)
    check_probabilities("probabilities", probabilities)
    if not np.issubdtype(probabilities.dtype, np.floating):
        probabilities = probabilities.astype(float)
    expected = (len(y), len(classes))
    if probabilities.shape != expected:
        raise ValueError(
            f"probabilities must have shape {expected}, for {expected[0]} labels and "
            f"{expected[1]} classes, got {probabilities.shape}."
        )
    return class_indices("y", y, classes), probabilities


def macro_auc_prc(y, probabilities, classes):
    """Area under the precision-recall curve, averaged over the classes.

    Each class in `y` is set against the rest; the area is taken by the trapezoid rule.

    Parameters
    ----------
    y : array-like of shape (n_instances,)
        True labels.
    probabilities : numpy.ndarray of shape (n_instances, n_classes)
    classes : array-like of shape (n_classes,)
        Labels of the columns.

    Returns
    -------
    auc_prc : float
        In [0, 1]; higher is better.

    Raises
    ------
    ValueError
        If `probabilities` holds no probabilities, or shapes or labels do not match.

    References
    ----------
    The metric of "Learning to Reason: Temporal Saliency Distillation for Interpretable
    Knowledge Transfer", ECAI 2025.

    Examples
    --------
    >>> from sktime_tsd.fidelity import macro_auc_prc
    >>> import numpy as np
    >>> probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
    >>> macro_auc_prc(["a", "a", "b"], probabilities, ["a", "b"])
    1.0
    """
    of_series, probabilities = _check(y, probabilities, classes)
    areas = []
    for k in np.unique(of_series):
        precision, recall, _ = precision_recall_curve(of_series == k, probabilities[:, k])
        areas.append(auc(recall, precision))
    return float(np.mean(areas))


def negative_log_likelihood(y, probabilities, classes):
    """Measure how improbable the classifier considers the true class.

    The negative logarithm of the true class's probability, clipped to
    [eps, 1 - eps] with the machine epsilon of its dtype. The mean is scikit-learn's
    ``log_loss``.

    Parameters
    ----------
    y : array-like of shape (n_instances,)
        True labels.
    probabilities : numpy.ndarray of shape (n_instances, n_classes)
    classes : array-like of shape (n_classes,)
        Labels of the columns.

    Returns
    -------
    loss : numpy.ndarray of shape (n_instances,)
        In nats, 0 or more; lower is better.

    Raises
    ------
    ValueError
        If `probabilities` holds no probabilities, or shapes or labels do not match.

    References
    ----------
    Good, "Rational decisions", Journal of the Royal Statistical Society B, 1952.

    Examples
    --------
    >>> import numpy as np
    >>> from sktime_tsd.fidelity import negative_log_likelihood
    >>> negative_log_likelihood(["b"], np.array([[0.5, 0.5]]), ["a", "b"]).round(4)
    array([0.6931])
    """
    of_series, probabilities = _check(y, probabilities, classes)
    of_truth = probabilities[np.arange(len(of_series)), of_series]
    eps = np.finfo(probabilities.dtype).eps
    return -np.log(np.clip(of_truth, eps, 1 - eps))


def brier_score(y, probabilities, classes):
    """Measure the squared distance of the probabilities from the truth.

    The sum over the classes of (probability - truth) squared, where truth is 1 for the true
    class and 0 for the others. For two classes, half of it. The mean is scikit-learn's
    ``brier_score_loss``.

    Parameters
    ----------
    y : array-like of shape (n_instances,)
        True labels.
    probabilities : numpy.ndarray of shape (n_instances, n_classes)
    classes : array-like of shape (n_classes,)
        Labels of the columns.

    Returns
    -------
    score : numpy.ndarray of shape (n_instances,)
        In [0, 1] for two classes, in [0, 2] for more; lower is better.

    Raises
    ------
    ValueError
        If `probabilities` holds no probabilities, or shapes or labels do not match.

    References
    ----------
    Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather
    Review, 1950.

    Examples
    --------
    >>> import numpy as np
    >>> from sktime_tsd.fidelity import brier_score
    >>> brier_score(["b"], np.array([[0.5, 0.5]]), ["a", "b"])
    array([0.25])
    """
    of_series, probabilities = _check(y, probabilities, classes)
    distance = (probabilities - np.eye(len(classes))[of_series]) ** 2
    return distance.sum(axis=1) / (2 if len(classes) == 2 else 1)


def confidence_bins(probabilities, n_bins=15):
    """Compute the confidence of each answer and its bin, for the calibration error.

    Parameters
    ----------
    probabilities : numpy.ndarray of shape (n_instances, n_classes)
    n_bins : int, default=15

    Returns
    -------
    confidence : numpy.ndarray of shape (n_instances,)
        Probability of the most probable class.
    bins : numpy.ndarray of shape (n_instances,), int
        Bins of equal width, in ``[0, n_bins)``; each includes its upper edge.
    """
    confidence = probabilities.max(axis=1)
    return confidence, np.clip(np.ceil(confidence * n_bins).astype(int) - 1, 0, n_bins - 1)


def expected_calibration_error(y, probabilities, classes, n_bins=15):
    r"""Measure how far confidence is from accuracy.

    :math:`\sum_b \tfrac{n_b}{n} |\mathrm{accuracy}_b - \mathrm{confidence}_b|`, where b are
    bins of equal width and confidence is the probability of the most probable class. Bin b
    holds the :math:`n_b` of n series whose confidence falls into it.

    Parameters
    ----------
    y : array-like of shape (n_instances,)
        True labels.
    probabilities : numpy.ndarray of shape (n_instances, n_classes)
    classes : array-like of shape (n_classes,)
        Labels of the columns.
    n_bins : int, default=15
        Number of bins in [0, 1].

    Returns
    -------
    error : float
        In [0, 1]; lower is better. Biased upwards with few series.

    Raises
    ------
    ValueError
        If `probabilities` holds no probabilities, shapes or labels do not match, or `n_bins` is
        less than 1.

    References
    ----------
    Guo et al., "On calibration of modern neural networks", ICML 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from sktime_tsd.fidelity import expected_calibration_error
    >>> probabilities = np.array([[0.8, 0.2], [0.8, 0.2]])
    >>> round(expected_calibration_error(["a", "b"], probabilities, ["a", "b"]), 4)
    0.3
    """
    check_number("n_bins", n_bins, integer=True, low=1)
    of_series, probabilities = _check(y, probabilities, classes)
    once = np.ones((1, len(of_series)))
    return float(calibration_error_of_draws(of_series, probabilities, n_bins)(once)[0])


def calibration_error_of_draws(of_series, probabilities, n_bins=15):
    """Return `expected_calibration_error` as a function of how often each series is drawn.

    Parameters
    ----------
    of_series : numpy.ndarray of shape (n_instances,), int
        Column of the true class.
    probabilities : numpy.ndarray of shape (n_instances, n_classes)
    n_bins : int, default=15

    Returns
    -------
    statistic : callable
        Maps counts of shape (n_resamples, n_instances) to values of shape (n_resamples,).
    """
    confidence, bins = confidence_bins(probabilities, n_bins)
    surplus = (probabilities.argmax(axis=1) == of_series) - confidence
    by_bin = surplus[:, None] * (bins[:, None] == np.arange(n_bins))  # (n_instances, n_bins)
    return lambda counts: np.abs(counts @ by_bin).sum(axis=1) / counts.sum(axis=1)


def auc_prc_of_draws(of_series, probabilities):
    """Return `macro_auc_prc` as a function of how often each series is drawn.

    scikit-learn's curve takes one sample at a time; this one takes all resamples at once.

    Parameters
    ----------
    of_series : numpy.ndarray of shape (n_instances,), int
        Column of the true class.
    probabilities : numpy.ndarray of shape (n_instances, n_classes)

    Returns
    -------
    statistic : callable
        Maps counts of shape (n_resamples, n_instances) to values of shape (n_resamples,).
    """
    curves = []
    for k in np.unique(of_series):
        order = np.argsort(-probabilities[:, k], kind="stable")
        score = probabilities[order, k]
        # one threshold for all equal scores, after the last of them
        curves.append((order, of_series[order] == k, np.append(score[1:] != score[:-1], True)))

    def statistic(counts):
        areas = np.stack([_auc_prc(counts[:, order], *rest) for order, *rest in curves])
        drawn = ~np.isnan(areas)  # a resample may lack a class
        return np.where(drawn, areas, 0).sum(axis=0) / drawn.sum(axis=0)

    return statistic


def _auc_prc(counts, is_class, is_threshold):
    """Area under each resample's curve, (n_resamples,); NaN if it lacks the class."""
    hits = np.cumsum(counts * is_class, axis=1)[:, is_threshold]
    taken = np.cumsum(counts, axis=1)[:, is_threshold]
    with np.errstate(invalid="ignore"):
        recall = hits / hits[:, -1:]
        precision = np.where(taken > 0, hits / taken, 1.0)
    before = np.zeros((len(counts), 1))
    return trapezoid(np.hstack([before + 1, precision]), np.hstack([before, recall]), axis=1)
