"""Students in ONNX files: the same answers from numpy and onnxruntime alone, or no file."""

import copy
import json
import pickle
import re
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
import torch
from sklearn.frozen import FrozenEstimator
from sktime.datasets import load_basic_motions
from torch import nn

from sktime_tsd import SaliencyDistilledClassifier, SkorchClassifier, fidelity_report, to_onnx
from sktime_tsd.datasets import make_planted_motifs
from sktime_tsd.export import _onnx
from sktime_tsd.networks import FCN, LSTM, InceptionTime, n_parameters
from sktime_tsd.runtime import ModelFileError, OnnxClassifier
from sktime_tsd.runtime._model_files import ONNX_KEY, onnx_metadata

NETWORKS = {
    "fcn": {"filters": (4, 6), "kernel_sizes": (8, 3)},
    "lstm": {"hidden_size": 5, "num_layers": 2},
    "inception_time": {"n_filters": 2, "depth": 3, "kernel_sizes": (12, 5)},
    "lite": {"n_filters": 2, "kernel_size": 12},
}


class Own(nn.Module):
    """A user's network."""

    def __init__(self, n_channels, n_timepoints, n_classes):
        super().__init__()
        self.recurrent = nn.GRU(n_channels, 4, batch_first=True, bidirectional=True)
        self.linear = nn.Linear(8, n_classes)

    def forward(self, x):
        return self.linear(self.recurrent(x.transpose(1, 2))[0].mean(dim=1))


class Linear(nn.Module):
    """Logits that others turn."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(12, 2)

    def forward(self, x):
        return self.linear(x.flatten(1))


class Counts(Linear):
    """Answers otherwise if a series comes alone."""

    def forward(self, x):
        logits = super().forward(x)
        return logits if len(x) > 1 else 2 * logits


class Random(nn.Module):
    """Gives other answers each time."""

    def forward(self, x):
        return x.mean(dim=(1, 2)).unsqueeze(1) * torch.randn(1, 2)


class Complex(nn.Module):
    """Uses what ONNX has no word for."""

    def forward(self, x):
        values = torch.linalg.eigvals(x[:, 0, :4, None] * x[:, 0, None, :4])
        return values.real[:, :2]


class Branching(Linear):
    """Goes another way for large values."""

    def forward(self, x):
        logits = super().forward(x)
        return logits if x.max() < 1e6 else -logits


class Whole(Linear):
    """Answers otherwise to a batch as a whole."""

    def __init__(self, of_the_batch):
        super().__init__()
        self.of_the_batch = of_the_batch

    def forward(self, x):
        logits = super().forward(x)
        if self.of_the_batch == "rounded":
            return -logits if torch.equal(x, x.round()) else logits
        return -logits if x.shape[0] == 22 else logits


@pytest.fixture(scope="module")
def data():
    X, y, _ = make_planted_motifs(n_instances=24, n_channels=2, n_timepoints=30, random_state=0)
    return X * 3 + 100, np.array(["left", "right"])[y]


def fit(data, network):
    clf = SkorchClassifier(network, NETWORKS.get(network), max_epochs=3, random_state=0)
    return clf.fit(*data)


@pytest.fixture(scope="module")
def fitted(data):
    return fit(data, "fcn")


@pytest.fixture(scope="module")
def exported(fitted, data, tmp_path_factory):
    """A file, and the weights and torch's generator before and after it was written."""

    def state():
        weights = {name: value.clone() for name, value in fitted.network_.state_dict().items()}
        return {"generator": torch.get_rng_state(), **weights}

    torch.manual_seed(3)
    before = state()
    path = to_onnx(fitted, tmp_path_factory.mktemp("onnx") / "student.onnx", data[0])
    return path, before, state()


@pytest.fixture(scope="module")
def path(exported):
    return exported[0]


def same(onnx_classifier, clf, X, passed=None):
    """The same answers; `passed` are the series in another form."""
    passed = X if passed is None else passed
    assert onnx_classifier.classes_.dtype == clf.classes_.dtype
    probabilities = onnx_classifier.predict_proba(passed)
    assert probabilities.dtype == np.float64
    np.testing.assert_allclose(probabilities, clf.predict_proba(X), atol=1e-5)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-12)
    np.testing.assert_array_equal(onnx_classifier.predict(passed), clf.predict(X))
    assert onnx_classifier.predict(passed).dtype == clf.predict(X).dtype


# -- the same answers ------------------------------------------------------------------


