"""Series that float32 cannot tell apart, by their level or scale, and answers that overflow."""

import json
import pickle

import numpy as np
import onnx
import pytest
import torch
from helpers import distiller, flat, learner, lstm, random_panel
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from sktime_tsd import (
    SkorchClassifier,
    fidelity_report,
    load_model,
    save_model,
    temporal_saliency,
    to_onnx,
)
from sktime_tsd._panels.precision import float32_loses
from sktime_tsd.losses import FitNets
from sktime_tsd.networks import FCN, channel_statistics
from sktime_tsd.perturbations import GaussianNoise, LinearInterpolation
from sktime_tsd.runtime import ModelFileError, OnnxClassifier
from sktime_tsd.runtime._model_files import ONNX_KEY, onnx_metadata

X, Y = random_panel(40, n_channels=2)
X_TEST, Y_TEST = random_panel(30, n_channels=2, seed=1)
FAR = 1e8

CHANGES = {
    "level": lambda X: X + FAR,
    "negative level": lambda X: X - 1e10,
    "level of one channel": lambda X: X + np.array([1e9, 0.0])[:, None],
    "tiny": lambda X: X * 1e-30,
    "below float32": lambda X: X * 1e-50,
    "beyond float32": lambda X: X * 1e200,
    "nanoseconds": lambda X: np.round(X * 1e3).astype(np.int64) + 10**15,
    "level and scale": lambda X: X * 1e-20 + 1e-10,
}
makers = pytest.mark.parametrize("make", [learner, distiller], ids=["network", "distiller"])
changes = pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)


@makers
@changes
def test_level_and_scale_do_not_matter(make, change):
    expected = make().fit(X, Y)
    found = make().fit(change(X), Y)
    assert found.score(change(X_TEST), Y_TEST) == expected.score(X_TEST, Y_TEST) > 0.9
    np.testing.assert_allclose(
        found.predict_proba(change(X_TEST)), expected.predict_proba(X_TEST), atol=0.03
    )
    logits = torch.from_numpy(found.predict_logits(change(X_TEST))).double().softmax(dim=1)
    np.testing.assert_allclose(found.predict_proba(change(X_TEST)), logits, atol=1e-6)


ORDINARY = {
    "as they are": X,
    "a level": X + 1e3,
    "a large level": X + 1e4,
    "small": X * 1e-15,
    "float32": (X + FAR).astype(np.float32),
    "constant": np.full_like(X, 1e9),
    "constant but for rounding": np.full_like(X, 0.1) * (1 + 1e-16 * np.sign(X)),
    "an outlier": np.where(np.arange(40)[:, None, None] == 3, 1e30, X),
}


@pytest.mark.parametrize("series", ORDINARY.values(), ids=ORDINARY)
def test_ordinary_series_stay_in_float32(series):
    assert float32_loses(series) is None
    clf = learner(max_epochs=1).fit(series, Y)
    assert clf.network_.mean.dtype == torch.float32


@pytest.mark.parametrize("make", [lstm, learner])
def test_networks_of_all_kinds_read_them(make):
    clf = make(max_epochs=20, lr=3e-2, random_state=0).fit(X + FAR, Y)
    assert clf.score(X_TEST + FAR, Y_TEST) > 0.9


@pytest.mark.parametrize(
    "params",
    [
        {"distillation": [FitNets()]},
        {"perturbation": GaussianNoise()},
        {"perturbation": LinearInterpolation()},
        {"student": learner(validation_fraction=0.25)},
        {"teacher": flat(StandardScaler(), LogisticRegression())},
        {"teacher": FrozenEstimator(learner().fit(X + FAR, Y))},
    ],
    ids=["features", "noise", "line", "validation", "pipeline", "frozen"],
)
def test_distilling_them(params):
    clf = distiller().set_params(**params).fit(X + FAR, Y)
    assert clf.score(X_TEST + FAR, Y_TEST) > 0.9


def test_unlabelled_series_and_a_cache(tmp_path):
    clf = distiller(memory=str(tmp_path)).fit(X + FAR, Y, X_unlabelled=X_TEST + FAR)
    assert clf.score(X_TEST + FAR, Y_TEST) > 0.9
    again = distiller(memory=str(tmp_path)).fit(X + FAR, Y, X_unlabelled=X_TEST + FAR)
    np.testing.assert_array_equal(again.predict_proba(X + FAR), clf.predict_proba(X + FAR))


