"""Labels of every dtype come back in a plain one; what is no set of labels is refused."""

import warnings

import numpy as np
import pandas as pd
import pytest
from helpers import distiller, learner, random_panel

from sktime_tsd import fidelity_report
from sktime_tsd._panels.labels import check_labels

X, _ = random_panel(12, n_timepoints=8)
CODES = np.arange(12) % 2
TEXT = np.where(CODES == 1, "walk", "run").tolist()
STRING_DTYPE = np.dtypes.StringDType


def series(values, dtype):
    return pd.Series(values, dtype=dtype)


TEXTS = {
    "list": TEXT,
    "objects": np.array(TEXT, dtype=object),
    "StringDType": np.array(TEXT, dtype=STRING_DTYPE()),
    "values of a column": pd.DataFrame({"label": TEXT})["label"].values,
    "array of pandas": pd.array(TEXT, dtype="string"),
    "string": series(TEXT, "string"),
    "object series": series(TEXT, object),
    "index": pd.Index(TEXT),
    "categories": series(TEXT, pd.CategoricalDtype(["run", "sit", "walk"])),
    "categorical": pd.Categorical(TEXT, categories=["walk", "sit", "run"]),
    "one column": np.array(TEXT)[:, None],
    "one column of objects": np.array(TEXT, dtype=object)[:, None],
    "frame": pd.DataFrame({"label": series(TEXT, "string")}),
    "mask without masked": np.ma.array(TEXT),
}


@pytest.mark.parametrize("y", TEXTS.values(), ids=TEXTS)
def test_text_becomes_text_of_numpy(y):
    found = check_labels(y)
    assert found.dtype == "<U4"
    assert found.tolist() == TEXT


OTHERS = {
    "Int64": (series(CODES, "Int64"), "int64"),
    "Int8": (series(CODES, "Int8"), "int8"),
    "integer objects": (CODES.astype(object), "int64"),
    "numpy integers among objects": (np.array([*map(np.int16, CODES)], dtype=object), "int16"),
    "categories of integers": (pd.Categorical(CODES, categories=[0, 1, 7]), "int64"),
    "boolean": (series(CODES == 1, "boolean"), "bool"),
    "boolean objects": ((CODES == 1).astype(object), "bool"),
    "Float64": (series(CODES, "Float64"), "float64"),
    "int8": (CODES.astype(np.int8), "int8"),
    "list of integers": (CODES.tolist(), "int64"),
}


@pytest.mark.parametrize(("y", "dtype"), OTHERS.values(), ids=OTHERS)
def test_numbers_and_booleans_become_those_of_numpy(y, dtype):
    found = check_labels(y)
    assert found.dtype == dtype
    assert found.tolist() == CODES.tolist()


ARROW = {"string[pyarrow]": TEXT, "int64[pyarrow]": CODES, "bool[pyarrow]": CODES == 1}


@pytest.mark.parametrize(("dtype", "values"), ARROW.items(), ids=ARROW)
def test_arrow(dtype, values):
    pytest.importorskip("pyarrow")
    found = check_labels(series(values, dtype))
    assert found.tolist() == list(values)
    assert found.dtype == np.array(list(values)).dtype
    with pytest.raises(ValueError, match="1 missing"):
        check_labels(series([None, *values[1:]], dtype))


def test_polars():
    polars = pytest.importorskip("polars")
    assert check_labels(polars.Series(TEXT)).dtype == "<U4"
    assert check_labels(polars.Series(CODES)).dtype == "int64"
    with pytest.raises(ValueError, match="1 missing"):
        check_labels(polars.Series([None, *TEXT[1:]]))


@pytest.mark.parametrize("make", [learner, distiller])
@pytest.mark.parametrize(
    "y", [TEXTS["StringDType"], TEXTS["values of a column"], OTHERS["boolean"][0]], ids=range(3)
)
def test_classes_and_predictions_are_plain(make, y):
    clf = make().fit(X, y)
    assert clf.classes_.dtype == clf.predict(X).dtype == check_labels(y).dtype
    assert type(clf.predict(X)) is np.ndarray
    plain = check_labels(y)
    expected = make().fit(X, plain)
    np.testing.assert_array_equal(clf.predict_proba(X), expected.predict_proba(X))
    assert clf.score(X, y) == expected.score(X, plain)
    found = fidelity_report(clf, clf, X, y, latency=False, n_resamples=0, max_saliency_instances=0)
    assert found["accuracy_teacher"] == clf.score(X, y)


