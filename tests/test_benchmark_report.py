"""The report on a benchmark's rows: right numbers, and something useful from few rows too."""

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from benchmark_rows import METHODS, make_rows, write
from matplotlib.figure import Figure
from scipy import stats

from sktime_tsd._cli.models import TEACHERS
from sktime_tsd.benchmark import __main__ as command
from sktime_tsd.benchmark import _groups
from sktime_tsd.benchmark._benchmark_method import current_spelling
from sktime_tsd.benchmark._groups import MAIN_METRICS, groups_of
from sktime_tsd.benchmark._results import read_results
from sktime_tsd.benchmark._results_report import write_report
from sktime_tsd.benchmark._statistics import (
    compare_pairs,
    holm,
    least_p_value,
    mean_ranks,
    p_value_matrix,
    pairs_of_interest,
    scores,
)
from sktime_tsd.fidelity import METRICS

TEMPERATURE = current_spelling("temperature")


def rows_of(table, metric):
    """Rows with these scores, one seed."""
    rows = make_rows(len(table), table.columns, (0,)).drop(columns=metric)
    scores = table.set_axis([f"Set{i}" for i in range(len(table))]).stack().rename(metric)
    return rows.merge(scores, left_on=["dataset", "method"], right_index=True)


@pytest.fixture
def drawn():
    """Ask for real pictures."""


@pytest.fixture(autouse=True)
def nothing_drawn(request, monkeypatch):
    """Most tests read the text alone: their pictures are empty."""
    if "drawn" not in request.fixturenames:
        empty = b"\x89PNG"
        monkeypatch.setattr(Figure, "savefig", lambda fig, path, **_: Path(path).write_bytes(empty))


def report(tmp_path, rows):
    """Text of the report, and its files."""
    paths = write_report([write(tmp_path, rows)], tmp_path / "report")
    assert paths[0].name == "report.md"
    assert sorted(p.name for p in (tmp_path / "report").iterdir()) == sorted(p.name for p in paths)
    for path in paths[1:]:
        assert path.read_bytes()[:4] == b"\x89PNG"
        assert f"]({path.name})" in paths[0].read_text()
    return paths[0].read_text(), [path.name for path in paths]


