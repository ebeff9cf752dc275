"""What becomes of answers when parts go or come."""

from fractions import Fraction
from math import ceil
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from helpers import FRACTIONS_REMOVED, Linear, reference_curves
from scipy.special import expit

from sktime_tsd._scoring.scorer_of import scorer_of
from sktime_tsd.fidelity import RemovalCurves, fidelity_report
from sktime_tsd.fidelity._removal import removal_curves
from sktime_tsd.perturbations import GaussianNoise, LinearInterpolation, SeriesMean, Zero
from sktime_tsd.saliency._shared_donors import SharedDonors


def tied_saliencies(X, seed=0):
    shape = X[:, 0].shape
    rng = np.random.RandomState(seed)
    return {"teacher": rng.rand(*shape).round(1), "student": rng.randint(3, size=shape) / 2}


def curves_of(models, X, saliencies, *, perturbation=None, background=None, n_donors=4, batch=64):
    X = torch.from_numpy(X)
    asked = {}
    for name, model in models.items():
        scorer = scorer_of(model)
        log_p = np.concatenate([scorer.log_probabilities(x) for x in X.split(batch)])
        asked[name] = SimpleNamespace(scorer=scorer, log_p=log_p)
    donors = SharedDonors.draw(perturbation, background, X, 4, 0)
    options = {"n_donors": n_donors, "batch_size": batch, "verbose": 0}
    return removal_curves(asked, X, saliencies, donors, **options), donors


def panel(n_instances, n_channels, n_timepoints, seed=0):
    rng = np.random.RandomState(seed)
    return rng.randn(n_instances, n_channels, n_timepoints).astype(np.float32)


FILLERS = {  # the perturbation, and what a whole series becomes
    "zeros": (Zero(), lambda x: [np.zeros_like(x)]),
    "mean": (SeriesMean(), lambda x: [np.broadcast_to(x.mean(axis=1, keepdims=True), x.shape)]),
    "line": (
        LinearInterpolation(),
        lambda x: [np.broadcast_to(x.mean(axis=1, keepdims=True), x.shape)],
    ),
    "donors": (None, lambda x: list(panel(3, *x.shape, seed=1))),
}


