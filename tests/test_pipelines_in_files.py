"""Pipelines in files: what stands before the classifier goes along, or is named and refused."""

import json
import subprocess
import sys

import numpy as np
import onnxruntime
import pandas as pd
import pytest
from helpers import distiller, learner
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sktime.transformations.adapt import TabularToSeriesAdaptor
from sktime.transformations.compose import FitInTransform, Id
from sktime.transformations.interpolate import TSInterpolator
from test_model_files import change, fuzz, values

from sktime_tsd import (
    SaliencyDistilledClassifier,
    SkorchClassifier,
    fidelity_report,
    load_model,
    save_model,
    temporal_saliency,
    to_onnx,
)
from sktime_tsd._panels.panel import channel_names
from sktime_tsd._scoring.scorer_of import scorer_of
from sktime_tsd.export._steps import chain_of
from sktime_tsd.networks import n_parameters
from sktime_tsd.preprocessing import SeriesCenterer, SeriesResampler, SeriesStandardScaler
from sktime_tsd.runtime import ModelFileError, OnnxClassifier


def raw_panel(n_instances=40, seed=0):
    """Series of two rhythms, each at a level of its own, where float32 loses some digits."""
    rng = np.random.default_rng(seed)
    y = np.arange(n_instances) % 2
    X = rng.normal(size=(n_instances, 2, 30)) * 0.1
    X[:, 0] += np.sin(np.linspace(0, 6, 30) * (1 + 4 * y[:, None]))
    return X + 1e5 * rng.normal(size=(n_instances, 2, 1)), np.array(["down", "up"])[y]


def adapted(**settings):
    return TabularToSeriesAdaptor(StandardScaler(**settings), fit_in_transform=True)


class OwnPipeline(Pipeline):
    """May predict in its own way."""


class OwnCenterer(SeriesCenterer):
    """May transform in its own way."""


PIPELINES = {
    "center": lambda: make_pipeline(SeriesCenterer(), learner()),
    "scale": lambda: SeriesStandardScaler() * learner(),
    "resample": lambda: make_pipeline(SeriesCenterer(), SeriesResampler(17), learner()),
    "all, distilled": lambda: (
        SeriesResampler(47) * SeriesStandardScaler() * SeriesResampler(21) * distiller()
    ),
    "of sktime": lambda: adapted() * TSInterpolator(20) * learner(),
    "delayed": lambda: FitInTransform(TabularToSeriesAdaptor(StandardScaler())) * learner(),
    "center of sktime": lambda: Id() * adapted(with_std=False) * learner(),
    "nested": lambda: Pipeline(
        [
            ("first", make_pipeline(SeriesResampler(25), "passthrough")),
            (
                "second",
                make_pipeline(
                    FrozenEstimator(SeriesStandardScaler().fit(np.ones((1, 2, 25)))), learner()
                ),
            ),
        ]
    ),
    "search inside": lambda: make_pipeline(
        SeriesCenterer(), GridSearchCV(learner(), {"lr": [1e-7, 3e-2]}, cv=2)
    ),
    "search outside": lambda: GridSearchCV(
        make_pipeline(SeriesStandardScaler(), learner()),
        {"skorchclassifier__max_epochs": [10]},
        cv=2,
    ),
}


@pytest.fixture(scope="module")
def data():
    return raw_panel()


@pytest.fixture(scope="module")
def fitted(data):
    return make_pipeline(SeriesResampler(17), SeriesStandardScaler(), learner()).fit(*data)


@pytest.fixture
def folder(fitted, tmp_path):
    return save_model(fitted, tmp_path / "model")


@pytest.fixture(scope="module")
def path(fitted, data, tmp_path_factory):
    return to_onnx(fitted, tmp_path_factory.mktemp("onnx") / "model.onnx", data[0])


def same(found, pipeline, X, y):
    assert pipeline.score(X, y) > 0.9  # the recipe matters: without its steps it is .5
    np.testing.assert_allclose(found.predict_proba(X), pipeline.predict_proba(X), atol=1e-5)
    np.testing.assert_array_equal(found.predict(X), pipeline.predict(X))
    assert found.classes_.tolist() == pipeline.classes_.tolist()


# -- the same answers ------------------------------------------------------------------


QUICK = {"all, distilled", "of sktime", "nested", "search inside"}


