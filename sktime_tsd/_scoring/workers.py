"""Calls of a classifier, here or in the processes that joblib offers."""

import hashlib
import itertools
import pickle
import traceback
from dataclasses import dataclass, fields

import cloudpickle
import joblib
import numpy as np
import torch
from joblib.parallel import get_active_backend

from sktime_tsd._scoring.chunks import series_of
from sktime_tsd._utils.silence import silenced

__all__ = ["answers_of"]

# Calls per worker in each round of a backend that returns all results together.
_CALLS_PER_ROUND = 4

# Fields of a bank that travel as arrays of their own.
_ARRAYS = ("starts", "donors", "pool")

# What this process has unpickled, by digest: one classifier at a time.
_UNPICKLED = {}


@dataclass(frozen=True)
class _Failure:
    """An error of a worker's, in place of answers.

    Raised there, it would make joblib drop the answers of others that have not been read.
    """

    error: Exception
    traceback: str


class _TracebackOfWorkerError(Exception):
    def __str__(self):
        return f"\n{self.args[0]}"


def answers_of(scorer, X, bank, calls, n_jobs):
    """Yield the answers to each call as they come, in any order.

    Every call is made in the same way, wherever it is made, so the answers are equal bit for
    bit. A scorer with a network is asked here, and so is every scorer where joblib's backend uses
    threads: guests change generators that all threads share.

    Parameters
    ----------
    scorer : Scorer
    X : torch.Tensor of shape (n_instances, n_channels, n_timepoints), float32
    bank : WindowBank or None
    calls : list of list of Chunk
    n_jobs : int or None
        As for ``joblib.Parallel``.

    Yields
    ------
    call : list of Chunk
    logits : numpy.ndarray of shape (n_series, n_classes), float32

    Raises
    ------
    TypeError
        If there are several workers and the classifier cannot be pickled.
    """
    backend, _ = get_active_backend()
    uses_threads = getattr(backend, "uses_threads", False)
    n_workers = 1 if uses_threads else joblib.effective_n_jobs(n_jobs)
    if n_workers == 1 or len(calls) < 2 or scorer.network is not None:
        for call in calls:
            yield call, _answers(scorer, X, bank, call)
        return
    failures = []
    tasks = itertools.takewhile(lambda _: not failures, _tasks(scorer, X, bank, calls))
    # copies in memory of what a worker changes; what it only reads is shared
    options = {"n_jobs": n_jobs, "batch_size": 1, "mmap_mode": "c"}
    if backend.supports_return_generator:
        parallel = joblib.Parallel(return_as="generator_unordered", **options)
        results = parallel(tasks)
    else:
        results = _in_rounds(tasks, n_workers, options)
    for position, answers in results:
        if isinstance(answers, _Failure):
            failures.append(answers)  # no more calls are made; those under way are waited for
        else:
            yield calls[position], answers
    if failures:
        raise failures[0].error from _TracebackOfWorkerError(failures[0].traceback)


def _answers(scorer, X, bank, call):
    logits = scorer.logits(series_of(call, X, bank)).float().numpy()
    n_series = sum(chunk.n_series for chunk in call)
    if len(logits) != n_series:
        raise ValueError(f"{scorer.name} returned {len(logits)} rows for {n_series} series.")
    return logits


def _in_rounds(tasks, n_workers, options):
    tasks = iter(tasks)
    while some := list(itertools.islice(tasks, _CALLS_PER_ROUND * n_workers)):
        yield from joblib.Parallel(**options)(some)


def _tasks(scorer, X, bank, calls):
    """Make joblib's tasks: one for each call, with indices alone.

    Arrays are arguments of their own: joblib writes each to disk once for all processes of this
    machine, or sends it to each worker of a cluster once.
    """
    pickled = _pickled(scorer, bank)
    digest = hashlib.sha256(pickled).hexdigest()
    X_array = X.numpy()
    arrays = [X_array, None, None, None]
    if bank is not None:
        arrays[1] = bank.starts.numpy()
    if bank is not None and bank.donors is not None:
        arrays[2] = bank.donors.numpy()
        arrays[3] = X_array if bank.pool is X else bank.pool.numpy()
    for position, call in enumerate(calls):
        yield joblib.delayed(_answers_of_worker)(position, call, digest, pickled, *arrays)


def _pickled(scorer, bank):
    rest = None
    if bank is not None:
        others = [field.name for field in fields(bank) if field.name not in _ARRAYS]
        rest = type(bank), {name: getattr(bank, name) for name in others}
    try:
        pickled = cloudpickle.dumps((scorer, rest))
    except Exception as error:  # pickling fails in many ways
        raise TypeError(
            f"{scorer.name} cannot be pickled, so no other process can ask it. Pass n_jobs=1 to "
            f"ask it in this one. ({error})"
        ) from error
    return np.frombuffer(pickled, dtype=np.uint8)


def _answers_of_worker(position, call, digest, pickled, X, starts, donors, pool):
    """Answer a call in a worker."""
    # a classifier's own parallel calls would start more processes, or wait for this one
    with joblib.parallel_config("sequential"):
        if digest not in _UNPICKLED:
            _UNPICKLED.clear()
            _UNPICKLED[digest] = pickle.loads(pickled.tobytes())
        scorer, rest = _UNPICKLED[digest]
        X, starts, donors, pool = map(_tensor, (X, starts, donors, pool))
        bank = None
        if rest is not None:
            kind, others = rest
            bank = kind(starts=starts, donors=donors, pool=pool, **others)
        try:
            return position, _answers(scorer, X, bank, call)
        except Exception as error:
            if not _travels(error):
                error = RuntimeError(f"{type(error).__name__}: {error}")
            return position, _Failure(error, traceback.format_exc())


def _tensor(array):
    if array is None:
        return None
    with silenced(".*not writable", UserWarning):  # nobody writes into it
        return torch.from_numpy(array)


def _travels(error):
    """Tell whether an error arrives in another process as it is."""
    try:
        return type(pickle.loads(pickle.dumps(error))) is type(error)
    except Exception:
        return False
