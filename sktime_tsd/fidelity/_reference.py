"""What a teacher answers and why, measured once, to compare students with."""

from functools import cached_property
from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.frozen import FrozenEstimator

from sktime_tsd._scoring.logits import Scorer, check_answers, class_labels, class_probabilities
from sktime_tsd._utils.random import draw_seed
from sktime_tsd._utils.validation import (
    check_flag,
    check_labels,
    check_number,
    check_random_state_parameter,
    check_verbose,
    class_indices,
)
from sktime_tsd.fidelity._bootstrap import Bootstrap, median_of_draws
from sktime_tsd.fidelity._comparisons import (
    compare_answers,
    compare_reasons,
    compare_removal,
    curves_frame,
    quality_of_whole_sets,
    reliability,
    with_intervals,
)
from sktime_tsd.fidelity._cost import latency as time_calls
from sktime_tsd.fidelity._cost import parameters, pickle_size
from sktime_tsd.fidelity._metrics import LINES, SIDES
from sktime_tsd.fidelity._removal import RemovalCurves, removal_curves
from sktime_tsd.fidelity._report import FidelityReport
from sktime_tsd.saliency import (
    SharedDonors,
    as_tensor,
    most_at_once,
    temporal_saliency,
    width_and_stride,
)

__all__ = ["FidelityReference"]

# The curves average over many time points: fewer donors do.
_CURVE_DONORS = 4


class FidelityReference:
    """A teacher that several students are compared with.

    What concerns the teacher alone (probabilities, saliency, curves, times) is measured once,
    when the first report is made; each `report` is the one that `fidelity_report` gives.

    Parameters
    ----------
    teacher : fitted classifier
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
    y : array-like of shape (n_instances,), optional
    background, perturbation, window, stride, n_donors, max_saliency_instances : object
        See `fidelity_report`, as for the next.
    removal, n_draws, confidence_level, latency, batch_size, random_state, verbose : object

    Raises
    ------
    ValueError, TypeError
        If the teacher, series, labels or an option cannot be used.

    Examples
    --------
    >>> from sktime_tsd import SkorchClassifier
    >>> from sktime_tsd.datasets import load_dataset
    >>> from sktime_tsd.fidelity import FidelityReference, compare
    >>> X, y = load_dataset("UnitTest", split="train")
    >>> X_test, y_test = load_dataset("UnitTest", split="test")
    >>> def fit(n):
    ...     params = {"filters": (n,), "kernel_sizes": (5,)}
    ...     return SkorchClassifier("fcn", params, max_epochs=10, random_state=0).fit(X, y)
    >>> reference = FidelityReference(fit(16), X_test, y_test, background=X, random_state=0)
    >>> reports = {f"{n} filters": reference.report(fit(n)) for n in (2, 4)}
    >>> compare(reports).shape[0] > 40
    True
    """

    def __init__(
        self,
        teacher,
        X,
        y=None,
        *,
        background=None,
        perturbation=None,
        window=0.1,
        stride=None,
        n_donors=8,
        max_saliency_instances=200,
        removal=True,
        n_draws=1000,
        confidence_level=0.95,
        latency=True,
        batch_size=1024,
        random_state=None,
        verbose=0,
    ):
        check_number("max_saliency_instances", max_saliency_instances, integer=True, low=0)
        check_flag("removal", removal)
        check_flag("latency", latency)
        check_verbose(verbose)
        check_random_state_parameter(random_state)
        seed = random_state if isinstance(random_state, Integral) else draw_seed(random_state)
        self._intervals = Bootstrap(n_draws, confidence_level, seed)
        self._teacher = _unwrapped(teacher, "teacher")
        x = as_tensor(X)
        # probabilities are those of the series as given, not of their float32 copies
        self._panel = (
            X.reshape(x.shape) if isinstance(X, np.ndarray) else x.numpy().astype(np.float64)
        )
        # whatever can be wrong is found before a classifier is asked
        width, stride = width_and_stride(window, stride, x.shape[2])
        batch_size = most_at_once(batch_size)
        of_donors = {"background": background, "perturbation": perturbation, "n_donors": n_donors}
        self._donors = SharedDonors.draw(X=x, random_state=seed, **of_donors)
        if y is not None:
            y = np.asarray(check_labels(y))
            if y.shape != (len(x),):
                raise ValueError(
                    f"y must hold one label for each of {len(x)} series, got {y.shape}."
                )
        self._y = y
        picked = np.random.RandomState(seed).permutation(len(x))[:max_saliency_instances]
        self._picked = np.sort(picked)
        self._x = x[self._picked]
        self._has_removal = bool(removal) and len(picked) > 0
        self._has_latency = latency
        self._of_saliency = of_donors | {
            "window": width,
            "stride": stride,
            "batch_size": batch_size,
            "random_state": seed,
            "verbose": verbose,
        }
        self._settings = {
            "window": width,
            "stride": stride,
            "perturbation": self._donors.perturbation,
            "n_donors": n_donors,
            "max_saliency_instances": max_saliency_instances,
            "removal": bool(removal),
            "n_draws": n_draws,
            "confidence_level": confidence_level,
            "random_state": seed,
        }

    def report(self, student):
        """Compare a student with the teacher.

        Parameters
        ----------
        student : fitted classifier

        Returns
        -------
        report : FidelityReport

        Raises
        ------
        ValueError, TypeError
            If the classes differ, or the student has no probabilities or cannot score the
            series.
        """
        student = _unwrapped(student, "student")
        _check_known_classes((self._teacher, student), self._y)
        of_student = class_probabilities(student, self._panel.copy())
        classes = self._classes
        columns = _student_columns(classes, class_labels(student, of_student.shape[1]))
        probabilities = {
            "teacher": self._teacher_probabilities,
            "student": of_student[:, columns],
        }
        y, intervals = self._y, self._intervals
        of_series = None if y is None else class_indices("y", y, classes, of="teacher's classes")

        samples = compare_answers(probabilities, y, classes)

        lines = with_intervals(intervals, samples)
        if y is not None:
            lines |= quality_of_whole_sets(intervals, probabilities, of_series)

        student_saliency, curves = None, pd.DataFrame()
        if len(self._picked):
            student_saliency = self._saliency(student)
            of_reasons = compare_reasons(self._teacher_saliency, student_saliency)
            if self._has_removal:
                removed = self._curves(student, student_saliency)
                of_reasons |= compare_removal(removed)
                curves = curves_frame(removed, intervals)
            of_reasons = pd.DataFrame(of_reasons)
            lines |= with_intervals(intervals, of_reasons)
            samples = samples.join(of_reasons.set_axis(self._picked))

        cost = {"teacher": self._teacher_cost, "student": self._cost(student)}
        lines |= {f"{name}_{side}": line for side in SIDES for name, line in cost[side].items()}
        frame = pd.DataFrame(lines, index=["value", "low", "high"]).T
        frame = frame.reindex([name for name in LINES if name in lines]).rename_axis("name")
        frame["higher_is_better"] = [LINES[name].higher_is_better for name in frame.index]
        return FidelityReport(
            lines=frame,
            samples=samples.rename_axis("instance"),
            curves=curves,
            reliability=reliability(probabilities, samples),
            teacher_saliency=self._teacher_saliency if len(self._picked) else None,
            student_saliency=student_saliency,
            saliency_instances=self._picked.copy(),
            teacher_probabilities=probabilities["teacher"].copy(),
            student_probabilities=probabilities["student"],
            classes=classes,
            names=(_name(self._teacher), _name(student)),
            settings=dict(self._settings),
        )

    # -- what concerns the teacher alone -----------------------------------------------

    @cached_property
    def _teacher_probabilities(self):
        return class_probabilities(self._teacher, self._panel.copy())

    @cached_property
    def _classes(self):
        return class_labels(self._teacher, self._teacher_probabilities.shape[1])

    @cached_property
    def _teacher_saliency(self):
        return self._saliency(self._teacher)

    @cached_property
    def _teacher_by_teacher(self):
        return self._removed("teacher", self._teacher, teacher=self._teacher_saliency)

    @cached_property
    def _teacher_cost(self):
        return self._cost(self._teacher)

    # -- of either ---------------------------------------------------------------------

    def _saliency(self, model):
        return temporal_saliency(model, self._x.numpy(), **self._of_saliency)

    def _curves(self, student, saliency):
        """Curves of both models by both saliencies."""
        parts = (
            self._teacher_by_teacher,
            self._removed("teacher", self._teacher, student=saliency),
            self._removed("student", student, teacher=self._teacher_saliency, student=saliency),
        )
        values = {key: value for part in parts for key, value in part.values.items()}
        return RemovalCurves(parts[0].fractions, values)

    def _removed(self, side, model, **saliencies):
        return removal_curves(
            {side: Scorer(model)},
            self._x,
            {source: saliency.values for source, saliency in saliencies.items()},
            self._donors,
            n_donors=_CURVE_DONORS,
            batch_size=self._of_saliency["batch_size"],
            verbose=self._of_saliency["verbose"],
        )

    def _cost(self, model):
        """Lines of cost; without `latency` none of time."""
        lines = {}
        for name, size in (("parameters", parameters(model)), ("bytes", pickle_size(model))):
            lines[name] = np.array([size, size, size])  # exact
        for n_series in (1, 256) if self._has_latency else ():
            milliseconds = time_calls(model, self._panel, n_series)
            median = median_of_draws(milliseconds)
            lines[f"latency_{n_series}"] = self._intervals.of(median, len(milliseconds))
        return lines


