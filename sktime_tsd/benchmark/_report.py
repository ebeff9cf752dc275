"""From rows to a report: tables, tests and pictures."""

import importlib.util
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from sktime_tsd.benchmark._methods import method_title
from sktime_tsd.benchmark._results import KEY, read_results
from sktime_tsd.benchmark._statistics import (
    LEAST_DATASETS,
    compare_pairs,
    mean_ranks,
    p_value_matrix,
    pairs_of_interest,
    scores,
)
from sktime_tsd.fidelity import LINES

__all__ = ["write_report"]

#: Lines of the fidelity report that tables and tests are made of, and their short names.
HEADLINES = {
    "accuracy_student": "accuracy",
    "auc_prc_student": "AUC-PRC",
    "top_1_agreement": "agreement",
    "kl_divergence": "KL",
    "saliency_spearman": "saliency corr.",
}
_MORE_LINES = {
    "negative_log_likelihood_student": "NLL",
    "expected_calibration_error_student": "calibration error",
    "top_1_agreement_teacher_wrong": "agreement where teacher is wrong",
    "saliency_top_k_overlap": "top 10 % overlap",
    "deletion_area_student_by_teacher": "deletion area by teacher",
}
_GROUP = ("protocol", "teacher", "student", "evaluated_on", "weight_chosen_on")


@dataclass(frozen=True)
class _Group:
    """Rows that can be compared: of one protocol, teacher and student."""

    key: tuple
    rows: pd.DataFrame

    @property
    def title(self):
        protocol, teacher, student, evaluated_on, chosen_on = self.key
        where = "" if evaluated_on == "test" else ", on series kept aside of the training series"
        chosen = "" if chosen_on != "test" else ", weight picked on TEST data"
        return f"{teacher} to {student}, {protocol} protocol{where}{chosen}"

    @property
    def slug(self):
        return "-".join(part for part in self.key if part and part != "validation").replace(
            "_", "-"
        )

    @cached_property
    def ok(self):
        return self.rows[self.rows["status"] == "ok"]

    @cached_property
    def methods(self):
        return list(dict.fromkeys(self.rows["method"]))

    def table(self, line):
        return scores(self.rows, line)

    @cached_property
    def complete(self):
        """Data sets on which every method has a row for every seed that any has there."""
        ok = self.ok.groupby(["dataset", "method"])["seed"].nunique().unstack()
        ok = ok.reindex(columns=self.methods).fillna(0)
        return list(ok.index[(ok.min(axis=1) == ok.max(axis=1)) & (ok.min(axis=1) > 0)])


def write_report(results, out):
    """Write ``report.md`` and its pictures.

    Parameters
    ----------
    results : sequence of path-like
        Files that `run_benchmark` has written.
    out : path-like
        Folder, made where it is not there.

    Returns
    -------
    paths : list of pathlib.Path

    Raises
    ------
    ValueError
        If a file holds no results, or two hold rows of the same run.
    FileNotFoundError
        If a file is not there.
    ImportError
        If scikit-posthocs or matplotlib is not installed.
    """
    for needed in ("matplotlib", "scikit_posthocs", "tabulate"):
        if importlib.util.find_spec(needed) is None:
            raise ImportError(f'the report needs {needed}: pip install "sktime_tsd[benchmark]"')
    rows = pd.concat([read_results(path) for path in results], ignore_index=True)
    if rows.empty:
        raise ValueError(f"there are no rows in {', '.join(map(str, results))}")
    twice = rows[rows.duplicated([*KEY, "weight_chosen_on"])]
    if len(twice):
        run = ", ".join(str(twice.iloc[0][name]) for name in KEY)
        raise ValueError(f"the run ({run}) is in the files more than once")
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    groups = [
        _Group(key, part.reset_index(drop=True))
        for key, part in rows.groupby(list(_GROUP), sort=False)
    ]
    paths = []

    def save(figure, name):
        paths.append(out / name)
        figure.savefig(paths[-1], dpi=130)
        return name

    text = ["# Results of the benchmark", "", *_origin(rows, results)]
    for group in groups:
        text += ["", f"## {group.title[0].upper()}{group.title[1:]}", "", *_section(group, save)]
    text += _cost_section(groups, save)
    paths.insert(0, out / "report.md")
    paths[0].write_text("\n".join(text) + "\n")
    return paths


