"""Scores of how sure a classifier is, from its probabilities. numpy only."""

import numpy as np

__all__ = ["SCORES", "entropy", "margin", "top_probability"]


def top_probability(probabilities):
    """Probability of the most probable class.

    Parameters
    ----------
    probabilities : numpy.ndarray of shape (n_instances, n_classes)

    Returns
    -------
    score : numpy.ndarray of shape (n_instances,)
        In [0, 1]; higher is surer.
    """
    return probabilities.max(axis=1)


def margin(probabilities):
    """How far the most probable class leads the next.

    Parameters
    ----------
    probabilities : numpy.ndarray of shape (n_instances, n_classes)

    Returns
    -------
    score : numpy.ndarray of shape (n_instances,)
        In [0, 1]; higher is surer.
    """
    if probabilities.shape[1] == 1:
        return probabilities[:, 0]
    second, first = np.partition(probabilities, -2, axis=1)[:, -2:].T
    return first - second


def entropy(probabilities):
    """Negative entropy of the probabilities.

    Parameters
    ----------
    probabilities : numpy.ndarray of shape (n_instances, n_classes)

    Returns
    -------
    score : numpy.ndarray of shape (n_instances,)
        In nats, at most 0; higher is surer.
    """
    logs = np.log(np.where(probabilities > 0, probabilities, 1))
    return (probabilities * logs).sum(axis=1)


#: By the name that `CascadeClassifier` and ONNX files use.
SCORES = {"top_probability": top_probability, "margin": margin, "entropy": entropy}