@pytest.mark.parametrize(
    "name",
    [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in PIPELINES],
)
def test_files_answer_raw_series_as_the_pipeline_does(name, data, tmp_path):
    pipeline = PIPELINES[name]().fit(*data)
    X, y = raw_panel(30, seed=1)
    loaded = load_model(save_model(pipeline, tmp_path / "model"), device="cpu")
    same(loaded, pipeline, X, y)
    student = OnnxClassifier(to_onnx(pipeline, tmp_path / "model.onnx", X))
    same(student, pipeline, X, y)
    assert student.n_timepoints_ == 30
    if name == "of sktime":
        same(OnnxClassifier(to_onnx(loaded, tmp_path / "again.onnx", X)), pipeline, X, y)


def test_without_its_steps_the_classifier_guesses(fitted, data):
    assert fitted.score(*data) > 0.9
    assert fitted[-1].score(fitted[0].transform(data[0]), data[1]) < 0.7


def test_constant_series(fitted, path, folder):
    X = np.stack([np.full((2, 30), level) for level in (0, 0.1, 1e9 / 3)])
    expected = fitted.predict_proba(X)
    np.testing.assert_allclose(load_model(folder).predict_proba(X), expected, atol=1e-6)
    np.testing.assert_allclose(OnnxClassifier(path).predict_proba(X), expected, atol=1e-5)


def test_any_runtime_answers_raw_series(fitted, path, data):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (found,) = session.run(["probabilities"], {"X": data[0]})
    np.testing.assert_allclose(found, fitted.predict_proba(data[0]), atol=1e-5)
    assert path.stat().st_size < 12_000


def test_predicting_needs_numpy_and_onnxruntime_alone(path, fitted, data, tmp_path):
    np.save(tmp_path / "X.npy", data[0])
    code = """
import sys

class Forbid:
    def find_spec(self, name, *_):
        if name.split(".")[0] in ("torch", "sktime", "pandas", "sklearn", "scipy", "skorch"):
            raise ImportError(f"{name} is forbidden")

sys.meta_path.insert(0, Forbid())
import numpy as np
from sktime_tsd.runtime import OnnxClassifier

print(" ".join(OnnxClassifier(sys.argv[1]).predict(np.load(sys.argv[2]))))
"""
    arguments = [sys.executable, "-c", code, str(path), str(tmp_path / "X.npy")]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert done.stdout.split() == fitted.predict(data[0]).tolist()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda X: X[..., :17], "17 time points.*30"),
        (lambda X: X[:, :1], "1 channels"),
        (lambda X: X * np.nan, "NaN"),
        (lambda X: np.ma.masked_less(X, 0), "masked"),
    ],
)
def test_onnx_refuses_other_series(spoil, words, path, data):
    with pytest.raises(ValueError, match=words):
        OnnxClassifier(path).predict(spoil(data[0]))


def test_values_beyond_float32_are_answered_if_the_steps_scale_them(fitted, path, folder, data):
    X = data[0] * 1e38
    expected = fitted.predict_proba(X)
    np.testing.assert_allclose(expected, fitted.predict_proba(data[0]), atol=1e-4)
    np.testing.assert_allclose(OnnxClassifier(path).predict_proba(list(X)), expected, atol=1e-5)
    np.testing.assert_allclose(load_model(folder).predict_proba(X), expected, atol=1e-6)


def test_values_beyond_float32_are_refused_if_the_network_gets_them(data, tmp_path):
    pipeline = make_pipeline(SeriesCenterer(), learner()).fit(*data)
    student = OnnxClassifier(to_onnx(pipeline, tmp_path / "model.onnx"))
    for classifier in (pipeline, student):
        with pytest.raises(ValueError, match=r"float32|finite"):
            classifier.predict(data[0] * 1e40)


# -- with a network that reads float64 ----------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        lambda: make_pipeline(SeriesResampler(25), learner()),
        lambda: SeriesResampler(25) * distiller(),
    ],
)
def test_far_series_that_the_steps_leave_far(make, data, tmp_path):
    X, y = data
    X = X - X.mean(axis=2, keepdims=True) + 1e8
    pipeline = make().fit(X, y)
    loaded = load_model(save_model(pipeline, tmp_path / "model"), device="cpu")
    assert loaded[-1].network_.reads_float64
    same(loaded, pipeline, X, y)
    student = OnnxClassifier(to_onnx(pipeline, tmp_path / "model.onnx"))  # on random series, too
    assert student.input_dtype == np.float64
    same(student, pipeline, X, y)


