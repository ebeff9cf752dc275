"""Run data sets x methods x seeds on a joblib backend; write one row per run."""

import itertools
import json
import sys
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path

import joblib
import sktime
from filelock import FileLock, Timeout

from sktime_tsd._cli.models import STUDENTS, TEACHERS, check_teacher_name
from sktime_tsd._utils.validation import check_choice, check_number, resolve_device
from sktime_tsd.benchmark._backends import BACKENDS, joblib_backend
from sktime_tsd.benchmark._benchmark_method import BenchmarkMethod
from sktime_tsd.benchmark._made_data import MADE, check_made, cue_of
from sktime_tsd.benchmark._plan import (
    DIED,
    MOST_STARTS,
    RunOptions,
    Unit,
    failed_row,
    incomparable_settings,
    n_starts,
    settings,
)
from sktime_tsd.benchmark._protocols import PROTOCOLS
from sktime_tsd.benchmark._results import ResultFile, differing_settings, parts_folder
from sktime_tsd.benchmark._unit import run_unit
from sktime_tsd.datasets import available_datasets

__all__ = ["run_benchmark"]

_MOST_SEED = 2**32 - 1


def run_benchmark(
    datasets,
    methods,
    seeds,
    *,
    out,
    data_dir=None,
    archive=None,
    protocol="default",
    teacher=None,
    student=None,
    evaluated_on="test",
    weight_chosen_on="validation",
    saliency_instances=50,
    removal=True,
    held_out=True,
    latency=True,
    max_epochs=None,
    unlabelled_share=0.0,
    backend="loky",
    n_workers=1,
    scheduler=None,
    device="cpu",
    threads=1,
    cache=None,
    retry_failed=False,
    report=None,
):
    """Run every method on every data set with every seed.

    The unit of work is one data set with one seed: its teacher is fitted once for all methods.
    Each run adds a row to `out` as it ends. Runs that already have a row are skipped, so a
    benchmark that was stopped resumes where it left off. A failed run gives a row with its
    error.

    Parameters
    ----------
    datasets : sequence of str
        Data sets bundled with sktime, folders in `data_dir`, or keys of ``MADE``, whose evidence
        is known. With a strength after an @, such as "GunPoint@0.5", training series carry a cue
        that agrees with the label, and test series a random one; teachers are fitted without.
    methods : sequence of str
        See `BenchmarkMethod`.
    seeds : sequence of int
    out : path-like
        CSV file. New rows are added to the existing ones.
    data_dir : path-like, optional
        See `sktime_tsd.datasets.load_dataset`.
    archive : str, optional
        Version of the data, recorded in the rows. Default: sktime's version, or the name of
        the folder `data_dir`.
    protocol : {"default", "paper", "authors"}, default="default"
        "default": the classifiers' default settings, nothing is picked. "paper": the
        publication's settings, the weight picked on the validation split. "authors": the same
        as in the authors' code, which lowers the learning rate after batches, not epochs.
    teacher : str, optional
        "inception_time", "lstm", "minirocket", "forest", "interval_forest" or "neighbours".
        Default: set by the protocol.
    student : {"fcn", "lite", "lstm"}, optional
        Default: set by the protocol.
    evaluated_on : {"test", "validation"}, default="test"
        "validation" holds out a third of the training series and does not touch the test
        series: for choosing settings.
    weight_chosen_on : {"validation", "test"}, default="validation"
        For protocols that pick a weight. "test" is what the authors' code does: results look
        better than they are, and the rows say so.
    saliency_instances : int, default=50
        Saliency and removal are measured on at most this many series.
    removal, held_out, latency : bool, default=True
        Whether to measure these metrics; `held_out` are reasons by other explainers.
    max_epochs : int, optional
        Train every network for this many epochs, for a quick try. Default: set by the
        protocol.
    unlabelled_share : float, default=0.0
        Share of the training series, in [0, 1), whose labels are taken away. Teachers and
        students are trained on the rest; methods with ``+unlabelled`` use these series, too.
    backend : {"loky", "dask", "ray"}, default="loky"
    n_workers : int, default=1
        1 with "loky" runs in this process. Ignored with `scheduler`: all the cluster's workers
        are used.
    scheduler : str, optional
        Address of a running Dask or Ray cluster. Default: start one on this machine.
    device : str, default="cpu"
    threads : int, default=1
        Torch threads per worker.
    cache : path-like, optional
        Folder that keeps fitted teachers and their logits for later benchmarks with the same
        teachers. `fit_seconds` then excludes the time of what was found there.
    retry_failed : bool, default=False
        Whether to run failed runs again.
    report : callable, optional
        Called with a line of text on progress. Default: print to stderr.

    Returns
    -------
    rows : pandas.DataFrame
        The requested runs, as they are in the file now.

    Raises
    ------
    ValueError, TypeError, ImportError
        Before anything runs, if a parameter cannot be used or the file holds rows made with
        other settings.
    RuntimeError
        If another process is writing to `out`.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from sktime_tsd.benchmark import run_benchmark
    >>> rows = run_benchmark(
    ...     ["UnitTest"],
    ...     ["ce", "tsd"],
    ...     [0],
    ...     teacher="lstm",
    ...     max_epochs=5,
    ...     saliency_instances=4,
    ...     out=f"{mkdtemp()}/results.csv",
    ...     report=lambda line: None,
    ... )
    >>> rows["status"].tolist()
    ['ok', 'ok']
    """
    say = _to_stderr if report is None else report
    datasets, seeds = list(dict.fromkeys(datasets)), list(dict.fromkeys(seeds))
    methods = list(dict.fromkeys(BenchmarkMethod(method) for method in methods))
    check_choice("protocol", protocol, tuple(PROTOCOLS))
    teacher = PROTOCOLS[protocol].teacher if teacher is None else teacher
    student = PROTOCOLS[protocol].student if student is None else student
    check_choice("teacher", teacher, tuple(TEACHERS))
    check_choice("student", student, tuple(STUDENTS))
    check_choice("evaluated_on", evaluated_on, ("test", "validation"))
    check_choice("weight_chosen_on", weight_chosen_on, ("validation", "test"))
    if weight_chosen_on == "test" and not PROTOCOLS[protocol].weights:
        picking = " or ".join(f'"{name}"' for name in PROTOCOLS if PROTOCOLS[name].weights)
        raise ValueError(
            f'weight_chosen_on="test" needs protocol={picking}; "{protocol}" picks no weight'
        )
    if (weight_chosen_on, evaluated_on) == ("test", "validation"):
        raise ValueError(
            'weight_chosen_on="test" needs evaluated_on="test", got evaluated_on="validation"'
        )
    check_choice("backend", backend, BACKENDS)
    for name, number in (("n_workers", n_workers), ("threads", threads)):
        check_number(name, number, integer=True, low=1)
    check_number("max_epochs", max_epochs, integer=True, low=1, none_ok=True)
    check_number("saliency_instances", saliency_instances, integer=True, low=0)
    share = unlabelled_share
    check_number("unlabelled_share", share, low=0, high=1, boundaries="left")
    using = [method.name for method in methods if method.uses_unlabelled]
    if using and not share:
        raise ValueError(
            f"{', '.join(using)} needs series without labels, but unlabelled_share=0; take the "
            "labels of a share away, such as 0.3"
        )
    for seed in seeds:
        check_number("seed", seed, integer=True, low=0, high=_MOST_SEED)
    if scheduler is None:  # with one, the workers' machines have the device
        resolve_device(device)
    check_teacher_name(teacher, methods)
    _check_datasets(datasets, data_dir)
    for what, given in (("data sets", datasets), ("methods", methods), ("seeds", seeds)):
        if not given:
            raise ValueError(f"nothing to run: give at least one of the {what}")

    path = Path(out)
    if path.is_dir():
        raise ValueError(f"out: {path} is a folder; name a CSV file")
    options = RunOptions(
        protocol=protocol,
        teacher=teacher,
        student=student,
        evaluated_on=evaluated_on,
        data_dir=None if data_dir is None else str(Path(data_dir).resolve()),
        archive=_archive(data_dir) if archive is None else archive,
        device=str(device),
        threads=int(threads),
        saliency_instances=int(saliency_instances),
        removal=bool(removal),
        held_out=bool(held_out),
        latency=bool(latency),
        weight_chosen_on=weight_chosen_on if PROTOCOLS[protocol].weights else "",
        max_epochs=None if max_epochs is None else int(max_epochs),
        cache=None if cache is None else str(Path(cache).resolve()),
        parts=str(parts_folder(path).resolve()),
        unlabelled_share=float(share),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        # Keep the lock file: removing it could let two other processes in at once.
        with FileLock(f"{path}.lock", timeout=0):
            results = ResultFile(path, say)
            names = [method.name for method in methods]
            results.open()
            try:
                units = _units_to_run(results, datasets, names, seeds, options, retry_failed)
                n_runs = sum(len(unit.methods) for unit in units)
                n_all = len(datasets) * len(names) * len(seeds)
                say(f"{n_all - n_runs} of {n_all} runs are in {path}; {n_runs} left to do.")
                _run_all(units, options, results, say, backend, n_workers, scheduler)
            finally:
                results.close()
    except Timeout:
        raise RuntimeError(
            f"another process is writing to {path}; wait for it, or write to another file"
        ) from None
    rows = results.rows
    asked = rows["dataset"].isin(datasets) & rows["seed"].isin(seeds) & rows["method"].isin(names)
    for name in _SHARED:
        asked &= rows[name] == getattr(options, name)
    return rows[asked].reset_index(drop=True)


# Parts of a run's key that are options too.
_SHARED = ("protocol", "teacher", "student", "evaluated_on")


def _check_datasets(datasets, data_dir):
    if data_dir is not None and not Path(data_dir).is_dir():
        raise ValueError(f"data_dir: there is no folder {data_dir}")
    known = available_datasets(data_dir)
    for dataset in datasets:
        check_made(dataset)
    if not known:
        raise ValueError(
            f"data_dir: {data_dir} holds no data set; expected NAME/NAME_TRAIN.ts in it"
        )
    known = [*known, *MADE]
    unknown = [dataset for dataset in datasets if cue_of(dataset)[0] not in known]
    if unknown:
        raise ValueError(
            f"there is no data set {', '.join(map(repr, unknown))}; choose from {', '.join(known)}"
        )


def _to_stderr(line):
    print(line, file=sys.stderr, flush=True)


def _archive(data_dir):
    return f"sktime {sktime.__version__}" if data_dir is None else Path(data_dir).resolve().name


def _units_to_run(results, datasets, methods, seeds, options, retry_failed):
    """List the units, with the methods that have no row yet.

    Raises
    ------
    ValueError
        If an existing row was made with other settings.
    """
    known = {}
    for row in results.rows.to_dict("records"):
        if row["status"] == "failed" and retry_failed:
            continue
        if all(row[name] == getattr(options, name) for name in _SHARED):
            known[row["dataset"], int(row["seed"]), row["method"]] = row
    expected = {method: settings(method, options) for method in methods}
    units = []
    for seed, dataset in itertools.product(seeds, datasets):
        missing = []
        for method in methods:
            row = known.get((dataset, int(seed), method))
            if row is None:
                missing.append(method)
            else:
                _check_same(results.path, row, expected[method])
        if missing:
            units.append(Unit(dataset, int(seed), tuple(missing)))
    _check_comparable(results.path, known.values(), methods[0], expected[methods[0]])
    return units


def _check_comparable(path, rows, method, expected):
    """Refuse to mix methods in one file that cannot be compared."""
    ours = json.dumps(expected)
    for other, theirs in dict.fromkeys((row["method"], row["settings"]) for row in rows):
        differ = incomparable_settings(method, ours, other, theirs)
        if differ:
            raise ValueError(
                f"{path} holds rows of {other} made with other settings ({', '.join(differ)}): "
                "they cannot be compared with the new rows. Write to another file, or remove them."
            )


def _check_same(path, row, expected):
    """Refuse a row of the same run made with other settings."""
    differ = differing_settings(row["settings"], json.dumps(expected))
    if differ:
        raise ValueError(
            f"{path} holds a row of {row['method']} on {row['dataset']} made with other settings "
            f"({', '.join(differ)}). Write to another file, or remove that row."
        )


def _run_all(units, options, results, say, backend, n_workers, scheduler):
    """Run the units; run those whose worker died again."""
    waiting = {unit.name: unit for unit in units}
    n_units = len(waiting)

    def finish(name, rows):
        results.collect(rows)
        del waiting[name]
        n_failed = sum(row["status"] == "failed" for row in rows)
        failed = f", {n_failed} of them failed" if n_failed else ""
        say(f"[{n_units - len(waiting)}/{n_units}] {name}: {len(rows)} runs{failed}.")

    def run(batch, n_jobs, how):
        tasks = [joblib.delayed(_named)(unit, options) for unit in batch]
        for name, rows in joblib.Parallel(n_jobs, return_as=how, batch_size=1)(tasks):
            finish(name, rows)

    with joblib_backend(backend, n_workers, scheduler) as (n_jobs, how):
        while waiting:
            suspects = [u for u in waiting.values() if n_starts(u.mark(options)) == MOST_STARTS - 1]
            try:
                if suspects:  # run one alone, so that its death stops no other
                    run(suspects[:1], 2, how)
                else:
                    run(list(waiting.values()), n_jobs, how)
            except BrokenProcessPool:
                results.collect()
                _after_a_crash(waiting, options, results, say)


def _named(unit, options):
    return unit.name, run_unit(unit, options)


def _after_a_crash(waiting, options, results, say):
    """Recover from the death of a worker: its units start again, up to ``MOST_STARTS`` times.

    Any of the running units may have killed it. A unit that was running twice when a worker
    died runs alone next; if the worker dies again, the unit is given up.
    """
    began = [unit for unit in waiting.values() if n_starts(unit.mark(options))]
    if not began:  # no unit was running: the backend itself does not work
        raise RuntimeError(
            'the workers die before they start a run; backend="loky" with n_workers=1 runs in this '
            "process and shows why"
        )
    say("A worker died; the runs in progress start again.")
    rows = results.rows
    done = set(zip(rows["dataset"], rows["seed"], rows["method"], strict=True))
    for unit in list(waiting.values()):
        key = unit.dataset, unit.seed
        left = tuple(method for method in unit.methods if (*key, method) not in done)
        waiting[unit.name] = replace(unit, methods=left)
        if not left:
            del waiting[unit.name]
    for unit in began:
        mark = unit.mark(options)
        if n_starts(mark) >= MOST_STARTS and unit.name in waiting:
            unit = waiting.pop(unit.name)
            results.collect([failed_row(unit, method, options, DIED) for method in unit.methods])
            mark.unlink()
            say(f"{unit.name}: given up, {DIED}.")
