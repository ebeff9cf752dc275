"""Keeping to oneself what libraries say while they work."""

import io
import logging
import warnings
from contextlib import contextmanager, redirect_stderr

__all__ = ["quietly"]


@contextmanager
def quietly(logger):
    """Leave out warnings, what is printed as one, and what a logger says below an error.

    Parameters
    ----------
    logger : str
        Its name; "" is the root.
    """
    logger = logging.getLogger(logger)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        # torch.export prints the program it could not finish
        with warnings.catch_warnings(), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
