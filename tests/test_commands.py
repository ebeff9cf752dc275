"""``python -m sktime_tsd export`` and ``predict``: files in, files out, errors in one line."""

import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sktime_tsd import SkorchClassifier, __main__, load_model, save_model
from sktime_tsd.datasets import SeriesData, load_dataset
from sktime_tsd.networks import FCN
from sktime_tsd.preprocessing import SeriesCenterer, SeriesResampler
from sktime_tsd.runtime import OnnxClassifier
from sktime_tsd.teachers import flatten

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


@pytest.mark.parametrize("form", ["long.csv", "wide.csv", "a.tsv", "a.npz"])
def test_every_form_of_file(folder, fitted, test_series, tmp_path, capsys, form):
    X, y = test_series
    path = tmp_path / form
    wide = pd.DataFrame(X[:, 0]).assign(label=y)
    if form == "long.csv":
        tall = wide.assign(id=[f"s{i}" for i in range(22)]).melt(["id", "label"], var_name="time")
        tall.rename(columns={"value": "v"}).to_csv(path, index=False)
    elif form == "wide.csv":
        wide.to_csv(path, index=False)
    elif form == "a.tsv":
        wide[["label", *range(24)]].to_csv(path, index=False, header=False, sep="\t")
    else:
        np.savez(path, X=X, y=y)
    run("predict", folder, path, "--out", tmp_path / "out.csv")
    table = pd.read_csv(tmp_path / "out.csv", dtype=str)
    assert table["label"].tolist() == y.tolist()
    assert table["prediction"].tolist() == fitted.predict(X).tolist()
    assert ("id" in table) == (form == "long.csv")
    onnx = tmp_path / "student.onnx"
    run("export", folder, "--format", "onnx", "--sample", path, "--out", onnx)
    assert onnx.exists()


def test_labels_are_written_to_the_letter(test_series, tmp_path, capsys):
    labels = ["=A", "a", "A", "NA", "é ?"]
    clf = SkorchClassifier.from_module(
        FCN(1, 24, 5, (4,), (3,)),
        labels,
        network="fcn",
        network_params={"filters": (4,), "kernel_sizes": (3,)},
        input_shape=(1, 24),
    )
    folder = save_model(clf, tmp_path / "model")
    values = ",".join(["1"] * 24)
    text = HEADER.replace("@classLabel false", "@classLabel true x")
    (tmp_path / "new.ts").write_text(text + "".join(f"{values}:{y}\n" for y in labels))
    run("predict", folder, tmp_path / "new.ts", "--out", tmp_path / "out.csv")
    table = pd.read_csv(tmp_path / "out.csv", keep_default_na=False)
    assert table["label"].tolist() == labels
    assert set(table["prediction"]) <= set(labels)
    assert [name.removeprefix("probability_") for name in table.columns[2:]] == labels


def test_labels_of_another_kind(folder, test_series, tmp_path, capsys):
    X, y = test_series
    np.savez(tmp_path / "floats.npz", X=X, y=y.astype(float))
    text = fails(capsys, "predict", folder, tmp_path / "floats.npz")
    assert "1.0, 2.0" in text
    assert "floats.npz are numbers" in text
    np.savez(tmp_path / "whole.npz", X=X, y=y.astype(int))  # the same, once written
    run("predict", folder, tmp_path / "whole.npz")
    assert capsys.readouterr().err == ""
    np.savez(tmp_path / "others.npz", X=X, y=np.full(22, "one"))
    run("predict", folder, tmp_path / "others.npz")
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 23
    assert "warning" in captured.err
    assert "one" in captured.err


def test_what_is_read_is_never_replaced(folder, data_file, tmp_path, capsys):
    model, data = tmp_path / "model.onnx", tmp_path / "data.ts"
    run("export", folder, "--format", "onnx", "--out", model)
    data.write_bytes(Path(data_file).read_bytes())
    own = tmp_path / "own"
    own.mkdir()
    for part in folder.iterdir():
        (own / part.name).write_bytes(part.read_bytes())
    (tmp_path / "to_data.csv").symlink_to(data)
    (tmp_path / "hard.csv").hardlink_to(model)
    before = {path: path.read_bytes() for path in (model, data, *own.iterdir())}
    capsys.readouterr()
    for source, out in (
        (model, model),
        (model, data),
        (model, tmp_path / "own" / ".." / "data.ts"),
        (model, tmp_path / "to_data.csv"),
        (model, tmp_path / "hard.csv"),
        (own, own / "config.json"),
    ):
        for extra in ([], ["--overwrite"]):
            text = fails(capsys, "predict", source, data, "--out", out, *extra)
            assert f"--out {out}" in text
    for out in (data, tmp_path / "to_data.csv", own / "model.safetensors"):
        export = ["export", own, "--format", "onnx", "--sample", data, "--overwrite"]
        assert f"--out {out}" in fails(capsys, *export, "--out", out)
    assert before == {path: path.read_bytes() for path in before}


