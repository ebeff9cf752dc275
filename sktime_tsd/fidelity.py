"""How alike two classifiers are: their answers, their probabilities, their reasons."""

import numpy as np
from scipy.special import rel_entr
from scipy.stats import spearmanr
from sklearn.metrics import auc, precision_recall_curve

__all__ = [
    "kl_divergence",
    "macro_auc_prc",
    "saliency_rank_correlation",
    "top_1_agreement",
]

# A student that rules out what the teacher deems possible is infinitely far from it;
# probabilities below count as it.
_LEAST_PROBABILITY = 1e-6


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
    y = np.asarray(y)
    areas = []
    for label, column in zip(classes, probabilities.T, strict=True):
        if np.any(y == label):
            precision, recall, _ = precision_recall_curve(y == label, column)
            areas.append(auc(recall, precision))
    return float(np.mean(areas))


def top_1_agreement(teacher_probabilities, student_probabilities):
    """Share of the series on which both give the same answer.

    Parameters
    ----------
    teacher_probabilities, student_probabilities : numpy.ndarray
        Of shape (n_instances, n_classes), columns in the same order.

    Returns
    -------
    agreement : float
        In [0, 1]; higher is better.

    Examples
    --------
    >>> import numpy as np
    >>> from sktime_tsd.fidelity import top_1_agreement
    >>> top_1_agreement(np.array([[0.9, 0.1], [0.6, 0.4]]), np.array([[0.8, 0.2], [0.3, 0.7]]))
    0.5
    """
    same = teacher_probabilities.argmax(axis=1) == student_probabilities.argmax(axis=1)
    return float(np.mean(same))


def kl_divergence(teacher_probabilities, student_probabilities):
    r"""How far the student's probabilities are from the teacher's.

    :math:`\mathrm{KL}(p_{teacher} \| p_{student})` of each series; the student's
    probabilities below 1e-6 count as 1e-6.

    Parameters
    ----------
    teacher_probabilities, student_probabilities : numpy.ndarray
        Of shape (n_instances, n_classes), columns in the same order.

    Returns
    -------
    divergence : numpy.ndarray of shape (n_instances,)
        In nats; lower is better, 0 is equal.

    Examples
    --------
    >>> import numpy as np
    >>> from sktime_tsd.fidelity import kl_divergence
    >>> kl_divergence(np.array([[0.5, 0.5]]), np.array([[0.5, 0.5]]))
    array([0.])
    """
    student = np.clip(student_probabilities, _LEAST_PROBABILITY, None)
    # raising a probability to 1e-6 can push the sum below 0
    return rel_entr(teacher_probabilities, student).sum(axis=1).clip(min=0)


def saliency_rank_correlation(teacher_saliency, student_saliency):
    """Tell how far both find the same parts of a series important.

    Spearman's rank correlation over the time points of each series. Where one side is
    constant there is nothing to rank, and the value is 0.

    Parameters
    ----------
    teacher_saliency, student_saliency : numpy.ndarray of shape (n_instances, n_timepoints)
        ``values`` of `sktime_tsd.temporal_saliency`.

    Returns
    -------
    correlation : numpy.ndarray of shape (n_instances,)
        In [-1, 1]; higher is better.

    Examples
    --------
    >>> import numpy as np
    >>> from sktime_tsd.fidelity import saliency_rank_correlation
    >>> teacher = np.array([[0.0, 1.0, 2.0], [0.0, 1.0, 2.0]])
    >>> student = np.array([[0.1, 0.2, 0.9], [3.0, 2.0, 1.0]])
    >>> saliency_rank_correlation(teacher, student).round(6)
    array([ 1., -1.])
    """
    correlations = np.zeros(len(teacher_saliency))
    for i, (a, b) in enumerate(zip(teacher_saliency, student_saliency, strict=True)):
        if np.ptp(a) > 0 and np.ptp(b) > 0:
            correlations[i] = spearmanr(a, b).statistic
    return correlations
