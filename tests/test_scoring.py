"""A slow teacher: it resumes, is asked in calls of any size, and in several processes."""

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch
from helpers import fcn, flat, random_panel
from joblib._parallel_backends import LokyBackend
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from sktime_tsd import SaliencyDistilledClassifier
from sktime_tsd._scoring.ask import ask
from sktime_tsd._scoring.chunks import chunks_of, grouped, series_of
from sktime_tsd._scoring.scorer_of import scorer_of
from sktime_tsd._scoring.settings import ScoringSettings
from sktime_tsd.losses import KD
from sktime_tsd.perturbations import OpposingClass, WindowBank
from sktime_tsd.teachers import CallableTeacher

# most teachers here are untrained: what is tested needs none that is any good
pytestmark = pytest.mark.filterwarnings("ignore:.*gives the right label to")

X, Y = random_panel(12)
LABELS = np.unique(Y)
BANK_SIZE = 4
N_SERIES = 12 * (1 + BANK_SIZE)
PROBE = 2  # series the teacher is tried on in every fit


def both(X):
    """Probabilities of two classes, by the mean of a series."""
    up = 1 / (1 + np.exp(2 - 4 * X.mean(axis=(1, 2))))
    return np.column_stack([1 - up, up])


class OutageError(ConnectionError):
    """An error of a teacher's own, with more than a message."""

    def __init__(self, code, reason):
        super().__init__(f"{reason} ({code})")
        self.code = code


class Slow:
    """Answers, and writes down what it is asked; breaks down where a file says so."""

    classes_ = LABELS

    def __init__(self, folder):
        self.folder = str(folder)

    def predict_proba(self, X):
        folder = Path(self.folder)
        plan = folder / "plan"
        after, how = json.loads(plan.read_text() if plan.exists() else "[1e9, null]")
        if sum(self.calls()) >= after:
            self.fail(how)
        with (folder / f"asked-{os.getpid()}").open("a") as file:
            file.write(f"{len(X)}\n")
        return both(X)

    def fail(self, how):
        if how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if how == "ctrl-c":
            raise KeyboardInterrupt
        if how == "simple":
            raise ConnectionError("no route")
        raise OutageError(503, "the service is down")

    def calls(self):
        """How many series it was asked for in each call."""
        files = Path(self.folder).glob("asked-*")
        return [int(n) for file in files for n in file.read_text().split()]

    def breaks_after(self, n_series, how="error"):
        """Fail in the first call after it was asked for so many series."""
        (Path(self.folder) / "plan").write_text(json.dumps((n_series, how)))

    def forget(self):
        """Be as new."""
        for file in Path(self.folder).iterdir():
            file.unlink()


class Pausing(Slow):
    def predict_proba(self, X):
        time.sleep(0.3)
        return super().predict_proba(X)


@pytest.fixture
def slow(tmp_path):
    (tmp_path / "teacher").mkdir()
    return Slow(tmp_path / "teacher")


def distil(teacher, **params):
    settings = {"n_windows": 2, "bank_size": BANK_SIZE, "random_state": 0} | params
    return SaliencyDistilledClassifier(teacher, fcn(max_epochs=1), **settings)


# -- resumes -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("batch_size", "after"), [(1, 0), (1, 59), (5, 0), (5, 52), (12, 24), (24, 12), (None, 12)]
)
def test_what_was_answered_before_an_error_is_not_asked_again(batch_size, after, slow, tmp_path):
    clf = distil(slow, memory=tmp_path / "memory", teacher_batch_size=batch_size)
    slow.breaks_after(PROBE + after)
    with pytest.raises(OutageError):
        clf.fit(X, Y)
    answered = sum(slow.calls()) - PROBE
    assert answered < N_SERIES
    slow.forget()
    clf.fit(X, Y)
    assert sum(slow.calls()) == PROBE + N_SERIES - answered
    plain = distil(slow, teacher_batch_size=batch_size).fit(X, Y)
    np.testing.assert_array_equal(clf.predict_logits(X), plain.predict_logits(X))


PROGRAM = """
import sys
import test_scoring
kind, folder, memory, n_jobs = sys.argv[1:]
teacher = getattr(test_scoring, kind)(folder)
clf = test_scoring.distil(teacher, memory=memory, teacher_batch_size=6, n_jobs=int(n_jobs))
clf.fit(test_scoring.X, test_scoring.Y)
"""