def test_an_existing_file_stays_unless_told(folder, data_file, tmp_path, capsys):
    out = tmp_path / "out.csv"
    out.write_text("years of work")
    assert "--overwrite" in fails(capsys, "predict", folder, data_file, "--out", out)
    assert out.read_text() == "years of work"
    run("predict", folder, data_file, "--out", out, "--overwrite")
    assert len(pd.read_csv(out)) == 22
    capsys.readouterr()
    assert "--out" in fails(capsys, "predict", folder, data_file, "--overwrite")
    assert "folder" in fails(capsys, "predict", folder, data_file, "--out", tmp_path)
    device = ["--out", "/dev/null", "--overwrite"]
    assert "/dev/null" in fails(capsys, "predict", folder, data_file, *device)


def test_a_failed_run_leaves_nothing(folder, data_file, tmp_path, capsys, monkeypatch):
    (tmp_path / "bad.ts").write_text(HEADER + "1,2,x\n")
    there = set(tmp_path.iterdir())
    fails(capsys, "predict", folder, tmp_path / "bad.ts", "--out", tmp_path / "out.csv")
    assert set(tmp_path.iterdir()) == there

    def full_disk(self, path, **options):
        Path(path).write_text("label,predi")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", full_disk)
    text = fails(capsys, "predict", folder, data_file, "--out", tmp_path / "out.csv")
    assert "No space left" in text
    assert set(tmp_path.iterdir()) == there


def test_messages_name_options_of_the_command(folder, tmp_path, capsys):
    for text, arguments, option in (
        ("1,2\n3,4\n", [], "--label-column 0 "),
        ("1,2\n3,4\n", [], "--label-column none"),
        ("a,a\n1,2\n", ["--label-column", "none"], "--header no"),
        ("a,b,my class\n1,2,A\n", [], "--label-column 'my class'"),
        ("a,b,more\n1,2,A\n", ["--label-column", "0"], "--ignore-column more"),
        ("time,v\n1,2\n", [], "--id-column COLUMN"),
        ("id,time,v,label\na,0,1,1\na,1,1,2\n", [], "--label-column none"),
        ("a,b\n1,2\n", ["--label-column", "what"], "--label-column what"),
        ("a,b\n1,2\n", ["--channel-column", "a"], "--value-column COLUMN"),
        (
            "a,b\n1,2\n",
            ["--id-column", "a", "--ignore-column", "0"],
            "--id-column and --ignore-column name",
        ),
    ):
        (tmp_path / "a.csv").write_text(text)
        message = fails(capsys, "predict", folder, tmp_path / "a.csv", *arguments)
        assert option in message
        assert "column=" not in message
    (tmp_path / "a.csv").write_text("0,1,2\n" + ",".join("123") + "\n")
    options = ["--header", "yes", "--label-column", "-1", "--ignore-column", "0"]
    assert "24" in fails(capsys, "predict", folder, tmp_path / "a.csv", *options)


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


# ---- series that are not regular, channels with names ----


@pytest.fixture(scope="module")
def named(tmp_path_factory):
    """A classifier of two named channels, its folder, and its series."""
    X = np.random.default_rng(0).normal(size=(12, 2, 8)).round(3)
    y = np.array(["=1", "-b", "@c"] * 4)
    data = SeriesData(X, y, channels=["acc", "gyr"])
    params = {"filters": (4,), "kernel_sizes": (3,)}
    clf = SkorchClassifier("fcn", params, max_epochs=5, random_state=0).fit(data.to_frame(), y)
    return clf, save_model(clf, tmp_path_factory.mktemp("named") / "model"), X, y


def long_table(X, y, names=("acc", "gyr")):
    rows = [
        {"id": i, "time": t, **dict(zip(names, x[:, t], strict=True)), "label": label}
        for i, (x, label) in enumerate(zip(X, y, strict=True))
        for t in range(x.shape[1])
    ]
    return pd.DataFrame(rows)


def predicted(model, table, tmp_path, capsys, *options):
    table.to_csv(tmp_path / "a.csv", index=False)
    run("predict", model, tmp_path / "a.csv", "--out", tmp_path / "o.csv", "--overwrite", *options)
    capsys.readouterr()
    found = pd.read_csv(tmp_path / "o.csv", keep_default_na=False, dtype={"label": str})
    return found["prediction"].tolist(), found.filter(like="probability").to_numpy()


def test_channels_are_found_by_name(named, tmp_path, capsys):
    clf, folder, X, y = named
    onnx = tmp_path / "student.onnx"
    run("export", folder, "--format", "onnx", "--out", onnx)
    table = long_table(X, y)
    for model in (folder, onnx):
        for given in (table, table[["label", "gyr", "time", "acc", "id"]]):
            labels, probabilities = predicted(model, given, tmp_path, capsys)
            assert labels == clf.predict(X).tolist()
            np.testing.assert_allclose(probabilities, clf.predict_proba(X), atol=1e-5)
    table.rename(columns={"gyr": "mag"}).to_csv(tmp_path / "b.csv", index=False)
    text = fails(capsys, "predict", folder, tmp_path / "b.csv")
    assert "acc, mag, but the model was fitted on acc, gyr" in text
    table.assign(mag=1.0).to_csv(tmp_path / "b.csv", index=False)
    assert "--ignore-column mag" in fails(capsys, "predict", folder, tmp_path / "b.csv")
    run("predict", folder, tmp_path / "b.csv", "--ignore-column", "mag")


