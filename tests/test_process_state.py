"""Public calls work in whatever state the process is, and leave it as they found it."""

import contextlib
import copy
import io
import logging
import os
import pickle
import random
import subprocess
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import sklearn
import torch
from helpers import distiller, flat, learner, random_panel
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from torch import nn

from sktime_tsd import (
    CascadeClassifier,
    SkorchClassifier,
    fidelity_report,
    load_model,
    save_model,
    temporal_saliency,
    to_onnx,
)
from sktime_tsd._utils.silence import silenced
from sktime_tsd.export._quiet import quietly
from sktime_tsd.losses import KD
from sktime_tsd.runtime import OnnxClassifier

X, Y = random_panel(24)


def state_of_process():
    root, of_torch = logging.getLogger(), logging.getLogger("torch")
    return {
        "streams": (sys.stdin, sys.stdout, sys.stderr),
        "filters": list(warnings.filters),
        "showwarning": warnings.showwarning,
        "root logger": (root.level, list(root.handlers), list(root.filters)),
        "torch's logger": (of_torch.level, list(of_torch.handlers), list(of_torch.filters)),
        "logging": root.manager.disable,
        "default dtype": torch.get_default_dtype(),
        "default device": torch.get_default_device(),
        "gradients": (torch.is_grad_enabled(), torch.is_inference_mode_enabled()),
        "autocast": (torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu")),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "cudnn": (torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic),
        "threads": torch.get_num_threads(),
        "numpy's errors": np.geterr(),
        "torch's generator": torch.get_rng_state().tolist(),
        "numpy's generator": np.random.get_state()[1].tolist(),  # noqa: NPY002
        "Python's generator": random.getstate(),
        "folder": os.getcwd(),
        "excepthook": sys.excepthook,
    }


def changed(before):
    after = state_of_process()
    return {name: (before[name], after[name]) for name in before if before[name] != after[name]}


# -- states ------------------------------------------------------------------------------


@contextlib.contextmanager
def set_and_reset(put, value, before):
    put(value)
    try:
        yield
    finally:
        put(before)


@contextlib.contextmanager
def warnings_as_errors():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@contextlib.contextmanager
def no_stderr():
    with contextlib.redirect_stderr(None):
        yield


@contextlib.contextmanager
def output_as_frames():
    with warnings.catch_warnings(), sklearn.config_context(transform_output="pandas"):
        warnings.filterwarnings("ignore", "When `set_output`")  # of the teacher
        yield


STATES = {
    "default dtype float64": lambda: set_and_reset(
        torch.set_default_dtype, torch.float64, torch.float32
    ),
    "default dtype bfloat16": lambda: set_and_reset(
        torch.set_default_dtype, torch.bfloat16, torch.float32
    ),
    "default device meta": lambda: torch.device("meta"),
    "gradients off": torch.no_grad,
    "inference mode": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "deterministic algorithms": lambda: set_and_reset(
        torch.use_deterministic_algorithms, True, False
    ),
    "numpy raises": lambda: np.errstate(all="raise"),
    "warnings are errors": warnings_as_errors,
    "all is logged": lambda: set_and_reset(logging.getLogger().setLevel, 1, logging.WARNING),
    "no stderr": no_stderr,
    "metadata routing": lambda: sklearn.config_context(enable_metadata_routing=True),
    "output as frames": output_as_frames,
    "two threads": lambda: set_and_reset(torch.set_num_threads, 2, 1),
}


# -- calls -------------------------------------------------------------------------------


class Recurrent(nn.Module):
    """A network from elsewhere, whose forward pass makes tensors."""

    def __init__(self, n_channels, n_timepoints, n_classes):
        super().__init__()
        self.lstm = nn.LSTM(n_channels, 3, batch_first=True)
        self.head = nn.Linear(3, n_classes)
        with torch.no_grad():
            self.head.bias.copy_(torch.linspace(0, 1, n_classes))

    def forward(self, x):
        return self.head(self.lstm(x.transpose(1, 2))[0][:, -1] + torch.zeros(3))


class Calls:
    """Public calls that return numbers, on models made in the usual state."""

    def __init__(self, folder):
        self.folder, self.n_files = folder, 0
        self.network, self.distilled = learner().fit(X, Y), distiller().fit(X, Y)
        self.foreign = SkorchClassifier(Recurrent, max_epochs=1, random_state=0).fit(X, Y)
        self.pickled = pickle.dumps(self.distilled)
        self.saved = save_model(self.network, folder / "saved")
        self.saved_foreign = save_model(self.foreign, folder / "foreign")

    def new_path(self):
        self.n_files += 1
        return self.folder / str(self.n_files)

    def fit(self):
        return learner(validation_fraction=0.3, patience=3).fit(X, Y).predict_proba(X)

    def fit_foreign(self):
        return self.foreign.clone().fit(X, Y).predict_proba(X)

    def distil(self):
        return distiller(distillation=[KD()]).fit(X, Y, X_unlabelled=X).predict_proba(X)

    def distil_tables(self):
        teacher = flat(LogisticRegression())
        clf = distiller(memory=self.folder / "memory").set_params(teacher=teacher)
        return clf.fit(X, Y).predict_proba(X)

    def distil_module(self):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "The teacher .* gives the right label")
            teacher = self.foreign.network_.network
            return distiller().set_params(teacher=teacher).fit(X, Y).predict_proba(X)

    def far_from_zero(self):
        return learner().fit(X + 1e8, Y).predict_proba(X + 1e8)

    def predict(self):
        answers = [self.network.predict_proba(X), self.network.predict_logits(X)]
        return [*answers, self.foreign.predict_proba(X), [self.network.score(X, Y)] * 2]

    def from_module(self):
        module = self.foreign.network_.network
        clf = SkorchClassifier.from_module(module, ["a", "b"], input_shape=(1, 20))
        return clf.predict_proba(X)

    def saliency(self):
        return temporal_saliency(self.network, X).values

    def report(self):
        teacher = self.distilled.teacher_
        options = {"latency": False, "random_state": 0, "n_resamples": 20}
        report = fidelity_report(teacher, self.distilled, X, Y, **options)
        return report.to_frame()[["value", "low", "high"]].to_numpy(float)

    def cascade(self):
        cascade = CascadeClassifier(
            self.network, self.distilled, target_agreement=0.2, confidence_level=0.6
        )
        return cascade.fit(X).predict_proba(X)

    def save_and_load(self):
        return load_model(save_model(self.network, self.new_path())).predict_proba(X)

    def load(self):
        return load_model(self.saved).predict_proba(X)

    def load_foreign(self):
        return load_model(self.saved_foreign, network=Recurrent).predict_proba(X)

    def unpickle(self):
        clf = pickle.loads(self.pickled)
        return [clf.predict_proba(X), copy.deepcopy(clf).fit(X, Y).predict_proba(X)]


