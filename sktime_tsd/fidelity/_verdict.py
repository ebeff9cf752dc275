"""From the numbers of a report to a decision: whether a student meets requirements."""

import math
from dataclasses import dataclass
from difflib import get_close_matches
from html import escape
from typing import NamedTuple

import numpy as np
import pandas as pd

from sktime_tsd._utils.binomial import instances_needed
from sktime_tsd._utils.validation import check_number
from sktime_tsd.fidelity._class_lines import PARTED, class_line_names, class_lines
from sktime_tsd.fidelity._comparisons import is_share
from sktime_tsd.fidelity._metrics import METRICS

__all__ = ["Verdict", "check_names", "judge"]

# A bootstrap of fewer series says nothing about the values that they lack.
_LEAST_INSTANCES = 20

# Means of more series than this are as good as known.
_MOST_INSTANCES = 10**9


@dataclass(frozen=True, eq=False, repr=False)
class Verdict:
    """Whether a student meets requirements, as `FidelityReport.check` returns it.

    It is true if all of them are met: ``if report.check(top_1_agreement=0.95): ...``.

    Parameters
    ----------
    lines : pandas.DataFrame
        The table that `to_frame` returns.
    confidence : float
        How confident the whole verdict is: a student that misses a requirement, be it one of
        many, passes with a probability of at most ``1 - confidence``.
    """

    lines: pd.DataFrame
    confidence: float

    @property
    def passed(self):
        """Whether all requirements are met."""
        return bool(self.lines["passed"].all())

    def __bool__(self):
        return self.passed

    def to_frame(self):
        """Return the requirements as a table, one row each.

        Returns
        -------
        frame : pandas.DataFrame
            Index ``name``; columns ``asked``, ``value`` (seen), ``bound`` (the end of the
            interval that is against it), ``higher_is_better``, ``n`` series, ``n_more`` (how
            many more series like these would do; NaN if none are needed or none would do),
            ``passed`` and ``reason``.
        """
        return self.lines.copy()

    def to_dict(self):
        """Return the verdict as plain Python values, ready for JSON.

        Returns
        -------
        verdict : dict
            ``passed``, ``confidence`` and ``requirements``, a dict with the columns of
            `to_frame` for each name; None for NaN.
        """
        rows = self.lines.astype(object).to_dict("index")
        return {
            "passed": self.passed,
            "confidence": self.confidence,
            "requirements": {
                name: {key: _plain(value) for key, value in row.items()}
                for name, row in rows.items()
            },
        }

    def _summary(self):
        n, n_met = len(self.lines), int(self.lines["passed"].sum())
        requirements = "the requirement" if n == 1 else f"{n_met} of {n} requirements"
        title = "PASSED" if self.passed else "NOT PASSED"
        return f"{title}: meets {requirements}" if n_met else f"{title}: meets no requirement"

    def _assurance(self):
        # a bootstrap holds approximately, an exact interval of a share always
        about = "" if all(map(is_share, self.lines.index)) else "about "
        return (
            f"A student that misses any of them passes with a probability of at most {about}"
            f"{100 * (1 - self.confidence):.3g} %."
        )

    def _texts(self):
        """Yield whether a requirement is met, its name, and what was asked, seen and bounded."""
        for name, line in self.lines.iterrows():
            sign, end = ("≥", "low") if line["higher_is_better"] else ("≤", "high")
            seen = _number(line["value"])
            bound = _number(line["bound"])
            yield (
                bool(line["passed"]),
                str(name),
                f"{sign} {_number(line['asked'])}",
                f"seen {seen}, {end} {bound}",
                line["reason"],
            )

    def __repr__(self):
        texts = list(self._texts())
        widths = [max(len(text[i]) for text in texts) for i in (1, 2, 3)]
        rows = [
            f"  {'ok  ' if met else 'FAIL'}  {name:<{widths[0]}}  {asked:<{widths[1]}}  "
            f"{seen:<{widths[2]}}  {reason}".rstrip()
            for met, name, asked, seen, reason in texts
        ]
        return "\n".join([self._summary(), *rows, self._assurance()])

    def _repr_html_(self):
        heads = "".join(f"<th>{head}</th>" for head in ("", "requirement", "asked", "seen", "why"))
        rows = [
            f"<tr><td>{'ok' if met else '<b>FAIL</b>'}</td>"
            + "".join(f"<td>{escape(text)}</td>" for text in texts)
            + "</tr>"
            for met, *texts in self._texts()
        ]
        table = "\n".join(["<table>", f"<tr>{heads}</tr>", *rows, "</table>"])
        summary, assurance = escape(self._summary()), escape(self._assurance())
        return f"<p><b>{summary}</b></p>\n{table}\n<p>{assurance}</p>"


def _number(value):
    return "-" if np.isnan(value) else f"{value:.4g}"


def _plain(value):
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    return None if np.isnan(value) else float(value)


