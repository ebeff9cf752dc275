"""Fidelity reports in pictures."""

from dataclasses import replace

import numpy as np

from sktime_tsd._utils.validation import check_choice
from sktime_tsd.fidelity import METRICS, FidelityReport, compare
from sktime_tsd.plotting._style import COLORS, MARKERS, new_axes

__all__ = ["plot_agreement", "plot_fidelity_curve", "plot_tradeoff"]


def _check_report(report):
    if not isinstance(report, FidelityReport):
        raise TypeError(
            f"report must be what fidelity_report returns, got a {type(report).__name__}."
        )


def plot_fidelity_curve(report, *, kind="deletion", ax=None):
    """Draw how both answers fall, or rise, as the most salient time points go, or come.

    Each model once by its own saliency (solid, filled markers) and once by the other's
    (dashed, open markers), with bootstrap bands.

    Parameters
    ----------
    report : FidelityReport
        With saliency.
    kind : {"deletion", "insertion"}, default="deletion"
    ax : matplotlib.axes.Axes, optional
        Default: a new figure.

    Returns
    -------
    fig : matplotlib.figure.Figure
    ax : matplotlib.axes.Axes

    Raises
    ------
    ValueError, TypeError
        If the report has no saliency, or there is no such curve.

    Examples
    --------
    >>> from sktime.classification.dummy import DummyClassifier
    >>> from sktime_tsd import fidelity_report
    >>> from sktime_tsd.datasets import load_dataset
    >>> from sktime_tsd.plotting import plot_fidelity_curve
    >>> X, y = load_dataset("UnitTest", split="train")
    >>> prior = DummyClassifier("prior").fit(X, y)
    >>> report = fidelity_report(prior, prior, X, y, latency=False)
    >>> fig, ax = plot_fidelity_curve(report)
    >>> ax.get_xlabel()
    'share of time points removed'
    """
    _check_report(report)
    check_choice("kind", kind, ("deletion", "insertion"))
    if report.curves.empty:
        raise ValueError("The report was made without saliency (max_saliency_instances=0).")
    ax = new_axes(ax)[0, 0]
    curves = report.curves[report.curves["kind"] == kind]
    for (model, source), curve in curves.groupby(["model", "source"], sort=False):
        own = model == source
        ax.plot(
            curve["fraction"],
            curve["value"],
            color=COLORS[model],
            linestyle="-" if own else "--",
            marker=MARKERS[model],
            markersize=5,
            markerfacecolor=COLORS[model] if own else "white",
            label=f"{model}, by " + ("its own" if own else f"the {source}'s"),
        )
        ax.fill_between(
            curve["fraction"], curve["low"], curve["high"], color=COLORS[model], alpha=0.12
        )
    done = {"deletion": "removed", "insertion": "kept"}[kind]
    ax.set(
        xlabel=f"share of time points {done}",
        ylabel="probability of own answer",
        xlim=(0, 1),
        ylim=(0, 1.02),
    )
    ax.legend(title="answer of ..., by saliency", fontsize="small", title_fontsize="small")
    return ax.figure, ax


def plot_agreement(report, *, ax=None):
    """Draw how often the answers are right, and alike, by how sure the models are.

    On the diagonal, confidence is what it says. Larger markers stand for more series.
    Accuracy is there if the report was made with labels; agreement with the teacher is
    drawn against the student's confidence, which is what production knows.

    Parameters
    ----------
    report : FidelityReport
    ax : matplotlib.axes.Axes, optional
        Default: a new figure.

    Returns
    -------
    fig : matplotlib.figure.Figure
    ax : matplotlib.axes.Axes

    Raises
    ------
    TypeError
        If it is no report.

    Examples
    --------
    >>> from sktime.classification.dummy import DummyClassifier
    >>> from sktime_tsd import fidelity_report
    >>> from sktime_tsd.datasets import load_dataset
    >>> from sktime_tsd.plotting import plot_agreement
    >>> X, y = load_dataset("UnitTest", split="train")
    >>> prior = DummyClassifier("prior").fit(X, y)
    >>> fig, ax = plot_agreement(fidelity_report(prior, prior, X, y, latency=False))
    >>> ax.get_ylabel()
    'share of series'
    """
    _check_report(report)
    ax = new_axes(ax, figsize=(5.4, 4.2))[0, 0]
    ax.plot([0, 1], [0, 1], color="0.7", linewidth=1, zorder=0)
    total = len(report.samples)
    of_model = dict(tuple(report.reliability.groupby("model", sort=False)))
    drawn = [("student", "agreement", "agreement", "black", ":", "^")]
    if report.reliability["accuracy"].notna().all():
        drawn += [
            (model, "accuracy", f"accuracy of the {model}", COLORS[model], line, MARKERS[model])
            for model, line in (("teacher", "-"), ("student", "--"))
        ]
    for model, column, label, color, line, marker in drawn:
        bins = of_model[model]
        ax.plot(
            bins["confidence"], bins[column], color=color, linestyle=line, marker=marker,
            markersize=3, linewidth=1.2, label=label,
        )  # fmt: skip
        size = 15 + 250 * bins["n"] / total
        ax.scatter(bins["confidence"], bins[column], s=size, color=color, marker=marker, alpha=0.35)
    least = 1 / len(report.classes)
    ax.set(
        xlabel="confidence (probability of the answer)",
        ylabel="share of series",
        xlim=(min(least, 0.98) - 0.02, 1.02),
        ylim=(-0.03, 1.05),
    )
    ax.legend(fontsize="small", loc="lower right")
    return ax.figure, ax


