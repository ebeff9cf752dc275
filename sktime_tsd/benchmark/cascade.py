"""``python -m sktime_tsd.benchmark.cascade``: what a promised agreement costs in teacher calls."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import accuracy_score

from sktime_tsd._cli.command_line import Parser
from sktime_tsd._cli.methods import Method
from sktime_tsd._cli.models import STUDENTS, TEACHERS
from sktime_tsd._utils.random import seed_unseeded
from sktime_tsd.benchmark._results import write_at_once
from sktime_tsd.benchmark.cost._options import add_csv, add_number, add_threads, torch_threads
from sktime_tsd.cascade._calibrate import calibrate
from sktime_tsd.datasets import load_dataset
from sktime_tsd.runtime._confidence import SCORES

__all__ = ["calibration_row", "main", "table"]

#: UCR/UEA sets with 300 test series or more.
DATASETS = (
    "ItalyPowerDemand",
    "CBF",
    "SonyAIBORobotSurface1",
    "MoteStrain",
    "TwoLeadECG",
    "JapaneseVowels",
    "UWaveGestureLibrary",
    "SyntheticControl",
)
METHODS = ("ce", "kd", "tsd")
TARGETS = (0.95, 0.98, 0.99)
CONFIDENCE_LEVEL = 0.95
N_CALIBRATIONS = 100
_TITLES = {
    "deferral_rate": "Series that the teacher answers",
    "agreement": "Answers equal to the teacher's",
    "broken": "Promises broken, of 100 calibrations",
}
KEY = ["dataset", "seed", "method", "target_agreement"]


def _answers(dataset, seed, data_dir):
    """Fit a teacher and its students; return the probabilities of all test series."""
    load = {"data_dir": data_dir, "unequal_lengths": "resample"}
    X_train, y_train = load_dataset(dataset, split="train", **load)
    X, y = load_dataset(dataset, split="test", **load)
    teacher = TEACHERS["inception_time"]()
    seed_unseeded(teacher, seed)
    teacher.fit(X_train, y_train)
    found = {"teacher": teacher.predict_proba(X), "y": np.searchsorted(teacher.classes_, y)}
    student = STUDENTS["fcn"]().set_params(random_state=seed)
    for method in METHODS:
        classifier = Method(method).classifier(FrozenEstimator(teacher), student, random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of teachers that are often wrong
            found[method] = classifier.fit(X_train, y_train).predict_proba(X)
    return found


def calibration_row(scores, agrees, target_agreement, seed):
    """Calibrate many times on half of the series, and see whether the promise is kept.

    Parameters
    ----------
    scores : numpy.ndarray of shape (n_instances,)
        The student's, of all test series.
    agrees : numpy.ndarray of shape (n_instances,), bool
        Whether it gives the teacher's answers.
    target_agreement : float
    seed : int

    Returns
    -------
    row : dict of str to float
        ``agreement`` and ``deferral_rate`` on the other half, means over the calibrations;
        ``all_deferred``, the share of calibrations that can promise nothing; ``below_on_half``,
        the share in which fewer answers of the other half were equal, which varies with that
        half; and ``broken``, the share in which the promise was broken. For this last one, the
        calibration series are drawn with replacement from all test series, whose agreement then
        is the true one.
    """
    rng = np.random.default_rng(seed)
    n, half = len(scores), len(scores) // 2
    drawn = []
    for _ in range(N_CALIBRATIONS):
        first, other = np.split(rng.permutation(n), [half])
        again = rng.integers(n, size=half)
        on_half, on_draw = (
            calibrate(scores[i], agrees[i], target_agreement, CONFIDENCE_LEVEL)
            for i in (first, again)
        )
        kept = scores[other] > on_half.threshold
        agreement = 1 - (kept & ~agrees[other]).mean()
        true = 1 - ((scores > on_draw.threshold) & ~agrees).mean()
        drawn.append(
            {
                "agreement": agreement,
                "deferral_rate": 1 - kept.mean(),
                "all_deferred": on_half.threshold == np.inf,
                "below_on_half": agreement < target_agreement,
                "broken": true < target_agreement,
            }
        )
    return pd.DataFrame(drawn).astype(float).mean().to_dict()


def _rows(dataset, seed, found):
    y, teacher = found["y"], found["teacher"].argmax(axis=1)
    for method in METHODS:
        probabilities = found[method]
        agrees = probabilities.argmax(axis=1) == teacher
        scores = SCORES["top_probability"](probabilities)
        for target in TARGETS:
            yield {
                "dataset": dataset,
                "seed": seed,
                "method": method,
                "target_agreement": target,
                "n_test": len(y),
                "accuracy_teacher": accuracy_score(y, teacher),
                "accuracy_student": accuracy_score(y, probabilities.argmax(axis=1)),
                "agreement_student": agrees.mean(),
                **calibration_row(scores, agrees, target, seed),
            }


def table(rows, column):
    """Set the methods side by side, in percent.

    Parameters
    ----------
    rows : pandas.DataFrame
        As written by the command.
    column : {"agreement", "deferral_rate", "broken", "below_on_half"}

    Returns
    -------
    table : pandas.DataFrame
        One row per data set, means over the seeds. Columns: the student's own agreement, and one
        for each target; each cell has the methods in order, such as "12 / 19 / 6". "all" where
        the calibration series are too few for the target.
    """
    means = rows.groupby(["dataset", "target_agreement", "method"], sort=False).mean()
    cells = {}
    for (dataset, target), part in means.groupby(level=[0, 1], sort=False):
        part = part.droplevel([0, 1]).loc[list(METHODS)]
        shown = [
            "all" if row["all_deferred"] == 1 else _percent(row[column])
            for _, row in part.iterrows()
        ]
        alone = part["agreement_student"].map(_percent)
        row = cells.setdefault(dataset, {"student in the teacher's place": " / ".join(alone)})
        row[f"{100 * target:g} %"] = "all" if set(shown) == {"all"} else " / ".join(shown)
    return pd.DataFrame.from_dict(cells, orient="index").rename_axis("data set")


def _percent(share):
    return f"{100 * share:.1f}"


def main(arguments=None):
    """Fit, calibrate and write the rows.

    Parameters
    ----------
    arguments : list of str, optional
        Default: the command line's.
    """
    parser = Parser(
        prog="python -m sktime_tsd.benchmark.cascade",
        description="Fit a teacher and three students of it (alone, KD, TSD) on each data set. "
        "Calibrate a cascade on half of the test series, without labels, a hundred times for each "
        "target. Rows are added to the file; data sets that it holds are not run again.",
    )
    parser.add_argument("--datasets", nargs="+", default=DATASETS, metavar="NAME")
    parser.add_argument("--data-dir", type=Path, help="folder of UCR/UEA data sets")
    add_number(parser, "--seeds", 1, "number of seeds, from 0")
    add_threads(parser)
    add_csv(parser, required=True, what="file of rows")
    options = parser.parse_args(arguments)
    rows = pd.read_csv(options.csv) if options.csv.exists() else pd.DataFrame(columns=KEY)
    with torch_threads(options.threads):
        for seed in range(options.seeds):
            for dataset in options.datasets:
                if ((rows["dataset"] == dataset) & (rows["seed"] == seed)).any():
                    continue
                print(f"{dataset}, seed {seed} ...", flush=True)
                try:
                    found = _answers(dataset, seed, options.data_dir)
                except ValueError as error:  # no such data set
                    parser.error(str(error))
                new = pd.DataFrame(_rows(dataset, seed, found))
                rows = pd.concat([rows, new]) if len(rows) else new
                write_at_once(options.csv, rows.to_csv(index=False))
    for column, title in _TITLES.items():
        print(f"\n{title}, in percent ({' / '.join(METHODS)}):\n")
        print(table(rows, column).to_markdown())


if __name__ == "__main__":
    main()