def _origin(rows, results):
    ok = rows[rows["status"] == "ok"]
    versions = {name: set() for text in rows["versions"] for name in json.loads(text)}
    for text in rows["versions"].unique():
        for name, version in json.loads(text).items():
            versions[name].add(version)
    said = ", ".join(f"{name} {'/'.join(sorted(found))}" for name, found in versions.items())
    yield (
        f"{len(ok)} runs on {ok['dataset'].nunique()} data sets, {len(rows) - len(ok)} failed. "
        f"Data: {', '.join(sorted(rows['archive'].unique()))}. Device: "
        f"{', '.join(sorted(rows['device'].unique()))}, "
        f"{', '.join(str(n) for n in sorted(rows['threads'].unique()))} torch thread(s). {said}. "
        f"Commits: {', '.join(sorted(filter(None, rows['commit'].unique()))) or 'unknown'}."
    )
    yield ""
    names = " ".join(Path(path).name for path in results)
    yield f"Written by `python -m sktime_tsd.benchmark report {names} --out DIR`; not by hand."
    failed = rows[rows["status"] != "ok"]
    for row in failed.itertuples():
        yield f"* failed: {row.method} on {row.dataset}, seed {row.seed}: {row.error}"


def _section(group, save):
    seeds = group.ok.groupby(["dataset", "method"])["seed"].nunique()
    if seeds.empty:
        yield "No run has finished."
        return
    sets = group.complete
    left_out = sorted(set(group.rows["dataset"]) - set(sets))
    yield (
        f"{len(group.methods)} methods, {len(sets)} data sets that all of them have finished, "
        f"{_span(seeds)} seed(s) each."
        + (f" Left out of means and ranks: {', '.join(left_out)}." if left_out else "")
    )
    yield from ("", "Mean over the data sets, ± standard deviation between the seeds:", "")
    yield _means(group, {**HEADLINES, **_MORE_LINES}).to_markdown()
    yield from ("", "Median over the data sets of the mean over seeds:", "")
    yield _medians(group, HEADLINES).to_markdown(floatfmt=".3f")
    teacher = {
        "accuracy": group.ok.groupby("dataset")["accuracy_teacher"].mean().loc[sets].mean(),
        "AUC-PRC": group.ok.groupby("dataset")["auc_prc_teacher"].mean().loc[sets].mean(),
    }
    said = ", ".join(f"{name} {value:.3f}" for name, value in teacher.items())
    yield from ("", f"The teacher: {said}. {_arrows()}")
    if len(group.methods) > 1 and sets:
        yield from _ranks(group)
        yield from _pairs(group)
        yield from _pictures_of(group, save)
    yield from _per_set(group)


def _span(seeds):
    low, high = seeds.min(), seeds.max()
    return str(low) if low == high else f"{low} to {high}"


def _arrows():
    lower = [name for line, name in (HEADLINES | _MORE_LINES).items() if not _higher(line)]
    return f"Lower is better for {', '.join(lower)}; higher for the others."


def _higher(line):
    return LINES[line].higher_is_better


def _means(group, lines):
    """Means over data sets, with the spread between seeds where there are several."""
    rows = group.ok[group.ok["dataset"].isin(group.complete)]
    table = {}
    for line, name in lines.items():
        by_seed = rows.pivot_table(index="method", columns="seed", values=line, aggfunc="mean")
        of_sets = rows.groupby(["method", "dataset"])[line].mean().groupby("method").mean()
        spread = by_seed.std(axis=1, ddof=1) if by_seed.shape[1] > 1 else None
        table[name] = [
            _number(of_sets.get(method), None if spread is None else spread.get(method))
            for method in group.methods
        ]
    return pd.DataFrame(table, index=_titles(group.methods, "method"))


def _number(value, spread):
    if value is None or np.isnan(value):
        return "-"
    if spread is None or np.isnan(spread):
        return f"{value:.3f}"
    return f"{value:.3f} ± {spread:.3f}"


def _titles(methods, name):
    return pd.Index([method_title(method) for method in methods], name=name)


def _medians(group, lines):
    medians = {name: group.table(line).loc[group.complete].median() for line, name in lines.items()}
    return pd.DataFrame(medians).set_axis(_titles(group.methods, "method"))


def _ranks(group):
    ranks = {
        name: mean_ranks(group.table(line).loc[group.complete], _higher(line))
        for line, name in HEADLINES.items()
    }
    yield from ("", "Mean rank, 1 is best:", "")
    yield pd.DataFrame(ranks).set_axis(_titles(group.methods, "method")).to_markdown(floatfmt=".2f")


def _pairs(group):
    pairs = pairs_of_interest(group.methods)
    if not pairs:
        return
    yield from (
        "",
        "Pairs, on the data sets that both have finished: mean gain of the first (positive is "
        "better), sets won/tied/lost, and p of the Wilcoxon signed-rank test with Holm's "
        f"correction for {len(pairs)} pairs.",
        "",
    )
    columns, n_sets = {}, []
    for line, name in HEADLINES.items():
        found = compare_pairs(group.table(line), pairs, _higher(line))
        n_sets = found["datasets"].tolist()
        columns[name] = [
            f"{row.gain:+.3f}, {row.wins}/{row.ties}/{row.losses}{_p_text(row.p_holm)}"
            for row in found.itertuples()
        ]
    names = [
        f"{method_title(a)} / {method_title(b)} ({n})"
        for (a, b), n in zip(pairs, n_sets, strict=True)
    ]
    yield pd.DataFrame(columns, index=pd.Index(names, name="pair (sets)")).to_markdown()
    if min(n_sets) < LEAST_DATASETS:
        yield from ("", f"No test where a pair shares fewer than {LEAST_DATASETS} data sets.")


