"""What distillation does: the reasons of the teacher, on planted and on real data."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch
from sklearn.frozen import FrozenEstimator

from sktime_tsd import SaliencyDistilledClassifier, SkorchClassifier, temporal_saliency
from sktime_tsd.datasets import make_planted_motifs
from sktime_tsd.fidelity import saliency_spearman
from sktime_tsd.losses import KD, DistillationTerm
from sktime_tsd.perturbations import GaussianNoise, OpposingClass, Zero
from sktime_tsd.teachers._teach import teach

STUDENT = ("fcn", {"filters": (8, 8), "kernel_sizes": (7, 5)})


@pytest.fixture(scope="module")
def planted():
    """Few and noisy series, so that a student alone does not find all the evidence."""
    X, y, _ = make_planted_motifs(200, n_timepoints=60, n_classes=3, noise=0.6, random_state=1)
    teacher = SkorchClassifier(
        "inception_time",
        {"n_filters": 8, "depth": 2, "kernel_sizes": (15, 9, 5)},
        max_epochs=40,
        random_state=0,
    ).fit(X[:60], y[:60])
    assert teacher.score(X[60:], y[60:]) > 0.7, "a teacher that has nothing to teach"
    return X[:60], y[:60], X[60:], teacher


def reasons(classifier, planted):
    X_train, _, X_test, _ = planted
    return temporal_saliency(
        classifier, X_test[:40], background=X_train, n_donors=4, random_state=0
    ).values


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))]
)
def test_student_takes_over_the_teachers_reasons(planted, seed):
    X, y, _, teacher = planted
    student = SkorchClassifier(*STUDENT, max_epochs=150, random_state=seed)
    distiller = SaliencyDistilledClassifier(FrozenEstimator(teacher), student, random_state=seed)
    of_teacher = reasons(teacher, planted)
    alone, distilled = (
        saliency_spearman(of_teacher, reasons(classifier.fit(X, y), planted)).mean()
        for classifier in (student.clone(), distiller)
    )
    assert distilled > alone + 0.02


def test_weight_zero_without_terms_is_the_student_alone(planted):
    """Same seed, same weights at the start, same batches: bit for bit the same network."""
    X, y, X_test, teacher = planted
    student = SkorchClassifier(*STUDENT, max_epochs=3, random_state=1)
    distiller = SaliencyDistilledClassifier(FrozenEstimator(teacher), student, saliency_weight=0)
    np.testing.assert_array_equal(
        distiller.fit(X, y).predict_logits(X_test),
        student.clone().fit(X, y).predict_logits(X_test),
    )


def logits_of_a_student(planted, **options):
    X, y, X_test, teacher = planted
    student = SkorchClassifier(*STUDENT, max_epochs=4)
    options = {"bank_size": 20, "random_state": 0, **options}
    clf = SaliencyDistilledClassifier(FrozenEstimator(teacher), student, **options)
    return clf.fit(X, y).predict_logits(X_test)


@pytest.fixture(scope="module")
def logits_by_default(planted):
    return logits_of_a_student(planted)


def test_the_perturbation_is_opposing_class_by_default(planted, logits_by_default):
    found = logits_of_a_student(planted, perturbation=OpposingClass())
    np.testing.assert_array_equal(found, logits_by_default)


@pytest.mark.parametrize(
    "change",
    [
        {"saliency_weight": 5.0},
        {"saliency_measure": "kl"},
        {"saliency_measure": "sqrt_kl"},
        {"saliency_measure": "target_probability"},
        {"saliency_normalization": "each"},
        {"saliency_ramp": 0.0},
        {"saliency_temperature": 1.0},
        {"distillation": [KD()]},
        {"perturbation": Zero()},
        {"perturbation": GaussianNoise()},
        {"window": 20},
        {"n_windows": 3},
        {"bank_size": 12},
    ],
    ids=str,
)
def test_every_option_changes_what_is_learnt(planted, logits_by_default, change):
    changed = logits_of_a_student(planted, **change)
    assert np.isfinite(changed).all()
    assert not np.array_equal(logits_by_default, changed)


def test_each_term_is_a_column_of_the_history(planted):
    X, y, _, teacher = planted
    clf = SaliencyDistilledClassifier(
        FrozenEstimator(teacher),
        SkorchClassifier(*STUDENT, max_epochs=8),
        distillation=[KD(0.5), KD(0.1, temperature=4.0)],
        saliency_ramp=0.0,
        random_state=0,
    ).fit(X, y)
    history = clf.student_.history_frame()
    total = history["cross_entropy"] + history["saliency"]
    total += 0.5 * history["kd"] + 0.1 * history["kd_2"]
    np.testing.assert_allclose(history["train_loss"], total, rtol=1e-5)
    assert history["saliency"].iloc[-1] < history["saliency"].iloc[0]


def test_the_ramp_starts_at_nothing(planted):
    X, y, _, teacher = planted
    clf = SaliencyDistilledClassifier(
        FrozenEstimator(teacher),
        SkorchClassifier(*STUDENT, max_epochs=10, batch_size=60),  # one step per epoch
        saliency_ramp=0.5,
        random_state=0,
    ).fit(X, y)
    history = clf.student_.history_frame()
    weight = (history["train_loss"] - history["cross_entropy"]) / history["saliency"]
    expected = [0, 0.2, 0.4, 0.6, 0.8, 1, 1, 1, 1, 1]
    np.testing.assert_allclose(weight, expected, atol=1e-5)


def test_student_alone_goes_to_production(planted):
    X, y, X_test, teacher = planted
    clf = SaliencyDistilledClassifier(
        FrozenEstimator(teacher), SkorchClassifier(*STUDENT, max_epochs=2), random_state=0
    ).fit(X, y)
    assert isinstance(clf.student_, SkorchClassifier)
    np.testing.assert_array_equal(clf.student_.predict_proba(X_test), clf.predict_proba(X_test))
    np.testing.assert_array_equal(clf.student_.predict(X_test), clf.predict(X_test))
    assert clf.student_.get_params()["max_epochs"] == 2


def test_validation_split_of_the_student_is_kept_out_of_the_bank(planted, monkeypatch):
    X, y, _, teacher = planted
    student = SkorchClassifier(
        *STUDENT, max_epochs=30, validation_fraction=0.25, patience=2, random_state=0
    )
    seen = []

    def spy(*arguments, **options):
        seen.append(teach(*arguments, **options))
        return seen[-1]

    monkeypatch.setattr("sktime_tsd.distiller.teach", spy)
    clf = SaliencyDistilledClassifier(FrozenEstimator(teacher), student, random_state=0).fit(X, y)
    training_set, valid_set = seen[0].training_set, seen[0].valid_set
    assert (len(training_set), len(valid_set)) == (45, 15)
    assert int(training_set.bank.donors.max()) < 45
    assert "valid_loss" in clf.student_.history_[0]


def test_a_distilled_classifier_can_teach(planted):
    X, y, X_test, teacher = planted
    student = SkorchClassifier(*STUDENT, max_epochs=2)
    first = SaliencyDistilledClassifier(FrozenEstimator(teacher), student, random_state=0)
    chain = SaliencyDistilledClassifier(first, student, random_state=0).fit(X, y)
    assert isinstance(chain.teacher_, SaliencyDistilledClassifier)
    assert chain.predict_proba(X_test).shape == (140, 3)


def test_terms_that_need_features_say_of_which_layers(planted):

    @dataclass(frozen=True)
    class Hint(DistillationTerm):
        weight: float = 1.0
        name: ClassVar[str] = "hint"
        needs_features: ClassVar[bool] = True

    X, y, _, teacher = planted
    with pytest.raises(TypeError, match="FeatureTerm"):
        SaliencyDistilledClassifier(FrozenEstimator(teacher), distillation=[Hint()]).fit(X, y)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_distils_on_cuda(planted):
    X, y, X_test, teacher = planted
    clf = SaliencyDistilledClassifier(
        FrozenEstimator(teacher), SkorchClassifier(*STUDENT, max_epochs=5), random_state=0,
        device="cuda",
    ).fit(X, y)  # fmt: skip
    assert clf.student_.network_.mean.device.type == "cuda"
    assert np.isfinite(clf.predict_proba(X_test)).all()
