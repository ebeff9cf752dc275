"""The result of a fidelity report."""

from dataclasses import dataclass
from difflib import get_close_matches
from html import escape
from textwrap import wrap

import numpy as np
import pandas as pd

from sktime_tsd.fidelity._comparisons import reliability
from sktime_tsd.fidelity._metrics import ALL_METRICS, GROUPS, SIDES
from sktime_tsd.fidelity._verdict import judge
from sktime_tsd.saliency import Saliency

__all__ = ["FidelityReport", "compare"]

# 2 + 33 + 23 + 22 columns: a terminal's 80
_LABEL_WIDTH = 33
_COLUMN_WIDTH = 23
_TEXT_WIDTH = 80


@dataclass(frozen=True, eq=False, repr=False)
class FidelityReport:
    """How alike a student and its teacher are, as `fidelity_report` returns it.

    Parameters
    ----------
    metrics : pandas.DataFrame
        The table that `to_frame` returns.
    samples : pandas.DataFrame
        One row per series, indexed by its position in X; one column per metric that is a mean
        over series. NaN where a metric does not apply to a series.
    curves : pandas.DataFrame
        Deletion and insertion curves. Columns: ``kind`` ("deletion", "insertion"), ``model``
        (whose answer is measured), ``source`` (whose saliency decides what is removed or added
        first), ``fraction`` of the time points removed or kept, and the mean probability of the
        model's own answer with its interval: ``value``, ``low``, ``high``. Empty without
        saliency or removal.
    reliability : pandas.DataFrame
        Accuracy and agreement by confidence, one row per model and bin, the least confident bin
        first. For each model, the series are sorted by confidence and split into ten bins of
        about equal size, or fewer if bins would hold under 30 series. Columns: ``model``,
        ``bin`` (from 0), ``n`` series, mean ``confidence``, ``accuracy``, ``agreement`` with
        the other model, and the Wilson intervals of these two at the report's confidence level:
        ``accuracy_low``, ``accuracy_high``, ``agreement_low`` and ``agreement_high``. Accuracy
        and its interval are NaN without labels.
    teacher_saliency, student_saliency : Saliency or None
        Of the series in `saliency_instances`; None without saliency.
    saliency_instances : numpy.ndarray of shape (n_saliency_instances,)
        Positions in X, ascending.
    teacher_probabilities, student_probabilities : numpy.ndarray
        Of shape (n_instances, n_classes), columns in the order of `classes`.
    classes : numpy.ndarray of shape (n_classes,)
        Labels of the columns.
    names : tuple of str
        Types of the teacher and the student, with the names of their networks.
    settings : dict
        Settings of the report: ``window`` and ``stride`` in time points, ``perturbation``,
        ``n_donors``, ``max_saliency_instances``, ``removal``, ``explainers``, ``n_resamples``,
        ``confidence_level``, ``random_state`` (the seed drawn if none was given) and
        ``torch_threads`` (while calls were timed).
    """

    metrics: pd.DataFrame
    samples: pd.DataFrame
    curves: pd.DataFrame
    reliability: pd.DataFrame
    teacher_saliency: Saliency | None
    student_saliency: Saliency | None
    saliency_instances: np.ndarray
    teacher_probabilities: np.ndarray
    student_probabilities: np.ndarray
    classes: np.ndarray
    names: tuple
    settings: dict

    def __setstate__(self, state):
        """Also load pickles of version 0.1, which had other names."""
        if "lines" in state:
            settings = dict(state["settings"])
            settings["n_resamples"] = settings.pop("n_draws")
            state = {"metrics": state["lines"], **state, "settings": settings}
            del state["lines"]
        if "agreement_low" not in state["reliability"]:
            sides = ("teacher", "student")
            probabilities = {side: state[f"{side}_probabilities"] for side in sides}
            level = state["settings"]["confidence_level"]
            state = {**state, "reliability": reliability(probabilities, state["samples"], level)}
        settings = {"explainers": ()} | state["settings"]
        self.__dict__.update(state | {"settings": settings})

    def to_frame(self):
        """Return the metrics as a table, one row each.

        Returns
        -------
        frame : pandas.DataFrame
            A copy. Index ``name``; columns ``value``, ``low`` and ``high`` (ends of the
            interval) and ``higher_is_better``. NaN where there is nothing to measure.
        """
        return self.metrics.copy()

    def to_dict(self):
        """Return the metrics as plain Python numbers, ready for JSON.

        Returns
        -------
        metrics : dict of str to dict
            Keys of each: ``value``, ``low``, ``high`` (None where there is nothing to measure)
            and ``higher_is_better``.
        """
        return {
            name: {
                key: bool(value) if key == "higher_is_better" else _none_for_nan(value)
                for key, value in row.items()
            }
            for name, row in self.metrics.to_dict("index").items()
        }

    def __getitem__(self, name):
        """Return the value of a metric; the error for an unknown name suggests similar ones."""
        if name not in self.metrics.index:
            alike = [metric for metric in self.metrics.index if str(name) in metric]
            alike += get_close_matches(str(name), self.metrics.index)
            hint = f" Did you mean {', '.join(dict.fromkeys(alike))}?" if alike else ""
            raise KeyError(
                f"The report has no metric {name!r}.{hint} Quality metrics need y, reasons and "
                "removal need max_saliency_instances above 0, removal also needs removal=True, and "
                "latency needs latency=True."
            )
        return float(self.metrics.at[name, "value"])

    def check(self, **requirements):
        """Decide whether the student may take the teacher's place.

        Each line is judged by the end of its interval that is against it: the lower where higher
        is better, the upper where lower is better. Intervals of shares are exact, so few series
        do not pass for want of errors. The guide (Is it safe?) has examples and the statistics.

        Parameters
        ----------
        **requirements : float
            By the name of a metric of the report: at least this where higher is better, at most
            where lower is. Agreement and KL divergence may also be asked for by the class that
            the teacher answers, as ``top_1_agreement_class_LABEL`` and
            ``kl_divergence_class_LABEL``, and by whether the teacher is right, as
            ``kl_divergence_teacher_right`` and so on.

        Returns
        -------
        verdict : Verdict
            Print it. ``verdict.passed`` is True if all requirements are met. Lines that cannot be
            judged (NaN, no interval, too few series) are not met, and say why.

        Raises
        ------
        ValueError
            If a line is unknown (the message lists the known ones), or there is no requirement.
        TypeError
            If a requirement is not a number.

        Examples
        --------
        >>> from sktime.classification.dummy import DummyClassifier
        >>> from sktime_tsd import fidelity_report
        >>> from sktime_tsd.datasets import load_dataset
        >>> X, y = load_dataset("UnitTest", split="train")
        >>> prior = DummyClassifier("prior").fit(X, y)
        >>> report = fidelity_report(prior, prior, X, latency=False)
        >>> print(report.check(top_1_agreement=0.95, kl_divergence=0.1))  # doctest: +ELLIPSIS
        NOT PASSED: meets 1 of 2 requirements
          FAIL  top_1_agreement  ≥ 0.95  seen 1, low 0.8316  not sure enough: ...
          ok    kl_divergence    ≤ 0.1   seen 0, high 0
        A student that misses any of them passes with a probability of at most about 2.5 %.
        """
        return judge(self, requirements)

    def _headline(self):
        teacher, student = self.names
        n_saliency = len(self.saliency_instances)
        series = f"{len(self.samples)}, {n_saliency} of them for saliency and removal"
        headline = [
            "Fidelity of a student to its teacher",
            f"teacher:  {teacher}",
            f"student:  {student}",
            f"series:   {series}",
        ]
        if n_saliency:
            headline.append(f"saliency: {self.teacher_saliency.filling}")
        if "bytes_student" in self.metrics.index:
            headline.append("size:     of the pickle, or of the ONNX file")
        if "latency_1_student" in self.metrics.index:
            threads = self.settings.get("torch_threads", "some")
            headline.append(
                "one call: of predict_proba in Python, with its checks of the input; median, torch "
                f"on {threads} thread{'' if threads == 1 else 's'}, ONNX files on n_threads"
            )
        headline.append("(+) higher is better, (-) lower is better")
        if self.settings["n_resamples"]:
            level = f"{100 * self.settings['confidence_level']:g} %"
            headline.append(f"[low high] are {level} bootstrap intervals, exact ones of shares")
        return headline

    def _rows(self):
        """Yield (group, label, cells), with one cell, or one for each side."""
        shown = {}
        for name, row in self.metrics.iterrows():
            metric = ALL_METRICS[name]
            unit = f", {metric.unit}" if metric.unit else ""
            label = f"{metric.label}{unit} ({'+' if metric.higher_is_better else '-'})"
            cells = shown.setdefault((metric.group, label), {})
            exact = metric.name.startswith(("parameters", "bytes", "c_"))
            low, high = (np.nan, np.nan) if exact else (row["low"], row["high"])
            cells[metric.side] = _cell(row["value"], low, high)
        for (group, label), cells in shown.items():
            sides = [None] if None in cells else SIDES
            yield group, label, [cells[side] for side in sides]

    def __repr__(self):
        text = [
            row
            for line in self._headline()
            for row in wrap(line, _TEXT_WIDTH, subsequent_indent=" " * 10, break_on_hyphens=False)
        ]
        last = None
        for group, label, cells in self._rows():
            if group != last:
                sides = [f"{side:<{_COLUMN_WIDTH}}" for side in (SIDES if len(cells) > 1 else ())]
                width = 2 + _LABEL_WIDTH if sides else 0
                title = GROUPS[group]
                if len(title) >= width > 0:
                    text += ["", title]
                    title = "  answer of the"
                else:
                    text.append("")
                text.append(f"{title:<{width}}{''.join(sides)}".rstrip())
                last = group
            cells = "".join(f"{cell:<{_COLUMN_WIDTH - 1}} " for cell in cells)
            text.append(f"  {label:<{_LABEL_WIDTH}}{cells}".rstrip())
        return "\n".join(text)

    def _repr_html_(self):
        text = [f"<p>{'<br/>'.join(map(escape, self._headline()))}</p>", "<table>"]
        last = None
        for group, label, cells in self._rows():
            if group != last:
                sides = SIDES if len(cells) > 1 else ("value",)
                heads = "".join(f"<th>{side}</th>" for side in sides)
                text.append(f"<tr><th>{escape(GROUPS[group])}</th>{heads}</tr>")
                last = group
            cells = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
            text.append(f"<tr><td>{escape(label)}</td>{cells}</tr>")
        return "\n".join([*text, "</table>"])


