"""``python -m sktime_tsd``: distil a real classifier, or use what was distilled."""

import argparse
import importlib
import sys
from pathlib import Path

from sktime_tsd._cli.command_line import INTERRUPTED, Parser, positive

# Other commands, and their modules.
_COMMANDS = {"export": "export_command", "predict": "predict_command"}

# What the parser offers, known without importing torch; a test keeps it in step.
_TEACHERS = ("inception_time", "lstm", "minirocket")
_STUDENTS = ("fcn", "lstm")
_METHODS = ("ce", "kd", "dkd", "fitnets", "at", "rkd", "vid", "dt2w", "memkd", "tsd")

_FORMATS = {
    "parameters": "{:,.0f}",
    "pickle kB": "{:,.1f}",
    "accuracy": "{:.3f}",
    "AUC-PRC": "{:.3f}",
    "agreement": "{:.3f}",
    "KL": "{:.3f}",
    "saliency corr.": "{:.3f}",
    "fit s": "{:.1f}",
}


def _seed(text):
    if not (text.isdecimal() and int(text) < 2**32):
        raise argparse.ArgumentTypeError(f"must be a whole number in 0 .. {2**32 - 1}, got {text}")
    return int(text)


def _folder(text):
    path = Path(text)
    if path.exists() and not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is a file; name a folder")
    return path


def _parser():
    parser = Parser(
        prog="python -m sktime_tsd",
        description="Fit a teacher, then the same small student several ways: by default alone "
        "(ce), by knowledge distillation (kd), by temporal saliency distillation (tsd). "
        "Other commands, each with --help: "
        + ", ".join(f"python -m sktime_tsd {name}" for name in _COMMANDS),
    )
    parser.add_argument(
        "--dataset",
        default="GunPoint",
        help="a set inside sktime (default: GunPoint), or a folder of --data-dir",
    )
    parser.add_argument(
        "--data-dir", type=_folder, help="folder of UCR/UEA sets: NAME/NAME_TRAIN.ts, _TEST.ts"
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
        help=f"joined by commas, of {', '.join(_METHODS)}, and several of these at once, such as "
        "kd+tsd (default: ce,kd,tsd); the last one's student is reported on and kept",
    )
    parser.add_argument("--seed", type=_seed, default=0)
    parser.add_argument(
        "--threads",
        type=positive,
        default=1,
        help="of torch (default: 1; networks as small as these gain little from more, and wait "
        "long for each other where other work runs)",
    )
    parser.add_argument(
        "--out",
        type=_folder,
        help="folder for the student, the tables and, with matplotlib, pictures",
    )
    return parser


def _format(table):
    """Lay the table out for a terminal."""
    formatted = table.copy().astype(object)
    for column, form in _FORMATS.items():
        formatted[column] = [
            "-" if value != value else form.format(value) for value in table[column]
        ]
    formatted.index.name = None
    return formatted.to_string()


def main(arguments=None):
    """Run the demonstration, or the command that comes first.

    Parameters
    ----------
    arguments : list of str, optional
        Default: those of the command line.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments and arguments[0] in _COMMANDS:
        importlib.import_module(f"sktime_tsd._cli.{_COMMANDS[arguments[0]]}").main(arguments[1:])
        return
    parser = _parser()
    options = parser.parse_args(arguments)

    import torch

    from sktime_tsd._cli.demonstration import load_data, parse_methods, run_demonstration
    from sktime_tsd._cli.models import check_teacher
    from sktime_tsd._utils.threads import keep_torch_threads

    # what can be wrong with the options is found before anything is fitted
    try:
        methods = parse_methods(options.methods)
        check_teacher(options.teacher, methods)
        data = load_data(options.dataset, options.data_dir)
        if options.out is not None:
            options.out.mkdir(parents=True, exist_ok=True)
    except (ValueError, OSError) as error:
        parser.error(str(error))
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
        "agreement, KL and saliency correlation are with the teacher, on the test series; "
        "lower KL is better.\n"
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
