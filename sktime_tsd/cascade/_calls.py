"""Counts calls from any number of threads."""

import threading

__all__ = ["Calls"]


class Calls:
    """Number of series that a model was asked for.

    Parameters
    ----------
    n : int, default=0
    """

    def __init__(self, n=0):
        self.n = n
        self._lock = threading.Lock()

    def add(self, n):
        """Count further series.

        Parameters
        ----------
        n : int
        """
        with self._lock:
            self.n += n

    def __reduce__(self):
        """Leave the lock out: it cannot be pickled."""
        return Calls, (self.n,)
