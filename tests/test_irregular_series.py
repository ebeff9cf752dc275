"""Series of unequal length and with missing values: what is read, and that all see the same."""

import json
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from helpers import distiller, fcn, flat, learner, random_panel
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone as sklearn_clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sktime.datasets import load_basic_motions, load_japanese_vowels

from sktime_tsd import (
    SaliencyDistilledClassifier,
    SkorchClassifier,
    fidelity_report,
    load_model,
    save_model,
    temporal_saliency,
    to_onnx,
)
from sktime_tsd._panels.arrays import as_array
from sktime_tsd._panels.interpolation import filled, resampled
from sktime_tsd._panels.panel import read_panel
from sktime_tsd._panels.rules import PanelRules
from sktime_tsd.plotting import plot_saliency, plot_saliency_comparison, plot_saliency_pair
from sktime_tsd.preprocessing import SeriesCenterer, SeriesResampler
from sktime_tsd.runtime import ModelFileError, OnnxClassifier

BOTH = {"unequal_length": "resample", "missing_values": "interpolate"}
ANY = PanelRules(**BOTH)
nan = np.nan


def ragged_panel(n_instances, n_channels=2, low=8, high=20, seed=0):
    """Series of several lengths, of which each class has its own level."""
    rng = np.random.RandomState(seed)
    y = np.arange(n_instances) % 2
    lengths = rng.randint(low, high, n_instances)
    X = [2 * k + rng.standard_normal((n_channels, n)) for k, n in zip(y, lengths, strict=True)]
    return X, np.array(["down", "up"])[y]


