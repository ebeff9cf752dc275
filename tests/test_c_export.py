"""Students as C files: the same answers from math.h alone, or no file."""

import subprocess
import sys

import numpy as np
import pytest
from c_programs import (
    Library,
    classifier_of,
    compiled,
    files,
    gives_the_same,
    needs_compiler,
    runs_clean,
    series,
)
from sklearn.pipeline import make_pipeline

from sktime_tsd import SkorchClassifier, to_c
from sktime_tsd.preprocessing import SeriesCenterer, SeriesResampler, SeriesStandardScaler

CASES = [
    ("fcn", 1, 8, 2),
    ("fcn", 3, 33, 5),
    ("lstm", 2, 24, 3),
    ("inception_time", 2, 40, 2),
    ("lite", 2, 40, 3),
]


@pytest.fixture(scope="module")
def fcn():
    return classifier_of("fcn", n_channels=2, n_classes=3)


@pytest.fixture(scope="module")
def exported(fcn, tmp_path_factory):
    return to_c(fcn, tmp_path_factory.mktemp("c") / "student.c", test=True)


# -- right answers -----------------------------------------------------------------------


@needs_compiler
@pytest.mark.parametrize(("network", "n_channels", "n_timepoints", "n_classes"), CASES)
def test_answers_are_those_of_the_classifier(
    network, n_channels, n_timepoints, n_classes, tmp_path
):
    clf = classifier_of(network, n_channels, n_timepoints, n_classes)
    X = 3 * series(20, clf)
    path = to_c(clf, tmp_path / "student.c", X)
    assert files(tmp_path) == ["student.c", "student.h"]
    library = gives_the_same(path, clf, X)
    assert list(library.sizes.values()) == [n_channels, n_timepoints, n_classes]
    assert library.predict_proba(X).std(axis=0).min() > 1e-4  # the series matter


@pytest.mark.slow
@needs_compiler
@pytest.mark.parametrize("network", ["fcn", "lstm", "inception_time", "lite"])
@pytest.mark.parametrize("n_channels", [1, 4])
@pytest.mark.parametrize("n_classes", [2, 12])
@pytest.mark.parametrize("n_timepoints", [8, 9, 100, 1000])
def test_all_sizes(network, n_channels, n_classes, n_timepoints, tmp_path):
    clf = classifier_of(network, n_channels, n_timepoints, n_classes)
    X = series(5, clf)
    path = to_c(clf, tmp_path / "student.c", X, test=True)
    gives_the_same(path, clf, X)
    runs_clean(path)


@needs_compiler
def test_the_test_program_runs_clean(exported):
    runs_clean(exported)


@needs_compiler
def test_the_test_program_finds_wrong_answers(exported, tmp_path):
    for file in exported.parent.glob("student*.[ch]"):
        text = file.read_text()
        if file.name == "student.c":
            text = text.replace("softmax(b.v", "b.v0[0] = 0.0f; add_wrong(b.v", 1)
            text = text.replace(
                "static void compute(",
                "static void add_wrong(const float *x, float *y, int n)\n"
                "{ float z[9]; int i; for (i = 0; i < n; ++i) { z[i] = x[i] * 1.1f; }\n"
                "softmax(z, y, n); }\n\nstatic void compute(",
                1,
            )
        (tmp_path / file.name).write_text(text)
    sources = [tmp_path / "student.c", tmp_path / "student_test.c"]
    program = compiled(sources, tmp_path / "program")
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert not done.stdout.startswith("0 of ")


@needs_compiler
def test_no_memory_is_written_but_the_stack(exported, tmp_path):
    def written(*options):
        target = compiled([exported], tmp_path / "student.o", "-c", "-fno-pic", *options)
        done = subprocess.run(["size", target], capture_output=True, text=True, check=True)
        _, data, bss = map(int, done.stdout.splitlines()[1].split()[:3])
        return data + bss

    assert written() == 0
    # at least the buffers
    assert written("-DSTUDENT_STATIC_BUFFERS") >= exported.cost.buffer_bytes
    for word in ("malloc", "alloca", "printf", "string.h"):
        assert word not in exported.read_text()


@needs_compiler
@pytest.mark.parametrize("options", [("-std=c11", "-O3"), ("-std=c99", "-O0"), ("-std=c17", "-Os")])
def test_no_warnings_under_other_standards(options, exported, tmp_path):
    compiled([exported], tmp_path / "student.o", "-c", *options)


@needs_compiler
def test_static_buffers_give_the_same(exported, fcn):
    X = series(3, fcn)
    library = gives_the_same(exported, fcn, X, "-DSTUDENT_STATIC_BUFFERS")
    assert (library.predict_proba(X) == Library(exported).predict_proba(X)).all()


