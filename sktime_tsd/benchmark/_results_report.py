"""From rows to a report: tables, tests and pictures."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pandas as pd

from sktime_tsd.benchmark._benchmark_method import BenchmarkMethod, method_title
from sktime_tsd.benchmark._groups import (
    HEADLINES,
    MORE_LINES,
    groups_of,
    higher_is_better,
)
from sktime_tsd.benchmark._results import KEY, parts_folder, read_results
from sktime_tsd.benchmark._statistics import (
    common_runs,
    compare_pairs,
    least_p_value,
    mean_ranks,
    p_value_matrix,
    pairs_of_interest,
)

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
        Files that `run_benchmark` has written.
    out : path-like
        Folder, made where it is not there.
    methods : sequence of str, optional
        Report on these alone. Default: all. Means are over the data sets and seeds that all
        of them have, so fewer methods can mean more runs.
    title : str, default="Results of the benchmark"

    Returns
    -------
    paths : list of pathlib.Path

    Raises
    ------
    ValueError
        If a file holds no results, two hold rows of the same run, a method has rows of
        different settings, or one of ``methods`` has none.
    FileNotFoundError
        If a file is not there.
    ImportError
        If scikit-posthocs, tabulate or matplotlib is not installed.
    """
    for needed in ("matplotlib", "scikit_posthocs", "tabulate"):
        if importlib.util.find_spec(needed) is None:
            raise ImportError(f'the report needs {needed}: pip install "sktime_tsd[benchmark]"')
    out = Path(out)
    if out.is_file():
        raise ValueError(f"{out} is a file; name a folder")
    rows = pd.concat([_rows_in(path) for path in results], ignore_index=True)
    if rows.empty:
        raise ValueError(f"there are no rows in {', '.join(map(str, results))}")
    twice = rows[rows.duplicated([*KEY, "weight_chosen_on"])]
    if len(twice):
        run = ", ".join(str(twice.iloc[0][name]) for name in KEY)
        raise ValueError(f"the run ({run}) is in the files more than once")
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
            f"{path} is not there yet: a run is writing to it, or was killed and has left its "
            "rows aside; the same run command collects them"
        ) from None


def _rows_of(rows, methods):
    names = [BenchmarkMethod(method).name for method in methods]
    known = sorted(set(rows["method"]))
    missing = [name for name in names if name not in known]
    if missing:
        raise ValueError(f"no rows of {', '.join(missing)}; there are rows of {', '.join(known)}")
    return rows[rows["method"].isin(names)]


def _markdown(table):
    """Lay out a table whose cells are texts already."""
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
    threads = ", ".join(f"{n:.0f}" for n in sorted(rows["threads"].unique()))
    yield (
        f"{len(ok)} runs on {ok['dataset'].nunique()} data sets, {len(rows) - len(ok)} failed. "
        f"Data: {', '.join(sorted(rows['archive'].unique()))}. Device: "
        f"{', '.join(sorted(rows['device'].unique()))}, {threads} torch thread(s). {versions}. "
        f"Commits: {', '.join(sorted(filter(None, rows['commit'].unique()))) or 'unknown'}."
    )
    yield ""
    names = " ".join(Path(path).name for path in results)
    chosen = "" if methods is None else f" --methods {' '.join(methods)}"
    command = f"python -m sktime_tsd.benchmark report {names} --out DIR{chosen}"
    yield f"Written by `{command}`, not by hand."
    failed = rows[rows["status"] != "ok"]
    if len(failed):
        yield ""
    for row in failed.itertuples():
        error = " ".join(row.error.split())
        yield f"* failed: {row.method} on {row.dataset}, seed {row.seed}: {error}"


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
            f"No data set on which all of {', '.join(group.titles())} have finished with the same "
            "seeds: nothing to average."
        )
        yield from _pairs(group)
        yield from _per_set(group)
        return
    finished = group.shared.groupby("dataset")["seed"].nunique()
    low, high = finished.min(), finished.max()
    others = len(group.ok) - len(group.shared)
    yield (
        f"{len(group.methods)} methods, {len(sets)} data sets that all of them have finished, "
        f"{low if low == high else f'{low} to {high}'} seed(s) each."
        + (f" Left out of means and ranks: {', '.join(group.left_out)}." if group.left_out else "")
        + (
            f" {others} more runs, of seeds or sets that not all methods have, count in pairs only."
            if others
            else ""
        )
    )
    spread = ", ± its standard deviation from seed to seed" if high > 1 else ""
    yield from ("", f"Mean over the data sets{spread}:", "")
    yield _markdown(_means(group))
    yield from ("", "Median over the data sets:", "")
    yield _markdown(_per_line(group, lambda table, _: table.median(), 3))
    lower = [name for line, name in (HEADLINES | MORE_LINES).items() if not higher_is_better(line)]
    yield from (
        "",
        f"The teacher: accuracy {_number(group.of_teacher('accuracy_teacher'))}, AUC-PRC "
        f"{_number(group.of_teacher('auc_prc_teacher'))}. Lower is better for {', '.join(lower)}; "
        "higher for the others.",
    )
    if len(group.methods) > 1:
        yield from ("", "Mean rank, 1 is best:", "")
        yield _markdown(_per_line(group, mean_ranks, 2))
        yield from _pairs(group)
        yield from _diagrams(group, save)
        yield from _scatters(group, save)
    yield from _per_set(group)


