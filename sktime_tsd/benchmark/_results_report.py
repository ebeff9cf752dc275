"""The report on a benchmark's rows: tables, significance tests and pictures."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pandas as pd

from sktime_tsd._utils.markdown import code_span, markdown_text
from sktime_tsd.benchmark._benchmark_method import BenchmarkMethod, method_title
from sktime_tsd.benchmark._groups import (
    FURTHER_METRICS,
    MAIN_METRICS,
    counted,
    groups_of,
    higher_is_better,
)
from sktime_tsd.benchmark._model_costs import costs_by_method, costs_of_pair
from sktime_tsd.benchmark._reasons import reasons_section
from sktime_tsd.benchmark._results import KEY, parts_folder, read_results
from sktime_tsd.benchmark._statistics import (
    common_runs,
    compare_pairs,
    least_p_value,
    mean_ranks,
    p_value_matrix,
    pairs_of_interest,
)
from sktime_tsd.benchmark._truth import truth_sections

__all__ = ["TITLE", "write_report"]

TITLE = "Results of the benchmark"

_ALPHA = 0.05
_SIZES = {
    "n_train": "series",
    "n_channels": "channels",
    "n_timepoints": "time points",
    "n_classes": "classes",
}


def write_report(results, out, *, methods=None, title=TITLE):
    """Write ``report.md`` and its pictures.

    Parameters
    ----------
    results : sequence of path-like
        Files written by `run_benchmark`.
    out : path-like
        Folder; created if it does not exist.
    methods : sequence of str, optional
        Report on these methods only. Default: all. Means cover the data sets and seeds that
        all reported methods have, so fewer methods can mean more runs.
    title : str, default="Results of the benchmark"

    Returns
    -------
    paths : list of pathlib.Path

    Raises
    ------
    ValueError
        If a file is not a result file, a run is in the files twice, rows that cannot be
        compared would be averaged, or one of ``methods`` has no rows.
    FileNotFoundError
        If a file does not exist.
    ImportError
        If scikit-posthocs, tabulate or matplotlib is not installed.
    """
    for needed in ("matplotlib", "scikit_posthocs", "tabulate"):
        if importlib.util.find_spec(needed) is None:
            raise ImportError(f'the report needs {needed}: pip install "sktime_tsd[benchmark]"')
    out = Path(out)
    if out.is_file():
        raise ValueError(f"out: {out} is a file; name a folder")
    rows = pd.concat([_rows_in(path) for path in results], ignore_index=True)
    if rows.empty:
        raise ValueError(f"no rows to report on in {', '.join(map(str, results))}")
    twice = rows[rows.duplicated([*KEY, "weight_chosen_on"])]
    if len(twice):
        run = ", ".join(str(twice.iloc[0][name]) for name in KEY)
        raise ValueError(f"the run ({run}) is in the files more than once; give each file once")
    if methods is not None:
        rows = _rows_of(rows, methods)
    groups = groups_of(rows)
    out.mkdir(parents=True, exist_ok=True)
    paths = [out / "report.md"]

    def save(figure, name):
        paths.append(out / name)
        figure.savefig(paths[-1], dpi=110)
        return name

    text = [f"# {title}", "", *_origin(rows, results, methods)]
    for group in groups:
        text += ["", f"## {group.title}", "", *_section(group, save)]
    text += _cost_section(groups, save)
    paths[0].write_text("\n".join(text) + "\n", encoding="utf-8")
    return paths


def _rows_in(path):
    try:
        return read_results(path)
    except FileNotFoundError:
        if not parts_folder(path).is_dir():
            raise
        raise ValueError(
            f"{path} does not exist yet, but a run has started or was killed; if it was killed, "
            "repeat its run command to collect its rows"
        ) from None


def _rows_of(rows, methods):
    names = [BenchmarkMethod(method).name for method in methods]
    known = sorted(set(rows["method"]))
    missing = [name for name in names if name not in known]
    if missing:
        raise ValueError(f"no rows of {', '.join(missing)}; choose from {', '.join(known)}")
    return rows[rows["method"].isin(names)]


def _markdown(table):
    """Format a table of texts in Markdown."""
    return table.to_markdown(disable_numparse=True)


def _number(value, digits=3):
    return "-" if value is None or np.isnan(value) else f"{value:.{digits}f}"


def _origin(rows, results, methods):
    ok = rows[rows["status"] == "ok"]
    found = {}
    for text in rows["versions"].unique():
        for name, version in json.loads(text).items():
            found.setdefault(name, set()).add(version)
    versions = ", ".join(f"{name} {'/'.join(sorted(known))}" for name, known in found.items())
    threads = ", ".join(counted(int(n), "torch thread") for n in sorted(rows["threads"].unique()))
    yield (
        f"{counted(len(ok), 'run')} on {counted(ok['dataset'].nunique(), 'data set')}, "
        f"{len(rows) - len(ok)} failed. "
        f"Data: {_names(rows['archive'])}. Device: {_names(rows['device'])}, {threads}. "
        f"{markdown_text(versions)}. Commits: {_names(rows['commit']) or 'unknown'}."
    )
    yield ""
    names = " ".join(Path(path).name for path in results)
    chosen = "" if methods is None else f" --methods {' '.join(methods)}"
    command = f"python -m sktime_tsd.benchmark report {names} --out DIR{chosen}"
    yield f"Generated by {code_span(command)}."
    failed = rows[rows["status"] != "ok"]
    if len(failed):
        yield ""
    for row in failed.itertuples():
        run = f"{row.method} on {row.dataset}, seed {row.seed}: {row.error}"
        yield f"* failed: {markdown_text(run)}"


def _names(values):
    return ", ".join(markdown_text(name) for name in sorted(filter(None, values.unique())))


def _section(group, save):
    if not group.methods:
        yield "No run has finished."
        return
    if group.without_result:
        yield f"No run of {', '.join(group.without_result)} has finished."
        yield ""
    sets = group.complete
    if not sets:
        yield (
            f"{', '.join(group.titles())} have finished no data set with the same seeds: nothing "
            "to average."
        )
        yield from _pairs(group)
        yield from _per_set(group)
        return
    finished = group.shared.groupby("dataset")["seed"].nunique()
    low, high = finished.min(), finished.max()
    others = len(group.ok) - len(group.shared)
    left_out = markdown_text(", ".join(group.left_out))
    yield (
        f"{counted(len(group.methods), 'method')} on the {counted(len(sets), 'data set')} that all "
        f"of them have finished, {'' if low == high else f'{low} to '}{counted(high, 'seed')} each."
        + (f" Left out of means and ranks: {left_out}." if left_out else "")
        + (
            f" Another {counted(others, 'run')}, with data sets or seeds that some methods lack, "
            "count only in the pairs."
            if others
            else ""
        )
    )
    spread = ", ± the estimated standard deviation of this mean for one seed" if high > 1 else ""
    yield from ("", f"Mean over the data sets{spread}:", "")
    yield _markdown(_means(group))
    yield from ("", "Median over the data sets:", "")
    yield _markdown(_per_metric(group, lambda table, _: table.median(), 3))
    names = MAIN_METRICS | FURTHER_METRICS
    lower = [name for metric, name in names.items() if not higher_is_better(metric)]
    yield from (
        "",
        f"Teacher: accuracy {_number(group.of_teacher('accuracy_teacher'))}, AUC-PRC "
        f"{_number(group.of_teacher('auc_prc_teacher'))}. Lower is better for {', '.join(lower)}; "
        "higher is better for the others.",
    )
    yield from truth_sections(group)
    yield from reasons_section(group, save)
    if len(group.students) > 1:
        yield from ("", "Mean rank, 1 is best:", "")
        yield _markdown(_per_metric(group, mean_ranks, 2, group.students))
        yield from _pairs(group)
        yield from _diagrams(group, save)
        yield from _scatters(group, save)
    yield from _per_set(group)


def _means(group):
    """Tabulate means over data sets, with the spread between seeds if there are several."""
    cells = {}
    for metric, name in {**group.main_metrics, **FURTHER_METRICS}.items():
        table = group.complete_table(metric)
        if table.empty:
            continue
        dropped = len(group.complete) - len(table)
        heading = f"{name} ({len(table)} sets)" if dropped else name
        cells[heading] = [
            _number(table[method].mean()) + _plus_minus(group.spread(metric, method))
            for method in group.methods
        ]
    return pd.DataFrame(cells, index=pd.Index(group.titles(), name="method"))


def _plus_minus(spread):
    return "" if np.isnan(spread) else f" ± {spread:.3f}"


def _per_metric(group, statistic, digits, methods=None):
    """Tabulate a statistic of methods (default: all), with a column for each main metric."""
    methods = group.methods if methods is None else methods
    cells = {}
    for metric, name in group.main_metrics.items():
        found = statistic(group.complete_table(metric, methods), higher_is_better(metric))
        cells[name] = [_number(found[method], digits) for method in methods]
    return pd.DataFrame(cells, index=pd.Index(group.titles(methods), name="method"))


def _pairs(group):
    pairs = pairs_of_interest(group.students)
    if not pairs:
        return
    yield from (
        "",
        "Pairs of methods, on the data sets and seeds that both have finished: mean gain of the "
        "first over the second (positive is better), data sets won/tied/lost, and p-value of the "
        f"Wilcoxon signed-rank test with Holm's correction for {counted(len(pairs), 'pair')}.",
        "",
    )
    cells, untested = {}, False
    for metric, name in group.main_metrics.items():
        found = compare_pairs(group.ok, metric, pairs, higher_is_better(metric))
        cells[name] = [
            f"{row.gain:+.3f}, {row.wins}/{row.ties}/{row.losses}{_p_text(row.p_holm)}"
            if row.datasets
            else "-"
            for row in found.itertuples()
        ]
        untested |= found["p"].isna().any()
    names = [f"{method_title(a)} / {method_title(b)}" for a, b in pairs]
    yield _markdown(pd.DataFrame(cells, index=pd.Index(names, name="pair")))
    if untested:
        yield from ("", "No p-value: too few data sets for any difference to be significant.")


def _p_text(p):
    if np.isnan(p):
        return ""
    return ", p < .001" if p < 0.001 else f", p = {p:.3f}"


def _diagrams(group, save):
    from sktime_tsd.benchmark import _pictures

    n_methods = len(group.students)
    n_tests = n_methods * (n_methods - 1) // 2
    least = least_p_value(len(group.complete), n_tests)
    if least >= _ALPHA:
        yield from (
            "",
            f"No critical difference diagram: with {counted(len(group.complete), 'data set')} and "
            f"{counted(n_tests, 'pair')}, no difference could be significant (smallest possible "
            f"p-value: {least:.2g}).",
        )
        return
    for metric, name in group.main_metrics.items():
        table = group.complete_table(metric, group.students)
        if len(table) < len(group.complete):
            continue
        figure = _pictures.critical_difference(
            mean_ranks(table, higher_is_better(metric)), p_value_matrix(table), name, _ALPHA
        )
        path = save(figure, f"{group.slug}-ranks-{metric.replace('_', '-')}.png")
        yield from ("", f"![Critical difference diagram of {name}]({path})")
    yield from (
        "",
        "Bars join methods that do not differ significantly (Wilcoxon test with Holm's correction "
        f"for {counted(n_tests, 'pair')}, level {_ALPHA}; the smallest p-value that "
        f"{counted(len(group.complete), 'data set')} can give is {least:.2g}).",
    )


def _scatters(group, save):
    from sktime_tsd.benchmark import _pictures

    others = [other for other in ("ce", "kd") if other in group.methods]
    if "tsd" not in group.methods or not others:
        return
    tables = {metric: group.table(metric, ["tsd", *others]) for metric in group.main_metrics}
    tables = {metric: table for metric, table in tables.items() if len(table.dropna())}
    labels = {
        metric: (name, higher_is_better(metric)) for metric, name in group.main_metrics.items()
    }
    if not tables:
        return
    path = save(_pictures.scatter(tables, "tsd", others, labels), f"{group.slug}-sets.png")
    yield from ("", f"![TSD against other methods, one point per data set]({path})")


def _per_set(group):
    sizes = group.ok.groupby("dataset")[list(_SIZES)].first().rename(columns=_SIZES)
    names = sizes.index.map(markdown_text)
    for metric, name in group.main_metrics.items():
        table = group.table(metric).reindex(sizes.index)[group.methods].map(_number)
        table.columns = group.titles(table.columns)
        if metric == "accuracy_student":
            of_teacher = common_runs(group.ok).groupby("dataset")["accuracy_teacher"].mean()
            table.insert(0, "teacher", of_teacher.reindex(sizes.index).map(_number))
            table = sizes.map("{:.0f}".format).join(table)
        yield from ("", f"<details><summary>{name} on each data set</summary>", "")
        yield _markdown(table.set_axis(names.rename("dataset")))
        yield from ("", "</details>")


def _cost_section(groups, save):
    from sktime_tsd.benchmark import _pictures

    costs, points, by_method = {}, [], []
    for group in groups:
        rows = group.shared[group.shared["method"].isin(group.students)]
        if len(group.students) < len(group.methods) and len(group.shared):
            table = costs_by_method(group.shared, group.methods)
            by_method += ["", f"{group.title}, by method:", ""]
            by_method.append(_markdown(table.set_axis(group.titles()).rename_axis("method")))
        if rows.empty:
            continue
        by_set = rows.groupby("dataset").mean(numeric_only=True)
        costs[group.title] = costs_of_pair(by_set)
        # Medians: other work can slow a single call many times. dropna: old pandas warns otherwise.
        latency = [by_set["latency_256_teacher"].dropna().median()]
        quality = [group.of_teacher("auc_prc_teacher")]
        for method in group.students:
            of_method = rows[rows["method"] == method]
            of_student = of_method.groupby("dataset")["latency_256_student"].mean()
            latency.append(of_student.dropna().median())
            quality.append(group.complete_table("auc_prc_student")[method].mean())
        columns = {"x": latency, "y": quality, "model": ["teacher", *group.titles(group.students)]}
        points.append(pd.DataFrame(columns).assign(group=group.title))
    if not costs and not by_method:
        return
    yield from ("", "## What it costs", *by_method, "")
    if not costs:
        return
    yield (
        "Teacher / student, mean over the data sets. The ms are for one call with 1 or 256 series: "
        "medians over the data sets, since other work ran on the machine. Share: the student's "
        "parameters as a share of the teacher's, mean and largest."
    )
    yield ""
    yield _markdown(pd.DataFrame(costs).T.rename_axis("models"))
    points = pd.concat(points).dropna()
    if len(points):
        labels = "ms for 256 series, median over data sets", "AUC-PRC, mean over data sets"
        figure = _pictures.trade_off(points, *labels)
        path = save(figure, "trade-off.png")
        yield from ("", f"![Latency against AUC-PRC of teachers and students]({path})")
