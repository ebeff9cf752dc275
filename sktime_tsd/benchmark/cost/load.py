"""``python -m sktime_tsd.benchmark.cost.load``: load test of threads that share one model."""

import pickle
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import psutil

from sktime_tsd.benchmark.cost._options import add_number, cost_parser, torch_threads
from sktime_tsd.classifier import SkorchClassifier
from sktime_tsd.datasets import load_dataset
from sktime_tsd.export import to_onnx
from sktime_tsd.runtime import OnnxClassifier

__all__ = ["load_test", "main"]

# Share of the predictions that warm up; after it, memory must not grow.
_WARM = 0.2


def load_test(model, X, *, n_threads, n_predictions):
    """Let threads share a model, each predicting one series at a time.

    Parameters
    ----------
    model : fitted classifier
        Has ``predict_proba``.
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
    n_threads, n_predictions : int

    Returns
    -------
    found : dict
        ``predictions``; ``different``, how many differ from those of a single thread;
        ``growth MB``, of the process's memory after the first fifth; ``per second``.
    """
    expected = [model.predict_proba(x[np.newaxis]) for x in X]

    def ask(i):
        answer = model.predict_proba(X[i % len(X)][np.newaxis])
        return not np.array_equal(answer, expected[i % len(X)])

    process = psutil.Process()
    n_warm = int(_WARM * n_predictions)
    start = time.perf_counter()
    with ThreadPoolExecutor(n_threads) as pool:
        n_different = _count(pool, ask, range(n_warm))
        warm = process.memory_info().rss
        n_different += _count(pool, ask, range(n_warm, n_predictions))
    return {
        "predictions": n_predictions,
        "different": n_different,
        "growth MB": (process.memory_info().rss - warm) / 1e6,
        "per second": n_predictions / (time.perf_counter() - start),
    }


def _count(pool, ask, places):
    """Count true answers, a few thousand at a time, so that results do not pile up."""
    chunks = [places[i : i + 4000] for i in range(0, len(places), 4000)]
    return sum(sum(pool.map(ask, chunk)) for chunk in chunks)


def main(arguments=None):
    """Print the results.

    Parameters
    ----------
    arguments : list of str, optional
        Default: the command line's.
    """
    parser = cost_parser(
        "load",
        "Let threads share one OnnxClassifier, then one estimator from a pickle, each predicting "
        "one series at a time. Every answer is compared bit for bit with a single thread's, and "
        "memory is watched.",
    )
    add_number(parser, "--predictions", 100_000, "predictions in total")
    add_number(parser, "--threads", 8, "threads that share the model; torch has one")
    options = parser.parse_args(arguments)
    X, y = load_dataset("GunPoint", split="train")
    X_test, _ = load_dataset("GunPoint", split="test")
    with torch_threads(1), tempfile.TemporaryDirectory() as folder:
        student = SkorchClassifier("fcn", {"filters": (8, 16, 8)}, max_epochs=20, random_state=0)
        student.fit(X, y)
        onnx = OnnxClassifier(to_onnx(student, Path(folder) / "student.onnx", X))
        models = {"OnnxClassifier": onnx, "estimator": pickle.loads(pickle.dumps(student))}
        test = partial(
            load_test,
            X=X_test,
            n_threads=options.threads,
            n_predictions=options.predictions // len(models),
        )
        for name, model in models.items():
            found = test(model)
            print(f"{name}: " + ", ".join(f"{value:,.0f} {key}" for key, value in found.items()))


if __name__ == "__main__":
    main()
