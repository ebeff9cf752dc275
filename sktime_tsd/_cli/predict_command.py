"""``python -m sktime_tsd predict``: labels and probabilities of the series in a file."""

import os
import sys
from pathlib import Path

from sktime_tsd._cli.command_line import Parser
from sktime_tsd._cli.model_sources import add_model, open_model

__all__ = ["main"]


def _parser():
    parser = Parser(
        prog="python -m sktime_tsd predict",
        description="Write labels and probabilities of the series in a file: a row per series, "
        "in their order. Columns: label (where the file has labels), prediction, and "
        "probability_CLASS for each class.",
    )
    add_model(parser)
    parser.add_argument("data", metavar="DATA.ts", type=Path, help="series, in sktime's .ts format")
    parser.add_argument("--out", type=Path, help="a CSV file; default: the terminal")
    return parser


def main(arguments):
    """Run the command.

    Parameters
    ----------
    arguments : list of str
    """
    parser = _parser()
    options = parser.parse_args(arguments)

    try:
        import numpy as np
        import pandas as pd

        from sktime_tsd.datasets import load_ts_file
    except ImportError as error:
        parser.error(
            f"{error}. Files of series are read by sktime; where there are onnxruntime and numpy "
            "alone, use sktime_tsd.runtime.OnnxClassifier"
        )

    try:
        model = open_model(options)
        if not hasattr(model, "predict_proba"):
            raise ValueError(f"{options.model} holds no classifier, but a {type(model).__name__}.")
        X, y = load_ts_file(options.data)
        probabilities = np.asarray(model.predict_proba(X))
        if probabilities.shape != (len(X), len(model.classes_)):
            raise ValueError(f"{options.model} holds no classifier of one label per series.")
    except Exception as error:  # what is in a trusted pickle may fail in any way
        parser.error(str(error) or type(error).__name__)
    labels = {} if y is None else {"label": y}
    table = pd.DataFrame({**labels, "prediction": model.classes_[probabilities.argmax(axis=1)]})
    for label, column in zip(model.classes_.tolist(), probabilities.T, strict=True):
        table[f"probability_{label}"] = column
    try:
        table.to_csv(options.out or sys.stdout, index=False)
    except BrokenPipeError:  # as of head: who reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError) as error:
        parser.error(str(error))
    if options.out is not None:
        print(f"wrote {len(table)} rows to {options.out}")