def judge(report, requirements):
    """Hold a report against requirements; see `FidelityReport.check`.

    Parameters
    ----------
    report : FidelityReport
    requirements : dict of str to float

    Returns
    -------
    verdict : Verdict

    Raises
    ------
    ValueError
        If there is no requirement, or a line is unknown. The message lists the known ones.
    TypeError
        If a requirement is not a number.
    """
    of_parts = class_line_names(report)
    known = [*report.metrics.index, *of_parts]
    _check_known(requirements, known)
    samples, intervals = class_lines(report, [n for n in requirements if n in of_parts])
    confidence = (1 + report.settings["confidence_level"]) / 2
    rows = {}
    for name, asked in requirements.items():
        if name in intervals:
            value, low, high = intervals[name]
            higher = name.startswith("top_1_agreement")
        else:
            value, low, high = report.metrics.loc[name, ["value", "low", "high"]].astype(float)
            higher = bool(report.metrics.at[name, "higher_is_better"])
        line = _Line(
            name=name,
            asked=float(asked),
            value=float(value),
            bound=float(low if higher else high),
            higher_is_better=higher,
            values=samples.get(name, report.samples.get(name)),
            n=len(report.samples),
        )
        rows[name] = line.judged(confidence)
    frame = pd.DataFrame.from_dict(rows, orient="index").rename_axis("name")
    return Verdict(frame, confidence)


def check_names(names):
    """Refuse names that no report can have, before one is made.

    Parameters
    ----------
    names : list of str

    Raises
    ------
    ValueError
        If a line is unknown. The message lists the known ones.
    """
    of_parts = [f"{name}_{part}" for name in PARTED for part in ("teacher_right", "teacher_wrong")]
    of_classes = tuple(f"{name}_class_" for name in PARTED)
    known = [*METRICS, *(name for name in of_parts if name not in METRICS)]
    asked = {name: 0.0 for name in names if not name.startswith(of_classes)}
    if asked:
        _check_known(asked, [*known, *(f"{name}LABEL" for name in of_classes)])


def _check_known(requirements, known):
    if not requirements:
        raise ValueError(
            "Name at least one requirement, such as check(top_1_agreement=0.95). Known are: "
            f"{', '.join(known)}."
        )
    for name, asked in requirements.items():
        if name not in known:
            close = get_close_matches(name, known, n=2)
            hint = f" Did you mean {' or '.join(close)}?" if close else ""
            raise ValueError(
                f"The report has no line {name!r}.{hint} Known are: {', '.join(known)}. Quality, "
                "and lines by whether the teacher is right, need y in the report; reasons and "
                "removal need max_saliency_instances above 0; latency needs latency=True."
            )
        check_number(name, asked)


class _Line(NamedTuple):
    """One requirement, with what the report says of it."""

    name: str
    asked: float
    value: float
    bound: float
    higher_is_better: bool
    values: pd.Series | None  # of the series; None if it is no mean over series
    n: int  # series of the report

    def judged(self, confidence):
        """Return the row of the verdict."""
        is_cost = self.name in METRICS and METRICS[self.name].group == "cost"
        n = self.n if self.values is None else int(self.values.notna().sum())
        n = 0 if is_cost else n
        n_more, reason = self._why_not(n, confidence)
        return {
            "asked": self.asked,
            "value": self.value,
            "bound": self.bound,
            "higher_is_better": self.higher_is_better,
            "n": n,
            "n_more": n_more,
            "passed": not reason,
            "reason": reason,
        }

    def _why_not(self, n, confidence):
        """How many more series are needed, and why the requirement is not met; empty if it is."""
        sign = 1 if self.higher_is_better else -1
        if np.isnan(self.value):
            return np.nan, "cannot be judged: nothing to measure (NaN)"
        if np.isnan(self.bound):
            why = "of one series" if n == 1 else "the report has n_resamples=0"
            return np.nan, f"cannot be judged: no interval, {why}"
        if 0 < n < _LEAST_INSTANCES and not is_share(self.name):
            n_more = _LEAST_INSTANCES - n
            return n_more, f"cannot be judged: too few series ({n}), {n_more} more needed"
        if sign * (self.bound - self.asked) >= 0:
            return np.nan, ""
        if sign * (self.value - self.asked) < 0:
            return np.nan, "missed"
        needed = self._needed(n, confidence) if n else None
        if needed is None:
            return np.nan, "not sure enough"
        n_more = max(needed - n, 1)
        return n_more, f"not sure enough: about {n_more:,} more series like these {n:,} needed"

    def _needed(self, n, confidence):
        """In how many series, like those seen, the interval would meet what is asked."""
        if is_share(self.name):
            n_errors = n - int(self.values.sum())
            return instances_needed(n_errors, n, 1 - self.asked, confidence)
        if self.value == self.asked:
            return None
        # an interval narrows with the root of their number
        narrower = (self.bound - self.value) / (self.asked - self.value)
        needed = n * narrower**2
        return math.ceil(needed) if needed < _MOST_INSTANCES else None
