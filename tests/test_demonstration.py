"""The command line: options, errors in one line, the table, the files."""

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import sktime_tsd
from sktime_tsd import __main__, classifier, load_model
from sktime_tsd._cli import demonstration, models
from sktime_tsd._cli.methods import METHODS
from sktime_tsd._cli.train_and_test import load_data
from sktime_tsd.datasets import load_dataset
from sktime_tsd.plotting._figure import file_figure


@pytest.fixture
def quick(monkeypatch):
    """Run the real thing with fewer epochs and on fewer series."""
    train_network = classifier.train_network

    def short(settings, *args, **kwargs):
        settings.max_epochs = min(settings.max_epochs, 4) if settings.max_epochs != "auto" else 4
        return train_network(settings, *args, **kwargs)

    monkeypatch.setattr(classifier, "train_network", short)
    monkeypatch.setattr(demonstration, "_N_SALIENCY_INSTANCES", 6)


COLUMNS = [
    "parameters", "pickle kB", "accuracy", "AUC-PRC", "agreement", "KL", "saliency corr.",
    "held-out corr.", "fit s",
]  # fmt: skip


@pytest.mark.parametrize("teacher", ["lstm", pytest.param("minirocket", marks=pytest.mark.slow)])
def test_table_and_files(quick, tmp_path, capsys, teacher):
    out = tmp_path / "results"
    __main__.main(
        ["--dataset", "UnitTest", "--teacher", teacher, "--student", "lstm", "--out", str(out)]
    )
    captured = capsys.readouterr()
    for name in (f"teacher ({teacher})", "alone", "by KD", "by TSD", *COLUMNS):
        assert name in captured.out
    table = pd.read_csv(out / "table.csv", index_col="classifier")
    assert table.columns.tolist() == COLUMNS
    assert len(table) == 4
    of_teacher = table.iloc[0]
    assert of_teacher["agreement"] == of_teacher["saliency corr."] == 1
    assert of_teacher["held-out corr."] == 1 > table["held-out corr."].iloc[1:].max()
    assert of_teacher["KL"] == pytest.approx(0, abs=1e-9)
    assert np.isnan(of_teacher["parameters"]) == (teacher == "minirocket")
    for picture in ("saliency.png", "fidelity.png"):
        assert (out / picture).stat().st_size > 10_000

    report = pd.read_csv(out / "fidelity.csv", index_col="name")
    assert report.columns.tolist() == ["value", "low", "high", "higher_is_better"]
    for line, column in (
        ("top_1_agreement", "agreement"),
        ("kl_divergence", "KL"),
        ("saliency_spearman", "saliency corr."),
        ("saliency_held_out", "held-out corr."),
        ("accuracy_student", "accuracy"),
        ("auc_prc_student", "AUC-PRC"),
        ("parameters_student", "parameters"),
    ):
        assert report["value"][line] == pytest.approx(table[column].iloc[3])
    assert "Fidelity of a student to its teacher" in captured.out
    assert "Same reasons" in captured.out

    student = load_model(out / "student")
    X, y = load_dataset("UnitTest", split="test")
    assert student.verbose == 0
    card = (out / "student" / "README.md").read_text()
    assert "Distilled from a teacher" in card
    assert "20 training series of UnitTest." in card
    assert student.score(X, y) == pytest.approx(table["accuracy"].iloc[3])


def test_methods_are_tabulated_and_the_last_is_kept(quick, tmp_path, capsys):
    methods = [*METHODS, "kd+tsd", "FitNets+TSD"]
    arguments = ["--dataset", "UnitTest", "--teacher", "lstm", "--out", str(tmp_path)]
    __main__.main([*arguments, "--methods", ", ".join([*methods, "ce", "kd + tsd"])])
    table = pd.read_csv(tmp_path / "table.csv", index_col="classifier")
    titles = [
        "alone", "by KD", "by DKD", "by FitNets", "by AttentionTransfer", "by RKD", "by VID",
        "by DT2W", "by MemKD", "by TSD", "by KD + TSD", "by FitNets + TSD",
    ]  # fmt: skip
    assert table.index[1:].tolist() == [f"student (fcn) {title}" for title in titles]
    assert table[["KL", "saliency corr."]].iloc[1:].drop_duplicates().shape[0] == len(methods)
    assert load_model(tmp_path / "student").get_params()["network"] == "fcn"
    assert {"saliency", "fitnets"} <= set(pd.read_csv(tmp_path / "history.csv").columns)
    assert "by FitNets + TSD" in capsys.readouterr().out