# of FCNs the file of `path` is one
@pytest.mark.parametrize(
    "network",
    [
        "lstm",
        *(pytest.param(n, marks=pytest.mark.slow) for n in ("fcn", "inception_time", "lite", Own)),
    ],
)
def test_any_network_and_any_number_of_series(network, data, tmp_path):
    clf = fit(data, network)
    student = OnnxClassifier(to_onnx(clf, tmp_path / "student.onnx"))
    rng = np.random.default_rng(0)
    for n in (1, 2, 3, 100):
        same(student, clf, 100 + 3 * rng.normal(size=(n, 2, 30)))
    same(student, clf, data[0])


@pytest.mark.slow
def test_real_series_and_the_student_of_a_distilled_classifier(tmp_path):
    X, y = load_basic_motions(split="train", return_type="numpy3D")
    X_test, _ = load_basic_motions(split="test", return_type="numpy3D")
    small = SkorchClassifier("fcn", NETWORKS["fcn"], max_epochs=5)
    clf = SaliencyDistilledClassifier(small, small, n_windows=2, random_state=0).fit(X, y)
    student = OnnxClassifier(to_onnx(clf, tmp_path / "student.onnx", X_test))
    same(student, clf, X_test)


def test_series_of_several_batches_get_the_answers_of_a_few(path):
    X = 100 + 3 * np.random.default_rng(0).normal(size=(2500, 2, 30))  # 2**16 values in a batch
    student = OnnxClassifier(path)
    few = [student.predict_proba(part) for part in np.array_split(X, 9)]
    np.testing.assert_allclose(student.predict_proba(X), np.concatenate(few), atol=1e-6)


def test_series_of_one_channel_may_be_rows(tmp_path):
    clf = SkorchClassifier.from_module(FCN(1, 12, 3, (4,), (3,)), [3, 1, 2], input_shape=(1, 12))
    student = OnnxClassifier(to_onnx(clf, tmp_path / "student.onnx"))
    X = np.random.default_rng(0).normal(size=(5, 12))
    same(student, clf, X)
    np.testing.assert_array_equal(student.predict_proba(X), student.predict_proba(X[:, None]))


def test_the_older_exporter_where_the_newer_fails(fitted, data, tmp_path, monkeypatch):
    def fails(*arguments):
        raise RuntimeError("no such operator")

    monkeypatch.setattr(_onnx, "_export_program", fails)
    same(OnnxClassifier(to_onnx(fitted, tmp_path / "student.onnx")), fitted, data[0])


def test_exporting_changes_nothing(exported):
    _, before, after = exported
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_files_are_small_and_say_nothing_of_the_machine(path):
    content = path.read_bytes()
    assert len(content) < 12_000
    assert b"site-packages" not in content
    assert b"/sktime_tsd" not in content


def test_a_report_has_the_size_of_the_file(path, fitted, data):
    X, y = data
    student = OnnxClassifier(path)
    assert student.n_parameters_ == n_parameters(fitted.network_)
    options = {"n_resamples": 0, "max_saliency_instances": 0, "latency": False}
    for given in (student, FrozenEstimator(student)):
        report = fidelity_report(fitted, given, X, y, **options)
        assert report["parameters_student"] == report["parameters_teacher"] > 0
        assert report["bytes_student"] == path.stat().st_size


def test_files_of_version_0_1_do_not_say_how_many_weights(path, fitted, data, tmp_path):
    old = rewritten(path, tmp_path, lambda model, metadata: metadata.pop("n_parameters"))
    assert OnnxClassifier(old).n_parameters_ is None
    same(OnnxClassifier(old), fitted, data[0])


def test_sessions_survive_a_pickle(path, fitted, data):
    same(pickle.loads(pickle.dumps(OnnxClassifier(path, n_threads=2))), fitted, data[0])
    assert repr(OnnxClassifier(path)) == f"OnnxClassifier({str(path)!r}, n_threads=1)"


def test_threads_share_a_session(path, data):
    student = OnnxClassifier(path)
    X = data[0]
    expected = student.predict_proba(X)
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda i: student.predict_proba(X[i % 24 : i % 24 + 1]), range(2000))
    for i, probabilities in enumerate(found):
        np.testing.assert_allclose(probabilities[0], expected[i % 24], atol=1e-6)


def test_predicting_imports_neither_torch_nor_sktime_nor_pandas(path, fitted, data, tmp_path):
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

