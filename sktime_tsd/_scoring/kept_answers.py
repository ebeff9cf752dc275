"""Answers of a classifier, kept on disk chunk by chunk."""

import contextlib

from sktime_tsd._scoring.chunks import indices
from sktime_tsd._utils.fingerprint import fingerprint

__all__ = ["KeptAnswers", "cached"]


# Cached: equal keys, equal results.
def _result(key, compute):
    return compute()


def cached(memory, **options):
    """Return a function that computes what its key has not been computed for.

    Parameters
    ----------
    memory : joblib.Memory
    **options
        Passed to ``memory.cache``.

    Returns
    -------
    function : callable
        ``function(key, compute)`` returns ``compute()``, or the result kept under the key. A
        file that cannot be read counts as none.
    """
    return memory.cache(_result, ignore=["compute"], verbose=0, **options)


class _UnreadableError(Exception):
    pass


def _refuse():
    raise _UnreadableError


class KeptAnswers:
    """Keeps the answers to each chunk, by its content.

    A key names the classifier, the series and the windows with the values that fill them. Equal
    chunks have equal keys, wherever they lie in a training set or a bank.

    Parameters
    ----------
    key : str
        Identifies the classifier.
    X : torch.Tensor of shape (n_instances, n_channels, n_timepoints)
    bank : WindowBank or None
    memory : joblib.Memory or None
        None keeps nothing.
    """

    def __init__(self, key, X, bank, memory):
        self._X, self._bank = X, bank
        # few numbers each: as files mapped into memory they would only take longer
        self._cached = None if memory is None else cached(memory, mmap_mode=None)
        self._classifier = key
        self._of_series = {}
        self._missing = {}

    def find(self, chunk):
        """Return the answers to a chunk.

        Parameters
        ----------
        chunk : Chunk

        Returns
        -------
        answers : numpy.ndarray or None
            None if they are not kept, or their file cannot be read.
        """
        if self._cached is None:
            return None
        key = self._key(chunk)
        if self._cached.check_call_in_cache(key, None):
            with contextlib.suppress(_UnreadableError):
                return self._cached(key, _refuse)
        self._missing[chunk] = key
        return None

    def keep(self, chunk, answers):
        """Keep the answers to a chunk that was not found.

        Parameters
        ----------
        chunk : Chunk
        answers : numpy.ndarray
        """
        if self._cached is not None:
            self._cached(self._missing.pop(chunk), lambda: answers)

    def _key(self, chunk):
        part = chunk.first, chunk.stop
        if part not in self._of_series:
            self._of_series[part] = fingerprint(self._classifier, self._X[slice(*part)])
        if chunk.entry is None:
            return self._of_series[part]
        windows = self._bank.windows(self._X, *indices(chunk))
        return fingerprint(self._of_series[part], *windows)