def start(teacher, memory, n_jobs=1):
    """Fit in a process of its own."""
    arguments = type(teacher).__name__, teacher.folder, str(memory), str(n_jobs)
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        cwd=Path(__file__).parent,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def test_a_killed_fit_resumes(slow, tmp_path):
    slow.breaks_after(PROBE + 42, "kill")
    process = start(slow, tmp_path / "memory")
    said, _ = process.communicate(timeout=100)
    assert process.returncode == -signal.SIGKILL, said
    assert sum(slow.calls()) == PROBE + 42
    slow.forget()
    distil(slow, memory=tmp_path / "memory", teacher_batch_size=6).fit(X, Y)
    assert sum(slow.calls()) == PROBE + N_SERIES - 42


@pytest.mark.parametrize("content", [b"", b"not a pickle"])
def test_a_torn_file_is_asked_again(content, slow, tmp_path):
    clf = distil(slow, memory=tmp_path / "memory")
    expected = clf.fit(X, Y).predict_logits(X)
    answers = sorted((tmp_path / "memory").rglob("_result/*/output.pkl"))
    assert len(answers) == 1 + BANK_SIZE
    answers[0].write_bytes(content)
    for n_asked in (12, 0):
        slow.forget()
        np.testing.assert_array_equal(clf.fit(X, Y).predict_logits(X), expected)
        assert sum(slow.calls()) == PROBE + n_asked


def test_more_series_ask_for_the_new_ones_only(slow, tmp_path):
    more_X, more_y = random_panel(30)
    settings = {"memory": tmp_path / "memory", "teacher_batch_size": 10}
    clf = distil(slow, saliency_weight=0, distillation=[KD()], **settings)
    clf.fit(more_X[:20], more_y[:20])
    slow.forget()
    clf.fit(more_X, more_y)
    assert sum(slow.calls()) == PROBE + 10


# -- errors --------------------------------------------------------------------------


@pytest.mark.parametrize("memory", [True, False])
def test_the_teachers_own_error_is_shown_with_how_far_it_got(memory, slow, tmp_path):
    clf = distil(slow, memory=tmp_path / "memory" if memory else None, teacher_batch_size=12)
    slow.breaks_after(PROBE + 36)
    with pytest.raises(OutageError, match=r"^the service is down \(503\)") as caught:
        clf.fit(X, Y)
    assert str(caught.value) == "the service is down (503)"
    assert caught.value.code == 503
    (note,) = caught.value.__notes__
    assert "Slow had scored 36 of 60 series" in note
    assert ("same fit again" in note) == memory
    assert ("memory='some/folder'" in note) != memory


def test_the_first_question_says_what_was_asked(slow):
    slow.breaks_after(0)
    with pytest.raises(OutageError, match="503") as caught:
        distil(slow).fit(X, Y)
    assert "Slow" in caught.value.__notes__[0]
    assert "(1 channels, 20 time points)" in caught.value.__notes__[0]


def test_ctrl_c_passes_unchanged(slow, tmp_path):
    clf = distil(slow, memory=tmp_path / "memory", teacher_batch_size=12)
    slow.breaks_after(PROBE + 24, "ctrl-c")
    with pytest.raises(KeyboardInterrupt) as caught:
        clf.fit(X, Y)
    assert not hasattr(caught.value, "__notes__")
    slow.forget()
    clf.fit(X, Y)
    assert sum(slow.calls()) == PROBE + N_SERIES - 24


