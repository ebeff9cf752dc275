"""Rows as a benchmark writes them, made up."""

import json

import numpy as np
import pandas as pd

from sktime_tsd.benchmark._groups import MAIN_METRICS
from sktime_tsd.benchmark._results import COLUMNS
from sktime_tsd.fidelity import METRICS

METHODS = ("ce", "kd", "tsd", "kd+tsd")


def make_rows(n_datasets=8, methods=METHODS, seeds=(0, 1, 2), **changes):
    """Rows as a benchmark writes them, with "tsd" best."""
    rng = np.random.RandomState(0)
    rows = []
    for i in range(n_datasets):
        for seed in seeds:
            for number, method in enumerate(methods):
                row = dict.fromkeys(COLUMNS, "")
                row |= {
                    "dataset": f"Set{i}",
                    "seed": seed,
                    "method": method,
                    "protocol": "default",
                    "teacher": "inception_time",
                    "student": "fcn",
                    "evaluated_on": "test",
                    "status": "ok",
                    "archive": "made up",
                    "device": "cpu",
                    "threads": 1,
                    "versions": json.dumps({"torch": "2.13.0"}),
                    "commit": "0123456789ab",
                    "settings": json.dumps({"run": {"device": "cpu"}}),
                    "n_train": 20,
                    "n_test": 30,
                    "n_channels": 1,
                    "n_timepoints": 100,
                    "n_classes": 2,
                    "teacher_fit_seconds": 10.0,
                    "fit_seconds": 2.0,
                    "chosen_weight": np.nan,
                }
                row |= {name: rng.uniform(0.4, 0.6) + 0.05 * (i % 3) for name in METRICS}
                for metric in MAIN_METRICS:
                    gain = 0.2 if method == "tsd" else 0.01 * number
                    row[metric] += gain if METRICS[metric].higher_is_better else -gain
                row |= {"parameters_teacher": 80_000.0, "parameters_student": 1_200.0}
                rows.append(row)
    return pd.DataFrame(rows).assign(**changes)


def write(tmp_path, rows, name="results.csv"):
    rows.to_csv(tmp_path / name, index=False)
    return tmp_path / name