CALLS = [name for name, value in vars(Calls).items() if callable(value) and name[0] != "_"]
CALLS.remove("new_path")


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    return Calls(tmp_path_factory.mktemp("calls"))


def numbers(answers):
    return np.concatenate([np.ravel(answer) for answer in answers])


@pytest.fixture(scope="module")
def expected(calls):
    return {name: numbers(getattr(calls, name)()) for name in CALLS}


@pytest.mark.parametrize(
    "state",
    [
        pytest.param(state, marks=pytest.mark.slow) if state == "two threads" else state
        for state in STATES
    ],
)
def test_every_call_works_in_every_state(state, calls, expected):
    for name in CALLS:
        with STATES[state]():
            before = state_of_process()
            found = numbers(getattr(calls, name)())
            assert not changed(before), name
        if state != "two threads":  # its sums are in another order
            np.testing.assert_array_equal(found, expected[name], name)


def export(calls, **options):
    student = OnnxClassifier(to_onnx(calls.network, calls.new_path(), X, **options))
    return student.predict_proba(X)


def test_export_works_in_many_states_at_once(calls):
    expected = calls.network.predict_proba(X)
    together = ["default dtype float64", "inference mode", "autocast", "numpy raises", "no stderr"]
    with contextlib.ExitStack() as stack:
        for state in together:
            stack.enter_context(STATES[state]())
        before = state_of_process()
        np.testing.assert_allclose(export(calls), expected, atol=1e-5)
        assert not changed(before)