def _means(group):
    """Means over data sets, with the spread between seeds where there are several."""
    cells = {}
    for line, name in {**group.headlines, **MORE_LINES}.items():
        table = group.complete_table(line)
        if table.empty:
            continue
        dropped = len(group.complete) - len(table)
        heading = f"{name} ({len(table)} sets)" if dropped else name
        cells[heading] = [
            _number(table[method].mean()) + _plus_minus(group.spread(line, method))
            for method in group.methods
        ]
    return pd.DataFrame(cells, index=pd.Index(group.titles(), name="method"))


def _plus_minus(spread):
    return "" if np.isnan(spread) else f" ± {spread:.3f}"


def _per_line(group, statistic, digits):
    """Give a statistic of each method, a column for each headline."""
    cells = {}
    for line, name in group.headlines.items():
        found = statistic(group.complete_table(line), higher_is_better(line))
        cells[name] = [_number(found[method], digits) for method in group.methods]
    return pd.DataFrame(cells, index=pd.Index(group.titles(), name="method"))


def _pairs(group):
    pairs = pairs_of_interest(group.methods)
    if not pairs:
        return
    yield from (
        "",
        "Pairs, on the data sets and seeds that both have finished: mean gain of the first "
        "(positive is better), sets won/tied/lost, and p of the Wilcoxon signed-rank test with "
        f"Holm's correction for {len(pairs)} pair(s).",
        "",
    )
    cells, untested = {}, False
    for line, name in group.headlines.items():
        found = compare_pairs(group.ok, line, pairs, higher_is_better(line))
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
        yield from ("", "No p: too few data sets for any difference to be significant.")


def _p_text(p):
    if np.isnan(p):
        return ""
    return ", p < .001" if p < 0.001 else f", p = {p:.3f}"


def _diagrams(group, save):
    from sktime_tsd.benchmark import _pictures

    n_methods = len(group.methods)
    n_tests = n_methods * (n_methods - 1) // 2
    least = least_p_value(len(group.complete), n_tests)
    if least >= _ALPHA:
        yield from (
            "",
            f"No critical difference diagram: with {len(group.complete)} data set(s) and {n_tests} "
            f"pair(s), no difference could be significant (least p-value: {least:.2g}).",
        )
        return
    for line, name in group.headlines.items():
        table = group.complete_table(line)
        if len(table) < len(group.complete):
            continue
        figure = _pictures.critical_difference(
            mean_ranks(table, higher_is_better(line)), p_value_matrix(table), name, _ALPHA
        )
        path = save(figure, f"{group.slug}-ranks-{line.replace('_', '-')}.png")
        yield from ("", f"![Critical difference diagram of {name}]({path})")
    yield from (
        "",
        f"Bars join methods that are not significantly different (Wilcoxon, Holm over {n_tests} "
        f"pair(s), {_ALPHA}; the smallest p that {len(group.complete)} data sets can give is "
        f"{least:.2g}).",
    )


