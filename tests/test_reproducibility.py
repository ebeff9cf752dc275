"""Equal seeds give equal bits, whatever runs beside; global generators are left alone."""

import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch
from helpers import random_panel
from sklearn.ensemble import VotingClassifier
from torch import nn

from sktime_tsd import SaliencyDistilledClassifier, SkorchClassifier, temporal_saliency
from sktime_tsd.losses import KD


def network(random_state=0, **params):
    """A small network whose fit draws weights, batches and a validation split."""
    settings = {"max_epochs": 4, "lr": 1e-2, "validation_fraction": 0.2} | params
    return SkorchClassifier(
        "fcn",
        {"filters": (6,), "kernel_sizes": (3,)},
        random_state=random_state,
        device="cpu",
        **settings,
    )


def distiller(random_state=0, **params):
    """Teacher and student without seeds: theirs come from the distiller's."""
    settings = {"n_windows": 2, "bank_size": 6, "distillation": [KD()]} | params
    return SaliencyDistilledClassifier(
        SkorchClassifier("lstm", {"hidden_size": 4, "num_layers": 2}, max_epochs=3),
        network(None),
        random_state=random_state,
        device="cpu",
        **settings,
    )


MAKERS = {"network": network, "distiller": distiller}
either = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


def fit_predict(make, random_state):
    """Probabilities of new series after a fit."""
    fitted = make(random_state).fit(*random_panel(30))
    return fitted.predict_proba(random_panel(12, seed=1)[0])


def global_states():
    name, keys, *rest = np.random.get_state()  # noqa: NPY002
    return (
        random.getstate(),
        (name, keys.tobytes(), *rest),
        torch.get_rng_state().numpy().tobytes(),
        torch.initial_seed(),
    )


# -- the same seed -----------------------------------------------------------------


@either
def test_two_fits_in_a_process(make):
    np.testing.assert_array_equal(fit_predict(make, 3), fit_predict(make, 3))


@either
def test_second_fit_of_one_object(make):
    clf, (X, y) = make(3), random_panel(30)
    first = clf.fit(X, y).predict_proba(X)
    clf.fit(X[:, :, :9], y[::-1])  # leaves nothing behind

    np.testing.assert_array_equal(clf.fit(X, y).predict_proba(X), first)


@either
def test_state_of_global_generators_does_not_matter(make):
    first = fit_predict(make, 3)
    state = torch.get_rng_state(), np.random.get_state(), random.getstate()  # noqa: NPY002
    try:
        torch.manual_seed(99)
        np.random.seed(99)  # noqa: NPY002
        random.seed(99)
        second = fit_predict(make, 3)
    finally:
        torch.set_rng_state(state[0])
        np.random.set_state(state[1])  # noqa: NPY002
        random.setstate(state[2])

    np.testing.assert_array_equal(first, second)


@either
def test_different_seeds_differ(make):
    results = [fit_predict(make, seed) for seed in (0, 1, 2)]

    for i, one in enumerate(results):
        for other in results[:i]:
            assert np.abs(one - other).max() > 1e-3


@either
def test_zero_is_a_seed_and_none_is_not(make):
    np.testing.assert_array_equal(fit_predict(make, 0), fit_predict(make, 0))
    assert not np.array_equal(fit_predict(make, None), fit_predict(make, None))


@either
def test_random_state_instance_is_a_source_of_seeds(make):
    one = fit_predict(make, np.random.RandomState(3))
    other = fit_predict(make, np.random.RandomState(3))
    different = fit_predict(make, np.random.RandomState(4))

    np.testing.assert_array_equal(one, other)
    assert not np.array_equal(one, different)


@either
def test_random_state_instance_goes_on_from_fit_to_fit(make):
    clf, (X, y) = make(np.random.RandomState(3)), random_panel(30)
    first = clf.fit(X, y).predict_proba(X)

    assert not np.array_equal(clf.fit(X, y).predict_proba(X), first)