@pytest.mark.slow  # a second for each
@pytest.mark.parametrize("state", STATES)
def test_export_works_in_every_state(state, calls):
    expected = calls.network.predict_proba(X)
    with STATES[state]():
        before = state_of_process()
        np.testing.assert_allclose(export(calls), expected, atol=1e-5)
        if state == "all is logged":  # the quantizer logs
            with silenced("The weights keep"):
                np.testing.assert_allclose(export(calls, int8=True), expected, atol=0.05)
        assert not changed(before)


# -- guests ------------------------------------------------------------------------------


class Unruly(ClassifierMixin, BaseEstimator):
    """Sets whatever it can."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self._misbehave()
        return self

    def predict_proba(self, X):
        self._misbehave()
        p = 1 / (1 + np.exp(2 - 4 * X.mean(axis=(1, 2))))
        return np.column_stack([1 - p, p])

    def _misbehave(self):
        warnings.simplefilter("ignore")
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)
        torch.use_deterministic_algorithms(True)
        torch.backends.cudnn.deterministic = True
        torch.manual_seed(3)
        np.seterr(all="ignore")
        np.random.seed(3)  # noqa: NPY002
        random.seed(3)
        logging.getLogger().addHandler(logging.NullHandler())
        logging.getLogger().setLevel(logging.DEBUG)
        logging.disable(logging.INFO)
        sys.stderr = io.StringIO()


def test_an_unruly_teacher_leaves_no_trace():
    before = state_of_process()
    clf = distiller().set_params(teacher=Unruly()).fit(X, Y)
    assert not changed(before)
    assert clf.score(X, Y) > 0.8


# -- threads -----------------------------------------------------------------------------


def in_threads(function, n=4):
    """Call from several threads that start together."""
    start = threading.Barrier(n)

    def run(_):
        start.wait()
        return function()

    with ThreadPoolExecutor(n) as threads:
        return list(threads.map(run, range(n)))


# distil_module changes filters by itself, which threads share; far_from_zero is like fit
@pytest.mark.parametrize("name", [c for c in CALLS if c not in ("distil_module", "far_from_zero")])
def test_four_threads_answer_as_one(name, calls, expected):
    before = state_of_process()
    for found in in_threads(getattr(calls, name)):
        np.testing.assert_array_equal(numbers(found), expected[name])
    assert not changed(before)


def test_threads_share_the_default_dtype(calls, expected):
    with STATES["default dtype float64"]():
        for found in in_threads(calls.load_foreign, 8):
            np.testing.assert_array_equal(numbers(found), expected["load_foreign"])
        assert torch.get_default_dtype() == torch.float64


@pytest.mark.slow
def test_four_threads_export_as_one(calls):
    expected = calls.network.predict_proba(X)
    before = state_of_process()
    paths = iter([calls.new_path() for _ in range(4)])
    take = threading.Lock()

    def run():
        with take:
            path = next(paths)
        return OnnxClassifier(to_onnx(calls.network, path)).predict_proba(X)

    for found in in_threads(run):
        np.testing.assert_allclose(found, expected, atol=1e-5)
    assert not changed(before)


def test_what_is_silenced_is_silenced_in_one_thread(capsys):
    heard, inside, done = [], threading.Event(), threading.Event()
    logger, handler = logging.getLogger("tsd-of-others"), logging.StreamHandler()
    handler.emit = lambda record: heard.append(record.getMessage())
    logger.addHandler(handler)

    def other():
        inside.wait()
        with pytest.warns(UserWarning, match="heard"):
            warnings.warn("heard", UserWarning, stacklevel=1)
        print("printed", file=sys.stderr)
        logger.error("logged")
        done.set()

    thread = threading.Thread(target=other)
    thread.start()
    before = state_of_process()
    with quietly("") as said:
        inside.set()
        done.wait(10)
        warnings.warn("unheard", UserWarning, stacklevel=1)
        print("unheard", file=sys.stderr)
        logging.warning("unheard")
    thread.join()
    logger.removeHandler(handler)
    assert not changed(before)
    assert said == [UserWarning]
    assert heard == ["logged"]
    assert capsys.readouterr().err == "printed\n"


def test_scopes_that_overlap_leave_no_filter():
    before = list(warnings.filters)
    one, two = silenced(), silenced("other")
    one.__enter__(), two.__enter__()
    one.__exit__(None, None, None), two.__exit__(None, None, None)
    assert warnings.filters == before


def test_only_the_message_named_is_silenced():
    with silenced("this", UserWarning):
        warnings.warn("this", UserWarning, stacklevel=1)
        with pytest.raises(UserWarning, match="that"):
            warnings.warn("that", UserWarning, stacklevel=1)


# -- fresh processes -----------------------------------------------------------------------

FRESH = """
import logging, sys, tempfile, warnings
import numpy as np
from sktime_tsd import SkorchClassifier, load_model, save_model, to_onnx
before = list(warnings.filters), list(logging.getLogger().handlers), sys.stderr
X, y = np.random.RandomState(0).randn(20, 1, 20), np.arange(20) % 2
clf = SkorchClassifier("fcn", {"filters": (4,), "kernel_sizes": (3,)}, max_epochs=2).fit(X, y)
folder = tempfile.mkdtemp()
load_model(save_model(clf, folder + "/model")).predict(X)
to_onnx(clf, folder + "/a.onnx", X, int8=True)
assert before == (list(warnings.filters), list(logging.getLogger().handlers), sys.stderr)
logging.basicConfig(filename=folder + "/log", level=logging.INFO)
logging.info("of the application")
assert "of the application" in open(folder + "/log").read()
"""


@pytest.mark.slow
def test_a_fresh_process_is_left_as_found():
    subprocess.run([sys.executable, "-W", "ignore", "-c", FRESH], check=True, timeout=200)


FORK = """
import os, sys, time
import numpy as np, torch
torch.set_num_threads(2)
from sktime_tsd import load_model
clf = load_model(sys.argv[1])
child = os.fork()
if not child:
    clf.predict_proba(np.zeros((20, 1, clf.n_timepoints_)))
    os._exit(0)
for _ in range(200):
    time.sleep(0.05)
    if os.waitpid(child, os.WNOHANG)[0]:
        sys.exit(0)
os.kill(child, 9)
sys.exit("the child hangs")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.parametrize(
    "network",
    [
        pytest.param(("fcn", {"filters": (8, 16, 8)}, 150), id="small"),
        pytest.param(("fcn", {"filters": (64, 128, 64)}, 1000), id="large", marks=pytest.mark.slow),
        pytest.param(("lstm", {"hidden_size": 128}, 200), id="lstm", marks=pytest.mark.slow),
        pytest.param(("inception_time", {}, 500), id="inception", marks=pytest.mark.slow),
    ],
)
def test_a_process_that_has_loaded_a_model_can_be_forked(network, tmp_path):
    kind, params, n_timepoints = network
    clf = SkorchClassifier(kind, params, max_epochs=1, random_state=0)
    X, y = random_panel(4, n_timepoints=n_timepoints)
    folder = save_model(clf.fit(X, y), tmp_path / "model")
    environment = {k: v for k, v in os.environ.items() if k != "OMP_NUM_THREADS"}
    command = [sys.executable, "-c", FORK, folder]
    subprocess.run(command, check=True, timeout=100, env=environment)