def plot_tradeoff(reports, *, x="latency_1_student", y="top_1_agreement", ax=None):
    """Draw what several students cost against what they are worth.

    With intervals, where the report has them. Where both lines exist for the teacher too, it
    is there as a star.

    Parameters
    ----------
    reports : dict of str to FidelityReport
        Under the students' names; all of one teacher.
    x : str, default="latency_1_student"
        A line of the reports, usually of cost. On a log scale if it spans a factor of 10.
    y : str, default="top_1_agreement"
        A line of the reports.
    ax : matplotlib.axes.Axes, optional
        Default: a new figure.

    Returns
    -------
    fig : matplotlib.figure.Figure
    ax : matplotlib.axes.Axes

    Raises
    ------
    ValueError, TypeError
        If there is no report, a report lacks a line, or `sktime_tsd.fidelity.compare` refuses
        them.

    Examples
    --------
    >>> from sktime.classification.dummy import DummyClassifier
    >>> from sktime_tsd import fidelity_report
    >>> from sktime_tsd.datasets import load_dataset
    >>> from sktime_tsd.plotting import plot_tradeoff
    >>> X, y = load_dataset("UnitTest", split="train")
    >>> prior = DummyClassifier("prior").fit(X, y)
    >>> report = fidelity_report(prior, prior, X, y, latency=False)
    >>> fig, ax = plot_tradeoff({"prior": report}, x="bytes_student", y="accuracy_student")
    >>> ax.get_xlabel()
    'pickle (bytes), lower is better'
    """
    from matplotlib.ticker import EngFormatter, LogLocator, NullLocator

    if not isinstance(reports, dict) or not reports:
        raise TypeError('reports must be a dict such as {"fcn": report, "lstm": report}.')
    for name, report in reports.items():
        _check_report(report)
        for line in (x, y):
            if line not in report.lines.index or np.isnan(report[line]):
                raise ValueError(
                    f"The report of {name!r} has no value for {line!r}; it has: "
                    f"{', '.join(report.lines['value'].dropna().index)}."
                )
    compare(reports)  # refuses what does not belong into one picture
    ax = new_axes(ax, figsize=(5.4, 4))[0, 0]
    points = [
        (name, report.lines, COLORS["student"], "s", x, y) for name, report in reports.items()
    ]
    of_teacher = [line.removesuffix("_student") + "_teacher" for line in (x, y)]
    lines = next(iter(reports.values())).lines
    has_teacher = set(of_teacher) <= set(lines["value"].dropna().index)
    if has_teacher:
        points.append(("teacher", lines, COLORS["teacher"], "*", *of_teacher))
    for number, (name, lines, color, marker, x_line, y_line) in enumerate(points):
        at = [lines.loc[line, ["value", "low", "high"]].astype(float) for line in (x_line, y_line)]
        errors = [
            np.nan_to_num([[line["value"] - line["low"]], [line["high"] - line["value"]]]).clip(
                min=0
            )
            for line in at
        ]
        place = at[0]["value"], at[1]["value"]
        ax.errorbar(
            *place, xerr=errors[0], yerr=errors[1], color=color, marker=marker, capsize=3,
            markersize=12 if marker == "*" else 7,
        )  # fmt: skip
        # above and below in turn, so that near points keep their names apart
        ax.annotate(
            name, place, xytext=(7, -13 if number % 2 else 7), textcoords="offset points",
            fontsize="small",
        )  # fmt: skip
    values = [lines.at[x_line, "value"] for _, lines, _, _, x_line, _ in points]
    if min(values) > 0 and max(values) / min(values) >= 10:
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.xaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_major_formatter(EngFormatter())
    ax.margins(0.15)
    ax.set(xlabel=_directed(x, has_teacher), ylabel=_directed(y, has_teacher))
    return ax.figure, ax


def _directed(name, of_both):
    line = METRICS[name]
    label = replace(line, side=None).axis_label if of_both else line.axis_label
    return f"{label}, {'higher' if line.higher_is_better else 'lower'} is better"
