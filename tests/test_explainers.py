"""Explainers nobody trained on: Shapley values, integrated gradients, and the report's panel."""

import itertools

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients
from helpers import LABELS, SERIES, Linear, bad, fcn, linear, random_panel, report_on
from torch import nn

from sktime_tsd import SkorchClassifier, fidelity_report, temporal_saliency
from sktime_tsd._scoring.scorer_of import scorer_of
from sktime_tsd.fidelity import FidelityReference, saliency_spearman
from sktime_tsd.networks import FCN, LSTM, InceptionTime
from sktime_tsd.perturbations import GaussianNoise, LinearInterpolation, SeriesMean, Zero
from sktime_tsd.saliency._gradients import integrated_gradients
from sktime_tsd.saliency._shapley import window_shapley
from sktime_tsd.saliency._shared_donors import SharedDonors

X = torch.from_numpy(SERIES[:5])  # (5, 2, 12)


class Additive:
    """Its probability of the first class is a sum over the values of a series."""

    classes_ = np.array([0, 1])
    weights = np.random.RandomState(3).uniform(-1, 1, (2, 12)) / 200

    def predict_proba(self, X):
        p = 0.5 + (X * self.weights).sum(axis=(1, 2))
        return np.stack([p, 1 - p], axis=1)


def shapley(classifier, x, donors, targets, **options):
    scorer = scorer_of(classifier)
    probabilities = np.exp(scorer.log_probabilities(x))[np.arange(len(x)), targets]
    return window_shapley(scorer, x, probabilities, targets, donors, **options)


def zero_donors(x=X):
    return SharedDonors.draw(Zero(), None, x, 1, 0)


