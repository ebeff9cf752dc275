"""``python -m sktime_tsd``: distil a teacher on a real data set, export or use a student."""

import argparse
import importlib
import sys
from pathlib import Path

from sktime_tsd._cli.command_line import INTERRUPTED, Parser, positive, whole_number

# Other commands and their modules.
_COMMANDS = {"export": "export_command", "predict": "predict_command"}

# The parser's choices, written out so that --help does not import torch. A test keeps them true.
_TEACHERS = ("inception_time", "lstm", "minirocket", "forest", "interval_forest", "neighbours")
_STUDENTS = ("fcn", "lite", "lstm")
_METHODS = ("ce", "kd", "dkd", "fitnets", "at", "rkd", "vid", "dt2w", "memkd", "tsd")

_FORMATS = {
    "parameters": "{:,.0f}",
    "pickle kB": "{:,.1f}",
    "accuracy": "{:.3f}",
    "AUC-PRC": "{:.3f}",
    "agreement": "{:.3f}",
    "KL": "{:.3f}",
    "saliency corr.": "{:.3f}",
    "held-out corr.": "{:.3f}",
    "fit s": "{:.1f}",
}


def _folder(text):
    path = Path(text)
    if path.exists() and not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is a file; name a folder")
    return path


def _parser():
    parser = Parser(
        prog="python -m sktime_tsd",
        description="Fit a teacher, then train the same small student in several ways and compare "
        "them. By default: on labels alone (ce), by knowledge distillation (kd), by temporal "
        "saliency distillation (tsd). "
        "Other commands, each with --help: "
        + ", ".join(f"python -m sktime_tsd {name}" for name in _COMMANDS),
    )
    parser.add_argument(
        "--dataset",
        default="GunPoint",
        help="a data set bundled with sktime (default: GunPoint), or a folder in --data-dir",
    )
    parser.add_argument(
        "--data-dir",
        type=_folder,
        help="folder of UCR/UEA data sets: NAME/NAME_TRAIN.ts and NAME/NAME_TEST.ts (or .tsv, "
        ".txt, .arff)",
    )
    parser.add_argument(
        "--unequal-lengths",
        choices=("error", "resample"),
        default="error",
        help="resample: interpolate series of unequal lengths to that of the longest training "
        "series (default: error)",
    )
    parser.add_argument(
        "--teacher",
        choices=_TEACHERS,
        default="inception_time",
        help="minirocket needs numba",
    )
    parser.add_argument("--student", choices=_STUDENTS, default="fcn")
    parser.add_argument(
        "--methods",
        default="ce,kd,tsd",
        help=f"separated by commas: {', '.join(_METHODS)}, or several joined with +, such as "
        "kd+tsd (default: ce,kd,tsd); the student of the last one is reported on and saved",
    )
    parser.add_argument("--seed", type=whole_number(0, 2**32 - 1), default=0)
    parser.add_argument(
        "--threads",
        type=positive,
        default=1,
        help="torch threads (default: 1; networks this small gain little from more, and more are "
        "slow if the machine is busy)",
    )
    parser.add_argument(
        "--out",
        type=_folder,
        help="folder for the student, the tables and, if matplotlib is installed, pictures",
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace what an earlier run wrote to --out"
    )
    return parser


def _format(table):
    """Format the table for a terminal."""
    formatted = table.copy().astype(object)
    for column, form in _FORMATS.items():
        formatted[column] = [
            "-" if value != value else form.format(value) for value in table[column]
        ]
    formatted.index.name = None
    return formatted.to_string()


def main(arguments=None):
    """Run the command named by the first argument, or the demonstration.

    Parameters
    ----------
    arguments : list of str, optional
        Default: the command line's.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments and arguments[0] in _COMMANDS:
        importlib.import_module(f"sktime_tsd._cli.{_COMMANDS[arguments[0]]}").main(arguments[1:])
        return
    parser = _parser()
    options = parser.parse_args(arguments)

    import torch

    from sktime_tsd._cli.demonstration import (
        check_results_folder,
        load_data,
        parse_methods,
        run_demonstration,
    )
    from sktime_tsd._cli.models import check_teacher_name
    from sktime_tsd._utils.threads import keep_torch_threads

    # check all options before fitting anything
    try:
        methods = parse_methods(options.methods)
        check_teacher_name(options.teacher, methods)
        data = load_data(options.dataset, options.data_dir, unequal_lengths=options.unequal_lengths)
        if options.out is not None:
            check_results_folder(options.out, overwrite=options.overwrite)
            options.out.mkdir(parents=True, exist_ok=True)
    except (ValueError, OSError) as error:
        parser.error(str(error).replace('unequal_lengths="resample"', "--unequal-lengths resample"))
    try:
        with keep_torch_threads():
            torch.set_num_threads(options.threads)
            result = run_demonstration(
                data,
                teacher=options.teacher,
                student=options.student,
                methods=methods,
                seed=options.seed,
                report=lambda line: print(line, file=sys.stderr, flush=True),
            )
    except KeyboardInterrupt:
        parser.exit(INTERRUPTED, "\nStopped; nothing was written.\n")
    print(_format(result.table))
    print(
        "Agreement, KL and correlations compare with the teacher, on the test series; lower KL is "
        "better.\nHeld-out corr.: mean over explainers that no student was trained on.\n"
    )
    print(result.report)
    if options.out is not None:
        paths = result.save(options.out)
        for path in paths:
            print(f"wrote {path}")
        if not any(path.suffix == ".png" for path in paths):
            print("no pictures: matplotlib is not installed")


if __name__ == "__main__":
    main()
