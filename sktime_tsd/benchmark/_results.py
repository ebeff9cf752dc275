"""The result file of a benchmark: written as each run ends, never half written."""

import json
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from sktime_tsd._cli.models import STUDENTS, TEACHERS
from sktime_tsd.benchmark import _parts
from sktime_tsd.benchmark._benchmark_method import BenchmarkMethod, current_spelling
from sktime_tsd.benchmark._model_costs import ONNX_COLUMNS
from sktime_tsd.benchmark._parts import Parts, parts_folder, write_at_once
from sktime_tsd.benchmark._protocols import PROTOCOLS
from sktime_tsd.benchmark._truth import TRUTH_COLUMNS
from sktime_tsd.fidelity import METRICS

__all__ = [
    "COLUMNS",
    "KEY",
    "ResultFile",
    "differing_settings",
    "parts_folder",
    "read_results",
    "write_at_once",
    "write_part",
]

#: Columns that identify a run.
KEY = ("dataset", "seed", "method", "protocol", "teacher", "student", "evaluated_on")

#: Columns of a result file, in order.
COLUMNS = (
    *KEY,
    "status",
    "error",
    "archive",
    "n_train",
    "n_test",
    "n_channels",
    "n_timepoints",
    "n_classes",
    *METRICS,
    *ONNX_COLUMNS,
    *TRUTH_COLUMNS,
    "teacher_fit_seconds",
    "fit_seconds",
    "predict_seconds",
    "chosen_weight",
    "weight_chosen_on",
    "device",
    "threads",
    "versions",
    "commit",
    "settings",
)

# Columns that rows of earlier versions lack.
_SINCE = (
    *ONNX_COLUMNS,
    *TRUTH_COLUMNS,
    *(name for name in COLUMNS if name.startswith("saliency_held_out")),
)

_TEXT = (
    *(name for name in KEY if name != "seed"),
    "status",
    "error",
    "archive",
    "weight_chosen_on",
    "device",
    "versions",
    "commit",
    "settings",
)


def _typed(rows):
    """Give rows the same types as when read from a file, and put the known columns first."""
    others = [name for name in rows.columns if name not in COLUMNS]
    rows = rows.reindex(columns=[*COLUMNS, *others])
    for name in COLUMNS:
        rows[name] = (
            rows[name].fillna("").astype(str) if name in _TEXT else pd.to_numeric(rows[name])
        )
    return rows


def write_part(folder, row):
    """Write the row of one run to a separate file in the parts folder.

    Parameters
    ----------
    folder : path-like
        If it does not exist (on another machine), nothing is written.
    row : dict
    """
    _parts.write_part(folder, row, KEY)


# Parameters that older rows lack -> what those runs did.
_BEFORE = {"unequal_length": "raise", "missing_values": "raise"}
_UNKNOWN = object()


