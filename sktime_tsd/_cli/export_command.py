"""``python -m sktime_tsd export``: write a fitted student to a file for production."""

from pathlib import Path

from sktime_tsd._cli.command_line import Parser
from sktime_tsd._cli.model_sources import add_model, open_model
from sktime_tsd._cli.output_file import check_output_file
from sktime_tsd._cli.table_options import add_irregular_options, add_table_options

__all__ = ["main"]


def _parser():
    parser = Parser(
        prog="python -m sktime_tsd export",
        description="Write a fitted student as an ONNX file for onnxruntime, or as a folder "
        "(safetensors, configuration, model card) that loads without running code.",
    )
    add_model(parser)
    parser.add_argument("--format", choices=("onnx", "safetensors"), required=True)
    parser.add_argument(
        "--out", type=Path, required=True, help="file (onnx) or folder (safetensors) to write"
    )
    parser.add_argument(
        "--sample",
        metavar="FILE",
        type=Path,
        help="real series for comparing the ONNX file's predictions with the network's: a .ts, "
        ".csv, .tsv, .txt, .npy, .npz, .parquet or .arff file",
    )
    parser.add_argument(
        "--int8",
        action="store_true",
        help="round the weights to 8 bits, if that makes the file smaller and keeps 99 %% of the "
        "answers on --sample",
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace an existing file or folder"
    )
    add_irregular_options(parser, "the length on which the model was fitted")
    add_table_options(parser)
    return parser


def main(arguments):
    """Export the model.

    Parameters
    ----------
    arguments : list of str
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.format != "onnx" and (options.int8 or options.sample):
        parser.error("--int8 and --sample are only for --format onnx: leave them out")
    if options.format == "safetensors" and options.model.is_dir():
        parser.error(
            f"{options.model} already is a folder of this format: copy it, to keep its model card"
        )

    try:
        if options.format == "onnx":
            inputs = [options.model] if options.sample is None else [options.model, options.sample]
            check_output_file(options.out, inputs, overwrite=options.overwrite)
    except (OSError, ValueError) as error:
        parser.error(str(error))

    from sktime_tsd._cli.data_file import read_data
    from sktime_tsd._cli.model_input import in_options, model_input
    from sktime_tsd.export import save_model, to_onnx

    try:
        model = open_model(options)
        if options.format == "safetensors":
            path = save_model(model, options.out, overwrite=options.overwrite)
        else:
            X = None
            if options.sample is not None:
                sample = read_data(options.sample, options)
                X = model_input(sample, model, options, options.sample)
            path = to_onnx(model, options.out, X, int8=options.int8, overwrite=options.overwrite)
    except Exception as error:  # a model from a trusted pickle can raise anything
        message = in_options(str(error)) or type(error).__name__
        parser.error(message.replace("overwrite=True", "--overwrite"))
    print(f"wrote {path}")
