"""``python -m sktime_tsd export`` and ``predict``: files in, files out, errors in one line."""

import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier

from sktime_tsd import SkorchClassifier, __main__, load_model, save_model
from sktime_tsd.datasets import load_dataset
from sktime_tsd.networks import FCN
from sktime_tsd.runtime import OnnxClassifier

HEADER = "@problemName new\n@timeStamps false\n@univariate true\n@classLabel false\n@data\n"


class Own(FCN):
    """A user's network."""


@pytest.fixture(scope="module")
def test_series():
    return load_dataset("UnitTest", split="test")


@pytest.fixture(scope="module")
def data_file():
    from importlib.resources import files

    return str(files("sktime.datasets") / "data" / "UnitTest" / "UnitTest_TEST.ts")


@pytest.fixture(scope="module")
def fitted():
    X, y = load_dataset("UnitTest", split="train")
    params = {"filters": (4,), "kernel_sizes": (3,)}
    return SkorchClassifier("fcn", params, max_epochs=3, random_state=0).fit(X, y)


@pytest.fixture(scope="module")
def folder(fitted, tmp_path_factory):
    return save_model(fitted, tmp_path_factory.mktemp("models") / "model")


def run(*arguments):
    __main__.main([str(argument) for argument in arguments])


def fails(capsys, *arguments):
    with pytest.raises(SystemExit) as stop:
        run(*arguments)
    captured = capsys.readouterr()
    assert stop.value.code == 2
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


def test_from_a_pickle_to_predictions(fitted, data_file, test_series, tmp_path, capsys):
    X, y = test_series
    joblib.dump(fitted, tmp_path / "student.joblib")
    safe, onnx = tmp_path / "student", tmp_path / "student.onnx"
    run("export", tmp_path / "student.joblib", "--trust-pickle", "--format", "safetensors",
        "--out", safe)  # fmt: skip
    run("export", safe, "--format", "onnx", "--sample", data_file, "--out", onnx)
    assert capsys.readouterr().out.splitlines() == [f"wrote {safe}", f"wrote {onnx}"]
    np.testing.assert_array_equal(load_model(safe).predict_proba(X), fitted.predict_proba(X))
    np.testing.assert_allclose(
        OnnxClassifier(onnx).predict_proba(X), fitted.predict_proba(X), atol=1e-5
    )
    for model in (safe, onnx):
        out = tmp_path / f"{model.name}.csv"
        run("predict", model, data_file, "--out", out)
        assert capsys.readouterr().out == f"wrote 22 rows to {out}\n"
        table = pd.read_csv(out, dtype={"label": str, "prediction": str})
        assert table.columns.tolist() == ["label", "prediction", "probability_1", "probability_2"]
        assert table["label"].tolist() == y.tolist()
        assert table["prediction"].tolist() == fitted.predict(X).tolist()
        np.testing.assert_allclose(
            table[["probability_1", "probability_2"]], fitted.predict_proba(X), atol=1e-5
        )


def test_series_without_labels_to_the_terminal(folder, fitted, tmp_path, capsys):
    X = np.random.default_rng(0).normal(size=(3, 24)).round(3)
    lines = [",".join(map(str, row)) for row in X]
    (tmp_path / "new.ts").write_text(HEADER + "\n".join(lines) + "\n")
    run("predict", folder, tmp_path / "new.ts")
    header, *rows = capsys.readouterr().out.splitlines()
    assert header == "prediction,probability_1,probability_2"
    assert [row.split(",")[0] for row in rows] == fitted.predict(X).tolist()


def test_the_command_itself(folder, data_file, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "sktime_tsd", "predict", str(folder), data_file],
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(done.stdout.splitlines()) == 23
    assert done.stderr == ""


def test_networks_of_ones_own(data_file, tmp_path, capsys):
    network = Own(1, 24, 2, (4,), (3,))
    clf = SkorchClassifier.from_module(
        network,
        ["1", "2"],
        network_params={"filters": (4,), "kernel_sizes": (3,)},
        input_shape=(1, 24),
    )
    folder = save_model(clf, tmp_path / "model")
    text = fails(capsys, "predict", folder, data_file)
    assert "Own" in text
    assert "--network MODULE:NAME" in text
    assert "no_such:Net" in fails(capsys, "predict", folder, data_file, "--network", "no_such:Net")
    run("predict", folder, data_file, "--network", f"{__name__}:Own")
    assert len(capsys.readouterr().out.splitlines()) == 23


@pytest.mark.slow
def test_a_reader_that_has_seen_enough(folder, data_file):
    command = f"{sys.executable} -m sktime_tsd predict {folder} {data_file} | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=120)
    assert done.stdout.count("label,prediction") == 1
    assert done.stderr == ""


