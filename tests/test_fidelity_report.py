"""Reports on pairs of classifiers whose likeness is known."""

import copy
import random

import numpy as np
import pandas as pd
import pytest
import torch
from helpers import LABELS as Y
from helpers import N_LABELLED as N
from helpers import QUICK_REPORT as QUICK
from helpers import SERIES as X
from helpers import Linear, distiller, flat, learner, linear, reference_curves, report_on
from scipy.integrate import trapezoid
from scipy.special import softmax
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sktime.datatypes import convert_to
from sktime.transformations.panel.rocket import MiniRocketMultivariate
from torch import nn

from sktime_tsd import fidelity, fidelity_report, temporal_saliency
from sktime_tsd.fidelity import METRICS
from sktime_tsd.perturbations import Zero
from sktime_tsd.saliency._shared_donors import SharedDonors, as_tensor

CLASSES = ["a", "b", "c"]
COMPARING = [name for name, line in METRICS.items() if line.group in ("answers", "reasons")]
DIVERGENCES = [name for name, line in METRICS.items() if line.group == "probabilities"]


class Answers:
    """Gives the probabilities of another classifier, changed, under any classes."""

    def __init__(self, change, of=None, classes=CLASSES):
        self.change, self.of, self.classes_ = change, of or linear(0), np.array(classes)

    def predict_proba(self, X):
        return self.change(self.of.predict_proba(X))


def values_of(report):
    """Values of all lines but those of cost."""
    lines = report.to_frame()["value"]
    return lines[[name for name in lines.index if METRICS[name].group != "cost"]]


@pytest.fixture(scope="module")
def report():
    return report_on(
        linear(0), linear(1), Y, latency=True, background=(X[:9], Y[:9]), n_resamples=200
    )


# -- known answers -------------------------------------------------------------------


@pytest.mark.parametrize("y", [None, Y])
def test_a_copy_of_the_teacher_is_perfect(y):
    report = report_on(linear(0), linear(0), y, background=X)
    frame = report.to_frame()
    for name in frame.index:
        if name in COMPARING:
            assert report[name] == pytest.approx(1)
        elif name in DIVERGENCES:
            assert report[name] == 0
        elif "student" in name:
            both = name.replace("student", "teacher")
            pd.testing.assert_series_equal(frame.loc[name], frame.loc[both], check_names=False)


def test_a_student_that_swaps_the_answers_has_all_reasons_and_no_answer():
    teacher = linear(0, CLASSES[:2])
    report = report_on(teacher, Answers(lambda p: p[:, ::-1], teacher, CLASSES[:2]), window=1)
    p = teacher.predict_proba(X)[:, 0]
    assert report["top_1_agreement"] == 0
    assert report["kl_divergence"] == pytest.approx(np.mean((2 * p - 1) * np.log(p / (1 - p))))
    assert report["total_variation"] == pytest.approx(np.abs(2 * p - 1).mean())
    for name in COMPARING[3:]:
        assert report[name] == pytest.approx(1)
    own = report["deletion_area_teacher_by_teacher"]
    assert report["deletion_area_student_by_teacher"] == pytest.approx(own)


def test_a_constant_student_has_no_reasons():
    teacher = linear(0)
    report = report_on(teacher, Answers(lambda p: np.full_like(p, 1 / 3), teacher), Y, window=1)
    p = teacher.predict_proba(X)
    entropy = -(p * np.log(p)).sum(axis=1).mean()
    assert report["kl_divergence"] == pytest.approx(np.log(3) - entropy)
    for name in ("spearman", "kendall", "cosine", "top_k_overlap"):
        assert report[f"saliency_{name}"] == 0
    for source in ("teacher", "student"):
        assert report[f"deletion_area_student_by_{source}"] == pytest.approx(1 / 3)
        assert report[f"sufficiency_student_by_{source}"] == pytest.approx(0)
    assert report["brier_score_student"] == pytest.approx(2 / 3)
    assert report["negative_log_likelihood_student"] == pytest.approx(np.log(3))


class Channel:
    """Softmax of the first three points of one channel."""

    classes_ = np.array(CLASSES)

    def __init__(self, channel, first):
        self.channel, self.first = channel, first

    def predict_proba(self, X):
        return softmax(2 * X[:, self.channel, self.first : self.first + 3].astype(float), axis=1)


