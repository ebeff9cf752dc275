"""What a report says besides its values: intervals, costs, tables and text; and what it refuses."""

import json
import pickle
import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from helpers import LABELS as Y
from helpers import N_LABELLED as N
from helpers import SERIES as X
from helpers import learner, linear, report_on
from scipy.integrate import trapezoid
from sktime.base import BaseObject

from sktime_tsd import fidelity_report
from sktime_tsd.fidelity import METRICS, _bootstrap, compare
from sktime_tsd.fidelity._bootstrap import Bootstrap, mean_of_draws
from sktime_tsd.fidelity._comparisons import reliability
from sktime_tsd.networks import n_parameters
from sktime_tsd.perturbations import AnyClass, GaussianNoise, OpposingClass

OPTIONS = {"background": (X[:9], Y[:9]), "latency": True, "max_saliency_instances": 20}


@pytest.fixture(scope="module")
def report():
    return report_on(linear(0), linear(1), Y, **OPTIONS)


# -- how sure a mean is --------------------------------------------------------------


def interval_of(values, n_resamples=200, level=0.95, seed=0):
    return Bootstrap(n_resamples, level, seed).of(mean_of_draws(values), len(values))


def test_the_interval_is_that_of_scipy():
    values = np.random.RandomState(0).exponential(size=60)
    expected = scipy.stats.bootstrap(
        (values,), np.mean, n_resamples=9999, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    np.testing.assert_allclose(interval_of(values, 9999)[1:], expected, atol=0.015)
    assert interval_of(values)[0] == pytest.approx(values.mean())


def test_the_interval_covers_the_truth_as_often_as_it_says():
    answers = (np.random.RandomState(0).rand(60, 400) < 0.3).astype(float)
    for level, least, most in ((0.5, 0.4, 0.65), (0.95, 0.9, 0.98)):
        _, low, high = interval_of(answers, 1000, level)
        assert least < np.mean((low <= 0.3) & (high >= 0.3)) < most


def test_each_draw_is_of_as_many_series_as_there_are():
    seen = []
    Bootstrap(500, 0.9, 0).of(lambda counts: seen.append(counts) or counts[:, 0] + 0.0, 7)
    counts = np.vstack(seen[1:])
    assert counts.shape == (500, 7)
    assert (counts.sum(axis=1) == 7).all()
    np.testing.assert_allclose(counts.mean(axis=0), 1, atol=0.15)
    assert np.unique(counts, axis=0).shape[0] > 100


@pytest.mark.parametrize("at_once", [1, 20, 51, 10**6])
def test_neither_chunks_nor_repetition_change_an_interval(monkeypatch, at_once):
    values = np.random.RandomState(0).rand(10, 2)
    expected = interval_of(values)
    monkeypatch.setattr(_bootstrap, "_VALUES_PER_CHUNK", at_once)
    np.testing.assert_allclose(interval_of(values), expected, rtol=1e-12)
    assert not np.allclose(interval_of(values, seed=1)[1:], expected[1:], rtol=1e-6)


def test_a_mean_of_draws_leaves_out_what_is_missing():
    values = np.where(
        np.random.RandomState(0).rand(9, 3) < 0.3, np.nan, np.arange(27).reshape(9, 3)
    )
    counts = np.random.RandomState(1).multinomial(9, np.full(9, 1 / 9), size=30)
    expected = [np.nanmean(np.repeat(values, c, axis=0), axis=0) for c in counts]
    np.testing.assert_allclose(mean_of_draws(values)(counts), expected)


def test_a_mean_of_no_value_is_missing_and_leaves_the_others_alone():
    values = np.array([[1.0, np.nan], [0.0, np.nan], [0.0, np.nan]])
    found = interval_of(values)
    assert np.isnan(found[:, 1]).all()
    np.testing.assert_array_equal(found[:, 0], interval_of(values[:, 0]))


def test_without_draws_or_with_one_series_there_is_no_interval():
    for found in (interval_of(np.arange(5.0), n_resamples=0), interval_of(np.array([2.0]))):
        assert found[0] == 2
        assert np.isnan(found[1:]).all()


# -- tables --------------------------------------------------------------------------

LOWER_IS_BETTER = re.compile(
    "kl_|jensen_|total_|deletion_|sufficiency_|negative_|brier_|expected_|parameters_|bytes_|latency_"
)


# of a pair without networks
NO_VALUE = [
    "saliency_held_out_integrated_gradients", "parameters_teacher", "parameters_student",
]  # fmt: skip


def test_every_line_has_its_place_and_its_direction(report):
    frame = report.to_frame()
    assert frame.index.tolist() == list(METRICS)
    assert frame.index.name == "name"
    assert frame.columns.tolist() == ["value", "low", "high", "higher_is_better"]
    for name, line in frame.iterrows():
        assert line["higher_is_better"] != bool(LOWER_IS_BETTER.match(name))
        assert report[name] == pytest.approx(line["value"], nan_ok=True)
        if name in NO_VALUE:
            assert line[["value", "low", "high"]].isna().all()
        else:
            assert line["low"] <= line["high"]
            # draws are less well calibrated than the series they are from
            assert "calibration" in name or line["low"] <= line["value"] <= line["high"]
    frame["value"] = 0
    assert report["top_1_agreement"] > 0


def test_a_dict_of_a_report_is_ready_for_json(report):
    lines = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    for name in NO_VALUE:
        line = lines.pop(name)
        assert line["value"] is line["low"] is line["high"] is None
        assert line["higher_is_better"] == name.startswith("saliency")
    frame = report.to_frame().drop(index=NO_VALUE)
    pd.testing.assert_frame_equal(
        pd.DataFrame(lines).T.astype(frame.dtypes), frame, check_names=False
    )


def test_the_means_of_the_samples_are_the_lines(report):
    samples = report.samples
    assert samples.index.name == "instance"
    assert samples.index.tolist() == list(range(N))
    of_all = [n for n in METRICS if re.match("auc|expected|parameters|bytes|latency", n)]
    assert set(samples) == set(METRICS) - set(of_all)
    for name in samples:
        assert samples[name].mean() == pytest.approx(report[name], nan_ok=True)
        if name in NO_VALUE:
            assert samples[name].isna().all()
        elif METRICS[name].group in ("reasons", "removal"):
            there = samples.index[samples[name].notna()]
            assert there.tolist() == report.saliency_instances.tolist()


def test_the_areas_of_the_mean_curves_are_the_lines(report):
    curves = report.curves
    columns = ["kind", "model", "source", "fraction", "value", "low", "high"]
    assert curves.columns.tolist() == columns
    groups = curves.groupby(["kind", "model", "source"])
    assert len(groups) == 8
    for (kind, model, source), curve in groups:
        assert curve["fraction"].is_unique
        area = trapezoid(curve["value"], curve["fraction"])
        assert area == pytest.approx(report[f"{kind}_area_{model}_by_{source}"])


def test_the_bins_recombine_to_the_lines(report):
    table = report.reliability
    assert table.columns.tolist() == [
        "model", "bin", "n", "confidence", "accuracy", "agreement",
        "accuracy_low", "accuracy_high", "agreement_low", "agreement_high",
    ]  # fmt: skip
    assert table["model"].unique().tolist() == ["teacher", "student"]
    for side, rows in table.groupby("model"):
        assert rows["bin"].tolist() == list(range(len(rows)))
        assert rows["confidence"].is_monotonic_increasing
        assert rows["n"].sum() == N
        weight = rows["n"] / N
        assert weight @ rows["accuracy"] == pytest.approx(report[f"accuracy_{side}"])
        assert weight @ rows["agreement"] == pytest.approx(report["top_1_agreement"])


def bins_of(confidence, right, **options):
    probabilities = np.column_stack([confidence, 1 - np.asarray(confidence)])
    samples = pd.DataFrame({"top_1_agreement": right, "accuracy_teacher": right})
    table = reliability({"teacher": probabilities, "student": probabilities}, samples, **options)
    return table[table["model"] == "teacher"]


@pytest.mark.parametrize(("n", "sizes"), [(7, [7]), (120, [30] * 4), (1000, [100] * 10)])
def test_bins_are_of_equal_size(n, sizes):
    confidence = np.random.RandomState(0).permutation(np.linspace(0.5, 1, n))
    assert bins_of(confidence, np.ones(n))["n"].tolist() == sizes


def test_series_of_equal_confidence_share_a_bin():
    table = bins_of([0.6] * 50 + [0.7] * 6 + [0.9] * 4, np.ones(60))
    assert table["n"].tolist() == [50, 10]
    assert table["confidence"].tolist() == pytest.approx([0.6, 0.78])


def test_shares_of_a_bin_have_wilson_intervals():
    # 8 of 10: (p + z^2/2n -+ z sqrt(p (1 - p)/n + z^2/4n^2)) / (1 + z^2/n)
    (row,) = bins_of([0.9] * 10, [1.0] * 8 + [0.0] * 2).to_dict("records")
    z = scipy.stats.norm.ppf(0.975)
    half = z * np.sqrt(0.8 * 0.2 / 10 + z**2 / 400)
    expected = [(0.8 + z**2 / 20 + side * half) / (1 + z**2 / 10) for side in (-1, 1)]
    for name in ("accuracy", "agreement"):
        assert [row[f"{name}_low"], row[f"{name}_high"]] == pytest.approx(expected)
    (narrow,) = bins_of([0.9] * 10, [1.0] * 8 + [0.0] * 2, confidence_level=0.5).to_dict("records")
    assert row["accuracy_low"] < narrow["accuracy_low"] < 0.8 < narrow["accuracy_high"]


def test_a_report_survives_pickling(report):
    copy = pickle.loads(pickle.dumps(report))
    assert str(copy) == str(report)
    for name in ("samples", "curves", "reliability"):
        pd.testing.assert_frame_equal(getattr(copy, name), getattr(report, name))
    np.testing.assert_array_equal(copy.teacher_saliency.values, report.teacher_saliency.values)


# -- text ----------------------------------------------------------------------------

VARIANTS = {
    "all": {"latency": True, "background": X},
    "without labels": {"y": None},
    "without intervals": {"n_resamples": 0},
    "one draw": {"n_resamples": 1, "latency": True},
    "without saliency": {"max_saliency_instances": 0},
    "by noise": {"perturbation": GaussianNoise(), "window": 3},
    "at 80 %": {"confidence_level": 0.8, "window": 3},
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_text_holds_every_line_in_80_columns(variant):
    report = report_on(linear(0), linear(1), **{"y": Y} | VARIANTS[variant])
    text, values = str(report), report.to_frame()["value"]
    assert max(map(len, text.splitlines())) <= 80
    for line in METRICS.values():
        beside = [n for n in values.index if METRICS[n].label == line.label]  # teacher first
        assert (line.label in text) == bool(beside)
        if line.group != "cost" and beside:
            cells = ["-" if np.isnan(v) else f"{v:.3f}" for v in values[beside]]
            row = ".*".join(cells)
            assert re.search(f"{re.escape(line.label)}.* {row}", text)
    level = "80 %" if variant == "at 80 %" else "95 %"
    with_intervals = variant != "without intervals"
    assert (f"{level} bootstrap intervals" in text) == with_intervals
    assert (" [0." in text) == with_intervals


def test_cells_of_negative_values_stay_apart(report):
    lines = report.to_frame()
    removal = [name for name in lines.index if METRICS[name].group == "removal"]
    lines.loc[removal, ["value", "low", "high"]] = -0.5, -0.75, -0.25
    text = str(replace(report, metrics=lines))
    assert text.count("-0.500 [-0.750 -0.250]") == 16
    assert re.search(r"\][^ \n]", text) is None
    assert max(map(len, text.splitlines())) <= 80


def test_the_html_is_well_formed_and_escapes_names(report):
    odd = type("Odd<b>&", (type(linear(0)),), {})(1, 2, 12)
    for shown in (report, report_on(odd, linear(1), max_saliency_instances=0)):
        html = shown._repr_html_().replace("<br>", "<br/>")
        root = ElementTree.fromstring(f"<div>{html}</div>")
        cells = [cell.text for cell in root.iter("td")]
        for name, row in shown.to_frame().iterrows():
            assert any(METRICS[name].label in cell for cell in cells)
            if METRICS[name].group != "cost":
                value = "-" if np.isnan(row["value"]) else f"{row['value']:.3f}"
                assert any(cell.startswith(value) for cell in cells)
    assert "Odd<b>&" in "".join(root.find("p").itertext())


def test_latencies_say_what_they_time(report):
    text = " ".join(str(report).split())
    assert "one call: of predict_proba in Python, with its checks of the input" in text
    assert "torch on 1 thread," in text
    assert "one call, 256 series, ms" in text
    assert report.settings["torch_threads"] == 1
    assert "one call" not in str(report_on(linear(0), linear(1), Y))
    elsewhere = replace(report, settings=report.settings | {"torch_threads": 4})
    assert "torch on 4 threads," in " ".join(str(elsewhere).split())
    assert len(compare({"here": report, "there": elsewhere})) == len(report.metrics)


def test_compare_puts_students_of_one_teacher_side_by_side(report):
    other = report_on(linear(0), linear(2), **OPTIONS)  # without labels
    table = compare({"one": report, "two": other})
    shared = [name for name in METRICS if name in other.to_frame().index]
    assert table.index.tolist() == shared
    assert table.index.name == "name"
    ends = ["value", "low", "high"]
    assert table.columns.tolist() == [(name, end) for name in ("one", "two") for end in ends]
    for name, of in (("one", report), ("two", other)):
        pd.testing.assert_frame_equal(table[name], of.to_frame().loc[shared, ends])
    for stranger in (
        report_on(linear(3), linear(1), **OPTIONS),
        report_on(linear(0), linear(1), Y[::-1], **OPTIONS),
        report_on(linear(0), linear(1), Y, **OPTIONS | {"background": (X[9:18], Y[9:18])}),
    ):
        with pytest.raises(ValueError, match=r"teacher.*series"):
            compare({"one": report, "two": stranger})
    for changed in (
        {"window": 5},
        {"n_resamples": 9},
        {"random_state": 1},
        {"max_saliency_instances": 0},
    ):
        stranger = report_on(linear(0), linear(1), Y, **OPTIONS | changed)
        with pytest.raises(ValueError, match=next(iter(changed))):
            compare({"one": report, "two": stranger})
    with pytest.raises(ValueError, match="compare"):
        compare({})
    for wrong in ([report], {"one": linear(0)}, report):
        with pytest.raises(TypeError, match="dict"):
            compare(wrong)


# -- costs ---------------------------------------------------------------------------


def test_costs_are_those_of_the_classifiers(unit_test):
    X, y, *_ = unit_test
    teacher, student = learner().fit(X, y), linear(0, y)
    student.weights = np.zeros((1, 24, 2))
    student.classes_, student.largest_call = teacher.classes_, 1000
    report = fidelity_report(teacher, student, X, n_resamples=20, max_saliency_instances=0)
    assert report["parameters_teacher"] == n_parameters(teacher.network_)
    assert np.isnan(report["parameters_student"])
    assert report["bytes_teacher"] == len(pickle.dumps(teacher))
    assert report["bytes_student"] == len(pickle.dumps(student))
    lines = report.to_frame()
    timed = lines[lines.index.str.startswith("latency")]
    assert len(timed) == 4
    assert (timed["low"] > 0).all()
    assert (timed["low"] <= timed["value"]).all()
    assert (timed["value"] <= timed["high"]).all()


class Doubles(BaseObject):
    """Stands for compiled code of sktime, which reads float64 alone."""

    classes_ = np.array(["a", "b", "c"])

    def predict_proba(self, X):
        assert X.dtype == np.float64
        return linear(1).predict_proba(X)


def test_few_series_are_repeated_to_time_many():
    teacher = linear(0)
    lines = report_on(teacher, Doubles(), latency=True, max_saliency_instances=0).to_frame()
    assert lines.at["latency_256_student", "value"] > 0
    assert teacher.largest_call == 256


class Unpicklable(type(linear(0))):
    error = None

    def __reduce__(self):
        raise self.error("no")


@pytest.mark.parametrize("error", [pickle.PicklingError, TypeError, ValueError, RuntimeError])
def test_the_size_of_what_cannot_be_pickled_is_unknown(error):
    student = Unpicklable(1, 2, 12)
    student.error = error
    assert np.isnan(report_on(linear(0), student, max_saliency_instances=0)["bytes_student"])


def test_a_network_of_others_is_not_counted():
    student = linear(1)
    student.network_ = "resnet"
    assert np.isnan(report_on(linear(0), student, max_saliency_instances=0)["parameters_student"])


# -- what is refused -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("max_saliency_instances", -1),
        ("max_saliency_instances", 2.5),
        ("n_resamples", -1),
        ("confidence_level", 1.5),
        ("confidence_level", "high"),
        ("latency", "yes"),
        ("verbose", -1),
        ("random_state", "a"),
        ("random_state", -1),
        ("window", 13),
        ("stride", 0),
        ("n_donors", 0),
        ("batch_size", 0),
        ("perturbation", "zero"),
        ("background", X[..., :5]),
        ("background", (X, Y[:3])),
        ("X", np.where(X > 2, np.nan, X)),
    ],
)
def test_wrong_options_are_named_before_any_classifier_is_asked(option, value):
    teacher, student = linear(0), linear(1)
    with pytest.raises((TypeError, ValueError), match=option):
        fidelity_report(teacher, student, **{"X": X, option: value})
    assert teacher.largest_call == student.largest_call == 0


@pytest.mark.parametrize(
    ("perturbation", "message"),
    [(AnyClass(), "background"), (OpposingClass(), "AnyClass")],
)
def test_a_perturbation_that_lacks_donors_is_refused(perturbation, message):
    with pytest.raises(ValueError, match=message):
        report_on(linear(0), linear(1), perturbation=perturbation)


def test_a_line_that_is_not_there_is_told_with_those_alike(report):
    with pytest.raises(KeyError, match="accuracy_teacher, accuracy_student"):
        report["accuracy"]
    with pytest.raises(KeyError, match=r"saliency_spaerman.*saliency_spearman"):
        report["saliency_spaerman"]
    with pytest.raises(KeyError, match=r"brier_score_student.* y"):
        report_on(linear(0), linear(1))["brier_score_student"]
