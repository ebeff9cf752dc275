"""Silence warnings, log messages and stderr of other libraries."""

import io
import logging
import warnings
from contextlib import contextmanager, redirect_stderr

__all__ = ["quietly"]


@contextmanager
def quietly(logger):
    """Suppress warnings, output to stderr, and a logger's messages below the level ERROR.

    Parameters
    ----------
    logger : str
        Name of the logger; "" is the root logger.
    """
    logger = logging.getLogger(logger)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        # on failure, torch.export prints the unfinished program
        with warnings.catch_warnings(), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