@pytest.mark.parametrize("wrap", [FrozenEstimator, lambda fitted: fitted])
def test_a_pipeline_is_asked_in_float64_as_a_network(wrap, data):
    X, y = data
    for make in (make_pipeline, lambda step, last: step * last):
        fitted = make(SeriesCenterer(), learner()).fit(X, y)
        scorer = scorer_of(wrap(fitted))
        assert scorer.reads_float64
        assert scorer.is_network
        np.testing.assert_array_equal(scorer.probabilities(X), fitted.predict_proba(X))


# -- names of channels --------------------------------------------------------------------


def named(X, names=("acc", "gyr")):
    index = pd.MultiIndex.from_product([range(len(X)), range(X.shape[2])])
    return pd.DataFrame(X.swapaxes(1, 2).reshape(-1, 2), index=index, columns=names)


@pytest.mark.parametrize("name", ["center", "all, distilled", "of sktime"])
def test_names_of_channels_travel_with_the_steps(name, data, tmp_path):
    frame, y = named(data[0]), data[1]
    pipeline = PIPELINES[name]().fit(frame, y)
    expected, turned = pipeline.predict_proba(frame), frame[["gyr", "acc"]]
    loaded = load_model(save_model(pipeline, tmp_path / "model"), device="cpu")
    for classifier in (pipeline, loaded):
        np.testing.assert_allclose(classifier.predict_proba(turned), expected, atol=1e-6)
        with pytest.raises(ValueError, match="gyr"):
            classifier.predict(frame.rename(columns={"gyr": "mag"}))
    assert channel_names(loaded) == ("acc", "gyr")
    student = OnnxClassifier(to_onnx(pipeline, tmp_path / "model.onnx", turned))
    assert student.feature_names_in_.tolist() == ["acc", "gyr"]
    np.testing.assert_allclose(student.predict_proba(data[0]), expected, atol=1e-5)


@pytest.mark.parametrize("name", ["center", "scale"])
def test_reports_and_saliency_put_the_channels_of_a_pipeline_in_order(name, data):
    frame, y = named(data[0]), data[1]
    pipeline = PIPELINES[name]().fit(frame, y)
    turned = frame[["gyr", "acc"]]
    report = fidelity_report(
        pipeline, pipeline, turned, y, removal=False, latency=False, random_state=0
    )
    assert report["accuracy_student"] == pipeline.score(data[0], y) > 0.9
    found = temporal_saliency(pipeline, turned, random_state=0).values
    assert np.array_equal(found, temporal_saliency(pipeline, data[0], random_state=0).values)


def test_arrays_go_by_position_in_pipelines_of_sktime(data):
    X, y = data
    frame = named(X)
    for fitted_on in (frame, X):
        pipeline = PIPELINES["scale"]().fit(fitted_on, y)  # sktime names the channels of X
        expected = pipeline.predict_proba(X)
        np.testing.assert_array_equal(pipeline.predict_proba(frame), expected)
        report = fidelity_report(
            learner().fit(frame, y), pipeline, frame, removal=False, latency=False, random_state=0
        )
        assert 0 <= report["top_1_agreement"] <= 1


def test_other_steps_may_change_the_channels(data):
    frame, y = named(data[0]), data[1]
    pipeline = make_pipeline(SeriesCenterer(), FunctionTransformer(), learner()).fit(frame, y)
    assert channel_names(pipeline) is None
    assert channel_names(SeriesCenterer() * learner()) is None  # not fitted


def test_int8_of_the_whole_chain(data, tmp_path):
    network = SkorchClassifier("fcn", {"filters": (32, 48, 32)}, max_epochs=8, random_state=0)
    pipeline = make_pipeline(SeriesResampler(40), SeriesStandardScaler(), network).fit(*data)
    sizes = [
        to_onnx(pipeline, tmp_path / f"{int8}.onnx", data[0], int8=int8).stat().st_size
        for int8 in (False, True)
    ]
    assert sizes[1] < sizes[0]
    student = OnnxClassifier(tmp_path / "True.onnx")
    assert np.mean(student.predict(data[0]) == pipeline.predict(data[0])) >= 0.99


def test_series_of_several_lengths(data, tmp_path):
    X, y = data
    frames = [pd.DataFrame(x[:, : 20 + i % 5].T, columns=["p", "q"]) for i, x in enumerate(X)]
    pipeline = (SeriesCenterer() * SeriesResampler(20) * learner()).fit(frames, y)
    loaded = load_model(save_model(pipeline, tmp_path / "model"), device="cpu")
    np.testing.assert_allclose(
        loaded.predict_proba(frames), pipeline.predict_proba(frames), atol=1e-6
    )
    assert "any number of time points" in (tmp_path / "model" / "README.md").read_text()
    with pytest.raises(ValueError, match="X is needed"):
        to_onnx(pipeline, tmp_path / "model.onnx")
    student = OnnxClassifier(to_onnx(pipeline, tmp_path / "model.onnx", X[..., :24]))
    np.testing.assert_allclose(
        student.predict_proba(X[..., :24]), pipeline.predict_proba(X[..., :24]), atol=1e-5
    )


