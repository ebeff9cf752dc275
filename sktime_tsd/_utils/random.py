"""Seeds: one integer per fit, and a scope that seeds torch with it."""

import contextlib

import numpy as np
import torch
from sklearn.utils import check_random_state

from sktime_tsd._utils.turns import turn

__all__ = ["draw_seed", "seed_unseeded", "seeded"]

_MAX_SEED = 2**31 - 1


def draw_seed(random_state):
    """Draw one integer seed, leaving numpy's global generator untouched.

    Parameters
    ----------
    random_state : None, int or numpy.random.RandomState
        None draws from the operating system's entropy.

    Returns
    -------
    seed : int
        In ``[0, 2**31 - 1)``.

    Raises
    ------
    ValueError
        If `random_state` is of another kind.
    """
    if random_state is None:
        return int(np.random.default_rng().integers(_MAX_SEED))
    return int(check_random_state(random_state).randint(_MAX_SEED))


@contextlib.contextmanager
def seeded(seed, device):
    """Seed torch's generators on the CPU and on `device`, and restore them afterwards.

    One thread at a time: see `turn`.

    Parameters
    ----------
    seed : int
    device : torch.device
    """
    cuda_devices = [device] if device.type == "cuda" else []
    with turn(), torch.random.fork_rng(devices=cuda_devices):
        torch.default_generator.manual_seed(seed)
        for cuda_device in cuda_devices:
            with torch.cuda.device(cuda_device):
                torch.cuda.manual_seed(seed)
        yield


def seed_unseeded(estimator, seed):
    """Set every ``random_state`` of an estimator that is None, including nested ones.

    Parameters
    ----------
    estimator : estimator with ``get_params`` and ``set_params``
        Changed in place.
    seed : int
        Source of the seeds; each parameter gets a different one.
    """
    random_state = check_random_state(seed)
    seeds = {
        name: int(random_state.randint(_MAX_SEED))
        for name, value in sorted(estimator.get_params(deep=True).items())
        if value is None and name.split("__")[-1] == "random_state" and "network__" not in name
    }
    if seeds:
        estimator.set_params(**seeds)