def _unwrapped(classifier, name):
    """Give the classifier that answers, out of what holds it."""
    while isinstance(classifier, FrozenEstimator):
        classifier = classifier.estimator
    if hasattr(classifier, "_tensor_logits"):
        classifier = getattr(classifier, "student_", classifier)
    check_answers(classifier, name)
    return classifier


def _name(classifier):
    network = getattr(classifier, "network", None)
    own = f"({network!r})" if isinstance(network, str) else ""
    return type(classifier).__name__ + own


def _check_known_classes(models, y):
    """Compare the classes and the labels, where the classifiers tell theirs."""
    known = [getattr(model, "classes_", None) for model in models]
    if any(classes is None or len(classes) == 0 for classes in known):
        return  # none, or not fitted: they will tell
    classes, of_student = map(np.asarray, known)
    _student_columns(classes, of_student)
    if y is not None:
        class_indices("y", y, classes, of="teacher's classes")


def _student_columns(of_teacher, of_student):
    """Tell the student's columns in the order of the teacher's classes."""
    teacher, student = of_teacher.tolist(), of_student.tolist()
    if set(teacher) != set(student):
        same = set(map(str, teacher)) == set(map(str, student))
        hint = " They differ in their type only." if same else ""
        raise ValueError(
            f"Teacher and student must know the same classes; the teacher knows {teacher}, the "
            f"student {student}.{hint}"
        )
    return [student.index(label) for label in teacher]
