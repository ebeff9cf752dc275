"""The package as a whole: what importing costs, what is public."""

import ast
import re
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


def with_documented_parameters():
    """Import paths of all classes, functions and methods that describe their parameters."""
    for path in sorted(PACKAGE.rglob("*.py")):
        module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        if path.stem in ("__init__", "__main__"):
            continue
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                methods = node.body if isinstance(node, ast.ClassDef) else []
                methods = [part for part in methods if isinstance(part, ast.FunctionDef)]
                for found in (node, *methods):
                    if re.search(r"^Parameters\n---", ast.get_docstring(found) or "", re.MULTILINE):
                        yield ".".join([module, *dict.fromkeys([node.name, found.name])])


WITH_PARAMETERS = list(with_documented_parameters())


def test_most_of_the_package_describes_its_parameters():
    assert len(WITH_PARAMETERS) > 200


@pytest.mark.parametrize("name", WITH_PARAMETERS)
def test_documented_parameters_are_those_of_the_signature(name):
    errors = validate(name)["errors"]
    assert [error for error in errors if error[0] in ("PR01", "PR02", "PR03")] == []
