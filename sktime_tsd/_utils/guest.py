"""Code of others as a guest: it leaves generators and threads as they were."""

import contextlib
import random

import numpy as np
import torch

from sktime_tsd._utils.random import seeded
from sktime_tsd._utils.threads import keep_torch_threads

__all__ = ["SEED_OF_GUESTS", "as_guest"]

#: Guests draw from generators that begin here in every call: equal series, equal answers.
SEED_OF_GUESTS = 0


@contextlib.contextmanager
def as_guest(seed, *, uses_torch=True):
    """Seed the global generators of torch, numpy and Python, and restore all of them after.

    torch's number of threads is restored, too.

    Parameters
    ----------
    seed : int
        In ``[0, 2**32 - 1]``.
    uses_torch : bool, default=True
        Whether to seed torch's generator, which only one thread of the process can use at a
        time. False for guests that fit networks of this package, perhaps in threads of their
        own: these seed it themselves.
    """
    turn = seeded(seed, torch.device("cpu")) if uses_torch else contextlib.nullcontext()
    with turn, keep_torch_threads():
        of_numpy, of_python = np.random.get_state(), random.getstate()  # noqa: NPY002
        try:
            np.random.seed(seed)  # noqa: NPY002 - the generator that others draw from
            random.seed(seed)
            yield
        finally:
            np.random.set_state(of_numpy)  # noqa: NPY002
            random.setstate(of_python)
