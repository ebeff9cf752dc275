"""Floor, ceiling and other yardsticks of the benchmark, and their place in the report."""

import numpy as np
import pytest
import torch
from benchmark_rows import make_rows, write
from helpers import TINY_FCN, random_panel
from matplotlib.figure import Figure
from sklearn.linear_model import LogisticRegression

from sktime_tsd import SkorchClassifier, to_onnx
from sktime_tsd._utils.random import draw_seed
from sktime_tsd.benchmark import BenchmarkMethod, run_benchmark
from sktime_tsd.benchmark import __main__ as command
from sktime_tsd.benchmark._groups import groups_of
from sktime_tsd.benchmark._model_costs import ONNX_COLUMNS, costs_by_method, onnx_cost
from sktime_tsd.benchmark._reasons import reasons_section, reasons_table
from sktime_tsd.benchmark._results import COLUMNS, read_results
from sktime_tsd.benchmark._results_report import write_report
from sktime_tsd.benchmark._yardsticks import YARDSTICKS, fit_yardstick, other_seed
from sktime_tsd.fidelity import METRICS
from sktime_tsd.networks import build_network

HELD_OUT = [name for name in METRICS if name.startswith("saliency_held_out")]


def test_an_untrained_student_has_the_first_weights_of_a_trained_one():
    X, y = random_panel(12)
    student = SkorchClassifier("fcn", TINY_FCN, max_epochs=1, random_state=3)
    untrained = fit_yardstick("untrained", student, None, X, y, seed=3)
    torch.manual_seed(draw_seed(3))
    first = build_network("fcn", 1, 20, 2, TINY_FCN).state_dict()
    found = untrained.network_.network.state_dict()
    assert all(torch.equal(found[name], first[name]) for name in first)
    trained = student.clone().fit(X, y).network_
    torch.testing.assert_close(untrained.network_.mean, trained.mean)
    torch.testing.assert_close(untrained.network_.std, trained.std)
    assert untrained.classes_.tolist() == ["class 00", "class 01"]
    assert untrained.predict_proba(X).shape == (12, 2)


def test_a_teacher_is_trained_again_with_another_seed():
    seeds = [other_seed(seed) for seed in range(50)]
    assert len({*seeds, *range(50)}) == 100
    assert other_seed(7) == seeds[7]


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    path = tmp_path_factory.mktemp("rows") / "rows.csv"
    methods = ["untrained", "lite", "reseeded"]
    run_benchmark(
        ["UnitTest"], methods, [0], out=path, max_epochs=1, saliency_instances=3, removal=False,
        report=lambda line: None,
    )  # fmt: skip
    return read_results(path).set_index("method")


def test_yardsticks_are_rows_like_those_of_students(rows):
    assert rows["error"].tolist() == [""] * 3
    assert rows.loc["untrained", "parameters_student"] == 1_202
    assert rows.loc["lite", "parameters_student"] == 9_880
    again = rows.loc["reseeded"]
    assert again["parameters_student"] == again["parameters_teacher"] > 70_000
    assert again["kl_divergence"] > 0  # another network, alike in size alone
    assert rows[HELD_OUT].notna().all(axis=None)
    assert (rows[list(ONNX_COLUMNS)] > 0).all(axis=None)
    assert rows.loc["lite", "bytes_onnx_student"] > rows.loc["untrained", "bytes_onnx_student"]


def test_what_onnx_costs(tmp_path):
    X, y = random_panel(12)
    classifier = SkorchClassifier("fcn", TINY_FCN, max_epochs=1, random_state=0).fit(X, y)
    cost = onnx_cost(classifier, X)
    assert list(cost) == list(ONNX_COLUMNS)
    size = to_onnx(classifier, tmp_path / "same.onnx", X[:2]).stat().st_size
    assert cost["bytes_onnx_student"] == pytest.approx(size, rel=0.01)
    assert onnx_cost(LogisticRegression(), X) == {}


@pytest.mark.parametrize("name", YARDSTICKS)
def test_yardsticks_have_no_settings_and_no_company(name):
    method = BenchmarkMethod(name.upper())
    assert method.name == name
    assert method.is_yardstick
    assert method.terms == []
    assert method.with_weight(3.0) is None
    with pytest.raises(ValueError, match=f"{name} has no settings"):
        BenchmarkMethod(f"{name}:student__lr=0.1")
    with pytest.raises(ValueError, match=name):
        BenchmarkMethod(f"{name}+tsd")
    assert not BenchmarkMethod("ce").is_yardstick


# -- the report ----------------------------------------------------------------------------