def table_of(text, first_column):
    """The first Markdown table whose header begins with this column, as cells by row name."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"| {first_column}"))
    header = [cell.strip() for cell in lines[start].strip("|").split("|")]
    found = {}
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        found[cells[0]] = dict(zip(header[1:], cells[1:], strict=True))
    return found


# -- numbers ---------------------------------------------------------------------------


def test_means_are_those_of_sets_and_their_spread_that_of_seeds(tmp_path):
    rows = make_rows(3, seeds=(0, 1))
    text, _ = report(tmp_path, rows)
    found = table_of(text, "method")
    for method, title in zip(METHODS, ("CE", "KD", "TSD", "KD + TSD"), strict=True):
        of_method = rows[rows["method"] == method]
        for metric, name in MAIN_METRICS.items():
            of_sets = [of_method[of_method["dataset"] == f"Set{i}"][metric] for i in range(3)]
            value = np.mean([of_set.mean() for of_set in of_sets])
            variances = [np.var(of_set, ddof=1) for of_set in of_sets]
            spread = np.sqrt(np.sum(variances)) / 3
            assert found[title][name] == f"{value:.3f} ± {spread:.3f}"


def test_ranks_wins_and_tests_are_right():
    rows = make_rows(12)
    table = scores(rows, "kl_divergence")
    slow = {
        method: [
            np.mean(
                [
                    r.kl_divergence
                    for r in rows.itertuples()
                    if r.method == method and r.dataset == dataset
                ]
            )
            for dataset in table.index
        ]
        for method in METHODS
    }
    ranks = np.mean([stats.rankdata(row) for row in zip(*slow.values(), strict=True)], axis=0)
    np.testing.assert_allclose(mean_ranks(table, False), ranks)
    np.testing.assert_allclose(mean_ranks(table, True), 5 - ranks)

    pairs = [("tsd", "ce"), ("tsd", "kd"), ("kd+tsd", "kd")]
    found = compare_pairs(rows, "kl_divergence", pairs, False)
    p_values = []
    for (a, b), row in zip(pairs, found.itertuples(), strict=True):
        gains = np.subtract(slow[b], slow[a])
        assert row.gain == pytest.approx(gains.mean())
        assert (row.wins, row.ties, row.losses) == (sum(gains > 0), 0, sum(gains < 0))
        p_values.append(stats.wilcoxon(gains).pvalue)
        assert row.p == pytest.approx(p_values[-1])
    # Holm: the smallest times 3, the next times 2, ..., never smaller than the one before
    adjusted, largest = {}, 0.0
    for rank, i in enumerate(np.argsort(p_values)):
        largest = max(largest, min(1.0, p_values[i] * (3 - rank)))
        adjusted[i] = largest
    np.testing.assert_allclose(found["p_holm"], [adjusted[i] for i in range(3)])


def test_zeros_and_ties_in_the_test():
    # some exact differences are equal, but differ by rounding once computed
    steps = np.array([1, 1, 1, 1, 1, -1, -1, 2, 0, 0])
    table = pd.DataFrame({"ce": 0.1 * np.arange(1, 11)})
    table["tsd"] = table["ce"] + 0.1 * steps
    rows = rows_of(table, "top_1_agreement")
    row = compare_pairs(rows, "top_1_agreement", [("tsd", "ce")], True).iloc[0]
    assert (row["wins"], row["ties"], row["losses"]) == (6, 2, 2)
    assert row["p"] == pytest.approx(stats.wilcoxon(steps, zero_method="zsplit").pvalue)
    assert p_value_matrix(table).loc["tsd", "ce"] == row["p"]


def test_the_smallest_p_value_is_that_of_a_clean_win():
    for n in (6, 9, 12):
        assert least_p_value(n) == pytest.approx(stats.wilcoxon(np.arange(1, n + 1)).pvalue)
    assert least_p_value(6, 10) == pytest.approx(10 * least_p_value(6))
    assert least_p_value(2, 10) == 1


def test_methods_are_compared_on_equal_seeds():
    rows = make_rows(2, ("ce", "tsd"), (0, 1))
    rows["accuracy_student"] = np.where(rows["seed"] == 0, 0.2, 0.9)
    lacks = (rows["dataset"] == "Set0") & (rows["method"] == "ce") & (rows["seed"] == 1)
    table = scores(rows[~lacks], "accuracy_student")
    assert table.loc["Set0"].tolist() == pytest.approx([0.2, 0.2])
    assert table.loc["Set1"].tolist() == pytest.approx([0.55, 0.55])
    (group,) = groups_of(rows[~lacks])
    assert group.complete == ["Set0", "Set1"]
    assert len(group.shared) == 6
    # each method lacks a different seed: as many rows, but no seed in common
    lacks |= (rows["dataset"] == "Set0") & (rows["method"] == "tsd") & (rows["seed"] == 0)
    assert scores(rows[~lacks], "accuracy_student").index.tolist() == ["Set1"]
    (group,) = groups_of(rows[~lacks])
    assert group.complete == ["Set1"]
    assert group.left_out == ["Set0"]


def test_pairs_have_all_seeds_that_both_have(tmp_path):
    rows = make_rows(3, ("ce", "tsd", "dkd"), (0, 1))
    rows["accuracy_student"] = np.where(rows["method"] == "tsd", rows["seed"] / 2 + 0.25, 0.0)
    rows = rows[(rows["method"] != "dkd") | ((rows["seed"] == 0) & (rows["dataset"] != "Set2"))]
    pairs = [("tsd", "ce"), ("tsd", "dkd")]
    found = compare_pairs(rows, "accuracy_student", pairs, True)
    assert found["datasets"].tolist() == [3, 2]
    assert found["gain"].tolist() == pytest.approx([0.5, 0.25])
    text, _ = report(tmp_path, rows)
    assert "the 2 data sets that all of them have finished, 1 seed each." in text
    assert "Left out of means and ranks: Set2. Another 8 runs" in text
    assert table_of(text, "method")["TSD"]["accuracy"] == "0.250"


def test_a_report_on_some_methods(tmp_path, capsys):
    rows = make_rows(3, ("ce", "tsd", "dkd"), (0, 1))
    path = write(tmp_path, rows[(rows["method"] != "dkd") | (rows["seed"] == 0)])
    arguments = ["report", str(path), "--out", str(tmp_path / "report"), "--methods", "ce"]
    command.main([*arguments, "TSD", "--title", "Only two"])
    text = (tmp_path / "report" / "report.md").read_text()
    assert text.startswith("# Only two\n")
    assert "2 methods on the 3 data sets that all of them have finished, 2 seeds each." in text
    assert "report results.csv --out DIR --methods ce TSD`" in text
    with pytest.raises(SystemExit):
        command.main([*arguments, "kd"])
    assert "rows of kd; choose from ce, dkd, tsd" in capsys.readouterr().err


def test_the_spread_is_that_of_the_mean_over_sets():
    rows = make_rows(40, ("ce", "tsd"), range(30))
    (group,) = groups_of(rows)
    metric = "accuracy_student"
    means = rows[rows["method"] == "ce"].groupby("seed")[metric].mean()
    assert group.spread(metric, "ce") == pytest.approx(means.std(), rel=0.3)
    # data sets with one seed have no variance, but count in the mean
    few = rows[(rows["seed"] == 0) | ((rows["dataset"] == "Set7") & (rows["seed"] < 3))]
    (group,) = groups_of(few)
    of_set = few[(few["dataset"] == "Set7") & (few["method"] == "ce")][metric]
    assert group.spread(metric, "ce") == pytest.approx(of_set.std() / np.sqrt(40))
    (group,) = groups_of(rows[rows["seed"] == 0])
    assert np.isnan(group.spread(metric, "ce"))


def test_rows_of_different_settings_are_not_averaged(tmp_path):
    rows = make_rows(1, ("ce", "tsd"))
    other = (rows["method"] == "tsd") & (rows["seed"] == 1)
    rows.loc[other, "settings"] = json.dumps({"run": {"device": "cuda"}})
    with pytest.raises(ValueError, match=r"rows of tsd.*run\.device"):
        write_report([write(tmp_path, rows)], tmp_path / "report")


def test_a_method_that_never_finished_does_not_empty_the_report(tmp_path):
    rows = make_rows(2, ("ce", "kd", "tsd"))
    rows.loc[rows["method"] == "kd", ["status", "error"]] = ["failed", "ValueError: a\n## b"]
    text, _ = report(tmp_path, rows)
    assert "No run of kd has finished." in text
    assert "2 methods on the 2 data sets that all of them have finished" in text
    assert set(table_of(text, "method")) == {"CE", "TSD"}
    assert "\n## b" not in text


def test_methods_without_a_common_set_are_not_averaged(tmp_path):
    rows = make_rows(2, ("ce", "tsd"))
    apart = (rows["dataset"] == "Set0") == (rows["method"] == "ce")
    text, _ = report(tmp_path, rows[apart])
    assert "nothing to average" in text


def test_costs_are_means_over_complete_sets(tmp_path):
    rows = make_rows(2, ("ce", "tsd"), (0,))
    rows["latency_256_teacher"], rows["latency_256_student"] = 40.0, 2.0
    text, _ = report(tmp_path, rows)
    cost = table_of(text, "models")["InceptionTime to FCN, default protocol"]
    assert cost["parameters"] == "80,000 / 1,200"
    assert cost["ms, 256 series"] == "40.00 / 2.00"
    assert cost["share"] == "1.50%, 1.50%"
    assert cost["teacher fit, s"] == "10.0"


def test_all_pairs_are_corrected_together():
    table = scores(make_rows(12), "top_1_agreement")
    matrix = p_value_matrix(table)
    pairs = list(combinations(METHODS, 2))
    expected = holm([stats.wilcoxon(table[a], table[b]).pvalue for a, b in pairs])
    for (a, b), p in zip(pairs, expected, strict=True):
        assert matrix.loc[a, b] == matrix.loc[b, a] == pytest.approx(p)
    assert (np.diag(matrix) == 1).all()


def test_equal_scores_are_ties():
    table = pd.DataFrame({"ce": np.arange(8) / 10, "tsd": np.arange(8) / 10 + 1e-12})
    rows = rows_of(table, "top_1_agreement")
    row = compare_pairs(rows, "top_1_agreement", [("tsd", "ce")], True).iloc[0]
    assert (row["wins"], row["ties"], row["losses"]) == (0, 8, 0)
    assert row["p_holm"] == 1
    np.testing.assert_array_equal(mean_ranks(table, True), [1.5, 1.5])


def test_few_sets_are_not_tested():
    table = pd.DataFrame({"ce": np.zeros(5), "tsd": np.ones(5)})
    rows = rows_of(table, "top_1_agreement")
    row = compare_pairs(rows, "top_1_agreement", [("tsd", "ce")], True).iloc[0]
    assert row["wins"] == 5
    assert np.isnan(row["p"])
    assert np.isnan(row["p_holm"])


def test_pairs_answer_the_questions():
    methods = ["ce", "kd", "kd+tsd", "tsd:window=0.2", "tsd", "dkd+tsd", "random_tsd"]
    pairs = pairs_of_interest(methods)
    assert {pair for pair in pairs if pair[0] == "tsd"} == {
        ("tsd", other) for other in methods if other != "tsd"
    }
    assert ("kd+tsd", "kd") in pairs
    assert not any(pair[0] == "dkd+tsd" for pair in pairs)  # there is no dkd to compare it with
    assert pairs_of_interest(["ce", "tsd:window=0.2"]) == [("tsd:window=0.2", "ce")]
    assert pairs_of_interest(["ce", "kd"]) == []


# -- forms -----------------------------------------------------------------------------


def test_many_sets_give_everything(tmp_path, drawn):
    text, names = report(tmp_path, make_rows(9))
    group = "default-inception-time-fcn-on-test"
    assert names[1:] == [
        *(f"{group}-ranks-{metric.replace('_', '-')}.png" for metric in MAIN_METRICS),
        f"{group}-sets.png",
        "trade-off.png",
    ]
    assert "4 methods on the 9 data sets that all of them have finished, 3 seeds each." in text
    assert "9/0/0, p = 0." in table_of(text, "pair")["TSD / CE"]["agreement"]
    assert "1.50%" in text  # the student's share of the teacher's parameters
    assert "0123456789ab" in text


@pytest.mark.parametrize(
    "rows",
    [
        make_rows(1, ("tsd",), (0,)),
        make_rows(1, METHODS, (0,)),
        make_rows(3, ("kd", "kd+tsd"), (0, 1)),
        make_rows(2, METHODS, (0,), latency_256_teacher=np.nan, latency_256_student=np.nan),
        make_rows(6, METHODS, (0,), deletion_area_student_by_teacher=np.nan),
        make_rows(6, METHODS, (0,), saliency_spearman=np.nan, saliency_top_k_overlap=np.nan),
    ],
    ids=["one row", "one set", "two methods", "not timed", "no removal", "no saliency"],
)
def test_few_rows_give_a_report_too(tmp_path, rows):
    text, _ = report(tmp_path, rows)
    assert "## InceptionTime to FCN, default protocol" in text
    assert "nan" not in text.lower()
    n_sets = rows["dataset"].nunique()
    if rows["method"].nunique() > 1:
        assert f"No critical difference diagram: with {n_sets} data set" in text
        assert ("No p-value: too few data sets" in text) == (n_sets < 6)


def test_what_failed_or_is_missing_is_said_and_left_out(tmp_path):
    rows = make_rows(8)
    failed = (rows["dataset"] == "Set3") & (rows["method"] == "kd") & (rows["seed"] == 1)
    rows.loc[failed, ["status", "error"]] = ["failed", "ValueError: it did not work"]
    rows.loc[failed, list(METRICS)] = np.nan
    rows = rows[~((rows["dataset"] == "Set5") & (rows["method"] == "tsd"))]
    text, _ = report(tmp_path, rows)
    assert "* failed: kd on Set3, seed 1: ValueError: it did not work" in text
    assert "the 7 data sets that all of them have finished, 2 to 3 seeds each" in text
    assert "Left out of means and ranks: Set5." in text
    complete = rows[(rows["dataset"] != "Set5") & (rows["method"] == "ce")]
    complete = complete[(complete["dataset"] != "Set3") | (complete["seed"] != 1)]
    mean = complete.groupby("dataset")["accuracy_student"].mean().mean()
    assert table_of(text, "method")["CE"]["accuracy"].startswith(f"{mean:.3f}")


def test_names_stay_text(tmp_path):
    rows = make_rows(4, archive="<b>|UCR|</b>", commit="`c`", device="$x$")
    names = {"Set1": "<script>alert(1)</script>", "Set2": "a|b `c` $d$ *e* [f](g)"}
    rows["dataset"] = rows["dataset"].replace(names)
    failed = (rows["dataset"] == names["Set1"]) & (rows["method"] == "kd")
    rows.loc[failed, ["status", "error"]] = ["failed", "<img src=x> `d`"]
    rows.loc[failed, list(METRICS)] = np.nan
    text, _ = report(tmp_path, rows)
    for raw in ("<script", "<b>", "<img", "`c`", "`d`", "$", "*e*", "[f]"):
        assert raw not in text
    assert "&#60;script&#62;alert(1)&#60;/script&#62;" in text
    assert any("a&#124;b" in name for name in table_of(text, "dataset"))


def test_nothing_finished_is_said(tmp_path):
    rows = make_rows(1, ("ce",), (0,), status="failed", error="ValueError: no")
    text, names = report(tmp_path, rows)
    assert "No run has finished." in text
    assert names == ["report.md"]


def test_protocols_and_models_have_sections_of_their_own(tmp_path):
    methods = ("kd", "tsd")
    paper = make_rows(
        1, methods, protocol="paper", teacher="lstm", student="lstm", chosen_weight=1.0
    )
    by_test = paper.assign(weight_chosen_on="test", protocol="authors")
    rows = pd.concat([make_rows(1, methods), paper.assign(weight_chosen_on="validation"), by_test])
    text, _ = report(tmp_path, rows)
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## InceptionTime to FCN, default protocol",
        "## LSTM to LSTM, paper protocol",
        "## LSTM to LSTM, authors protocol, weight picked on TEST series",
        "## What it costs",
    ]


def test_several_files_make_one_report(tmp_path):
    rows = make_rows(1, ("kd", "tsd"))
    paths = [
        write(tmp_path, rows[rows["seed"] == seed], f"results-{seed}.csv") for seed in (0, 1, 2)
    ]
    both = write_report(paths, tmp_path / "several")[0].read_text()
    one = write_report([write(tmp_path, rows)], tmp_path / "one")[0].read_text()
    names = "results-0.csv results-1.csv results-2.csv"
    assert both.replace(names, "results.csv") == one
    with pytest.raises(ValueError, match="more than once"):
        write_report([paths[0], paths[0]], tmp_path / "twice")


def test_the_command_writes_and_names_the_files(tmp_path, capsys):
    path = write(tmp_path, make_rows(2))
    command.main(["report", str(path), "--out", str(tmp_path / "report")])
    assert f"wrote {tmp_path / 'report' / 'report.md'}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("status", "", "status"),
        ("seed", "", "seed"),
        ("seed", "2abc", "2abc"),
        ("settings", "", "settings.*JSON"),
        ("kl_divergence", "low", "low"),
        ("seed", "-1", "seed|-1"),
        ("settings", "5", "settings"),
        ("settings", '{"run": 5}', "settings"),
        ("settings", "{}", "settings"),
        ("versions", "null", "versions"),
        ("method", "foo", "'foo'"),
        ("protocol", "zzz", "zzz.*default, paper, authors"),
        ("student", "zzz", "zzz.*fcn, lite, lstm"),
        ("evaluated_on", "zzz", "zzz.*test.*validation"),
        ("dataset", "", "dataset"),
        ("accuracy_student", "", "accuracy_student.*nan"),
        ("accuracy_student", "5", "accuracy_student.*5"),
        ("kl_divergence", "-3", "kl_divergence.*-3"),
        ("auc_prc_teacher", "inf", "auc_prc_teacher.*inf"),
    ],
)
def test_a_damaged_row_is_named(tmp_path, column, value, said):
    rows = make_rows(1, ("ce",), (0, 1)).astype(object)
    rows.loc[1, column] = value
    path = write(tmp_path, rows)
    with pytest.raises(ValueError, match=f"line 3.*{said}"):
        write_report([path], tmp_path / "report")


def test_a_run_that_is_there_twice_is_named(tmp_path):
    rows = make_rows(1, ("ce",), (0, 1))
    path = write(tmp_path, pd.concat([rows, rows.iloc[:1]]))
    with pytest.raises(ValueError, match=r"line 4.*line 2"):
        write_report([path], tmp_path / "report")


def test_rows_that_a_killed_run_has_left_aside_are_mentioned(tmp_path):
    (tmp_path / "results.csv.parts").mkdir()
    with pytest.raises(ValueError, match="run command"):
        write_report([tmp_path / "results.csv"], tmp_path / "report")


def test_methods_that_cannot_be_compared_are_refused(tmp_path):
    rows = make_rows(1, ("ce", "tsd", "tsd:student__lr=0.1"), (0,))
    parts = {"teacher": {"lr": 0.002}, "student": {"lr": 0.02}, "run": {"device": "cpu"}}

    def with_settings(**changes):
        texts = {
            method: json.dumps(parts | (changes if method == "tsd" else {}))
            for method in rows["method"]
        }
        texts["tsd:student__lr=0.1"] = json.dumps(parts | {"student": {"lr": 0.1}})
        return rows.assign(settings=rows["method"].map(texts))

    groups_of(with_settings())
    groups_of(with_settings(run={"device": "cuda"}))
    for changes, said in (
        ({"teacher": {"lr": 0.005}}, "teacher.lr"),
        ({"student": {"lr": 0.1}}, "student.lr"),
        ({"run": {"saliency_instances": 4}}, "run.saliency_instances"),
    ):
        with pytest.raises(ValueError, match=said):
            groups_of(with_settings(**changes))
    with pytest.raises(ValueError, match=r"Set0.*archives"):
        groups_of(with_settings().assign(archive=["2015", "2018", "2018"]))


def test_a_quick_try_says_so(tmp_path):
    settings = json.dumps({"run": {"max_epochs": 5}})
    text, _ = report(tmp_path, make_rows(1, ("ce",), (0,), settings=settings))
    assert "## InceptionTime to FCN, default protocol, 5 epochs only" in text


@pytest.mark.parametrize("content", [None, "", "a,b\n1,2\n", "\x00\xff"])
def test_what_is_no_result_file_is_refused_in_one_line(tmp_path, capsys, content):
    path = tmp_path / "results.csv"
    if content is not None:
        path.write_text(content, encoding="latin-1")
    with pytest.raises(SystemExit) as stopped:
        command.main(["report", str(path), "--out", str(tmp_path / "report")])
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "results.csv" in said
    assert not (tmp_path / "report").exists()


def test_methods_stand_in_the_order_of_the_package(tmp_path):
    names = ("random_tsd", "tsd:window=0.2", "kd+tsd", "tsd", "dkd+tsd", "kd", "ce", "dkd")
    (group,) = groups_of(make_rows(1, names, (0,)))
    assert group.methods == [
        *("ce", "kd", "kd+tsd", "dkd", "dkd+tsd", "tsd", "tsd:window=0.2", "random_tsd")
    ]


def test_rows_with_an_older_spelling_of_a_setting_are_read(tmp_path):
    name = f"tsd:{TEMPERATURE}=4"
    old = make_rows(2, ("ce", "tsd:temperature=4"), (0,))
    run = {"device": "cpu"}
    old["settings"] = json.dumps({"run": run, "transfer": {"temperature": 4}})
    settings = json.dumps({"run": run, "transfer": {TEMPERATURE: 4}})
    new = make_rows(2, (name,), (1,), settings=settings)
    rows = read_results(write(tmp_path, pd.concat([old, new])))
    (group,) = groups_of(rows)
    assert group.methods == ["ce", name]
    text, _ = report(tmp_path, old)
    assert f"TSD ({TEMPERATURE}=4)" in text
    again = pd.concat([old, old.iloc[1:2].assign(method=name)])
    with pytest.raises(ValueError, match=r"line 6: .* line 3"):
        read_results(write(tmp_path, again))


def test_titles_and_order_of_every_method_and_teacher():
    names = ["tsd+unlabelled", "ce", "kd_copies", "tsd", "kd+tsd+unlabelled"]
    ordered = sorted(names, key=_groups._place)
    assert ordered == ["ce", "kd+tsd+unlabelled", "tsd", "tsd+unlabelled", "kd_copies"]
    assert set(TEACHERS) <= set(_groups._TITLES)
