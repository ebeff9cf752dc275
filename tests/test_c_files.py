"""Files of C students: names, labels, refusals, costs, 8 bits, the command line."""

import dataclasses
import os
import warnings

import numpy as np
import pytest
import torch
from c_programs import (
    COMPILER,
    Library,
    classifier,
    classifier_of,
    compiled,
    files,
    needs_compiler,
    runs_clean,
    series,
)
from helpers import bad
from torch import nn

from sktime_tsd import SkorchClassifier, fidelity_report, save_model, to_c
from sktime_tsd.__main__ import main
from sktime_tsd.export.c import CCost, _to_c
from sktime_tsd.export.c._quantize_rows import rounded_rows
from sktime_tsd.networks import FCN


@pytest.fixture(scope="module")
def fcn():
    return classifier_of("fcn", n_channels=2, n_classes=3)


# -- names and labels ----------------------------------------------------------------------

LABELS = ['say "hi"', "two\nlines", "back\\slash", "??/ trigraph", "schön 日本", "*/ end", "%d 1"]


@needs_compiler
def test_labels_of_any_kind(tmp_path):
    clf = classifier(FCN(1, 10, 7, (3,), (3,)), (1, 10), labels=sorted(LABELS))
    path = to_c(clf, tmp_path / "student.c")
    assert path.read_bytes().isascii()
    assert Library(path).labels == sorted(LABELS)


@pytest.mark.parametrize("labels", [["a\0b", "c"], ["\ud800", "c"]], ids=["NUL", "surrogate"])
def test_labels_that_c_cannot_hold(labels, tmp_path):
    clf = classifier(FCN(1, 10, 2, (3,), (3,)), (1, 10), labels=labels)
    with pytest.raises(ValueError, match=r"rename it|label"):
        to_c(clf, tmp_path / "student.c")
    assert files(tmp_path) == []


@needs_compiler
def test_numbers_as_labels_and_a_name_of_its_own(tmp_path):
    clf = classifier(FCN(1, 10, 2, (3,), (3,)), (1, 10), labels=[-1, 10])
    path = to_c(clf, tmp_path / "file.c", name="heart_beat2", test=True)
    assert files(tmp_path) == ["file.c", "file.h", "file_test.c"]
    library = Library(path, "heart_beat2")
    assert library.labels == ["-1", "10"]
    assert "HEART_BEAT2_N_CLASSES 2" in path.with_suffix(".h").read_text()
    assert "student" not in path.read_text()
    compiled([path, tmp_path / "file_test.c"], tmp_path / "program")


@pytest.mark.parametrize(
    "name", ["", "1st", "a-b", "a b", "int", "class", "_x", "a__b", "ö", "a;", "x" * 41, None, 3]
)
def test_names_that_are_no_identifiers(name, fcn, tmp_path):
    with pytest.raises(ValueError, match="name must be a C identifier"):
        to_c(fcn, tmp_path / "student.c", name=name)
    assert files(tmp_path) == []


# -- refusals and files --------------------------------------------------------------------


class CumulativeSum(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(12, 2)

    def forward(self, x):
        return self.linear(x.cumsum(dim=2).flatten(1))


def test_unknown_operators_are_named(tmp_path):
    with pytest.raises(RuntimeError, match=r"CumulativeSum cannot be written in C\. CumSum"):
        to_c(classifier(CumulativeSum(), (1, 12)), tmp_path / "student.c")
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        bad(ValueError, "int8=True needs X", int8=True),
        bad(TypeError, int8="yes"),
        bad(ValueError, stride=0),
        bad(TypeError, stride=1.5),
        bad(TypeError, test=2),
        bad(ValueError, "shape|time points|X has", X=np.zeros((2, 2, 25))),
        bad(ValueError, "NaN", X=np.full((2, 2, 24), np.nan)),
    ],
)
def test_options_that_cannot_be(options, error, said, fcn, tmp_path):
    with pytest.raises(error, match=said):
        to_c(fcn, tmp_path / "student.c", **options)
    assert files(tmp_path) == []


def test_what_is_no_student_of_ours(tmp_path):
    with pytest.raises(TypeError, match="SkorchClassifier"):
        to_c(object(), tmp_path / "student.c")
    with pytest.warns(UserWarning, match="single label"):
        clf = SkorchClassifier("fcn", max_epochs=1).fit(np.zeros((4, 1, 9)), ["a"] * 4)
    with pytest.raises(ValueError, match="no network"):
        to_c(clf, tmp_path / "student.c")