def test_the_student_alone_can_be_the_only_one(quick, capsys):
    __main__.main(["--dataset", "UnitTest", "--teacher", "lstm", "--methods", "ce"])
    assert "Same reasons" in capsys.readouterr().out


def test_a_picture_needs_matplotlib_and_nothing_else_does(quick, tmp_path, monkeypatch, capsys):
    find_spec = models.importlib.util.find_spec
    monkeypatch.setattr(
        models.importlib.util,
        "find_spec",
        lambda name: None if name == "matplotlib" else find_spec(name),
    )
    __main__.main(["--dataset", "UnitTest", "--teacher", "lstm", "--out", str(tmp_path)])
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "fidelity.csv", "history.csv", "student", "table.csv",
    ]  # fmt: skip
    printed = capsys.readouterr().out
    assert "saliency.png" not in printed
    assert "no pictures: matplotlib" in printed


def test_the_pictured_series_are_those_of_median_gain():
    teacher = np.tile(np.arange(10.0), (4, 1))
    of_tsd = teacher.copy()
    of_tsd[0] *= -1  # gains of class a: -2, 0, about 1
    alone = teacher.copy()
    alone[2] = [0, 1, 0, 1, 0, 1, 0, 1, 0, 1]
    result = demonstration.DemonstrationResult(
        data=None, table=None, classifier=None,
        report=SimpleNamespace(teacher_saliency=teacher),
        saliencies={"teacher (lstm)": teacher, "student (fcn) alone": alone,
                    "student (fcn) by KD": -teacher, "student (fcn) by TSD": of_tsd},
        X=np.zeros((4, 1, 10)), y=np.array(["a", "a", "a", "b"]),
    )  # fmt: skip
    figure = result._draw_saliency(file_figure())
    panels = figure.axes[:6]
    assert [panel.get_title() for panel in panels[:3]] == [
        "teacher", "student alone: correlation 1.00", "student by TSD: correlation 1.00",
    ]  # fmt: skip
    assert [panels[0].get_ylabel(), panels[3].get_ylabel()] == ["class a", "class b"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--dataset", "GunPiont"], ["GunPiont", "GunPoint", "ArrowHead"]),
        (["--teacher", "resnet"], ["resnet", "inception_time", "lstm", "minirocket"]),
        (["--student", "resnet"], ["resnet", "fcn", "lstm"]),
        (["--seed", "one"], ["one", "0 .. 4294967295"]),
        (["--seed", "-1"], ["-1", "0 .. 4294967295"]),
        (["--data-dir", "/nowhere/at/all", "--dataset", "Mine"], ["Mine", "none"]),
        (["--out", __file__], ["is a file"]),
        (["--out", __file__ + "/below"], ["below"]),
        (["--epochs", "0"], ["--epochs", "1 or more"]),
        (["--epochs", "many"], ["--epochs", "many"]),
        (["--no-such-option"], ["--no-such-option"]),
        (["predcit", "model", "data"], ["predcit", "export, predict", "--help"]),
        (["--methods", "ce,resnet"], ["'resnet'", *__main__._METHODS]),
        (["--methods", "kd+tds"], ["'tds'", "tsd"]),
        (["--methods", "kd+kd"], ["'kd+kd'", "twice"]),
        (["--methods", "ce+kd"], ["'ce+kd'", "cross entropy"]),
        (["--methods", ""], ["''", "tsd"]),
        (["--methods", "kd,", "--dataset", "UnitTest"], ["''", "tsd"]),
        (
            ["--methods", "ce,rkd+tsd,vid,kd", "--teacher", "minirocket"],
            ["no features", "rkd+tsd, vid match", "kd, dkd, tsd"],
        ),
    ],
)
def test_bad_options_give_one_line_that_helps(arguments, named, capsys):
    with pytest.raises(SystemExit) as stop:
        __main__.main(arguments)
    captured = capsys.readouterr()
    assert stop.value.code == 2
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    for word in named:
        assert word in captured.err