@pytest.mark.filterwarnings("ignore:only single label")
def test_a_pipeline_of_one_class(data, tmp_path):
    pipeline = make_pipeline(SeriesCenterer(), learner()).fit(data[0], np.zeros(40))
    loaded = load_model(save_model(pipeline, tmp_path / "model"))
    assert loaded.predict(data[0]).tolist() == [0] * 40


def test_the_card_names_the_steps(folder):
    card = (folder / "README.md").read_text()
    assert "`SeriesResampler(length=17)`, `SeriesStandardScaler()`" in card
    assert "2 channels of 30 time points" in card


# -- real series: the README's and the guide's recipes ---------------------------------


def test_a_recipe_on_real_series_reaches_production_with_its_score(gunpoint, tmp_path):
    X, y, X_test, y_test = gunpoint
    rng = np.random.default_rng(0)

    def in_other_units(X):  # GunPoint's own are standardised
        return X * rng.uniform(1, 50, (len(X), 1, 1)) + rng.normal(0, 1000, (len(X), 1, 1))

    X, X_test = in_other_units(X), in_other_units(X_test)
    clf = SaliencyDistilledClassifier(
        teacher=SkorchClassifier("fcn", {"filters": (16, 32, 16)}, max_epochs=40),
        student=SkorchClassifier("fcn", {"filters": (8, 16, 8)}, max_epochs=60),
        bank_size=10,
        random_state=0,
    )
    pipeline = make_pipeline(SeriesStandardScaler(), clf).fit(X, y)
    score = pipeline.score(X_test, y_test)
    assert score > 0.8
    assert clf.student_.score(X_test, y_test) < 0.7
    assert load_model(save_model(pipeline, tmp_path / "m")).score(X_test, y_test) == score
    student = OnnxClassifier(to_onnx(pipeline, tmp_path / "m.onnx", X))
    assert np.mean(student.predict(X_test) == y_test) == score

    report = fidelity_report(
        make_pipeline(pipeline[0], clf.teacher_),
        pipeline,
        X_test[:20],
        background=X,
        removal=False,
        latency=False,
        random_state=0,
    )
    assert report["top_1_agreement"] > 0.7


# -- reports ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["center", "scale", "all, distilled", "search inside"])
def test_reports_count_the_network_inside(name, data):
    X, y = data
    pipeline = PIPELINES[name]().fit(X, y)
    student = chain_of(pipeline).classifier
    student = getattr(student, "student_", student)
    report = fidelity_report(
        pipeline, pipeline, X, y, background=X, removal=False, latency=False, random_state=0
    )
    assert report["top_1_agreement"] == 1
    assert report["accuracy_student"] > 0.9  # of series in float64
    assert report["parameters_student"] == n_parameters(student.network_.network)


def test_bytes_leave_out_the_teacher(data):
    X, y = data
    clf = distiller().set_params(
        teacher=SkorchClassifier("fcn", {"filters": (64, 64, 64)}, max_epochs=1), random_state=0
    )
    for pipeline in (make_pipeline(SeriesCenterer(), clf.clone()), SeriesCenterer() * clf.clone()):
        report = fidelity_report(
            pipeline.fit(X, y), pipeline, X, removal=False, latency=False, random_state=0
        )
        assert report["bytes_student"] < 4 * n_parameters(
            chain_of(pipeline).classifier.teacher_.network_
        )


def test_saliency_of_a_pipeline(fitted, data):
    found = temporal_saliency(fitted, data[0][:4] % 1e3, random_state=0)
    assert found.values.shape[-1] == 30
    assert np.isfinite(found.values).all()


