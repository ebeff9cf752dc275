"""Units of work, shared options, and the columns of a row that are known before its run."""

import json
import re
import traceback
from dataclasses import dataclass
from pathlib import Path

from sktime_tsd._utils.validation import resolve_device
from sktime_tsd._utils.versions import versions
from sktime_tsd.benchmark._benchmark_method import BenchmarkMethod
from sktime_tsd.benchmark._environment import commit
from sktime_tsd.benchmark._made_data import MADE, cue_of
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

#: A unit is given up once its process has died this often.
MOST_STARTS = 3

DIED = f"its process died {MOST_STARTS} times (out of memory?)"


@dataclass(frozen=True)
class RunOptions:
    """Options shared by all units of a benchmark; see `run_benchmark`."""

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
    unlabelled_share: float = 0.0
    held_out: bool = True


@dataclass(frozen=True)
class Unit:
    """One data set and seed, with the methods still to run."""

    dataset: str
    seed: int
    methods: tuple

    @property
    def name(self):
        """Name in messages."""
        return f"{self.dataset}, seed {self.seed}"

    def mark(self, options):
        """Path of the marker file: it exists while the unit runs, with one line per start.

        Parameters
        ----------
        options : RunOptions

        Returns
        -------
        path : pathlib.Path
        """
        return Path(options.parts) / f"{self.dataset}-{self.seed}.running"


def n_starts(mark):
    """Count how often an unfinished unit was started.

    Parameters
    ----------
    mark : pathlib.Path

    Returns
    -------
    n : int
    """
    return mark.read_text().count("started") if mark.exists() else 0


def failed_row(unit, method, options, error):
    """Make the row of a failed run.

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


# Prefixes of settings that must be equal for methods to be compared, and the exceptions.
_COMPARED = ("teacher.", "student.", "run.")
_INCIDENTAL = {
    f"run.{name}" for name in ("archive", "device", "threads", "removal", "held_out", "latency")
}


def row_before(unit, method, options):
    """Make the part of a row that is known before its run."""
    return {
        "dataset": unit.dataset,
        "seed": unit.seed,
        "method": method,
        "protocol": options.protocol,
        "teacher": options.teacher,
        "student": options.student,
        "evaluated_on": options.evaluated_on,
        "archive": "made" if cue_of(unit.dataset)[0] in MADE else options.archive,
        "device": _device(options.device),
        "threads": options.threads,
        "weight_chosen_on": options.weight_chosen_on,
        "versions": json.dumps(versions()),
        "commit": commit(),
        "settings": json.dumps(settings(method, options)),
    }


def settings(method, options):
    """Collect everything that determines a run's result, except data set, seed and versions.

    Parameters
    ----------
    method : str
    options : RunOptions

    Returns
    -------
    settings : dict
        JSON-serialisable.
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
            **({} if options.held_out else {"held_out": False}),
            **({"unlabelled_share": share} if (share := options.unlabelled_share) else {}),
        },
    }


def incomparable_settings(method, settings, other, settings_of_other):
    """Name the settings that keep rows of two methods from being compared.

    Parameters
    ----------
    method : str
        Student settings that are part of its name may differ.
    settings : str
        Settings of one of its rows, in JSON.
    other : str
        The other method, likewise.
    settings_of_other : str

    Returns
    -------
    names : list of str
        Settings of the teacher, of the student's training and of the measurement.
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
    """Resolve a device parameter; a device that this machine lacks keeps its name."""
    try:
        return str(resolve_device(name))
    except ValueError:
        return name


def _readable(parameters, left_out):
    return {
        name: value if name != "distillation" and _is_json(value) else _one_line(value)
        for name, value in sorted(parameters.items())
        if name.split("__")[-1] not in left_out
    }


def _one_line(value):
    """Describe an object, without the addresses that differ from process to process."""
    return re.sub(r" at 0x[0-9a-fA-F]+", "", " ".join(repr(value).split()))


def _is_json(value):
    try:
        json.dumps(value)
    except TypeError:  # an object, or a list of objects, such as a pipeline's steps
        return False
    return True
