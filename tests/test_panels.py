"""Panels in any container: what is read, and what is refused in two lines."""

import numpy as np
import pandas as pd
import pytest
import torch
from helpers import distiller, learner, random_panel
from sktime.datatypes import convert

from sktime_tsd import fidelity_report, load_model, save_model, temporal_saliency, to_onnx
from sktime_tsd._panels.panel import read_panel
from sktime_tsd.datasets import SeriesData
from sktime_tsd.runtime import ModelFileError, OnnxClassifier
from sktime_tsd.runtime._model_files import names_from_json

X, Y = random_panel(12, n_channels=2, n_timepoints=5)
NAMES = ("acc", "gyr")
FRAME = convert(X, "numpy3D", "pd-multiindex").set_axis(list(NAMES), axis=1)
NESTED = convert(X, "numpy3D", "nested_univ").set_axis(list(NAMES), axis=1)
FRAMES = [frame.set_axis(list(NAMES), axis=1) for frame in convert(X, "numpy3D", "df-list")]
WHOLE = (FRAME * 1000).round()


def with_times(times):
    """FRAME with other time stamps, given for each row or for each series alike."""
    series = FRAME.index.get_level_values(0)
    times = times if len(times) == len(FRAME) else list(times) * len(X)
    return FRAME.set_axis(pd.MultiIndex.from_arrays([series, times]))


def with_missing(frame, missing=pd.NA):
    frame = frame.copy()
    frame.iloc[7, 1] = missing  # of series 1
    return frame


def as_objects(parts):
    array = np.empty(len(parts), dtype=object)
    array[:] = parts
    return array


# -- what is read ----------------------------------------------------------------------

READ = {
    "frame": FRAME,
    "rows out of order": FRAME.sample(frac=1, random_state=0).sort_index(
        level=0, sort_remaining=False
    ),
    "series interleaved": FRAME.sort_index(level=1, sort_remaining=False),
    "dates of their own": with_times(pd.date_range("2020", periods=60, freq="37min")),
    "irregular dates": with_times(
        pd.DatetimeIndex(["2020-01-01", "2021-05-03", "2021-05-04", "2024-01-01", "2031-01-01"])
    ),
    "time zones": with_times(pd.date_range("2020", periods=5, tz="Europe/Berlin")),
    "duplicated times": with_times([0, 0, 1, 1, 1]),
    "periods": with_times(pd.period_range("2020-01", periods=5, freq="M")),
    "durations": with_times(pd.to_timedelta([1, 2, 3, 5, 8], unit="s")),
    "negative times": with_times([-0.5, -0.25, 0.0, 7.5, 8.0]),
    "Float64": FRAME.astype("Float64"),
    "one nullable": FRAME.astype({"acc": "Float64"}),
    "sparse": FRAME.astype(pd.SparseDtype(float)),
    "nested": NESTED,
    "nested arrays": NESTED.map(lambda series: series.to_numpy()),
    "nested lists": NESTED.map(lambda series: series.tolist()),
    "nested nullable": NESTED.map(lambda series: series.astype("Float64")),
    "frames": FRAMES,
    "frames with columns out of order": [
        frame if i % 2 == 0 else frame[["gyr", "acc"]] for i, frame in enumerate(FRAMES)
    ],
    "frames with rows out of order": [frame.iloc[::-1] for frame in FRAMES],
    "pivoted": FRAME.rename_axis(["id", "time"])
    .rename_axis("channel", axis=1)
    .stack()
    .rename("value")
    .reset_index()
    .pivot(index=["id", "time"], columns="channel", values="value"),
}


@pytest.mark.parametrize("panel", READ.values(), ids=READ)
def test_containers_hold_the_same_series_with_names(panel):
    found = read_panel(panel)
    np.testing.assert_array_equal(found.values, X)
    assert found.names == NAMES


NUMBERS = {
    "Float32": (FRAME.astype("Float32"), X.astype(np.float32)),
    "Int64": (WHOLE.astype("Int64"), np.round(1000 * X)),
    "int16": (WHOLE.astype("int16"), np.round(1000 * X)),
    "boolean": ((FRAME > 0).astype("boolean"), X > 0),
    "bool and numbers": (
        FRAME.assign(acc=FRAME["acc"] > 0),
        np.stack([X[:, 0] > 0, X[:, 1]], axis=1),
    ),
}


