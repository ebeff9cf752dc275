"""``python -m sktime_tsd check``: decide whether a student may take its teacher's place."""

import argparse
import copy
import json
import math
import sys
from pathlib import Path

from sktime_tsd._cli.command_line import INTERRUPTED, Parser, whole_number
from sktime_tsd._cli.model_sources import add_model, open_model
from sktime_tsd._cli.output_file import check_output_option
from sktime_tsd._cli.table_options import add_irregular_options, add_table_options
from sktime_tsd._utils.staged_file import staged_file

__all__ = ["main"]

# Exit status: requirements not met. (2 is an error, as everywhere.)
_NOT_PASSED = 1


def _requirement(text):
    """Read ``name=value``; the report knows the names."""
    name, _, value = text.rpartition("=")
    try:
        asked = float(value)
    except ValueError:
        asked = math.nan
    if not name or not math.isfinite(asked):
        raise argparse.ArgumentTypeError(
            f"must be NAME=NUMBER, such as top_1_agreement=0.95, got {text!r}"
        )
    return name.strip(), asked


def _share(text):
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0 < share < 1:
        raise argparse.ArgumentTypeError(f"must be a number between 0 and 1, got {text}")
    return share


def _parser():
    parser = Parser(
        prog="python -m sktime_tsd check",
        description="Compare a student with its teacher on new series and decide whether it may "
        "take the teacher's place. Exit status: 0 if all requirements are met, 1 if not, 2 if the "
        "check cannot be run.",
    )
    add_model(parser)
    parser.add_argument(
        "--teacher",
        type=Path,
        required=True,
        metavar="MODEL",
        help="the teacher, in any form that MODEL may have",
    )
    parser.add_argument(
        "--teacher-network", metavar="MODULE:NAME", help="as --network, for the teacher"
    )
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="FILE",
        help="series that neither model was fitted on, with or without labels: a .ts, .csv, .tsv, "
        ".txt, .npy, .npz, .parquet or .arff file",
    )
    parser.add_argument(
        "--background",
        type=Path,
        metavar="FILE",
        help="series from which saliency takes its fillings, usually the training series "
        "(default: those of --data)",
    )
    parser.add_argument(
        "--require",
        type=_requirement,
        nargs="+",
        action="extend",
        required=True,
        metavar="NAME=NUMBER",
        help="at least this where higher is better, at most where lower is, such as "
        "top_1_agreement=0.95 kl_divergence=0.1 saliency_spearman=0.6",
    )
    parser.add_argument(
        "--confidence-level",
        type=_share,
        default=0.95,
        help="of the intervals (default: %(default)s)",
    )
    parser.add_argument(
        "--saliency-series",
        type=whole_number(0),
        default=200,
        metavar="N",
        help="most series whose saliency is compared, 0 for none (default: %(default)s)",
    )
    parser.add_argument("--seed", type=whole_number(0, 2**32 - 1), default=0)
    parser.add_argument("--out", type=Path, help="JSON file to write")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing file")
    add_irregular_options(parser, "the length on which the models were fitted")
    add_table_options(parser)
    return parser


def main(arguments):
    """Compare, decide, and exit with the status of the decision.

    Parameters
    ----------
    arguments : list of str
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    names = [name for name, _ in options.require]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        parser.error(f"--require names {twice[0]} twice")
    try:
        inputs = [options.model, options.teacher, options.data, options.background]
        check_output_option(options, [path for path in inputs if path is not None])
    except (OSError, ValueError) as error:
        parser.error(str(error))

    from sktime_tsd._cli.data_file import read_data
    from sktime_tsd._cli.model_input import in_options, model_input
    from sktime_tsd.fidelity import fidelity_report
    from sktime_tsd.fidelity._common_reader import common_reader
    from sktime_tsd.fidelity._verdict import check_names

    try:
        check_names(names)  # a report can take minutes
        student, teacher = open_model(options), open_model(_of_teacher(options))
        _check_same_channels(teacher, student)
        reader = common_reader(teacher, student)
        data = read_data(options.data, options)
        X = model_input(data, reader, options, options.data)
        background = None
        if options.background is not None:
            read = read_data(options.background, options)
            background = model_input(read, reader, options, options.background)
            labels = _in_type_of(teacher, read.y)
            background = background if labels is None else (background, labels)
        report = fidelity_report(
            teacher,
            student,
            X,
            _in_type_of(teacher, data.y),
            background=background,
            max_saliency_instances=options.saliency_series,
            confidence_level=options.confidence_level,
            random_state=options.seed,
        )
        verdict = report.check(**dict(options.require))
        if options.out is not None:
            with staged_file(options.out) as path:
                path.write_text(_as_json(verdict, report, options), encoding="utf-8")
    except KeyboardInterrupt:
        parser.exit(INTERRUPTED, "\nStopped; nothing was written.\n")
    except Exception as error:  # a model from a trusted pickle can raise anything
        parser.error(in_options(str(error)) or type(error).__name__)
    print(f"{report}\n\n{verdict}")
    if not verdict.passed:
        sys.exit(_NOT_PASSED)


def _of_teacher(options):
    """Put the teacher in the student's place."""
    changed = copy.copy(options)
    changed.model, changed.network = options.teacher, options.teacher_network
    return changed


def _check_same_channels(teacher, student):
    """Refuse models of which each would read the file's columns in another order."""
    from sktime_tsd._panels.panel import by_position, channel_names

    of_teacher, of_student = channel_names(teacher), channel_names(student)
    if of_teacher != of_student and not by_position(of_teacher, of_student):
        both = [", ".join(map(str, names)) for names in (of_teacher, of_student)]
        raise ValueError(
            f"the teacher was fitted on the channels {both[0]}, the student on {both[1]}: fit both "
            "on the same columns in one order"
        )


def _in_type_of(model, labels):
    """Convert labels, which are text in most files, to the type of those that the model knows."""
    classes = getattr(model, "classes_", None)
    if labels is None or classes is None:
        return labels
    import numpy as np

    classes = np.asarray(classes)
    known = {str(label): label for label in classes.tolist()}
    if not {str(label) for label in labels.tolist()} <= known.keys():
        return labels  # the report says which it does not know
    return np.array([known[str(label)] for label in labels.tolist()], dtype=classes.dtype)


def _as_json(verdict, report, options):
    """Write down what a pipeline wants to know."""
    found = {
        "student": str(options.model),
        "teacher": str(options.teacher),
        "data": str(options.data),
        "n_series": len(report.samples),
        "confidence_level": options.confidence_level,
        "verdict": verdict.to_dict(),
        "metrics": report.to_dict(),
    }
    return json.dumps(found, indent=2, allow_nan=False) + "\n"