def test_weights_that_are_no_numbers(tmp_path):
    network = FCN(1, 10, 2, (3,), (3,))
    clf = classifier(network, (1, 10))
    with torch.no_grad():
        clf.network_.network.linear.weight[0, 0] = torch.nan
    with pytest.raises(ValueError, match="NaN or infinite"):
        to_c(clf, tmp_path / "student.c")
    assert files(tmp_path) == []


@needs_compiler
@pytest.mark.parametrize("existing", ["student.c", "student.h", "student_test.c"])
def test_existing_files_are_kept_or_replaced(existing, fcn, tmp_path):
    (tmp_path / existing).write_text("mine")
    with pytest.raises(FileExistsError, match=f"{existing}.*overwrite=True"):
        to_c(fcn, tmp_path / "student.c")
    assert (tmp_path / existing).read_text() == "mine"
    to_c(fcn, tmp_path / "student.c", overwrite=True)
    # a file that is not replaced is not ours to remove, unless it is a test of an older file
    assert (existing == "student_test.c") == ((tmp_path / existing).read_text() == "mine")
    to_c(fcn, tmp_path / "student.c", test=True, overwrite=True)
    to_c(fcn, tmp_path / "student.c", overwrite=True)
    assert files(tmp_path) == ["student.c", "student.h"]


@pytest.mark.parametrize(
    ("place", "error", "said"),
    [
        ("student", ValueError, r"ends in \.c"),
        ("student.cpp", ValueError, r"ends in \.c"),
        ('st"udent.c', ValueError, "quotes"),
        ("none/student.c", FileNotFoundError, "Create it"),
        ("folder.c", FileExistsError, "folder"),
    ],
)
def test_places_that_cannot_be(place, error, said, fcn, tmp_path):
    (tmp_path / "folder.c").mkdir()
    with pytest.raises(error, match=said):
        to_c(fcn, tmp_path / place)
    assert files(tmp_path) == ["folder.c"]


@needs_compiler
@pytest.mark.parametrize("fault", ["probabilities", "label", "crash", "syntax"])
def test_wrong_answers_leave_former_files(fault, fcn, tmp_path, monkeypatch):
    path = to_c(fcn, tmp_path / "student.c")
    former = path.read_text(), path.with_suffix(".h").read_text()
    texts = {
        "probabilities": ("sum += (float)*weights++ * *x++;", "sum += (float)*weights++;"),
        "label": ("return best;", "return best == 0;"),
        "crash": ("int i, best = 0;", "int i, best = *(volatile int *)0;"),
        "syntax": ("int i, best = 0;", "int i, best = 0"),
    }
    write = _to_c.Build.__init__.__globals__["write_source"]

    def broken(*arguments, **options):
        written = write(*arguments, **options)
        before, after = texts[fault]
        assert before in written.source
        return dataclasses.replace(written, source=written.source.replace(before, after))

    monkeypatch.setitem(_to_c.Build.__init__.__globals__, "write_source", broken)
    said = "could not be checked" if fault in ("crash", "syntax") else "differ"
    with pytest.raises(RuntimeError, match=said):
        to_c(fcn, path, overwrite=True)
    assert files(tmp_path) == ["student.c", "student.h"]
    assert (path.read_text(), path.with_suffix(".h").read_text()) == former


@needs_compiler
def test_a_fault_while_files_are_moved_leaves_the_former_ones(fcn, tmp_path, monkeypatch):
    path = to_c(fcn, tmp_path / "student.c", test=True)
    former = {name: (tmp_path / name).read_bytes() for name in files(tmp_path)}
    replace, moved = os.replace, []

    def failing(source, target):
        moved.append(target)
        if len(moved) == 2:
            raise KeyboardInterrupt
        return replace(source, target)

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(KeyboardInterrupt):
        to_c(fcn, path, overwrite=True, stride=3)
    assert {name: (tmp_path / name).read_bytes() for name in files(tmp_path)} == former
    moved.clear()
    with pytest.raises(KeyboardInterrupt):
        to_c(fcn, tmp_path / "other.c", stride=3)
    assert files(tmp_path) == sorted(former)