student = OnnxClassifier(sys.argv[1], n_threads=2)
X = np.load(sys.argv[2])
print(" ".join(student.predict(X)))
try:
    student.predict(X[:, :1])
except ValueError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(path), str(tmp_path / "X.npy")],
        capture_output=True,
        text=True,
        check=True,
    )
    labels, error = done.stdout.splitlines()
    assert labels.split() == fitted.predict(data[0]).tolist()
    assert "1 channels per series" in error


# -- the same errors -------------------------------------------------------------------


@pytest.mark.parametrize(
    "spoil",
    [
        lambda X: X[:, :1],
        lambda X: X[..., :-1],
        lambda X: X[0, 0],
        lambda X: X[None],
        lambda X: X[:0],
        lambda X: np.where(X[3, 1, 4] == X, np.nan, X),
        lambda X: np.where(X[3, 1, 4] == X, -np.inf, X),
        lambda X: X * 1e38,
        lambda X: X.astype(complex),
        lambda X: X.astype(str),
        lambda X: X[:, 0],
    ],
)
def test_wrong_series_are_refused_in_the_words_of_the_estimator(spoil, path, fitted, data):
    X = spoil(data[0])
    with pytest.raises((ValueError, TypeError)) as expected:
        fitted.predict(X)
    for method in ("predict", "predict_proba"):
        with pytest.raises(expected.type) as found:
            getattr(OnnxClassifier(path), method)(X)
        assert str(found.value) == str(expected.value)


def test_lists_and_single_series(path, fitted, data):
    student, X = OnnxClassifier(path), data[0]
    of_objects = np.empty(len(X), dtype=object)
    of_objects[:] = list(X)
    for whole in (list(X), tuple(X), X.tolist(), [x.tolist() for x in X], of_objects):
        same(student, fitted, X, whole)
    for single in (X[3], X[3].tolist(), list(X[3]), X[3:4], [X[3]]):
        same(student, fitted, X[3:4], single)
    with pytest.raises(ValueError, match="unequal length"):
        student.predict([X[0], X[1][:, :-1]])
    with pytest.raises(TypeError, match=r"numpy\.asarray\(X\)"):
        student.predict(torch.from_numpy(X))
    with pytest.raises(TypeError, match="DataFrame"):
        student.predict(pd.DataFrame(X[:, 0]))


def test_a_single_series_of_one_channel(data, tmp_path):
    clf = SkorchClassifier.from_module(FCN(1, 30, 2), ["a", "b"], input_shape=(1, 30))
    student = OnnxClassifier(to_onnx(clf, tmp_path / "student.onnx"))
    series = np.random.default_rng(0).normal(size=30)
    for single in (series, series.tolist(), series[None], series[None, None]):
        same(student, clf, series[None, None], single)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_relative_path_survives(copied, path, fitted, data, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    here = tmp_path / "here" / "student.onnx"
    here.write_bytes(path.read_bytes())
    monkeypatch.chdir(tmp_path)
    student = OnnxClassifier("here/student.onnx")
    assert student.path == here
    monkeypatch.chdir("/")
    same(pickle.loads(pickle.dumps(student)), fitted, data[0])
    here.unlink()
    same(copied(student), fitted, data[0])  # nothing is read again


@pytest.mark.parametrize("n_threads", [0, -1, 1.5, True, "2", None, 2**40])
def test_wrong_numbers_of_threads(n_threads, path):
    with pytest.raises(ValueError, match=rf"n_threads.*{n_threads}"):
        OnnxClassifier(path, n_threads=n_threads)


def test_onnxruntime_missing(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ImportError, match="install onnxruntime"):
        OnnxClassifier(path)


# -- files that are not what they should be --------------------------------------------


def test_missing_and_damaged_files(path, tmp_path):
    with pytest.raises(ModelFileError, match=r"none\.onnx"):
        OnnxClassifier(tmp_path / "none.onnx")
    with pytest.raises(ModelFileError, match=re.escape(str(tmp_path))):
        OnnxClassifier(tmp_path)
    content = path.read_bytes()
    damaged = tmp_path / "damaged.onnx"
    for n_bytes in (0, 1, 100, len(content) // 2, len(content) - 1):
        damaged.write_bytes(content[:n_bytes])
        with pytest.raises(ModelFileError):
            OnnxClassifier(damaged)


def rewritten(path, tmp_path, edit):
    model = onnx.load(path)
    metadata = json.loads(model.metadata_props[0].value)
    edit(model, metadata)
    if model.metadata_props:
        model.metadata_props[0].value = json.dumps(metadata)
    onnx.save(model, tmp_path / "rewritten.onnx")
    return tmp_path / "rewritten.onnx"


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda model, metadata: model.ClearField("metadata_props"), "sktime_tsd"),
        (lambda model, metadata: metadata.update(format_version=3), "Upgrade"),
        (lambda model, metadata: metadata.update(format_version="1"), "format_version"),
        (lambda model, metadata: metadata.update(n_channels=3), "metadata"),
        (lambda model, metadata: metadata.update(n_timepoints=-1), "n_timepoints"),
        (lambda model, metadata: metadata.pop("n_timepoints"), "n_timepoints"),
        (lambda model, metadata: metadata["classes"]["labels"].append("up"), "metadata"),
        (lambda model, metadata: metadata["classes"].update(dtype="int64"), "labels"),
        (lambda model, metadata: metadata.pop("classes"), "classes"),
    ],
)
def test_metadata_that_lie(edit, words, path, tmp_path):
    with pytest.raises(ModelFileError, match=words):
        OnnxClassifier(rewritten(path, tmp_path, edit))


