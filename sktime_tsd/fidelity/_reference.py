"""A teacher's answers and saliency, measured once, to compare students with."""

from functools import cached_property, partial
from numbers import Integral

import numpy as np
import pandas as pd
import torch

from sktime_tsd._panels.labels import check_labels
from sktime_tsd._panels.panel import by_position, channel_names, read_panel, rules_of
from sktime_tsd._scoring.scorer_of import scorer_of
from sktime_tsd._scoring.student_columns import student_columns
from sktime_tsd._utils.random import draw_seed
from sktime_tsd._utils.usual_state import in_usual_state
from sktime_tsd._utils.validation import (
    check_flag,
    check_number,
    check_random_state_parameter,
    check_verbose,
    class_indices,
)
from sktime_tsd.fidelity._bootstrap import Bootstrap
from sktime_tsd.fidelity._comparisons import (
    compare_answers,
    compare_reasons,
    compare_removal,
    curves_frame,
    quality_of_whole_sets,
    reliability,
    with_intervals,
)
from sktime_tsd.fidelity._explainers import Panel, check_explainers
from sktime_tsd.fidelity._measured import MeasuredModel
from sktime_tsd.fidelity._metrics import ALL_METRICS, DEVICE_METRICS, SIDES
from sktime_tsd.fidelity._removal import RemovalCurves, removal_curves
from sktime_tsd.fidelity._report import FidelityReport
from sktime_tsd.saliency._copy_batches import most_at_once
from sktime_tsd.saliency._covering import width_and_stride
from sktime_tsd.saliency._shared_donors import (
    SharedDonors,
    as_tensor,
    read_background,
    warn_of_lost_digits,
)

__all__ = ["FidelityReference"]

# The curves average over many time points, so fewer donors suffice.
_CURVE_DONORS = 4


