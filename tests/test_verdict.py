"""Requirements held against a fidelity report, in Python and on the command line."""

import json
import pickle
import re

import joblib
import numpy as np
import pandas as pd
import pytest
from helpers import LABELS, learner, linear, report_on
from scipy.stats import binomtest
from sklearn.frozen import FrozenEstimator

from sktime_tsd import SkorchClassifier, __main__, fidelity_report, save_model
from sktime_tsd.fidelity import Verdict
from sktime_tsd.networks import FCN
from sktime_tsd.teachers import CallableTeacher

CLASSES = ["down", "up"]
TEACHER = CallableTeacher(lambda X: X[:, 0, 0], CLASSES)
STUDENT = CallableTeacher(lambda X: X[:, 0, 1], CLASSES)


def report_of(n, n_different, y=None, **options):
    """A report on n series, of which the student answers some otherwise than its teacher."""
    of_teacher = np.where(np.arange(n) % 2, 0.8, 0.2)
    different = np.arange(n) < n_different
    X = np.stack([of_teacher, np.where(different, 1 - of_teacher, of_teacher)], axis=1)[:, None]
    settings = {"max_saliency_instances": 0, "latency": False, "random_state": 0} | options
    return fidelity_report(TEACHER, STUDENT, X, y, **settings)


@pytest.fixture(scope="module")
def report():
    return report_on(linear(0), linear(1), LABELS)


# -- which bound decides -------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["top_1_agreement", "kl_divergence", "saliency_spearman", "auc_prc_student", "bytes_student"],
)
def test_the_end_of_the_interval_that_is_against_it_decides(report, name):
    line = report.to_frame().loc[name]
    higher = line["higher_is_better"]
    bound = line["low" if higher else "high"]
    step = 1e-9 if higher else -1e-9
    assert report.check(**{name: bound}).passed
    assert not report.check(**{name: bound + max(1, abs(bound)) * step}).passed
    row = report.check(**{name: bound}).to_frame().loc[name]
    assert row[["asked", "bound"]].tolist() == [bound, bound]
    assert row["value"] == line["value"]
    assert row["higher_is_better"] == higher


def test_all_requirements_must_be_met(report):
    verdict = report.check(top_1_agreement=0.1, kl_divergence=0.1)
    assert not verdict.passed
    assert verdict.to_frame()["passed"].to_dict() == {
        "top_1_agreement": True, "kl_divergence": False
    }  # fmt: skip
    assert not verdict
    assert report.check(top_1_agreement=0.1, kl_divergence=50)


def test_intervals_of_shares_are_exact(report):
    frame = report.to_frame()
    for name in ("top_1_agreement", "top_1_agreement_teacher_right", "accuracy_student"):
        values = report.samples[name].dropna()
        exact = binomtest(int(values.sum()), len(values)).proportion_ci(0.95)
        assert frame.loc[name, ["low", "high"]].tolist() == pytest.approx([exact.low, exact.high])


def test_a_student_that_misses_a_requirement_rarely_passes():
    """Just below the requirement, as often as a verdict may err; the second one never fails."""
    rng, asked, n = np.random.default_rng(0), 0.9, 120
    passes = {k: bool(report_of(n, k).check(top_1_agreement=asked)) for k in range(20)}
    drawn = rng.binomial(n, 1 - asked, size=2000)
    share = np.mean([passes.get(k, False) for k in drawn])
    assert 0 < share <= 0.025
    assert report_of(n, 0).check(top_1_agreement=asked).confidence == 0.975


# -- by the teacher's class and by whether it is right -------------------------------


def test_lines_by_class(report):
    answers = report.classes[report.teacher_probabilities.argmax(axis=1)]
    for metric, worst in (("top_1_agreement", 0), ("kl_divergence", 50)):
        for label in report.classes:
            name = f"{metric}_class_{label}"
            row = report.check(**{name: worst}).to_frame().loc[name]
            values = report.samples[metric][answers == label]
            assert row["value"] == pytest.approx(values.mean())
            assert row["n"] == len(values)


def test_lines_by_whether_the_teacher_is_right(report):
    right = report.samples["accuracy_teacher"] == 1
    for part, inside in (("right", right), ("wrong", ~right)):
        verdict = report.check(
            **{f"kl_divergence_teacher_{part}": 50, f"top_1_agreement_teacher_{part}": 0}
        )
        expected = report.samples.loc[inside, ["kl_divergence", "top_1_agreement"]].mean()
        np.testing.assert_allclose(verdict.to_frame()["value"], expected)
        known = report[f"top_1_agreement_teacher_{part}"]
        assert verdict.to_frame()["value"].iloc[1] == pytest.approx(known)