def read_results(path):
    """Read a result file.

    Methods with settings in an older spelling (``tsd:temperature=4``) get today's.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    rows : pandas.DataFrame
        Has the columns ``COLUMNS``, then any that were added to the file. ``settings`` and
        ``versions`` are JSON texts.

    Raises
    ------
    ValueError
        If the file is not a result file, or a row is damaged.
    FileNotFoundError
        If the file does not exist.
    """
    try:
        rows = pd.read_csv(
            path,
            dtype=dict.fromkeys(_TEXT, str),
            keep_default_na=False,
            float_precision="round_trip",
            na_values={name: [""] for name in COLUMNS if name not in _TEXT},
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise ValueError(
            f"{path} is not a result file ({error}); name a CSV file written by run_benchmark"
        ) from error
    missing = [name for name in COLUMNS if name not in (*rows.columns, *_SINCE)]
    if missing:
        raise ValueError(
            f"{path} is not a result file of this version: it lacks the columns "
            f"{', '.join(missing[:5])}; name a CSV file written by run_benchmark"
        )
    rows = rows.assign(**dict.fromkeys(set(_SINCE) - set(rows.columns), np.nan))
    line_numbers = {}
    for number, row in enumerate(rows.to_dict("records"), start=2):
        problem = _damage(row)
        if not problem:
            row["method"] = _method(row["method"])[0]
            key = tuple(row[name] for name in (*KEY, "weight_chosen_on"))
            if line_numbers.setdefault(key, number) != number:
                problem = f"repeats the run of line {line_numbers[key]}"
        if problem:
            raise ValueError(f"{path}, line {number}: {problem}; fix or remove that line")
    rows["method"] = [_method(name)[0] for name in rows["method"]]
    return _typed(rows)


def _damage(row):
    """Describe what is wrong with a row; empty if nothing is."""
    if row["status"] not in ("ok", "failed"):
        return f"status is {row['status']!r}, not ok or failed"
    for name in ("settings", "versions"):
        try:
            found = json.loads(row[name])
        except (ValueError, TypeError):
            return f"{name} is not JSON"
        parts = found.values() if isinstance(found, dict) else [None]
        kind = dict if name == "settings" else str
        if not all(isinstance(part, kind) for part in parts) or (name, found) == ("settings", {}):
            return f"{name} is not what a run writes"
    for name in sorted(set(COLUMNS) - set(_TEXT)):
        try:
            number = float(row[name])
        except ValueError:
            return f"{name} is {row[name]!r}, not a number"
        if np.isinf(number):
            return f"{name} is infinite"
    if not float(row["seed"]).is_integer() or float(row["seed"]) < 0:
        return f"seed is {row['seed']}, not a whole number of 0 or more"
    known = {"protocol": PROTOCOLS, "teacher": TEACHERS, "student": STUDENTS}
    for name, names in known.items():
        if row[name] not in names:
            return f"{name} is {row[name]!r}, not one of {', '.join(names)}"
    if row["evaluated_on"] not in ("test", "validation"):
        return f"evaluated_on is {row['evaluated_on']!r}, not test or validation"
    if row["dataset"] == "":
        return "dataset is empty"
    _, problem = _method(row["method"])
    return problem or (_impossible(row) if row["status"] == "ok" else "")


@cache  # many rows, few methods
def _method(name):
    """Return a method's name in today's spelling, and what is wrong with it, if anything."""
    try:
        return BenchmarkMethod(name).name, ""
    except (ValueError, TypeError) as error:
        return name, str(error)


def _impossible(row):
    """Describe a value that no finished run can have; empty if there is none."""
    for name in ("accuracy_teacher", "accuracy_student", "auc_prc_student", "top_1_agreement"):
        if not 0 <= float(row[name]) <= 1:
            return f"{name} is {float(row[name]):g}, not in 0 .. 1"
    if not float(row["kl_divergence"]) > -1e-6:
        return f"kl_divergence is {float(row['kl_divergence']):g}, below 0"
    return ""


def differing_settings(one, other):
    """Name the settings in which two rows differ.

    Parameters
    ----------
    one, other : str
        The settings of each row, in JSON.

    Returns
    -------
    names : list of str

    Examples
    --------
    >>> from sktime_tsd.benchmark._results import differing_settings
    >>> differing_settings('{"run": {"threads": 1}}', '{"run": {"threads": 2}}')
    ['run.threads']
    >>> differing_settings('{"student": {}}', '{"student": {"missing_values": "raise"}}')
    []
    """
    one, other = (
        {
            f"{part}.{current_spelling(name) if part == 'transfer' else name}": value
            for part, values in json.loads(text).items()
            for name, value in values.items()
        }
        for text in (one, other)
    )
    names = one.keys() | other.keys()
    return sorted(name for name in names if _setting(one, name) != _setting(other, name))


def _setting(settings, name):
    unknown = _BEFORE.get(name.partition(".")[2], _UNKNOWN)
    return settings.get(name, unknown)


class ResultFile:
    """The result file of a benchmark.

    While a benchmark runs, each row is first written to a separate file in the parts folder
    next to the result file; `collect` moves these rows into the result file.

    Parameters
    ----------
    path : path-like
        A CSV file, new or written by an earlier run.
    say : callable, optional
        Called with a line of text on each file in the parts folder that is no row. It is set
        aside, in a folder next to the result file. Default: warn.

    Raises
    ------
    ValueError
        If the file is not a result file.
    """

    def __init__(self, path, say=None):
        self.path = Path(path)
        self.say = _warn if say is None else say
        self._parts = Parts(self.path, _damage_of_part)
        self.parts = self._parts.folder
        self.rows = (
            read_results(self.path) if self.path.exists() else pd.DataFrame(columns=list(COLUMNS))
        )

    def open(self):
        """Make the parts folder, and collect rows that an earlier run left there."""
        self.parts.mkdir(parents=True, exist_ok=True)
        self.collect()
        self._parts.clear(self.say)

    def collect(self, rows=()):
        """Add rows, including those in the parts folder, and write the result file.

        Parameters
        ----------
        rows : sequence of dict, default=()
        """
        parts = self._parts.read(self.say)
        found = [*parts.values(), *rows]
        if found:
            table = _typed(pd.DataFrame(found))
            both = pd.concat([self.rows, table]) if len(self.rows) else table
            self.rows = both.drop_duplicates(list(KEY), keep="last").reset_index(drop=True)
            write_at_once(self.path, self.rows.to_csv(index=False))
        for path in parts:
            path.unlink()

    def close(self):
        """Collect the remaining rows and remove the parts folder."""
        self.collect()
        self._parts.clear(self.say)
        self.parts.rmdir()


def _damage_of_part(row):
    """Describe what is wrong with a row that a unit has left; empty if nothing is."""
    if missing := [name for name in (*KEY, "status", "settings", "versions") if name not in row]:
        return f"it lacks {', '.join(missing[:3])}"
    if unknown := sorted(row.keys() - set(COLUMNS)):
        return f"it has unknown columns {unknown[:3]}"
    try:
        (typed,) = _typed(pd.DataFrame([row])).to_dict("records")
        return _damage(typed)
    except (ValueError, TypeError, ArithmeticError) as error:
        return str(error)


def _warn(line):
    warnings.warn(line, stacklevel=2)