@pytest.mark.parametrize(("panel", "expected"), NUMBERS.values(), ids=NUMBERS)
def test_numbers_of_any_dtype_are_read(panel, expected):
    np.testing.assert_array_equal(read_panel(panel).values, expected)


@pytest.mark.parametrize("dtype", ["double[pyarrow]", "float[pyarrow]", "int64[pyarrow]"])
def test_arrow_is_read(dtype):
    pytest.importorskip("pyarrow")
    found = read_panel(WHOLE.astype(dtype)).values
    np.testing.assert_array_equal(found, np.round(1000 * X))
    with pytest.raises(ValueError, match=r"NaN in 1 of 12 series.*series 1"):
        read_panel(with_missing(WHOLE.astype(dtype)))


def test_polars_is_read():
    polars = pytest.importorskip("polars")
    with pytest.raises(TypeError, match=r"X\.to_pandas\(\)\.set_index"):
        read_panel(polars.from_pandas(FRAME.reset_index()))
    panel = convert(FRAME, "pd-multiindex", "polars_panel")
    found = read_panel(panel)
    np.testing.assert_array_equal(found.values, X)
    assert found.names == NAMES
    rows = polars.when(polars.int_range(polars.len()) != 7).then(polars.col("acc"))
    with pytest.raises(ValueError, match=r"NaN in 1 of 12 series.*series 1"):
        read_panel(panel.with_columns(rows.alias("acc")))


NAMELESS = {
    "arrays": (list(X), X),
    "lists of numbers": (X.tolist(), X),
    "lists of numbers for one channel": (X[:, 0].tolist(), X[:, :1]),
    "lists of arrays": ([list(x) for x in X], X),
    "an array of objects": (as_objects(list(X)), X),
    "a tuple": (tuple(X), X),
    "series of one channel": (list(X[:, 0]), X[:, :1]),
    "pandas series": ([pd.Series(x[0]) for x in X], X[:, :1]),
    "no value masked": (np.ma.array(X, mask=X > 1e9), X),
    "numbered channels": (FRAME.set_axis([0, 1], axis=1), X),
    "numbered channels out of order": (FRAME.set_axis([1, 0], axis=1), X[:, ::-1]),
    "read-only": (np.broadcast_to(X[:1], X.shape), np.repeat(X[:1], 12, axis=0)),
}


@pytest.mark.parametrize(("panel", "expected"), NAMELESS.values(), ids=NAMELESS)
def test_containers_without_names(panel, expected):
    found = read_panel(panel)
    np.testing.assert_array_equal(found.values, expected)
    assert type(found.values) is np.ndarray
    assert found.names is None


def test_a_series_with_two_levels_is_one_channel():
    found = read_panel(FRAME["gyr"])
    np.testing.assert_array_equal(found.values, X[:, 1:])
    assert found.names == ("gyr",)


def test_labels_of_series_are_read_in_order_of_appearance():
    assert read_panel(FRAME.loc[[5, 2, 9]]).instances.tolist() == [5, 2, 9]
    assert read_panel(NESTED.iloc[[5, 2, 9]]).instances.tolist() == [5, 2, 9]
    np.testing.assert_array_equal(read_panel(FRAME.loc[[5, 2, 9]]).values, X[[5, 2, 9]])


@pytest.mark.parametrize("make", [learner, distiller])
def test_estimators_read_lists_and_frames_as_arrays(make):
    expected = make().fit(X, Y).predict_proba(X)
    for panel in (list(X), FRAME, READ["dates of their own"], READ["Float64"]):
        clf = make().fit(panel, Y)
        np.testing.assert_array_equal(clf.predict_proba(panel), expected)
        np.testing.assert_array_equal(clf.predict_proba(X), expected)


# -- what is refused -------------------------------------------------------------------

