"""Pictures of cascades, and the command that measures them on data sets."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from sktime_tsd import CascadeClassifier
from sktime_tsd.benchmark import cascade as command
from sktime_tsd.cascade import compare_costs
from sktime_tsd.plotting import plot_cascade
from sktime_tsd.teachers import CallableTeacher

mpl.use("Agg")

COSTS = {"student_ms": 0.5, "teacher_ms": 10}
CLASSES = ["down", "up"]


def sure_by(steepness, column):
    def answer(X):
        return 1 / (1 + np.exp(-steepness * X[:, 0, column]))

    return CallableTeacher(answer, CLASSES)


@pytest.fixture(scope="module")
def cascades():
    """The first value is the teacher's; the students' differ from it by noise."""
    rng = np.random.default_rng(0)
    first = rng.normal(size=400)
    X = np.stack([first, first + 0.1 * rng.normal(size=400), first + rng.normal(size=400)], axis=1)
    return {
        name: CascadeClassifier(sure_by(3, column), sure_by(3, 0), target_agreement=0.9).fit(
            X[:, None]
        )
        for name, column in (("good", 1), ("poor", 2))
    }


def test_one_cascade_over_its_thresholds(cascades):
    poor = cascades["poor"]
    frame = poor.cost(**COSTS).iloc[1:-1]
    figure, (shares, times) = plot_cascade(poor, **COSTS)
    drawn = {line.get_label(): line for line in shares.lines}
    for label, column in (
        ("agreement promised", "agreement_bound"),
        ("agreement seen", "agreement"),
        ("share deferred", "deferral_rate"),
    ):
        np.testing.assert_allclose(drawn[label].get_xdata(), frame["threshold"])
        np.testing.assert_allclose(drawn[label].get_ydata(), frame[column])
    np.testing.assert_allclose(times.lines[0].get_ydata(), frame["mean_ms"])
    for axis in (shares, times):
        assert axis.lines[-1].get_xdata() == [poor.threshold_] * 2
    assert figure is times.figure


def test_several_cascades_over_what_they_promise(cascades):
    axes = Figure().subplots(1, 2)
    _, (shares, times) = plot_cascade(cascades, ax=axes, **COSTS)
    assert [line.get_label() for line in times.lines] == ["good", "poor"]
    for name, line, share in zip(cascades, times.lines, shares.lines, strict=True):
        goals, found = line.get_data()
        at = len(goals) // 2
        row = compare_costs(cascades, target_agreement=goals[at], **COSTS).loc[name]
        assert found[at] == pytest.approx(row["mean_ms"])
        assert share.get_ydata()[at] == pytest.approx(row["deferral_rate"])
    good, poor = (line.get_ydata() for line in times.lines)
    assert (good <= poor).all()
    assert good.mean() < poor.mean()


def test_what_cannot_be_drawn_is_refused(cascades):
    with pytest.raises(TypeError, match="cascades must be a CascadeClassifier or a dict"):
        plot_cascade([cascades["good"]], **COSTS)
    with pytest.raises(TypeError, match="cascades must be"):
        plot_cascade({}, **COSTS)
    with pytest.raises(ValueError, match=r"teacher_ms.*-1"):
        plot_cascade(cascades["good"], student_ms=1, teacher_ms=-1)
    with pytest.raises(ValueError, match="ax must hold 2 axes"):
        plot_cascade(cascades["good"], ax=Figure().subplots(), **COSTS)


# -- the command -----------------------------------------------------------------------


def test_a_row_of_many_calibrations():
    rng = np.random.default_rng(0)
    scores = rng.random(1000)
    agrees = rng.random(1000) > 0.3 * (1 - scores)
    row = command.calibration_row(scores, agrees, 0.9, seed=0)
    assert row == command.calibration_row(scores, agrees, 0.9, seed=0)
    assert 0.9 < row["agreement"] < 1
    assert 0 < row["deferral_rate"] < 0.6
    assert row["broken"] <= 0.1
    sure = command.calibration_row(scores, np.ones(1000, bool), 0.9, seed=0)
    assert (sure["agreement"], sure["deferral_rate"], sure["broken"]) == (1, 0, 0)
    few = command.calibration_row(scores[:40], agrees[:40], 0.9, seed=0)
    assert few["all_deferred"] == few["deferral_rate"] == 1


def test_the_command_adds_what_is_missing(monkeypatch, tmp_path, capsys):
    asked = []

    def answers(dataset, seed, data_dir):
        asked.append((dataset, seed))
        p = np.random.default_rng(seed).dirichlet([1, 1], size=120)
        return {"teacher": p, "y": p.argmax(axis=1), **dict.fromkeys(command.METHODS, p)}

    monkeypatch.setattr(command, "_answers", answers)
    monkeypatch.setattr(command, "N_CALIBRATIONS", 3)
    path = tmp_path / "rows.csv"
    command.main(["--csv", str(path), "--datasets", "one"])
    command.main(["--csv", str(path), "--datasets", "one", "two", "--seeds", "2"])
    assert asked == [("one", 0), ("two", 0), ("one", 1), ("two", 1)]
    rows = pd.read_csv(path)
    assert not rows.duplicated(command.KEY).any()
    assert len(rows) == 4 * len(command.METHODS) * len(command.TARGETS)
    assert (rows["agreement_student"] == 1).all()
    assert "| one " in capsys.readouterr().out
    shown = command.table(rows, "deferral_rate")
    assert shown.loc["one"].tolist() == [
        "100.0 / 100.0 / 100.0", "0.0 / 0.0 / 0.0", *["all"] * 2
    ]  # fmt: skip


@pytest.mark.slow
def test_the_command_on_a_data_set(tmp_path):
    path = tmp_path / "rows.csv"
    command.main(["--csv", str(path), "--datasets", "ItalyPowerDemand"])
    rows = pd.read_csv(path).set_index(["method", "target_agreement"])
    assert (rows["n_test"] == 1029).all()
    assert (rows["agreement"] > rows.index.get_level_values(1)).all()
