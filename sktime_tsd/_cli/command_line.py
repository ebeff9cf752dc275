"""What the commands have in common."""

import argparse

__all__ = ["INTERRUPTED", "Parser", "positive"]

#: Exit status of a command that Ctrl-C has ended, as the shell's own.
INTERRUPTED = 130


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message):
        """End the command with the message."""
        self.exit(2, f"{self.prog}: error: {' '.join(message.split())}\n")


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