def test_a_student_that_knows_nothing_of_the_teacher_agrees_by_chance():
    X = np.random.RandomState(3).randn(600, 2, 12)
    options = QUICK | {"max_saliency_instances": 20, "n_resamples": 500, "window": 1}
    report = fidelity_report(Channel(0, 0), Channel(1, 6), X, perturbation=Zero(), **options)
    value, low, high, _ = report.to_frame().loc["top_1_agreement"]
    assert low < 1 / 3 < high
    assert high - low == pytest.approx(4 * np.sqrt(value * (1 - value) / 600), rel=0.15)
    assert report["saliency_cosine"] == 0
    assert report["deletion_area_student_by_teacher"] > report["deletion_area_student_by_student"]


@pytest.mark.parametrize("right", [True, False])
def test_a_teacher_that_is_always_right_or_wrong_leaves_a_line_empty(right):
    answer = linear(0).predict_proba(X).argmax(axis=1)
    frame = report_on(linear(0), linear(1), np.array(CLASSES)[(answer + 1 - right) % 3]).to_frame()
    names = ["top_1_agreement_teacher_wrong", "top_1_agreement_teacher_right"]
    empty, full = names if right else names[::-1]
    assert frame.loc[empty, ["value", "low", "high"]].isna().all()
    assert frame.loc[full].equals(frame.loc["top_1_agreement"].rename(full))


@pytest.fixture(scope="module")
def fitted(unit_test):
    X, y, *_ = unit_test
    return {
        "network": learner().fit(X, y),
        "pipeline": flat(LogisticRegression(C=0.01)).fit(X, y),
    }


@pytest.mark.parametrize(
    "pair",
    [("network", "pipeline"), pytest.param(("MiniRocket", "network"), marks=pytest.mark.slow)],
)
def test_every_line_is_what_its_function_gives(fitted, unit_test, pair):
    X_train, y_train, X, y = unit_test
    if "MiniRocket" in pair:
        minirocket = MiniRocketMultivariate(84) * LogisticRegression(C=0.01)
        fitted = {**fitted, "MiniRocket": minirocket.fit(X_train, y_train)}
    X = X.astype(np.float32).astype(float)
    options = {"background": X_train, "window": 5, "stride": 3, "n_donors": 6, "random_state": 4}
    sides = {"teacher": fitted[pair[0]], "student": fitted[pair[1]]}
    others = {"max_saliency_instances": 9, "latency": False, "explainers": ()}
    report = fidelity_report(**sides, X=X, y=y, **others, **options)
    p = {side: model.predict_proba(X) for side, model in sides.items()}
    expected = {name: getattr(fidelity, name)(*p.values()).mean() for name in DIVERGENCES}
    same = p["teacher"].argmax(axis=1) == p["student"].argmax(axis=1)
    right = {side: model.predict(X) == y for side, model in sides.items()}
    expected["top_1_agreement"] = same.mean()
    expected["top_1_agreement_teacher_right"] = same[right["teacher"]].mean()
    expected["top_1_agreement_teacher_wrong"] = same[~right["teacher"]].mean()
    for side, model in sides.items():
        expected[f"accuracy_{side}"] = right[side].mean()
        expected[f"auc_prc_{side}"] = fidelity.macro_auc_prc(y, p[side], model.classes_)
        for name in ("negative_log_likelihood", "brier_score", "expected_calibration_error"):
            found = getattr(fidelity, name)(y, p[side], model.classes_)
            expected[f"{name}_{side}"] = np.mean(found)

    chosen = report.saliency_instances
    assert chosen.tolist() == sorted(set(chosen.tolist()))
    assert len(chosen) == 9
    saliency = {s: temporal_saliency(m, X[chosen], **options) for s, m in sides.items()}
    found = report.teacher_saliency.values
    np.testing.assert_allclose(found, saliency["teacher"].values, rtol=1e-7, atol=1e-12)
    found = report.student_saliency.values
    np.testing.assert_allclose(found, saliency["student"].values, rtol=1e-7, atol=1e-12)
    for name in COMPARING[3:]:
        expected[name] = getattr(fidelity, name)(*saliency.values()).mean()
    donors = SharedDonors.draw(None, X_train, as_tensor(X), 6, 4)
    fillers = list(donors.pool[donors.picked[:4]].numpy().astype(float))
    rows = report.curves.set_index(["kind", "model", "source"]).sort_index()
    for side, model in sides.items():
        for source in sides:
            curves = [
                reference_curves(model, x, s, fillers)
                for x, s in zip(X[chosen], saliency[source].values, strict=True)
            ]
            by, n = f"{side}_by_{source}", [0, 1, 2, 3, 5, 8, 12, 17, 24]  # of 24 points
            for kind, fall in (("deletion", "comprehensiveness"), ("insertion", "sufficiency")):
                mean = np.mean([curve[kind] for curve in curves], axis=0)
                drawn = rows.loc[(kind, side, source)]
                np.testing.assert_allclose(drawn["fraction"], np.array(n) / 24)
                np.testing.assert_allclose(drawn["value"], mean, atol=1e-5)
                assert drawn["value"].between(drawn["low"], drawn["high"]).all()
                expected[f"{kind}_area_{by}"] = trapezoid(mean, np.array(n) / 24)
                whole = np.mean([curve["deletion"][0] for curve in curves])
                expected[f"{fall}_{by}"] = whole - mean[[1, 2, 3, 4, 6]].mean()
    found = values_of(report)
    assert set(found.index) == set(expected)
    np.testing.assert_allclose(found, pd.Series(expected)[found.index], rtol=0, atol=1e-5)


