"""Code of others as a guest: it leaves generators, settings and threads as they were."""

import contextlib
import random
import threading

import numpy as np
import torch

from sktime_tsd._utils.kept_settings import kept_settings
from sktime_tsd._utils.random import seeded
from sktime_tsd._utils.threads import keep_torch_threads

__all__ = ["SEED_OF_GUESTS", "as_guest"]

#: Guests draw from generators that begin here in every call: equal series, equal answers.
SEED_OF_GUESTS = 0


class _Generators:
    """Seeds numpy's and Python's global generators, and restores them when nobody is inside.

    Guests in several threads share the generators: whoever leaves last restores what the first
    one found.
    """

    def __init__(self):
        self._lock, self._n_inside, self._of_caller = threading.Lock(), 0, None

    @contextlib.contextmanager
    def seeded(self, seed):
        with self._lock:
            found = np.random.get_state(), random.getstate()  # noqa: NPY002
            if self._n_inside == 0:
                self._of_caller = found
            self._n_inside += 1
        try:
            np.random.seed(seed)  # noqa: NPY002 - the generator that others draw from
            random.seed(seed)
            yield
        finally:
            with self._lock:
                self._n_inside -= 1
                of_numpy, of_python = found if self._n_inside else self._of_caller
                np.random.set_state(of_numpy)  # noqa: NPY002
                random.setstate(of_python)


_generators = _Generators()


@contextlib.contextmanager
def as_guest(seed, *, uses_torch=True):
    """Seed the global generators of torch, numpy and Python, and restore them and settings after.

    torch's number of threads is restored, too.

    Parameters
    ----------
    seed : int
        In ``[0, 2**32 - 1]``.
    uses_torch : bool, default=True
        Whether to seed torch's generator, which only one thread of the process can use at a
        time. False for guests that fit networks of this package, perhaps in threads of their
        own: these seed it themselves. Settings of the process are not restored then.
    """
    turn = seeded(seed, torch.device("cpu")) if uses_torch else contextlib.nullcontext()
    with (
        turn,
        keep_torch_threads(),
        kept_settings(of_process=uses_torch),
        _generators.seeded(seed),
    ):
        yield