def test_seed_of_distiller_reaches_teacher_and_student():
    X, y = random_panel(30)
    one, same, other = (distiller(seed).fit(X, y) for seed in (0, 0, 1))

    for part in ("teacher_", "student_"):
        logits = [getattr(clf, part).predict_logits(X) for clf in (one, same, other)]
        np.testing.assert_array_equal(logits[0], logits[1])
        assert not np.array_equal(logits[0], logits[2])


def test_seed_of_distiller_reaches_the_bank():
    # with teacher and student seeded by themselves, only the bank and its order are left
    def fit(seed):
        clf = distiller(seed).set_params(teacher__random_state=5, student__random_state=5)
        return clf.fit(*random_panel(30)).predict_logits(random_panel(12, seed=1)[0])

    np.testing.assert_array_equal(fit(0), fit(0))
    assert not np.array_equal(fit(0), fit(1))


@either
def test_predictions_do_not_depend_on_the_other_series(make):
    clf, (X, y) = make(0), random_panel(30)
    together = clf.fit(X, y).predict_logits(X)
    one_by_one = np.concatenate([clf.predict_logits(X[i : i + 1]) for i in range(len(X))])

    np.testing.assert_allclose(one_by_one, together, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(clf.predict_logits(X), together)


# -- other processes and threads ---------------------------------------------------

TESTS = Path(__file__).parent
SAVE_PROBABILITIES = """
import sys
import numpy as np
import test_reproducibility as shared

np.savez(sys.argv[1], **{k: shared.fit_predict(make, 3) for k, make in shared.MAKERS.items()})
"""


def run_fresh(script, *arguments, hash_seed="random"):
    """Run a script in a new interpreter with the tests and the package in its path."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)]),
        "PYTHONHASHSEED": hash_seed,
    }
    process = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


def test_fresh_processes(tmp_path):
    hash_seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"  # another than ours
    run_fresh(SAVE_PROBABILITIES, tmp_path / "found.npz", hash_seed=hash_seed)
    found = np.load(tmp_path / "found.npz")
    for name, make in MAKERS.items():
        np.testing.assert_array_equal(found[name], fit_predict(make, 3))


@pytest.mark.timeout(200)
@pytest.mark.parametrize("backend", [pytest.param("loky", marks=pytest.mark.slow), "threading"])
def test_parallel_fits_equal_serial_ones(backend):
    tasks = [(make, seed) for seed in (0, 1, 2) for make in MAKERS.values()]
    serial = [fit_predict(*task) for task in tasks]
    parallel = joblib.Parallel(n_jobs=2, backend=backend)(
        joblib.delayed(fit_predict)(*task) for task in tasks
    )

    for one, other in zip(serial, parallel, strict=True):
        np.testing.assert_array_equal(one, other)


def test_predicting_beside_a_fit():
    # what a server does: predict with one model while the next is trained
    serving = network(1).fit(*random_panel(30))
    X = random_panel(12, seed=1)[0]
    expected, probabilities, stop = serving.predict_proba(X), [], threading.Event()

    def serve():
        while not stop.is_set():
            probabilities.append(serving.predict_proba(X))

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        fitted = fit_predict(distiller, 3)
    finally:
        stop.set()
        thread.join(60)

    np.testing.assert_array_equal(fitted, fit_predict(distiller, 3))
    assert probabilities
    for one in probabilities:
        np.testing.assert_array_equal(one, expected)


@pytest.mark.timeout(60)
def test_two_threads_that_start_together_both_finish():
    together, results = threading.Barrier(2), {}

    def fit(name, seed):
        together.wait(10)
        results[name, seed] = fit_predict(MAKERS[name], seed)

    tasks = [("distiller", 0), ("network", 1)]
    threads = [threading.Thread(target=fit, args=task, daemon=True) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(50)

    assert sorted(results) == tasks
    for (name, seed), probabilities in results.items():
        np.testing.assert_array_equal(probabilities, fit_predict(MAKERS[name], seed))


@pytest.mark.timeout(60)
def test_teacher_that_fits_in_threads():
    def fit(n_jobs):
        members = [("a", network(1)), ("b", network(2)), ("c", network(3))]
        teacher = VotingClassifier(members, voting="soft", n_jobs=n_jobs)
        clf = SaliencyDistilledClassifier(
            teacher, network(None), n_windows=2, bank_size=4, random_state=0
        )
        with joblib.parallel_config(backend="threading"):
            return clf.fit(*random_panel(30)).predict_proba(random_panel(12, seed=1)[0])

    np.testing.assert_array_equal(fit(n_jobs=2), fit(n_jobs=1))


FORK_DURING_A_FIT = """
import multiprocessing
import threading

import numpy as np
import test_reproducibility as shared
from sktime_tsd import SkorchClassifier
from sktime_tsd.networks import FCN

training, forked = threading.Event(), threading.Event()


def slow_network(n_channels, n_timepoints, n_classes):
    training.set()  # called in the midst of a fit, with torch's generator seeded
    assert forked.wait(100)
    return FCN(n_channels, n_timepoints, n_classes, (4,), (3,))


def fit_in_child(queue):
    queue.put({name: shared.fit_predict(make, 3) for name, make in shared.MAKERS.items()})


clf = SkorchClassifier(slow_network, max_epochs=2, random_state=0, device="cpu")
thread = threading.Thread(target=clf.fit, args=shared.random_panel(10))
thread.start()
assert training.wait(100)
context = multiprocessing.get_context("fork")
queue = context.Queue()
child = context.Process(target=fit_in_child, args=(queue,), daemon=True)
child.start()
try:
    results = queue.get(timeout=60)
finally:
    forked.set()
    child.join(10)
    thread.join(60)
assert child.exitcode == 0
assert clf.is_fitted
for name, make in shared.MAKERS.items():
    np.testing.assert_array_equal(results[name], shared.fit_predict(make, 3))
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_process_forked_during_a_fit_can_fit():
    # Python 3.12 and later warn of any fork beside a thread
    run_fresh("import warnings; warnings.simplefilter('ignore')" + FORK_DURING_A_FIT)


# -- global generators -------------------------------------------------------------


@either
@pytest.mark.parametrize(
    "random_state",
    [lambda: None, lambda: 0, lambda: np.random.RandomState(0)],
    ids=["None", "0", "RandomState"],
)
def test_global_generators_are_untouched(make, random_state):
    X, y = random_panel(20)
    states = [global_states()]
    clf = make(random_state())
    states.append(global_states())
    clf.fit(X, y)
    states.append(global_states())
    clf.predict(X)
    clf.predict_proba(X)
    clf.predict_logits(X)
    states.append(global_states())
    temporal_saliency(clf, X[:3], background=X, random_state=random_state())
    states.append(global_states())

    for step, state in zip(("construct", "fit", "predict", "saliency"), states[1:], strict=True):
        assert state == states[0], step


def test_global_generators_are_untouched_by_a_fit_that_fails():
    def failing_network(n_channels, n_timepoints, n_classes):
        torch.rand(3)
        raise ArithmeticError("on purpose")

    before = global_states()
    with pytest.raises(ArithmeticError, match="on purpose"):
        SkorchClassifier(failing_network, random_state=0).fit(*random_panel(10))

    assert global_states() == before
    # nor is the next fit kept waiting
    fit_predict(network, 0)


def network_with_dropout(n_channels, n_timepoints, n_classes):
    return nn.Sequential(
        nn.Flatten(), nn.Dropout(), nn.Linear(n_channels * n_timepoints, n_classes)
    )


def test_draws_of_dropout_follow_the_seed():
    def fit(seed):
        clf = SkorchClassifier(network_with_dropout, max_epochs=3, random_state=seed)
        return clf.fit(*random_panel(30)).predict_proba(random_panel(12, seed=1)[0])

    before = global_states()
    one, same, other = fit(0), fit(0), fit(1)

    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    assert global_states() == before


def test_seed_of_temporal_saliency():
    X, y = random_panel(30)
    clf = network(0).fit(X, y)

    def values(seed):
        saliency = temporal_saliency(clf, X[:5], background=X, n_donors=3, random_state=seed)
        return saliency.values

    np.testing.assert_array_equal(values(0), values(0))
    np.testing.assert_array_equal(
        values(np.random.RandomState(1)), values(np.random.RandomState(1))
    )
    assert not np.array_equal(values(0), values(1))
