"""``python -m sktime_tsd.benchmark.cost.fewer_windows``: what fewer windows cost in fidelity."""

import itertools

import numpy as np
import pandas as pd
import torch
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import accuracy_score

from sktime_tsd import SaliencyDistilledClassifier, SkorchClassifier, temporal_saliency
from sktime_tsd._panels.arrays import as_float32_panel
from sktime_tsd._utils.random import seeded
from sktime_tsd.benchmark._results import write_at_once
from sktime_tsd.benchmark.cost._options import (
    add_csv,
    add_number,
    add_threads,
    cost_parser,
    torch_threads,
)
from sktime_tsd.benchmark.cost._plain import train_plainly
from sktime_tsd.benchmark.cost._timing import seconds
from sktime_tsd.datasets import load_dataset
from sktime_tsd.fidelity import saliency_spearman, top_1_agreement
from sktime_tsd.networks import ScaledNetwork, build_network, channel_statistics
from sktime_tsd.perturbations import window_width

__all__ = ["main"]

DATASETS = ("SonyAIBORobotSurface1", "MoteStrain", "TwoLeadECG", "ItalyPowerDemand", "GunPoint")
BUNDLED_DATASETS = ("ItalyPowerDemand", "GunPoint")
LR = 5e-3
STUDENT = ("fcn", {"filters": (8, 16, 8)})
COLUMNS = (
    "dataset",
    "seed",
    "epochs",
    "method",
    "accuracy",
    "agreement",
    "saliency_spearman",
    "seconds",
)
MOST_SERIES = 200


def _train_plainly(teacher, X, y, seed, n_epochs):
    X = torch.from_numpy(as_float32_panel(X))
    indices = torch.from_numpy(np.searchsorted(teacher.classes_, y))
    with seeded(seed, torch.device("cpu")):
        network = build_network(STUDENT[0], *X.shape[1:], len(teacher.classes_), STUDENT[1])
        student = ScaledNetwork(network, *channel_statistics(X))
        train_plainly(
            student,
            teacher.network_,
            X,
            indices,
            n_windows=50,
            width=window_width(0.1, X.shape[2]),
            n_epochs=n_epochs,
            batch_size=16,
            lr=LR,
            generator=torch.Generator().manual_seed(seed),
        )
    return SkorchClassifier.from_module(student, teacher.classes_, device="cpu")


def _train_ours(teacher, X, y, seed, n_epochs):
    student = SkorchClassifier(*STUDENT, lr=LR, max_epochs=n_epochs, device="cpu")
    return SaliencyDistilledClassifier(
        FrozenEstimator(teacher), student, saliency_normalization="each", random_state=seed
    ).fit(X, y)


def _train_alone(teacher, X, y, seed, n_epochs):
    student = SkorchClassifier(*STUDENT, lr=LR, max_epochs=n_epochs, device="cpu")
    return student.set_params(random_state=seed).fit(X, y)


METHODS = {
    "plain, K = 50": _train_plainly,
    "bank of 100, K = 10": _train_ours,
    "student alone": _train_alone,
}


def _runs(dataset, seed, data_dir, n_epochs):
    """Distil one teacher by each method; yield one row per method."""
    X_train, y_train = load_dataset(dataset, split="train", data_dir=data_dir)
    X, y = load_dataset(dataset, split="test", data_dir=data_dir)
    if len(X) > MOST_SERIES:
        some = np.random.RandomState(seed).permutation(len(X))[:MOST_SERIES]
        X, y = X[some], y[some]
    teacher = SkorchClassifier(
        "inception_time",
        {"n_filters": 16, "depth": 3},
        lr=2e-3,
        max_epochs=n_epochs,
        device="cpu",
        random_state=seed,
    ).fit(X_train, y_train)
    settings = {"background": X_train, "n_donors": 4, "random_state": 0}
    of_teacher = temporal_saliency(teacher, X, **settings).values
    probabilities = teacher.predict_proba(X)
    for method, train in METHODS.items():
        students = []
        took = seconds(
            lambda train=train, to=students: to.append(
                train(teacher, X_train, y_train, seed, n_epochs)
            )
        )
        student = students[0]
        agreement = top_1_agreement(probabilities, student.predict_proba(X))
        of_student = temporal_saliency(student, X, **settings).values
        yield {
            "method": method,
            "accuracy": round(accuracy_score(y, student.predict(X)), 4),
            "agreement": round(float(np.mean(agreement)), 4),
            "saliency_spearman": round(
                float(np.mean(saliency_spearman(of_teacher, of_student))), 4
            ),
            "seconds": round(took, 2),
        }


def main(arguments=None):
    """Train, write one row per student, print the means.

    Parameters
    ----------
    arguments : list of str, optional
        Default: the command line's.
    """
    parser = cost_parser(
        "fewer_windows",
        "Measure fidelity on test series when the same teacher is distilled with 50 windows drawn "
        "anew in each step (the plain algorithm), with 10 windows from a bank of 100 (the "
        "default), and not at all. Everything else is as in the plain algorithm. Rows already in "
        "the file are not computed again.",
    )
    parser.add_argument(
        "--data",
        help="folder of UCR data sets: NAME/NAME_TRAIN.ts and NAME/NAME_TEST.ts; default: "
        "sktime's bundled data",
    )
    parser.add_argument(
        "--datasets",
        nargs="+",
        help=f"default: {', '.join(DATASETS)}; without --data, {', '.join(BUNDLED_DATASETS)}",
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="default: 0 1 2")
    add_number(parser, "--epochs", 120, "epochs of teachers and students")
    add_threads(parser)
    add_csv(parser, required=True, what="CSV file for the rows")
    options = parser.parse_args(arguments)
    datasets = options.datasets or (DATASETS if options.data else BUNDLED_DATASETS)
    try:
        for dataset in datasets:
            load_dataset(dataset, split="train", data_dir=options.data)
        rows = _read(options.csv)
    except (OSError, ValueError) as error:
        parser.error(str(error))

    with torch_threads(options.threads):
        for dataset, seed in itertools.product(datasets, options.seeds):
            key = {"dataset": dataset, "seed": seed, "epochs": options.epochs}
            if (rows[list(key)] == pd.Series(key)).all(axis=1).any():
                continue
            runs = [key | run for run in _runs(dataset, seed, options.data, options.epochs)]
            rows = pd.concat([rows, pd.DataFrame(runs)]) if len(rows) else pd.DataFrame(runs)
            write_at_once(options.csv, rows.to_csv(index=False))
    values = list(COLUMNS[4:])
    print(rows.groupby(["dataset", "method"], sort=False)[values].mean().round(3).to_string())
    print("\nMean over all:\n")
    print(rows.groupby("method", sort=False)[values].mean().round(3).to_string())


def _read(path):
    """Read the rows of complete runs: those that have each method once."""
    if not path.exists():
        return pd.DataFrame(columns=COLUMNS)
    rows = pd.read_csv(path)
    if list(rows.columns) != list(COLUMNS):
        raise ValueError(
            f"--csv: {path} must have the columns {', '.join(COLUMNS)}; name another file"
        )
    complete = rows.groupby(["dataset", "seed", "epochs"])["method"].transform(
        lambda methods: sorted(methods) == sorted(METHODS)
    )
    return rows[complete.astype(bool)]


if __name__ == "__main__":
    main()
