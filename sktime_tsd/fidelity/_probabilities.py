"""How alike the answers and probabilities of two classifiers are, per series."""

import numpy as np
from scipy.special import rel_entr

from sktime_tsd._scoring.scorer import LEAST_PROBABILITY
from sktime_tsd._utils.validation import check_probabilities

__all__ = [
    "jensen_shannon_divergence",
    "kl_divergence",
    "top_1_agreement",
    "total_variation",
]


def _check_pair(teacher_probabilities, student_probabilities):
    pair = np.asarray(teacher_probabilities), np.asarray(student_probabilities)
    check_probabilities("teacher_probabilities", pair[0])
    check_probabilities("student_probabilities", pair[1])
    if pair[0].shape != pair[1].shape:
        raise ValueError(
            f"teacher_probabilities have shape {pair[0].shape}, but student_probabilities "
            f"{pair[1].shape}. The shapes must be the same."
        )
    return pair


def top_1_agreement(teacher_probabilities, student_probabilities):
    """Mark the series on which both models give the same answer.

    Parameters
    ----------
    teacher_probabilities, student_probabilities : numpy.ndarray
        Of shape (n_instances, n_classes), columns in the same order.

    Returns
    -------
    agreement : numpy.ndarray of shape (n_instances,)
        1.0 where the most probable class is the same, else 0.0. Higher is better. The mean is
        the share of series with equal answers.

    Raises
    ------
    ValueError
        If an array does not hold probabilities, or the shapes differ.

    References
    ----------
    Stanton et al., "Does knowledge distillation really work?", NeurIPS 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from sktime_tsd.fidelity import top_1_agreement
    >>> top_1_agreement(np.array([[0.9, 0.1], [0.6, 0.4]]), np.array([[0.8, 0.2], [0.3, 0.7]]))
    array([1., 0.])
    """
    teacher, student = _check_pair(teacher_probabilities, student_probabilities)
    return (teacher.argmax(axis=1) == student.argmax(axis=1)).astype(float)


def kl_divergence(teacher_probabilities, student_probabilities):
    r"""Measure how far the student's probabilities are from the teacher's.

    :math:`\mathrm{KL}(p \| q) = \sum_c p_c \log (p_c / q_c)`, where p are the teacher's
    probabilities and q the student's. Student probabilities below 1e-6 count as 1e-6.

    Parameters
    ----------
    teacher_probabilities, student_probabilities : numpy.ndarray
        Of shape (n_instances, n_classes), columns in the same order.

    Returns
    -------
    divergence : numpy.ndarray of shape (n_instances,)
        In nats, from 0 (equal) to 13.8; lower is better.

    Raises
    ------
    ValueError
        If an array does not hold probabilities, or the shapes differ.

    References
    ----------
    Kullback, Leibler, "On information and sufficiency", Annals of Mathematical Statistics,
    1951.

    Examples
    --------
    >>> import numpy as np
    >>> from sktime_tsd.fidelity import kl_divergence
    >>> kl_divergence(np.array([[0.5, 0.5]]), np.array([[0.9, 0.1]])).round(4)
    array([0.5108])
    """
    teacher, student = _check_pair(teacher_probabilities, student_probabilities)
    # Without the floor, a student probability of 0 could make the divergence infinite.
    # The floor can push the sum below 0.
    return rel_entr(teacher, np.maximum(student, LEAST_PROBABILITY)).sum(axis=1).clip(min=0)


def jensen_shannon_divergence(teacher_probabilities, student_probabilities):
    r"""Measure how far both models' probabilities are from their mean: a symmetric, bounded KL.

    :math:`\tfrac{1}{2} \mathrm{KL}(p \| m) + \tfrac{1}{2} \mathrm{KL}(q \| m)`, where p are the
    teacher's probabilities, q the student's and m = (p + q) / 2.

    Parameters
    ----------
    teacher_probabilities, student_probabilities : numpy.ndarray
        Of shape (n_instances, n_classes), columns in the same order.

    Returns
    -------
    divergence : numpy.ndarray of shape (n_instances,)
        In nats, from 0 (equal) to log 2; lower is better. The square of scipy's distance.

    Raises
    ------
    ValueError
        If an array does not hold probabilities, or the shapes differ.

    References
    ----------
    Lin, "Divergence measures based on the Shannon entropy", IEEE Transactions on Information
    Theory, 1991.

    Examples
    --------
    >>> import numpy as np
    >>> from sktime_tsd.fidelity import jensen_shannon_divergence
    >>> jensen_shannon_divergence(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])).round(4)
    array([0.6931])
    """
    teacher, student = _check_pair(teacher_probabilities, student_probabilities)
    mean = (teacher + student) / 2
    # scipy's jensenshannon is NaN for nearly equal inputs: the root of a rounding error
    halves = rel_entr(teacher, mean) + rel_entr(student, mean)
    return (halves.sum(axis=1) / 2).clip(min=0)


def total_variation(teacher_probabilities, student_probabilities):
    r"""Measure the largest difference in the probability of any set of classes.

    :math:`\tfrac{1}{2} \sum_c |p_c - q_c|`, where p are the teacher's probabilities and q the
    student's.

    Parameters
    ----------
    teacher_probabilities, student_probabilities : numpy.ndarray
        Of shape (n_instances, n_classes), columns in the same order.

    Returns
    -------
    distance : numpy.ndarray of shape (n_instances,)
        In [0, 1]; lower is better, 0 means equal.

    Raises
    ------
    ValueError
        If an array does not hold probabilities, or the shapes differ.

    References
    ----------
    Levin, Peres, "Markov chains and mixing times", 2017, chapter 4.

    Examples
    --------
    >>> import numpy as np
    >>> from sktime_tsd.fidelity import total_variation
    >>> total_variation(np.array([[0.9, 0.1]]), np.array([[0.4, 0.6]]))
    array([0.5])
    """
    teacher, student = _check_pair(teacher_probabilities, student_probabilities)
    return np.abs(teacher - student).sum(axis=1) / 2
