"""Code of others as a guest: it leaves generators and threads as they were."""

import contextlib
import random

import numpy as np
import torch

from sktime_tsd._utils.threads import keep_torch_threads

__all__ = ["as_guest"]


@contextlib.contextmanager
def as_guest(seed):
    """Seed the global generators of torch, numpy and Python, and restore all of them after.

    torch's number of threads is restored, too. No lock is held: a guest may start threads that
    fit networks of this package.

    Parameters
    ----------
    seed : int
        In ``[0, 2**32 - 1]``.
    """
    of_numpy, of_python = np.random.get_state(), random.getstate()  # noqa: NPY002
    try:
        with torch.random.fork_rng(devices=[]), keep_torch_threads():
            torch.default_generator.manual_seed(seed)
            np.random.seed(seed)  # noqa: NPY002 - the generator that others draw from
            random.seed(seed)
            yield
    finally:
        np.random.set_state(of_numpy)  # noqa: NPY002
        random.setstate(of_python)
