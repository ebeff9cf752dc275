"""The package as a whole: what importing costs, what is public."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from numpydoc.validate import validate

import sktime_tsd

PACKAGE = Path(sktime_tsd.__file__).parent


def test_importing_the_package_imports_nothing_heavy():
    code = (
        "import sys, sktime_tsd; dir(sktime_tsd); "
        "print([m for m in ('torch', 'pandas', 'sktime', 'sklearn', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", sktime_tsd.__all__)
def test_every_public_name_is_there(name):
    assert getattr(sktime_tsd, name) is not None
    assert name in dir(sktime_tsd)


def test_unknown_names_are_refused():
    with pytest.raises(AttributeError, match="no_such_thing"):
        _ = sktime_tsd.no_such_thing


def documented_objects():
    """Import paths of everything with a docstring of its own, methods included."""
    for path in sorted(PACKAGE.rglob("*.py")):
        module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        if path.stem in ("__init__", "__main__"):
            continue
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
                yield f"{module}.{node.name}"
            if isinstance(node, ast.ClassDef):
                for method in node.body:
                    if isinstance(method, ast.FunctionDef) and method.name[0] != "_":
                        yield f"{module}.{node.name}.{method.name}"


@pytest.mark.parametrize("name", list(documented_objects()))
def test_documented_parameters_are_those_of_the_signature(name):
    result = validate(name)
    # an undocumented section is for linters; a section that is there must be right
    if "Parameters" in (result["docstring"] or ""):
        wrong = [error for error in result["errors"] if error[0] in ("PR01", "PR02", "PR03")]
        assert wrong == []
