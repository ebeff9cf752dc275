"""Keeping to oneself what libraries say while they work."""

import logging
import warnings
from contextlib import contextmanager

__all__ = ["quietly"]


@contextmanager
def quietly(logger):
    """Leave out warnings, and what a logger says below an error.

    Parameters
    ----------
    logger : str
        Its name; "" is the root.
    """
    logger = logging.getLogger(logger)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
