"""The two fitted models of a cascade, asked for answers in one order of classes."""

import numpy as np
from sklearn.exceptions import NotFittedError
from torch import nn

from sktime_tsd._base import LogitsClassifier
from sktime_tsd._panels.panel import by_position, channel_names, read_panel, rules_of
from sktime_tsd._scoring.classifier import in_native_dtype
from sktime_tsd._scoring.scorer_of import makes_scorer, scorer_of
from sktime_tsd._scoring.student_columns import student_columns
from sktime_tsd._utils.guest import SEED_OF_GUESTS, as_guest
from sktime_tsd._utils.validation import class_indices
from sktime_tsd.classifier import SkorchClassifier
from sktime_tsd.fidelity._common_reader import common_reader
from sktime_tsd.runtime import OnnxClassifier
from sktime_tsd.teachers._fit import is_fitted, unwrapped

__all__ = ["Answers", "Models", "given_classes", "open_models"]


def given_classes(model):
    """Return the labels of a model's columns, in their order; None if it does not say.

    Parameters
    ----------
    model : fitted classifier or nn.Module

    Returns
    -------
    classes : numpy.ndarray of shape (n_classes,) or None
    """
    classes = getattr(unwrapped(model), "classes_", None)
    return None if classes is None else np.asarray(classes)


def _check_model(model, role):
    """Refuse what is not fitted, since a cascade trains no model, and what does not answer."""
    if isinstance(model, type) or not hasattr(model, "predict"):
        scorer_of(model, role)  # says what to pass instead
    elif not is_fitted(model):
        raise NotFittedError(
            f"The {role} {type(model).__name__} is not fitted, and a cascade trains no model. Fit "
            "it first. If it was fitted and then cloned, by a search or a pipeline, pass "
            f"{role}=sklearn.frozen.FrozenEstimator({role}), which clones leave as it is."
        )
    if not _has_labels_alone(model, role):
        scorer_of(model, role)


def _has_labels_alone(model, role):
    """Tell whether a teacher has answers without probabilities, which is enough."""
    answers = ("predict_proba", "predict_logits", "_scorer")
    has_none = not any(hasattr(model, name) for name in answers)
    return (
        role == "teacher" and has_none and hasattr(model, "predict") and hasattr(model, "classes_")
    )


class Answers:
    """One fitted model of a cascade.

    Parameters
    ----------
    model : fitted classifier
        Bare, without ``FrozenEstimator``.
    role : {"student", "teacher"}
        For messages.
    classes : numpy.ndarray of shape (n_classes,)
        Labels of the cascade, in the order of its columns.
    own : numpy.ndarray of shape (n_classes,) or None
        Labels of the model's own columns; None are those of the cascade, and further columns
        must then be 0.
    """

    def __init__(self, model, role, classes, own):
        self.model = model
        self.role = role
        self.classes = classes
        self.own = own
        self._labels_alone = _has_labels_alone(model, role)
        columns = None if own is None else student_columns(classes, own)
        self.columns = None if columns == list(range(len(classes))) else columns

    def probabilities(self, X):
        """Probabilities of series.

        Parameters
        ----------
        X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)

        Returns
        -------
        probabilities : numpy.ndarray of shape (n_instances, n_classes)
            Columns in the order of the cascade's classes.
        """
        if self._labels_alone:
            return np.eye(len(self.classes))[self.indices(X)]
        found = scorer_of(self.model, self.role).probabilities(X)
        return self._in_order(found)

    def quick_probabilities(self, X):
        """Probabilities of series by the model's own call, which threads may make at once.

        Parameters
        ----------
        X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)

        Returns
        -------
        probabilities : numpy.ndarray of shape (n_instances, n_classes)
            As from `probabilities`, which checked this model in `fit`.
        """
        if isinstance(self.model, LogitsClassifier) or not hasattr(self.model, "predict_proba"):
            return self.probabilities(X)
        if isinstance(self.model, OnnxClassifier):  # checks all of it, in any case
            return self._in_order(self.model.predict_proba(X))
        found = np.asarray(self._called("predict_proba", X))
        if found.ndim != 2 or len(found) != len(X) or not np.isfinite(found.sum()):
            return self.probabilities(X)  # says what is wrong
        return self._in_order(found)

    def _called(self, method, X):
        """Call the model with a copy of the series, in the precision that it needs."""
        call = getattr(self.model, method)
        try:
            return call(in_native_dtype(self.model, X))
        except (ValueError, RuntimeError, TypeError) as error:
            if "double" not in str(error).lower():  # torch's word for float64
                raise
            return call(X.astype(np.float32))

    def _in_order(self, found):
        if self.own is not None:
            if found.shape[1] != len(self.own):
                raise ValueError(
                    f"The {self.role} {type(self.model).__name__} has {len(self.own)} classes_ but "
                    f"returns probabilities of {found.shape[1]} classes."
                )
            return found if self.columns is None else found[:, self.columns]
        n_classes = len(self.classes)
        if found.shape[1] < n_classes or (found[:, n_classes:] != 0).any():
            raise ValueError(
                f"The {self.role} {type(self.model).__name__} has no classes_ and gives "
                f"probabilities of {found.shape[1]} classes, but y has {n_classes} labels. Set "
                "its classes_ to its labels, in the order of its columns."
            )
        return found[:, :n_classes]

    def indices(self, X):
        """Answers to series: those of its ``predict`` if it has one, else the likeliest class.

        Parameters
        ----------
        X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)

        Returns
        -------
        indices : numpy.ndarray of shape (n_instances,), int
            Positions in the cascade's classes.
        """
        if not self._has_predict():
            return self.probabilities(X).argmax(axis=1)
        with as_guest(SEED_OF_GUESTS):
            return self._predicted(X)

    def quick_indices(self, X):
        """Answers as from `indices`, by the model's own call, which threads may make at once.

        Parameters
        ----------
        X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)

        Returns
        -------
        indices : numpy.ndarray of shape (n_instances,), int
        """
        if not self._has_predict():
            return self.quick_probabilities(X).argmax(axis=1)
        return self._predicted(X)

    def _has_predict(self):
        """Whether its ``predict`` may differ from its likeliest class."""
        is_ours = makes_scorer(self.model) or isinstance(self.model, OnnxClassifier)
        return not is_ours and self.own is not None and hasattr(self.model, "predict")

    def _predicted(self, X):
        labels = np.asarray(self._called("predict", X))
        if labels.shape != (len(X),):
            raise ValueError(
                f"predict of the {self.role} {type(self.model).__name__} returned an array of "
                f"shape {labels.shape} for {len(X)} series. It must return one label for each."
            )
        return class_indices(f"predict of the {self.role}", labels, self.classes)


