"""A fidelity report as an object."""

from dataclasses import dataclass
from difflib import get_close_matches
from html import escape
from textwrap import wrap

import numpy as np
import pandas as pd

from sktime_tsd.fidelity._metrics import GROUPS, METRICS, SIDES
from sktime_tsd.saliency import Saliency

__all__ = ["FidelityReport", "compare"]

# 2 + 33 + 23 + 22 columns: a terminal's 80
_LABEL_WIDTH = 33
_COLUMN_WIDTH = 23
_TEXT_WIDTH = 80


@dataclass(frozen=True, eq=False, repr=False)
class FidelityReport:
    """How alike a student is to its teacher, as `fidelity_report` returns it.

    Parameters
    ----------
    metrics : pandas.DataFrame
        What `to_frame` returns.
    samples : pandas.DataFrame
        One row per series, indexed by its place in X; one column per metric that is a mean
        over series. NaN where a metric does not concern a series.
    curves : pandas.DataFrame
        Deletion and insertion curves: columns ``kind`` ("deletion", "insertion"), ``model``
        (whose answer is watched), ``source`` (whose saliency says what goes or comes first),
        ``fraction`` of the time points removed or kept, and the mean probability of the
        model's own answer: ``value``, ``low``, ``high``. Empty without saliency.
    reliability : pandas.DataFrame
        Series by confidence: columns ``model``, ``bin``, ``n`` series, mean ``confidence``,
        ``accuracy`` (NaN without labels) and ``agreement`` with the other model.
    teacher_saliency, student_saliency : Saliency or None
        Of the series `saliency_instances`.
    saliency_instances : numpy.ndarray of shape (n_saliency_instances,)
        Places in X, ascending.
    teacher_probabilities, student_probabilities : numpy.ndarray
        Of shape (n_instances, n_classes).
    classes : numpy.ndarray of shape (n_classes,)
        Labels of their columns.
    names : tuple of str
        What the teacher and the student are.
    settings : dict
        What the report was made with: ``window`` and ``stride`` in time points,
        ``perturbation``, ``n_donors``, ``max_saliency_instances``, ``n_resamples``,
        ``confidence_level``, ``random_state`` (a drawn seed where none was given).
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
        """Load pickles of version 0.1 too, which had other names."""
        if "lines" in state:
            settings = dict(state["settings"])
            settings["n_resamples"] = settings.pop("n_draws")
            state = {"metrics": state["lines"], **state, "settings": settings}
            del state["lines"]
        self.__dict__.update(state)

    def to_frame(self):
        """One row per metric of the report.

        Returns
        -------
        frame : pandas.DataFrame
            Index ``name``; columns ``value``, ``low`` and ``high`` (ends of the interval) and
            ``higher_is_better``. NaN where there is nothing to measure. A copy.
        """
        return self.metrics.copy()

    def to_dict(self):
        """Give the metrics as plain Python numbers, ready for JSON.

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
        """Value of a metric; an unknown name is answered with similar ones."""
        if name not in self.metrics.index:
            alike = [metric for metric in self.metrics.index if str(name) in metric]
            alike += get_close_matches(str(name), self.metrics.index)
            hint = f" Did you mean {', '.join(dict.fromkeys(alike))}?" if alike else ""
            raise KeyError(
                f"The report has no metric {name!r}.{hint} Metrics of quality need y, those "
                "of reasons and removal max_saliency_instances, those of time latency=True."
            )
        return float(self.metrics.at[name, "value"])

    def _headline(self):
        teacher, student = self.names
        n_saliency = len(self.saliency_instances)
        series = f"{len(self.samples)}, {n_saliency} of them for saliency and removal"
        lines = [
            "Fidelity of a student to its teacher",
            f"teacher:  {teacher}",
            f"student:  {student}",
            f"series:   {series}",
        ]
        if n_saliency:
            lines.append(f"saliency: {self.teacher_saliency.filling}")
        lines.append("(+) higher is better, (-) lower is better")
        if self.settings["n_resamples"]:
            level = f"{100 * self.settings['confidence_level']:g} %"
            lines.append(f"[low high] are {level} bootstrap intervals")
        return lines

    def _rows(self):
        """Yield (group, label, one cell, or one for each side)."""
        shown = {}
        for name, row in self.metrics.iterrows():
            metric = METRICS[name]
            unit = f", {metric.unit}" if metric.unit else ""
            label = f"{metric.label}{unit} ({'+' if metric.higher_is_better else '-'})"
            cells = shown.setdefault((metric.group, label), {})
            exact = metric.name.startswith(("parameters", "bytes"))
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
        Under the students' names. All on the same series.

    Returns
    -------
    frame : pandas.DataFrame
        One row per metric that all have, index ``name``; columns of two levels, the student's
        name above ``value``, ``low`` and ``high``. ``frame.xs("value", axis=1, level=1)`` is
        the table of values alone.

    Raises
    ------
    ValueError
        If there is no report, or they were not made with the same teacher, series, labels,
        background and settings, ``random_state`` included.
    TypeError
        If `reports` is no dict of reports.

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
            "reports must be a dict of student's name to FidelityReport, such as "
            '{"fcn": fidelity_report(teacher, fcn, X), "lstm": ...}.'
        )
    if not reports:
        raise ValueError("reports is empty: there is nothing to compare.")
    first, *others = reports.values()
    for report in others:
        other = [name for name, value in report.settings.items() if value != first.settings[name]]
        if other:
            raise ValueError(
                f"The reports were made with different settings ({', '.join(other)}), so their "
                "lines cannot be compared. Give all the same, random_state included."
            )
    if not all(_same_teacher(first, report) for report in others):
        raise ValueError(
            "The reports differ in what they say of the teacher alone: compare takes several "
            "students of one teacher on the same series, with the same labels and background."
        )
    columns = ["value", "low", "high"]
    return pd.concat(
        {name: report.metrics[columns] for name, report in reports.items()}, axis=1, join="inner"
    )


def _same_teacher(one, other):
    """Tell whether two reports agree on all that does not depend on the student."""
    pair = one.teacher_probabilities, other.teacher_probabilities
    if pair[0].shape != pair[1].shape or not np.allclose(*pair, atol=1e-6):
        return False
    of_teacher = [
        name
        for name in one.metrics.index.intersection(other.metrics.index)
        if METRICS[name].group in ("quality", "removal")
        and METRICS[name].side == "teacher"
        and not name.endswith("_by_student")
    ]
    pair = (report.metrics.loc[of_teacher, "value"].astype(float) for report in (one, other))
    return np.allclose(*pair, atol=1e-6, equal_nan=True)
