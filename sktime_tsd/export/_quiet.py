"""Silence what other libraries say, in this thread alone."""

import contextlib
import logging
import sys
import threading

from sktime_tsd._utils.silence import silenced
from sktime_tsd._utils.turns import turn

__all__ = ["quietly"]


@contextlib.contextmanager
def quietly(logger):
    """Suppress this thread's warnings and output, and a logger's messages below ERROR.

    Only one thread at a time is here. What others print, log and warn of is not affected, except
    messages of `logger`.

    Parameters
    ----------
    logger : str
        Name of the logger; "" is the root logger, of which this thread's own messages alone are
        suppressed.

    Yields
    ------
    said : list of type
        Categories of the warnings that were suppressed.
    """
    silence = _silent_root() if not logger else _silent_logger(logging.getLogger(logger))
    # on failure, torch.export prints the unfinished program
    with turn(), silence, _silent_stream("stderr"), _silent_stream("stdout"), silenced() as said:
        yield said


@contextlib.contextmanager
def _silent_logger(logger):
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        if logger.level == logging.ERROR:  # not if somebody else has set it since
            logger.setLevel(level)


@contextlib.contextmanager
def _silent_root():
    """Suppress what this thread logs through the root logger.

    With no handler there, ``logging.warning`` would install one for good, and the application's
    own ``logging.basicConfig`` would be without effect.
    """
    thread, root = threading.get_ident(), logging.getLogger()

    def is_of_others(record):
        return record.thread != thread or record.levelno >= logging.ERROR

    placeholder = logging.NullHandler()
    root.addFilter(is_of_others)
    root.addHandler(placeholder)
    try:
        yield
    finally:
        root.removeHandler(placeholder)
        root.removeFilter(is_of_others)


@contextlib.contextmanager
def _silent_stream(name):
    stream = getattr(sys, name)
    if stream is None:  # as in programs without a terminal
        yield
        return
    silent = _SilentHere(stream)
    setattr(sys, name, silent)
    try:
        yield
    finally:
        silent.thread = None
        if getattr(sys, name) is silent:  # not if somebody else has replaced it since
            setattr(sys, name, stream)


class _SilentHere:
    """A stream that drops what one thread writes."""

    def __init__(self, stream):
        self._stream = stream
        self.thread = threading.get_ident()

    def write(self, text):
        if threading.get_ident() == self.thread:
            return len(text)
        return self._stream.write(text)

    def writelines(self, lines):
        for line in lines:
            self.write(line)

    def __getattr__(self, name):
        return getattr(self._stream, name)
