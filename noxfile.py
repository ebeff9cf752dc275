"""Checks in environments of their own: ``nox -l`` lists them."""

import nox

nox.options.default_venv_backend = "venv"
nox.options.sessions = ["docs"]

# The least versions of pyproject.toml. torch is the same everywhere.
OLDEST = (
    "sktime==1.1.0",
    "scikit-learn==1.7.2",
    "skorch==1.1.0",
    "numpy==2.1.3",
    "scipy==1.15.3",
    "pandas==2.2.3",
)
TORCH = "torch==2.13.0"


def _test(session, *versions):
    # together, or pip would first take the newest of what is left open
    session.install(TORCH, *versions, ".[test]")
    session.run("python", "-m", "pytest", "-n", "auto", "-m", "", *session.posargs)  # slow too


@nox.session
def tests_oldest(session):
    """Run all tests on the oldest versions supported."""
    _test(session, *OLDEST)


@nox.session
def tests_newest(session):
    """Run all tests on the newest versions there are."""
    _test(session)


@nox.session
def exchange(session):
    """Write models under the oldest versions and read them under the newest, and back."""
    folder = session.create_tmp()
    for versions, own, other in ((OLDEST, "old", None), ((), "new", "old"), (OLDEST, None, "new")):
        # eager, or what is installed and would do stays
        upgrade = ("--upgrade", "--upgrade-strategy", "eager")
        session.install(*upgrade, TORCH, *versions, ".[onnx]")
        if own:
            session.run("python", "tests/exchange_models.py", "write", f"{folder}/{own}")
        if other:
            session.run("python", "tests/exchange_models.py", "read", f"{folder}/{other}")


@nox.session
def aeon(session):
    """Distil classifiers of aeon, and print how alike the students are."""
    # without constraints.txt: aeon wants an older numba, and so an older numpy
    session.install(TORCH, "aeon>=1.6", ".", "pytest", "pytest-timeout", "pytest-xdist")
    session.run("python", "-m", "pytest", "-m", "", "-s", "tests/test_aeon.py", *session.posargs)


@nox.session
def evidence(session):
    """Make the benchmark's series with known evidence, and check them."""
    session.install("-c", "constraints.txt", TORCH, ".[test,evidence]")
    session.run("python", "-m", "pytest", "-m", "", "tests/test_made_data.py", *session.posargs)


@nox.session
def docs(session):
    """Build the documentation with all its programs, and check its links."""
    session.install("-c", "constraints.txt", ".[docs]")
    session.run("python", "-m", "sphinx", "-W", "-b", "html", "docs", "docs/_build/html")
    session.run("python", "docs/check_site.py", "docs/_build/html")
