"""Pictures in a benchmark's report."""

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter

from sktime_tsd.benchmark._benchmark_method import method_title
from sktime_tsd.plotting._figure import file_figure

__all__ = ["critical_difference", "reasons", "scatter", "trade_off"]

_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS = "osD^vP*Xhd<>"


def critical_difference(ranks, p_values, title, alpha=0.05):
    """Draw mean ranks, with a bar joining methods that do not differ significantly.

    Parameters
    ----------
    ranks : pandas.Series
        Mean rank of each method.
    p_values : pandas.DataFrame of shape (n_methods, n_methods)
        Adjusted p-values of all pairs.
    title : str
    alpha : float, default=0.05

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    import scikit_posthocs

    names = [method_title(name) for name in ranks.index]
    p_values = p_values.loc[ranks.index, ranks.index].set_axis(names).set_axis(names, axis=1)
    figure = file_figure((8, 1.2 + 0.28 * len(ranks)))
    ax = figure.subplots()
    scikit_posthocs.critical_difference_diagram(
        ranks.set_axis(names),
        p_values,
        alpha=alpha,
        ax=ax,
        label_fmt_left="{label} ({rank:.2f})",
        label_fmt_right="({rank:.2f}) {label}",
        elbow_props={"color": "0.4", "linewidth": 1},
        marker_props={"marker": "o", "s": 20, "color": "black"},
        crossbar_props={"color": _COLORS[1], "linewidth": 3},
    )
    ax.set_title(f"{title}: mean rank (1 is best)", fontsize="medium")
    return figure


def scatter(tables, method, others, labels):
    """Draw one method's scores against other methods', one point per data set.

    Parameters
    ----------
    tables : dict of str to pandas.DataFrame
        Metric -> scores, of shape (n_datasets, n_methods). One column of pictures each.
    method : str
        On the vertical axis.
    others : sequence of str
        On the horizontal axis. One row of pictures each.
    labels : dict of str to tuple (label, higher_is_better)
        For each metric.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    figure = file_figure((3.1 * len(tables), 3.1 * len(others)))
    axes = figure.subplots(len(others), len(tables), squeeze=False)
    for row, other in zip(axes, others, strict=True):
        for ax, (metric, table) in zip(row, tables.items(), strict=True):
            label, higher_is_better = labels[metric]
            both = table[[other, method]].dropna()
            x, y = both[other].to_numpy(), both[method].to_numpy()
            gain = np.round(y - x if higher_is_better else x - y, 9)
            for where, marker, color in (
                (gain > 0, "o", _COLORS[0]),
                (gain == 0, "D", "0.5"),
                (gain < 0, "s", _COLORS[1]),
            ):
                ax.scatter(x[where], y[where], s=22, color=color, marker=marker)
            low, high = min(x.min(), y.min()), max(x.max(), y.max())
            margin = 0.04 * (high - low or 1)
            limits = (low - margin, high + margin)
            ax.plot(limits, limits, color="0.6", linewidth=1, zorder=0)
            ax.set(xlim=limits, ylim=limits, aspect="equal")
            ax.set_xlabel(f"{label}, {method_title(other)}", fontsize="small")
            ax.set_ylabel(method_title(method), fontsize="small")
            won, tied = (gain > 0).sum(), (gain == 0).sum()
            title = f"better on {won}, equal on {tied} of {len(both)} data sets"
            ax.set_title(title, fontsize="small")
            ax.tick_params(labelsize="small")
    return figure


def reasons(points, lines):
    """Draw how alike reasons are, explainer by explainer, between floor and ceiling.

    Parameters
    ----------
    points : pandas.DataFrame of shape (n_methods, n_explainers)
        Correlations; each method is a row of markers.
    lines : dict of str to pandas.Series of shape (n_explainers,)
        Correlations that bound the others; each is a line.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    explainers = next(iter(lines.values())).index
    figure = file_figure((3 + 0.85 * len(explainers), 4.2))
    ax = figure.subplots()
    place = np.arange(len(explainers))
    for (name, values), style in zip(lines.items(), ("--", ":"), strict=False):
        edges = np.append(place, len(explainers)) - 0.5
        ax.stairs(values.to_numpy(), edges, baseline=None, color="0.3", ls=style, label=name)
    shift = np.linspace(-0.25, 0.25, len(points)) if len(points) > 1 else [0.0]
    for number, (name, values) in enumerate(points.iterrows()):
        ax.plot(
            place + shift[number],
            values,
            linestyle="",
            color=_COLORS[number % len(_COLORS)],
            marker=_MARKERS[number % len(_MARKERS)],
            label=name,
        )
    ax.set_xticks(place, explainers, rotation=35, ha="right", fontsize="small")
    ax.axvline(0.5, color="0.85", linewidth=1, zorder=0)
    ax.set_ylabel("correlation with the teacher's reasons")
    figure.legend(loc="outside right upper", fontsize="small")
    return figure


def trade_off(points, x_label, y_label):
    """Draw the quality of models against their cost.

    Parameters
    ----------
    points : pandas.DataFrame
        Columns ``x`` (cost), ``y`` (quality), ``model`` (sets the marker) and ``group`` (sets
        the colour).
    x_label, y_label : str

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    figure = file_figure((7.5, 4.2))
    ax = figure.subplots()
    groups, models = (list(dict.fromkeys(points[name])) for name in ("group", "model"))
    color = {name: _COLORS[i % len(_COLORS)] for i, name in enumerate(groups)}
    marker = {name: _MARKERS[i % len(_MARKERS)] for i, name in enumerate(models)}
    for point in points.itertuples():
        ax.plot(
            point.x, point.y, color=color[point.group], marker=marker[point.model], markersize=7
        )  # fmt: skip
    handles = [
        Line2D([], [], color="0.3", marker=marker[name], linestyle="", label=name)
        for name in models
    ]
    if len(groups) > 1:
        handles += [Line2D([], [], color=color[name], linewidth=4, label=name) for name in groups]
    if points["x"].min() > 0 and points["x"].max() / points["x"].min() >= 10:
        ax.set_xscale("log")
        ax.xaxis.set_major_formatter(EngFormatter())
    ax.set(xlabel=x_label, ylabel=y_label)
    ax.margins(0.1)
    figure.legend(handles=handles, loc="outside right upper", fontsize="small")
    return figure
