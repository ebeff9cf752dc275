"""The reference has every public name and no other, the user guide lists every page."""

import importlib
import re
from pathlib import Path

import pytest

import sktime_tsd

ROOT = Path(sktime_tsd.__file__).parent.parent
MODULES = sktime_tsd._MODULES

needs_docs = pytest.mark.skipif(
    not (ROOT / "docs").is_dir(), reason="the package is installed without its documentation"
)


def listed():
    text = (ROOT / "docs" / "api.md").read_text()
    return set(re.findall(r"^   ([A-Za-z_][\w.]*)$", text, flags=re.MULTILINE))


def public():
    """Classes and functions; what a module only hands on is listed where it is at home."""
    yield from sktime_tsd._OBJECTS
    for name in MODULES:
        module = importlib.import_module(f"sktime_tsd.{name}")
        for member in module.__all__:
            if callable(getattr(module, member)) and member not in sktime_tsd._OBJECTS:
                yield f"{name}.{member}"


@needs_docs
def test_every_public_name_is_in_the_reference():
    # the same object under two names is listed once
    twice = {"runtime.ModelFileError"}
    assert set(public()) - listed() - twice == set()


@needs_docs
def test_every_name_in_the_reference_exists():
    assert listed()
    for name in listed():
        *module, member = name.split(".")
        assert hasattr(importlib.import_module(".".join(["sktime_tsd", *module])), member), name


@needs_docs
def test_every_page_of_the_user_guide_is_in_its_contents():
    index = (ROOT / "docs" / "user_guide" / "index.md").read_text()
    pages = [p for p in (ROOT / "docs" / "user_guide").glob("*.md") if p.stem != "index"]
    assert pages
    for path in pages:
        assert f"({path.name})" in index
        assert re.search(rf"^{path.stem}$", index, flags=re.MULTILINE)
