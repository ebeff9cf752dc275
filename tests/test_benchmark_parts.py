"""What lies in the parts folder of a benchmark and is no row spoils nothing."""

import json
import os
import signal
import threading
import time

import pandas as pd
import pytest

from sktime_tsd.benchmark import _plan, run_benchmark
from sktime_tsd.benchmark._parts import parts_folder
from sktime_tsd.benchmark._results import KEY, ResultFile, read_results, write_part


def options(results):
    return _plan.RunOptions(
        protocol="default",
        teacher="inception_time",
        student="fcn",
        evaluated_on="test",
        data_dir=None,
        archive="",
        device="cpu",
        threads=1,
        saliency_instances=3,
        removal=False,
        latency=False,
        weight_chosen_on="",
        max_epochs=2,
        cache=None,
        parts=str(results.parts),
    )


def sound(results, seed):
    return _plan.failed_row(_plan.Unit("UnitTest", seed, ("ce",)), "ce", options(results), "as if")


def changed(row, **entries):
    return json.dumps(row | entries)


WRONG = {
    "empty": lambda row: "",
    "half": lambda row: json.dumps(row)[:50],
    "list": lambda row: "[]",
    "number": lambda row: "3",
    "null": lambda row: "null",
    "other": lambda row: '{"a": 1}',
    "list of rows": lambda row: json.dumps([row]),
    "nested": lambda row: changed(row, accuracy_student=[0.5]),
    "dict": lambda row: changed(row, dataset={"name": "UnitTest"}),
    "no seed": lambda row: json.dumps({k: v for k, v in row.items() if k != "seed"}),
    "seed": lambda row: changed(row, seed="many"),
    "no number": lambda row: changed(row, n_train="few"),
    "infinite": lambda row: changed(row, fit_seconds=float("inf")),
    "status": lambda row: changed(row, status="fine"),
    "method": lambda row: changed(row, method="magic"),
    "settings": lambda row: changed(row, settings="{"),
    "columns": lambda row: changed(row, **{"<script>": 1}),
    "deep": lambda row: "[" * 100_000,
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_no_row_is_named_and_set_aside(kind, tmp_path):
    said = []
    results = ResultFile(tmp_path / "results.csv", said.append)
    results.open()
    results.collect([sound(results, 0)])
    write_part(results.parts, sound(results, 1))
    text = WRONG[kind](sound(results, 2))
    (results.parts / "0.json").write_text(text)
    results.collect()
    assert sorted(results.rows["seed"]) == [0, 1]
    assert len(said) == 1
    assert str(results.parts / "0.json") in said[0]
    aside = tmp_path / "results.csv.set-aside"
    assert [path.read_text() for path in aside.iterdir()] == [text]
    assert str(next(aside.iterdir())) in said[0]
    write_part(results.parts, sound(results, 3))
    results.close()
    rows = read_results(results.path)
    assert sorted(rows["seed"]) == [0, 1, 3]
    assert not results.parts.exists()


def test_other_files_and_folders_are_set_aside_too(tmp_path):
    said = []
    results = ResultFile(tmp_path / "results.csv", said.append)
    results.parts.mkdir()
    write_part(results.parts, sound(results, 1))
    (results.parts / "thesis.txt").write_text("years of work")
    (results.parts / "folder.json").mkdir()
    (results.parts / "UnitTest-0.running").write_text("started\n")
    (results.parts / "x.json.part").write_text("{")
    (results.parts / "latin.json").write_bytes(b"\xff")
    results.open()
    assert list(results.parts.iterdir()) == []
    assert results.rows["seed"].tolist() == [1]
    aside = {path.name for path in (tmp_path / "results.csv.set-aside").iterdir()}
    assert aside == {"thesis.txt", "folder.json", "latin.json"}
    assert len(said) == 3
    results.close()


def test_names_set_aside_twice_are_both_kept(tmp_path):
    results = ResultFile(tmp_path / "results.csv")
    results.open()
    for text in ("1", "2"):
        (results.parts / "0.json").write_text(text)
        with pytest.warns(UserWarning, match=r"0\.json is not the row of a run"):
            results.collect()
    aside = (tmp_path / "results.csv.set-aside").iterdir()
    assert sorted(path.read_text() for path in aside) == ["1", "2"]


def test_rows_of_every_kind_are_rows(tmp_path):
    """A finished run, with numbers that were not measured."""
    results = ResultFile(tmp_path / "results.csv", pytest.fail)
    results.open()
    names = ("accuracy_teacher", "accuracy_student", "auc_prc_student", "top_1_agreement")
    measured = dict.fromkeys(names, 0.5) | {"kl_divergence": 0.1, "latency_1_student": None}
    row = sound(results, 0) | {"status": "ok", "error": "", "chosen_weight": float("nan")}
    write_part(results.parts, row | measured)
    write_part(results.parts, sound(results, 1))
    results.close()
    rows = read_results(results.path)
    assert rows["status"].tolist() == ["failed", "ok"] or rows["status"].tolist() == [
        "ok",
        "failed",
    ]
    assert not rows.duplicated(list(KEY)).any()
    assert pd.isna(rows.set_index("status").loc["ok", "latency_1_student"])


@pytest.mark.slow
def test_a_killed_worker_of_a_running_dask_cluster_loses_no_unit(tmp_path):
    """Units that were running start again; the cluster gives up none, and is as before."""
    distributed = pytest.importorskip("distributed", reason="the extra is not installed")
    out = tmp_path / "results.csv"
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        dashboard_address=":0",
        scheduler_kwargs={"allowed_failures": 0},
    ) as cluster:
        with distributed.Client(cluster) as client:
            pids = list(client.run(os.getpid).values())

        def kill():
            while not list(parts_folder(out).glob("*.running")):
                time.sleep(0.01)
            os.kill(pids[0], signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        rows = run_benchmark(
            ["UnitTest"],
            ["ce"],
            range(4),
            teacher="lstm",
            max_epochs=3,
            saliency_instances=2,
            removal=False,
            latency=False,
            backend="dask",
            scheduler=cluster.scheduler_address,
            out=out,
            report=lambda line: None,
        )
        killer.join()
        assert cluster.scheduler.allowed_failures == 0
    assert (rows["status"] == "ok").all()
    assert sorted(rows["seed"]) == [0, 1, 2, 3]
