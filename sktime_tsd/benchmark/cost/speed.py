"""``python -m sktime_tsd.benchmark.cost.speed``: cost of distillation, as ratios with goals."""

import itertools
import subprocess
import sys
import tempfile
import warnings
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import numpy as np
import pandas as pd
import torch
from sklearn.frozen import FrozenEstimator

from sktime_tsd import SaliencyDistilledClassifier, SkorchClassifier
from sktime_tsd._training.batches import BatchIterator
from sktime_tsd._utils.random import seeded
from sktime_tsd.benchmark.cost._epochs import (
    BANK_SIZE,
    N_TIMEPOINTS,
    STUDENTS,
    WIDTH,
    epoch_seconds,
    noise,
    noise_training_set,
)
from sktime_tsd.benchmark.cost._floor import step_floor
from sktime_tsd.benchmark.cost._options import (
    add_csv,
    add_device,
    add_number,
    add_threads,
    cost_parser,
    torch_threads,
)
from sktime_tsd.benchmark.cost._plain import train_plainly
from sktime_tsd.benchmark.cost._timing import seconds, summary, turns, wait_for
from sktime_tsd.datasets import load_dataset
from sktime_tsd.networks import ScaledNetwork, build_network
from sktime_tsd.teachers._teacher import Teacher

__all__ = ["ROWS", "main"]

TEACHER = ("lstm", {"hidden_size": 100, "num_layers": 3})
# The cost of a bank is spread over this many epochs.
N_EPOCHS = 100
# TSD epoch / bare epoch: largest ratio for each batch size.
EPOCH_GOALS = {16: "<= 1.15", 32: "<= 1.10"}


def _network(kind, device):
    with seeded(0, torch.device("cpu")):
        network = build_network(kind[0], 1, N_TIMEPOINTS, 2, kind[1])
    return ScaledNetwork(network).to(device)


def _bare_epoch(network, training_set, batch_size):
    """Time the student's forward and backward pass on as many series as an epoch has."""
    n_channels, n_timepoints = training_set.X.shape[1:]
    per_series = 1 + training_set.n_windows
    batches = [
        torch.randn(n * per_series, n_channels, n_timepoints, device=network.mean.device)
        for n in BatchIterator(training_set, batch_size).batch_sizes
    ]

    def run():
        for batch in batches:
            network.zero_grad(set_to_none=True)
            network(batch).sum().backward()
        wait_for(network.mean.device)

    return seconds(run)


def epoch(options):
    """Time a TSD epoch over the student's forward and backward passes alone."""
    training_set = noise_training_set(*noise(options.series or 500), n_windows=10)
    for (name, kind), (batch_size, goal) in itertools.product(
        STUDENTS.items(), EPOCH_GOALS.items()
    ):
        network = _network(kind, options.device).train()
        ratios = turns(
            partial(epoch_seconds, kind, training_set, batch_size, options.device),
            partial(_bare_epoch, network, training_set, batch_size),
            options.repeats,
        )
        yield _row(f"TSD epoch / bare epoch: {name}, batch {batch_size}", goal, ratios)


