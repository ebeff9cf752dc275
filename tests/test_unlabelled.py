"""Series without labels: scored, perturbed and learned from like the rest."""

import numpy as np
import pytest
import sklearn
import torch
from helpers import as_rows, bad, distiller, learner, random_panel
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sktime_tsd import SaliencyDistilledClassifier
from sktime_tsd.losses import (
    DKD,
    KD,
    UNLABELLED,
    AttentionTransfer,
    DistillationCriterion,
    Outputs,
    SoftTargets,
    TemporalSaliency,
    kd_loss,
)
from sktime_tsd.perturbations import SameClass, Zero


@pytest.fixture(scope="module")
def data():
    return random_panel(24)


@pytest.fixture(scope="module")
def unlabelled():
    return random_panel(30, seed=1)[0]


def outputs(n, seed, n_classes=3, n_windows=4):
    generator = torch.Generator().manual_seed(seed)
    return Outputs(
        torch.randn(n, n_classes, generator=generator),
        torch.randn(n, n_windows, n_classes, generator=generator),
    )


# -- the loss --------------------------------------------------------------------------


@pytest.mark.parametrize("class_weight", [None, torch.tensor([1.0, 2.0, 5.0])])
def test_cross_entropy_leaves_unlabelled_series_out(class_weight):
    y = torch.tensor([0, UNLABELLED, 2, 1, UNLABELLED, 2])
    logits = outputs(6, 0).logits
    criterion = DistillationCriterion(class_weight=class_weight, has_unlabelled=True)
    total = weights = 0.0
    for z, label in zip(logits.double(), y.tolist(), strict=True):
        if label != UNLABELLED:
            weight = 1.0 if class_weight is None else float(class_weight[label])
            total += weight * float(torch.logsumexp(z, dim=0) - z[label])
            weights += weight
    assert criterion.cross_entropy(logits, y).item() == pytest.approx(total / weights, rel=1e-6)


@pytest.mark.parametrize("class_weight", [None, torch.ones(3)])
def test_a_batch_without_labels_has_no_cross_entropy_and_no_gradient(class_weight):
    logits = outputs(4, 0).logits.requires_grad_()
    criterion = DistillationCriterion(class_weight=class_weight, has_unlabelled=True)
    loss = criterion.cross_entropy(logits, torch.full((4,), UNLABELLED))
    loss.backward()
    assert loss.item() == 0
    assert not logits.grad.any()


@pytest.mark.parametrize(
    "term", [DKD(), TemporalSaliency(measure="target_probability")], ids=["dkd", "saliency"]
)
def test_terms_that_use_labels_take_the_teachers_class(term):
    student, teacher = outputs(5, 0), outputs(5, 1)
    y = torch.tensor([UNLABELLED, 1, UNLABELLED, 0, 2])
    filled = [label if label >= 0 else int(teacher.logits[i].argmax()) for i, label in enumerate(y)]
    criterion = DistillationCriterion([term], has_unlabelled=True)
    criterion(student, teacher, y)
    expected = term.build()(student, teacher, torch.tensor(filled))
    assert criterion.values[term.name].item() == pytest.approx(expected.item())


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_soft_targets_average_series_and_copies(temperature):
    student, teacher = outputs(5, 0), outputs(5, 1)
    pairs = list(zip(student.logits, teacher.logits, strict=True))
    for of_student, of_teacher in zip(
        student.perturbed_logits, teacher.perturbed_logits, strict=True
    ):
        pairs += zip(of_student, of_teacher, strict=True)
    expected = np.mean([kd_loss(s[None], t[None], temperature).item() for s, t in pairs])
    found = SoftTargets(temperature=temperature).build()(student, teacher, None)
    assert found.item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("params", "error", "said"),
    [bad(ValueError, weight=-1), bad(ValueError, temperature=0), bad(TypeError, weight="1")],
)
def test_soft_targets_refuse(params, error, said):
    with pytest.raises(error, match=said):
        SoftTargets(**params)


# -- fitting ---------------------------------------------------------------------------


class Counting:
    """Answers like a network and keeps all it was asked."""

    def __init__(self, network):
        self.network, self.classes_, self.asked = network, network.classes_, []

    def predict_proba(self, X):
        self.asked.extend(X.astype(np.float32))
        return self.network.predict_proba(X)