def test_a_class_that_the_teacher_never_answers_is_not_met():
    X = np.full((40, 1, 2), 0.9)
    report = fidelity_report(TEACHER, TEACHER, X, max_saliency_instances=0, latency=False)
    row = report.check(top_1_agreement_class_down=0.5).to_frame().iloc[0]
    assert not row["passed"]
    assert "nothing to measure" in row["reason"]


# -- few series ----------------------------------------------------------------------


@pytest.mark.parametrize("n_different", [0, 1])
def test_few_series_fail_and_say_how_many_more_would_do(n_different):
    asked = 0.95
    row = report_of(40, n_different).check(top_1_agreement=asked).to_frame().iloc[0]
    assert not row["passed"]
    n = 40 + int(row["n_more"])
    different = int(np.ceil(n * n_different / 40))
    assert report_of(n, different).check(top_1_agreement=asked).passed
    fewer = report_of(n - 1, different).check(top_1_agreement=asked)
    assert not fewer.passed
    assert f"about {int(row['n_more'])} more series" in row["reason"]


def test_means_of_few_series_are_not_judged():
    verdict = report_of(19, 0).check(kl_divergence=1)
    assert not verdict.passed
    assert "too few series (19), 1 more needed" in verdict.to_frame()["reason"].iloc[0]
    assert report_of(20, 0).check(kl_divergence=1).passed


def test_a_mean_that_is_not_sure_enough_says_about_how_many_more():
    report = report_of(100, 10)
    seen = report["kl_divergence"]
    high = report.to_frame().at["kl_divergence", "high"]
    row = report.check(kl_divergence=(seen + high) / 2).to_frame().iloc[0]
    assert row["n_more"] == pytest.approx(300, abs=2)  # half as wide with four times as many
    assert np.isnan(report.check(kl_divergence=0.9 * seen).to_frame()["n_more"].iloc[0])


def test_what_is_missed_as_seen_is_not_for_want_of_series():
    row = report_of(40, 20).check(top_1_agreement=0.9).to_frame().iloc[0]
    assert row["reason"] == "missed"
    assert np.isnan(row["n_more"])


# -- what cannot be judged -----------------------------------------------------------


def test_lines_that_cannot_be_judged_fail_and_say_why(report):
    missing = report.check(parameters_student=1e9).to_frame().iloc[0]  # no network
    assert not missing["passed"]
    assert "NaN" in missing["reason"]
    without = report_of(100, 0, n_resamples=0).check(top_1_agreement=0.1, kl_divergence=9)
    assert not without.passed
    assert without.to_frame()["reason"].str.contains("n_resamples=0").all()


def test_unknown_lines_list_the_known_ones(report):
    with pytest.raises(ValueError, match=r"no line 'top_1'.*top_1_agreement,.*_class_a,.*latency="):
        report.check(top_1=0.5)
    with pytest.raises(ValueError, match="Did you mean kl_divergence"):
        report.check(kl_divergance=0.5)
    unlabelled = report_of(30, 0)
    with pytest.raises(ValueError, match="need y in the report"):
        unlabelled.check(kl_divergence_teacher_right=0.5)
    with pytest.raises(ValueError, match="at least one requirement"):
        report.check()
    with pytest.raises(TypeError, match=r"top_1_agreement.*'0.9'"):
        report.check(top_1_agreement="0.9")
    with pytest.raises(ValueError, match=r"kl_divergence.*nan"):
        report.check(kl_divergence=float("nan"))


# -- its forms -----------------------------------------------------------------------


def test_a_verdict_in_words(report):
    verdict = report.check(top_1_agreement=0.2, kl_divergence=0.1)
    first, *lines, last = str(verdict).splitlines()
    assert first == "NOT PASSED: meets 1 of 2 requirements"
    row = verdict.to_frame().loc["kl_divergence"]
    assert len(lines) == 2
    assert lines[1].split()[:4] == ["FAIL", "kl_divergence", "≤", "0.1"]
    assert f"seen {row['value']:.4g}, high {row['bound']:.4g}" in lines[1]
    assert "at most about 2.5 %" in last  # KL has a bootstrap
    assert "at most 2.5 %" in str(report.check(top_1_agreement=0.1))
    assert str(report.check(top_1_agreement=0.1)).startswith("PASSED: meets the requirement")
    assert str(report.check(top_1_agreement=1)).startswith("NOT PASSED: meets no requirement")


