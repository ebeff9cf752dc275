"""``python -m sktime_tsd predict``: predict labels and probabilities for a file of series."""

import os
import sys
from pathlib import Path

from sktime_tsd._cli.command_line import Parser
from sktime_tsd._cli.model_sources import add_model, open_model
from sktime_tsd._cli.output_file import check_output_option
from sktime_tsd._cli.table_options import add_irregular_options, add_table_options
from sktime_tsd._utils.staged_file import staged_file

__all__ = ["main"]


def _parser():
    parser = Parser(
        prog="python -m sktime_tsd predict",
        description="Predict labels and probabilities for the series in a file. Writes one row "
        "per series, in the file's order. Columns: id (if the file has ids), label (if it has "
        "labels), prediction, and probability_CLASS for each class.",
    )
    add_model(parser)
    parser.add_argument(
        "data",
        metavar="DATA",
        type=Path,
        help="series: a .ts, .csv, .tsv, .txt, .npy, .npz, .parquet or .arff file",
    )
    parser.add_argument("--out", type=Path, help="CSV file to write; default: the terminal")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing file")
    add_irregular_options(parser, "the length on which the model was fitted")
    add_table_options(parser)
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
        check_output_option(options, [options.model, options.data])
    except (OSError, ValueError) as error:
        parser.error(str(error))

    try:
        from sktime_tsd._cli.data_file import read_data
        from sktime_tsd._cli.model_input import in_options, model_input
        from sktime_tsd._cli.predictions import prediction_table
    except ImportError as error:
        parser.error(
            f"{error}. This command needs the whole package. Install what is missing, or call "
            "sktime_tsd.runtime.OnnxClassifier from Python: it needs onnxruntime and numpy only"
        )

    try:
        model = open_model(options)
        if not hasattr(model, "predict_proba"):
            raise ValueError(
                f"{options.model} holds a {type(model).__name__}, not a classifier with "
                "predict_proba."
            )
        data = read_data(options.data, options)
        X = model_input(data, model, options, options.data)
        table = prediction_table(model, X, data, options.model, options.data)
    except Exception as error:  # a model from a trusted pickle can raise anything
        parser.error(in_options(str(error)) or type(error).__name__)
    try:
        if options.out is None:
            table.to_csv(sys.stdout, index=False)
            return
        with staged_file(options.out) as path:
            table.to_csv(path, index=False)
    except BrokenPipeError:  # the reader, such as head, has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError) as error:
        parser.error(str(error))
    else:
        print(f"wrote {len(table)} rows to {options.out}")