MASKED = np.ma.array(X.copy(), mask=np.zeros(X.shape, bool))
MASKED[3, 0, 2] = -9999
MASKED[3, 0, 2] = np.ma.masked
OF_MASKED = r"X.*masked.* 1 of 12 .*series 3\b"

REFUSED = {
    "masked": (MASKED, ValueError, OF_MASKED),
    "masked among arrays": ([*X[:3], MASKED[3], *X[4:]], ValueError, OF_MASKED),
    "masked integers": (
        np.ma.array(np.round(X).astype(int), mask=MASKED.mask),
        ValueError,
        OF_MASKED,
    ),
    "NA": (with_missing(FRAME.astype("Float64")), ValueError, r"X.*NaN.* 1 of 12 .*series 1\b"),
    "NA in booleans": (with_missing((FRAME > 0).astype("boolean")), ValueError, "X.*NaN.* 1 of 12"),
    "text": (FRAME.assign(label="a"), TypeError, "'label'.*dtype (str|object)"),
    "objects": (FRAME.astype(object), TypeError, "'acc'.*dtype object"),
    "complex": (FRAME.astype(complex), TypeError, "'acc'.*dtype complex128"),
    "dates as values": (FRAME.assign(at=pd.Timestamp("2020")), TypeError, "'at'.*dtype datetime64"),
    "categories": (FRAME.assign(at=pd.Categorical(["a"] * 60)), TypeError, "'at'.*dtype category"),
    "text among nested": (NESTED.assign(label="a"), TypeError, "'label'.*str"),
    "nested text": (NESTED.map(lambda series: series.astype(str)), TypeError, "'acc'.*dtype"),
    "text as time": (with_times(list("vwxyz")), TypeError, "time stamps.*'v'.*to_datetime"),
    "a missing time": (
        with_times(pd.DatetimeIndex(["2020", None, "2021", "2022", "2023"])),
        ValueError,
        "missing entries.*index",
    ),
    "three levels": (pd.concat([FRAME], keys=["h"]), TypeError, "two levels.*3 levels"),
    "unequal": (FRAME.iloc[:-1], ValueError, "unequal length, from 4 to 5"),
    "unequal arrays": ([X[0], X[1][:, :3]], ValueError, "unequal length, from 3 to 5"),
    "unequal channels": ([X[0], X[1][:1]], ValueError, "unequal numbers of channels, from 1 to 2"),
    "a name twice": (FRAME.set_axis(["a", "a"], axis=1), ValueError, "same name: 'a'"),
    "other names in a list": (
        [*FRAMES[:3], FRAMES[3].set_axis(["a", "b"], axis=1)],
        ValueError,
        "Series 3.*'a', 'b'.*'acc', 'gyr'",
    ),
    "a mixed list": ([FRAMES[0], X[0]], TypeError, "list.*DataFrame"),
    "panels in a list": ([X, X], TypeError, "list.*3 dimensions"),
    "ragged lists": ([[[1, 2], [3]], [[1, 2], [3, 4]]], TypeError, "list in it.*ragged"),
    "numbers": ([1.0, 2.0], TypeError, r"float in it.*\[X\]"),
    "tensors": (list(torch.from_numpy(X)), TypeError, r"\[numpy\.asarray\(series\) for"),
    "what read_series gives": (SeriesData(X, Y), TypeError, "Pass its X"),
    "labels in a wide table": (
        pd.DataFrame(X[:, 0]).assign(label="a"),
        TypeError,
        r"X\.drop\(columns=\['label'\]\)\.to_numpy\(\)",
    ),
    "an empty list": ([], ValueError, "at least one series.*list"),
    "text in a list": (["a", "b"], TypeError, "list.*str"),
    "a wide table": (pd.DataFrame(X[:, 0]), TypeError, r"12 rows and 5 columns.*to_numpy\(\)"),
    "a long table": (FRAME.reset_index(), TypeError, r"60 rows and 4 columns.*\n.*set_index"),
    "no rows": (FRAME.iloc[:0], ValueError, r"at least one.*\(0, 2\)"),
    "a dict": ({"acc": X[:, 0]}, TypeError, "X.*dict"),
    "a tensor": (torch.from_numpy(X), TypeError, r"X.*torch.*numpy\.asarray\(X\)"),
    "one series": (X[0, 0], ValueError, r"X.*shape.* \(5,\).*newaxis"),
}