@needs_compiler
def test_a_header_of_another_export_does_not_compile(fcn, tmp_path):
    path = to_c(fcn, tmp_path / "student.c")
    compiled([path], tmp_path / "student.o", "-c")
    clf = classifier_of("fcn", n_channels=2, n_classes=2)
    other = to_c(clf, tmp_path / "other.c")
    path.with_suffix(".h").write_text(other.with_suffix(".h").read_text())
    with pytest.raises(AssertionError, match="different exports"):
        compiled([path], tmp_path / "student.o", "-c")


def test_without_a_compiler_there_is_a_test_and_a_warning(fcn, tmp_path, monkeypatch):
    monkeypatch.setattr(_to_c, "c_compiler", lambda: None)
    with pytest.warns(UserWarning, match=r"no C compiler.*student_test\.c"):
        path = to_c(fcn, tmp_path / "student.c")
    assert files(tmp_path) == ["student.c", "student.h", "student_test.c"]
    assert path.cost.code_bytes is None
    assert path.cost.stack_bytes == path.cost.buffer_bytes
    assert "not measured" in path.with_suffix(".h").read_text()
    if COMPILER is not None:
        runs_clean(path)


def test_a_compiler_that_does_not_work_is_none(monkeypatch):
    monkeypatch.setenv("CC", "no-such-compiler")
    assert _to_c.c_compiler() is None
    monkeypatch.setenv("CC", "false")
    assert _to_c.c_compiler() is None


# -- costs ---------------------------------------------------------------------------------


@needs_compiler
def test_what_it_costs(tmp_path):
    clf = classifier(FCN(1, 24, 2, filters=(8, 16, 8)), (1, 24))
    path = to_c(clf, tmp_path / "student.c")
    cost = path.cost
    # batch norms have joined the convolutions: 1,202 weights less 64
    assert cost.weight_bytes == 4 * (1202 - 64)
    convolutions = 24 * (8 * 8 + 16 * 8 * 5 + 8 * 16 * 3)
    assert cost.multiply_adds == convolutions + 24 * 8 + 2 * 8
    # the columns that windows of 8, 5 and 3 reach over, one more of the last layer, mean, logits
    assert cost.buffer_bytes == 4 * (8 * 1 + 5 * 8 + 3 * 16 + 8 + 8 + 2)
    assert cost.static_bytes == 0
    header = path.with_suffix(".h").read_text()
    for line in str(cost).splitlines():
        assert line in header
    if cost.code_bytes is not None:  # not every compiler has tools that tell
        assert 200 < cost.code_bytes < 5000
        assert cost.buffer_bytes < cost.stack_bytes < cost.buffer_bytes + 1000
    assert path.parent == tmp_path
    assert path.parent.cost is None


@needs_compiler
def test_memory_does_not_grow_with_the_length(tmp_path):
    costs = []
    for length in (60, 600):
        network = FCN(2, length, 2, filters=(4, 6), kernel_sizes=(8, 3))
        clf = classifier(network, (2, length))
        costs.append(to_c(clf, tmp_path / f"{length}.c").cost)
    assert costs[0].buffer_bytes == costs[1].buffer_bytes
    assert costs[0].weight_bytes == costs[1].weight_bytes


def test_a_report_says_what_the_file_costs(fcn):
    cost = CCost(100, 200, 300, 0, 500, 250, "Cortex-M4")
    options = {"latency": False, "n_resamples": 0, "max_saliency_instances": 0}
    X = series(10, fcn)
    report = fidelity_report(fcn, fcn, X, c_cost=cost, **options)
    names = ["weight_bytes", "code_bytes", "stack_bytes", "static_bytes", "multiply_adds"]
    assert [report[f"c_{name}"] for name in names] == [100, 200, 300, 0, 500]
    assert "Student as a C file" in repr(report)
    assert "weights, bytes (-)" in repr(report)
    assert "<td>500</td>" in report._repr_html_()
    report = fidelity_report(
        fcn, fcn, X, c_cost=dataclasses.replace(cost, code_bytes=None), **options
    )
    assert np.isnan(report["c_code_bytes"])
    assert "C file" not in repr(fidelity_report(fcn, fcn, X, **options))
    with pytest.raises(TypeError, match="c_cost must be a CCost"):
        fidelity_report(fcn, fcn, X, c_cost=7, **options)


# -- 8 bits --------------------------------------------------------------------------------


