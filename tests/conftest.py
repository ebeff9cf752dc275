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


@pytest.fixture
def tiny_student():
    return SkorchClassifier("fcn", {"filters": (4,), "kernel_sizes": (3,)}, max_epochs=3)


@pytest.fixture
def tiny_teacher():
    return SkorchClassifier("lstm", {"hidden_size": 4, "num_layers": 1}, max_epochs=3)


@pytest.fixture
def tiny_distiller(tiny_teacher, tiny_student):
    """An unfitted distiller that fits in well under a second."""
    return SaliencyDistilledClassifier(
        tiny_teacher, tiny_student, n_windows=2, bank_size=4, random_state=0
    )


def random_panel(n_instances, n_channels=1, n_timepoints=20, n_classes=2, seed=0):
    """Series of which each class has its own level, and string labels."""
    rng = np.random.RandomState(seed)
    y = np.arange(n_instances) % n_classes
    X = rng.standard_normal((n_instances, n_channels, n_timepoints)) + y[:, None, None]
    return X, np.array([f"class {label:02d}" for label in y])