def _p_text(p):
    if np.isnan(p):
        return ""
    return ", p < .001" if p < 0.001 else f", p = {p:.3f}"


def _pictures_of(group, save):
    from sktime_tsd.benchmark import _pictures

    tables = {line: group.table(line) for line in HEADLINES}
    sets = group.complete
    if len(sets) >= LEAST_DATASETS:
        for line in ("top_1_agreement", "kl_divergence", "saliency_spearman", "auc_prc_student"):
            table = tables[line].loc[sets]
            figure = _pictures.critical_difference(
                mean_ranks(table, _higher(line)), p_value_matrix(table), HEADLINES[line]
            )
            name = save(figure, f"{group.slug}-ranks-{line.replace('_', '-')}.png")
            yield from ("", f"![Critical difference diagram of {HEADLINES[line]}]({name})")
        yield from (
            "",
            "Bars join methods that are not significantly different (Wilcoxon, Holm over all "
            "pairs, 0.05).",
        )
    else:
        yield from (
            "",
            f"No critical difference diagram: it takes {LEAST_DATASETS} data sets, there are "
            f"{len(sets)}.",
        )
    others = [other for other in ("ce", "kd") if other in group.methods]
    if "tsd" in group.methods and others:
        labels = {line: (name, _higher(line)) for line, name in HEADLINES.items()}
        name = save(_pictures.scatter(tables, "tsd", others, labels), f"{group.slug}-sets.png")
        yield from ("", f"![TSD against others, a point for each data set]({name})")


def _per_set(group):
    sizes = ("n_train", "n_channels", "n_timepoints", "n_classes")
    of_sets = group.ok.groupby("dataset")[list(sizes)].first()
    for line in ("accuracy_student", "top_1_agreement", "kl_divergence", "saliency_spearman"):
        table = group.table(line)
        table.columns = [method_title(method) for method in table.columns]
        if line == "accuracy_student":
            table.insert(0, "teacher", group.ok.groupby("dataset")["accuracy_teacher"].mean())
            table = of_sets.join(table)
        floats = ["", *("d" if name in sizes else ".3f" for name in table.columns)]
        yield from ("", f"<details><summary>{HEADLINES[line]} on each data set</summary>", "")
        yield table.to_markdown(floatfmt=floats)
        yield from ("", "</details>")


def _cost_section(groups, save):
    from sktime_tsd.benchmark import _pictures

    found, points = {}, []
    for group in groups:
        rows = group.ok
        if rows.empty:
            continue
        by_set = rows.groupby("dataset").mean(numeric_only=True)
        cost = {}
        for name in ("parameters", "bytes", "latency_1", "latency_256"):
            teacher, student = by_set[f"{name}_teacher"], by_set[f"{name}_student"]
            cost[name] = " / ".join(
                "-" if np.isnan(mean) else f"{mean:,.4g}"
                for mean in (teacher.mean(), student.mean())
            )
        share = (by_set["parameters_student"] / by_set["parameters_teacher"]).max()
        cost["largest share of parameters"] = "-" if np.isnan(share) else f"{share:.2%}"
        timed = rows[rows["fit_seconds"].notna()]
        cost["teacher fit s"] = (
            f"{timed.groupby('dataset')['teacher_fit_seconds'].mean().mean():.1f}"
        )
        found[group.title] = cost
        pair = f"{group.key[1]} to {group.key[2]}, {group.key[0]}"
        points.append(
            {
                "name": f"{pair}: teacher",
                "group": pair,
                "latency": by_set["latency_256_teacher"].mean(),
                "auc": by_set["auc_prc_teacher"].mean(),
            }
        )
        for method in group.methods:
            of_method = rows[rows["method"] == method].groupby("dataset").mean(numeric_only=True)
            points.append(
                {
                    "name": f"{pair}: {method_title(method)}",
                    "group": pair,
                    "latency": of_method["latency_256_student"].mean(),
                    "auc": of_method["auc_prc_student"].mean(),
                }
            )
    if not found:
        return
    yield from ("", "## What it costs", "")
    yield (
        "Teacher / student, means over the data sets; latency in ms of one call with 1 and with "
        "256 series, measured beside other work."
    )
    yield ""
    yield pd.DataFrame(found).T.rename_axis("models").to_markdown()
    points = pd.DataFrame(points).set_index("name").dropna()
    if len(points):
        figure = _pictures.trade_off(
            points,
            "latency",
            "auc",
            "ms for 256 series, lower is better",
            "AUC-PRC, mean over sets",
        )
        name = save(figure, "trade-off.png")
        yield from ("", f"![Latency against AUC-PRC of teachers and students]({name})")