def test_metadata_that_are_no_json(path, tmp_path):
    model = onnx.load(path)
    for text in ("", "[]", "{", "[" * 100_000):
        model.metadata_props[0].value = text
        onnx.save(model, tmp_path / "rewritten.onnx")
        with pytest.raises(ModelFileError, match="metadata"):
            OnnxClassifier(tmp_path / "rewritten.onnx")


def test_networks_of_others_have_no_labels(tmp_path):
    graph = onnx.parser.parse_graph("other (float[N, 3] X) => (float[N, 3] Y) { Y = Relu(X) }")
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 20)])
    model.ir_version = 10
    onnx.save(model, tmp_path / "other.onnx")
    with pytest.raises(ModelFileError, match="sktime_tsd"):
        OnnxClassifier(tmp_path / "other.onnx")


@pytest.mark.parametrize(
    "graph",
    [
        "g (int64[n, 2, 3] X) => (float[n, 2] probabilities) { Y = Cast<to = 1>(X) "
        "Z = ReduceSum<keepdims = 0>(Y, a) probabilities = Softmax(Z) }",
        "g (float[n, 2, 3] X) => (float[n, 2] probabilities) "
        "{ Y = ReduceMax<keepdims = 0>(X, a) probabilities = Log(Y) }",
    ],
)
def test_files_that_give_no_probabilities(graph, tmp_path):
    model = onnx.helper.make_model(
        onnx.parser.parse_graph(graph), opset_imports=[onnx.helper.make_opsetid("", 20)]
    )
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array([2]), "a"))
    model.ir_version = 10
    metadata = onnx_metadata(np.array([0, 1]), 2, 3)
    onnx.helper.set_model_props(model, {ONNX_KEY: json.dumps(metadata)})
    onnx.save(model, tmp_path / "other.onnx")
    with pytest.raises(ModelFileError, match=r"other\.onnx"):
        OnnxClassifier(tmp_path / "other.onnx")


# -- what is not exported --------------------------------------------------------------


