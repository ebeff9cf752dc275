"""What is to be written in C, and the answers that the file must give."""

import copy
from dataclasses import dataclass

import numpy as np

from sktime_tsd._panels.arrays import check_panel_shape
from sktime_tsd._scoring.network import NetworkScorer
from sktime_tsd.export._answers import TOLERANCE, batches_to_compare, labels_differ
from sktime_tsd.export._cascade import exported_chain
from sktime_tsd.export._steps import first_length, transformed
from sktime_tsd.export._student import fitted_student
from sktime_tsd.export.c._deferral import Deferral
from sktime_tsd.export.c._fuse import fuse
from sktime_tsd.export.c._graph import network_graph
from sktime_tsd.export.c._literals import string_literal
from sktime_tsd.export.c._lower import lower
from sktime_tsd.export.c._source import Model
from sktime_tsd.export.c._view import UnsupportedError

__all__ = ["Question", "asked"]

# Multiply-adds for random series, and how many of these are compared at least.
_MOST_WORK = 2 * 10**9
_LEAST_SERIES = 8


@dataclass(frozen=True)
class Question:
    """A model to write, and series with its answers.

    Parameters
    ----------
    model : Model
    batches : list of numpy.ndarray of shape (n_instances, n_channels, n_timepoints), float32
        Raw series: one, several random ones and, if there are any, the user's.
    expected : list of numpy.ndarray of shape (n_instances, n_classes)
        The classifier's probabilities.
    """

    model: Model
    batches: list
    expected: list

    def compare(self, labels, probabilities, expected):
        """Refuse answers of a C file that are not the classifier's.

        Parameters
        ----------
        labels : numpy.ndarray of shape (n_instances,), int
        probabilities, expected : numpy.ndarray of shape (n_instances, n_classes)

        Raises
        ------
        RuntimeError
            If they differ.
        """
        error = np.abs(probabilities - expected).max()
        if not error <= TOLERANCE:
            raise RuntimeError(
                f"The C file's probabilities differ from the network's by up to {error:.2g}. "
                "Nothing was written. Use to_onnx, or another network."
            )
        n_different = int(labels_differ(probabilities, expected).sum())
        n_different += int((labels != probabilities.argmax(axis=1)).sum())
        if n_different:
            raise RuntimeError(
                f"{n_different} of the C file's {len(expected)} labels differ from the network's. "
                "Nothing was written. Use to_onnx, or another network."
            )


def asked(classifier, X, *, name, stride):
    """Translate a classifier, and ask it for answers to compare with.

    Parameters
    ----------
    classifier, X, name, stride : object
        See `to_c`.

    Returns
    -------
    question : Question

    Raises
    ------
    RuntimeError, TypeError, ValueError
        See `to_c`.
    """
    chain, deferral = exported_chain(classifier, "to_c")
    deferral = None if deferral is None else Deferral(**deferral)
    student = fitted_student(chain.classifier)
    labels = [str(label) for label in student.classes_]
    for label in labels:
        string_literal(label)  # rejects what cannot be written, before the export
    if student.network_ is None:
        raise ValueError(
            "There is no network to export, because all labels in fit were equal. Fit with two "
            "classes or more."
        )
    network = copy.deepcopy(student.network_).cpu().eval()
    if network.reads_float64 and not chain.steps:
        raise ValueError(
            "float32 cannot tell the training series apart, and a C file reads float. Subtract "
            "the level of the series before fit, and in the program that calls the C file."
        )
    length = first_length(chain.steps, student.n_timepoints_)
    given = None
    if X is not None:
        given = student._check_convert_X_for_predict(X)
        check_panel_shape(given, student.n_channels_, length)
        length = given.shape[2]
    elif length is None:
        raise ValueError(
            "X is needed, a sample of real series: the pipeline resamples series of any length, "
            "and a C file takes series of one length, that of X."
        )
    scorer = NetworkScorer(student, network)

    def probabilities(batch):
        if chain.steps:  # they compute in float64
            batch = transformed(chain.given, batch.astype(np.float64))
        return scorer.probabilities(batch)

    shape = student.n_channels_, student.n_timepoints_
    layers = _layers(network.network, len(labels), shape)
    batches = batches_to_compare(network, (student.n_channels_, length), given)
    work = max(1, sum(layer.multiply_adds for layer in layers))
    batches[1] = batches[1][-max(_LEAST_SERIES, _MOST_WORK // work) :]
    batches = [batch.astype(np.float32) for batch in batches]
    expected = [probabilities(batch) for batch in batches]
    if given is not None and labels_differ(expected[-1], probabilities(given)).any():
        raise ValueError(
            "float32 cannot tell series in X apart, and a C file reads float. Subtract the level "
            "of the series before fit, and in the program that calls the C file."
        )
    model = Model(
        name=name,
        network=layers,
        steps=chain.steps,
        mean=network.mean.numpy().ravel(),
        std=network.std.numpy().ravel(),
        labels=labels,
        n_channels=int(student.n_channels_),
        n_timepoints=int(length),
        deferral=deferral,
        stride=stride,
    )
    return Question(model, batches, expected)


def _layers(network, n_classes, shape):
    for parameter in network.state_dict().values():
        if parameter.is_floating_point() and not parameter.isfinite().all():
            raise ValueError("The network has weights that are NaN or infinite. Train it again.")
    try:
        return fuse(lower(network_graph(network, n_classes, shape), shape))
    except UnsupportedError as error:
        raise RuntimeError(
            f"{type(network).__name__} cannot be written in C. {error}. Use to_onnx, or a network "
            "of layers that the user guide lists (Down to a microcontroller)."
        ) from error