@pytest.mark.parametrize(("panel", "error", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_panel_is_refused_in_two_lines(panel, error, said):
    with pytest.raises(error, match=f"(?s){said}") as refusal:
        read_panel(panel)
    assert len(str(refusal.value)) < 300
    for make in (learner, distiller):
        with pytest.raises(error, match=f"(?s){said}"):
            make().fit(panel, Y)


def test_a_missing_cell_is_a_missing_series():
    nested = NESTED.copy()
    nested.loc[3, "acc"] = np.nan
    with pytest.raises(ValueError, match=r"NaN.*'acc'"):
        read_panel(nested)


# -- names of channels -----------------------------------------------------------------


@pytest.fixture(scope="module", params=[learner, distiller], ids=["network", "distiller"])
def named(request):
    return request.param().fit(FRAME, Y)


TURNED = {
    "frame": FRAME[["gyr", "acc"]],
    "nested": NESTED[["gyr", "acc"]],
    "frames": [frame[["gyr", "acc"]] for frame in FRAMES],
}


@pytest.mark.parametrize("panel", TURNED.values(), ids=TURNED)
def test_channels_are_found_by_name(named, panel):
    assert named.feature_names_in_.tolist() == list(NAMES)
    np.testing.assert_array_equal(named.predict_proba(panel), named.predict_proba(X))
    np.testing.assert_array_equal(named.predict_logits(panel), named.predict_logits(X))
    np.testing.assert_array_equal(named.predict(panel), named.predict(X))
    assert named.score(panel, Y) == named.score(X, Y)


OTHERS = {
    "other": (FRAME.rename(columns={"gyr": "mag"}), "lacks gyr.*unknown mag.*acc, gyr"),
    "missing": (FRAME[["acc"]], "lacks gyr"),
    "more": (FRAME.assign(mag=0.0), "unknown mag"),
}


@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_logits"])
@pytest.mark.parametrize(("panel", "said"), OTHERS.values(), ids=OTHERS)
def test_channels_of_other_names_are_refused(named, method, panel, said):
    with pytest.raises(ValueError, match=said):
        getattr(named, method)(panel)


def test_without_names_channels_go_by_position(named):
    for panel in (FRAME.set_axis([0, 1], axis=1), list(X)):
        np.testing.assert_array_equal(named.predict_proba(panel), named.predict_proba(X))
    nameless = learner().fit(X, Y)
    assert not hasattr(nameless, "feature_names_in_")
    np.testing.assert_array_equal(
        nameless.predict_proba(TURNED["frame"]), nameless.predict_proba(X[:, ::-1])
    )


def test_a_second_fit_forgets_the_names():
    clf = learner().fit(FRAME, Y)
    assert not hasattr(clf.fit(X, Y), "feature_names_in_")


def test_student_and_teacher_know_the_names():
    clf = distiller().fit(FRAME, Y)
    for part in (clf.student_, clf.teacher_):
        np.testing.assert_array_equal(part.predict_proba(TURNED["frame"]), part.predict_proba(X))


def test_names_of_several_outputs():
    y = pd.DataFrame({"one": Y, "two": Y[::-1]})
    clf = learner().fit(FRAME, y)
    pd.testing.assert_frame_equal(clf.predict_proba(TURNED["frame"]), clf.predict_proba(X))
    with pytest.raises(ValueError, match="lacks gyr"):
        clf.predict(FRAME[["acc"]])


def test_one_class_remembers_names_too():
    with pytest.warns(UserWarning, match="single label"):
        clf = learner().fit(FRAME, ["a"] * 12)
    with pytest.raises(ValueError, match="lacks gyr"):
        clf.predict(FRAME[["acc"]])


def test_unlabelled_series_are_put_in_order():
    more, _ = random_panel(6, n_channels=2, n_timepoints=5, seed=4)
    frame = convert(more, "numpy3D", "pd-multiindex").set_axis(list(NAMES), axis=1)
    expected = distiller().fit(X, Y, X_unlabelled=more).predict_proba(X)
    for unlabelled in (frame, frame[["gyr", "acc"]], more, list(more)):
        found = distiller().fit(FRAME, Y, X_unlabelled=unlabelled).predict_proba(X)
        np.testing.assert_array_equal(found, expected)
    with pytest.raises(ValueError, match=r"X_unlabelled.*lacks gyr"):
        distiller().fit(FRAME, Y, X_unlabelled=frame[["acc"]])


def test_the_names_of_a_given_teacher_rule():
    from sklearn.frozen import FrozenEstimator

    teacher = FrozenEstimator(learner().fit(FRAME, Y))
    expected = distiller().set_params(teacher=teacher).fit(X, Y)
    found = distiller().set_params(teacher=teacher).fit(TURNED["frame"], Y)
    np.testing.assert_array_equal(found.predict_proba(FRAME), expected.predict_proba(X))
    assert found.feature_names_in_.tolist() == list(NAMES)
    with pytest.raises(ValueError, match=r"lacks gyr.*teacher"):
        distiller().set_params(teacher=teacher).fit(FRAME[["acc"]], Y)


def test_saliency_and_reports_find_channels_by_name(named):
    options = {"background": X, "random_state": 0}
    expected = temporal_saliency(named, X, **options).values
    options["background"] = FRAME
    for panel in (FRAME, TURNED["frame"]):
        np.testing.assert_array_equal(temporal_saliency(named, panel, **options).values, expected)
    options["background"] = TURNED["frame"]
    np.testing.assert_array_equal(
        temporal_saliency(named, X, background=X, random_state=0).values,
        temporal_saliency(named, FRAME, **options).values,
    )
    for options["background"] in (FRAME[["acc"]], FRAME.rename(columns={"acc": "mag"})):
        with pytest.raises(ValueError, match=r"background.*lacks"):
            temporal_saliency(named, FRAME, **options)
    with pytest.raises(ValueError, match="lacks gyr"):
        temporal_saliency(named, FRAME[["acc"]])

    options = {"latency": False, "n_resamples": 0, "max_saliency_instances": 3, "random_state": 0}
    one = fidelity_report(named, named, X, Y, **options).to_frame()
    other = fidelity_report(named, named, TURNED["frame"], Y, **options).to_frame()
    pd.testing.assert_frame_equal(one, other)
    turned = learner().fit(TURNED["frame"], Y)
    with pytest.raises(ValueError, match=r"gyr.*student"):
        fidelity_report(named, turned, FRAME, Y, **options)


def test_names_survive_pickling_and_former_pickles_have_none(named):
    import pickle

    again = pickle.loads(pickle.dumps(named))
    np.testing.assert_array_equal(again.predict_proba(TURNED["frame"]), named.predict_proba(X))
    del again.feature_names_in_
    np.testing.assert_array_equal(again.predict_proba(FRAME), named.predict_proba(X))


def test_names_travel_into_files(tmp_path):
    clf = learner().fit(FRAME, Y)
    loaded = load_model(save_model(clf, tmp_path / "model"))
    np.testing.assert_array_equal(loaded.predict_proba(TURNED["frame"]), clf.predict_proba(X))
    with pytest.raises(ValueError, match="lacks gyr"):
        loaded.predict(FRAME[["acc"]])
    student = OnnxClassifier(to_onnx(clf, tmp_path / "model.onnx", TURNED["frame"]))
    assert student.feature_names_in_.tolist() == list(NAMES)
    found = temporal_saliency(student, TURNED["frame"]).values
    np.testing.assert_allclose(found, temporal_saliency(student, X).values, atol=1e-6)

    nameless = learner().fit(X, Y)
    assert not hasattr(load_model(save_model(nameless, tmp_path / "none")), "feature_names_in_")
    numbered = learner().fit(FRAME.set_axis([5, 7], axis=1), Y)
    assert not hasattr(load_model(save_model(numbered, tmp_path / "5")), "feature_names_in_")


@pytest.mark.parametrize("names", ["ab", ["a"], ["a", "a"], ["a", 1], ["a", "b", "c"], None])
def test_names_in_files_are_checked(names):
    with pytest.raises(ModelFileError, match="channels"):
        names_from_json({"channels": names}, 2)


# -- order of rows ---------------------------------------------------------------------

LABELS = pd.Series(Y, index=[f"r{i}" for i in range(12)])
RECORDED = FRAME.rename(index=lambda i: f"r{i}", level=0)
SHUFFLED = LABELS.sample(frac=1, random_state=1)


@pytest.mark.parametrize("make", [learner, distiller])
@pytest.mark.parametrize(
    "panel", [RECORDED, NESTED.set_axis(LABELS.index)], ids=["frame", "nested"]
)
def test_labels_are_aligned_by_index(make, panel):
    expected = make().fit(X, Y)
    found = make().fit(panel, SHUFFLED)
    np.testing.assert_array_equal(found.predict_proba(X), expected.predict_proba(X))
    assert found.score(panel, SHUFFLED) == expected.score(X, Y)
    found = make().fit(panel, SHUFFLED.to_frame("label"))
    np.testing.assert_array_equal(found.predict_proba(X), expected.predict_proba(X))


def test_numbered_labels_are_aligned_and_lists_go_by_position():
    expected = learner().fit(X, Y).predict_proba(X)
    numbered = pd.Series(Y).sample(frac=1, random_state=1)
    for y in (numbered, pd.Series(Y), Y, Y.tolist(), LABELS.to_numpy()):
        np.testing.assert_array_equal(learner().fit(FRAME, y).predict_proba(X), expected)
    for y in (LABELS, SHUFFLED.loc[LABELS.index]):  # an array has no index
        np.testing.assert_array_equal(learner().fit(X, y).predict_proba(X), expected)


DIFFERENT = {
    "other labels": LABELS.rename(lambda label: label.upper()),
    "positions": LABELS.reset_index(drop=True),
    "duplicates": LABELS.set_axis(["r0", "r0", *LABELS.index[2:]]),
}


@pytest.mark.parametrize("y", DIFFERENT.values(), ids=DIFFERENT)
def test_labels_of_other_series_are_refused(y):
    said = r"index of y is \[.*'r0', 'r1'.*reindex.*to_numpy"
    for make in (learner, distiller):
        with pytest.raises(ValueError, match=said):
            make().fit(RECORDED, y)
    clf = learner().fit(RECORDED, LABELS)
    with pytest.raises(ValueError, match=said):
        clf.score(RECORDED, y)
    with pytest.raises(ValueError, match=said):
        fidelity_report(clf, clf, RECORDED, y)


@pytest.mark.parametrize("y", [Y[:-1], LABELS[:-1], Y[:-1].tolist(), np.append(Y, Y)])
def test_more_or_fewer_labels_are_refused(y):
    with pytest.raises(ValueError, match=rf"\by\b.*12 series.* {len(y)}\b"):
        learner().fit(RECORDED, y)


def test_reports_backgrounds_targets_and_saved_answers_are_aligned():
    clf = learner().fit(X, Y)
    options = {"latency": False, "n_resamples": 0, "max_saliency_instances": 3, "random_state": 0}
    one = fidelity_report(clf, clf, X, Y, background=(X, Y), **options).to_frame()
    background = RECORDED, SHUFFLED
    other = fidelity_report(clf, clf, RECORDED, SHUFFLED, background=background, **options)
    pd.testing.assert_frame_equal(one, other.to_frame())
    expected = temporal_saliency(clf, X, target=Y).values
    np.testing.assert_array_equal(
        temporal_saliency(clf, RECORDED, target=SHUFFLED).values, expected
    )
    from sktime_tsd.losses import KD

    proba = pd.DataFrame(clf.predict_proba(X), index=LABELS.index)
    students = [
        distiller(saliency_weight=0, distillation=[KD()]).set_params(teacher=None) for _ in range(2)
    ]
    students[0].fit(X, Y, teacher_proba=proba.to_numpy())
    students[1].fit(RECORDED, LABELS, teacher_proba=proba.loc[SHUFFLED.index])
    np.testing.assert_array_equal(*(student.predict_proba(X) for student in students))
