"""The cost commands: they run, print what they measured, and refuse bad options."""

import re
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from sktime_tsd.benchmark.cost import _epochs as epochs
from sktime_tsd.benchmark.cost import (
    _floor,
    deployment,
    fewer_windows,
    kernels,
    load,
    saliency,
    speed,
    terms,
)


@pytest.fixture(scope="module")
def printed():
    """Output of the smallest run; its times mean nothing."""
    command = [sys.executable, "-m", "sktime_tsd.benchmark.cost.saliency"]
    options = ["--repeats", "1", "--series", "2"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.slow
def test_every_network_is_compared_with_its_forward_pass(printed):
    forward, _ = printed.split("Time of other libraries")
    for name in saliency.NETWORKS:
        assert len(re.findall(rf"{re.escape(name)} +(Zero|AnyClass)\(\)", forward)) == 2
    assert len(re.findall(r"\d+\.\d\d \[\d+\.\d\d, \d+\.\d\d\]", forward)) == 4 * len(
        saliency.NETWORKS
    )


@pytest.mark.slow
def test_occlusion_of_the_same_windows_gives_the_same_values(printed):
    differences = re.findall(r"captum Occlusion .* (\d\.\de-\d+)", printed)
    assert len(differences) >= len(saliency.NETWORKS)
    assert max(map(float, differences)) < 1e-6


def test_what_is_not_installed_is_left_out(monkeypatch):
    monkeypatch.setattr(saliency.importlib.util, "find_spec", lambda name: None)
    assert saliency._occlusions(None) == {}


# -- options ---------------------------------------------------------------------------

COMMANDS = (deployment, fewer_windows, kernels, load, saliency, speed, terms)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_what_it_measures(command, capsys):
    with pytest.raises(SystemExit) as stop:
        command.main(["--help"])
    assert stop.value.code == 0
    name = command.__name__.removeprefix("sktime_tsd.")
    assert capsys.readouterr().out.startswith(f"usage: python -m sktime_tsd.{name} [-h]")


@pytest.mark.parametrize(
    ("command", "option", "value"),
    [
        *((command, "--threads", "0") for command in COMMANDS if command is not deployment),
        (saliency, "--repeats", "0"),
        (saliency, "--series", "0"),
        (speed, "--repeats", "0"),
        (speed, "--series", "63"),
        (speed, "--csv", "no/such/folder/a.csv"),
        (speed, "--csv", "."),
        (speed, "--device", "tpu"),
        (kernels, "--turns", "0"),
        (load, "--predictions", "many"),
        (terms, "--series", "7"),
        (terms, "--repeats", "0"),
        (terms, "--batch-size", "-1"),
        (terms, "--device", "tpu9"),
        (deployment, "--calls", "0"),
        (deployment, "--dataset", "Nonesuch"),
        (fewer_windows, "--epochs", "0"),
    ],
)
def test_bad_options_are_refused_in_one_line(command, option, value, capsys):
    with pytest.raises(SystemExit) as stop:
        command.main([option, value])
    assert stop.value.code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert option in said
    assert value in said


# -- speed -----------------------------------------------------------------------------


@pytest.fixture
def small_teacher(monkeypatch):
    monkeypatch.setattr(speed, "TEACHER", ("lstm", {"hidden_size": 4, "num_layers": 1}))


@pytest.mark.slow
def test_every_ratio_is_printed_with_its_goal(small_teacher, tmp_path, capsys):
    table = tmp_path / "speed.csv"
    rows = ["imports", "predict", "epoch", "plain", "size"]
    speed.main(["--rows", *rows, "--series", "64", "--repeats", "1", "--csv", str(table)])
    printed = capsys.readouterr().out
    found = pd.read_csv(table)
    assert list(found.columns) == ["what", "goal", "measured"]
    assert len(found) == 1 + 2 + 4 + 2 + 2
    for row in found.itertuples():
        assert row.what in printed
        assert row.goal[:2] in ("<=", ">=")
        assert re.fullmatch(r"\d+\.\d\d \[\d+\.\d\d, \d+\.\d\d\]", row.measured)
    assert "imports nothing heavy" in printed


@pytest.mark.slow
def test_ratios_of_a_gpu_are_left_out_on_the_cpu_but_run_there(small_teacher):
    options = SimpleNamespace(device=torch.device("cpu"), repeats=1, series=32)
    assert list(speed.cuda(options)) == []
    rows = list(speed._device_rows(options))
    assert len({row["what"] for row in rows}) == 3 * len(speed.STUDENTS) + 1
    assert all(float(row["measured"].split()[0]) > 0 for row in rows)


def test_the_floor_of_a_step_grows_with_what_it_multiplies_and_keeps(monkeypatch):
    # a product and a copy take a second each
    monkeypatch.setattr(_floor, "seconds", lambda run: 1.0)
    x = torch.randn(4, 1, 50)
    narrow, wide = (torch.nn.Conv1d(1, width, 5, padding=2) for width in (1, 200))
    n_bytes = {network: 4 * (x.numel() + network.weight.numel()) for network in (narrow, wide)}
    for network in (narrow, wide):
        # 2 operations for a product and its sum, once forward and once for the weights' gradient
        arithmetic = 2 * 2 * 4 * 50 * 5 * network.out_channels / (2 * 2048**3)
        memory = n_bytes[network] / (4 * 2**24)
        assert _floor.step_floor(network, x) == pytest.approx(max(arithmetic, memory))


@pytest.mark.slow
def test_every_form_of_every_network_is_measured(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(deployment, "NETWORKS", deployment.NETWORKS[-1:])
    deployment.main(
        ["--dataset", "UnitTest", "--calls", "2", "--starts", "1", "--csv", str(tmp_path / "a.csv")]
    )
    table = pd.read_csv(tmp_path / "a.csv")
    forms = ["torch, pickle", "torch, safetensors", "onnxruntime"]
    assert table["form"].tolist() == [*forms, "onnxruntime, int8"]
    assert (table.drop(columns=["network", "form"]) > 0).all(axis=None)
    assert len(capsys.readouterr().out.splitlines()) == 2 + len(table)


def test_threads_that_share_a_model_get_the_answers_of_one(capsys):
    load.main(["--predictions", "400"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["OnnxClassifier", "estimator"]
    assert all("200 predictions, 0 different" in line for line in lines)


def test_different_answers_are_counted():
    class Forgetful:
        n_calls = 0

        def predict_proba(self, X):
            self.n_calls += 1
            return np.full((1, 2), self.n_calls > 50, dtype=float)

    X = np.zeros((10, 1, 4))
    found = load.load_test(Forgetful(), X, n_threads=1, n_predictions=100)
    assert found["different"] == 60


@pytest.mark.slow
def test_long_kernels_are_timed_with_and_without(capsys):
    kernels.main(["--turns", "1"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + len(kernels.NETWORKS) * len(kernels.N_TIMEPOINTS)
    for line in lines[2:]:
        assert all(float(value) > 0 for value in re.findall(r"\d+\.\d\d", line))
        assert len(re.findall(r"\d+\.\d\d \[", line)) == 2


# -- fewer windows ---------------------------------------------------------------------


# after two epochs it is hardly trained
@pytest.mark.filterwarnings("ignore:The teacher InceptionTime gives the right label")
def test_rows_that_are_there_are_not_computed_again(tmp_path, capsys, monkeypatch):
    table = tmp_path / "rows.csv"
    options = ["--datasets", "UnitTest", "--epochs", "2", "--csv", str(table)]
    fewer_windows.main([*options, "--seeds", "0"])
    first = table.read_text()
    rows = pd.read_csv(table)
    assert list(rows["method"]) == list(fewer_windows.METHODS)
    assert rows[["accuracy", "agreement"]].stack().between(0, 1).all()
    fewer_windows.main([*options, "--seeds", "0", "1"])
    assert table.read_text().startswith(first)
    assert list(pd.read_csv(table)["seed"]) == [0] * 3 + [1] * 3
    monkeypatch.setattr(fewer_windows, "_runs", None)  # nothing is left to do
    fewer_windows.main([*options, "--seeds", "0", "1"])
    assert "Mean over all" in capsys.readouterr().out


COLUMNS = ",".join(fewer_windows.COLUMNS)
ROW = "UnitTest,0,2,{},0.5,0.5,0.5,1.0\n"


@pytest.mark.parametrize(
    ("text", "n_kept"),
    [
        ("", None),
        ("a,b\n1,2\n", None),
        (COLUMNS + "\n", 0),
        (COLUMNS + "\n" + ROW.format("student alone"), 0),
        (COLUMNS + "\n" + "".join(ROW.format(f'"{m}"') for m in fewer_windows.METHODS), 3),
    ],
)
def test_only_complete_runs_of_a_file_count(text, n_kept, tmp_path):
    table = tmp_path / "rows.csv"
    table.write_text(text)
    if n_kept is None:
        with pytest.raises(ValueError, match="columns"):
            fewer_windows._read(table)
    else:
        assert len(fewer_windows._read(table)) == n_kept


@pytest.mark.parametrize(
    "options",
    [
        ["--csv", "no/such/folder/rows.csv"],
        ["--csv", "rows.csv", "--data", "no/such/folder"],
        ["--csv", "rows.csv", "--datasets", "Nonesuch"],
        ["--csv", "rows.csv", "--epochs", "0"],
    ],
)
def test_what_cannot_be_trained_is_refused_first(options, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        fewer_windows.main(options)
    assert "error:" in capsys.readouterr().err
    assert not (tmp_path / "rows.csv").exists()


# -- terms -----------------------------------------------------------------------------


def test_every_term_is_timed_with_and_without_saliency(monkeypatch, capsys):
    monkeypatch.setattr(terms, "STUDENTS", {"fcn 8-16-8": terms.STUDENTS["fcn 8-16-8"]})
    seen = []

    def epoch_seconds(kind, training_set, batch_size, device, **settings):
        needs = settings["terms"]
        assert (training_set.bank is not None) == any(term.needs_perturbed for term in needs)
        n_layers = sum(term.needs_features for term in needs)
        features = training_set.teacher_features
        assert n_layers == (0 if features is None else len(features.shapes))
        seen.append(tuple(term.name for term in needs))
        return epochs.epoch_seconds(kind, training_set, batch_size, device, **settings)

    monkeypatch.setattr(terms, "epoch_seconds", epoch_seconds)
    terms.main(["--series", "16", "--repeats", "1"])
    printed = capsys.readouterr().out
    for term in terms.TERMS:
        assert re.search(rf"^{term.name} +(\d+\.\d\d \[.*\] *){{2}}$", printed, re.MULTILINE)
        assert (term.name,) in seen
        if term.name != "saliency":
            assert (term.name, "saliency") in seen
    assert seen.count(()) == len(seen) / 2
