"""Get the fitted student to save or export, and series to test it on."""

import numpy as np
import torch
from sklearn.frozen import FrozenEstimator
from sktime.base import BaseObject

from sktime_tsd.classifier import SkorchClassifier
from sktime_tsd.distiller import SaliencyDistilledClassifier
from sktime_tsd.export._steps import first_length, transformed

__all__ = ["fitted_student", "typical_inputs", "typical_series"]


def fitted_student(classifier):
    """Get the classifier to save or export: a classifier itself, or its distilled student.

    Parameters
    ----------
    classifier : SkorchClassifier or SaliencyDistilledClassifier
        Fitted. It may be wrapped in a ``FrozenEstimator``.

    Returns
    -------
    student : SkorchClassifier
        The classifier itself, or the student of a distilled one.

    Raises
    ------
    TypeError
        If it is another object, or of a subclass, which may predict in its own way.
    NotFittedError
        If it is not fitted.
    ValueError
        If it predicts several outputs, or the shape of its series is not known.
    """
    if isinstance(classifier, FrozenEstimator):
        classifier = classifier.estimator
    kinds = (SkorchClassifier, SaliencyDistilledClassifier)
    if not isinstance(classifier, kinds):
        hint = ""
        if hasattr(classifier, "best_estimator_"):
            hint = " Put its best_estimator_ in its place."
        elif hasattr(classifier, "steps"):
            hint = (
                " Of pipelines, scikit-learn's Pipeline and sktime's ClassifierPipeline are saved "
                "with their steps: fit one of these."
            )
        kind = "a fitted classifier" if isinstance(classifier, BaseObject) else "an object"
        raise TypeError(
            "Only a fitted SkorchClassifier or SaliencyDistilledClassifier can be saved to a "
            f"file; got {kind} of type {type(classifier).__name__}.{hint}"
        )
    if type(classifier) not in kinds:
        raise TypeError(
            f"A {type(classifier).__name__} may not predict what its network does, and only the "
            f"network is saved. Pass a {' or '.join(kind.__name__ for kind in kinds)} itself, or "
            "wrap the network with SkorchClassifier.from_module."
        )
    classifier._check_gives_logits()
    student = getattr(classifier, "student_", classifier)
    if student.n_timepoints_ is None:
        raise ValueError(
            "The shape of the series is not known. Create the classifier with "
            "SkorchClassifier.from_module(module, classes, input_shape=(n_channels, "
            "n_timepoints))."
        )
    return student


def typical_series(network, n_channels, n_timepoints, n_instances):
    """Make sine waves at the scale that a network expects, the same on any machine.

    Parameters
    ----------
    network : ScaledNetwork
        Its mean and std give the scale.
    n_channels, n_timepoints, n_instances : int

    Returns
    -------
    x : torch.Tensor of shape (n_instances, n_channels, n_timepoints)
        On the CPU, in the precision that the network reads.
    """
    i, c, t = np.ogrid[1 : n_instances + 1, 1 : n_channels + 1, 0:n_timepoints]
    waves = np.sin(2 * np.pi * i * c * t / n_timepoints + i)
    mean, std = (value.detach().cpu().double().numpy() for value in (network.mean, network.std))
    return torch.from_numpy((mean + std * waves).astype(_read_dtype(network)))


def _read_dtype(network):
    return np.float64 if network.reads_float64 else np.float32


def typical_inputs(network, n_channels, n_timepoints, n_instances, steps=()):
    """Make what the network reads when `typical_series` pass the steps before it.

    Parameters
    ----------
    network : ScaledNetwork
    n_channels, n_timepoints, n_instances : int
        Of the network's input.
    steps : list of transformers
        Fitted; see `_steps.Chain`.

    Returns
    -------
    x : torch.Tensor of shape (n_instances, n_channels, n_timepoints)
        On the CPU, in the precision that the network reads.
    """
    length = first_length(steps, n_timepoints) or n_timepoints
    raw = typical_series(network, n_channels, length, n_instances)
    return torch.from_numpy(transformed(steps, raw.numpy()).astype(_read_dtype(network)))