def test_a_verdict_as_a_page_is_escaped():
    classes = ["<b>", "up"]
    teacher = CallableTeacher(lambda X: X[:, 0, 0], classes)
    X = np.full((30, 1, 2), 0.1)
    report = fidelity_report(teacher, teacher, X, max_saliency_instances=0, latency=False)
    page = report.check(**{"top_1_agreement_class_<b>": 0.5, "kl_divergence": 0.1})._repr_html_()
    assert page.count("<tr>") == 3
    assert "top_1_agreement_class_&lt;b&gt;" in page
    assert "PASSED" in page


def test_a_verdict_is_ready_for_json_and_pickle(report):
    verdict = report.check(top_1_agreement=0.2, parameters_student=10, kl_divergence=0.1)
    found = json.loads(json.dumps(verdict.to_dict(), allow_nan=False))
    assert found["passed"] is False
    assert found["confidence"] == 0.975
    assert found["requirements"]["parameters_student"]["value"] is None
    assert found["requirements"]["top_1_agreement"]["passed"] is True
    assert str(pickle.loads(pickle.dumps(verdict))) == str(verdict)
    frame = verdict.to_frame()
    frame["passed"] = True
    assert not verdict.passed


def test_the_verdict_goes_into_the_model_card(tmp_path):
    clf = SkorchClassifier.from_module(FCN(1, 24, 2), ["a", "b"], input_shape=(1, 24))
    X = np.random.RandomState(0).randn(40, 1, 24)
    report = fidelity_report(clf, clf, X, max_saliency_instances=0, latency=False)
    verdict = report.check(top_1_agreement=0.9)
    save_model(clf, tmp_path / "model", report=report, verdict=verdict)
    assert str(verdict) in (tmp_path / "model" / "README.md").read_text(encoding="utf-8")
    save_model(clf, tmp_path / "other")
    card = (tmp_path / "other" / "README.md").read_text(encoding="utf-8")
    assert "No requirements were checked" in card
    with pytest.raises(TypeError, match=r"verdict must be a result of report\.check"):
        save_model(clf, tmp_path / "third", verdict=True)
    assert isinstance(verdict, Verdict)


# -- the command ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A student as a folder and in a pickle, another as teacher, and series."""
    folder = tmp_path_factory.mktemp("check")
    rng = np.random.RandomState(0)
    student, teacher = (
        SkorchClassifier.from_module(FCN(1, 24, 2), ["a", "b"], input_shape=(1, 24))
        for _ in range(2)
    )
    save_model(student, folder / "student")
    joblib.dump(FrozenEstimator(student), folder / "student.joblib")
    save_model(teacher, folder / "teacher")
    np.save(folder / "series.npy", rng.randn(100, 1, 24))
    return folder


def run(files, *arguments, student="student", teacher="student"):
    command = [
        "check", files / student, "--teacher", files / teacher, "--data", files / "series.npy",
        "--saliency-series", 0, *arguments,
    ]  # fmt: skip
    try:
        __main__.main([str(argument) for argument in command])
    except SystemExit as stop:
        return stop.code
    return 0


def test_exit_status_and_the_file_for_a_pipeline(files, tmp_path, capsys):
    out = tmp_path / "verdict.json"
    required = ["--require", "top_1_agreement=0.9", "kl_divergence=0.1", "--out", out]
    assert run(files, *required) == 0
    text = capsys.readouterr().out
    assert "Same answers" in text
    assert "PASSED: meets 2 of 2 requirements" in text
    found = json.loads(out.read_text())
    assert found["verdict"]["passed"] is True
    assert found["n_series"] == 100
    assert found["metrics"]["top_1_agreement"]["value"] == 1
    assert run(files, *required) == 2  # the file is there
    assert "--overwrite" in capsys.readouterr().err
    assert run(files, *required, "--require", "bytes_student=1", "--overwrite") == 1
    assert "NOT PASSED: meets 2 of 3" in capsys.readouterr().out
    assert json.loads(out.read_text())["verdict"]["passed"] is False