# -- classes, labels, series and classifiers -----------------------------------------


def test_the_order_of_the_students_classes_changes_nothing():
    order = [2, 0, 1]
    turned = Answers(lambda p: p[:, order], linear(1), np.array(CLASSES)[order])
    expected = report_on(linear(0), linear(1), Y)
    found = report_on(linear(0), turned, Y)
    np.testing.assert_allclose(values_of(found), values_of(expected), rtol=0, atol=1e-12)
    np.testing.assert_array_equal(found.student_probabilities, expected.student_probabilities)
    assert found.classes.tolist() == CLASSES


def test_classes_that_differ_are_refused():
    with pytest.raises(ValueError, match=r"\['a', 'b', 'c'\].*student.*\['a', 'b', 'd'\]"):
        report_on(linear(0), linear(1, ["a", "b", "d"]))
    with pytest.raises(ValueError, match="type"):
        report_on(linear(0, [1, 2, 3]), linear(1, ["1", "2", "3"]))
    with pytest.raises(ValueError, match=r"\['a', 'b', 'c'\].*student.*\['a', 'b'\]"):
        report_on(linear(0), Answers(lambda p: p, classes=CLASSES[:2]))


def test_classifiers_without_classes_are_numbered():
    nameless = linear(1, [0, 1, 2])
    expected = report_on(linear(0, [0, 1, 2]), nameless, np.arange(N) % 3)
    del nameless.classes_
    found = report_on(linear(0, [0, 1, 2]), nameless, np.arange(N) % 3)
    pd.testing.assert_series_equal(values_of(found), values_of(expected))


@pytest.mark.parametrize("kind", [list, pd.Series, lambda y: pd.Series(y, index=range(7, 7 + N))])
def test_labels_may_come_in_any_container(kind):
    one, two = (report_on(linear(0), linear(1), y, max_saliency_instances=3) for y in (Y, kind(Y)))
    pd.testing.assert_series_equal(values_of(one), values_of(two))


def test_without_labels_the_lines_that_need_them_are_left_out(report):
    found = report_on(linear(0), linear(1), background=(X[:9], Y[:9]))
    of_labels = {n for n, line in METRICS.items() if line.group == "quality" or "_teacher_" in n}
    of_labels = {name for name in of_labels if "_by_" not in name}
    assert set(values_of(report).index) - set(values_of(found).index) == of_labels
    expected = values_of(report)[values_of(found).index]
    pd.testing.assert_series_equal(values_of(found), expected, rtol=1e-12)
    assert found.reliability["accuracy"].isna().all()


@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        (Y[:5], ValueError, r"\by\b.*30 series"),
        (Y[:, None], ValueError, r"\by\b.*30 series"),
        (["a"] * 29 + ["d"], ValueError, "'d'.*teacher"),
        (np.arange(N) % 3, ValueError, "0, 1, 2.*teacher"),
        ([None] * 30, ValueError, "missing"),
        ("abc", TypeError, r"\by\b.*abc"),
    ],
)
def test_labels_that_do_not_fit_are_refused(y, error, message):
    with pytest.raises(error, match=message):
        report_on(linear(0), linear(1), y)


def test_any_panel_will_do():
    options = QUICK | {"background": X, "max_saliency_instances": 5}
    expected = values_of(fidelity_report(linear(0), linear(1), X, Y, **options))
    for mtype in ("pd-multiindex", "nested_univ"):
        panel = convert_to(X, mtype, as_scitype="Panel")
        found = fidelity_report(linear(0), linear(1), panel, Y, **options | {"background": panel})
        pd.testing.assert_series_equal(values_of(found), expected)
    univariate = [Linear(seed, 1, 12) for seed in (0, 1)]
    one, two = (fidelity_report(*univariate, x, **QUICK) for x in (X[:, :1], X[:, 0]))
    pd.testing.assert_series_equal(values_of(one), values_of(two))