def test_predictions_are_packed_as_their_name_says(folder, data_file, tmp_path):
    run("predict", folder, data_file, "--out", tmp_path / "out.csv.gz")
    assert len(pd.read_csv(tmp_path / "out.csv.gz")) == 22


def test_without_the_packages_that_read_series(folder, data_file, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    monkeypatch.delitem(sys.modules, "sktime_tsd._cli.predictions", raising=False)
    assert "OnnxClassifier" in fails(capsys, "predict", folder, data_file)


def test_what_is_there_stays_unless_told(folder, fitted, tmp_path, capsys):
    there = tmp_path / "student.onnx"
    there.write_text("years of work")
    assert "--overwrite" in fails(capsys, "export", folder, "--format", "onnx", "--out", there)
    assert there.read_text() == "years of work"
    run("export", folder, "--format", "onnx", "--out", there, "--overwrite")
    joblib.dump(fitted, tmp_path / "model.pkl")
    to_copy = ("--trust-pickle", "--format", "safetensors", "--out", tmp_path / "copy")
    run("export", tmp_path / "model.pkl", *to_copy)
    capsys.readouterr()
    assert "--overwrite" in fails(capsys, "export", tmp_path / "model.pkl", *to_copy)
    # it would lose what the model card knows
    assert "copy it" in fails(capsys, "export", folder, *to_copy[1:], "--overwrite")


def test_pickles_are_loaded_only_if_trusted(data_file, tmp_path, capsys):
    class Harmful:
        def __reduce__(self):
            return (tmp_path.joinpath("harm").mkdir, ())

    joblib.dump(Harmful(), tmp_path / "model.pkl")
    assert "--trust-pickle" in fails(capsys, "predict", tmp_path / "model.pkl", data_file)
    assert not (tmp_path / "harm").exists()


def test_what_is_no_model(data_file, folder, tmp_path, capsys):
    (tmp_path / "text.pkl").write_text("no pickle")
    (tmp_path / "text.onnx").write_text("no network")
    joblib.dump({"a": 1}, tmp_path / "dict.pkl")
    joblib.dump(DummyClassifier().fit([[0]], [1]), tmp_path / "dummy.pkl")
    onnx = ["--format", "onnx", "--out", tmp_path / "out.onnx"]
    for arguments, words in (
        (["predict", tmp_path / "none", data_file], str(tmp_path / "none")),
        (["predict", tmp_path, data_file], "config.json"),
        (["predict", tmp_path / "text.onnx", data_file], "ONNX"),
        (["predict", tmp_path / "text.pkl", data_file, "--trust-pickle"], "as a pickle"),
        (["predict", tmp_path / "dict.pkl", data_file, "--trust-pickle"], "dict"),
        (["predict", folder, tmp_path / "none.ts"], "none.ts"),
        (["predict", folder, tmp_path / "text.pkl"], "text.pkl"),
        (["predict", folder, data_file, "--out", tmp_path / "no" / "out.csv"], "no"),
        (["predict", folder, data_file, "--network", "json:loads"], "network"),
        (["predict", tmp_path / "text.onnx", data_file, "--network", "a:B"], "--network"),
        (["export", tmp_path / "dummy.pkl", "--trust-pickle", *onnx], "DummyClassifier"),
        (["export", folder, *onnx, "--int8"], "int8"),
        (["export", folder, "--format", "safetensors", "--out", "x", "--int8"], "--int8"),
        (["export", folder, "--format", "pickle", "--out", "x"], "invalid choice"),
        (["export", folder, "--format", "onnx"], "--out"),
    ):
        assert words in fails(capsys, *arguments)
    assert not (tmp_path / "out.onnx").exists()


def test_series_of_another_shape(folder, tmp_path, capsys):
    (tmp_path / "short.ts").write_text(HEADER + "1,2,3\n4,5,6\n")
    assert "24" in fails(capsys, "predict", folder, tmp_path / "short.ts")
    (tmp_path / "unequal.ts").write_text(HEADER + "1,2,3\n4,5\n")
    assert "unequal" in fails(capsys, "predict", folder, tmp_path / "unequal.ts")
    (tmp_path / "missing.ts").write_text(HEADER + ",".join(["1"] * 23 + ["?"]) + "\n")
    assert "NaN" in fails(capsys, "predict", folder, tmp_path / "missing.ts")


@pytest.mark.parametrize("command", ["export", "predict"])
def test_help_needs_no_torch(command):
    code = (
        "import sys; from sktime_tsd.__main__ import main\n"
        f"try: main([{command!r}, '--help'])\n"
        "except SystemExit: print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"
    assert "--trust-pickle" in done.stdout
