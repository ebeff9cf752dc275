"""Parser, number types and exit status that the commands share."""

import argparse

import sktime_tsd

__all__ = ["INTERRUPTED", "Parser", "positive", "whole_number"]

#: Exit status of a command stopped by Ctrl-C, the same as in a shell.
INTERRUPTED = 130


class Parser(argparse.ArgumentParser):
    """Argument parser that knows the version and reports an error in one line."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        version = f"sktime_tsd {sktime_tsd.__version__}"
        self.add_argument("--version", action="version", version=version)

    def error(self, message):
        """Print the message, which names an option, and exit with status 2."""
        hint = "" if "--" in message else " (see --help)"
        self.exit(2, f"{self.prog}: error: {' '.join(message.split())}{hint}\n")


def whole_number(low, high=None):
    """Make an argparse type that reads a whole number and checks its range.

    Parameters
    ----------
    low : int
        Smallest number allowed, 0 or more.
    high : int, optional
        Largest number allowed. Default: no limit.

    Returns
    -------
    read : callable
        Takes the text, returns an int; raises ``argparse.ArgumentTypeError`` for anything else.

    Examples
    --------
    >>> from sktime_tsd._cli.command_line import whole_number
    >>> whole_number(1)("12")
    12
    """
    allowed = f"{low} or more" if high is None else f"in {low} .. {high}"

    def read(text):
        number = int(text) if text.isdecimal() else -1
        if number < low or (high is not None and number > high):
            raise argparse.ArgumentTypeError(f"must be a whole number, {allowed}, got {text}")
        return number

    return read


#: argparse type: a whole number, 1 or more.
positive = whole_number(1)
