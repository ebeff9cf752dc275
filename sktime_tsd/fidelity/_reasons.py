"""How alike two saliencies are, per series."""

from numbers import Integral, Real

import numpy as np
from scipy.stats import kendalltau, rankdata, spearmanr

from sktime_tsd._utils.validation import check_number

__all__ = [
    "saliency_cosine",
    "saliency_kendall",
    "saliency_spearman",
    "saliency_top_k_overlap",
    "without_rounding",
]


def _check_pair(teacher_saliency, student_saliency):
    """Turn each saliency into a matrix, one row per series."""
    pair = []
    for saliency in (teacher_saliency, student_saliency):
        if isinstance(saliency, list) and len({np.shape(values) for values in saliency}) > 1:
            raise ValueError(
                "The saliencies must have one length to be compared. Pass what temporal_saliency "
                "returned, or its common_values."
            )
        pair.append(np.asarray(getattr(saliency, "common_values", saliency), dtype=float))
    if pair[0].shape != pair[1].shape or pair[0].ndim not in (2, 3) or 0 in pair[0].shape:
        raise ValueError(
            "Both saliencies must have the same shape, (n_instances, n_timepoints) or "
            f"(n_instances, n_channels, n_timepoints); got {pair[0].shape} and {pair[1].shape}."
        )
    if not (np.isfinite(pair[0]).all() and np.isfinite(pair[1]).all()):
        raise ValueError("The saliencies must be finite, but hold NaN or infinite values.")
    return [without_rounding(saliency.reshape(len(saliency), -1)) for saliency in pair]


def without_rounding(saliency):
    """Make values equal that differ only by rounding errors.

    Parameters
    ----------
    saliency : numpy.ndarray of shape (n_instances, n_points)

    Returns
    -------
    saliency : numpy.ndarray of shape (n_instances, n_points)
        Divided by the largest absolute value of each series, and rounded to 12 decimals.
    """
    largest = np.abs(saliency).max(axis=1, keepdims=True)
    return np.round(saliency / np.where(largest > 0, largest, 1), 12)


def _by_rank(correlation, teacher_saliency, student_saliency):
    """Correlate each series; a constant saliency has no ranks to correlate."""
    pairs = zip(*_check_pair(teacher_saliency, student_saliency), strict=True)
    return np.array([_defined(correlation, teacher, student) for teacher, student in pairs])


def _defined(correlation, teacher, student):
    n_constant = int(np.ptp(teacher) == 0) + int(np.ptp(student) == 0)
    if n_constant == 0:
        return correlation(teacher, student).statistic
    return 1.0 if n_constant == 2 else 0.0


def saliency_spearman(teacher_saliency, student_saliency):
    """Measure whether both models rank the parts of a series alike.

    Spearman's rank correlation over the time points (and channels) of each series. It is 0 if
    one saliency is constant, and 1 if both are: both find all parts equally important.

    Parameters
    ----------
    teacher_saliency, student_saliency : Saliency or numpy.ndarray
        Arrays of shape (n_instances, (n_channels,) n_timepoints).

    Returns
    -------
    correlation : numpy.ndarray of shape (n_instances,)
        In [-1, 1]; higher is better, 1 means the same order.

    Raises
    ------
    ValueError
        If the shapes differ or a value is not finite.

    References
    ----------
    Spearman, "The proof and measurement of association between two things", American Journal
    of Psychology, 1904.

    Examples
    --------
    >>> import numpy as np
    >>> from sktime_tsd.fidelity import saliency_spearman
    >>> teacher = np.array([[0.0, 1.0, 2.0], [0.0, 1.0, 2.0]])
    >>> student = np.array([[0.1, 0.2, 0.9], [3.0, 2.0, 1.0]])
    >>> saliency_spearman(teacher, student).round(6)
    array([ 1., -1.])
    """
    return _by_rank(spearmanr, teacher_saliency, student_saliency)


def saliency_kendall(teacher_saliency, student_saliency):
    """Measure how often both models agree which of two parts of a series matters more.

    Kendall's tau-b over the time points (and channels) of each series: concordant minus
    discordant pairs, as a share, adjusted for ties. It is 0 if one saliency is constant, and 1
    if both are.

    Parameters
    ----------
    teacher_saliency, student_saliency : Saliency or numpy.ndarray
        Arrays of shape (n_instances, (n_channels,) n_timepoints).

    Returns
    -------
    correlation : numpy.ndarray of shape (n_instances,)
        In [-1, 1]; higher is better, 1 means the same order.

    Raises
    ------
    ValueError
        If the shapes differ or a value is not finite.

    References
    ----------
    Kendall, "The treatment of ties in ranking problems", Biometrika, 1945.

    Examples
    --------
    >>> import numpy as np
    >>> from sktime_tsd.fidelity import saliency_kendall
    >>> saliency_kendall(np.array([[0.0, 1.0, 2.0]]), np.array([[0.0, 2.0, 1.0]])).round(4)
    array([0.3333])
    """
    return _by_rank(kendalltau, teacher_saliency, student_saliency)


