"""Fixtures of all tests."""

import contextlib
import gc

import pytest
import torch
from c_programs import needs_compiler
from helpers import distiller, learner, random_panel

from sktime_tsd.datasets import load_dataset


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


@pytest.fixture(params=[learner, distiller], ids=["network", "distiller"])
def classifier(request):
    return request.param()


@pytest.fixture
def train():
    return random_panel(40)


@pytest.fixture
def test():
    return random_panel(30, seed=1)


def pytest_configure(config):
    """Let the pages of the guide open as many figures as they like."""
    with contextlib.suppress(ImportError):
        import matplotlib

        matplotlib.rcParams["figure.max_open_warning"] = 0


def pytest_collection_finish(session):
    """Keep what was imported out of garbage collections: it stays, and takes half a second each."""
    gc.collect()
    gc.freeze()


# examples that would warn without a C compiler
IN_C = {"docs/user_guide/microcontroller.md", "sktime_tsd/export/c/_to_c.py"}

# the README and the other pages stay among the quick tests
LONG_PAGES = {"docs/user_guide/fidelity.md", "docs/user_guide/terms.md"}


def pytest_collection_modifyitems(config, items):
    pages = {config.rootpath / page for page in LONG_PAGES}
    in_c = {config.rootpath / path for path in IN_C}
    for item in items:
        if item.path in pages:
            item.add_marker(pytest.mark.slow)
        if item.path in in_c:
            item.add_marker(needs_compiler)