def test_the_teacher_is_fitted_on_labelled_series_and_scores_all(data, unlabelled):
    X, y = data
    fitted_on = []

    class Forest(RandomForestClassifier):
        def fit(self, X, y):
            fitted_on.append(len(X))
            return super().fit(X, y)

    forest = make_pipeline(FunctionTransformer(as_rows), Forest(5, random_state=0))
    distiller().set_params(teacher=forest).fit(X, y, X_unlabelled=unlabelled)
    assert fitted_on == [len(X)]

    teacher = Counting(learner().fit(X, y))
    distiller().set_params(teacher=teacher).fit(X, y, X_unlabelled=unlabelled)
    plain = {series.tobytes() for series in teacher.asked}
    everything = np.concatenate([X, unlabelled]).astype(np.float32)
    assert {series.tobytes() for series in everything} <= plain
    assert len(teacher.asked) - 2 == len(everything) * (1 + 4 + 40)  # copies, mixes; 2 as a trial


def test_donors_are_of_another_class_as_the_teacher_sees_it(data, unlabelled):
    X, y = data
    seen = []

    class Same(SameClass):
        def n_donors(self, y):
            seen.append(y.clone())
            return super().n_donors(y)

    teacher = learner().fit(X, y)
    distiller(perturbation=Same()).set_params(teacher=FrozenEstimator(teacher)).fit(
        X, y, X_unlabelled=unlabelled
    )
    expected = np.concatenate([y, teacher.predict(unlabelled.astype(np.float32))])
    assert np.array_equal(teacher.classes_[seen[0].numpy()], expected)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"perturbation": Zero()},
        {"saliency_weight": 0, "distillation": [KD()]},
        {"distillation": [AttentionTransfer()]},
        {"distillation": [DKD()], "saliency_measure": "decoupled_kl"},
    ],
)
def test_every_form_learns_from_them(data, unlabelled, params):
    X, y = data
    clf = distiller(**params)
    clf.fit(X, y, X_unlabelled=unlabelled)
    same = distiller(**params).fit(X, y, X_unlabelled=unlabelled)
    without = distiller(**params).fit(X, y)
    np.testing.assert_array_equal(clf.predict_proba(X), same.predict_proba(X))
    assert not np.array_equal(clf.predict_proba(X), without.predict_proba(X))
    assert clf.score(X, y) > 0.7


def test_soft_targets_are_added_unless_terms_are_given(data, unlabelled):
    X, y = data
    by_default = distiller().fit(X, y, X_unlabelled=unlabelled).student_.history_[0]
    given = distiller(distillation=[KD()]).fit(X, y, X_unlabelled=unlabelled).student_.history_[0]
    without = distiller().fit(X, y).student_.history_[0]
    assert "soft_targets" in by_default
    assert "soft_targets" not in given
    assert "kd" in given
    assert "soft_targets" not in without


def test_validation_and_class_weights_see_labelled_series_alone(data, unlabelled):
    X, y = data
    student = learner(validation_fraction=0.25, class_weight="balanced")
    clf = SaliencyDistilledClassifier(
        learner(), student, n_windows=2, bank_size=4, random_state=0
    ).fit(X, y, X_unlabelled=unlabelled)
    assert all(row["valid_loss"] > 0 for row in clf.student_.history_)


def test_any_container_is_converted(data, unlabelled):
    from sktime.datatypes import convert

    X, y = data
    as_frame = convert(unlabelled, "numpy3D", "pd-multiindex")
    one = distiller().fit(X, y, X_unlabelled=as_frame)
    other = distiller().fit(X, y, X_unlabelled=unlabelled)
    flat = distiller().fit(X[:, 0], y, X_unlabelled=unlabelled[:, 0])
    np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))
    np.testing.assert_array_equal(flat.predict_proba(X), other.predict_proba(X))


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (lambda X: X[:, :, :7], ValueError, "X_unlabelled.*7 time points"),
        (lambda X: np.repeat(X, 2, axis=1), ValueError, "X_unlabelled.*2 channels"),
        (lambda X: X * np.nan, ValueError, "X_unlabelled.*NaN"),
        (lambda X: X[:0], ValueError, r"X_unlabelled.*\(0, 1, 20\)"),
        (lambda X: X.astype(object), TypeError, "X_unlabelled.*object"),
        (lambda X: "series", TypeError, "X_unlabelled"),
    ],
)
def test_unusable_series_are_refused_by_name_before_anything_is_fitted(
    data, unlabelled, change, error, said
):
    X, y = data

    class Unfittable(RandomForestClassifier):
        def fit(self, X, y):
            pytest.fail("the teacher is fitted")

    clf = distiller().set_params(teacher=Unfittable())
    with pytest.raises(error, match=said):
        clf.fit(X, y, X_unlabelled=change(unlabelled))
    assert not clf.is_fitted
    assert "_fit_params" not in vars(clf)