# -- calls ---------------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [1, 5, 12, 30, 1000])
def test_no_call_has_more_series_than_told(batch_size, slow):
    distil(slow, teacher_batch_size=batch_size).fit(X, Y)
    calls = slow.calls()[1:]
    assert max(calls) <= batch_size
    assert sum(calls) == N_SERIES
    if batch_size > 12:
        assert max(calls) == min(batch_size // 12, BANK_SIZE) * 12


def test_a_function_is_not_asked_for_more_than_it_takes(slow):
    teacher = CallableTeacher(slow.predict_proba, LABELS, batch_size=7)
    distil(teacher, teacher_batch_size=30).fit(X, Y)
    assert max(slow.calls()) == 7
    slow.forget()
    distil(teacher, teacher_batch_size=3).fit(X, Y)
    assert max(slow.calls()) == 3


def make_bank(n_series=12, n_entries=6):
    series, labels = random_panel(n_series)
    series = torch.from_numpy(series).float()
    y = torch.from_numpy(np.unique(labels, return_inverse=True)[1])
    generator = torch.Generator().manual_seed(0)
    bank = WindowBank.draw(
        series, y, OpposingClass(), width=3, n_entries=n_entries, generator=generator
    )
    return series, bank


@pytest.mark.parametrize("size", [1, 5, 12, 100])
def test_chunks_are_all_series_and_copies_each_once(size):
    series, bank = make_bank()
    chunks = chunks_of(series, 6, size)
    calls = grouped(chunks, 2 * size)
    assert [chunk for call in calls for chunk in call] == chunks
    scored = torch.cat([series_of(call, series, bank) for call in calls])
    copies = bank.perturb(series, torch.arange(12), slice(None))
    assert torch.equal(scored, torch.cat([series, copies.transpose(0, 1).flatten(0, 1)]))


def test_the_answers_do_not_depend_on_the_calls(slow):
    series, bank = make_bank()
    expected = ask(scorer_of(slow), series, bank, ScoringSettings())
    copies = bank.perturb(series, torch.arange(12), slice(None)).flatten(0, 1)
    np.testing.assert_allclose(
        expected[1].flatten(0, 1), np.log(both(copies.numpy().astype(float))), rtol=1e-6
    )
    for batch_size in (1, 5, 30):
        found = ask(scorer_of(slow), series, bank, ScoringSettings(batch_size))
        for one, other in zip(found, expected, strict=True):
            assert torch.equal(one, other)


# -- what is said --------------------------------------------------------------------


def test_what_is_kept_is_said(slow, tmp_path, capsys):
    clf = distil(slow, memory=tmp_path / "memory", teacher_batch_size=12, verbose=1)
    slow.breaks_after(PROBE + 36)
    with pytest.raises(OutageError):
        clf.fit(X, Y)
    assert "scores 60 series: 12, and 48 perturbed copies of them" in capsys.readouterr().err
    slow.forget()
    clf.fit(X, Y)
    said = capsys.readouterr().err
    assert "scores 24 series; its answers to 36 others are in the cache" in said
    assert "60/60" in said
    clf.fit(X, Y)
    assert "All 60 answers of the teacher Slow are in the cache" in capsys.readouterr().err


# -- several processes -----------------------------------------------------------------


def forest():
    return flat(RandomForestClassifier(10, random_state=0, n_jobs=1)).fit(X, Y)


class Draws(LogisticRegression):
    """Draws from numpy's global generator in its answers."""

    def fit(self, X, y):
        return super().fit(X.reshape(len(X), -1), y)

    def predict_proba(self, X):
        rows = X.reshape(len(X), -1)
        return super().predict_proba(rows + np.random.rand(*rows.shape))  # noqa: NPY002


def answers(teacher, n_jobs, memory=None, batch_size=9, n_entries=6):
    series, bank = make_bank(n_entries=n_entries)
    settings = ScoringSettings(batch_size, n_jobs, memory)
    return ask(scorer_of(teacher), series, bank, settings)


def assert_equal_answers(found, expected):
    for one, other in zip(found, expected, strict=True):
        assert torch.equal(one, other)


TEACHERS = {
    "forest": forest,
    "draws": lambda: Draws().fit(X, Y),
    "function": lambda: CallableTeacher(lambda X: both(X), LABELS, batch_size=5),
}


@pytest.mark.parametrize("kind", TEACHERS)
def test_processes_give_the_same_answers_bit_for_bit(kind):
    teacher = TEACHERS[kind]()
    assert_equal_answers(answers(teacher, 2), answers(teacher, 1))


def test_the_active_configuration_of_joblib_is_used(slow):
    with joblib.parallel_config("loky", n_jobs=2):
        distil(slow, teacher_batch_size=12).fit(X, Y)
        assert str(os.getpid()) not in asked_after_the_probe(slow)
        slow.forget()
        distil(slow, teacher_batch_size=12, n_jobs=1).fit(X, Y)
        assert asked_after_the_probe(slow) == {str(os.getpid())}


def asked_after_the_probe(slow):
    """Processes that were asked for more than the examples."""
    files = Path(slow.folder).glob("asked-*")
    return {file.name.partition("-")[2] for file in files if file.read_text() != f"{PROBE}\n"}


def test_threads_are_not_used(slow):
    with joblib.parallel_config("threading", n_jobs=2):
        assert_equal_answers(answers(Draws().fit(X, Y), None), answers(Draws().fit(X, Y), 1))
        distil(slow).fit(X, Y)
    assert asked_after_the_probe(slow) == {str(os.getpid())}


class Together(LokyBackend):
    """Returns its results together, as Ray's does."""

    supports_return_generator = False


@pytest.mark.slow
def test_a_backend_that_returns_results_together_is_asked_in_rounds(slow, tmp_path):
    joblib.register_parallel_backend("together", Together)
    with joblib.parallel_config("together", n_jobs=2):
        memory = joblib.Memory(tmp_path / "memory", verbose=0)
        slow.breaks_after(60)
        with pytest.raises(RuntimeError, match="503"):
            answers(slow, None, memory, batch_size=3, n_entries=8)
        # two rounds of eight, and what came in the third before the failure
        assert 16 <= len(list((tmp_path / "memory").rglob("output.pkl"))) < 24
        slow.forget()
        found = answers(slow, None, memory, batch_size=3, n_entries=8)
    assert_equal_answers(found, answers(slow, 1, batch_size=3, n_entries=8))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "error", "said"),
    [
        ("simple", ConnectionError, "no route"),
        ("cannot be sent", RuntimeError, "OutageError: the service is down"),
    ],
)
def test_an_error_in_another_process_keeps_what_came_before(how, error, said, slow, tmp_path):
    clf = distil(slow, memory=tmp_path / "memory", teacher_batch_size=6, n_jobs=2)
    slow.breaks_after(PROBE + 30, how)
    with pytest.raises(error, match=said) as caught:
        clf.fit(X, Y)
    assert "of 60 series" in caught.value.__notes__[0]
    assert "in predict_proba" in str(caught.value.__cause__)  # where it was raised
    n_kept = 6 * len(list((tmp_path / "memory").rglob("output.pkl")))
    assert n_kept >= 24
    slow.forget()
    clf.fit(X, Y)
    assert sum(slow.calls()) == PROBE + N_SERIES - n_kept