def _scatters(group, save):
    from sktime_tsd.benchmark import _pictures

    others = [other for other in ("ce", "kd") if other in group.methods]
    if "tsd" not in group.methods or not others:
        return
    tables = {line: group.table(line, ["tsd", *others]) for line in group.headlines}
    labels = {line: (name, higher_is_better(line)) for line, name in group.headlines.items()}
    if any(table[["tsd", *others]].dropna().empty for table in tables.values()):
        return
    path = save(_pictures.scatter(tables, "tsd", others, labels), f"{group.slug}-sets.png")
    yield from ("", f"![TSD against others, a point for each data set]({path})")


def _per_set(group):
    sizes = group.ok.groupby("dataset")[list(_SIZES)].first().rename(columns=_SIZES)
    for line, name in group.headlines.items():
        table = group.table(line).reindex(sizes.index)[group.methods].map(_number)
        table.columns = group.titles(table.columns)
        if line == "accuracy_student":
            of_teacher = common_runs(group.ok).groupby("dataset")["accuracy_teacher"].mean()
            table.insert(0, "teacher", of_teacher.reindex(sizes.index).map(_number))
            table = sizes.map("{:.0f}".format).join(table)
        yield from ("", f"<details><summary>{name} on each data set</summary>", "")
        yield _markdown(table)
        yield from ("", "</details>")


def _cost_section(groups, save):
    from sktime_tsd.benchmark import _pictures

    costs, points = {}, []
    for group in groups:
        rows = group.shared
        if rows.empty:
            continue
        by_set = rows.groupby("dataset").mean(numeric_only=True)
        costs[group.title] = _cost(by_set)
        # medians: other work slows single calls many times; old pandas warns where there are none
        latency = [by_set["latency_256_teacher"].dropna().median()]
        quality = [group.of_teacher("auc_prc_teacher")]
        for method in group.methods:
            of_method = rows[rows["method"] == method]
            of_student = of_method.groupby("dataset")["latency_256_student"].mean()
            latency.append(of_student.dropna().median())
            quality.append(group.complete_table("auc_prc_student")[method].mean())
        columns = {"x": latency, "y": quality, "model": ["teacher", *group.titles()]}
        points.append(pd.DataFrame(columns).assign(group=group.title))
    if not costs:
        return
    yield from ("", "## What it costs", "")
    yield (
        "Teacher / student, means over the data sets; of the ms of one call with 1 and with 256 "
        "series medians, since other work ran beside; share: the student's parameters of the "
        "teacher's, mean and largest."
    )
    yield ""
    yield _markdown(pd.DataFrame(costs).T.rename_axis("models"))
    points = pd.concat(points).dropna()
    if len(points):
        labels = "ms for 256 series, median over data sets", "AUC-PRC, mean over data sets"
        figure = _pictures.trade_off(points, *labels)
        path = save(figure, "trade-off.png")
        yield from ("", f"![Latency against AUC-PRC of teachers and students]({path})")


def _cost(by_set):
    cost = {}
    for name, title, form, statistic in (
        ("parameters", "parameters", "{:,.0f}", "mean"),
        ("bytes", "bytes of pickle", "{:,.0f}", "mean"),
        ("latency_1", "ms, 1 series", "{:.2f}", "median"),
        ("latency_256", "ms, 256 series", "{:.2f}", "median"),
    ):
        # what was not measured is dropped: older versions of pandas warn of it
        both = (by_set[f"{name}_{side}"].dropna().agg(statistic) for side in ("teacher", "student"))
        cost[title] = " / ".join("-" if np.isnan(value) else form.format(value) for value in both)
    share = by_set["parameters_student"] / by_set["parameters_teacher"]
    known = share.notna().any()
    cost["share"] = f"{share.mean():.2%}, {share.max():.2%}" if known else "-"
    cost["teacher fit, s"] = _number(by_set["teacher_fit_seconds"].mean(), 1)
    return cost