def test_rows_are_rounded_with_the_best_of_their_scales():
    rng = np.random.RandomState(0)
    matrix = rng.standard_normal((20, 3, 4)) * 10.0 ** rng.randint(-6, 6, (20, 1, 1))
    matrix[0] = 0
    matrix[1] = np.arange(12).reshape(3, 4) ** 2 / 100  # of which 121 is the largest
    rounded, scales = rounded_rows(matrix)
    assert rounded.dtype == np.int8
    assert np.abs(rounded.astype(int)).max() <= 127
    error = np.abs(rounded * scales[:, None, None] - matrix)
    assert (error <= scales[:, None, None] * 0.5000001).all()
    np.testing.assert_allclose(error[:2], 0, atol=1e-15)
    plain = np.abs(matrix).max(axis=(1, 2)) / 127  # the scale that is usually taken
    plain[0] = 1
    usual = np.rint(matrix / plain[:, None, None]) * plain[:, None, None] - matrix
    assert (np.square(error).sum(axis=(1, 2)) <= np.square(usual).sum(axis=(1, 2)) + 1e-30).all()


@needs_compiler
@pytest.mark.parametrize("network", ["fcn", "lstm"])
def test_weights_of_8_bits(network, tmp_path):
    clf = classifier_of(network, 2, 30, 2)
    X = series(200, clf)
    full = to_c(clf, tmp_path / "full.c", X)
    path = to_c(clf, tmp_path / "student.c", X, int8=True, test=True)
    assert path.cost.int8
    assert "signed char" in path.read_text()
    assert path.cost.weight_bytes < 0.6 * full.cost.weight_bytes
    library = Library(path)
    answers = [library.labels[i] for i in library.predict(X)]
    assert np.mean(answers == clf.predict(X)) >= 0.99
    # sums are float, so the answers are near, but not the same
    error = np.abs(library.predict_proba(X) - clf.predict_proba(X)).max()
    assert 1e-5 < error < 0.1
    runs_clean(path)


@needs_compiler
def test_8_bits_that_do_not_pay_off(tmp_path):
    clf = classifier(FCN(1, 10, 2, (2,), (1,)), (1, 10))
    with pytest.warns(UserWarning, match=r"stay float.*bytes instead of"):
        path = to_c(clf, tmp_path / "student.c", series(20, clf), int8=True)
    assert not path.cost.int8
    assert "signed char" not in path.read_text()


def test_8_bits_without_a_compiler(fcn, tmp_path, monkeypatch):
    monkeypatch.setattr(_to_c, "c_compiler", lambda: None)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        path = to_c(fcn, tmp_path / "student.c", series(3, fcn), int8=True)
    assert any("stay float" in str(warning.message) for warning in said)
    assert not path.cost.int8


# -- on the command line -------------------------------------------------------------------


@needs_compiler
def test_on_the_command_line(fcn, tmp_path, capsys):
    folder = save_model(fcn, tmp_path / "model")
    np.save(tmp_path / "X.npy", series(5, fcn))
    out = tmp_path / "heart.c"
    arguments = ["export", str(folder), "--format", "c", "--out", str(out), "--name", "heart"]
    main([*arguments, "--sample", str(tmp_path / "X.npy"), "--stride", "4", "--test"])
    said = capsys.readouterr().out
    assert f"wrote {out}" in said
    assert "Multiply-adds per answer" in said
    assert "heart_push" in out.with_suffix(".h").read_text()
    assert (tmp_path / "heart_test.c").exists()
    with pytest.raises(SystemExit):
        main(arguments)
    assert "--overwrite" in capsys.readouterr().err
    main([*arguments, "--overwrite"])
    assert "heart_push" not in out.with_suffix(".h").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--format", "onnx", "--stride", "3"], "--format c"),
        (["--format", "c", "--name", "a-b"], "C identifier"),
        (["--format", "c", "--stride", "0"], "stride"),
        (["--format", "c", "--int8"], "int8"),
    ],
)
def test_options_of_the_command_that_cannot_be(arguments, said, fcn, tmp_path, capsys):
    folder = save_model(fcn, tmp_path / "model")
    with pytest.raises(SystemExit):
        main(["export", str(folder), "--out", str(tmp_path / "s.c"), *arguments])
    assert said in capsys.readouterr().err
    assert files(tmp_path) == ["model"]