@pytest.mark.parametrize(
    "module", [Random(), *(pytest.param(m, marks=pytest.mark.slow) for m in (Complex(), Counts()))]
)
def test_a_file_with_other_answers_is_not_kept(module, tmp_path):
    clf = SkorchClassifier.from_module(module, [0, 1], input_shape=(1, 12))
    with pytest.raises(RuntimeError, match="export"):
        to_onnx(clf, tmp_path / "student.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_network_that_decides_by_its_series_is_warned_of(tmp_path, capfd):
    clf = SkorchClassifier.from_module(Branching(), [0, 1], input_shape=(1, 12))
    with pytest.warns(UserWarning, match=r"torch\.where") as said:
        to_onnx(clf, tmp_path / "student.onnx")
    assert len(said) == 1
    assert said[0].filename == __file__
    assert capfd.readouterr() == ("", "")
    rare = np.full((1, 1, 12), 1e7)
    with pytest.raises(RuntimeError, match="export"):
        to_onnx(clf, tmp_path / "other.onnx", rare)


@pytest.mark.parametrize("of_the_batch", ["rounded", pytest.param("large", marks=pytest.mark.slow)])
def test_series_that_are_given_are_compared_by_themselves(of_the_batch, tmp_path):
    clf = SkorchClassifier.from_module(Whole(of_the_batch), [0, 1], input_shape=(1, 12))
    X = np.arange(264.0).reshape(22, 1, 12)
    with pytest.raises(RuntimeError, match="export"):
        to_onnx(clf, tmp_path / "student.onnx", X)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_stays_unless_told(path, fitted, tmp_path, monkeypatch):
    there = tmp_path / "student.onnx"
    there.write_text("years of work")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        to_onnx(fitted, there)
    with pytest.raises(FileNotFoundError, match="no"):
        to_onnx(fitted, tmp_path / "no" / "student.onnx")
    with pytest.raises(FileExistsError, match="folder"):
        to_onnx(fitted, tmp_path, overwrite=True)
    with monkeypatch.context() as forbidden:

        def touch(path):
            raise PermissionError(f"Permission denied: {path}")

        forbidden.setattr("pathlib.Path.touch", touch)
        with pytest.raises(PermissionError, match="Permission denied"):
            to_onnx(fitted, tmp_path / "other.onnx")
    assert there.read_text() == "years of work"
    to_onnx(fitted, there, overwrite=True)
    assert OnnxClassifier(there).classes_.tolist() == ["left", "right"]


@pytest.mark.parametrize(
    ("X", "words"),
    [(np.zeros((3, 2, 31)), "31 time points"), (np.full((3, 2, 30), np.nan), "NaN")],
)
def test_wrong_series_to_compare_on(X, words, fitted, tmp_path):
    with pytest.raises(ValueError, match=words):
        to_onnx(fitted, tmp_path / "student.onnx", X)


def test_a_shape_that_is_not_known(tmp_path):
    clf = SkorchClassifier.from_module(LSTM(1, 12, 2, 4, 1), [0, 1])
    with pytest.raises(ValueError, match="input_shape"):
        to_onnx(clf, tmp_path / "student.onnx")


@pytest.mark.filterwarnings("ignore:.*only single label")
def test_a_single_class_has_no_network(data, tmp_path):
    clf = SkorchClassifier().fit(data[0], np.zeros(24, dtype=int))
    with pytest.raises(ValueError, match="no network"):
        to_onnx(clf, tmp_path / "student.onnx")


# -- 8 bits ----------------------------------------------------------------------------


@pytest.mark.slow
def test_eight_bits_where_they_pay(data, tmp_path):
    y = data[1]
    X = data[0] - 100 + 20 * (y == "left")[:, np.newaxis, np.newaxis]  # no answer is a close one
    params = {"hidden_size": 100, "num_layers": 1}
    clf = SkorchClassifier("lstm", params, max_epochs=15, random_state=0, device="cpu").fit(X, y)
    assert (clf.predict(X) == y).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        small = to_onnx(clf, tmp_path / "small.onnx", X, int8=True)
    assert small.stat().st_size < 4 * n_parameters(clf.network_) / 3
    assert (OnnxClassifier(small).predict(X) == y).all()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["small.onnx"]


def test_eight_bits_where_the_file_would_grow(fitted, data, path, tmp_path):
    with pytest.warns(UserWarning, match=r"32 bits.* bytes"):
        kept = to_onnx(fitted, tmp_path / "student.onnx", data[0], int8=True)
    assert kept.read_bytes() == path.read_bytes()


@pytest.mark.slow
def test_eight_bits_where_answers_would_change(data, tmp_path, monkeypatch):
    module = InceptionTime(2, 30, 2, n_filters=16, depth=3)
    clf = SkorchClassifier.from_module(module, ["left", "right"], input_shape=(2, 30))
    monkeypatch.setattr("sktime_tsd.export._quantize._LEAST_AGREEMENT", 1.01)
    with pytest.warns(UserWarning, match=r"answers|onnxruntime"):
        to_onnx(clf, tmp_path / "student.onnx", data[0], int8=True)
    same(OnnxClassifier(tmp_path / "student.onnx"), clf, data[0])


def test_eight_bits_need_series(fitted, tmp_path):
    with pytest.raises(ValueError, match=r"int8.* X"):
        to_onnx(fitted, tmp_path / "student.onnx", int8=True)


def test_one_thread_is_the_default(path, monkeypatch):
    seen = []
    session = onnxruntime.InferenceSession
    monkeypatch.setattr(
        onnxruntime, "InferenceSession", lambda *a, **k: seen.append(a[1]) or session(*a, **k)
    )
    OnnxClassifier(path)
    OnnxClassifier(path, n_threads=np.int64(3))
    assert [options.intra_op_num_threads for options in seen] == [1, 3]
