"""What is to be run, and what rows say of it beforehand."""

import json
import traceback
from dataclasses import dataclass
from pathlib import Path

from sktime_tsd._utils.validation import resolve_device
from sktime_tsd._utils.versions import versions
from sktime_tsd.benchmark._benchmark_method import BenchmarkMethod
from sktime_tsd.benchmark._environment import commit
from sktime_tsd.benchmark._protocols import PROTOCOLS
from sktime_tsd.benchmark._results import differing_settings

__all__ = [
    "DIED",
    "MOST_STARTS",
    "RunOptions",
    "Unit",
    "failed_row",
    "incomparable_settings",
    "n_starts",
    "row_before",
    "settings",
]

#: How often a unit is begun whose process dies.
MOST_STARTS = 3

DIED = f"its process died {MOST_STARTS} times (out of memory?)"


@dataclass(frozen=True)
class RunOptions:
    """What all units of a benchmark share; see `run_benchmark`."""

    protocol: str
    teacher: str
    student: str
    evaluated_on: str
    data_dir: str | None
    archive: str
    device: str
    threads: int
    saliency_instances: int
    removal: bool
    latency: bool
    weight_chosen_on: str
    max_epochs: int | None
    cache: str | None
    parts: str


@dataclass(frozen=True)
class Unit:
    """One data set and seed, and the methods that are still to run."""

    dataset: str
    seed: int
    methods: tuple

    @property
    def name(self):
        """What to call it."""
        return f"{self.dataset}, seed {self.seed}"

    def mark(self, options):
        """File that is there while the unit is at work, with a line for each start.

        Parameters
        ----------
        options : RunOptions

        Returns
        -------
        path : pathlib.Path
        """
        return Path(options.parts) / f"{self.dataset}-{self.seed}.running"


def n_starts(mark):
    """Count how often a unit was begun that has not ended.

    Parameters
    ----------
    mark : pathlib.Path

    Returns
    -------
    n : int
    """
    return mark.read_text().count("started") if mark.exists() else 0


def failed_row(unit, method, options, error):
    """Give the row of a run that failed.

    Parameters
    ----------
    unit : Unit
    method : str
    options : RunOptions
    error : Exception or str

    Returns
    -------
    row : dict
    """
    text = error
    if isinstance(error, Exception):
        where = traceback.extract_tb(error.__traceback__)[-1:]
        place = "".join(f" ({Path(frame.filename).name}, line {frame.lineno})" for frame in where)
        text = " ".join(f"{type(error).__name__}: {error}{place}".split())
    return row_before(unit, method, options) | {"status": "failed", "error": text}


# Beginnings of settings that methods which are compared must have in common, and exceptions.
_COMPARED = ("teacher.", "student.", "run.")
_INCIDENTAL = {f"run.{name}" for name in ("archive", "device", "threads", "removal", "latency")}


def row_before(unit, method, options):
    """Give the part of a row that is known before the run."""
    return {
        "dataset": unit.dataset,
        "seed": unit.seed,
        "method": method,
        "protocol": options.protocol,
        "teacher": options.teacher,
        "student": options.student,
        "evaluated_on": options.evaluated_on,
        "archive": options.archive,
        "device": _device(options.device),
        "threads": options.threads,
        "weight_chosen_on": options.weight_chosen_on,
        "versions": json.dumps(versions()),
        "commit": commit(),
        "settings": json.dumps(settings(method, options)),
    }


def settings(method, options):
    """Everything that decides what a run gives, beside data set, seed and versions.

    Parameters
    ----------
    method : str
    options : RunOptions

    Returns
    -------
    settings : dict
        Ready for JSON.
    """
    protocol = PROTOCOLS[options.protocol]
    teacher = protocol.make_teacher(options.teacher, "cpu", options.max_epochs)
    student = protocol.make_student(options.student, "cpu", options.max_epochs)
    classifier = BenchmarkMethod(method).classifier(None, student, **protocol.transfer)
    left_out = {"teacher", "student", "device", "verbose", "random_state", "memory", "callbacks"}
    own = {} if type(classifier) is type(student) else classifier.get_params(deep=False)
    of_student = getattr(classifier, "student", classifier).get_params(deep=False)
    return {
        "teacher": _readable(teacher.get_params(), left_out),
        "student": _readable(of_student, left_out),
        "transfer": _readable(own, left_out),
        "run": {
            "archive": options.archive,
            "device": options.device,
            "threads": options.threads,
            "saliency_instances": options.saliency_instances,
            "removal": options.removal,
            "latency": options.latency,
            "most_timepoints": protocol.most_timepoints,
            "lr_step": protocol.lr_step,
            "weights": list(protocol.weights),
            "weight_chosen_on": options.weight_chosen_on,
            **({} if options.max_epochs is None else {"max_epochs": options.max_epochs}),
        },
    }


def incomparable_settings(method, settings, other, settings_of_other):
    """Name the settings for which rows of two methods cannot be compared.

    Parameters
    ----------
    method : str
        What it sets of its student itself is left out.
    settings : str
        Of a row of it, in JSON.
    other : str
        The other method, likewise.
    settings_of_other : str

    Returns
    -------
    names : list of str
        Of the teacher, of the student's training and of the measurement.
    """
    own = {
        f"student.{key}"
        for name in (method, other)
        for key in BenchmarkMethod(name).settings_of_student
    }
    return [
        name
        for name in differing_settings(settings, settings_of_other)
        if name.startswith(_COMPARED) and name not in own | _INCIDENTAL
    ]


def _device(name):
    """Say what a device parameter stands for on this machine, as far as it is there."""
    try:
        return str(resolve_device(name))
    except ValueError:
        return name


def _readable(parameters, left_out):
    return {
        name: value if name != "distillation" and _is_json(value) else " ".join(repr(value).split())
        for name, value in sorted(parameters.items())
        if name.split("__")[-1] not in left_out
    }


def _is_json(value):
    try:
        json.dumps(value)
    except TypeError:  # an object, or a list of some, as the steps of a pipeline
        return False
    return True
