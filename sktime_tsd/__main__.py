"""``python -m sktime_tsd``: distil a teacher on a real data set; check, export, use a student."""

import argparse
import importlib
import re
import sys
from pathlib import Path

from sktime_tsd._cli.command_line import INTERRUPTED, Parser, positive, whole_number
from sktime_tsd._cli.table_options import add_irregular_options

# Other commands and their modules.
_COMMANDS = {
    "check": "check_command",
    "export": "export_command",
    "predict": "predict_command",
}

# The parser's choices, written out so that --help does not import torch. A test keeps them true.
_TEACHERS = ("inception_time", "lstm", "minirocket", "forest", "interval_forest", "neighbours")
_STUDENTS = ("fcn", "lite", "lstm")
_METHODS = ("ce", "kd", "dkd", "fitnets", "at", "rkd", "vid", "dt2w", "memkd", "tsd")

# How load_dataset names its parameter.
_OF_LOAD_DATASET = re.compile(r"Pad or .*unequal_lengths=\"resample\"\.?")

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
        help="folder of data sets laid out like the UCR/UEA archive: NAME/NAME_TRAIN.ts and "
        "NAME/NAME_TEST.ts (or .tsv, .txt, .arff, .csv, .npz, .parquet)",
    )
    add_irregular_options(parser, "that of the longest training series")
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
    parser.add_argument(
        "--epochs",
        type=positive,
        help="epochs of the students, and of a teacher that is a network (default: their own, from "
        "120 to 400)",
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
        command = importlib.import_module(f"sktime_tsd._cli.{_COMMANDS[arguments[0]]}")
        try:
            command.main(arguments[1:])
        except KeyboardInterrupt:
            print("\nStopped; nothing was written.", file=sys.stderr)
            sys.exit(INTERRUPTED)
        return
    parser = _parser()
    if arguments and not arguments[0].startswith("-"):
        known = ", ".join(_COMMANDS)
        parser.error(f"there is no command {arguments[0]}, only {known}; see --help")
    options = parser.parse_args(arguments)

    import torch

    from sktime_tsd._cli.demonstration import (
        check_results_folder,
        keep_student,
        parse_methods,
        run_demonstration,
    )
    from sktime_tsd._cli.models import check_teacher_name
    from sktime_tsd._cli.train_and_test import load_data
    from sktime_tsd._utils.threads import keep_torch_threads

    irregular = {
        "unequal_length": options.unequal_length,
        "missing_values": options.missing_values,
    }
    # check all options and data before fitting anything
    try:
        methods = parse_methods(options.methods)
        check_teacher_name(options.teacher, methods)
        data = load_data(options.dataset, options.data_dir, **irregular)
        if options.out is not None:
            check_results_folder(options.out, overwrite=options.overwrite)
            options.out.mkdir(parents=True, exist_ok=True)
    except (ValueError, OSError) as error:
        parser.error(_OF_LOAD_DATASET.sub("add --unequal-length resample", str(error)))

    kept = None

    def keep(classifier):
        nonlocal kept
        if options.out is not None:
            kept = keep_student(classifier, data, options.out)

    try:
        with keep_torch_threads():
            torch.set_num_threads(options.threads)
            result = run_demonstration(
                data,
                teacher=options.teacher,
                student=options.student,
                methods=methods,
                epochs=options.epochs,
                seed=options.seed,
                keep=keep,
                report=lambda line: print(line, file=sys.stderr, flush=True),
                **irregular,
            )
        print(_format(result.table))
        print(
            "Agreement, KL and correlations compare with the teacher, on the test series; lower KL "
            "is better.\nHeld-out corr.: mean over explainers that no student was trained on.\n"
        )
        print(result.report)
        if options.out is not None:
            paths = result.save(options.out)
            for path in paths:
                print(f"wrote {path}")
            if not any(path.suffix == ".png" for path in paths):
                print("no pictures: matplotlib is not installed")
    except KeyboardInterrupt:
        parser.exit(INTERRUPTED, f"\nStopped; {_left(options.out, kept)}.\n")
    except Exception as error:  # minutes of training must not end in a traceback alone
        reason = str(error) or type(error).__name__
        parser.error(f"{reason} ({_left(options.out, kept)}; see --teacher, --student and --seed)")


def _left(folder, kept):
    """Say what an unfinished run has written, and leave no empty folder."""
    if kept is not None:
        return f"the student is in {kept}"
    if folder is not None and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
    return "nothing was written"


if __name__ == "__main__":
    main()
