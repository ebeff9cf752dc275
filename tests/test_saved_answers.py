"""Probabilities that a teacher gave earlier, when it can no longer be asked."""

import pickle
import re

import numpy as np
import pandas as pd
import pytest
from helpers import learner, random_panel
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV

from sktime_tsd import SaliencyDistilledClassifier
from sktime_tsd.losses import DKD, KD, AttentionTransfer, SoftTargets


@pytest.fixture(scope="module")
def data():
    return random_panel(24)


@pytest.fixture(scope="module")
def teacher(data):
    return learner(random_state=3).fit(*data)


def student(teacher=None, **params):
    settings = {"saliency_weight": 0, "distillation": [KD()], "random_state": 0} | params
    return SaliencyDistilledClassifier(teacher, learner(), **settings)


def losses(clf):
    """Of every epoch. (Weights may differ: a bias before batch norm follows rounding errors.)"""
    return [row["train_loss"] for row in clf.student_.history_]


@pytest.mark.parametrize("terms", [[KD()], [DKD()], [KD(), DKD()]])
def test_they_teach_as_the_teacher_itself_would(data, teacher, terms):
    X, y = data
    saved = teacher.predict_proba(X.astype(np.float32))
    clf = student(distillation=terms, teacher_smoothing=0).fit(X, y, teacher_proba=saved)
    asked = student(FrozenEstimator(teacher), distillation=terms).fit(X, y)
    assert losses(clf) == pytest.approx(losses(asked), abs=1e-5)
    assert clf.teacher_ is None
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(clf)).predict_proba(X), clf.predict_proba(X)
    )


def test_answers_in_another_order_than_the_labels_are_warned_of(data, teacher):
    X, y = data
    swapped = np.eye(2)[(y != np.unique(y)[1]).astype(int)]
    with pytest.warns(UserWarning, match="gives the right label to 0%"):
        student().fit(X, y, teacher_proba=swapped)


def test_votes_are_smoothed(data):
    X, y = data
    votes = (y[:, None] == np.unique(y)).astype(float)
    one = student(teacher_smoothing=0.2).fit(X, y, teacher_proba=votes)
    other = student(teacher_smoothing=0).fit(X, y, teacher_proba=0.8 * votes + 0.1)
    assert losses(one) == pytest.approx(losses(other), abs=1e-4)


def test_a_validation_split_and_a_grid_search_cut_them_like_the_series(data, teacher):
    X, y = data
    saved = teacher.predict_proba(X.astype(np.float32))
    clf = student().set_params(student__validation_fraction=0.25)
    assert clf.fit(X, y, teacher_proba=saved).student_.history_[0]["valid_loss"] > 0
    search = GridSearchCV(student(), {"student__lr": [0.03]}, cv=3, error_score="raise")
    search.fit(X, y, teacher_proba=saved)
    expected = student().set_params(student__lr=0.03).fit(X, y, teacher_proba=saved)
    np.testing.assert_array_equal(search.predict_proba(X), expected.predict_proba(X))


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"saliency_weight": 1}, r"saliency.*saliency_weight=0"),
        ({"distillation": [SoftTargets()]}, r"soft_targets.*KD\(\)"),
        ({"distillation": [AttentionTransfer()]}, r"attention_transfer.*KD\(\)"),
        ({"distillation": []}, r"no term.*KD\(\)"),
        ({"teacher": learner()}, "teacher=SkorchClassifier"),
    ],
)
def test_what_needs_a_teacher_is_refused_with_its_remedy(data, params, said):
    X, y = data
    with pytest.raises(ValueError, match=f"teacher_proba.*{said}"):
        student(**params).fit(X, y, teacher_proba=np.full((len(X), 2), 0.5))


@pytest.mark.parametrize(
    ("saved", "said"),
    [
        (np.full((5, 2), 0.5), "(24, 2); got (5, 2)"),
        (np.full((24, 3), 1 / 3), "(24, 2); got (24, 3)"),
        (np.full(24, 0.5), "(24, 2); got (24,)"),
        (np.full((24, 2), 0.7), "sum"),
        (np.full((24, 2), np.nan), "finite"),
        (np.tile([1.5, -0.5], (24, 1)), "-0.5"),
    ],
)
def test_what_are_no_probabilities_of_these_series_is_refused(data, saved, said):
    with pytest.raises(ValueError, match=f"teacher_proba.*{re.escape(said)}"):
        student().fit(*data, teacher_proba=saved)


def test_series_without_labels_need_a_teacher(data):
    X, y = data
    with pytest.raises(ValueError, match=r"X_unlabelled.*teacher_proba"):
        student().fit(X, y, X_unlabelled=X, teacher_proba=np.full((len(X), 2), 0.5))


def test_columns_of_a_table_are_found_by_label(data, teacher):
    X, y = data
    saved = teacher.predict_proba(X.astype(np.float32))
    expected = student().fit(X, y, teacher_proba=saved).predict_proba(X)
    table = pd.DataFrame(saved, columns=teacher.classes_)
    for columns in (teacher.classes_, teacher.classes_[::-1]):
        clf = student().fit(X, y, teacher_proba=table[list(columns)])
        np.testing.assert_array_equal(clf.predict_proba(X), expected)
    by_position = student().fit(X, y, teacher_proba=pd.DataFrame(saved))
    np.testing.assert_array_equal(by_position.predict_proba(X), expected)
    with pytest.raises(ValueError, match=r"teacher_proba.*\['cat', 'dog'\].*class 00"):
        student().fit(X, y, teacher_proba=pd.DataFrame(saved, columns=["cat", "dog"]))
