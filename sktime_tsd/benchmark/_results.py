"""Rows of a benchmark on disk: written as each run ends, never half written."""

import hashlib
import json
import os
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from sktime_tsd._cli.models import STUDENTS, TEACHERS
from sktime_tsd.benchmark._benchmark_method import BenchmarkMethod
from sktime_tsd.benchmark._protocols import PROTOCOLS
from sktime_tsd.fidelity import LINES

__all__ = [
    "COLUMNS",
    "KEY",
    "ResultFile",
    "differing_settings",
    "parts_folder",
    "read_results",
    "write_part",
]

#: What makes a run: a second start skips those that are there.
KEY = ("dataset", "seed", "method", "protocol", "teacher", "student", "evaluated_on")

#: Columns of a result file, in their order.
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
    *LINES,
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


def parts_folder(path):
    """Name the folder in which the rows of runs in progress are.

    Parameters
    ----------
    path : path-like
        Of the result file.

    Returns
    -------
    folder : pathlib.Path
    """
    path = Path(path)
    return path.with_name(f"{path.name}.parts")


def _typed(rows):
    """Give rows the types that reading their file gives, and the known columns first."""
    others = [name for name in rows.columns if name not in COLUMNS]
    rows = rows.reindex(columns=[*COLUMNS, *others])
    for name in COLUMNS:
        rows[name] = (
            rows[name].fillna("").astype(str) if name in _TEXT else pd.to_numeric(rows[name])
        )
    return rows


def _write(path, text):
    """Replace a file at once, and see that it is on the disk."""
    part = path.with_name(f"{path.name}.part")
    with part.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def write_part(folder, row):
    """Write the row of one run to a file of its own, at once.

    Parameters
    ----------
    folder : path-like
        Where it is not there (on another machine), nothing is written.
    row : dict
    """
    folder = Path(folder)
    if folder.is_dir():
        key = json.dumps([row[name] for name in KEY])
        name = hashlib.sha256(key.encode()).hexdigest()[:32]
        _write(folder / f"{name}.json", json.dumps(row))


def read_results(path):
    """Read a result file.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    rows : pandas.DataFrame
        With the columns ``COLUMNS``, and others that somebody has added; settings and versions
        are texts in JSON.

    Raises
    ------
    ValueError
        If it is no result file, or a row is damaged.
    FileNotFoundError
        If it is not there.
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
        raise ValueError(f"{path} is no result file: {error}") from error
    missing = [name for name in COLUMNS if name not in rows.columns]
    if missing:
        raise ValueError(
            f"{path} is no result file of this version: it has no column {', '.join(missing[:5])}"
        )
    lines = {}
    for number, row in enumerate(rows.to_dict("records"), start=2):
        problem = _damage(row)
        key = tuple(row[name] for name in (*KEY, "weight_chosen_on"))
        if not problem and lines.setdefault(key, number) != number:
            problem = f"the run of line {lines[key]} again"
        if problem:
            raise ValueError(f"{path}, line {number}: {problem}; mend or remove that line")
    return _typed(rows)


def _damage(row):
    """Say what is wrong with a row, if anything."""
    if row["status"] not in ("ok", "failed"):
        return f"the status is {row['status']!r}, not ok or failed"
    for name in ("settings", "versions"):
        try:
            found = json.loads(row[name])
        except (ValueError, TypeError):
            return f"{name} is no JSON"
        parts = found.values() if isinstance(found, dict) else [None]
        kind = dict if name == "settings" else str
        if not all(isinstance(part, kind) for part in parts) or (name, found) == ("settings", {}):
            return f"{name} is not what a run writes"
    for name in sorted(set(COLUMNS) - set(_TEXT)):
        try:
            number = float(row[name])
        except ValueError:
            return f"{name} is {row[name]!r}, no number"
        if np.isinf(number):
            return f"{name} is infinite"
    if not float(row["seed"]).is_integer() or float(row["seed"]) < 0:
        return "the seed is no whole number from 0 on"
    known = {"protocol": PROTOCOLS, "teacher": TEACHERS, "student": STUDENTS}
    for name, names in known.items():
        if row[name] not in names:
            return f"{name} is {row[name]!r}, none of {', '.join(names)}"
    if row["evaluated_on"] not in ("test", "validation"):
        return f"evaluated_on is {row['evaluated_on']!r}, not test or validation"
    if row["dataset"] == "":
        return "it names no data set"
    unknown = _unknown_method(row["method"])
    return unknown or (_impossible(row) if row["status"] == "ok" else "")


@cache  # many rows, few methods
def _unknown_method(name):
    try:
        BenchmarkMethod(name)
    except (ValueError, TypeError) as error:
        return str(error)
    return ""


def _impossible(row):
    """Say what a finished run cannot have given, if anything."""
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
        Their settings, in JSON.

    Returns
    -------
    names : list of str

    Examples
    --------
    >>> from sktime_tsd.benchmark._results import differing_settings
    >>> differing_settings('{"run": {"threads": 1}}', '{"run": {"threads": 2}}')
    ['run.threads']
    """
    one, other = (
        {
            f"{part}.{name}": value
            for part, values in json.loads(text).items()
            for name, value in values.items()
        }
        for text in (one, other)
    )
    missing = object()
    names = one.keys() | other.keys()
    return sorted(name for name in names if one.get(name, missing) != other.get(name, missing))


class ResultFile:
    """The rows of a benchmark.

    Runs in progress write their rows to files of their own in a folder beside it, which
    `collect` moves into the table.

    Parameters
    ----------
    path : path-like
        A CSV file, new or written by an earlier run.

    Raises
    ------
    ValueError
        If it is no result file.
    """

    def __init__(self, path):
        self.path = Path(path)
        self.parts = parts_folder(path)
        self.rows = (
            read_results(self.path) if self.path.exists() else pd.DataFrame(columns=list(COLUMNS))
        )

    def open(self):
        """Make the folder of parts, and collect what an earlier run left."""
        self.parts.mkdir(parents=True, exist_ok=True)
        self.collect()
        self._clear()

    def collect(self, rows=()):
        """Add rows, and those in the folder of parts, and write the table at once.

        Parameters
        ----------
        rows : sequence of dict, default=()
        """
        paths = sorted(self.parts.glob("*.json"))
        found = [row for row in map(_read_part, paths) if row is not None] + list(rows)
        if found:
            table = _typed(pd.DataFrame(found))
            both = pd.concat([self.rows, table]) if len(self.rows) else table
            self.rows = both.drop_duplicates(list(KEY), keep="last").reset_index(drop=True)
            _write(self.path, self.rows.to_csv(index=False))
        for path in paths:
            path.unlink()

    def close(self):
        """Collect what is there and remove the folder of parts."""
        self.collect()
        self._clear()
        self.parts.rmdir()

    def _clear(self):
        """Remove half-written rows, and marks of runs that died."""
        for path in self.parts.iterdir():
            path.unlink()


def _read_part(path):
    """Read the row of one run; one that a crash of the machine has emptied is run again."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return None
