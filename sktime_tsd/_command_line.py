"""What the commands have in common."""

import argparse

__all__ = ["INTERRUPTED", "positive"]

#: Exit status of a command that Ctrl-C has ended, as the shell's own.
INTERRUPTED = 130


def positive(text):
    """Read a whole number from 1 on.

    Parameters
    ----------
    text : str

    Returns
    -------
    number : int

    Raises
    ------
    argparse.ArgumentTypeError
        If it is none.
    """
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 on, got {text}")
    return int(text)