def with_gaps(X, share=0.2, seed=0):
    """Copies of series, of which some values are missing; never a whole channel."""
    rng = np.random.RandomState(seed)
    found = []
    for series in X:
        missing = rng.rand(*series.shape) < share
        missing[:, len(series[0]) // 2] = missing[0, -1] = False
        found.append(np.where(missing, nan, series))
    return found


def by_hand(X, length):
    """Fill and resample series channel by channel with numpy.interp."""
    panel = np.empty((len(X), len(X[0]), length))
    for i, series in enumerate(X):
        has_value = ~np.isnan(series)
        n = series.shape[1]
        for c in range(len(series)):
            known = np.flatnonzero(has_value[c, :n])
            whole = np.interp(np.arange(n), known, series[c, known])
            panel[i, c] = np.interp(np.linspace(0, n - 1, length), np.arange(n), whole)
    return panel


X, Y = ragged_panel(24)
LONGEST = max(series.shape[1] for series in X)
NEW, Y_NEW = ragged_panel(10, low=1, high=30, seed=1)
NEW[3] = NEW[3][:, :1]  # a single time point
GAPS = with_gaps(NEW[4:])


# -- interpolation -----------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.0, 0.3, 0.8])
@pytest.mark.parametrize("length", [1, 2, 7, 40])
def test_filling_and_resampling_are_those_of_numpy(share, length):
    series = with_gaps(ragged_panel(6, n_channels=3, seed=2)[0], share)
    found = as_array(series, PanelRules(**BOTH, n_timepoints=length))
    assert_allclose(found, by_hand(series, length), atol=1e-12)


def test_ends_take_the_nearest_value_and_constants_stay_constant():
    assert_array_equal(filled(np.array([nan, nan, 0.3, nan, 0.3, nan])), np.full(6, 0.3))
    assert_array_equal(filled(np.array([nan, 1.0, nan, nan, 4.0])), [1, 1, 2, 3, 4])
    assert_array_equal(resampled(np.full(4, 0.1), 9), np.full(9, 0.1))


def test_large_levels_keep_their_digits():
    signal = np.sin(np.arange(20.0))
    gaps = np.where(np.arange(20) % 3 == 1, nan, signal)
    found = as_array([(1e8 + gaps)[None], (1e8 + gaps[:15])[None]], ANY)
    assert_allclose(found - 1e8, as_array([gaps[None], gaps[None, :15]], ANY), atol=1e-7)


# -- containers --------------------------------------------------------------------------

FRAMES = [pd.DataFrame(series.T, columns=["p", "q"]) for series in with_gaps(X)]
MULTI = pd.concat(FRAMES, keys=range(len(X)))
PADDED = np.full((24, 2, 40), nan)
for place, of_frame in enumerate(FRAMES):
    PADDED[place, :, : len(of_frame)] = of_frame.to_numpy().T
ARRAYS = [frame.to_numpy().T for frame in FRAMES]
OBJECTS = np.empty(24, dtype=object)
OBJECTS[:] = ARRAYS


def nested(make):
    cells = {c: [make(frame[c]) for frame in FRAMES] for c in ("p", "q")}
    return pd.DataFrame({name: pd.Series(column, dtype=object) for name, column in cells.items()})


def as_objects(column):
    """What pandas makes of numbers and NA without being told a dtype."""
    return column.astype(object).where(column.notna(), pd.NA) if column.isna().any() else column


CONTAINERS = {
    "arrays": ARRAYS,
    "a tuple": tuple(ARRAYS),
    "an array of arrays": OBJECTS,
    "padded with NaN": PADDED,
    "padded behind a mask": np.ma.array(np.nan_to_num(PADDED, nan=-9999), mask=np.isnan(PADDED)),
    "masked arrays": [np.ma.masked_invalid(series) for series in ARRAYS],
    "frames": FRAMES,
    "frames with NA": [frame.astype("Float64") for frame in FRAMES],
    "frames of objects": [frame.apply(as_objects) for frame in FRAMES],
    "rows": MULTI,
    "rows out of order": MULTI.sample(frac=1, random_state=0).sort_index(
        level=0, sort_remaining=False
    ),
    "rows with NA": MULTI.astype("Float64"),
    "rows with None": MULTI.astype(object).where(MULTI.notna(), None),
    "nested": nested(lambda column: column),
    "nested arrays": nested(lambda column: column.to_numpy()),
    "nested lists": nested(lambda column: column.tolist()),
    "nested lists with None": nested(lambda column: [None if v != v else v for v in column]),
}


@pytest.mark.parametrize("panel", CONTAINERS.values(), ids=CONTAINERS)
def test_containers_hold_the_same_series(panel):
    found = read_panel(panel, ANY)
    assert_allclose(found.values, by_hand(ARRAYS, LONGEST), atol=1e-12)
    assert found.lengths.read.tolist() == [len(frame) for frame in FRAMES]
    padded = isinstance(panel, np.ndarray) and panel.ndim == 3
    assert (found.lengths.given == (40 if padded else found.lengths.read)).all()
    assert found.values.dtype == np.float64


def test_series_of_one_channel():
    X = [series[0] for series in ARRAYS]
    expected = by_hand([series[None] for series in X], 30)
    rules = ANY._replace(n_timepoints=30)
    for panel in (X, [pd.Series(series) for series in X], PADDED[:, 0]):
        assert_allclose(read_panel(panel, rules).values, expected, atol=1e-12)


def test_an_array_may_end_a_series_by_missing_values_but_a_list_says_its_length():
    one = np.array([[nan, 1.0, nan, nan, 2.0, nan, nan], [nan, nan, nan, nan, 5.0, 6.0, nan]])
    cut = [[1, 1, 4 / 3, 5 / 3, 2, 2], [5, 5, 5, 5, 5, 6]]
    whole = [[1, 1, 4 / 3, 5 / 3, 2, 2, 2], [5, 5, 5, 5, 5, 6, 6]]
    masked = np.ma.masked_invalid(one[None])
    for panel in (one[None], masked):
        assert_allclose(read_panel(panel, ANY).values, [cut])
    frame = pd.DataFrame(one.T)
    for panel in ([one], [frame], pd.concat([frame], keys=["a"]), nested_of(frame)):
        assert_allclose(read_panel(panel, ANY).values, [whole])
    strict = ANY._replace(unequal_length="raise")
    assert_allclose(read_panel(one[None], strict).values, [whole])
    ones = np.where(np.arange(9) < 7, np.ones((2, 2, 9)), nan)
    ones[1, 0, 7] = 1
    padding_alone = ANY._replace(missing_values="raise")
    assert read_panel(ones[:1], padding_alone).values.shape == (1, 2, 7)
    with pytest.raises(ValueError, match=r"NaN in 1 of 2.*series 1"):
        read_panel(ones, padding_alone)


def nested_of(frame):
    return pd.DataFrame({name: [frame[name]] for name in frame})


def test_regular_series_are_not_even_copied():
    panel = random_panel(5)[0]
    for rules in (ANY, ANY._replace(n_timepoints=20), PanelRules()):
        found = read_panel(panel, rules)
        assert found.values is panel or found.values.base is panel
        assert found.lengths is None


REFUSED = {
    "lengths": (X, {}, 'unequal length, from 8 to 19.*unequal_length="resample"'),
    "another length": (PADDED[:3, :, :5], {"missing_values": "interpolate"}, "unequal_length"),
    "NaN": (with_gaps([np.ones((2, 40))] * 3, 0.5), {}, 'NaN in 3 of 3.*missing_values="interpol'),
    "NaN in ragged series": (ARRAYS, {"unequal_length": "resample"}, "NaN.*missing_values"),
    "NaN in a list": (ARRAYS, {"missing_values": "interpolate"}, "unequal length.*unequal_length"),
    "padding": (
        np.where(np.arange(20) < 15, np.ones((4, 2, 20)), nan),
        {},
        "NaN in 4 of 4.*pad.*unequal_length",
    ),
    "an empty channel": (
        [X[0], np.stack([X[1][0], np.full(X[1].shape[1], nan)])],
        BOTH,
        "Series 1 of X has no value in channel 1",
    ),
    "an empty series": ([X[0], np.full((2, 9), nan)], BOTH, "Series 1 of X has no value in any"),
    "infinite": ([X[0], np.full((2, 9), np.inf)], BOTH, "infinite values in 1 of 2.*series 1"),
    "no time points": ([X[0], X[1][:, :0]], BOTH, r"Series 1.*\(2, 0\)"),
    "channels": ([X[0], X[1][:1]], BOTH, "unequal numbers of channels, from 1 to 2"),
    "channels of unequal length": (
        pd.DataFrame({"p": [np.ones(5), np.ones(6)], "q": [np.ones(5), np.ones(7)]}),
        BOTH,
        "channels of series 1 of X differ in length, from 6 to 7",
    ),
    "text": ([np.array([["a", "b"]]), np.array([["a"]])], BOTH, "real numbers.*<U1"),
}


@pytest.mark.parametrize("make", [learner, distiller])
@pytest.mark.parametrize(("panel", "rules", "said"), REFUSED.values(), ids=REFUSED)
def test_refusals_name_the_parameters(make, panel, rules, said):
    y = Y[: len(panel)]
    if said == "unequal_length":  # a length that `fit` has not seen
        panel, clf = np.ones((3, 2, 5)), make(**rules).fit(np.ones((4, 2, 40)) * Y2, Y[:4])
        with pytest.raises(ValueError, match=said):
            clf.predict(panel)
        return
    with pytest.raises((ValueError, TypeError), match=f"(?s){said}") as refusal:
        make(**rules).fit(panel, y)
    assert len(str(refusal.value)) < 320


Y2 = np.arange(4.0)[:, None, None]


@pytest.mark.parametrize("make", [learner, distiller])
@pytest.mark.parametrize("name", ["unequal_length", "missing_values"])
def test_unknown_settings(make, name):
    with pytest.raises(ValueError, match=f"{name} must be one of 'raise', '.*got 'pad'"):
        make(**{name: "pad"}).fit(X, Y)


@pytest.mark.parametrize("name", BOTH)
def test_the_distiller_reads_for_its_student(name):
    clf = SaliencyDistilledClassifier(fcn(), fcn(**{name: BOTH[name]}))
    with pytest.raises(ValueError, match=f"student has {name}='{BOTH[name]}'.*distiller"):
        clf.fit(X, Y)
    clf.set_params(**{name: BOTH[name]})._check_parameters()


# -- both estimators ---------------------------------------------------------------------


@pytest.fixture(scope="module", params=[learner, distiller], ids=["network", "distiller"])
def fitted(request):
    return request.param(**BOTH).fit(with_gaps(X), Y)


def test_answers_are_those_to_series_made_regular_by_hand(fitted):
    regular = fitted.clone().set_params(unequal_length="raise", missing_values="raise")
    regular.fit(by_hand(with_gaps(X), LONGEST), Y)
    expected = regular.predict_logits(by_hand(NEW, LONGEST))
    assert_allclose(fitted.predict_logits(NEW), expected, atol=1e-6)
    assert fitted._length_of_fit() == LONGEST


def test_answers_do_not_depend_on_the_other_series(fitted):
    series = [*NEW, *GAPS]
    together = fitted.predict_proba(series)
    alone = np.concatenate([fitted.predict_proba([one]) for one in series])
    assert_allclose(alone, together, atol=1e-6)
    arrays = np.concatenate([fitted.predict_proba(one[None]) for one in series])
    assert_array_equal(arrays, alone)


def test_it_learns(fitted):
    assert fitted.score(NEW, Y_NEW) == 1
    assert fitted.score([pd.DataFrame(one.T) for one in NEW], pd.Series(Y_NEW)) == 1


def test_tags_follow_the_instance():
    tags = ("capability:unequal_length", "capability:missing_values")
    for make in (learner, distiller):
        for name, tag in zip(BOTH, tags, strict=True):
            clf = make(**{name: BOTH[name]})
            others = [other for other in tags if other != tag]
            copies = clf, clf.clone(), sklearn_clone(clf), pickle.loads(pickle.dumps(clf))
            for copy in copies:
                assert copy.get_tag(tag)
                assert not any(copy.get_tag(other) for other in others)
            clf.set_params(**{name: "raise"})
            assert not clf.get_tag(tag)
            clf.set_params(**{name: BOTH[name]})
            assert clf.get_tag(tag)
        assert make(**BOTH).__sklearn_tags__().input_tags.allow_nan
        assert not make().__sklearn_tags__().input_tags.allow_nan


def test_a_second_fit_takes_its_own_length():
    clf = learner(**BOTH).fit(X, Y)
    assert clf.n_timepoints_ == LONGEST
    assert clf.fit([one[:, :8] for one in X], Y).n_timepoints_ == 8


def test_several_outputs():
    y = pd.DataFrame({"one": Y, "other": Y[::-1]})
    clf = learner(max_epochs=1, **BOTH).fit(X, y)
    assert clf.predict(NEW).shape == (10, 2)
    one = learner(max_epochs=1, **BOTH).fit(X, Y)
    assert_array_equal(clf.predict(NEW)["one"], one.predict(NEW))


@pytest.mark.filterwarnings("ignore:.*only single label")
@pytest.mark.parametrize("make", [learner, distiller])
def test_a_single_class(make):
    clf = make(**BOTH).fit(X, ["a"] * len(X))
    assert clf.predict(GAPS).tolist() == ["a"] * len(GAPS)
    with pytest.raises(ValueError, match="infinite"):
        clf.predict([np.full((2, 3), np.inf)])


def test_scikit_learn_splits_lists():
    clf = learner(max_epochs=5, **BOTH)
    assert cross_val_score(clf, with_gaps(X), Y, cv=2).min() > 0.8
    search = GridSearchCV(clf, {"missing_values": ["raise", "interpolate"]}, cv=2).fit(X, Y)
    assert search.predict(NEW).shape == (10,)


def test_pipelines_of_both_libraries():
    centred = [one - one.mean(axis=1, keepdims=True) for one in X]
    y = np.where([one[0, 0] > one[0, -1] for one in X], "falls", "rises")
    expected = learner(**BOTH).fit(centred, y).predict_proba(centred)
    of_sklearn = make_pipeline(SeriesCenterer(), learner(**BOTH)).fit(X, y)
    assert_allclose(of_sklearn.predict_proba(X), expected, atol=1e-6)
    frames = [pd.DataFrame(one.T) for one in X]
    of_sktime = (SeriesCenterer() * learner(**BOTH)).fit(frames, y)
    assert_allclose(of_sktime.predict_proba(frames), expected, atol=1e-6)


def test_the_remedies_work():
    resampled = make_pipeline(SeriesResampler(length=LONGEST), learner()).fit(X, Y)
    expected = learner(unequal_length="resample").fit(X, Y).predict_proba(NEW)
    assert_allclose(resampled.predict_proba(NEW), expected, atol=1e-6)


# -- teachers ----------------------------------------------------------------------------


class Watched(LogisticRegression):
    """Keeps what it was given."""

    seen = []

    def fit(self, X, y):
        Watched.seen.append(X.copy())
        return super().fit(X.reshape(len(X), -1), y)

    def predict_proba(self, X):
        Watched.seen.append(X.copy())
        return super().predict_proba(X.reshape(len(X), -1))


def test_teacher_and_student_see_the_same_series():
    Watched.seen.clear()
    student = learner(scale_inputs=False)
    clf = SaliencyDistilledClassifier(
        Watched(), student, n_windows=1, bank_size=2, random_state=0, **BOTH
    )
    gaps = with_gaps(X)
    clf.fit(gaps, Y, X_unlabelled=GAPS)
    expected, unlabelled = by_hand(gaps, LONGEST), by_hand(GAPS, LONGEST)
    in_fit, *asked = Watched.seen
    assert_allclose(in_fit, expected, atol=1e-12)
    assert {panel.shape[2] for panel in asked} == {LONGEST}
    for series in (*expected, *unlabelled):  # each was asked for as it is, in float32
        assert any(np.abs(panel - series).max(axis=(1, 2)).min() < 1e-5 for panel in asked)
    assert clf.student_.n_timepoints_ == LONGEST
    assert clf.student_.get_params(deep=False).items() >= BOTH.items()


def test_a_network_as_teacher_reads_them_too():
    clf = distiller(**BOTH).fit(X, Y)
    assert_allclose(
        clf.teacher_.predict_proba(GAPS),
        clf.teacher_.predict_proba(by_hand(GAPS, LONGEST)),
        atol=1e-6,
    )


@pytest.mark.parametrize("rules", [{}, BOTH])
def test_a_fitted_teacher_decides_the_length(rules):
    teacher = learner(**rules).fit(by_hand(X, 25), Y)
    for given in (FrozenEstimator(teacher), FrozenEstimator(make_pipeline(teacher))):
        clf = distiller(**BOTH).set_params(teacher=given).fit(X, Y)
        assert clf.student_.n_timepoints_ == 25
        assert clf.teacher_.predict_proba(by_hand(X, 25)).shape == (24, 2)


def test_saved_answers_and_validation_splits():
    from sktime_tsd.losses import KD

    proba = np.where(Y[:, None] == ["down", "up"], 0.9, 0.1)
    clf = SaliencyDistilledClassifier(
        student=learner(validation_fraction=0.25),
        saliency_weight=0,
        distillation=[KD()],
        random_state=0,
        **BOTH,
    )
    assert clf.fit(X, Y, teacher_proba=proba).score(NEW, Y_NEW) == 1


def test_memory_asks_a_teacher_once(tmp_path):
    teacher = flat(LogisticRegression())
    Counted.n_fits = 0
    teacher.steps[-1] = ("counted", Counted())
    settings = {"memory": tmp_path, "random_state": 0, "bank_size": 2, "n_windows": 1}
    for lr in (0.01, 0.02):
        clf = SaliencyDistilledClassifier(teacher, fcn(lr=lr), **settings, **BOTH)
        clf.fit(with_gaps(X), Y)
    assert Counted.n_fits == 1
    clf.fit(with_gaps(X, seed=1), Y)
    assert Counted.n_fits == 2


class Counted(LogisticRegression):
    """Counts its fits."""

    n_fits = 0

    def fit(self, X, y):
        Counted.n_fits += 1
        return super().fit(X, y)


# -- files -------------------------------------------------------------------------------


def test_settings_travel_into_pickles_folders_and_onnx(fitted, tmp_path):
    series = [*NEW, *GAPS]
    expected = fitted.predict_proba(series)
    student = getattr(fitted, "student_", fitted)
    assert_array_equal(pickle.loads(pickle.dumps(student)).predict_proba(series), expected)
    loaded = load_model(save_model(fitted, tmp_path / "model"))
    assert_array_equal(loaded.predict_proba(series), expected)
    assert loaded.get_params(deep=False).items() >= BOTH.items()
    card = (tmp_path / "model" / "README.md").read_text()
    assert "any number of time points" in card
    assert f"resampled to {LONGEST}, with missing values filled by interpolation" in " ".join(
        card.split()
    )
    in_onnx = OnnxClassifier(to_onnx(fitted, tmp_path / "student.onnx", series))
    for panel in (series, tuple(series), [np.ma.masked_invalid(one) for one in series]):
        assert_allclose(in_onnx.predict_proba(panel), expected, atol=1e-5)
    assert_allclose(in_onnx.predict_proba(GAPS[0][None]), expected[10:11], atol=1e-5)
    assert (in_onnx.unequal_length, in_onnx.missing_values) == ("resample", "interpolate")
    assert pickle.loads(pickle.dumps(in_onnx)).unequal_length == "resample"


@pytest.mark.slow
def test_a_file_reads_them_without_torch_sktime_and_pandas(fitted, tmp_path):
    path = to_onnx(fitted, tmp_path / "student.onnx")
    np.savez(tmp_path / "series.npz", *GAPS)
    program = """
import sys, numpy as np
from sktime_tsd.runtime import OnnxClassifier
saved = np.load(sys.argv[2])
found = OnnxClassifier(sys.argv[1]).predict_proba([saved[name] for name in saved.files])
assert not {"torch", "sktime", "pandas", "sklearn", "scipy"} & set(sys.modules)
print(found.tolist())
"""
    command = [sys.executable, "-c", program, path, tmp_path / "series.npz"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert_allclose(json.loads(done.stdout), fitted.predict_proba(GAPS), atol=1e-5)


def test_large_levels_survive_in_onnx(tmp_path):
    far = [1e8 + one for one in with_gaps(X)]
    clf = learner(**BOTH).fit(far, Y)
    student = OnnxClassifier(to_onnx(clf, tmp_path / "student.onnx"))
    assert clf.score(far, Y) == 1
    assert_allclose(student.predict_proba(far), clf.predict_proba(far), atol=1e-5)


def test_files_of_regular_models_stay_readable_to_older_versions(tmp_path):
    clf = fcn().fit(by_hand(X, 9), Y)
    folder = save_model(clf, tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    assert config["format_version"] == 1
    assert not config["settings"].keys() & BOTH.keys()
    student = OnnxClassifier(to_onnx(clf, tmp_path / "student.onnx"))
    assert (student.unequal_length, student.missing_values) == ("raise", "raise")
    with pytest.raises(ValueError, match="unequal_length"):
        student.predict(X)
    with pytest.raises(ValueError, match=r"9 time points.*unequal_length"):
        student.predict(X[:1])
    with pytest.raises(ValueError, match="missing_values"):
        student.predict(np.where(np.arange(9) == 3, nan, np.ones((1, 2, 9))))


@pytest.mark.parametrize("name", BOTH)
def test_damaged_settings_in_files(name):
    from sktime_tsd.runtime._model_files import onnx_metadata, rules_from_json

    metadata = onnx_metadata(np.array([0, 1]), 2, 9, rules=ANY)
    assert rules_from_json(json.loads(json.dumps(metadata))) == ANY
    for value in ("pad", None, ["resample"], 1):
        with pytest.raises(ModelFileError, match=name):
            rules_from_json(metadata | {name: value})


def test_a_pipeline_with_steps_in_files(tmp_path):
    pipeline = make_pipeline(SeriesCenterer(), fcn(**BOTH)).fit(X, Y)
    loaded = load_model(save_model(pipeline, tmp_path / "model"))
    assert_allclose(loaded.predict_proba(NEW), pipeline.predict_proba(NEW), atol=1e-6)
    with pytest.raises(ValueError, match=f"unequal_length.*SeriesResampler.length={LONGEST}"):
        to_onnx(pipeline, tmp_path / "student.onnx")
    remedy = make_pipeline(SeriesResampler(length=LONGEST), SeriesCenterer(), fcn()).fit(X, Y)
    path = to_onnx(remedy, tmp_path / "student.onnx", by_hand(X, 30))
    found = OnnxClassifier(path).predict_proba(by_hand(NEW, 30))
    assert_allclose(found, remedy.predict_proba(by_hand(NEW, 30)), atol=1e-5)


# -- saliency and reports ----------------------------------------------------------------


@pytest.mark.parametrize("per_channel", [False, True])
def test_saliency_is_on_the_time_axis_of_each_series(fitted, per_channel):
    options = {"random_state": 0, "per_channel": per_channel, "window": 3}
    found = temporal_saliency(fitted, GAPS, background=with_gaps(X), **options)
    same = temporal_saliency(
        fitted, by_hand(GAPS, LONGEST), background=by_hand(with_gaps(X), LONGEST), **options
    )
    assert found.lengths.read.tolist() == [one.shape[1] for one in GAPS]
    assert_allclose(found.common_values, same.values, atol=1e-6)
    frame = found.to_frame()
    for i, series in enumerate(GAPS):
        n = series.shape[1]
        own = np.linspace(0, LONGEST - 1, n)
        for row, values in zip(
            np.atleast_2d(same.values[i]), np.atleast_2d(found.values[i]), strict=True
        ):
            expected = np.interp(own, np.arange(LONGEST), row) if n > 1 else row.mean()
            assert_allclose(values, expected, atol=1e-6)
        assert_allclose(found.class_values[i].sum(axis=0), found.values[i], atol=1e-6)
        assert_allclose(frame.loc[i, "saliency"], found.values[i].ravel(), atol=1e-12)
    assert f"1 to 17 time points, read as {LONGEST}" in str(found)
    again = pickle.loads(pickle.dumps(found))
    assert_array_equal(again.values[2], found.values[2])


class LooksAt:
    """Reads the last fifth of the series that it is given, whatever their length."""

    classes_ = np.array(["a", "b"])
    n_timepoints_ = 50

    def _panel_rules(self):
        return ANY._replace(n_timepoints=50)

    def predict_proba(self, X):
        p = 1 / (1 + np.exp(-X[:, 0, 40:].mean(axis=1)))
        return np.column_stack([1 - p, p])


@pytest.mark.parametrize("length", [10, 50, 200])
def test_salient_windows_are_found_on_the_own_axis(length):
    series = np.random.RandomState(0).standard_normal((1, length)) + 3
    found = temporal_saliency(LooksAt(), [series, series[:, : length // 2]], window=5, stride=1)
    salient = np.flatnonzero(found.values[0] > 0.1 * found.values[0].max())
    assert salient.min() > 0.7 * length
    assert salient.max() >= length - 1 - length // 10
    for instance, n in enumerate((length, length // 2)):
        starts, stops = found.top(3).loc[instance, ["start", "stop"]].to_numpy().T
        assert (starts < stops).all()
        assert (starts >= 0).all()
        assert (stops <= n).all()
        assert starts[0] > 0.7 * n


def test_saliency_of_a_single_time_point_is_the_mean(fitted):
    found = temporal_saliency(fitted, [NEW[3], NEW[5]], background=X, random_state=0)
    assert found.values[0].shape == (1,)
    assert_allclose(found.values[0][0], found.common_values[0].mean())
    assert found.top(1).loc[0, ["start", "stop"]].to_numpy().tolist() == [[0, 1]]


def test_saliency_of_files_and_other_classifiers(fitted, tmp_path):
    options = {"background": X, "random_state": 0}
    expected = temporal_saliency(fitted, GAPS, **options).common_values
    student = OnnxClassifier(to_onnx(fitted, tmp_path / "student.onnx"))
    for model in (student, FrozenEstimator(fitted), make_pipeline(fitted)):
        found = temporal_saliency(model, GAPS, **options)
        assert_allclose(found.common_values, expected, atol=1e-5)
    with pytest.raises(ValueError, match="unequal_length"):
        temporal_saliency(flat(LogisticRegression()).fit(by_hand(X, 9), Y), GAPS)


def test_pictures_of_ragged_series_with_gaps(fitted):
    found = temporal_saliency(fitted, GAPS, background=X, random_state=0)
    n = GAPS[2].shape[1]
    padded = np.full((len(GAPS), 2, 40), nan)
    for i, series in enumerate(GAPS):
        padded[i, :, : series.shape[1]] = series
    found_padded = temporal_saliency(fitted, padded, background=X, random_state=0)
    assert found_padded.values.shape == (len(GAPS), 40)
    for i, series in enumerate(GAPS):
        ends = series.shape[1]
        assert_allclose(found_padded.values[i, :ends], found.values[i], atol=1e-7)
        assert not found_padded.values[i, ends:].any()
    for panel, saliency, last in ((GAPS, found, n - 1), (padded, found_padded, 39)):
        _, axes = plot_saliency(panel, saliency, instance=2)
        assert axes[0, 0].get_xlim() == (0, last)
        _, axis = plot_saliency_pair(panel, saliency, saliency, instance=2)
        assert axis.get_xlim() == (0, last)
        assert "1.00" in axis.texts[0].get_text()
        pair = {"a": saliency, "b": saliency}
        _, axes = plot_saliency_comparison(panel, pair, instances=[0, 2])
        assert axes[0, 0].get_xlim() == axes[1, 0].get_xlim() == (0, max(last, 9))
    for panel in (GAPS[1:], [np.repeat(one, 2, axis=1) for one in GAPS]):
        with pytest.raises(ValueError, match="same series as the saliency"):
            plot_saliency(panel, found)
    with pytest.raises(ValueError, match="same series as the first"):
        plot_saliency_pair(GAPS, found, found_padded)


def test_a_report_is_that_of_the_series_made_regular(fitted):
    teacher = flat(LogisticRegression()).fit(by_hand(X, LONGEST), Y)
    options = {"latency": False, "n_resamples": 10, "random_state": 0}
    y = Y_NEW[4:]
    found = fidelity_report(teacher, fitted, GAPS, y, background=with_gaps(X), **options)
    regular = by_hand(GAPS, LONGEST), y
    expected = fidelity_report(
        teacher, fitted, *regular, background=by_hand(with_gaps(X), LONGEST), **options
    )
    assert_allclose(found.metrics["value"], expected.metrics["value"], atol=1e-6)
    assert found.teacher_saliency.values[0].shape == (GAPS[0].shape[1],)
    swapped = fidelity_report(fitted, teacher, GAPS, y, **options)
    assert swapped["top_1_agreement"] == found["top_1_agreement"]
    with pytest.raises(ValueError, match=r"missing_values|unequal_length"):
        fidelity_report(teacher, teacher, GAPS, y, **options)
    others = learner(**BOTH).fit(by_hand(X, 11), Y)
    with pytest.raises(ValueError, match=f"11 time points.*{LONGEST}"):
        fidelity_report(others, fitted, GAPS, y, **options)


def test_own_axes_of_unequal_length_cannot_be_correlated(fitted):
    from sktime_tsd.fidelity import saliency_spearman

    found = temporal_saliency(fitted, GAPS, background=X, random_state=0)
    assert_allclose(saliency_spearman(found, found), 1)
    with pytest.raises(ValueError, match="common_values"):
        saliency_spearman(found.values, found.values)


# -- real series -------------------------------------------------------------------------


def test_japanese_vowels_at_their_true_lengths(tmp_path):
    (X, y), (X_test, y_test) = (load_japanese_vowels(split=split) for split in ("train", "test"))
    clf = SkorchClassifier(
        "fcn", {"filters": (8, 16, 8)}, unequal_length="resample", max_epochs=15, random_state=0
    ).fit(X, y)
    assert clf.n_timepoints_ == 26  # of the test set, some have 29
    assert clf.score(X_test, y_test) > 0.9
    arrays = [np.stack([cell.to_numpy() for cell in row]) for row in X_test.to_numpy()[:40]]
    student = OnnxClassifier(to_onnx(clf, tmp_path / "student.onnx"))
    assert_allclose(student.predict_proba(arrays), clf.predict_proba(X_test[:40]), atol=1e-5)


def test_basic_motions_with_a_tenth_of_its_values_taken_out():
    (X, y), (X_test, y_test) = (
        load_basic_motions(split=split, return_type="numpy3D") for split in ("train", "test")
    )
    rng = np.random.RandomState(0)
    gaps, gaps_test = (np.where(rng.rand(*part.shape) < 0.1, nan, part) for part in (X, X_test))
    clf = SkorchClassifier(
        "fcn",
        {"filters": (8, 16, 8)},
        missing_values="interpolate",
        max_epochs=40,
        random_state=0,
    ).fit(gaps, y)
    assert clf.score(gaps_test, y_test) > 0.9