@pytest.mark.parametrize("per_channel", [False, True])
def test_saliency_is_that_of_series_near_zero(per_channel):
    options = {"per_channel": per_channel, "random_state": 0}
    clf = learner().fit(X + FAR, Y)
    far = temporal_saliency(clf, X_TEST[:5] + FAR, background=(X + FAR, Y), **options)
    near = temporal_saliency(learner().fit(X, Y), X_TEST[:5], background=(X, Y), **options)
    np.testing.assert_allclose(far.values, near.values, atol=0.1 * near.values.max())


def test_other_classifiers_get_copies_that_they_can_tell_apart():
    options = {"latency": False, "n_resamples": 0, "max_saliency_instances": 4, "random_state": 0}
    reports = []
    for level in (0.0, FAR):
        clf = flat(StandardScaler(), LogisticRegression()).fit(X + level, Y)
        background = X + level, Y
        report = fidelity_report(clf, clf, X_TEST + level, Y_TEST, background=background, **options)
        reports.append(report.teacher_saliency.values)
    np.testing.assert_allclose(reports[1], reports[0], atol=1e-5)


def test_files_hold_level_and_scale(tmp_path):
    clf = learner().fit(X + FAR, Y)
    expected = clf.predict_proba(X_TEST + FAR)
    loaded = load_model(save_model(clf, tmp_path / "model"))
    np.testing.assert_array_equal(loaded.predict_proba(X_TEST + FAR), expected)
    again = pickle.loads(pickle.dumps(clf))
    np.testing.assert_array_equal(again.predict_proba(X_TEST + FAR), expected)
    path = to_onnx(clf, tmp_path / "far.onnx", X_TEST + FAR)
    found = OnnxClassifier(path).predict_proba(X_TEST + FAR)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    # any runtime is told: float64 is what the graph itself reads
    (given,) = onnx.load(path).graph.input
    assert given.type.tensor_type.elem_type == onnx.TensorProto.DOUBLE
    (given,) = onnx.load(to_onnx(learner().fit(X, Y), tmp_path / "near.onnx")).graph.input
    assert given.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    # as teachers, too
    clf = distiller().set_params(teacher=OnnxClassifier(path)).fit(X + FAR, Y)
    assert clf.score(X_TEST + FAR, Y_TEST) > 0.9
    near = OnnxClassifier(tmp_path / "near.onnx")
    with pytest.raises(ValueError, match="float32"):
        distiller().set_params(teacher=near).fit(X + FAR, Y)


def test_networks_in_former_pickles_read_float32():
    network = learner().fit(X, Y).network_
    expected = network(torch.zeros(1, 2, 20))
    del network.__dict__["reads_float64"]
    assert not network.reads_float64
    assert torch.equal(network(torch.zeros(1, 2, 20)), expected)


def test_statistics_of_float64():
    x = torch.tensor(
        [[[1e200, 3e200], [7.0, 7.0], [1e-200, 3e-200], [1e9, 1e9 + 2]]], dtype=torch.float64
    )
    mean, std = channel_statistics(x)
    np.testing.assert_allclose(mean[:, 0], [2e200, 7, 2e-200, 1e9 + 1])
    np.testing.assert_allclose(std[:, 0], [1e200, 1, 1e-200, 1])


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@makers
def test_far_series_on_a_gpu(make):
    clf = make().set_params(device="cuda").fit(X + FAR, Y)
    assert clf.score(X_TEST + FAR, Y_TEST) > 0.9


# -- what float32 cannot hold is refused -----------------------------------------------


@pytest.mark.parametrize(
    "clf",
    [learner(scale_inputs=False), distiller().set_params(student=learner(scale_inputs=False))],
    ids=["network", "student"],
)
def test_without_scaling_they_are_refused(clf):
    with pytest.raises(ValueError, match=r"channel 0.*float32.*scale_inputs=False.*X\.mean"):
        clf.fit(X + FAR, Y)
    assert clf.fit(X, Y).is_fitted


GIVEN = {
    "module": FCN(2, 20, 2),
    "from_module": FrozenEstimator(SkorchClassifier.from_module(FCN(2, 20, 2), np.unique(Y))),
    "fitted on others": FrozenEstimator(learner().fit(X, Y)),
}


@pytest.mark.parametrize("teacher", GIVEN.values(), ids=GIVEN)
def test_a_teacher_that_receives_float32_is_refused(teacher):
    with pytest.raises(ValueError, match=r"float32.*teacher FCN.*X\.mean"):
        distiller().set_params(teacher=teacher).fit(X + FAR, Y)