def plain(options):
    """Time the paper's algorithm, without any speed-up, over the package's."""
    if options.device.type != "cpu":
        return  # on a GPU, its loop over series and windows is not a fair rival
    X, y = noise(options.series or 256)
    kind, batch_size = STUDENTS["lstm 16"], 32
    teacher = _network(TEACHER, options.device)
    classifier = SkorchClassifier.from_module(teacher, [0, 1], device=options.device)
    aligned = Teacher(classifier, np.arange(2), torch.from_numpy(X[:2]))
    n_steps, n_batches = 4, -(-len(X) // batch_size)
    ratios = {50: [], 10: []}
    for _ in range(options.repeats):
        # the difference leaves out the first step and everything before it
        once = seconds(lambda: _plain_steps(teacher, X, y, 1, options))
        several = seconds(lambda: _plain_steps(teacher, X, y, 1 + n_steps, options))
        theirs = n_batches * (several - once) / n_steps
        bank = seconds(lambda: noise_training_set(X, y, 10, aligned))
        for n_windows, found in ratios.items():
            training_set = noise_training_set(X, y, n_windows)
            ours = epoch_seconds(kind, training_set, batch_size, options.device)
            found.append(theirs / (ours + bank / N_EPOCHS))
    yield _row("plain, K = 50 / ours, K = 50, bank 100", ">= 7", ratios[50])
    yield _row("plain, K = 50 / ours, K = 10, bank 100", ">= 35", ratios[10])


def _plain_steps(teacher, X, y, n_steps, options):
    student = _network(STUDENTS["lstm 16"], options.device)
    with seeded(0, torch.device("cpu")):
        train_plainly(
            student,
            teacher,
            torch.from_numpy(X).to(options.device),
            torch.from_numpy(y).to(options.device),
            n_windows=50,
            width=WIDTH,
            n_epochs=N_EPOCHS,
            batch_size=32,
            lr=5e-3,
            generator=torch.Generator().manual_seed(0),
            most_steps=n_steps,
        )
    wait_for(options.device)


def size(options):
    """Time `fit` per series at two sizes, and measure the memory of the larger."""
    # in a separate process, so that its peak memory is that of the fit
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        large = options.series or 50_000
        arguments = max(64, large // 50), large, str(options.device), torch.get_num_threads()
        yield from pool.submit(_size_rows, *arguments).result()


def _size_rows(small, large, device, n_threads):
    torch.set_num_threads(n_threads)
    teacher = _network(STUDENTS["fcn 8-16-8"], torch.device("cpu"))
    frozen = FrozenEstimator(SkorchClassifier.from_module(teacher, [0, 1], device=device))

    def fit(n):
        student = SkorchClassifier(*STUDENTS["fcn 8-16-8"], max_epochs=1)
        classifier = SaliencyDistilledClassifier(
            frozen, student, device=device, random_state=0, bank_size=BANK_SIZE
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the untrained teacher is often wrong
            return seconds(lambda: classifier.fit(*data[n])) / n

    data = {n: noise(n) for n in (small, large)}
    fit(small)
    before = _peak_memory()
    first, of_large, second = fit(small), fit(large), fit(small)
    ratios = [of_large / first, of_large / second]
    rows = [_row(f"fit, time per series: n = {large:,} / n = {small:,}", "<= 1.2", ratios)]
    if before is not None:
        memory = (_peak_memory() - before) / 2**30
        rows.append(_row(f"peak memory of fit at n = {large:,}, GiB", "<= 1", [memory]))
    return rows


def _peak_memory():
    """Peak memory of this process, in bytes; None if the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def predict(options):
    """Time `predict_proba` over the bare network's forward pass in batches."""
    X, y = noise(options.series or 10_000)
    given = X.astype(np.float64)
    for name, kind in STUDENTS.items():
        classifier = SkorchClassifier(*kind, max_epochs=1, device=options.device)
        classifier.fit(X[:32], y[:32])
        network = classifier.network_
        x = torch.from_numpy(X).to(options.device)

        @torch.inference_mode()
        def forward(network=network, x=x):
            for batch in x.split(512):
                network(batch).cpu()

        predicted = partial(seconds, partial(classifier.predict_proba, given))
        ratios = turns(predicted, partial(seconds, forward), options.repeats)
        yield _row(f"predict_proba, {len(X):,} series / forward: {name}", "<= 1.3", ratios)


def imports(options):
    """Time ``import sktime_tsd``, and check that it imports no heavy package."""
    code = (
        "import sys, time; start = time.perf_counter(); import sktime_tsd; "
        "print(time.perf_counter() - start, *{'torch', 'pandas', 'sktime'} & {*sys.modules})"
    )
    found = []
    for _ in range(options.repeats):
        command = [sys.executable, "-c", code]
        took, *heavy = subprocess.run(
            command, capture_output=True, text=True, check=True
        ).stdout.split()
        found.append(float(took))
    what = f"import sktime_tsd, seconds (imports {', '.join(heavy) or 'nothing heavy'})"
    yield _row(what, "<= 0.1", found)


def memory(options):
    """Time the second fit over the first, in a grid search over the student with `memory`."""
    X, y = load_dataset("GunPoint", split="train")
    ratios = []
    for _ in range(max(1, options.repeats // 3)):
        with tempfile.TemporaryDirectory() as folder:
            first, second = (
                seconds(
                    lambda lr=lr, folder=folder: SaliencyDistilledClassifier(
                        student=SkorchClassifier(*STUDENTS["fcn 8-16-8"], lr=lr),
                        memory=folder,
                        device=options.device,
                        random_state=0,
                    ).fit(X, y)
                )
                for lr in (5e-3, 2e-3)
            )
        ratios.append(second / first)
    yield _row("second fit with memory / first: default teacher, GunPoint", "<= 0.5", ratios)


def cuda(options):
    """Time recorded steps on the GPU against unrecorded ones, the CPU and the floor; and banks."""
    if options.device.type == "cuda":
        yield from _device_rows(options)


def _device_rows(options):
    training_set = noise_training_set(*noise(options.series or 500), n_windows=10)
    n_steps = len(BatchIterator(training_set, 32))
    x = torch.randn(32 * (1 + training_set.n_windows), 1, N_TIMEPOINTS, device=options.device)
    for name, kind in STUDENTS.items():
        found = {"kernel by kernel": [], "CPU": [], "floor": []}
        for _ in range(options.repeats + 1):
            recorded = epoch_seconds(kind, training_set, 32, options.device, n_epochs=6)
            eager = epoch_seconds(
                (_Eager(kind[0]), kind[1]), training_set, 32, options.device, n_epochs=6
            )
            on_cpu = epoch_seconds(kind, training_set, 32, torch.device("cpu"))
            found["kernel by kernel"].append(eager / recorded)
            found["CPU"].append(on_cpu / recorded)
            floor = step_floor(_network(kind, options.device).train(), x)
            found["floor"].append(recorded / n_steps / floor)
        what = f"{name}, batch 32"
        yield _row(
            f"kernel by kernel / recorded step: {what}", ">= 4", found["kernel by kernel"][1:]
        )
        yield _row(f"CPU / recorded step: {what}", "", found["CPU"][1:])
        yield _row(f"recorded step / floor of the card: {what}", "", found["floor"][1:])
    X, y = noise(options.series or 256)
    took = []
    for device in (torch.device("cpu"), options.device):
        network = _network(TEACHER, device)
        classifier = SkorchClassifier.from_module(network, [0, 1], device=device)
        aligned = Teacher(classifier, np.arange(2), torch.from_numpy(X[:2]))
        noise_training_set(X[:32], y[:32], 10, aligned)
        took.append(seconds(partial(noise_training_set, X, y, 10, aligned)))
    yield _row("teacher's bank: CPU / CUDA", "", [took[0] / took[1]])


class _Eager:
    """A built-in network as a function: training records only networks given by name."""

    def __init__(self, name):
        self.name = name

    def __call__(self, n_channels, n_timepoints, n_classes, **settings):
        return build_network(self.name, n_channels, n_timepoints, n_classes, settings)


ROWS = {row.__name__: row for row in (imports, predict, epoch, plain, memory, size, cuda)}


def _row(what, goal, ratios):
    return {"what": what, "goal": goal, "measured": summary(ratios)}


def main(arguments=None):
    """Print the ratios.

    Parameters
    ----------
    arguments : list of str, optional
        Default: the command line's.
    """
    parser = cost_parser(
        "speed",
        "Measure what distillation costs, as ratios of times, with a goal for each; a goal in "
        "parentheses counts copies read in part. Both sides of a ratio take turns in one run, "
        "since other work on the machine slows both. Takes about ten minutes; nothing else should "
        "run on the machine.",
    )
    parser.add_argument(
        "--rows",
        nargs="+",
        choices=ROWS,
        default=list(ROWS),
        metavar="ROW",
        help=f"what to measure, of {', '.join(ROWS)} (default: all); cuda needs --device cuda",
    )
    add_number(parser, "--repeats", 5, "turns per ratio")
    add_number(parser, "--series", None, "number of series (default: set by each row)", low=64)
    add_threads(parser)
    add_device(parser)
    add_csv(parser)
    options = parser.parse_args(arguments)

    rows = []
    with torch_threads(options.threads):
        print(
            f"torch threads: {options.threads}, device: {options.device}; "
            "median [smallest, largest].\n"
        )
        for name in options.rows:
            for row in ROWS[name](options):
                rows.append(row)
                print(f"{row['what']:<64} {row['goal']:>10}  {row['measured']}", flush=True)
    if options.csv is not None:
        pd.DataFrame(rows).to_csv(options.csv, index=False)


if __name__ == "__main__":
    main()