def test_a_missing_extra_is_named(monkeypatch, capsys):
    find_spec = models.importlib.util.find_spec
    monkeypatch.setattr(
        models.importlib.util,
        "find_spec",
        lambda name: None if name == "numba" else find_spec(name),
    )
    with pytest.raises(SystemExit):
        __main__.main(["--teacher", "minirocket"])
    assert "pip install numba" in capsys.readouterr().err


def test_the_parser_offers_what_there_is():
    assert set(__main__._TEACHERS) == set(models.TEACHERS)
    assert set(__main__._STUDENTS) == set(models.STUDENTS)
    assert __main__._METHODS == METHODS


def test_help_runs_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "sktime_tsd", "--help"], capture_output=True, text=True, check=True
    )
    for option in ("--dataset", "--data-dir", "--teacher", "--student", "--seed", "--out"):
        assert option in done.stdout


def write_set(folder, train, test):
    (folder / "Mine").mkdir(parents=True)
    for split, lines in (("TRAIN", train), ("TEST", test)):
        header = "@timeStamps false\n@classLabel true A B\n@data\n"
        (folder / "Mine" / f"Mine_{split}.ts").write_text(header + "\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("train", "test", "named"),
    [
        (["1,2,3:A", "1,2,2:B"], ["1,2,3:A", "1,2,2:C"], "C"),
        (["1,2,3:A", "1,2,2:B"], ["1,2:A", "1,2:B"], "3 time points"),
        (["1,2,3:A", "1,2,2:B"], ["1,2,?:A", "1,2,2:B"], "NaN"),
        (["1,2,3:A", "1,2:B"], ["1,2,3:A", "1,2,2:B"], "add --unequal-length resample"),
        (["1,2,3:A", "1,2,2:B"], ["1,2:A", "1,2:B"], "add --unequal-length resample"),
        (["1,?,3:A", "1,2,2:B"], ["1,2,3:A", "1,2,2:B"], "add --missing-values interpolate"),
        (["1,2,?:A", "1,2,2:B"], ["1,2,3:A", "1,2,2:B"], "add --unequal-length resample or"),
        (["1,2,inf:A", "1,2,2:B"], ["1,2,3:A", "1,2,2:B"], "infinite"),
        (["1,2,1e39:A", "1,2,2:B"], ["1,2,3:A", "1,2,2:B"], "float32"),
        (["1,2,3:A", "1,2,2:A"], ["1,2,3:A", "1,2,2:A"], "two classes"),
        (["1,2,3:A", "1,2,2:B"], [], "no series"),
    ],
)
def test_what_training_cannot_use_is_refused_before_it(train, test, named, tmp_path, capsys):
    write_set(tmp_path, train, test)
    with pytest.raises(SystemExit) as stop:
        __main__.main(["--data-dir", str(tmp_path), "--dataset", "Mine"])
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "Mine" in error
    assert named in error
    assert "--" in error


def test_earlier_results_stay_unless_told(tmp_path, capsys):
    (tmp_path / "table.csv").write_text("years of work")
    arguments = ["--dataset", "UnitTest", "--out", str(tmp_path)]
    with pytest.raises(SystemExit):
        __main__.main(arguments)
    error = capsys.readouterr().err
    assert "table.csv" in error
    assert "--overwrite" in error
    assert (tmp_path / "table.csv").read_text() == "years of work"
    demonstration.check_results_folder(tmp_path, overwrite=True)


def test_series_that_are_not_regular_can_be_mended(tmp_path):
    write_set(tmp_path, ["1,2,3:A", "1,2:B"], ["1,2,3:A", "1,?,3,4,5:B"])
    mend = {"unequal_length": "resample", "missing_values": "interpolate"}
    data = load_data("Mine", tmp_path, **mend)
    assert data.X_train.tolist() == [[[1, 2, 3]], [[1, 1.5, 2]]]
    assert data.X_test.tolist() == [[[1, 2, 3]], [[1, 3, 5]]]


