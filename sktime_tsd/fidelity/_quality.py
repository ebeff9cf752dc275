"""How good a classifier's probabilities are, given the true labels."""

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
            f"probabilities have shape {probabilities.shape}, but there are {expected[0]} labels "
            f"and {expected[1]} classes."
        )
    return class_indices("y", y, classes), probabilities


def macro_auc_prc(y, probabilities, classes):
    """Area under the precision-recall curve, averaged over the classes.

    Each class against the rest, by the trapezoid rule, over the classes that `y` holds.

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
        If the matrix holds no probabilities, or shapes or labels do not fit.

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
    """How improbable the classifier deems the truth.

    The negative logarithm of the true class's probability; 0 counts as the smallest
    distance of two floats, as in scikit-learn's ``log_loss``, which is the mean.

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
        If the matrix holds no probabilities, or shapes or labels do not fit.

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
    """Squared distance of the probabilities from the truth.

    The sum over the classes of (probability - 1 or 0) squared; for two classes half of it,
    as in scikit-learn's ``brier_score_loss``, which is the mean.

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
        If the matrix holds no probabilities, or shapes or labels do not fit.

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
    """Confidence of each answer, and its bin of equal width, as the calibration error needs.

    Parameters
    ----------
    probabilities : numpy.ndarray of shape (n_instances, n_classes)
    n_bins : int, default=15

    Returns
    -------
    confidence : numpy.ndarray of shape (n_instances,)
        Probability of the most probable class.
    bins : numpy.ndarray of shape (n_instances,), int
        In ``[0, n_bins)``; a bin holds its upper edge.
    """
    confidence = probabilities.max(axis=1)
    return confidence, np.clip(np.ceil(confidence * n_bins).astype(int) - 1, 0, n_bins - 1)


def expected_calibration_error(y, probabilities, classes, n_bins=15):
    r"""How far confidence is from accuracy.

    The series are put into bins of equal width by the probability of their most probable
    class, :math:`\sum_b \tfrac{n_b}{n} |\mathrm{accuracy}_b - \mathrm{confidence}_b|`.

    Parameters
    ----------
    y : array-like of shape (n_instances,)
        True labels.
    probabilities : numpy.ndarray of shape (n_instances, n_classes)
    classes : array-like of shape (n_classes,)
        Labels of the columns.
    n_bins : int, default=15

    Returns
    -------
    error : float
        In [0, 1]; lower is better. Biased upwards for few series.

    Raises
    ------
    ValueError
        If the matrix holds no probabilities, shapes or labels do not fit, or there is no bin.

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
    """Give `expected_calibration_error` as a function of how often each series is drawn.

    Parameters
    ----------
    of_series : numpy.ndarray of shape (n_instances,), int
        Column of the true class.
    probabilities : numpy.ndarray of shape (n_instances, n_classes)
    n_bins : int, default=15

    Returns
    -------
    statistic : callable
        Of counts of shape (n_resamples, n_instances); gives (n_resamples,).
    """
    confidence, bins = confidence_bins(probabilities, n_bins)
    surplus = (probabilities.argmax(axis=1) == of_series) - confidence
    by_bin = surplus[:, None] * (bins[:, None] == np.arange(n_bins))  # (n_instances, n_bins)
    return lambda counts: np.abs(counts @ by_bin).sum(axis=1) / counts.sum(axis=1)


def auc_prc_of_draws(of_series, probabilities):
    """Give `macro_auc_prc` as a function of how often each series is drawn.

    scikit-learn's curve knows one sample at a time; this one, a thousand draws.

    Parameters
    ----------
    of_series : numpy.ndarray of shape (n_instances,), int
        Column of the true class.
    probabilities : numpy.ndarray of shape (n_instances, n_classes)

    Returns
    -------
    statistic : callable
        Of counts of shape (n_resamples, n_instances); gives (n_resamples,).
    """
    curves = []
    for k in np.unique(of_series):
        order = np.argsort(-probabilities[:, k], kind="stable")
        score = probabilities[order, k]
        # a threshold lies below the last of equal scores
        curves.append((order, of_series[order] == k, np.append(score[1:] != score[:-1], True)))

    def statistic(counts):
        areas = np.stack([_auc_prc(counts[:, order], *rest) for order, *rest in curves])
        drawn = ~np.isnan(areas)  # a draw may lack a class
        return np.where(drawn, areas, 0).sum(axis=0) / drawn.sum(axis=0)

    return statistic


def _auc_prc(counts, is_class, is_threshold):
    """Area under each draw's curve, (n_resamples,); NaN where the class was not drawn."""
    hits = np.cumsum(counts * is_class, axis=1)[:, is_threshold]
    taken = np.cumsum(counts, axis=1)[:, is_threshold]
    with np.errstate(invalid="ignore"):
        recall = hits / hits[:, -1:]
        precision = np.where(taken > 0, hits / taken, 1.0)
    before = np.zeros((len(counts), 1))
    return trapezoid(np.hstack([before + 1, precision]), np.hstack([before, recall]), axis=1)