def test_a_module_receives_the_series_as_passed_in_float32():
    class Recording(FCN):
        seen = []

        def forward(self, x):
            self.seen.append(x)
            return super().forward(x)

    distiller().set_params(teacher=Recording(2, 20, 2)).fit(X, Y)
    assert all(x.dtype == torch.float32 for x in Recording.seen)
    expected = torch.from_numpy(X.astype(np.float32))
    trial = expected[:2].flip(0)  # in another order than among the rest
    assert any(len(x) == 2 and torch.equal(x, trial) for x in Recording.seen)


def test_an_unfitted_teacher_gets_the_series_as_passed():
    seen = []

    class Forest(RandomForestClassifier):
        def fit(self, X, y):
            seen.append(X.copy())
            return super().fit(X, y)

    distiller().set_params(teacher=flat(Forest(5))).fit(X, Y)
    assert seen[0].dtype == np.float64
    np.testing.assert_array_equal(seen[0], X.reshape(40, -1))


# -- answers are finite ----------------------------------------------------------------


def overflowing():
    return np.where(np.arange(30)[:, None, None] == 4, 3e38 * np.sign(X_TEST), X_TEST)


@makers
def test_finite_series_give_finite_answers_or_an_error(make, tmp_path):
    clf = make().fit(X, Y)
    said = r"no finite answer for 1 of 30 series .*series 4\b.*3e\+38.*rescale"
    for method in ("predict", "predict_proba", "predict_logits"):
        with pytest.raises(ValueError, match=said):
            getattr(clf, method)(overflowing())
    path = to_onnx(clf, tmp_path / "model.onnx")
    for method in ("predict", "predict_proba"):
        with pytest.raises(ValueError, match=said):
            getattr(OnnxClassifier(path), method)(overflowing())


def test_far_series_that_overflow():
    clf = learner().fit(X + FAR, Y)
    far = X_TEST + FAR
    far[4] *= 1e50
    with pytest.raises(ValueError, match=r"no finite answer for 1 of 30 .*series 4\b"):
        clf.predict(far)


def crafted(graph, tmp_path):
    model = onnx.helper.make_model(
        onnx.parser.parse_graph(graph), opset_imports=[onnx.helper.make_opsetid("", 20)]
    )
    constants = {"a": [2], "first": [0], "two": [2], "zero": [0]}
    for name, value in constants.items():
        model.graph.initializer.append(onnx.numpy_helper.from_array(np.array(value), name))
    model.ir_version = 10
    metadata = onnx_metadata(np.array([0, 1]), 2, 3)
    onnx.helper.set_model_props(model, {ONNX_KEY: json.dumps(metadata)})
    onnx.save(model, tmp_path / "crafted.onnx")
    return OnnxClassifier(tmp_path / "crafted.onnx")


def test_a_file_that_answers_for_two_series_alone(tmp_path):
    graph = (
        "g (float[n, 2, 3] X) => (float[m, 2] probabilities) "
        "{ P = ReduceSum<keepdims = 0>(X, a) Q = Softmax(P) "
        "probabilities = Slice(Q, first, two, zero) }"
    )
    clf = crafted(graph, tmp_path)
    assert clf.predict_proba(np.zeros((2, 2, 3))).shape == (2, 2)
    with pytest.raises(ModelFileError, match=r"\(2, 2\) for 20 series"):
        clf.predict(np.zeros((20, 2, 3)))


def test_a_file_whose_answers_are_no_probabilities_everywhere(tmp_path):
    graph = (
        "g (float[n, 2, 3] X) => (float[n, 2] probabilities) "
        "{ P = ReduceSum<keepdims = 0>(X, a) Q = Softmax(P) probabilities = Add(Q, P) }"
    )
    clf = crafted(graph, tmp_path)
    with pytest.raises(ModelFileError, match="no probabilities"):
        clf.predict(np.ones((3, 2, 3)))


def test_onnx_reads_lists_of_arrays_and_refuses_masked_values(tmp_path):
    clf = learner().fit(X, Y)
    student = OnnxClassifier(to_onnx(clf, tmp_path / "model.onnx"))
    expected = student.predict_proba(X_TEST)
    np.testing.assert_array_equal(student.predict_proba(list(X_TEST)), expected)
    np.testing.assert_array_equal(student.predict_proba([X_TEST[0]]), expected[:1])
    masked = np.ma.array(X_TEST, mask=X_TEST > 3)
    assert masked.mask.any()
    for panel in (masked, list(masked)):
        with pytest.raises(ValueError, match="masked"):
            student.predict(panel)
        with pytest.raises(ValueError, match="masked"):
            clf.predict(panel)