class FidelityReference:
    """A teacher to compare several students with.

    Everything about the teacher alone (probabilities, saliency, curves, times) is measured once,
    for the first report. Each `report` equals the one from `fidelity_report`.

    Parameters
    ----------
    teacher : fitted classifier
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
    y : array-like of shape (n_instances,), optional
    background, perturbation, window, stride, n_donors, max_saliency_instances : object
        See `fidelity_report`.
    removal, explainers, n_resamples, confidence_level, latency : object
        See `fidelity_report`.
    batch_size, random_state, verbose : object
        See `fidelity_report`.
    series_like : fitted classifier, optional
        Whose `unequal_length` and `missing_values` say how to read `X` and the background; by
        default the teacher.

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

    @in_usual_state
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
        explainers=None,
        n_resamples=1000,
        confidence_level=0.95,
        latency=True,
        batch_size=1024,
        random_state=None,
        verbose=0,
        series_like=None,
    ):
        check_number("max_saliency_instances", max_saliency_instances, integer=True, low=0)
        check_flag("removal", removal)
        explainers = check_explainers(explainers)
        check_flag("latency", latency)
        check_verbose(verbose)
        check_random_state_parameter(random_state)
        seed = random_state if isinstance(random_state, Integral) else draw_seed(random_state)
        self._intervals = Bootstrap(n_resamples, confidence_level, seed)
        # find mistakes before any classifier is called
        names = channel_names(teacher)
        rules = rules_of(teacher if series_like is None else series_like)
        teacher = scorer_of(teacher, "teacher")
        panel = read_panel(X, rules).in_order(names, "the teacher")
        background = read_background(background, panel, rules)
        x = as_tensor(panel, background)
        warn_of_lost_digits(x, teacher)
        width, stride = width_and_stride(window, stride, x.shape[2])
        donors = SharedDonors.draw(perturbation, background, x, n_donors, seed)
        if y is not None:
            shape = np.shape(y)
            y = np.asarray(check_labels(y, panel))
            if len(shape) != 1:
                raise ValueError(
                    f"y must hold one label for each of {len(x)} series, got shape {shape}."
                )
        self._y = y
        picked = np.random.RandomState(seed).permutation(len(x))[:max_saliency_instances]
        self._picked = np.sort(picked)
        self._has_removal = bool(removal) and len(picked) > 0
        self._has_latency = latency
        batches = {"batch_size": most_at_once(batch_size), "verbose": verbose}
        self._of_models = {
            "panel": panel.values,
            "picked": self._picked,
            "x": x[self._picked],
            "donors": donors,
            "of_saliency": {
                "width": width,
                "stride": stride,
                "lengths": panel.lengths and panel.lengths.of(self._picked),
                **batches,
            },
        }
        self._curves = partial(
            removal_curves, X=x[self._picked], donors=donors, n_donors=_CURVE_DONORS, **batches
        )
        self._panel = panel
        self._explainers = Panel(
            explainers,
            x=x[self._picked],
            background=background,
            donors=donors,
            width=width,
            stride=stride,
            seed=seed,
            batches=batches,
        )
        self._teacher = MeasuredModel(teacher, **self._of_models)
        self._settings = {
            "window": width,
            "stride": stride,
            "perturbation": donors.perturbation,
            "n_donors": n_donors,
            "max_saliency_instances": max_saliency_instances,
            "removal": bool(removal),
            "explainers": explainers,
            "n_resamples": n_resamples,
            "confidence_level": confidence_level,
            "random_state": seed,
            "torch_threads": torch.get_num_threads(),
        }

    @in_usual_state
    def report(self, student, *, c_cost=None):
        """Compare a student with the teacher.

        Parameters
        ----------
        student : fitted classifier
        c_cost : CCost, optional
            What the student costs as a C file; see `fidelity_report`.

        Returns
        -------
        report : FidelityReport

        Raises
        ------
        ValueError, TypeError
            If the classes differ, the student has no probabilities, or it cannot score the
            series; or if `c_cost` is something else.
        """
        if c_cost is not None and not hasattr(c_cost, "multiply_adds"):
            raise TypeError(f"c_cost must be a CCost, such as to_c(...).cost, got {c_cost!r}.")
        teacher, intervals, y = self._teacher, self._intervals, self._y
        student, columns = self._measured(student)
        classes = teacher.classes
        probabilities = {
            "teacher": teacher.probabilities,
            "student": student.probabilities[:, columns],
        }

        samples = compare_answers(probabilities, y, classes)
        metrics = with_intervals(intervals, samples)
        if y is not None:
            of_series = class_indices("y", y, classes, of="teacher's classes")
            metrics |= quality_of_whole_sets(intervals, probabilities, of_series)

        has_reasons, curves = len(self._picked) > 0, pd.DataFrame()
        if has_reasons:
            of_reasons = self._reasons(student, columns)
            if self._has_removal:
                removed = self._removed(student)
                of_reasons |= compare_removal(removed)
                curves = curves_frame(removed, intervals)
            of_reasons = pd.DataFrame(of_reasons)
            metrics |= with_intervals(intervals, of_reasons)
            samples = samples.join(of_reasons.set_axis(self._picked))

        cost = {"teacher": self._teacher_cost, "student": self._cost(student)}
        metrics |= {f"{name}_{side}": row for side in SIDES for name, row in cost[side].items()}
        if c_cost is not None:
            metrics |= _device_metrics(c_cost)
        frame = pd.DataFrame(metrics, index=["value", "low", "high"]).T
        frame = frame.reindex([name for name in ALL_METRICS if name in metrics]).rename_axis("name")
        frame["higher_is_better"] = [ALL_METRICS[name].higher_is_better for name in frame.index]
        return FidelityReport(
            metrics=frame,
            samples=samples.rename_axis("instance"),
            curves=curves,
            reliability=reliability(probabilities, samples, self._settings["confidence_level"]),
            teacher_saliency=teacher.saliency if has_reasons else None,
            student_saliency=student.saliency if has_reasons else None,
            saliency_instances=self._picked.copy(),
            teacher_probabilities=probabilities["teacher"].copy(),
            student_probabilities=probabilities["student"],
            classes=classes,
            names=(teacher.name, student.name),
            settings=dict(self._settings),
        )

    @in_usual_state
    def reasons(self, student):
        """Compare the reasons alone, without the other metrics of a report.

        Parameters
        ----------
        student : fitted classifier

        Returns
        -------
        samples : pandas.DataFrame of shape (n_saliency_instances, n_metrics)
            One row per series that saliency is measured on, indexed by its position in X. One
            column per metric of a report that compares saliencies, from ``saliency_spearman`` to
            ``saliency_held_out`` and its parts.

        Raises
        ------
        ValueError, TypeError
            As in `report`.
        """
        reasons = self._reasons(*self._measured(student))
        return pd.DataFrame(reasons).set_axis(self._picked).rename_axis("instance")

    def _measured(self, student):
        """Prepare a student; return its columns in the order of the teacher's classes, too."""
        _check_same_order(self._panel.names, channel_names(student))
        scorer = scorer_of(student, "student")
        warn_of_lost_digits(self._of_models["x"], scorer)
        student = MeasuredModel(scorer, **self._of_models)
        known = self._teacher.scorer.classes, student.scorer.classes
        if all(classes is not None for classes in known):  # else known only after scoring
            _check_classes(*known, self._y)
        return student, _check_classes(self._teacher.classes, student.classes, self._y)

    def _reasons(self, student, columns):
        """Compare the reasons of both models, by all explainers."""
        of_reasons = compare_reasons(self._teacher.saliency, student.saliency)
        of_student = self._explainers.explain(student, np.array(columns)[self._answers])
        return of_reasons | self._explainers.compare(self._explained, of_student)

    @cached_property
    def _answers(self):
        return self._teacher.log_p.argmax(axis=1)

    @cached_property
    def _explained(self):
        return self._explainers.explain(self._teacher, self._answers)

    def _removed(self, student):
        """Compute the curves of both models by both saliencies; the teacher's own only once."""
        of_teacher = {"teacher": self._teacher.saliency.common_values}
        of_student = {"student": student.saliency.common_values}
        parts = (
            self._teacher_by_teacher,
            self._curves({"teacher": self._teacher}, saliencies=of_student),
            self._curves({"student": student}, saliencies=of_teacher | of_student),
        )
        values = {key: value for part in parts for key, value in part.values.items()}
        return RemovalCurves(parts[0].fractions, values)

    @cached_property
    def _teacher_by_teacher(self):
        of_teacher = {"teacher": self._teacher.saliency.common_values}
        return self._curves({"teacher": self._teacher}, saliencies=of_teacher)

    @cached_property
    def _teacher_cost(self):
        return self._cost(self._teacher)

    def _cost(self, model):
        return model.cost(self._intervals, with_latency=self._has_latency)


def _device_metrics(c_cost):
    numbers = {f"c_{name}": number for name, number in c_cost.to_dict().items()}
    return {name: np.repeat(np.array(numbers[name], dtype=float), 3) for name in DEVICE_METRICS}


def _check_same_order(names, of_student):
    """Refuse a student whose channels are others than those of X, or in another order."""
    if names != of_student and not by_position(names, of_student):
        raise ValueError(
            f"The channels of X are {names}, in the teacher's order if it has one, but the student "
            f"was fitted on {of_student}. Pass X with the student's columns, or an array if only "
            "the names differ."
        )


def _check_classes(of_teacher, of_student, y):
    """Check classes and labels; return the student's columns in the teacher's order."""
    columns = student_columns(of_teacher, of_student)
    if y is not None:
        class_indices("y", y, of_teacher, of="teacher's classes")
    return columns
