"""Says that work will take long, once that is known."""

import contextlib
import contextvars
import logging
import math
import time

__all__ = ["LongWork", "timed"]

# Work that lasts less than this in all is not worth a word, nor is a rest of less than that.
_LONG, _LEAST_REST = 60.0, 15.0

# What was seen must last so long before the rest is estimated from it.
_LEAST_SEEN = 2.0

_began = contextvars.ContextVar("began", default=None)


@contextlib.contextmanager
def timed(clock=None):
    """Count what is done inside as parts of one work; nested ones count as the outermost.

    Parameters
    ----------
    clock : callable, optional
        Returns seconds. Default: ``time.monotonic``.
    """
    clock = clock or time.monotonic
    token = _began.set(clock()) if _began.get() is None else None
    try:
        yield
    finally:
        if token is not None:
            _began.reset(token)


class LongWork:
    """Estimates from the steps done how long the rest will take, and says so once, if it is long.

    What was done before, since `timed` was entered, counts too. It writes to the logger
    ``sktime_tsd``, with level WARNING, as Python shows lower levels to nobody who has not asked for
    them. It does not warn: that the work is long depends on the machine, and test suites turn
    warnings into errors.

    Parameters
    ----------
    name : str
        What takes long, such as "Training the student".
    n_steps : int
        Of the whole work, all alike.
    n_warm_up : int, default=0
        First steps that are slower than the others and tell nothing.
    clock : callable, optional
        Returns seconds. Default: ``time.monotonic``.

    Examples
    --------
    >>> from sktime_tsd._utils.long_work import LongWork
    >>> seconds = iter([0, 3]).__next__
    >>> work = LongWork("Counting", 100, clock=seconds)
    >>> work.advance()
    >>> work.hint
    'Counting takes about 5 minutes more; verbose=1 shows how far it is, verbose=0 is silent.'
    """

    def __init__(self, name, n_steps, *, n_warm_up=0, clock=None):
        self._name = name
        self._n_steps = n_steps
        self._n_warm_up = n_warm_up
        self._clock = clock or time.monotonic
        self._n_done = 0
        self._start = self._clock()
        #: What was said; None if nothing yet.
        self.hint = None

    def advance(self, n_steps=1):
        """Count steps that were done, and give the hint if the rest will take long.

        Parameters
        ----------
        n_steps : int, default=1
        """
        self._n_done += n_steps
        if self._n_warm_up >= self._n_done:
            self._start = self._clock()
            return
        if self.hint is not None or self._n_done >= self._n_steps:
            return
        now = self._clock()
        seen = now - self._start
        rest = seen / (self._n_done - self._n_warm_up) * (self._n_steps - self._n_done)
        began = _began.get()
        so_far = now - (self._start if began is None else began)
        if seen >= _LEAST_SEEN and rest >= _LEAST_REST and so_far + rest >= _LONG:
            self.hint = (
                f"{self._name} takes about {_rounded(rest)} more; verbose=1 shows how far it is, "
                "verbose=0 is silent."
            )
            logging.getLogger("sktime_tsd").warning(self.hint)


def _rounded(seconds):
    if seconds < 90:
        return f"{math.ceil(seconds / 10) * 10} seconds"
    if seconds < 5400:
        return f"{round(seconds / 60)} minutes"
    return f"{round(seconds / 3600)} hours"
