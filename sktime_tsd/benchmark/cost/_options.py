"""Command-line options shared by the cost commands."""

import argparse
import contextlib
from pathlib import Path

import torch

from sktime_tsd._cli.command_line import Parser, whole_number
from sktime_tsd._utils.threads import keep_torch_threads
from sktime_tsd._utils.validation import resolve_device

__all__ = ["add_csv", "add_device", "add_number", "add_threads", "cost_parser", "torch_threads"]


def cost_parser(command, description):
    """Make the parser of a cost command.

    Parameters
    ----------
    command : str
        Name of its module.
    description : str

    Returns
    -------
    parser : Parser
    """
    prog = f"python -m sktime_tsd.benchmark.cost.{command}"
    return Parser(prog=prog, description=description)


def add_number(parser, option, default, what, *, low=1):
    """Add an option that takes a whole number.

    Parameters
    ----------
    parser : Parser
    option : str
        Such as "--repeats".
    default : int or None
        None if `what` describes the default.
    what : str
        Help text.
    low : int, default=1
        Smallest number allowed.
    """
    text = what if default is None else f"{what} (default: %(default)s)"
    parser.add_argument(option, type=whole_number(low), default=default, help=text)


def add_threads(parser):
    """Add ``--threads``, for `torch_threads`.

    Parameters
    ----------
    parser : Parser
    """
    add_number(parser, "--threads", 1, "torch threads")


def add_device(parser):
    """Add ``--device``; the option's value is a `torch.device`.

    Parameters
    ----------
    parser : Parser
    """
    parser.add_argument(
        "--device", type=_device, default="cpu", help="cpu or cuda (default: %(default)s)"
    )


def add_csv(parser, *, required=False, what="also write the table to this CSV file"):
    """Add ``--csv``, a file in an existing folder.

    Parameters
    ----------
    parser : Parser
    required : bool, default=False
    what : str, optional
        Help text.
    """
    parser.add_argument("--csv", type=_csv_path, required=required, help=what)


@contextlib.contextmanager
def torch_threads(n_threads):
    """Set torch's number of threads, and restore it afterwards.

    Parameters
    ----------
    n_threads : int
    """
    with keep_torch_threads():
        torch.set_num_threads(n_threads)
        yield


def _device(text):
    try:
        return resolve_device(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _csv_path(text):
    path = Path(text)
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"{path} is a folder; name a CSV file")
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(
            f"{path}: there is no folder {path.parent}; create it first"
        )
    return path
