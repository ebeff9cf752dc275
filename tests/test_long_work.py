"""A fit that will take long says so: in time, once, on a logger, and never as a warning."""

import logging
import warnings
from types import SimpleNamespace

import pytest
from helpers import distiller, fcn, lstm, random_panel

from sktime_tsd._utils import long_work
from sktime_tsd._utils.long_work import LongWork, timed

X, Y = random_panel(12, n_timepoints=8)


class Clock:
    """Shows a time that only passes when it is told."""

    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds


def said_after(step_seconds, n_steps, *, n_warm_up=0, before=0.0):
    """The step after which something is said, and what; nothing is None."""
    clock = Clock()
    with timed(clock):
        clock.seconds += before
        work = LongWork("Work", n_steps, n_warm_up=n_warm_up, clock=clock)
        for step in range(1, n_steps + 1):
            clock.seconds += step_seconds(step) if callable(step_seconds) else step_seconds
            work.advance()
            if work.hint is not None:
                return step, work.hint
    return None


@pytest.mark.parametrize(
    ("step_seconds", "n_steps", "options", "expected"),
    [
        (0.1, 500, {}, None),  # 50 seconds
        (1, 100, {}, (2, "2 minutes")),
        (0.1, 700, {}, (20, "70 seconds")),  # 2 seconds must be seen
        (60, 100, {}, (1, "2 hours")),
        (10, 61, {}, (1, "10 minutes")),
        (1, 40, {"before": 30}, (2, "40 seconds")),  # 70 in all
        (1, 40, {"before": 10}, None),
        (1, 14, {"before": 600}, None),  # hardly anything is left
        (lambda step: 30 if step == 1 else 0.1, 100, {"n_warm_up": 1}, None),
        (lambda step: 0.1 if step == 1 else 2, 100, {"n_warm_up": 1}, (2, "3 minutes")),
        (100, 1, {}, None),  # it is over
    ],
)
def test_when_something_is_said(step_seconds, n_steps, options, expected):
    found = said_after(step_seconds, n_steps, **options)
    if expected is None:
        assert found is None
    else:
        step, how_long = expected
        assert found[0] == step
        assert f"Work takes about {how_long} more;" in found[1]


def test_it_is_said_once(caplog):
    clock = Clock()
    work = LongWork("Work", 1000, clock=clock)
    for _ in range(10):
        clock.seconds += 5
        work.advance(3)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert caplog.records[0].name == "sktime_tsd"


def test_works_in_a_work_count_from_its_beginning():
    clock = Clock()
    with timed(clock):
        clock.seconds = 50
        with timed(clock):
            work = LongWork("Work", 20, clock=clock)
            clock.seconds += 2
            work.advance(2)
    assert work.hint is not None  # 52 seconds, and 18 to come
    assert long_work._began.get() is None


@pytest.fixture
def slow(monkeypatch):
    """Every look at the clock takes ten seconds."""
    clock = Clock()

    def later():
        clock.seconds += 10
        return clock.seconds

    monkeypatch.setattr(long_work, "time", SimpleNamespace(monotonic=later))


@pytest.mark.usefixtures("slow")
def test_a_long_fit_says_so_at_the_default(caplog, capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fcn(max_epochs=30).fit(X, Y)
    (record,) = caplog.records
    assert record.getMessage().startswith("Training the network takes about ")
    assert capfd.readouterr().out == ""


@pytest.mark.usefixtures("slow")
def test_every_part_of_a_distillation_says_so(caplog):
    clf = distiller().set_params(teacher=lstm(max_epochs=30), student=fcn(max_epochs=30))
    clf.fit(X, Y)
    said = [record.getMessage().split(" takes ")[0] for record in caplog.records]
    assert said[0] == "Training the network"
    assert said[-1] == "Training the student"


@pytest.mark.usefixtures("slow")
@pytest.mark.parametrize("verbose", [0, 1])
def test_whoever_chooses_hears_nothing(verbose, caplog):
    fcn(max_epochs=30, verbose=verbose).fit(X, Y)
    distiller().set_params(student=fcn(max_epochs=30), teacher=lstm(), verbose=verbose).fit(X, Y)
    assert caplog.records == []


def test_a_short_fit_says_nothing(caplog, capfd):
    fcn().fit(X, Y)
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")
