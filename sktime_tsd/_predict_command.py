"""``python -m sktime_tsd predict``: labels and probabilities of the series in a file."""

import sys
from pathlib import Path

from sktime_tsd._command_line import Parser
from sktime_tsd._model_sources import add_model, open_model

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

    import pandas as pd

    from sktime_tsd.datasets import load_ts_file

    try:
        model = open_model(options)
        if not hasattr(model, "predict_proba"):
            raise ValueError(f"{options.model} holds no classifier, but a {type(model).__name__}.")
        X, y = load_ts_file(options.data)
        probabilities = model.predict_proba(X)
    except (ValueError, TypeError, OSError, ImportError) as error:
        parser.error(str(error))
    labels = {} if y is None else {"label": y}
    table = pd.DataFrame({**labels, "prediction": model.classes_[probabilities.argmax(axis=1)]})
    for label, column in zip(model.classes_.tolist(), probabilities.T, strict=True):
        table[f"probability_{label}"] = column
    if options.out is None:
        table.to_csv(sys.stdout, index=False)
        return
    try:
        table.to_csv(options.out, index=False)
    except OSError as error:
        parser.error(str(error))
    print(f"wrote {len(table)} rows to {options.out}")