@needs_compiler
@pytest.mark.skipif(sys.platform == "win32", reason="g++ is a program of Unix")
def test_the_header_is_for_cpp_too(exported, tmp_path):
    program = tmp_path / "program.cpp"
    program.write_text(f'#include "{exported.with_suffix(".h")}"\nint main() {{ return 0; }}\n')
    try:
        done = subprocess.run(
            ["g++", "-std=c++11", "-Wall", "-Wextra", "-pedantic", "-fsyntax-only", program],
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        pytest.skip("there is no g++")
    assert done.stderr == ""


@needs_compiler
def test_scaling_and_constant_channels_are_inside(tmp_path):
    rng = np.random.RandomState(0)
    X = 50 + 10 * rng.standard_normal((30, 3, 20))
    X[:, 1] = 7.0
    y = np.where(X[:, 0].mean(axis=1) > 50, "up", "down")
    clf = SkorchClassifier("fcn", {"filters": (4,), "kernel_sizes": (3,)}, max_epochs=2)
    clf = clf.fit(X, y)
    gives_the_same(to_c(clf, tmp_path / "student.c", X), clf, X.astype(np.float32))


@needs_compiler
def test_what_overflows_has_no_answer(exported, fcn):
    library, X = Library(exported), series(4, fcn)
    X[1] = 3e38  # finite, but sums of such values are not
    X[2, 0, 3] = np.nan
    X[3, 1, 5] = np.inf
    with pytest.raises(ValueError, match="finite"):
        fcn.predict_proba(X[1:2])
    assert library.predict(X) == [library.predict(X[:1])[0], -1, -1, -1]
    assert np.isnan(library.predict_proba(X[1:])).all()
    assert fcn.predict(X[:1])[0] == library.labels[library.predict(X[:1])[0]]


@needs_compiler
def test_large_values_are_answered_as_the_classifier_does(exported, fcn):
    gives_the_same(exported, fcn, 1e4 * series(10, fcn))


STEPS = [
    [SeriesCenterer()],
    [SeriesStandardScaler(), SeriesResampler(13)],
    [SeriesResampler(31), SeriesStandardScaler(), SeriesCenterer()],
    [SeriesResampler(1)],
]


@needs_compiler
@pytest.mark.parametrize("steps", STEPS, ids=lambda steps: "+".join(map(repr, steps)))
def test_steps_of_a_pipeline_are_inside(steps, tmp_path):
    rng = np.random.RandomState(0)
    X = rng.standard_normal((20, 2, 20)) + rng.uniform(-9, 9, (20, 2, 1))
    X[0, 1], X[1, 0] = 4.0, 0.0  # constant
    y = np.arange(20) % 2
    last = SkorchClassifier("fcn", {"filters": (4,), "kernel_sizes": (3,)}, max_epochs=1)
    pipeline = make_pipeline(*steps, last).fit(X, y)
    path = to_c(pipeline, tmp_path / "student.c", X)
    X = X.astype(np.float32)
    library = Library(path)
    assert library.sizes["N_TIMEPOINTS"] == 20
    expected = pipeline.predict_proba(X.astype(np.float64))
    np.testing.assert_allclose(library.predict_proba(X), expected, atol=1e-5)


@needs_compiler
def test_series_that_float32_cannot_tell_apart(tmp_path):
    X = 1e8 + np.random.RandomState(0).standard_normal((20, 1, 20))
    y = np.arange(20) % 2
    network = {"filters": (4,), "kernel_sizes": (3,)}
    clf = SkorchClassifier("fcn", network, max_epochs=1, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match=r"float32.*Subtract the level"):
        to_c(clf, tmp_path / "student.c", X)
    # the remedy
    clf = SkorchClassifier("fcn", network, max_epochs=1, random_state=0).fit(X - 1e8, y)
    gives_the_same(to_c(clf, tmp_path / "student.c"), clf, (X - 1e8).astype(np.float32))


def test_a_level_that_float_loses_before_a_step_is_seen(tmp_path):
    waves = np.sin(np.arange(24) * np.array([[1.0], [2.0]]))
    y = np.arange(20) % 2
    X = 1e8 + waves[y][:, None] * 0.5
    network = {"filters": (4,), "kernel_sizes": (3,)}
    pipeline = make_pipeline(SeriesStandardScaler(), SkorchClassifier("fcn", network, lr=0.05))
    pipeline.set_params(skorchclassifier__max_epochs=30, skorchclassifier__random_state=0)
    pipeline.fit(X, y)
    assert pipeline.score(X, y) == 1
    with pytest.raises(ValueError, match=r"float32.*Subtract the level"):
        to_c(pipeline, tmp_path / "student.c", X)
    assert files(tmp_path) == []