def test_labels_of_a_file_find_those_of_the_models(tmp_path):
    """Text in the file, numbers in the models."""
    clf = SkorchClassifier.from_module(FCN(1, 24, 2), [1, 2], input_shape=(1, 24))
    save_model(clf, tmp_path / "model")
    X = np.random.RandomState(0).randn(100, 24).round(3)
    rows = [",".join(map(str, x)) + f":{1 + i % 2}" for i, x in enumerate(X)]
    head = "@problemName new\n@timeStamps false\n@univariate true\n@classLabel true 1 2\n@data\n"
    (tmp_path / "new.ts").write_text(head + "\n".join(rows) + "\n")
    model, out = tmp_path / "model", tmp_path / "verdict.json"
    command = ["check", model, "--teacher", model, "--data", tmp_path / "new.ts", "--out", out]
    options = ["--saliency-series", "0", "--require", "kl_divergence_teacher_right=1"]
    __main__.main([*map(str, command), *options])
    found = json.loads(out.read_text())["metrics"]["accuracy_student"]["value"]
    assert found == pytest.approx(clf.score(X[:, None], 1 + np.arange(100) % 2))


def test_series_of_unequal_length_are_resampled_if_asked_to(files, tmp_path, capsys):
    rng = np.random.RandomState(0)
    rows = [",".join(map(str, rng.randn(20 + i % 5).round(3))) for i in range(60)]
    head = "@problemName new\n@timeStamps false\n@univariate true\n@equalLength false\n"
    (tmp_path / "new.ts").write_text(f"{head}@classLabel false\n@data\n" + "\n".join(rows) + "\n")
    required = ["--require", "top_1_agreement=0.9", "--data", tmp_path / "new.ts"]
    assert run(files, *required) == 2
    assert "--unequal-length resample" in capsys.readouterr().err
    assert run(files, *required, "--unequal-length", "resample") == 0
    assert "series:   60" in capsys.readouterr().out


def test_channels_in_another_order_are_refused(tmp_path, capsys):
    index = pd.MultiIndex.from_product([range(20), range(20)])
    X = pd.DataFrame(np.random.RandomState(0).randn(400, 2), index, columns=["acc", "gyr"])
    for name, columns in (("teacher", ["acc", "gyr"]), ("student", ["gyr", "acc"])):
        save_model(learner(max_epochs=1).fit(X[columns], np.arange(20) % 2), tmp_path / name)
    np.save(tmp_path / "series.npy", np.zeros((30, 2, 20)))
    assert run(tmp_path, "--require", "top_1_agreement=0.1", teacher="teacher") == 2
    assert "acc, gyr, the student on gyr, acc" in " ".join(capsys.readouterr().err.split())


def test_pickles_only_if_trusted(files, capsys):
    required = ["--require", "top_1_agreement=0.9"]
    assert run(files, *required, student="student.joblib") == 2
    assert "--trust-pickle" in capsys.readouterr().err
    assert run(files, *required, "--trust-pickle", student="student.joblib") == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--require", "top_1_agreement"], "NAME=NUMBER"),
        (["--require", "top_1_agreement=high"], "NAME=NUMBER"),
        (["--require", "top_1_agreement=nan"], "NAME=NUMBER"),
        (["--require", "=1"], "NAME=NUMBER"),
        (["--require", "agreement=1"], "no line 'agreement'.*top_1_agreement"),
        (["--require", "bytes_student=1", "bytes_student=2"], "bytes_student twice"),
        (["--require", "accuracy_student=1"], "need y in the report"),
        (["--require", "top_1_agreement=1", "--confidence-level", "95"], "between 0 and 1"),
        (["--require", "top_1_agreement=1", "--overwrite"], "needs --out"),
        (["--require", "top_1_agreement=1", "--out", "no/such/folder/v.json"], "no folder"),
        (["--require", "top_1_agreement=1", "--background", "none.npy"], "none.npy"),
        ([], "--require"),
    ],
)
def test_what_cannot_be_run_is_status_2_in_one_line(files, capsys, arguments, said):
    assert run(files, *arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert re.search(said, captured.err)


def test_no_command_replaces_what_it_reads(files, capsys):
    out = files / "series.npy"
    arguments = ["--require", "top_1_agreement=1", "--out", out, "--overwrite"]
    assert run(files, *arguments) == 2
    assert "which is read" in capsys.readouterr().err
    assert np.load(out).shape == (100, 1, 24)
