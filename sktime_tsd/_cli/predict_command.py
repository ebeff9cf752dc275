"""``python -m sktime_tsd predict``: predict labels and probabilities for a file of series."""

import os
import sys
from pathlib import Path

from sktime_tsd._cli.command_line import Parser
from sktime_tsd._cli.model_sources import add_model, open_model

__all__ = ["main"]


def _parser():
    parser = Parser(
        prog="python -m sktime_tsd predict",
        description="Predict labels and probabilities for the series in a file. Writes one row "
        "per series, in the file's order. Columns: label (if the file has labels), prediction, "
        "and probability_CLASS for each class.",
    )
    add_model(parser)
    parser.add_argument("data", metavar="DATA.ts", type=Path, help="series in sktime's .ts format")
    parser.add_argument("--out", type=Path, help="CSV file to write; default: the terminal")
    return parser


def main(arguments):
    """Predict and write the table.

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
            f"{error}. This command reads .ts files with sktime. Install sktime, or call "
            "sktime_tsd.runtime.OnnxClassifier from Python: it needs onnxruntime and numpy only"
        )

    try:
        model = open_model(options)
        if not hasattr(model, "predict_proba"):
            raise ValueError(
                f"{options.model} holds a {type(model).__name__}, not a classifier with "
                "predict_proba."
            )
        X, y = load_ts_file(options.data)
        probabilities = np.asarray(model.predict_proba(X))
        if probabilities.shape != (len(X), len(model.classes_)):
            raise ValueError(
                f"the classifier in {options.model} gives probabilities of shape "
                f"{probabilities.shape} for {len(X)} series and {len(model.classes_)} classes; "
                "only classifiers of one label per series can be used."
            )
    except Exception as error:  # a model from a trusted pickle can raise anything
        parser.error(str(error) or type(error).__name__)
    labels = {} if y is None else {"label": y}
    table = pd.DataFrame({**labels, "prediction": model.classes_[probabilities.argmax(axis=1)]})
    for label, column in zip(model.classes_.tolist(), probabilities.T, strict=True):
        table[f"probability_{label}"] = column
    try:
        table.to_csv(options.out or sys.stdout, index=False)
    except BrokenPipeError:  # the reader, such as head, has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError) as error:
        parser.error(str(error))
    if options.out is not None:
        print(f"wrote {len(table)} rows to {options.out}")
