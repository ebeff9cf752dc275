"""The floors of the package, drawn from the import contract and the docstrings of its folders."""

import ast
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "sktime_tsd"


def _purpose(room):
    """First line of the docstring of a module or folder."""
    path = PACKAGE / room
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))).splitlines()[0]


def floors():
    """Return the floors as a Markdown table, the top floor first.

    Returns
    -------
    table : str
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = project["tool"]["importlinter"]["contracts"]
    layers = contract["layers"]
    rows = ["| floor | room | what it holds |", "|---|---|---|"]
    for floor, rooms in zip(range(len(layers), 0, -1), layers, strict=True):
        rows += [f"| {floor} | `{room}` | {_purpose(room)} |" for room in rooms.split(" | ")]
    return "\n".join(rows)


if __name__ == "__main__":
    print(floors())
