"""Data and small estimators that the tests share."""

import numpy as np
import pytest
import torch

from sktime_tsd import SaliencyDistilledClassifier, SkorchClassifier
from sktime_tsd.datasets import load_dataset

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def unit_test():
    """UnitTest of sktime: X_train, y_train, X_test, y_test; 20/22 series of 24 points."""
    return (*load_dataset("UnitTest", split="train"), *load_dataset("UnitTest", split="test"))


@pytest.fixture(scope="session")
def gunpoint():
    return (*load_dataset("GunPoint", split="train"), *load_dataset("GunPoint", split="test"))


@pytest.fixture(autouse=True)
def one_thread():
    """MiniRocket's numba sets the number of threads of torch, too."""
    yield
    torch.set_num_threads(1)


def random_panel(n_instances, n_channels=1, n_timepoints=20, n_classes=2, seed=0):
    """Series of which each class has its own level, and string labels."""
    rng = np.random.RandomState(seed)
    y = np.arange(n_instances) % n_classes
    X = rng.standard_normal((n_instances, n_channels, n_timepoints)) + y[:, None, None]
    return X, np.array([f"class {label:02d}" for label in y])


def learner(**params):
    """A network that learns the panels below in a tenth of a second."""
    settings = {"max_epochs": 10, "lr": 3e-2, "random_state": 0} | params
    return SkorchClassifier("fcn", {"filters": (8,), "kernel_sizes": (3,)}, **settings)


def distiller(**params):
    settings = {"n_windows": 2, "bank_size": 4, "random_state": 0} | params
    return SaliencyDistilledClassifier(learner(), learner(), **settings)


@pytest.fixture(params=[learner, distiller], ids=["network", "distiller"])
def classifier(request):
    return request.param()


@pytest.fixture
def train():
    return random_panel(40)


@pytest.fixture
def test():
    return random_panel(30, seed=1)