MISSING = {
    "string": series([pd.NA, *TEXT[1:]], "string"),
    "Int64": series([pd.NA, *CODES[1:]], "Int64"),
    "boolean": series([pd.NA, *(CODES[1:] == 1)], "boolean"),
    "category": series([None, *TEXT[1:]], "category"),
    "StringDType": np.array([np.nan, *TEXT[1:]], dtype=STRING_DTYPE(na_object=np.nan)),
    "StringDType of None": np.array([None, *TEXT[1:]], dtype=STRING_DTYPE(na_object=None)),
    "objects": np.array([np.nan, *TEXT[1:]], dtype=object),
    "masked": np.ma.array(CODES, mask=[True] + [False] * 11),
    "one of two columns": pd.DataFrame({"a": [None, *TEXT[1:]], "b": TEXT}),
}


@pytest.mark.parametrize("y", MISSING.values(), ids=MISSING)
def test_missing_labels_are_refused(y):
    with pytest.raises(ValueError, match=r"\by\b.* 1 missing"):
        learner().fit(X, y)


MIXED = {
    "numbers and strings": (np.array(["a", 1] * 6, dtype=object), "numbers and strings"),
    "a list": (["a", 1] * 6, "numbers and strings"),
    "booleans and numbers": ([True, 0] * 6, "booleans and numbers"),
    "booleans and strings": (np.array([True, "a"] * 6, dtype=object), "booleans and strings"),
    "objects": (np.array([frozenset(), *TEXT[1:]], dtype=object), "frozenset and strings"),
}


@pytest.mark.parametrize(("y", "kinds"), MIXED.values(), ids=MIXED)
def test_mixed_labels_are_refused_in_one_sentence(y, kinds):
    with pytest.raises(TypeError, match=f"y mixes {kinds}") as refusal:
        learner().fit(X, y)
    assert str(refusal.value).count(". ") == 0


@pytest.mark.parametrize("y", [np.zeros((2, 2, 2)), [[0, 1], [0]], {0, 1}, {"y": TEXT}])
def test_what_is_no_column_of_labels_is_refused(y):
    with pytest.raises((TypeError, ValueError), match=r"\by\b"):
        learner().fit(X[:2], y)


ONE_HOT = {
    "integers": np.eye(3, dtype=int)[np.arange(12) % 3],
    "floats": np.eye(3)[np.arange(12) % 3],
    "list": np.eye(3, dtype=int)[np.arange(12) % 3].tolist(),
    "minus one": 2 * np.eye(3, dtype=int)[np.arange(12) % 3] - 1,
    "text": np.eye(3, dtype=int)[np.arange(12) % 3].astype(str),
}


@pytest.mark.parametrize("y", ONE_HOT.values(), ids=ONE_HOT)
def test_one_hot_labels_are_warned_of(y):
    with pytest.warns(UserWarning, match=r"3 columns.*one-hot.*y\.argmax\(axis=1\)"):
        clf = learner(max_epochs=1).fit(X, y)
    assert clf.predict(X).shape == (12, 3)


def test_dummies_are_warned_of():
    with pytest.warns(UserWarning, match=r"2 columns.*one-hot.*y\.idxmax\(axis=1\)"):
        distiller().fit(X, pd.get_dummies(pd.Series(TEXT)))


@pytest.mark.parametrize(
    "y",
    [
        np.stack([CODES, CODES], axis=1),
        pd.DataFrame({"a": series(CODES, "Int64"), "b": series(TEXT, "string")}),
        np.stack([CODES.astype(object), np.array(TEXT, dtype=object)], axis=1),
        list(zip(TEXT, CODES.tolist(), strict=True)),
        CODES[:, None],
    ],
    ids=range(5),
)
def test_columns_that_are_not_one_hot_are_not(y):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        predicted = learner(max_epochs=1).fit(X, y).predict(X)
    assert np.shape(predicted) == ((12, 2) if np.shape(y)[1] > 1 else (12,))
