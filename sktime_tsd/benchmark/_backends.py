"""Joblib backends that a benchmark can run on."""

import importlib.util
from contextlib import contextmanager

import joblib

__all__ = ["BACKENDS", "joblib_backend"]

BACKENDS = ("loky", "dask", "ray")

_ONE_BY_ONE = "generator_unordered"

# Failures after which Dask gives a task up: never. A unit whose process keeps dying gives up by
# itself. If Dask did it, tasks that merely waited on that worker would be lost too, and joblib
# would wait for them for ever.
_NEVER = 10**6

_NEEDS = {"dask": "distributed", "ray": "ray"}


@contextmanager
def joblib_backend(backend, n_workers, scheduler):
    """Make joblib use a backend.

    Parameters
    ----------
    backend : {"loky", "dask", "ray"}
    n_workers : int
        Processes to start, unless a cluster is running.
    scheduler : str or None
        Address of a running cluster.

    Yields
    ------
    n_jobs : int
        Argument of ``joblib.Parallel``, like `return_as`.
    return_as : str
        "generator_unordered", so that results arrive one by one, or "list" for a backend
        that returns them all at the end.

    Raises
    ------
    ValueError
        If `scheduler` is given for "loky", which has none.
    ImportError
        If the backend's library is not installed.
    """
    needed = _NEEDS.get(backend)
    if needed is not None and importlib.util.find_spec(needed) is None:
        raise ImportError(f'backend "{backend}" needs {needed}: pip install {needed}')
    if backend == "loky":
        if scheduler is not None:
            raise ValueError(f'scheduler={scheduler!r} needs backend "dask" or "ray", got "loky"')
        with joblib.parallel_config("loky"):
            yield n_workers, _ONE_BY_ONE
    elif backend == "dask":
        yield from _dask(n_workers, scheduler)
    else:
        yield from _ray(n_workers, scheduler)


def _dask(n_workers, scheduler):
    from distributed import Client, LocalCluster

    cluster = scheduler
    if scheduler is None:
        cluster = LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            dashboard_address=":0",
            processes=True,
            scheduler_kwargs={"allowed_failures": _NEVER},
        )
    try:
        with Client(cluster) as client, _patient(client), joblib.parallel_config("dask"):
            yield -1, _ONE_BY_ONE
    finally:
        if scheduler is None:
            cluster.close()


@contextmanager
def _patient(client):
    """Let a running cluster give up no task of a worker that dies; see `_NEVER`."""

    def set_failures(value, dask_scheduler=None):  # not importable there: sent with its code
        former, dask_scheduler.allowed_failures = dask_scheduler.allowed_failures, value
        return former

    try:
        former = client.run_on_scheduler(set_failures, _NEVER)
    except Exception:  # a cluster may forbid it; it then keeps its own number
        yield
        return
    try:
        yield
    finally:
        client.run_on_scheduler(set_failures, former)


def _ray(n_workers, scheduler):
    import ray
    from ray.util.joblib import register_ray

    if scheduler is None:
        ray.init(num_cpus=n_workers, include_dashboard=False)
    else:
        ray.init(address=scheduler)
    try:
        register_ray()
        with joblib.parallel_config("ray"):
            yield (n_workers if scheduler is None else -1), "list"
    finally:
        ray.shutdown()
