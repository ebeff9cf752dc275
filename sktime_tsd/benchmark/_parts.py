"""The parts folder of a benchmark: rows that are not yet in the result file, one file each."""

import hashlib
import json
import os
from pathlib import Path
from uuid import uuid4

from sktime_tsd._utils.replace_file import replace_file

__all__ = ["Parts", "parts_folder", "write_at_once", "write_part"]

_SCALARS = (str, int, float, bool, type(None))

# What this package writes to the folder beside rows: marks of units that run, unfinished files.
_OURS = (".running", ".part")


def parts_folder(path):
    """Name the folder that holds rows not yet in the result file.

    Parameters
    ----------
    path : path-like
        The result file.

    Returns
    -------
    folder : pathlib.Path
    """
    path = Path(path)
    return path.with_name(f"{path.name}.parts")


def write_at_once(path, text):
    """Write or replace a file in one step, so that it is never half written.

    Parameters
    ----------
    path : pathlib.Path
    text : str
    """
    part = path.with_name(f"{path.name}.part")
    with part.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
    replace_file(part, path)


def write_part(folder, row, key):
    """Write the row of one run to a separate file in the parts folder.

    Parameters
    ----------
    folder : path-like
        If it does not exist (on another machine), nothing is written.
    row : dict
    key : sequence of str
        Columns that identify the run.
    """
    folder = Path(folder)
    if folder.is_dir():
        text = json.dumps([row[name] for name in key])
        name = hashlib.sha256(text.encode()).hexdigest()[:32]
        write_at_once(folder / f"{name}.json", json.dumps(row))


class Parts:
    """The files in the parts folder.

    Parameters
    ----------
    path : pathlib.Path
        The result file.
    find_damage : callable
        Takes a dict of scalars; returns what is wrong with it as a row, or an empty text.
    """

    def __init__(self, path, find_damage):
        self.folder = parts_folder(path)
        self.set_aside_folder = path.with_name(f"{path.name}.set-aside")
        self.find_damage = find_damage

    def read(self, say):
        """Read the rows; set aside what is none.

        Parameters
        ----------
        say : callable
            Called with a line of text for each file that is set aside.

        Returns
        -------
        rows : dict of pathlib.Path to dict
        """
        rows = {}
        for path in sorted(self.folder.glob("*.json")):
            row, problem = self._read_row(path)
            if problem:
                self._set_aside(path, problem, say)
            else:
                rows[path] = row
        return rows

    def clear(self, say):
        """Remove unfinished files and marks of units that died; set aside what is not ours.

        Parameters
        ----------
        say : callable
            See `read`.
        """
        for path in list(self.folder.iterdir()):
            if path.name.endswith(_OURS) and not path.is_dir():
                path.unlink()
            else:
                self._set_aside(path, "it is no part of a benchmark", say)

    def _read_row(self, path):
        """Read a row, or say what is wrong with the file."""
        if not path.is_file():
            return None, "it is not a file"
        try:
            row = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            return None, f"it is not JSON ({error})"
        if not isinstance(row, dict) or not all(type(v) in _SCALARS for v in row.values()):
            return None, "it is not a row"
        return row, self.find_damage(row)

    def _set_aside(self, path, problem, say):
        self.set_aside_folder.mkdir(exist_ok=True)
        place = self.set_aside_folder / path.name
        if place.exists():
            place = place.with_name(f"{uuid4().hex[:8]}-{path.name}")
        os.replace(path, place)
        say(f"{path} is not the row of a run: {problem}. It is set aside as {place}.")
