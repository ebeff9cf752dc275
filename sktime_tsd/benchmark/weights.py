"""``python -m sktime_tsd.benchmark.weights``: how much of a distillation term is good.

Cross-validation on training series alone: the default teacher is fitted on each training
fold, and the default student is distilled from it by each term at each weight, without
saliency. The series kept aside tell how well; test series are not touched.
"""

import argparse
from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import accuracy_score
from sklearn.model_selection import StratifiedKFold

from sktime_tsd import SaliencyDistilledClassifier
from sktime_tsd._methods import BASE_METHODS
from sktime_tsd._teacher_source import default_teacher
from sktime_tsd._threads import keep_torch_threads
from sktime_tsd.datasets import load_dataset
from sktime_tsd.distiller import default_student
from sktime_tsd.fidelity import kl_divergence, top_1_agreement
from sktime_tsd.losses import DT2W, FitNets

__all__ = ["main", "weight_table"]

DATASETS = ("ItalyPowerDemand", "GunPoint", "CBF", "Plane", "ECG200")
BUNDLED_DATASETS = DATASETS[:2]
WEIGHTS = (0.01, 0.1, 1.0, 10.0)
# hints throughout, as in stages their weight matters little; and a DT2W that can be afforded
SETTINGS = {FitNets: {"hint_share": None}, DT2W: {"max_timepoints": 50}}
TERMS = {kind.name: kind(**SETTINGS.get(kind, {})) for kind in BASE_METHODS.values()}
_ALONE = "cross_entropy"


def _fold_rows(X, y, train, kept, terms, seed, settings):
    teacher = default_teacher().set_params(random_state=seed, device="cpu", **settings)
    teacher.fit(X[train], y[train])
    of_teacher = teacher.predict_proba(X[kept])
    student = default_student().set_params(device="cpu", **settings)
    runs = [(_ALONE, 0.0, [])]
    runs += [(name, w, [replace(TERMS[name], weight=w)]) for name in terms for w in WEIGHTS]
    if FitNets.name in terms:
        runs.append(("fitnets in stages", 1.0, [FitNets()]))
    for name, weight, distillation in runs:
        classifier = SaliencyDistilledClassifier(
            FrozenEstimator(teacher),
            student,
            saliency_weight=0,
            distillation=distillation,
            random_state=seed,
        ).fit(X[train], y[train])
        probabilities = classifier.predict_proba(X[kept])
        yield {
            "term": name,
            "weight": weight,
            "accuracy": accuracy_score(y[kept], classifier.classes_[probabilities.argmax(axis=1)]),
            "agreement": top_1_agreement(of_teacher, probabilities).mean(),
            "KL": kl_divergence(of_teacher, probabilities).mean(),
        }


def weight_table(
    datasets, terms=tuple(TERMS), *, data_dir=None, n_folds=3, seed=0, max_epochs=None
):
    """Cross-validate terms at several weights.

    Parameters
    ----------
    datasets : sequence of str
    terms : sequence of str, default=all
        Keys of ``TERMS``.
    data_dir : path-like, optional
        See `sktime_tsd.datasets.load_dataset`.
    n_folds : int, default=3
    seed : int, default=0
    max_epochs : int, optional
        Of teacher and students; default their own.

    Returns
    -------
    rows : pandas.DataFrame
        One row per data set, fold, term and weight: accuracy, and agreement and KL with the
        teacher, on the series kept aside.
    """
    settings = {} if max_epochs is None else {"max_epochs": max_epochs}
    rows = []
    for dataset in datasets:
        X, y = load_dataset(dataset, split="train", data_dir=data_dir)
        folds = StratifiedKFold(n_folds, shuffle=True, random_state=seed).split(X, y)
        for fold, (train, kept) in enumerate(folds):
            found = _fold_rows(X, y, train, kept, terms, seed, settings)
            rows += [{"dataset": dataset, "fold": fold} | row for row in found]
    return pd.DataFrame(rows)


def main(arguments=None):
    """Print how each term does at each weight.

    Parameters
    ----------
    arguments : list of str, optional
        Default: those of the command line.
    """
    parser = argparse.ArgumentParser(
        prog="python -m sktime_tsd.benchmark.weights",
        description="Accuracy, agreement and KL with the teacher of students distilled by each "
        "term at each weight, by cross-validation on training series. About half an hour.",
    )
    parser.add_argument("--data", help="folder laid out as the UCR archive; default: sktime's own")
    parser.add_argument("--datasets", nargs="+", help="default: five, or two of sktime's own")
    parser.add_argument("--terms", nargs="+", choices=TERMS, default=list(TERMS))
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, help="default: those of the classifiers")
    parser.add_argument("--threads", type=int, default=1, help="of torch")
    parser.add_argument("--csv", help="also write the rows to this file")
    options = parser.parse_args(arguments)
    if options.folds < 2 or min(options.threads, options.epochs or 1) < 1:
        parser.error("--folds must be 2 or more, --threads and --epochs 1 or more")
    datasets = options.datasets or (DATASETS if options.data else BUNDLED_DATASETS)
    with keep_torch_threads():
        torch.set_num_threads(options.threads)
        try:
            rows = weight_table(
                datasets,
                options.terms,
                data_dir=options.data,
                n_folds=options.folds,
                seed=options.seed,
                max_epochs=options.epochs,
            )
        except (OSError, ValueError) as error:
            parser.error(str(error))
    if options.csv is not None:
        rows.to_csv(options.csv, index=False)
    values = ["accuracy", "agreement", "KL"]
    table = rows.groupby(["term", "weight"], sort=False)[values].mean()
    alone = rows[rows["term"] == _ALONE].set_index(["dataset", "fold"])["accuracy"]
    paired = rows.set_index(["dataset", "fold"])
    gain = paired["accuracy"] - alone.reindex(paired.index)
    grouped = gain.groupby([paired["term"].to_numpy(), paired["weight"].to_numpy()])
    table["gain of accuracy"] = grouped.mean()
    table["its standard error"] = grouped.std() / np.sqrt(grouped.size())
    print(f"Means over {len(alone)} folds of {', '.join(datasets)}:\n")
    print(table.round(3).to_string())


if __name__ == "__main__":
    main()
