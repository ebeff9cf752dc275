"""Classifiers that are no students of the teacher, to read the students' rows by."""

import numpy as np
import torch

from sktime_tsd._panels.precision import as_training_panel
from sktime_tsd._utils.random import draw_seed, seed_unseeded
from sktime_tsd.networks import ScaledNetwork, channel_statistics

__all__ = ["BOUNDS", "YARDSTICKS", "fit_yardstick", "other_seed"]

#: Yardstick -> description. They take the place of a student in a row.
YARDSTICKS = {
    "untrained": "the student before training: the floor",
    "reseeded": "the teacher trained again, with another seed: the ceiling",
    "lite": "LITE on labels alone",
    "minirocket": "MiniRocket with logistic regression, on labels alone",
}

#: Yardsticks that bound what a student can be expected to reach.
BOUNDS = ("untrained", "reseeded")


def other_seed(seed):
    """Draw the seed of a teacher that is trained again.

    Parameters
    ----------
    seed : int
        Of the run, and of its teacher.

    Returns
    -------
    seed : int
    """
    return draw_seed(np.random.RandomState(seed))


def fit_yardstick(name, student, make, X, y, seed):
    """Fit a yardstick that is no teacher trained again.

    Parameters
    ----------
    name : {"untrained", "lite", "minirocket"}
    student : SkorchClassifier
        Unfitted, as methods train it; the yardstick "untrained" is made of it.
    make : callable
        Makes an unfitted, unseeded classifier from a name.
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
    y : numpy.ndarray of shape (n_instances,)
    seed : int

    Returns
    -------
    classifier : fitted classifier
    """
    if name == "untrained":
        return _untrained(student, X, np.unique(y), seed)
    classifier = make(name)
    seed_unseeded(classifier, seed)
    return classifier.fit(X, y)


def _untrained(student, X, classes, seed):
    """Build the network as `fit` does, with the same first weights, and leave it so."""
    X = as_training_panel(X, student.scale_inputs)
    fresh = student._build_network(*X.shape[1:], len(classes), draw_seed(seed))
    scale = channel_statistics(torch.from_numpy(X)) if student.scale_inputs else ()
    untrained = student.clone()
    untrained._set_fitted(classes, ScaledNetwork(fresh.network, *scale).eval(), [], *X.shape[1:])
    return untrained