# -- what is refused -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "named"),
    [
        (FunctionTransformer(lambda X: X - X.mean()), r"functiontransformer.*FunctionTransformer"),
        (OwnCenterer(), "owncenterer.*OwnCenterer"),
        (make_pipeline(SeriesCenterer(), FunctionTransformer()), "functiontransformer"),
    ],
)
def test_steps_that_would_be_lost_are_named(step, named, data, tmp_path):
    pipeline = make_pipeline(step, learner()).fit(*data)
    for write in (save_model, to_onnx):
        with pytest.raises(TypeError, match=rf"{named}.*SeriesStandardScaler") as refused:
            write(pipeline, tmp_path / "model")
        assert "inside" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "step",
    [
        TabularToSeriesAdaptor(StandardScaler()),  # keeps a scaler for each series of `fit`
        adapted(with_mean=False),
        TabularToSeriesAdaptor(StandardScaler(), pooling="global"),
    ],
)
def test_steps_of_sktime_that_would_be_lost(step, data, tmp_path):
    pipeline = (step * learner()).fit(*data)
    with pytest.raises(TypeError, match="TabularToSeriesAdaptor"):
        save_model(pipeline, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda fitted: make_pipeline(SeriesCenterer(), learner()), NotFittedError, "fitted"),
        (lambda fitted: SeriesCenterer() * learner(), NotFittedError, "fitted"),
        (lambda fitted: make_pipeline(SeriesCenterer(), fitted[-1]), NotFittedError, "fitted"),
        (lambda fitted: OwnPipeline(fitted.steps), TypeError, "OwnPipeline"),
        (
            lambda fitted: make_pipeline(
                SeriesCenterer().fit(None), CalibratedClassifierCV(FrozenEstimator(fitted))
            ),
            TypeError,
            "CalibratedClassifierCV",
        ),
    ],
)
def test_other_pipelines_are_refused(make, error, words, fitted, tmp_path):
    with pytest.raises(Exception, match=words) as refused:
        save_model(make(fitted), tmp_path / "model")
    assert type(refused.value).__name__ == error.__name__
    assert "inside" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


# -- files that lie --------------------------------------------------------------------

CENTER, RESAMPLE = {"name": "SeriesCenterer"}, {"name": "SeriesResampler"}


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        (None, "steps"),
        ([], "steps"),
        ({"name": "SeriesCenterer"}, "steps"),
        ([CENTER] * 1000, "steps"),
        (["SeriesCenterer"], "SeriesCenterer"),
        ([{}], "name"),
        ([{"name": 3}], "name.*3"),
        ([{"name": "Imputer"}], "Imputer.*Upgrade"),
        ([{"name": "os.system"}], r"os\.system"),
        ([CENTER | {"length": 3}], "length"),
        ([RESAMPLE], "n_timepoints"),
        ([RESAMPLE | {"n_timepoints": None}], "length"),
        ([RESAMPLE | {"n_timepoints": 30, "length": 18}], "18.*17"),
        ([RESAMPLE | {"n_timepoints": 30, "length": 17.0}], "length.*17.0"),
        ([RESAMPLE | {"n_timepoints": 30, "length": True}], "length.*True"),
        ([RESAMPLE | {"n_timepoints": 0, "length": 17}], "n_timepoints.*0"),
        ([RESAMPLE | {"n_timepoints": 10**12, "length": 17}], "too large"),
        ([RESAMPLE | {"n_timepoints": 30, "length": 17, "code": "x"}], "code"),
        ([RESAMPLE | {"n_timepoints": n, "length": 17} for n in (30, 18)], "17.*18"),
        ([RESAMPLE | {"n_timepoints": 30, "length": 17}, CENTER], "answers"),
    ],
)
def test_steps_that_lie(steps, words, folder):
    change(folder, steps=steps)
    with pytest.raises(ModelFileError, match=words):
        load_model(folder)


described = st.fixed_dictionaries(
    {"name": st.sampled_from(["SeriesCenterer", "SeriesStandardScaler", "SeriesResampler"])},
    optional={"length": st.just(17) | values, "n_timepoints": st.just(30) | values},
)


@fuzz(60)
@given(st.lists(described | values, max_size=3) | values)
def test_any_steps_give_a_model_or_the_error(folder, data, steps):
    change(folder, steps=steps)
    try:
        loaded = load_model(folder)
    except ModelFileError:
        return
    assert np.isfinite(loaded.predict_proba(data[0][:2])).all()


def test_older_versions_say_that_they_are(folder, fitted, tmp_path):
    config = json.loads((folder / "config.json").read_text())
    assert config["format_version"] == 2
    assert config["steps"] == [
        {"name": "SeriesResampler", "length": 17, "n_timepoints": 30},
        {"name": "SeriesStandardScaler"},
    ]
    alone = save_model(fitted[-1], tmp_path / "alone")
    config = json.loads((alone / "config.json").read_text())
    assert config["format_version"] == 1
    assert "steps" not in config
    for version in (1, 3):
        change(folder, format_version=version)
        with pytest.raises(ModelFileError, match=r"steps|Upgrade"):
            load_model(folder)