def saliency_top_k_overlap(teacher_saliency, student_saliency, k=0.1):
    r"""Measure the share of the most important time points that both models have in common.

    :math:`\sum_u \min(m_t(u), m_s(u)) / \max(\sum_u m_t(u), \sum_u m_s(u))`, where m(u) is 1 for
    the k most salient time points and 0 for the others; :math:`m_t` belongs to the teacher,
    :math:`m_s` to the student. Time points that tie for the last places share them, each with a
    fraction. Time points of saliency 0 or less do not matter to an answer, so m(u) = 0. The
    overlap is 1 if no time point matters to either model.

    Parameters
    ----------
    teacher_saliency, student_saliency : Saliency or numpy.ndarray
        Arrays of shape (n_instances, (n_channels,) n_timepoints).
    k : float or int, default=0.1
        A float is a fraction of the time points, rounded to a number of at least 1; an int is
        the number itself.

    Returns
    -------
    overlap : numpy.ndarray of shape (n_instances,)
        In [0, 1]; higher is better. About k / n_timepoints by chance, for saliencies above 0.

    Raises
    ------
    ValueError, TypeError
        If the shapes differ, a value is not finite, or `k` is out of range.

    References
    ----------
    Top-k intersection: Ghorbani, Abid, Zou, "Interpretation of neural networks is fragile",
    AAAI 2019. The treatment of ties and zeros is our own.

    Examples
    --------
    >>> import numpy as np
    >>> from sktime_tsd.fidelity import saliency_top_k_overlap
    >>> saliency_top_k_overlap(np.array([[4.0, 3, 2, 1]]), np.array([[4.0, 1, 2, 3]]), k=2)
    array([0.5])
    """
    teacher, student = _check_pair(teacher_saliency, student_saliency)
    n_points = teacher.shape[1]
    if isinstance(k, Real) and not isinstance(k, Integral):
        check_number(
            "k, as a fraction (for a number pass an int),", k, low=0, high=1, boundaries="right"
        )
        k = max(1, round(float(k) * n_points))
    else:
        check_number("k", k, integer=True, low=1, high=n_points)
    members = _membership(teacher, k), _membership(student, k)
    common = np.minimum(*members).sum(axis=1)
    most = np.maximum(*(m.sum(axis=1) for m in members))
    return np.where(most > 0, common / np.where(most > 0, most, 1), 1.0)


def _membership(saliency, k):
    """Membership of each time point in the top k, (n_instances, n_points); rows sum to <= k."""
    first = rankdata(-saliency, method="min", axis=1)  # from 1; equal values, equal rank
    last = rankdata(-saliency, method="max", axis=1)
    return np.clip((k - first + 1) / (last - first + 1), 0, 1) * (saliency > 0)


def saliency_cosine(teacher_saliency, student_saliency):
    r"""Measure whether both models distribute importance alike over the parts of a series.

    :math:`\langle s_t, s_s \rangle / (|s_t| |s_s|)` over the time points (and channels) of each
    series, where :math:`s_t` is the teacher's saliency and :math:`s_s` the student's. It is 0 if
    one saliency is all 0, and 1 if both are.

    Parameters
    ----------
    teacher_saliency, student_saliency : Saliency or numpy.ndarray
        Arrays of shape (n_instances, (n_channels,) n_timepoints).

    Returns
    -------
    similarity : numpy.ndarray of shape (n_instances,)
        In [0, 1] for saliencies of 0 or more, else in [-1, 1]; higher is better, 1 means
        proportional. Saliencies of 0 or more often score far above 0 even if they are unlike, so
        read the rank correlations as well.

    Raises
    ------
    ValueError
        If the shapes differ or a value is not finite.

    References
    ----------
    Salton, McGill, "Introduction to modern information retrieval", 1983.

    Examples
    --------
    >>> import numpy as np
    >>> from sktime_tsd.fidelity import saliency_cosine
    >>> saliency_cosine(np.array([[1.0, 0.0]]), np.array([[1.0, 1.0]])).round(4)
    array([0.7071])
    """
    pair = _check_pair(teacher_saliency, student_saliency)
    both_zero = ~(pair[0].any(axis=1) | pair[1].any(axis=1))
    norms = np.prod([np.linalg.norm(saliency, axis=1) for saliency in pair], axis=0)
    product = (pair[0] * pair[1]).sum(axis=1) / np.where(norms > 0, norms, 1)
    return product.clip(-1, 1) + both_zero