def made(methods=("untrained", "ce", "tsd", "lite", "reseeded"), **changes):
    rows = make_rows(7, methods, (0,))
    values = {"untrained": 0.1, "ce": 0.4, "tsd": 0.72, "lite": 0.3, "reseeded": 0.8}
    for number, name in enumerate(["saliency_spearman", *HELD_OUT]):
        rows[name] = rows["method"].map(values) + number / 100
    rows["accuracy_student"] = rows["method"].map(values)
    for name in ONNX_COLUMNS:
        rows[name] = np.where(rows["method"] == "reseeded", np.nan, 2_000.0)
    return rows.assign(**changes)


def test_reasons_are_tabulated_between_floor_and_ceiling():
    (group,) = groups_of(made())
    table = reasons_table(group)
    assert table.columns[:2].tolist() == ["trained on", "mean of others"]
    assert table.shape == (5, 2 + len(HELD_OUT) - 1)
    assert table.at["tsd", "trained on"] == pytest.approx(0.72)
    assert table.at["reseeded", "mean of others"] == pytest.approx(0.81)
    figures = {}
    text = "\n".join(reasons_section(group, lambda f, name: figures.setdefault(name, f) and name))
    assert "| TSD " in text
    shares = text[text.index("As a share") :]
    assert f"{0.72 / 0.8:.0%}" in shares
    assert "other seed" not in shares
    ((name, figure),) = figures.items()
    assert name.endswith("-reasons.png")
    (ax,) = figure.axes
    lines = {patch.get_label(): patch.get_data().values for patch in ax.patches}
    assert set(lines) == {"untrained student", "teacher, other seed"}
    np.testing.assert_allclose(lines["teacher, other seed"], table.loc["reseeded"])
    markers = {
        line.get_label(): line.get_ydata() for line in ax.lines if line.get_marker() != "None"
    }
    assert set(markers) == {"CE", "TSD", "LITE"}
    np.testing.assert_allclose(markers["TSD"], table.loc["tsd"])


def test_without_the_panel_there_is_no_section_on_reasons():
    (group,) = groups_of(made(**dict.fromkeys(HELD_OUT, np.nan)))
    assert list(reasons_section(group, None)) == []


def test_yardsticks_are_neither_ranked_nor_tested(tmp_path, monkeypatch):
    monkeypatch.setattr(Figure, "savefig", lambda figure, path, **_: path.write_bytes(b""))
    path = write(tmp_path, made())
    text = write_report([path], tmp_path / "report")[0].read_text()
    ranks = text[text.index("Mean rank") : text.index("Pairs of methods")]
    assert "LITE" not in ranks
    assert "| TSD / CE" in text
    assert "TSD / LITE" not in text
    assert "TSD / teacher" not in text
    means = text[text.index("Mean over the data sets") : text.index("Mean rank")]
    for title in ("untrained student", "LITE", "teacher, other seed"):
        assert title in means
    # the costs of students alone are set against the teacher's
    assert "80,000 / 1,200" in text


def test_costs_by_method_are_means_and_medians():
    rows = made(("ce", "lite"))
    rows.loc[rows["method"] == "lite", "parameters_student"] = 9_880
    rows.loc[rows["dataset"] == "Set0", "latency_1_student"] = 1_000  # a slow call moves no median
    table = costs_by_method(rows, ["ce", "lite"])
    assert table["parameters"].tolist() == ["1,200", "9,880"]
    assert table["ONNX, bytes"].tolist() == ["2,000", "2,000"]
    assert float(table.at["ce", "ms, 1 series"]) < 2
    none = costs_by_method(made(("reseeded",)), ["reseeded"])
    assert none["ONNX, bytes"].tolist() == ["-"]


def test_rows_of_before_can_still_be_read(tmp_path):
    former = make_rows(2).drop(columns=[*HELD_OUT, *ONNX_COLUMNS])
    rows = read_results(write(tmp_path, former))
    assert rows.columns.tolist() == list(COLUMNS)
    assert rows[[*HELD_OUT, *ONNX_COLUMNS]].isna().all(axis=None)
    with pytest.raises(ValueError, match="lacks the columns kl_divergence"):
        read_results(write(tmp_path, former.drop(columns="kl_divergence"), "other.csv"))


def test_the_panel_can_be_left_out(tmp_path):
    out = tmp_path / "rows.csv"
    arguments = ["run", "--datasets", "UnitTest", "--methods", "untrained", "--seeds", "0"]
    arguments += ["--teacher", "lstm", "--epochs", "1", "--saliency-instances", "2"]
    command.main([*arguments, "--no-removal", "--no-latency", "--no-held-out", "--out", str(out)])
    (row,) = read_results(out).to_dict("records")
    assert row["status"] == "ok"
    assert np.isnan([row[name] for name in [*HELD_OUT, *ONNX_COLUMNS]]).all()
    assert not np.isnan(row["saliency_spearman"])