def test_other_lengths_are_resampled_if_told(named, tmp_path, capsys):
    clf, folder, X, y = named
    uneven = [x[:, : 8 - i % 3] for i, x in enumerate(X)]
    long_table(uneven, y).to_csv(tmp_path / "b.csv", index=False)
    text = fails(capsys, "predict", folder, tmp_path / "b.csv")
    assert "from 6 to 8; add --unequal-length resample" in text
    long_table(X[:, :, :5], y).to_csv(tmp_path / "c.csv", index=False)
    text = fails(capsys, "predict", folder, tmp_path / "c.csv")
    assert "5 time points" in text
    assert "add --unequal-length resample" in text
    onnx = tmp_path / "student.onnx"
    sample = ["--sample", tmp_path / "b.csv"]
    export = ["export", folder, "--format", "onnx", "--out", onnx]
    assert "add --unequal-length resample" in fails(capsys, *export, *sample)
    run(*export, *sample, "--unequal-length", "resample")
    for series in (uneven, list(X[:, :, :5])):
        expected = clf.predict_proba(SeriesResampler(length=8).fit_transform(series))
        for model in (folder, onnx):
            options = ["--unequal-length", "resample"]
            _, found = predicted(model, long_table(series, y), tmp_path, capsys, *options)
            np.testing.assert_allclose(found, expected, atol=1e-5)


def test_missing_values_are_interpolated_if_told(named, tmp_path, capsys):
    clf, folder, X, y = named
    holes = X.copy()
    holes[2, 1, 3] = np.nan
    filled = holes.copy()
    filled[2, 1, 3] = (X[2, 1, 2] + X[2, 1, 4]) / 2
    long_table(holes, y).to_csv(tmp_path / "b.csv", index=False)
    text = fails(capsys, "predict", folder, tmp_path / "b.csv")
    assert "1 of 12 series" in text
    assert "add --missing-values interpolate" in text
    options = ["--missing-values", "interpolate"]
    _, found = predicted(folder, long_table(holes, y), tmp_path, capsys, *options)
    np.testing.assert_allclose(found, clf.predict_proba(filled), atol=1e-6)
    holes[2, 1] = np.nan
    long_table(holes, y).to_csv(tmp_path / "b.csv", index=False)
    assert "no value" in fails(capsys, "predict", folder, tmp_path / "b.csv", *options)


@pytest.mark.parametrize("how", ["parameter", "pipeline"])
def test_a_model_that_reads_any_length_needs_no_option(named, tmp_path, capsys, how):
    clf, _, X, y = named
    uneven = [x[:, : 8 - i % 3] for i, x in enumerate(X)]
    if how == "parameter":
        model = clf.clone().set_params(unequal_length="resample", missing_values="interpolate")
        uneven[0] = uneven[0].copy()
        uneven[0][0, 2] = np.nan
    else:
        model = make_pipeline(SeriesResampler(length=8), clf.clone())
    folder = save_model(model.fit(uneven, y), tmp_path / "any")
    for options in ([], ["--unequal-length", "resample"]):
        _, found = predicted(folder, long_table(uneven, y), tmp_path, capsys, *options)
        np.testing.assert_allclose(found, model.predict_proba(uneven), atol=1e-6)


def test_a_pipeline_that_needs_an_option(named, tmp_path, capsys):
    clf, _, X, y = named
    folder = save_model(make_pipeline(SeriesCenterer(), clf.clone()).fit(X, y), tmp_path / "model")
    uneven = [x[:, : 8 - i % 3] for i, x in enumerate(X)]
    long_table(uneven, y).to_csv(tmp_path / "b.csv", index=False)
    text = fails(capsys, "predict", folder, tmp_path / "b.csv")
    assert "add --unequal-length resample" in text
    predicted(folder, long_table(uneven, y), tmp_path, capsys, "--unequal-length", "resample")
    holes = X.copy()
    holes[2, 1, 3] = np.nan
    long_table(holes, y).to_csv(tmp_path / "b.csv", index=False)
    text = fails(capsys, "predict", folder, tmp_path / "b.csv")
    assert "add --missing-values interpolate" in text


def test_a_foreign_model_decides_what_it_takes(named, tmp_path, capsys):
    _, _, X, y = named
    foreign = make_pipeline(
        FunctionTransformer(flatten), SimpleImputer(), LogisticRegression()
    ).fit(X, y)
    joblib.dump(foreign, tmp_path / "foreign.pkl")
    holes = X.copy()
    holes[2, 1, 3] = np.nan
    model = tmp_path / "foreign.pkl"
    labels, _ = predicted(model, long_table(holes, y), tmp_path, capsys, "--trust-pickle")
    assert labels == foreign.predict(holes).tolist()
    resample = ["--trust-pickle", "--unequal-length", "resample"]
    text = fails(capsys, "predict", tmp_path / "foreign.pkl", tmp_path / "a.csv", *resample)
    assert "which length" in text
