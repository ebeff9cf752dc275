"""The harness: one row per run, resumable whatever dies, the same rows on any backend."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from joblib.externals.loky import get_reusable_executor

from sktime_tsd import SaliencyDistilledClassifier, SkorchClassifier, fidelity_report
from sktime_tsd._cli.models import TEACHERS
from sktime_tsd.benchmark import __main__ as command
from sktime_tsd.benchmark import _made_data, _plan, _run, _unit, read_results, run_benchmark
from sktime_tsd.benchmark._backends import joblib_backend
from sktime_tsd.benchmark._benchmark_method import (
    CONTROLS,
    BenchmarkMethod,
    KDOnCopies,
    current_spelling,
)
from sktime_tsd.benchmark._protocols import PROTOCOLS
from sktime_tsd.benchmark._results import COLUMNS, KEY, ResultFile, write_part
from sktime_tsd.datasets import load_dataset
from sktime_tsd.fidelity import METRICS, macro_auc_prc
from sktime_tsd.losses import KD, FitNets, Outputs
from sktime_tsd.perturbations import Zero

QUICK = {
    "max_epochs": 2,
    "saliency_instances": 3,
    "held_out": False,
    "report": lambda line: None,
}
# times, and the size of a pickle that contains times
NOISY = [name for name in COLUMNS if "seconds" in name or name.startswith(("latency", "bytes"))]
TEMPERATURE = current_spelling("temperature")


def run(tmp_path, datasets=("UnitTest",), methods=("ce", "tsd"), seeds=(0,), **options):
    settings = QUICK | {"out": tmp_path / "results.csv"} | options
    return run_benchmark(datasets, methods, seeds, **settings)


def without_noise(rows):
    return rows.drop(columns=NOISY).sort_values(list(KEY)).reset_index(drop=True)


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    """Two data sets, two methods, two seeds, computed in this process."""
    folder = tmp_path_factory.mktemp("serial")
    rows = run(folder, ["UnitTest", "ItalyPowerDemand"], ["ce", "kd+tsd"], [0, 1])
    return folder / "results.csv", rows


# -- rows ------------------------------------------------------------------------------


def test_a_row_per_run_with_every_metric_of_the_report(serial):
    path, rows = serial
    assert list(rows.columns) == list(COLUMNS)
    assert (rows["status"] == "ok").all()
    found = rows[["dataset", "seed", "method"]].apply(tuple, axis=1)
    assert sorted(found) == sorted(
        (dataset, seed, method)
        for dataset in ("UnitTest", "ItalyPowerDemand")
        for seed in (0, 1)
        for method in ("ce", "kd+tsd")
    )
    is_measured = [not ("_wrong" in name or "held_out" in name) for name in METRICS]
    assert rows[np.array([*METRICS])[is_measured]].notna().all(axis=None)
    assert rows["commit"].str.fullmatch(r"([0-9a-f]{12}\+?)?").all()
    assert set(json.loads(rows["versions"][0])) >= {"sktime", "scikit-learn", "skorch", "torch"}
    settings = json.loads(rows[rows["method"] == "kd+tsd"]["settings"].iloc[0])
    assert settings["transfer"]["distillation"] == "[KD(weight=1.0, temperature=2.0)]"
    assert settings["student"]["max_epochs"] == settings["teacher"]["max_epochs"] == 2
    assert "seed" not in json.dumps(settings)
    sizes = rows.drop_duplicates("dataset").set_index("dataset")
    assert sizes.loc["UnitTest", ["n_train", "n_test", "n_channels", "n_classes"]].tolist() == [
        20,
        22,
        1,
        2,
    ]
    pd.testing.assert_frame_equal(read_results(path), rows, check_dtype=False)
    assert {p.name for p in path.parent.iterdir()} == {path.name, f"{path.name}.lock"}


def test_a_row_says_what_the_report_says(tmp_path):
    row = run(tmp_path, methods=["ce"], seeds=[1], held_out=True).iloc[0]
    assert np.isfinite(row["saliency_held_out"])
    X, y = load_dataset("UnitTest", split="train")
    X_test, y_test = load_dataset("UnitTest", split="test")
    params = {"max_epochs": 2, "random_state": 1, "device": "cpu"}
    network = ("inception_time", {"n_filters": 16, "depth": 3})
    teacher = SkorchClassifier(*network, lr=2e-3, **params)
    _unit.seed_unseeded(teacher.set_params(random_state=None), 1)
    teacher.fit(X, y)
    student = PROTOCOLS["default"].make_student("fcn", "cpu", 2).set_params(random_state=1)
    report = fidelity_report(
        teacher,
        student.fit(X, y),
        X_test,
        y_test,
        background=X,
        max_saliency_instances=3,
        n_resamples=0,
        random_state=1,
    )
    values = report.to_frame()["value"]
    for name in METRICS:
        if name not in NOISY:
            np.testing.assert_allclose(row[name], values[name], rtol=1e-6, err_msg=name)


def test_the_teacher_is_fitted_once_for_all_methods(tmp_path, monkeypatch):
    fits = []
    timed_fit = _unit._timed_fit
    monkeypatch.setattr(
        _unit, "_timed_fit", lambda *args: fits.append(args[3].copy()) or timed_fit(*args)
    )
    rows = run(tmp_path, methods=["ce", "kd", "tsd", "random_tsd"])
    assert len(fits) == 2
    _, y = load_dataset("UnitTest", split="train")
    assert (fits[0] == y).all()
    assert (fits[1] != y).any()
    assert sorted(fits[1]) == sorted(y)
    # every student is compared with the teacher that learned the labels
    assert rows["accuracy_teacher"].nunique() == 1


def test_a_cache_keeps_teachers_for_later_benchmarks(tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    first = run(tmp_path / "a", cache=cache)
    monkeypatch.setattr(SkorchClassifier, "_fit", None)  # a teacher or "ce" could not be fitted
    again = run(tmp_path / "b", methods=["tsd"], cache=cache)
    columns = [name for name in COLUMNS if name not in NOISY]
    tsd = first[first["method"] == "tsd"].reset_index(drop=True)
    pd.testing.assert_frame_equal(tsd[columns], again[columns], check_dtype=False)


def test_validation_leaves_the_test_series_alone(tmp_path, monkeypatch):
    loaded = []
    load = _made_data.load_dataset
    monkeypatch.setattr(
        _made_data, "load_dataset", lambda *a, **k: loaded.append(k["split"]) or load(*a, **k)
    )
    rows = run(tmp_path, seeds=[0, 1], methods=["ce"], evaluated_on="validation")
    assert set(loaded) == {"train"}
    assert (rows["evaluated_on"] == "validation").all()
    assert (rows["n_train"] + rows["n_test"] == 20).all()


# -- going on --------------------------------------------------------------------------


def test_finished_runs_are_not_computed_again(tmp_path, monkeypatch):
    first = run(tmp_path, methods=["ce"])
    lines = []
    rows = run(tmp_path, methods=["ce", "kd"], report=lines.append)
    assert lines[0].startswith("1 of 2 runs are in")
    assert rows["method"].tolist() == ["ce", "kd"]
    pd.testing.assert_frame_equal(rows[:1], first, check_dtype=False)
    monkeypatch.setattr(_unit._Work, "run", None)
    run(tmp_path, methods=["kd", "ce"])


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"max_epochs": 3}, r"run.max_epochs, student.max_epochs, teacher.max_epochs"),
        ({"saliency_instances": 4}, "run.saliency_instances"),
        ({"removal": False}, "run.removal"),
        ({"latency": False}, "run.latency"),
        ({"archive": "another"}, "run.archive"),
        ({"threads": 2}, "run.threads"),
    ],
    ids=str,
)
def test_rows_of_other_settings_are_not_mixed(ce_alone, tmp_path, change, named):
    shutil.copy(ce_alone, tmp_path / "results.csv")
    with pytest.raises(ValueError, match=f"ce on UnitTest.*{named}"):
        run(tmp_path, methods=["ce"], **change)
    if named not in ("run.removal", "run.latency", "run.archive", "run.threads"):
        with pytest.raises(ValueError, match=f"rows of ce.*{named}"):
            run(tmp_path, methods=["kd"], **change)
    assert run(tmp_path, methods=["ce"])["status"].tolist() == ["ok"]
    assert (tmp_path / "results.csv").read_bytes() == ce_alone.read_bytes()


@pytest.fixture(scope="module")
def ce_alone(tmp_path_factory):
    """A file with one row."""
    folder = tmp_path_factory.mktemp("ce")
    run(folder, methods=["ce"])
    return folder / "results.csv"


def test_a_failed_run_is_a_row_with_its_error(tmp_path):
    methods = ["ce", "fitnets:fitnets.student_layer=nowhere", "kd"]
    rows = run(tmp_path, methods=methods).set_index("method")
    assert rows["status"].tolist() == ["ok", "failed", "ok"]
    error = rows.loc[methods[1], "error"]
    assert error.startswith("ValueError")
    assert "nowhere" in error
    assert np.isnan(rows.loc[methods[1], "top_1_agreement"])
    lines = []
    run(tmp_path, methods=methods, report=lines.append)
    assert lines[0].startswith("3 of 3")
    lines.clear()
    run(tmp_path, methods=methods, report=lines.append, retry_failed=True)
    assert lines[0].startswith("2 of 3")
    assert "1 of them failed" in lines[1]


def test_a_data_set_that_cannot_be_read_fails_alone(tmp_path):
    source = Path(str(joblib.__file__))  # any file: not a data set
    for name in ("Good", "Bad"):
        (tmp_path / "data" / name).mkdir(parents=True)
    import sktime.datasets

    bundled = Path(sktime.datasets.__file__).parent / "data" / "UnitTest"
    for split in ("TRAIN", "TEST"):
        shutil.copy(bundled / f"UnitTest_{split}.ts", tmp_path / "data/Good" / f"Good_{split}.ts")
        shutil.copy(source, tmp_path / "data/Bad" / f"Bad_{split}.ts")
    rows = run(tmp_path, ["Bad", "Good"], ["ce", "kd"], data_dir=tmp_path / "data")
    status = rows.set_index("dataset")["status"]
    assert (status["Good"] == "ok").all()
    assert (status["Bad"] == "failed").all()
    assert len(rows) == 4
    assert (rows["archive"] == "data").all()


STARTED = {"max_epochs": 20, "removal": False, "latency": False}


def start(out, *options, seeds=range(4)):
    """Start a benchmark with these settings in a process of its own."""
    arguments = [
        *("run", "--out", str(out), "--datasets", "UnitTest"),
        *("--methods", "ce", "tsd", "kd", "--seeds", *map(str, seeds), "--epochs", "20"),
        *("--saliency-instances", "3", "--no-removal", "--no-held-out", "--no-latency"),
        *options,
    ]
    return subprocess.Popen(
        [sys.executable, "-m", "sktime_tsd.benchmark", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        # a shell without job control starts what is in the background deaf to it
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def wait_for_rows(process, out, n_rows):
    """Wait until runs have ended, but not all of them."""
    parts = out.with_name(f"{out.name}.parts")
    for _ in range(1200):
        if len(list(parts.glob("*.json"))) >= n_rows:
            return
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.05)
    raise AssertionError("no row within a minute")


@pytest.mark.parametrize(
    "how",
    [signal.SIGKILL, pytest.param(signal.SIGINT, marks=pytest.mark.slow)],
    ids=["kill", "ctrl-c"],
)
def test_a_benchmark_that_is_stopped_goes_on(tmp_path, how):
    out = tmp_path / "results.csv"
    seeds = range(2)
    process = start(out, seeds=seeds)
    wait_for_rows(process, out, 1)
    process.send_signal(how)
    said, _ = process.communicate(timeout=60)
    before = ResultFile(out)
    before.open()
    assert 1 <= len(before.rows) < 6
    assert (before.rows["status"] == "ok").all()
    if how == signal.SIGINT:
        assert process.returncode == 130
        assert "Run the same command again to resume" in said
    lines = []
    methods = ["ce", "tsd", "kd"]
    run(tmp_path, methods=methods, seeds=seeds, report=lines.append, **STARTED)
    assert lines[0].startswith(f"{len(before.rows)} of 6 runs are in")
    rows = read_results(out)
    assert len(rows) == 6
    assert not rows.duplicated(list(KEY)).any()
    kept = rows.merge(before.rows[list(KEY)], on=list(KEY))
    columns = list(COLUMNS)
    pd.testing.assert_frame_equal(
        kept.sort_values(list(KEY)).reset_index(drop=True)[columns],
        before.rows.sort_values(list(KEY)).reset_index(drop=True)[columns],
        check_dtype=False,
    )


def test_a_unit_that_kills_its_worker_is_given_up(tmp_path):
    results = ResultFile(tmp_path / "results.csv")
    results.open()
    options = make_options(results)
    guilty, other, waits = (_plan.Unit("UnitTest", seed, ("ce", "kd")) for seed in range(3))
    waiting, lines = {unit.name: unit for unit in (guilty, other, waits)}, []
    write_part(results.parts, _plan.failed_row(guilty, "ce", options, "as if it had ended"))
    for at_work in ((guilty, other), (guilty, other), (guilty,)):
        for unit in at_work:
            with unit.mark(options).open("a") as file:
                file.write("started\n")
        results.collect()
        _run._after_a_crash(waiting, options, results, lines.append)
    assert list(waiting) == [other.name, waits.name]  # the other did not kill its worker
    rows = results.rows.set_index("method")
    assert rows.loc["kd", "error"].startswith("its process died 3 times")
    assert rows.loc["ce", "error"] == "as if it had ended"
    other.mark(options).unlink()
    with pytest.raises(RuntimeError, match="start"):
        _run._after_a_crash(waiting, options, results, lines.append)


@pytest.fixture
def deadly(tmp_path, monkeypatch):
    """A folder of two data sets; reading one of them kills the process."""
    import sktime.datasets

    bundled = Path(sktime.datasets.__file__).parent / "data" / "UnitTest"
    for name in ("Good", "Deadly"):
        (tmp_path / "data" / name).mkdir(parents=True)
        for split in ("TRAIN", "TEST"):
            to = tmp_path / "data" / name / f"{name}_{split}.ts"
            shutil.copy(bundled / f"UnitTest_{split}.ts", to)
    code = tmp_path / "code"
    code.mkdir()
    (code / "sitecustomize.py").write_text(
        "import io, os, builtins\n"
        "real = builtins.open\n"
        "def deadly(path, *args, **kwargs):\n"
        "    if 'Deadly_TRAIN' in str(path):\n"
        "        os._exit(9)\n"
        "    return real(path, *args, **kwargs)\n"
        "builtins.open = io.open = deadly\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{code}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    get_reusable_executor().shutdown()  # workers that started before read it safely
    yield tmp_path / "data"
    get_reusable_executor().shutdown()


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["loky", "dask"])
def test_a_unit_that_always_kills_its_worker_fails_alone(tmp_path, deadly, backend, capsys):
    if backend == "dask":
        pytest.importorskip("distributed", reason="the extra `benchmark` is not installed")
    out = tmp_path / "results.csv"
    results = ResultFile(out)
    results.open()
    mark = _plan.Unit("Deadly", 0, ("ce",)).mark(make_options(results))
    # earlier starts; with one, all that loky was running starts again once
    mark.write_text("started\n" * {"loky": 1, "dask": 2}[backend])
    options = ["--data-dir", str(deadly), "--methods", "ce", "--seeds", "0", "--epochs", "2"]
    options += ["--saliency-instances", "0", "--no-removal", "--no-latency"]
    options += ["--workers", "2", "--backend", backend]
    with pytest.raises(SystemExit) as stopped:
        command.main(["run", "--out", str(out), *options])
    assert stopped.value.code == 1
    # Dask starts the worker and its runs again by itself
    again = "A worker died; the runs in progress start again." in capsys.readouterr().err
    assert again == (backend == "loky")
    rows = read_results(out).set_index(["dataset", "seed"])
    assert rows.loc["Good", "status"].tolist() == ["ok"]
    assert rows.loc["Deadly", "status"].tolist() == ["failed"]
    assert rows.loc["Deadly", "error"].str.contains("died 3 times").all()


def make_options(results, **changes):
    settings = {
        "protocol": "default",
        "teacher": "inception_time",
        "student": "fcn",
        "evaluated_on": "test",
        "data_dir": None,
        "archive": "",
        "device": "cpu",
        "threads": 1,
        "saliency_instances": 3,
        "removal": False,
        "latency": False,
        "weight_chosen_on": "",
        "max_epochs": 2,
        "cache": None,
        "parts": str(results.parts),
    }
    return _plan.RunOptions(**(settings | changes))


@pytest.mark.slow
def test_two_processes_do_not_write_one_file(tmp_path):
    out = tmp_path / "results.csv"
    process = start(out)
    wait_for_rows(process, out, 1)
    with pytest.raises(RuntimeError, match="another process"):
        run(tmp_path)
    process.kill()
    process.communicate()
    run(tmp_path, methods=["kd"], seeds=[5], **STARTED)  # the lock died with it


# -- backends --------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["loky", pytest.param("dask", marks=pytest.mark.slow)])
def test_two_workers_give_what_one_process_gives(tmp_path, serial, backend):
    if backend == "dask":
        pytest.importorskip("distributed", reason="the extra `benchmark` is not installed")
    datasets, methods = ["UnitTest", "ItalyPowerDemand"], ["ce", "kd+tsd"]
    rows = run(tmp_path, datasets, methods, [1], backend=backend, n_workers=2)
    expected = serial[1][serial[1]["seed"] == 1]
    pd.testing.assert_frame_equal(without_noise(rows), without_noise(expected), check_dtype=False)


@pytest.mark.slow
def test_a_running_dask_cluster_is_used(tmp_path):
    distributed = pytest.importorskip("distributed", reason="the extra is not installed")
    # any free port: without a dashboard too, the scheduler serves something, on 8787 by default
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0"
    ) as cluster:
        with distributed.Client(cluster) as client:
            before = client.run(os.getpid)
        address = cluster.scheduler_address
        rows = run(tmp_path, methods=["ce"], seeds=[0, 1], backend="dask", scheduler=address)
        with distributed.Client(cluster) as client:
            assert set(client.run(os.getpid).values()) == set(before.values())
    assert (rows["status"] == "ok").all()


def test_workers_without_the_folder_of_parts_send_their_rows(tmp_path):
    results = ResultFile(tmp_path / "results.csv")
    options = make_options(results, parts=str(tmp_path / "not here"))
    rows = _unit.run_unit(_plan.Unit("UnitTest", 0, ("ce",)), options)
    assert [row["status"] for row in rows] == ["ok"]
    assert list(tmp_path.iterdir()) == []


def test_a_backend_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with (
        pytest.raises(ImportError, match="install ray"),
        joblib_backend("ray", 2, None),
    ):
        pass


@pytest.mark.slow
def test_a_teacher_that_is_no_network(tmp_path):
    rows = run(tmp_path, methods=["ce", "tsd"], teacher="minirocket")
    assert rows["error"].fillna("").tolist() == ["", ""]
    of_teacher = json.loads(rows["settings"][0])["teacher"]
    assert of_teacher["MiniRocketMultivariate__num_kernels"] == 10000
    assert of_teacher["classifier__logisticregression__max_iter"] == 1000
    assert rows["parameters_teacher"].isna().all()
    again = run(tmp_path, methods=["ce", "tsd"], teacher="minirocket")
    assert again["fit_seconds"].tolist() == rows["fit_seconds"].tolist()  # read, not run again


# -- methods and protocols -------------------------------------------------------------


@pytest.mark.parametrize("teacher", sorted(TEACHERS))
def test_settings_are_the_same_in_every_process(tmp_path, teacher):
    options = make_options(ResultFile(tmp_path / "results.csv"), teacher=teacher)
    assert "0x" not in json.dumps(_plan.settings("tsd", options))


def test_series_without_labels_are_for_the_methods_that_say_so(tmp_path):
    rows = run(tmp_path, methods=["tsd", "tsd+unlabelled"], unlabelled_share=0.4)
    assert rows["error"].fillna("").tolist() == ["", ""]
    assert rows["n_train"].tolist() == [12, 12]  # of 20
    assert rows["kl_divergence"].nunique() == 2
    settings = [json.loads(text) for text in rows["settings"]]
    assert {of_row["run"]["unlabelled_share"] for of_row in settings} == {0.4}
    assert "SoftTargets" in str(settings[1]["transfer"]["distillation"])
    with pytest.raises(ValueError, match=r"tsd\+unlabelled.*unlabelled_share=0"):
        run(tmp_path / "other", methods=["tsd+unlabelled"])
    with pytest.raises(ValueError, match="unlabelled_share == 1"):
        run(tmp_path / "other", unlabelled_share=1)
    with pytest.raises(ValueError, match=r"ce\+unlabelled"):
        BenchmarkMethod("ce+unlabelled")


def test_settings_of_a_method():
    method = BenchmarkMethod("TSD+KD: window=0.2, kd.weight=0.1, perturbation=Zero")
    assert method.name == "kd+tsd:kd.weight=0.1,perturbation=Zero,window=0.2"
    assert BenchmarkMethod(method.name) == method
    classifier = method.classifier(None, SkorchClassifier("fcn"), n_windows=3, window=0.1)
    assert classifier.distillation == [KD(weight=0.1)]
    assert classifier.window == 0.2
    assert classifier.n_windows == 3
    assert classifier.perturbation == Zero()
    assert classifier.saliency_weight == SaliencyDistilledClassifier().saliency_weight
    method = BenchmarkMethod("fitnets:fitnets.hint_share=None,student__lr=0.1")
    classifier = method.classifier(None, SkorchClassifier("fcn"))
    assert classifier.saliency_weight == 0
    assert classifier.distillation == [FitNets(hint_share=None)]
    assert classifier.student.lr == 0.1
    assert BenchmarkMethod("ce:student__lr=0.1").classifier(None, SkorchClassifier()).lr == 0.1
    method = BenchmarkMethod("ce:student__network_params={'filters': (4,), 'kernel_sizes': (3,)}")
    params = method.classifier(None, SkorchClassifier()).network_params
    assert params == {"filters": (4,), "kernel_sizes": (3,)}


def test_older_spellings_of_settings_mean_the_same():
    method = BenchmarkMethod("tsd:top_n=2,temperature=4")
    top_n = current_spelling("top_n")
    assert method.settings == {TEMPERATURE: 4, top_n: 2}
    assert method == BenchmarkMethod(f"tsd:{TEMPERATURE}=4,{top_n}=2")
    params = method.classifier(None, SkorchClassifier("fcn")).get_params(deep=False)
    assert (params[TEMPERATURE], params[top_n]) == (4, 2)
    with pytest.raises(ValueError, match="twice"):
        BenchmarkMethod(f"tsd:temperature=4,{TEMPERATURE}=4")
    # the temperature of a term keeps its name
    assert BenchmarkMethod("kd:kd.temperature=4").terms == [KD(temperature=4)]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("resnet", "'resnet'"),
        ("tsd:temprature=4", "'temprature'.*: bank_size"),
        ("kd:temperature=4", "temperature'.*method"),
        ("kd:saliency_weight=4", "'saliency_weight'.*method"),
        ("tsd:teacher=lstm", "'teacher'.*method"),
        ("tsd:window=5,window=3", "window"),
        ("ce:student__random_state=3", "'random_state'"),
        ("tsd:student__lrr=3", "'lrr'"),
        ("tsd:temperature=-1", "temperature"),
        ("kd:kd.wait=1", "wait.*kd.weight, kd.temperature"),
        ("tsd:kd.weight=1", "kd.weight"),
        ("kd:kd.weight=-1", "weight"),
        ("tsd:temperature", "name=value"),
        ("ce:temperature=4", "temperature'.*student__lr"),
    ],
)
def test_methods_that_are_not_known_are_refused(name, said):
    with pytest.raises(ValueError, match=said):
        BenchmarkMethod(name)


def test_soft_targets_on_copies():
    torch.manual_seed(0)
    student, teacher = (Outputs(torch.randn(4, 3), torch.randn(4, 5, 3)) for _ in range(2))
    loss = KDOnCopies(temperature=2.0).build()(student, teacher, None)
    total = 0.0
    for i in range(4):
        pairs = [(student.logits[i], teacher.logits[i])]
        pairs += list(zip(student.perturbed_logits[i], teacher.perturbed_logits[i], strict=True))
        for z, target in pairs:
            p, q = np.exp(target.numpy() / 2), np.exp(z.numpy() / 2)
            p, q = p / p.sum(), q / q.sum()
            total += 4 * (p * np.log(p / q)).sum() / (4 * 6)
    np.testing.assert_allclose(loss.item(), total, rtol=1e-5)


def test_controls_are_what_they_say():
    assert set(CONTROLS) == {"kd_copies", "random_tsd"}
    classifier = BenchmarkMethod("kd_copies").classifier(None, SkorchClassifier("fcn"))
    assert classifier.saliency_weight == 0
    assert classifier.distillation == [KDOnCopies()]
    both = BenchmarkMethod("tsd+kd_copies:kd_copies.weight=0.3")
    classifier = both.classifier(None, SkorchClassifier("fcn"))
    assert classifier.saliency_weight == 1
    assert classifier.distillation == [KDOnCopies(weight=0.3)]
    assert both.title == "KD on copies + TSD (kd_copies.weight=0.3)"
    with pytest.raises(ValueError, match="'kd_copies'"):
        BenchmarkMethod("kd_copies+dkd")
    assert BenchmarkMethod("random_tsd").permutes_labels
    assert not BenchmarkMethod("tsd").permutes_labels


def test_the_published_protocol_picks_the_weight_on_the_validation_split(tmp_path, monkeypatch):
    tried = []
    to_choose_on = _unit._Work._to_choose_on

    def spy(self, classifier, data):
        kept = to_choose_on(self, classifier, data)
        score = macro_auc_prc(kept[1], classifier.predict_proba(kept[0]), classifier.classes_)
        weight = (classifier.saliency_weight, *(term.weight for term in classifier.distillation))
        tried.append((len(kept[0]), weight, score))
        return kept

    monkeypatch.setattr(_unit._Work, "_to_choose_on", spy)
    options = {"protocol": "paper", "methods": ["ce", "kd", "kd+tsd"]}
    rows = run(tmp_path, **options).set_index("method")
    assert (rows["status"] == "ok").all(), rows["error"].tolist()
    assert np.isnan(rows.loc["ce", "chosen_weight"])
    assert {n for n, _, _ in tried} == {4}  # a fifth of 20: the student's validation split
    weights = PROTOCOLS["paper"].weights
    of_kd, of_both = tried[:5], tried[5:]
    assert [weight for _, weight, _ in of_kd] == [(0, weight) for weight in weights]
    assert [weight for _, weight, _ in of_both] == [(weight, 1.0) for weight in weights]
    for name, found in (("kd", of_kd), ("kd+tsd", of_both)):
        best = np.argmax([score for _, _, score in found])
        assert rows.loc[name, "chosen_weight"] == weights[best]
    assert (rows["weight_chosen_on"] == "validation").all()
    with pytest.raises(ValueError, match=r"run\.weight_chosen_on"):
        run(tmp_path, weight_chosen_on="test", **options)
    with pytest.raises(ValueError, match="evaluated_on"):
        run(tmp_path, weight_chosen_on="test", evaluated_on="validation", **options)
    other = run(tmp_path / "test", **options | {"methods": ["kd"], "weight_chosen_on": "test"})
    assert (other["weight_chosen_on"] == "test").all()
    assert tried[-1][0] == 22


def test_the_validation_split_is_the_students_own():
    X, y = load_dataset("UnitTest", split="train")
    seen = []

    class Student(SkorchClassifier):
        def _train(self, classes, fresh, training_set, valid_set, **settings):
            seen.append(valid_set.X.numpy())
            super()._train(classes, fresh, training_set, valid_set, **settings)

    student = Student("fcn", {"filters": (2,), "kernel_sizes": (3,)}, max_epochs=1)
    student.set_params(validation_fraction=0.2, patience=5, random_state=3)
    classifier = SaliencyDistilledClassifier(
        SkorchClassifier("fcn", {"filters": (2,), "kernel_sizes": (3,)}, max_epochs=1),
        student,
        random_state=3,
    ).fit(X, y)
    work = _unit._Work(
        _plan.Unit("UnitTest", 3, ()), make_options(ResultFile("r"), protocol="paper")
    )
    X_kept, _ = work._to_choose_on(classifier, _unit.Data(X, y, None, None, None))
    np.testing.assert_array_equal(seen[-1], X_kept.astype(np.float32))


@pytest.mark.parametrize(("protocol", "step"), [("paper", "epoch"), ("authors", "batch")])
def test_the_published_schedule_halves_the_learning_rate(protocol, step):
    X, y = load_dataset("UnitTest", split="train")
    student = PROTOCOLS[protocol].make_student("lstm", "cpu", 30)
    student.set_params(random_state=0, batch_size=8).fit(X, y)  # 2 batches in an epoch
    n_steps = np.arange(1, 31) * (1 if step == "epoch" else 2)
    expected = 5e-3 * 0.5 ** np.sum([n_steps > m for m in (25, 30, 35)], axis=0)
    np.testing.assert_allclose([row["lr"] for row in student.history_], expected)


def test_the_published_protocol_shortens_long_series():
    X = np.arange(301.0)[None, None]
    np.testing.assert_allclose(
        PROTOCOLS["paper"].prepare(X)[0, 0], np.linspace(0, 300, 100), rtol=1e-6
    )
    assert PROTOCOLS["paper"].prepare(X[..., :50]).shape == (1, 1, 50)
    assert PROTOCOLS["default"].prepare(X) is X


# -- what is refused -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"datasets": ["Nowhere"]}, "'Nowhere'"),
        ({"datasets": []}, "data sets"),
        ({"seeds": iter(())}, "seeds"),
        ({"seeds": [2**32]}, "seed"),
        ({"data_dir": "/nowhere"}, "/nowhere"),
        ({"protocol": "mine"}, "protocol"),
        ({"teacher": "resnet"}, "teacher"),
        ({"student": "resnet"}, "student"),
        ({"backend": "threads"}, "backend"),
        ({"n_workers": 0}, "n_workers"),
        ({"seeds": [-1]}, "seed"),
        ({"teacher": "minirocket", "methods": ["fitnets"]}, "features"),
        ({"scheduler": "tcp://127.0.0.1:1"}, "scheduler"),
        ({"weight_chosen_on": "test"}, "weight_chosen_on.*'test'|weight_chosen_on=.test."),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_is(tmp_path, options, said):
    with pytest.raises(ValueError, match=said):
        run(tmp_path, **options)


def test_other_files_are_left_alone(tmp_path):
    path = tmp_path / "results.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match=r"results\.csv"):
        run(tmp_path)
    assert path.read_text() == "a,b\n1,2\n"
    path.write_text("")
    with pytest.raises(ValueError, match=r"results\.csv"):
        run(tmp_path)


def test_errors_of_the_command_take_one_line(tmp_path, capsys):
    out = str(tmp_path / "r.csv")
    with pytest.raises(SystemExit) as stopped:
        command.main(["run", "--out", out, "--datasets", "Nowhere"])
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "Nowhere" in said
    assert "GunPoint" in said