@pytest.mark.usefixtures("quick")
def test_epochs_and_the_kept_student_that_mends_series(tmp_path, monkeypatch):
    """It reads raw series itself, as it was told to."""
    X, y = load_dataset("UnitTest", split="train")
    lines = [
        ",".join(map(str, x[0, : 24 - i % 3])) + f":{label}"
        for i, (x, label) in enumerate(zip(X, y, strict=True))
    ]
    write_set(tmp_path, lines, lines)
    trained = []
    train_network = classifier.train_network

    def watched(settings, *args, **kwargs):
        trained.append(settings.max_epochs)
        return train_network(settings, *args, **kwargs)

    monkeypatch.setattr(classifier, "train_network", watched)
    out = tmp_path / "out"
    options = ["--data-dir", str(tmp_path), "--dataset", "Mine", "--out", str(out), "--epochs", "3"]
    __main__.main([*options, "--teacher", "lstm", "--unequal-length", "resample"])
    assert trained == [3, 3, 3, 3]
    student = load_model(out / "student")
    assert student.unequal_length == "resample"
    assert student.predict([x[:, :20] for x in X[:2]]).shape == (2,)


def write_named_set(folder, names_of_test):
    rng = np.random.default_rng(0)
    (folder / "Named").mkdir()
    for split, names in (("TRAIN", ["acc", "gyr"]), ("TEST", names_of_test)):
        rows = [
            {"id": i, "time": t, "label": "AB"[i % 2]}
            | {name: i % 2 + t if name == "acc" else rng.normal() for name in names}
            for i in range(6)
            for t in range(5)
        ]
        pd.DataFrame(rows).to_csv(folder / "Named" / f"Named_{split}.csv", index=False)


@pytest.mark.usefixtures("quick")
def test_channels_with_names_keep_their_order(tmp_path, capsys):
    write_named_set(tmp_path, ["gyr", "acc"])
    data = load_data("Named", tmp_path)
    assert data.X_test[0, 0].tolist() == data.X_train[0, 0].tolist() == [0, 1, 2, 3, 4]
    out = tmp_path / "out"
    options = ["--data-dir", str(tmp_path), "--dataset", "Named", "--out", str(out)]
    __main__.main([*options, "--teacher", "forest", "--methods", "tsd"])
    assert load_model(out / "student").feature_names_in_.tolist() == ["acc", "gyr"]


def test_channels_with_other_names_are_refused(tmp_path, capsys):
    write_named_set(tmp_path, ["acc", "mag"])
    with pytest.raises(SystemExit):
        __main__.main(["--data-dir", str(tmp_path), "--dataset", "Named"])
    assert "acc, gyr in the training set, acc, mag in the test set" in capsys.readouterr().err


@pytest.mark.parametrize("error", [RuntimeError("out of\nmemory"), KeyboardInterrupt()])
def test_the_student_is_kept_before_it_is_reported_on(quick, tmp_path, monkeypatch, capsys, error):
    def fails(*args, **kwargs):
        raise error

    monkeypatch.setattr(demonstration, "FidelityReference", fails)
    arguments = ["--dataset", "UnitTest", "--teacher", "lstm", "--methods", "ce"]
    with pytest.raises(SystemExit) as stop:
        __main__.main([*arguments, "--out", str(tmp_path / "out")])
    student = tmp_path / "out" / "student"
    assert stop.value.code == (130 if isinstance(error, KeyboardInterrupt) else 2)
    assert f"the student is in {student}" in capsys.readouterr().err.splitlines()[-1]
    assert load_model(student).predict(load_dataset("UnitTest", split="test")[0]).shape == (22,)


def test_a_failed_training_leaves_no_folder(tmp_path, monkeypatch, capsys):
    def fails(*args, **kwargs):
        raise ValueError("Training diverged.")

    monkeypatch.setattr(classifier, "train_network", fails)
    with pytest.raises(SystemExit):
        __main__.main(["--dataset", "UnitTest", "--out", str(tmp_path / "out")])
    error = capsys.readouterr().err.splitlines()[-1]
    assert "Training diverged. (nothing was written; see --teacher" in error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", [[], ["predict"], ["export"]])
def test_version(command, capsys):
    with pytest.raises(SystemExit) as stop:
        __main__.main([*command, "--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"sktime_tsd {sktime_tsd.__version__}\n"