@pytest.mark.slow
def test_a_worker_that_dies_keeps_what_came_before(slow, tmp_path):
    slow = Pausing(slow.folder)  # what came just before may be lost
    memory = joblib.Memory(tmp_path / "memory", verbose=0)
    slow.breaks_after(60, "kill")
    with pytest.raises(Exception, match=r"(?i)terminated") as caught:
        answers(slow, 2, memory, batch_size=3)
    assert "of 84 series. Run the same fit again" in caught.value.__notes__[0]
    n_kept = 3 * len(list((tmp_path / "memory").rglob("output.pkl")))
    assert n_kept > 0
    slow.forget()
    answers(slow, 2, memory, batch_size=3)
    assert sum(slow.calls()) == 84 - n_kept


class Unpicklable(Slow):
    def __reduce__(self):
        raise pickle.PicklingError("it holds a connection")


def test_a_teacher_that_cannot_be_sent_says_n_jobs_1(slow):
    teacher = Unpicklable(slow.folder)
    with pytest.raises(TypeError, match=r"Unpicklable.*n_jobs=1.*connection"):
        answers(teacher, 2)
    answers(teacher, 1)


def test_a_network_is_asked_here(monkeypatch):
    monkeypatch.setattr(joblib, "Parallel", None)
    assert distil(fcn(), n_jobs=2).fit(X, Y).is_fitted


@pytest.mark.slow
def test_no_more_processes_inside_a_search(slow):
    search = GridSearchCV(
        distil(FrozenEstimator(slow), teacher_batch_size=6),
        {"student__lr": [1e-3, 1e-2]},
        cv=2,
        n_jobs=2,
        refit=False,
        error_score="raise",
    )
    search.fit(X, Y)
    assert len(list(Path(slow.folder).glob("asked-*"))) <= 2


@pytest.mark.slow
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_ctrl_c_leaves_no_process_that_asks_on(n_jobs, slow, tmp_path):
    process = start(Pausing(slow.folder), tmp_path / "memory", n_jobs)
    deadline = time.time() + 100
    while sum(slow.calls()) < PROBE + 12 and time.time() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=30)
    assert process.returncode != 0
    assert "KeyboardInterrupt" in said
    n_asked = sum(slow.calls())
    assert n_asked < PROBE + N_SERIES
    time.sleep(1.5)
    assert sum(slow.calls()) == n_asked
    n_kept = 6 * len(list((tmp_path / "memory").rglob("output.pkl")))
    slow.forget()
    distil(Pausing(slow.folder), memory=tmp_path / "memory", teacher_batch_size=6).fit(X, Y)
    assert sum(slow.calls()) == PROBE + N_SERIES - n_kept


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_dask_cluster_gives_the_same_answers(tmp_path, slow):
    distributed = pytest.importorskip("distributed")
    expected = answers(forest(), 1)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config("dask"),
    ):
        assert_equal_answers(answers(forest(), None), expected)
        distil(slow, memory=tmp_path / "memory", teacher_batch_size=6).fit(X, Y)
        assert str(os.getpid()) not in asked_after_the_probe(slow)
        slow.forget()
        distil(slow, memory=tmp_path / "memory", teacher_batch_size=6).fit(X, Y)
        assert sum(slow.calls()) == PROBE
