"""Fidelity reports in pictures."""

from dataclasses import replace

import numpy as np

from sktime_tsd._utils.validation import check_choice
from sktime_tsd.fidelity import METRICS, FidelityReport, compare
from sktime_tsd.plotting._style import COLORS, MARKERS, new_axes

__all__ = ["plot_agreement", "plot_fidelity_curve", "plot_tradeoff"]


# Confidence is drawn up to one minus this.
_LEAST_DOUBT = 1e-4


def _check_report(report):
    if not isinstance(report, FidelityReport):
        raise TypeError(f"report must come from fidelity_report, got a {type(report).__name__}.")


def plot_fidelity_curve(report, *, kind="deletion", ax=None):
    """Draw both models' confidence as salient time points are removed or added.

    Each model appears twice: with the points ordered by its own saliency (solid, filled markers)
    and by the other model's (dashed, open markers). Bands are bootstrap intervals.

    Parameters
    ----------
    report : FidelityReport
        Made with saliency.
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
        If the report has no saliency, or `kind` is unknown.

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
        own, whose = model == source, f"{source}'s"
        ax.plot(
            curve["fraction"],
            curve["value"],
            color=COLORS[model],
            linestyle="-" if own else "--",
            marker=MARKERS[model],
            markersize=5,
            markerfacecolor=COLORS[model] if own else "white",
            label=f"{model}'s answer, {'its own' if own else whose} saliency",
        )
        ax.fill_between(
            curve["fraction"], curve["low"], curve["high"], color=COLORS[model], alpha=0.12
        )
    done = {"deletion": "removed", "insertion": "kept"}[kind]
    ax.set(
        xlabel=f"share of time points {done}",
        ylabel="probability of the model's answer",
        xlim=(0, 1),
        ylim=(0, 1.02),
    )
    ax.set_title(kind.capitalize(), fontsize="medium")
    ax.legend(fontsize="small")
    return ax.figure, ax


def plot_agreement(report, *, ax=None):
    """Draw how often answers are right, and agree, by how sure the model is.

    Each marker stands for a bin of about as many series as the others, with its Wilson interval;
    the confidence axis is stretched towards 0 and 1 (logit scale). On the grey line, accuracy
    equals confidence. Accuracy needs a report with labels. Agreement with the teacher is drawn
    against the student's confidence, the one known in production.

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
        If `report` is not a FidelityReport.

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
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    _check_report(report)
    ax = new_axes(ax, figsize=(5.4, 4.2))[0, 0]
    of_model = dict(tuple(report.reliability.groupby("model", sort=False)))
    # open triangles, larger than the rest, show where accuracy and agreement are the same
    drawn = [("student", "agreement", "agreement", "black", ":", "^", "none", 9)]
    if report.reliability["accuracy"].notna().all():
        drawn += [
            (model, "accuracy", f"accuracy of the {model}", COLORS[model], line, MARKERS[model],
             COLORS[model], 4)
            for model, line in (("teacher", "-"), ("student", "--"))
        ]  # fmt: skip
    highest = 1 - _LEAST_DOUBT
    least_confidence = 1 / len(report.classes)
    lowest = min(least_confidence, 0.5)
    for model, column, label, color, line, marker, face, size in drawn:
        bins = of_model[model]
        share, low, high = (bins[column + end] for end in ("", "_low", "_high"))
        ax.errorbar(
            bins["confidence"].clip(upper=highest), share,
            yerr=np.clip([share - low, high - share], 0, None),
            color=color, linestyle=line, marker=marker, markersize=size, markerfacecolor=face,
            linewidth=1.2, elinewidth=0.7, capsize=2, label=label,
        )  # fmt: skip
        lowest = min(lowest, low.min())
    ax.set_xscale("logit")
    diagonal = np.concatenate([np.linspace(0.01, 0.99, 99), 1 - np.geomspace(0.01, 1e-6)])
    ax.plot(diagonal, diagonal, color="0.7", linewidth=1, zorder=0, label="accuracy = confidence")
    ax.xaxis.set_major_locator(FixedLocator([0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 0.99, 0.999, 0.9999]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda confidence, _: f"{confidence:g}"))
    ax.set(
        xlabel="confidence (probability of the answer)",
        ylabel="share of series",
        xlim=(0.9 * min(least_confidence, 0.9), 1 - 0.5 * _LEAST_DOUBT),
        ylim=(max(lowest - 0.05, -0.03), 1.03),
    )
    ax.set_title("Accuracy and agreement", fontsize="medium")
    ax.legend(fontsize="small", loc="lower right")
    return ax.figure, ax


def plot_tradeoff(reports, *, x="latency_1_student", y="top_1_agreement", ax=None):
    """Draw a metric of several students against another, usually fidelity against cost.

    Bars are the reports' intervals, where they have any. A star marks the teacher, if the reports
    have both metrics of it.

    Parameters
    ----------
    reports : dict of str to FidelityReport
        By the student's name; all with the same teacher.
    x : str, default="latency_1_student"
        A metric of the reports, usually a cost. On a log scale if it spans a factor of 10.
    y : str, default="top_1_agreement"
        A metric of the reports.
    ax : matplotlib.axes.Axes, optional
        Default: a new figure.

    Returns
    -------
    fig : matplotlib.figure.Figure
    ax : matplotlib.axes.Axes

    Raises
    ------
    ValueError, TypeError
        If there is no report, a report lacks a metric, or `sktime_tsd.fidelity.compare` refuses
        the reports.

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
    'size (bytes), lower is better'
    """
    from matplotlib.ticker import EngFormatter, LogLocator, NullLocator

    if not isinstance(reports, dict) or not reports:
        raise TypeError('reports must be a dict such as {"fcn": report, "lstm": report}.')
    for name, report in reports.items():
        _check_report(report)
        for line in (x, y):
            if line not in report.metrics.index or np.isnan(report[line]):
                raise ValueError(
                    f"The report of {name!r} has no value for {line!r}; it has: "
                    f"{', '.join(report.metrics['value'].dropna().index)}."
                )
    compare(reports)  # refuses reports that cannot be compared
    ax = new_axes(ax, figsize=(5.4, 4))[0, 0]
    points = [
        (name, report.metrics, COLORS["student"], "s", x, y) for name, report in reports.items()
    ]
    of_teacher = [line.removesuffix("_student") + "_teacher" for line in (x, y)]
    lines = next(iter(reports.values())).metrics
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
        # above and below in turn, so that the names of close points do not overlap
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
