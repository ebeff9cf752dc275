"""The layers of the package, drawn from the import contract and the docstrings of its folders."""

import ast
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "sktime_tsd"


def _purpose(name):
    """First line of the docstring of a module or folder."""
    path = PACKAGE / name
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    return docstring.splitlines()[0].replace("``", "`")


def floors():
    """Return the layers as a Markdown table, the top layer first.

    Returns
    -------
    table : str
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = project["tool"]["importlinter"]["contracts"]
    layers = contract["layers"]
    rows = ["| layer | folder or module | what it holds |", "|---|---|---|"]
    for number, names in zip(range(len(layers), 0, -1), layers, strict=True):
        rows += [f"| {number} | `{name}` | {_purpose(name)} |" for name in names.split(" | ")]
    return "\n".join(rows)


if __name__ == "__main__":
    print(floors())