def test_terms_of_weight_zero_would_learn_nothing(data, unlabelled):
    with pytest.raises(ValueError, match=r"X_unlabelled.*saliency_weight=0"):
        distiller(saliency_weight=0, distillation=[]).fit(*data, X_unlabelled=unlabelled)


def test_several_outputs_are_refused(data, unlabelled):
    X, y = data
    with pytest.raises(ValueError, match=r"X_unlabelled.*2 columns"):
        distiller().fit(X, np.stack([y, y], axis=1), X_unlabelled=unlabelled)


# -- scikit-learn's metadata routing ---------------------------------------------------


def test_routed_through_a_grid_search_and_a_pipeline(data, unlabelled):
    X, y = data
    grid = {"student__lr": [0.01, 0.03]}
    with sklearn.config_context(enable_metadata_routing=True):
        requesting = distiller().set_fit_request(X_unlabelled=True)
        search = GridSearchCV(requesting, grid, cv=2).fit(X, y, X_unlabelled=unlabelled)
        with pytest.raises(ValueError, match="X_unlabelled"):  # nobody asked for it
            GridSearchCV(distiller(), grid, cv=2).fit(X, y, X_unlabelled=unlabelled)
        pipeline = Pipeline(
            [("tanh", FunctionTransformer(np.tanh)), ("clf", requesting.clone())],
            transform_input=["X_unlabelled"],
        ).fit(X, y, X_unlabelled=unlabelled)
    best = distiller().set_params(student__lr=search.best_params_["student__lr"])
    best.fit(X, y, X_unlabelled=unlabelled)
    np.testing.assert_array_equal(search.predict_proba(X), best.predict_proba(X))
    by_hand = distiller().fit(np.tanh(X), y, X_unlabelled=np.tanh(unlabelled))
    np.testing.assert_array_equal(pipeline.predict_proba(X), by_hand.predict_proba(np.tanh(X)))


def test_without_routing_a_grid_search_passes_them_on(data, unlabelled):
    X, y = data
    search = GridSearchCV(distiller(), {"student__lr": [0.03]}, cv=2)
    search.fit(X, y, X_unlabelled=unlabelled)
    expected = distiller().set_params(student__lr=0.03).fit(X, y, X_unlabelled=unlabelled)
    np.testing.assert_array_equal(search.predict_proba(X), expected.predict_proba(X))


# -- weight of the labels --------------------------------------------------------------


@pytest.mark.parametrize("weight", [0.0, 0.25, 3.0])
def test_the_cross_entropy_counts_by_its_weight(weight):
    student, teacher, y = outputs(6, 0), outputs(6, 1), torch.arange(6) % 3
    criterion = DistillationCriterion([KD()], cross_entropy_weight=weight)
    total = criterion(student, teacher, y).item()
    parts = criterion.values
    expected = weight * parts["cross_entropy"].item() + parts["kd"].item()
    assert total == pytest.approx(expected, rel=1e-6)


def test_without_cross_entropy_labels_only_matter_to_the_teacher(data):
    X, y = data
    teacher = FrozenEstimator(learner().fit(X, y))
    swapped = np.where(y == y[0], y[1], y[0])
    settings = {"cross_entropy_weight": 0, "perturbation": Zero()}
    one, other = (
        distiller(**settings).set_params(teacher=teacher).fit(X, labels) for labels in (y, y[::-1])
    )
    np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))
    with pytest.warns(UserWarning, match="right"):  # the teacher, for these labels
        third = distiller(**settings).set_params(teacher=teacher).fit(X, swapped)
    np.testing.assert_array_equal(third.predict_proba(X), one.predict_proba(X))


@pytest.mark.parametrize(
    ("params", "error", "said"),
    [
        bad(ValueError, cross_entropy_weight=-1),
        bad(TypeError, cross_entropy_weight="none"),
        bad(ValueError, cross_entropy_weight=0, saliency_weight=0),
    ],
)
def test_weights_of_the_labels_that_are_refused(data, params, error, said):
    with pytest.raises(error, match=said):
        distiller(**params).fit(*data)