class Models:
    """Student and teacher of a cascade.

    Parameters
    ----------
    student, teacher : Answers
    classes : numpy.ndarray of shape (n_classes,)
    """

    def __init__(self, student, teacher, classes):
        self.student = student
        self.teacher = teacher
        self.classes = classes
        of_student, of_teacher = map(channel_names, (student.model, teacher.model))
        self.names = of_teacher if of_student is None else of_student
        self._reorders = not by_position(of_student, of_teacher) and of_student != of_teacher
        self._of_teacher = of_teacher
        reader = common_reader(teacher.model, student.model)
        self.rules = rules_of(reader)
        self._student_reads_alike = self.rules == rules_of(student.model)

    def read(self, X):
        """Read series as both models do.

        Parameters
        ----------
        X : panel in any container

        Returns
        -------
        panel : Panel
        """
        return read_panel(X, self.rules)

    def see(self, panel):
        """Take the names of the channels from the first series, if neither model has any.

        Parameters
        ----------
        panel : Panel
        """
        if self.names is None:
            self.names = panel.names

    def student_reads(self, X):
        """Tell whether the student can be handed what a user passes, since it checks all of it.

        Parameters
        ----------
        X : panel in any container

        Returns
        -------
        bool
        """
        is_plain = isinstance(X, np.ndarray) and not self._reorders and self._student_reads_alike
        return is_plain and isinstance(self.student.model, OnnxClassifier)

    def for_student(self, panel):
        """Series with the channels in the student's order.

        Parameters
        ----------
        panel : Panel

        Returns
        -------
        X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
        """
        if self._reorders and panel.names is None:
            raise ValueError(
                f"The student was fitted on the channels {list(self.names)}, the teacher on "
                f"{list(self._of_teacher)}: pass X with named channels, so that each finds its own."
            )
        return panel.in_order(self.names, "the student").values

    def for_teacher(self, panel, rows=slice(None)):
        """Series with the channels in the teacher's order.

        Parameters
        ----------
        panel : Panel
        rows : slice or numpy.ndarray of bool, shape (n_instances,)

        Returns
        -------
        X : numpy.ndarray of shape (n_rows, n_channels, n_timepoints)
        """
        return panel.in_order(self._of_teacher or self.names, "the teacher").values[rows]


def open_models(student, teacher, *, classes=None, input_shape=None):
    """Make the two models of a cascade ready to be asked.

    Parameters
    ----------
    student, teacher : fitted classifier or nn.Module
        Bare or in a ``FrozenEstimator``.
    classes : numpy.ndarray of shape (n_classes,), optional
        Labels of the columns, if neither says.
    input_shape : tuple of int, optional
        ``(n_channels, n_timepoints)`` of the series, to try a module on.

    Returns
    -------
    models : Models

    Raises
    ------
    TypeError
        If one is no classifier with probabilities.
    NotFittedError
        If one is not fitted.
    ValueError
        If their classes differ, or neither says them.
    """
    known = {"student": given_classes(student), "teacher": given_classes(teacher)}
    if classes is None:
        classes = known["teacher"] if known["teacher"] is not None else known["student"]
        if classes is None:
            raise ValueError(
                "Neither student nor teacher has classes_, so the labels of their columns are not "
                "known. Set classes_ on one of them, or pass labels: fit(X, y)."
            )
        classes = np.sort(classes)
    opened = []
    for role, model in (("student", student), ("teacher", teacher)):
        model, own = unwrapped(model), known[role]
        if isinstance(model, nn.Module):
            own = classes if own is None else own
            with as_guest(SEED_OF_GUESTS):  # a trial forward may draw numbers
                model = SkorchClassifier.from_module(model, own, input_shape=input_shape)
        else:
            _check_model(model, role)
        opened.append(Answers(model, role, classes, own))
    return Models(*opened, classes)
