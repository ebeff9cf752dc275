"""``python -m sktime_tsd.benchmark.cost.deployment``: cost of networks in production."""

import pickle
import subprocess
import sys
import tempfile
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from sktime_tsd.benchmark.cost._options import add_csv, add_number, cost_parser, torch_threads
from sktime_tsd.benchmark.cost._timing import seconds
from sktime_tsd.classifier import SkorchClassifier
from sktime_tsd.datasets import load_dataset
from sktime_tsd.export import load_model, save_model, to_onnx
from sktime_tsd.networks import FCN, LITE, LSTM, InceptionTime, n_parameters
from sktime_tsd.runtime import OnnxClassifier

__all__ = ["main"]

# Title, class and settings.
NETWORKS = (
    ("teacher: InceptionTime, 32 filters, depth 6", InceptionTime, {}),
    ("teacher: InceptionTime, 16 filters, depth 3", InceptionTime, {"n_filters": 16, "depth": 3}),
    ("teacher: LSTM 3 x 100", LSTM, {}),
    ("LITE", LITE, {}),
    ("student: FCN 8-16-8", FCN, {"filters": (8, 16, 8)}),
    ("student: LSTM 16", LSTM, {"hidden_size": 16, "num_layers": 1}),
)
BATCH_SIZES = (1, 256)

# What a new process must run before its first prediction.
_START = {
    "pickle": "import pickle; model = pickle.load(open(sys.argv[1], 'rb'))",
    "safetensors": "from sktime_tsd import load_model; model = load_model(sys.argv[1])",
    "onnx": "from sktime_tsd.runtime import OnnxClassifier; model = OnnxClassifier(sys.argv[1])",
}


def _load_pickle(path):
    return pickle.loads(path.read_bytes())


def _forms(classifier, X, folder):
    """Write a classifier in each form; yield title, kind, path and loader."""
    pickled = folder / "model.pkl"
    pickled.write_bytes(pickle.dumps(classifier))
    yield "torch, pickle", "pickle", pickled, _load_pickle
    safe = save_model(classifier, folder / "model")
    yield "torch, safetensors", "safetensors", safe, partial(load_model, device="cpu")
    full = to_onnx(classifier, folder / "model.onnx", X)
    yield "onnxruntime", "onnx", full, OnnxClassifier
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rounded = to_onnx(classifier, folder / "int8.onnx", X, int8=True)
    if rounded.stat().st_size < full.stat().st_size:
        yield "onnxruntime, int8", "onnx", rounded, OnnxClassifier


def _bytes(path):
    files = path.iterdir() if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files)


def _first_answer(kind, path, shape):
    """Time a new process from its start to its first prediction."""
    code = f"import sys; {_START[kind]}; import numpy; model.predict(numpy.zeros({shape}))"
    return seconds(lambda: subprocess.run([sys.executable, "-c", code, str(path)], check=True))


def _measure(title, classifier, X, folder, n_calls, n_starts):
    forms = list(_forms(classifier, X, folder))
    models = [load(path) for _, _, path, load in forms]
    times = {(i, size): [] for i in range(len(forms)) for size in BATCH_SIZES}
    batches = {size: X[np.arange(size) % len(X)] for size in BATCH_SIZES}
    for call in range(n_calls + 1):
        for (i, size), found in times.items():
            took = seconds(partial(models[i].predict_proba, batches[size]))
            if call:  # the first warms up
                found.append(1000 * took)
    for i, (form, kind, path, load) in enumerate(forms):
        row = {
            "network": title,
            "weights": n_parameters(classifier.network_),
            "form": form,
            "kB": _bytes(path) / 1000,
            "load ms": 1000 * np.median([seconds(partial(load, path)) for _ in range(5)]),
            "first answer s": np.median(
                [_first_answer(kind, path, (1, *X.shape[1:])) for _ in range(n_starts)]
            ),
        }
        for size in BATCH_SIZES:
            p50, p99 = np.percentile(times[i, size], [50, 99])
            row |= {f"batch {size}, p50 ms": p50, f"batch {size}, p99 ms": p99}
        yield row


def main(arguments=None):
    """Print the table.

    Parameters
    ----------
    arguments : list of str, optional
        Default: the command line's.
    """
    parser = cost_parser(
        "deployment",
        "Measure file size, load time and latency of teachers and students, as estimators on "
        "torch and as ONNX files on onnxruntime, one thread each. The forms take turns, call by "
        "call.",
    )
    parser.add_argument(
        "--dataset",
        default="GunPoint",
        help="a data set bundled with sktime (default: %(default)s)",
    )
    add_number(parser, "--calls", 300, "calls for each form and batch size")
    add_number(parser, "--starts", 3, "new processes for each form")
    add_csv(parser)
    options = parser.parse_args(arguments)
    try:
        X, y = load_dataset(options.dataset, split="test")
    except ValueError as error:
        parser.error(f"--dataset: {error}")
    classes = np.unique(y)
    rows = []
    # one thread, like onnxruntime
    with torch_threads(1), tempfile.TemporaryDirectory() as folder:
        for i, (title, network, params) in enumerate(NETWORKS):
            torch.manual_seed(0)
            classifier = SkorchClassifier.from_module(
                network(*X.shape[1:], len(classes), **params),
                classes,
                network_params=params,
                input_shape=X.shape[1:],
                device="cpu",
            )
            own = Path(folder) / str(i)
            own.mkdir()
            rows += _measure(title, classifier, X, own, options.calls, options.starts)
    table = pd.DataFrame(rows)
    if options.csv is not None:
        table.to_csv(options.csv, index=False)
    print("| " + " | ".join(table.columns) + " |")
    print("|---" * len(table.columns) + "|")
    for row in table.itertuples(index=False):
        cells = [f"{cell:,.2f}" if isinstance(cell, float) else f"{cell}" for cell in row]
        print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