def split(n_timepoints, n_windows):
    return [np.arange(n_timepoints) * n_windows // n_timepoints == w for w in range(n_windows)]


# -- Shapley values -----------------------------------------------------------------------


@pytest.mark.parametrize("n_windows", [1, 3, 5, 12, 40])
def test_shapley_values_of_a_sum_are_its_parts(n_windows):
    values = shapley(Additive(), X, zero_donors(), np.zeros(5, int), n_windows=n_windows)
    parts = (X.numpy() * Additive.weights).sum(axis=1)  # (5, 12)
    for inside in split(12, min(n_windows, 12)):
        expected = parts[:, inside].sum(axis=1, keepdims=True)
        np.testing.assert_allclose(values[:, inside], expected * np.ones(inside.sum()), atol=1e-7)


def exact_shapley(classifier, x, target, fillers, windows):
    """Average over all orders and fillers, set by set."""
    n = len(windows)

    def value(kept, filler):
        copy = filler.copy()
        for w in kept:
            copy[:, windows[w]] = x[:, windows[w]]
        return classifier.predict_proba(copy[None])[0, target]

    found = np.zeros(n)
    orders = list(itertools.permutations(range(n)))
    for filler, order in itertools.product(fillers, orders):
        for place, w in enumerate(order):
            gain = value(order[: place + 1], filler) - value(order[:place], filler)
            found[w] += gain / len(orders) / len(fillers)
    return found


def test_sampled_shapley_values_approach_those_of_all_orders():
    classifier, targets = linear(0), np.array([0, 1, 2, 0, 1])
    donors = SharedDonors.draw(None, (SERIES[10:], LABELS[10:]), X, 2, 0)
    fillers = donors.pool[donors.picked].numpy()
    windows = split(12, 4)
    values = shapley(classifier, X, donors, targets, n_windows=4, n_pairs=400)
    for x, target, value in zip(X.numpy(), targets, values, strict=True):
        exact = exact_shapley(classifier, x, target, fillers, windows)
        np.testing.assert_allclose([value[inside][0] for inside in windows], exact, atol=0.02)
    few = shapley(classifier, X, donors, targets, n_windows=4, n_pairs=2)
    assert np.abs(few - values).max() > 0.02  # so the comparison above can fail


def test_shapley_values_sum_to_what_filling_everything_takes_away():
    classifier, targets = linear(1), np.array([2, 1, 0, 2, 1])
    donors = SharedDonors.draw(None, SERIES[10:], X, 3, 0)
    values = shapley(classifier, X, donors, targets, n_windows=5, n_pairs=3)
    per_window = sum(values[:, inside][:, 0] for inside in split(12, 5))
    fillers = classifier.predict_proba(donors.pool[donors.picked].numpy())[:, targets].mean(axis=0)
    whole = classifier.predict_proba(X.numpy())[np.arange(5), targets]
    np.testing.assert_allclose(per_window, whole - fillers, atol=1e-6)


def test_shapley_values_do_not_depend_on_batches_and_other_series():
    donors, targets = SharedDonors.draw(None, SERIES[10:], X, 2, 0), np.zeros(5, int)
    whole = shapley(linear(0), X, donors, targets)
    small = shapley(linear(0), X, donors, targets, batch_size=7)
    alone = shapley(linear(0), X[2:3], donors, targets[2:3])
    np.testing.assert_allclose(small, whole, atol=1e-12)
    np.testing.assert_allclose(alone, whole[2:3], atol=1e-12)


# -- integrated gradients ---------------------------------------------------------------


@pytest.mark.parametrize(
    "network",
    [FCN(2, 12, 3, (4, 5), (3, 4)), LSTM(2, 12, 3, 6, 2), InceptionTime(2, 12, 3, 3, 3, (5, 3), 2)],
    ids=lambda network: type(network).__name__,
)
def test_integrated_gradients_are_captums(network):
    network, x, targets = network.double().eval(), X.double(), np.array([0, 1, 2, 1, 0])
    values = integrated_gradients(network, x, targets, device=torch.device("cpu"), n_steps=9)

    def centred(x):
        logits = network(x)
        return logits - logits.mean(dim=1, keepdim=True)

    expected = IntegratedGradients(centred).attribute(
        x,
        baselines=x.mean(dim=-1, keepdim=True).expand_as(x),
        target=torch.from_numpy(targets),
        n_steps=9,
        method="gausslegendre",  # its steps are float32
    )
    np.testing.assert_allclose(values, expected.sum(dim=1).detach(), rtol=1e-6, atol=1e-8)


def test_integrated_gradients_of_a_linear_network_are_its_parts():
    network = nn.Sequential(nn.Flatten(), nn.Linear(24, 2)).double()
    weights = network[1].weight.detach().view(2, 2, 12)
    own = (weights[1] - weights[0]) / 2  # the logit of class 1, minus the mean of both
    x = X.double()
    expected = (own * (x - x.mean(dim=-1, keepdim=True))).sum(dim=1)
    values = integrated_gradients(network, x, np.ones(5, int), device=torch.device("cpu"))
    np.testing.assert_allclose(values, expected, atol=1e-12)


# -- the panel of a report ----------------------------------------------------------------

WINDOWS = {
    "zero": {"perturbation": Zero()},
    "mean": {"perturbation": SeriesMean()},
    "interpolation": {"perturbation": LinearInterpolation()},
    "noise": {"perturbation": GaussianNoise()},
    "width_5": {"window": 0.05},
    "width_20": {"window": 0.2},
}


def test_explainers_by_windows_are_temporal_saliency():
    pair, background = (linear(0), linear(1)), SERIES[10:]
    report = report_on(*pair, background=background, window=0.25, explainers=list(WINDOWS))
    for name, options in WINDOWS.items():
        settings = {"window": 0.25, "background": background, "n_donors": 2, "random_state": 0}
        teacher, student = (
            temporal_saliency(classifier, SERIES, **settings | options) for classifier in pair
        )
        expected = saliency_spearman(teacher, student)
        found = report.samples[f"saliency_held_out_{name}"]
        np.testing.assert_allclose(found, expected, err_msg=name)
    single = report.samples[[f"saliency_held_out_{name}" for name in WINDOWS]]
    np.testing.assert_allclose(report.samples["saliency_held_out"], single.mean(axis=1))
    assert report["saliency_held_out"] == pytest.approx(single.to_numpy().mean())
    low, high = report.metrics.loc["saliency_held_out", ["low", "high"]]
    assert low < report["saliency_held_out"] < high


class Reordered:
    """A classifier with its columns in the opposite order."""

    def __init__(self, classifier):
        self.classifier = classifier
        self.classes_ = classifier.classes_[::-1]

    def predict_proba(self, X):
        return self.classifier.predict_proba(X)[:, ::-1]


def test_a_student_like_its_teacher_has_the_same_reasons_in_any_order_of_classes():
    report = report_on(linear(0), Reordered(linear(0)), background=SERIES[10:])
    found = report.metrics["value"].filter(like="saliency_held_out")
    assert "saliency_held_out_shapley" in found
    np.testing.assert_allclose(found.drop("saliency_held_out_integrated_gradients"), 1)


def test_reasons_of_the_opposite_kind_are_opposite_under_signed_explainers():
    """Evidence for the teacher's answer, not for each model's own."""

    class Opposite(Reordered):
        def __init__(self, classifier):
            super().__init__(classifier)
            self.classes_ = classifier.classes_

    report = fidelity_report(
        Additive(), Opposite(Additive()), SERIES, explainers=["shapley"], perturbation=Zero(),
        latency=False, n_resamples=0,
    )  # fmt: skip
    assert report["saliency_held_out"] == pytest.approx(-1, abs=1e-3)


@pytest.fixture(scope="module")
def networks():
    series, y = random_panel(12)
    return series, y, [fcn(random_state=seed).fit(series, y) for seed in (0, 1)]


def test_gradients_need_two_networks(networks):
    series, _, (one, other) = networks
    options = {"latency": False, "n_resamples": 0, "random_state": 0}
    report = fidelity_report(one, other, series, **options)
    assert -1 <= report["saliency_held_out_integrated_gradients"] < 1
    by_hand = [
        integrated_gradients(
            classifier.network_,
            torch.from_numpy(series).float(),
            one.predict_proba(series).argmax(axis=1),
            device=torch.device("cpu"),
        )
        for classifier in (one, other)
    ]
    expected = saliency_spearman(*by_hand)
    found = report.samples["saliency_held_out_integrated_gradients"]
    np.testing.assert_allclose(found, expected)
    guest = Linear(0, 1, 20, one.classes_)
    report = fidelity_report(one, guest, series, explainers=["zero", "integrated_gradients"],
                             **options)  # fmt: skip
    assert np.isnan(report["saliency_held_out_integrated_gradients"])
    assert report["saliency_held_out"] == report["saliency_held_out_zero"]
    report = fidelity_report(one, guest, series, explainers=["integrated_gradients"], **options)
    assert np.isnan(report["saliency_held_out"])
    assert "  integrated gradients (+)       -" in str(report)
    report = fidelity_report(one, guest, series, explainers=(), **options)
    assert not report.metrics.index.str.contains("held_out").any()


def test_a_network_without_gradients_is_said(networks):
    class Stepped(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(20, 2)

        def forward(self, x):
            with torch.no_grad():
                return self.linear(x[:, 0])

    series, _, (one, _) = networks
    stepped = SkorchClassifier.from_module(Stepped(), one.classes_)
    with pytest.warns(UserWarning, match="Stepped has no gradients"):
        report = fidelity_report(
            one, stepped, series, latency=False, explainers=["zero", "integrated_gradients"]
        )
    assert np.isnan(report["saliency_held_out_integrated_gradients"])


class Counting(Linear):
    n_scored = 0

    def predict_proba(self, X):
        self.n_scored += len(X)
        return super().predict_proba(X)


def n_scored(X=SERIES, **options):
    teacher = Counting(0, *X.shape[1:])
    options = {"removal": False, "latency": False, "n_resamples": 0, "random_state": 0} | options
    fidelity_report(teacher, Linear(1, *X.shape[1:]), X, **options)
    return teacher.n_scored


def test_copies_that_explainers_share_are_scored_once():
    alone = n_scored(perturbation=Zero(), explainers=())
    assert n_scored(perturbation=Zero(), explainers=["zero"]) == alone
    assert n_scored(perturbation=Zero(), explainers=["zero", "mean"]) > alone
    centred = SERIES - SERIES.mean(axis=2, keepdims=True)  # there, zero is the mean
    shared = n_scored(centred, perturbation=Zero(), explainers=["zero", "mean"])
    assert shared == n_scored(centred, perturbation=Zero(), explainers=())
    # windows of 5 and of 10 % of twelve points have one point
    short = n_scored(background=SERIES, window=0.05, explainers=["width_5"])
    assert short == n_scored(background=SERIES, window=0.05, explainers=())


def test_the_teacher_explains_itself_once():
    teacher = Counting(0, *SERIES.shape[1:])
    reference = FidelityReference(
        teacher, SERIES, background=SERIES, removal=False, latency=False, random_state=0
    )
    reference.report(linear(1))
    n_first = teacher.n_scored
    reference.report(linear(2))
    assert teacher.n_scored == n_first


@pytest.mark.parametrize(
    ("params", "error", "said"),
    [
        bad(ValueError, "explainers names 'zeros'; it can name zero, mean", explainers=["zeros"]),
        bad(TypeError, "explainers must be a sequence", explainers="zero"),
        bad(TypeError, "explainers must be a sequence", explainers=True),
    ],
)
def test_unknown_explainers_are_refused(params, error, said):
    with pytest.raises(error, match=said):
        report_on(linear(0), linear(1), **params)


def test_reasons_alone_are_those_of_the_report():
    reference = FidelityReference(
        linear(0), SERIES, LABELS, background=SERIES, latency=False, max_saliency_instances=9,
        n_resamples=0, random_state=0,
    )  # fmt: skip
    reasons = reference.reasons(linear(1))
    report = reference.report(linear(1))
    assert reasons.index.tolist() == report.saliency_instances.tolist()
    expected = report.samples.loc[reasons.index, reasons.columns]
    np.testing.assert_array_equal(reasons, expected)
    assert {"saliency_spearman", "saliency_held_out"} <= set(reasons.columns)