@pytest.mark.parametrize("n_timepoints", [1, 2, 5, 14, 100])
@pytest.mark.parametrize("n_channels", [1, 3])
@pytest.mark.parametrize("filling", FILLERS)
def test_curves_equal_the_loop(filling, n_channels, n_timepoints):
    perturbation, fillers_of = FILLERS[filling]
    X = panel(4, n_channels, n_timepoints)
    models = {name: Linear(i, *X.shape[1:]) for i, name in enumerate(("teacher", "student"))}
    saliencies = tied_saliencies(X)
    background = None if perturbation else panel(3, *X.shape[1:], seed=1)
    options = {"perturbation": perturbation, "background": background}
    curves, _ = curves_of(models, X, saliencies, **options)
    counts = [ceil(Fraction(fraction) * n_timepoints) for fraction in FRACTIONS_REMOVED]
    np.testing.assert_allclose(curves.fractions, np.array(counts) / n_timepoints)
    assert len(curves.values) == 8
    for (kind, model, source), values in curves.values.items():
        expected = [
            reference_curves(models[model], x, s, fillers_of(x))[kind]
            for x, s in zip(X, saliencies[source], strict=True)
        ]
        # the loop knows no least probability of 1e-6
        np.testing.assert_allclose(values, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("n_donors", [1, 2])
def test_fewer_donors_are_the_first_of_those_of_the_saliency(n_donors):
    X, background = panel(3, 2, 9), panel(6, 2, 9, seed=1)
    models, saliencies = {"teacher": Linear(0, 2, 9)}, {"teacher": X[:, 0]}
    curves, donors = curves_of(models, X, saliencies, background=background, n_donors=n_donors)
    assert donors.n_donors == 4
    fillers = list(donors.pool[donors.picked[:n_donors]].numpy())
    for kind in ("deletion", "insertion"):
        expected = [reference_curves(models["teacher"], x, x[0], fillers)[kind] for x in X]
        found = curves.values[kind, "teacher", "teacher"]
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_noise_without_spread_is_the_mean():
    X = panel(3, 2, 9)
    models, saliencies = {"teacher": Linear(0, 2, 9)}, {"teacher": X[:, 0]}
    noise, mean = (
        curves_of(models, X, saliencies, perturbation=perturbation)[0].values
        for perturbation in (GaussianNoise(scale=0.0), SeriesMean())
    )
    for key, values in mean.items():
        np.testing.assert_allclose(noise[key], values, rtol=0, atol=1e-6)


@pytest.mark.parametrize("batch", [1, 7, 10**4])
def test_batches_bound_what_is_scored_at_once_and_change_nothing(batch):
    X, background = panel(5, 2, 9), panel(4, 2, 9, seed=1)
    models = {"teacher": Linear(0, 2, 9), "student": Linear(1, 2, 9)}
    saliencies = tied_saliencies(X)
    expected, _ = curves_of(models, X, saliencies, background=background)
    for model in models.values():
        model.largest_call = 0
    found, _ = curves_of(models, X, saliencies, background=background, batch=batch)
    assert max(model.largest_call for model in models.values()) <= batch
    for key, values in expected.values.items():
        np.testing.assert_allclose(found.values[key], values, rtol=0, atol=1e-12)


# -- areas and falls -----------------------------------------------------------------


def test_areas_and_falls_by_hand():
    fractions = np.array([0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1])
    falls_after_a_fifth = np.array([[0.9, 0.9, 0.9, 0.9, 0.9, 0.3, 0.3, 0.3, 0.3]])
    rises_at_once = np.array([[0.3, 0.8, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9]])
    curves = RemovalCurves(
        fractions,
        {
            ("deletion", "student", "teacher"): falls_after_a_fifth,
            ("insertion", "student", "teacher"): rises_at_once,
        },
    )
    pair = ("student", "teacher")
    np.testing.assert_allclose(curves.deletion_area(*pair), 0.2 * 0.9 + 0.1 * 0.6 + 0.7 * 0.3)
    area = 0.01 * 0.55 + 0.04 * 0.85 + 0.95 * 0.9
    np.testing.assert_allclose(curves.insertion_area(*pair), area)
    np.testing.assert_allclose(curves.comprehensiveness(*pair), 0.6 / 5)  # at 50 % alone
    np.testing.assert_allclose(curves.sufficiency(*pair), 0.1 / 5)  # at 1 % alone


class Point:
    """Looks at one of 100 time points: p(class 1) = expit(value)."""

    classes_ = np.array([0, 1])

    def __init__(self, point):
        self.point = point

    def predict_proba(self, X):
        p = expit(X[:, 0, self.point].astype(float))
        return np.stack([1 - p, p], axis=1)


@pytest.fixture(scope="module")
def of_points():
    """The teacher looks at 60, where the series is 3, the student at 80, where it is -2."""
    X = np.zeros((1, 1, 100))
    X[0, 0, [60, 80]] = 3, -2
    options = {"perturbation": Zero(), "window": 1, "n_resamples": 0, "latency": False}
    return fidelity_report(Point(60), Point(80), X, **options)


@pytest.mark.parametrize(("model", "value"), [("teacher", expit(3)), ("student", expit(2))])
def test_what_an_answer_rests_on_alone_takes_and_restores_it(of_points, model, value):
    pair = f"{model}_by_{model}"
    at_once = 0.01 * (value + 0.5) / 2
    assert of_points[f"deletion_area_{pair}"] == pytest.approx(at_once + 0.99 * 0.5)
    assert of_points[f"insertion_area_{pair}"] == pytest.approx(at_once + 0.99 * value)
    assert of_points[f"comprehensiveness_{pair}"] == pytest.approx(value - 0.5)
    assert of_points[f"sufficiency_{pair}"] == pytest.approx(0)


@pytest.mark.parametrize(
    ("model", "source", "value"),
    [("teacher", "student", expit(3)), ("student", "teacher", expit(2))],
)
def test_what_the_other_rests_on_takes_no_answer(of_points, model, source, value):
    pair = f"{model}_by_{source}"
    # points without saliency go from the left: 60 and 80 are among the first 70 or 100 %
    last = 0.7 if model == "teacher" else 1.0
    before, step = (0.5, 0.2) if last == 0.7 else (0.7, 0.3)
    change = step * (value + 0.5) / 2
    deletion = before * value + change + (1 - last) * 0.5
    assert of_points[f"deletion_area_{pair}"] == pytest.approx(deletion)
    insertion = before * 0.5 + change + (1 - last) * value
    assert of_points[f"insertion_area_{pair}"] == pytest.approx(insertion)
    assert of_points[f"comprehensiveness_{pair}"] == pytest.approx(0)
    assert of_points[f"sufficiency_{pair}"] == pytest.approx(value - 0.5)


def test_reasons_at_different_places_have_nothing_in_common(of_points):
    assert of_points["saliency_cosine"] == 0
    assert of_points["saliency_spearman"] == pytest.approx(-1 / 99)