def _cell(value, low, high):
    if np.isnan(value):
        return "-"
    n_digits = 3 if value < 10 else 1 if value < 100 else 0
    text = f"{value:,.{n_digits}f}"
    if np.isnan(low):
        return text
    return f"{text} [{low:,.{n_digits}f} {high:,.{n_digits}f}]"


def _none_for_nan(value):
    return None if np.isnan(value) else float(value)


def compare(reports):
    """Put the reports of several students of one teacher side by side.

    Parameters
    ----------
    reports : dict of str to FidelityReport
        Reports by student name, all on the same series.

    Returns
    -------
    frame : pandas.DataFrame
        One row per metric that all reports have, index ``name``. Columns have two levels: the
        student's name, then ``value``, ``low`` and ``high``. For the values alone, use
        ``frame.xs("value", axis=1, level=1)``.

    Raises
    ------
    ValueError
        If there is no report, or the reports do not share teacher, series, labels, background
        and settings, including ``random_state``.
    TypeError
        If `reports` is not a dict of reports.

    Examples
    --------
    >>> from sktime.classification.dummy import DummyClassifier
    >>> from sktime_tsd import fidelity_report
    >>> from sktime_tsd.datasets import load_dataset
    >>> from sktime_tsd.fidelity import compare
    >>> X, y = load_dataset("UnitTest", split="train")
    >>> prior = DummyClassifier("prior").fit(X, y)
    >>> report = fidelity_report(prior, prior, X, y, latency=False)
    >>> table = compare({"one": report, "other": report})
    >>> table.loc["accuracy_student", ("one", "value")]
    np.float64(0.5)
    """
    if not isinstance(reports, dict) or not all(
        isinstance(report, FidelityReport) for report in reports.values()
    ):
        raise TypeError(
            "reports must be a dict from student name to FidelityReport, such as "
            f'{{"fcn": fidelity_report(teacher, fcn, X), "lstm": ...}}; got {reports!r:.80}.'
        )
    if not reports:
        raise ValueError("reports is empty. Pass at least one report to compare.")
    first, *others = reports.values()
    for report in others:
        names = report.settings.keys() - {"torch_threads"}  # of latency alone
        other = sorted(name for name in names if report.settings[name] != first.settings[name])
        if other:
            raise ValueError(
                f"The reports were made with different settings ({', '.join(other)}), so their "
                "metrics cannot be compared. Use the same settings for all, including random_state."
            )
    if not all(_same_teacher(first, report) for report in others):
        raise ValueError(
            "The reports differ in the teacher's own metrics. Compare students of one teacher, on "
            "the same series with the same labels and background."
        )
    columns = ["value", "low", "high"]
    return pd.concat(
        {name: report.metrics[columns] for name, report in reports.items()}, axis=1, join="inner"
    )


def _same_teacher(one, other):
    """Whether two reports agree on everything that does not depend on the student."""
    pair = one.teacher_probabilities, other.teacher_probabilities
    if pair[0].shape != pair[1].shape or not np.allclose(*pair, atol=1e-6):
        return False
    of_teacher = [
        name
        for name in one.metrics.index.intersection(other.metrics.index)
        if ALL_METRICS[name].group in ("quality", "removal")
        and ALL_METRICS[name].side == "teacher"
        and not name.endswith("_by_student")
    ]
    pair = (report.metrics.loc[of_teacher, "value"].astype(float) for report in (one, other))
    return np.allclose(*pair, atol=1e-6, equal_nan=True)