def test_what_holds_a_classifier_is_opened(fitted, unit_test):
    X, y, *_ = unit_test
    network = fitted["network"]
    distilled = distiller().fit(X, y)
    expected = fidelity_report(network, distilled.student_, X, y, **QUICK)
    for pair in ((network, distilled), map(FrozenEstimator, (network, distilled))):
        found = fidelity_report(*pair, X, y, **QUICK)
        pd.testing.assert_frame_equal(found.to_frame(), expected.to_frame())
        assert found.names == ("SkorchClassifier('fcn')",) * 2


@pytest.mark.parametrize(
    ("teacher", "error", "message"),
    [
        (nn.Linear(2, 3), TypeError, "teacher.*from_module"),
        (None, TypeError, "teacher.*classifier.*None"),
        (learner(), ValueError, "fitted"),
        (Answers(np.log), ValueError, "probabilities.*softmax"),
        (Answers(lambda p: p[:1]), ValueError, r"\b1 rows.*30 series"),
    ],
    ids=["network", "nothing", "unfitted", "logits", "one row"],
)
def test_what_gives_no_probabilities_is_refused(teacher, error, message):
    with pytest.raises(error, match=message):
        report_on(teacher, linear(1))


# -- chance --------------------------------------------------------------------------


def test_equal_seeds_give_equal_reports():
    options = {"background": X, "n_donors": 3, "max_saliency_instances": 7}
    a, b = (
        report_on(linear(0), linear(1), Y, **options, random_state=seed)
        for seed in (5, np.int64(5))
    )
    for name in ("metrics", "samples", "curves", "reliability"):
        pd.testing.assert_frame_equal(getattr(a, name), getattr(b, name), check_exact=True)
    other = report_on(linear(0), linear(1), Y, **options, random_state=6)
    assert a.saliency_instances.tolist() != other.saliency_instances.tolist()
    drawn = [
        report_on(linear(0), linear(1), **options, random_state=np.random.RandomState(3)).metrics
        for _ in range(2)
    ]
    pd.testing.assert_frame_equal(*drawn, check_exact=True)


def state(classifier):
    """All that a classifier holds; not its pickle, which tells equal strings apart."""
    network = classifier.network_
    return (
        {name: repr(value) for name, value in vars(classifier).items()},
        {name: value.tolist() for name, value in network.state_dict().items()},
        [(module.training, len(module._forward_hooks)) for module in network.modules()],
    )


def test_a_report_leaves_no_trace(fitted, unit_test):
    X, y, *_ = unit_test
    network, pipeline = fitted["network"], fitted["pipeline"]
    given, before = X.copy(), state(network)
    states = random.getstate(), str(np.random.mtrand._rand.get_state()), torch.get_rng_state()
    fidelity_report(network, pipeline, X, y, background=X, max_saliency_instances=5)
    assert random.getstate() == states[0]
    assert str(np.random.mtrand._rand.get_state()) == states[1]
    assert torch.equal(torch.get_rng_state(), states[2])
    np.testing.assert_array_equal(X, given)
    assert state(network) == before


def test_neither_saliency_nor_a_single_series_is_needed():
    without = report_on(linear(0), linear(1), Y, max_saliency_instances=0)
    assert without.teacher_saliency is without.student_saliency is None
    assert len(without.curves) == len(without.saliency_instances) == 0
    assert {METRICS[name].group for name in without.metrics.index}.isdisjoint(
        {"reasons", "removal"}
    )
    alone = fidelity_report(linear(0), linear(1), X[:1], **QUICK).to_frame()
    whole = report_on(linear(0), linear(1)).samples.loc[0]
    np.testing.assert_allclose(alone.loc[whole.index, "value"], whole, atol=1e-9)
    assert alone.loc[whole.index, ["low", "high"]].isna().all(axis=None)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_teacher_on_a_gpu_and_a_student_on_the_cpu():
    teacher = learner(device="cuda").fit(X, Y)
    student = learner(device="cpu", random_state=1).fit(X, Y)
    moved = copy.deepcopy(teacher)
    moved.network_.cpu()
    reports = [report_on(clf, student, Y, background=X) for clf in (teacher, moved)]
    assert teacher.network_.mean.device.type == "cuda"
    np.testing.assert_allclose(values_of(reports[0]), values_of(reports[1]), atol=1e-3)
