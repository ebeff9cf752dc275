"""Students as files without pickles: what is saved is what is loaded, or an error says why not."""

import hashlib
import json
import os
import pickle
import re
import shutil
import struct

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from torch import nn

from sktime_tsd import (
    SaliencyDistilledClassifier,
    SkorchClassifier,
    fidelity_report,
    load_model,
    save_model,
)
from sktime_tsd.datasets import make_planted_motifs
from sktime_tsd.export import ModelFileError
from sktime_tsd.networks import FCN, LSTM, InceptionTime
from sktime_tsd.runtime._model_files import classes_from_json, classes_to_json

NETWORKS = {
    "fcn": {"filters": (4, 6), "kernel_sizes": (5, 3)},
    "lstm": {"hidden_size": 5, "num_layers": 2},
    "inception_time": {"n_filters": 2, "depth": 3, "kernel_sizes": (12, 5)},
    "lite": {"n_filters": 2, "kernel_size": 12},
}
FILES = ["README.md", "config.json", "model.safetensors"]
LABELS = {
    "str": np.array(["left", "straight", "right"]),
    "object": np.array(["left", "straight", "right"], dtype=object),
    "int64": np.array([-3, 7, 2**40]),
    "uint8": np.array([1, 2, 255], dtype=np.uint8),
    "float32": np.array([-1.0, 0.0, 2.0], dtype=np.float32),
    "float64": np.array([1.0, 3.0, 2.0**60]),
}


class Own(nn.Module):
    """A user's network, with a setting of each kind."""

    def __init__(self, n_channels, n_timepoints, n_classes, *, sizes=(3,), options=None):
        super().__init__()
        assert isinstance(sizes, tuple)
        assert options in (None, {"scale": [1.5, "big"]})
        self.hidden = nn.Linear(n_channels * n_timepoints, sizes[0])
        self.tied = self.hidden  # shares its memory, as tied weights do
        self.linear = nn.Linear(sizes[0], n_classes)

    def forward(self, x):
        return self.linear(torch.tanh(self.hidden(x.flatten(1))))


class Relu(Own):
    """Has the same weights, and other answers."""

    def forward(self, x):
        return self.linear(torch.relu(self.hidden(x.flatten(1))))


class Stubborn(SkorchClassifier):
    """Answers what its network does not say."""

    def _predict_proba(self, X):
        return np.tile([1.0, 0.0], (len(X), 1))


@pytest.fixture(scope="module")
def data():
    X, y, _ = make_planted_motifs(n_instances=24, n_channels=2, n_timepoints=30, random_state=0)
    return X * 3 + 100, y


def fit(data, network="fcn", params=None, labels=None, **settings):
    X, y = data
    y = np.arange(len(X)) % 3 if labels is not None else y
    y = labels[y] if labels is not None else y
    params = NETWORKS.get(network) if params is None else params
    clf = SkorchClassifier(network, params, max_epochs=2, random_state=0, device="cpu", **settings)
    return clf.fit(X, y)


@pytest.fixture(scope="module")
def fitted(data):
    return fit(data)


@pytest.fixture(scope="module")
def saved(fitted, tmp_path_factory):
    return save_model(fitted, tmp_path_factory.mktemp("models") / "model")


@pytest.fixture
def copy(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "copy")


def same(loaded, clf, X):
    assert loaded.classes_.dtype == clf.classes_.dtype
    assert loaded.classes_.tolist() == clf.classes_.tolist()
    np.testing.assert_array_equal(loaded.predict_logits(X), clf.predict_logits(X))
    np.testing.assert_array_equal(loaded.predict(X), clf.predict(X))
    assert loaded.predict(X).dtype == clf.predict(X).dtype


def change(folder, signed=True, **entries):
    """Change config.json; with `signed`, as one who knows how its digest is made."""
    config = json.loads((folder / "config.json").read_text())
    for path, value in entries.items():
        *above, last = path.split("__")
        place = config
        for name in above:
            place = place[name]
        place[last] = value
    if signed:
        sign(config)
    (folder / "config.json").write_text(json.dumps(config))


def sign(config):
    config.pop("sha256", None)
    text = json.dumps(config, sort_keys=True, separators=(",", ":"))
    config["sha256"] = hashlib.sha256(text.encode()).hexdigest()


def change_weights(folder, change_tensors):
    tensors = safetensors.torch.load_file(folder / "model.safetensors")
    tensors = change_tensors(tensors) or tensors
    safetensors.torch.save_file(tensors, folder / "model.safetensors")
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    change(folder, weights__sha256=digest)


# -- what is saved is what is loaded ---------------------------------------------------


@pytest.mark.parametrize("network", NETWORKS)
def test_a_loaded_model_predicts_bit_for_bit_the_same(network, data, tmp_path):
    clf = fit(data, network)
    loaded = load_model(save_model(clf, tmp_path / "model"), device="cpu")
    same(loaded, clf, data[0])
    assert loaded.get_params(deep=False) == clf.get_params(deep=False)


@pytest.mark.parametrize("kind", LABELS)
def test_labels_keep_their_dtype(kind, data, tmp_path):
    clf = fit(data, labels=LABELS[kind])
    same(load_model(save_model(clf, tmp_path / "model")), clf, data[0])


@pytest.mark.parametrize(
    "classes",
    [
        np.array([0.1, 1 / 3]),
        np.array([False, True]),
        np.array([1, 2], dtype=object),
        np.array(["b", "a"], dtype="<U9"),
    ],
)
def test_labels_of_other_kinds_survive_json(classes):
    again = classes_from_json(json.loads(json.dumps(classes_to_json(classes))))
    assert again.dtype == classes.dtype
    assert again.tolist() == classes.tolist()


def test_of_a_distilled_classifier_the_student_is_saved(data, tmp_path):
    X, y = data
    small = SkorchClassifier("fcn", NETWORKS["fcn"], max_epochs=2)
    clf = SaliencyDistilledClassifier(small, small, n_windows=2, random_state=0).fit(X, y)
    report = fidelity_report(
        clf.teacher_, clf.student_, X, y, max_saliency_instances=0, random_state=0, latency=False
    )
    folder = save_model(
        FrozenEstimator(clf),
        tmp_path / "model",
        report=report,
        data="Planted motifs.",
        intended_use="To try, not to heal.",
    )
    same(load_model(folder), clf, X)
    card = (folder / "README.md").read_text()
    for text in (str(report), "Planted motifs.", "not to heal", "Distilled from a teacher", "FCN"):
        assert text in card


def test_the_card_says_what_is_not_known(saved):
    card = (saved / "README.md").read_text()
    assert card.count("Not stated when the model was saved.") == 2
    assert "Not measured" in card
    assert "2 channels of 30 time points" in card


@pytest.mark.filterwarnings("ignore:.*only single label:UserWarning")
def test_a_model_of_one_class(data, tmp_path):
    clf = SkorchClassifier().fit(data[0], np.repeat("only", len(data[0])))
    loaded = load_model(save_model(clf, tmp_path / "model"))
    assert loaded.predict(data[0]).tolist() == clf.predict(data[0]).tolist()
    assert loaded.predict_proba(data[0]).shape == (len(data[0]), 1)


def test_own_networks_by_their_class(data, tmp_path):
    params = {"sizes": (np.int64(7),), "options": {"scale": [1.5, "big"]}}
    clf = fit(data, Own, params)
    folder = save_model(clf, tmp_path / "model")
    same(load_model(folder, network=Own), clf, data[0])
    with pytest.raises(ModelFileError, match="network=Own"):
        load_model(folder)
    with pytest.raises(ModelFileError, match="answers"):
        load_model(folder, network=Relu)
    with pytest.raises(ModelFileError, match="missing"):
        load_model(folder, network=lambda c, t, k, **settings: LSTM(c, t, k, 4, 1))
    with pytest.raises(ModelFileError, match="built"):
        load_model(folder, network=FCN)
    with pytest.raises(ValueError, match=r"network.*class"):
        load_model(folder, network="fcn")


def test_a_function_that_builds_networks(data, tmp_path):
    def build(n_channels, n_timepoints, n_classes, *, width):
        return FCN(n_channels, n_timepoints, n_classes, (width,), (3,))

    clf = fit(data, build, {"width": 4})
    folder = save_model(clf, tmp_path / "model")
    same(load_model(folder, network=build), clf, data[0])


def test_loading_leaves_random_generators_alone(saved, data, tmp_path):
    own = save_model(fit(data, Own, {}), tmp_path / "own")
    torch.manual_seed(3)
    before = torch.get_rng_state()
    load_model(saved)
    load_model(own, network=Own)
    assert torch.equal(torch.get_rng_state(), before)


def test_networks_trained_elsewhere(data, tmp_path):
    X, _ = data
    module = InceptionTime(2, 30, 2, **NETWORKS["inception_time"]).eval()
    classes = ["a", "b"]
    unknown = SkorchClassifier.from_module(module, classes)
    with pytest.raises(ValueError, match="input_shape"):
        save_model(unknown, tmp_path / "model")
    undescribed = SkorchClassifier.from_module(module, classes, input_shape=(2, 30))
    with pytest.raises(ValueError, match="network_params"):
        save_model(undescribed, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []
    described = SkorchClassifier.from_module(
        module, classes, network_params=NETWORKS["inception_time"], input_shape=(2, 30)
    )
    loaded = load_model(save_model(described, tmp_path / "model"))
    same(loaded, described, X)
    with pytest.raises(ValueError, match="3 channels"):
        loaded.predict(np.zeros((1, 3, 30)))


def test_a_loaded_model_can_be_pickled_saved_and_fitted_again(saved, fitted, data, tmp_path):
    loaded = load_model(saved)
    same(pickle.loads(pickle.dumps(loaded)), fitted, data[0])
    same(load_model(save_model(loaded, tmp_path / "again")), fitted, data[0])
    same(loaded.fit(*data), fitted, data[0])


def test_files_are_the_same_each_time_and_readable_by_others(fitted, saved, tmp_path):
    again = save_model(fitted, tmp_path / "again")
    for path in saved.iterdir():
        assert path.read_bytes() == (again / path.name).read_bytes()
        assert path.stat().st_mode == (again / path.name).stat().st_mode
    mask = os.umask(0)
    os.umask(mask)
    assert again.stat().st_mode & 0o777 == 0o777 & ~mask


# -- what cannot be saved --------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda clf: SkorchClassifier(), Exception, "fitted"),
        (lambda clf: make_pipeline(FunctionTransformer(), clf), TypeError, "functiontransformer"),
        (lambda clf: clf.network_, TypeError, "ScaledNetwork"),
        (lambda clf: Stubborn.from_module(clf.network_, [0, 1]), TypeError, "Stubborn"),
    ],
)
def test_other_objects_are_refused(make, error, words, fitted, tmp_path):
    with pytest.raises(error, match=words):
        save_model(make(fitted), tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_settings_that_are_no_json_are_refused(data, tmp_path):
    module = Own(2, 30, 2)
    clf = SkorchClassifier.from_module(
        module, [0, 1], network_params={"options": {1, 2}}, input_shape=(2, 30)
    )
    with pytest.raises(TypeError, match="network_params"):
        save_model(clf, tmp_path / "model")


@pytest.mark.parametrize("value", [np.array([3]), {"scale": [float("inf"), "big"]}])
def test_settings_that_cannot_be_written_exactly_are_refused(value, tmp_path):
    name = "options" if isinstance(value, dict) else "sizes"
    clf = SkorchClassifier.from_module(
        Own(2, 30, 2), [0, 1], network_params={name: value}, input_shape=(2, 30)
    )
    with pytest.raises((TypeError, ValueError), match="network_params"):
        save_model(clf, tmp_path / "model")


@pytest.mark.parametrize("labels", [[0.0, float("nan")], [0.0, float("inf")]])
def test_labels_that_are_not_finite_are_refused(labels, tmp_path):
    clf = SkorchClassifier.from_module(FCN(1, 30, 2), labels, input_shape=(1, 30))
    with pytest.raises(ValueError, match=r"(?i)labels.*finite"):
        save_model(clf, tmp_path / "model")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (torch.zeros(2, dtype=torch.complex64), "complex64"),
        (torch.zeros(2, dtype=torch.float8_e4m3fn), "float8_e4m3fn"),
        (torch.zeros(2).to_sparse(), r"extra.*torch\.sparse_coo"),
    ],
)
def test_tensors_that_no_file_holds_are_refused(value, words, tmp_path):
    module = Own(2, 30, 2)
    module.register_buffer("extra", value)
    clf = SkorchClassifier.from_module(module, [0, 1], input_shape=(2, 30))
    with pytest.raises(TypeError, match=words):
        save_model(clf, tmp_path / "model")


class Counting(Own):
    """Keeps a state that is no tensor."""

    def get_extra_state(self):
        return {"calls": 3}

    def set_extra_state(self, state):
        pass


def test_a_state_that_is_no_tensor_is_refused(tmp_path):
    clf = SkorchClassifier.from_module(Counting(2, 30, 2), [0, 1], input_shape=(2, 30))
    with pytest.raises(TypeError, match=r"_extra_state.*dict"):
        save_model(clf, tmp_path / "model")


@pytest.mark.parametrize("kind", ["str", "int64", "float32"])
def test_weights_of_classes_are_kept(kind, data, tmp_path):
    weights = dict(zip(LABELS[kind], np.array([1.0, 2.5, 0.5]), strict=True))
    clf = fit(data, labels=LABELS[kind], class_weight=weights)
    loaded = load_model(save_model(clf, tmp_path / "model"))
    assert loaded.class_weight == weights
    same(loaded, clf, data[0])
    y = LABELS[kind][np.arange(len(data[0])) % 3]
    same(loaded.fit(data[0], y), clf, data[0])


def test_weights_that_are_not_finite_are_refused(tmp_path):
    module = Own(1, 4, 2)
    nn.init.constant_(module.linear.bias, float("nan"))
    clf = SkorchClassifier.from_module(module, [0, 1], input_shape=(1, 4))
    with pytest.raises(ValueError, match=r"finite.*network\.linear\.bias"):
        save_model(clf, tmp_path / "model")


def test_nothing_is_overwritten_unless_told(saved, fitted, data, tmp_path):
    folder = shutil.copytree(saved, tmp_path / "model")
    other = fit(data, "lstm")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        save_model(other, folder)
    same(load_model(folder), fitted, data[0])
    save_model(other, folder, overwrite=True)
    same(load_model(folder), other, data[0])
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    (folder / "thesis.txt").write_text("years of work")
    with pytest.raises(FileExistsError, match=r"thesis\.txt"):
        save_model(other, folder, overwrite=True)
    with pytest.raises(FileExistsError, match=r"thesis\.txt.*file"):
        save_model(other, folder / "thesis.txt", overwrite=True)
    with pytest.raises(FileNotFoundError, match="no"):
        save_model(other, tmp_path / "no" / "model")


def test_a_save_that_fails_leaves_the_former_model(saved, fitted, data, tmp_path, monkeypatch):
    folder = shutil.copytree(saved, tmp_path / "model")

    def full(path, content):
        raise OSError("No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        save_model(fit(data, "lstm"), folder, overwrite=True)
    monkeypatch.undo()
    same(load_model(folder), fitted, data[0])
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_models_of_other_libraries_are_not_overwritten(fitted, saved, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "config.json").write_text('{"model_type": "other"}')
    (other / "model.safetensors").write_bytes(b"precious")
    with pytest.raises(FileExistsError, match=r"config\.json"):
        save_model(fitted, other, overwrite=True)
    folder = shutil.copytree(saved, tmp_path / "model")
    (folder / "README.md").unlink()
    (folder / "README.md").mkdir()
    with pytest.raises(FileExistsError, match=r"README\.md"):
        save_model(fitted, folder, overwrite=True)


def test_links_and_dots_are_folders_too(fitted, data, tmp_path, monkeypatch):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    save_model(fitted, tmp_path / "link")
    save_model(fitted, tmp_path / "link", overwrite=True)
    assert (tmp_path / "link").is_symlink()
    same(load_model(tmp_path / "real"), fitted, data[0])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "real"]
    monkeypatch.chdir(tmp_path / "real")
    number = os.stat(".").st_ino
    save_model(fitted, ".", overwrite=True)
    # the folder itself stays: a shell may stand in it, a volume may be mounted on it
    assert os.stat(tmp_path / "real").st_ino == number
    assert sorted(os.listdir(".")) == FILES
    same(load_model("."), fitted, data[0])


class Clipping(Own):
    """Holds a setting that neither its weights nor its parameters tell."""

    largest = 1e9

    def forward(self, x):
        return super().forward(x.clamp(-self.largest, self.largest))


def test_what_weights_and_settings_do_not_tell_is_found(tmp_path):
    module = Clipping(1, 24, 2)
    module.largest = 2.0
    clf = SkorchClassifier.from_module(module, [0, 1], input_shape=(1, 24))
    with pytest.raises(ValueError, match="answers"):
        save_model(clf, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_numpy_numbers_among_the_settings_are_kept(data, tmp_path):
    clf = fit(
        data, lr=np.float64(0.01), batch_size=np.int64(8), validation_fraction=np.float64(0.2)
    )
    loaded = load_model(save_model(clf, tmp_path / "model"), device="cpu")
    assert loaded.get_params(deep=False) == clf.get_params(deep=False)


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"report": "good"}, TypeError, "report"),
        ({"data": 3}, TypeError, "data"),
        ({"intended_use": ["all"]}, TypeError, "intended_use"),
    ],
)
def test_wrong_texts_of_the_card(settings, error, words, fitted, tmp_path):
    with pytest.raises(error, match=words):
        save_model(fitted, tmp_path / "model", **settings)
    assert list(tmp_path.iterdir()) == []


# -- what cannot be loaded -------------------------------------------------------------


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_missing_empty_and_truncated_files(name, copy):
    content = (copy / name).read_bytes()
    for n_bytes in (0, 1, 8, len(content) // 2, len(content) - 2):
        (copy / name).write_bytes(content[:n_bytes])
        with pytest.raises(ModelFileError):
            load_model(copy)
    (copy / name).unlink()
    with pytest.raises(ModelFileError, match=f"{name}.*missing"):
        load_model(copy)
    (copy / name).mkdir()
    with pytest.raises(ModelFileError, match=re.escape(name)):
        load_model(copy)


def test_missing_folders(tmp_path):
    with pytest.raises(ModelFileError, match="nowhere"):
        load_model(tmp_path / "nowhere")


def test_links_that_leave_the_folder(copy, tmp_path):
    for name in ("config.json", "model.safetensors"):
        (copy / name).rename(tmp_path / name)
        (copy / name).symlink_to(tmp_path / name)
        with pytest.raises(ModelFileError, match=f"{name}.*folder"):
            load_model(copy)
        (copy / name).unlink()
        (copy / name).symlink_to(name)
        with pytest.raises(ModelFileError):
            load_model(copy)
        (copy / name).unlink()
        (tmp_path / name).rename(copy / name)


def test_a_change_of_the_config_is_found(copy):
    change(copy, signed=False, input__n_timepoints=31)
    with pytest.raises(ModelFileError, match=r"config\.json.*changed"):
        load_model(copy)


def test_layout_of_the_config_is_free(copy, fitted, data):
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config, indent=4, sort_keys=True))
    same(load_model(copy), fitted, data[0])


# each number is one that a network may have, their product is not
MANY = {"depth": 900, "kernel_sizes": {"tuple": [1] * 90}}


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({"format": "other"}, "model"),
        ({"format_version": 3}, "Upgrade"),
        ({"format_version": 2}, "steps"),
        ({"steps": [{"name": "SeriesCenterer"}]}, "steps"),
        ({"format_version": "1"}, "format_version"),
        ({"format_version": True}, "format_version"),
        ({"network__name": "transformer"}, "'transformer'"),
        ({"network__name": "lstm"}, "LSTM|lstm"),
        ({"network__name": None}, "network"),
        ({"network__params": None}, "weights"),
        ({"network__params": {"filters": {"tuple": [4, 7]}, "kernel_sizes": [5, 3]}}, "weights"),
        ({"network__params": {"filters": {"tuple": [10**9, 6]}, "kernel_sizes": [5, 3]}}, "not"),
        ({"network__params": {"filters": {"set": [4]}}}, r"'set': \[4\]"),
        ({"network__params": {"filters": {"tuple": 4}}}, "'tuple': 4"),
        ({"network": None}, "network.*dict"),
        ({"input__n_channels": 3}, "weights"),
        ({"input__n_channels": 0}, "n_channels"),
        ({"input__n_timepoints": 10**12}, "too large"),
        ({"input__n_timepoints": "30"}, "n_timepoints.*int"),
        ({"classes__labels": [0, 1, 2]}, "check_logits"),
        ({"classes__labels": [0, 0]}, "labels"),
        ({"classes__labels": [0]}, "check_logits"),
        ({"classes__labels": []}, "labels"),
        ({"classes__dtype": "int7"}, "labels"),
        ({"classes__dtype": "float64,int8"}, "labels"),
        ({"classes__dtype": "(10000,10000)int64"}, "labels"),
        ({"check_logits": [[0.0, 0.0], [0.0, 0.0]]}, "answers"),
        ({"check_logits": [[0.0, 0.0]]}, "check_logits"),
        ({"check_logits": [["0", "0"], ["0", "0"]]}, "numbers"),
        ({"settings__callbacks": 3}, "callbacks"),
        ({"settings__lr": -1}, "lr"),
        ({"settings__max_epochs": -(10**400)}, "max_epochs"),
        ({"classes": {"dtype": "<U250000000", "labels": ["a", "b"]}}, "too wide"),
        ({"check_logits": [[1e300, 0.0], [0.0, 0.0]]}, "answers"),
        ({"network__params": {"filters": [1] * 300_000, "kernel_sizes": [1] * 300_000}}, "layers"),
        ({"settings__class_weight": [1, 2]}, r"weight.*\[1, 2\]"),
        ({"settings__class_weight": [[[0], 1]]}, r"weight.*\[\[\[0\], 1\]\]"),
        ({"settings__class_weight": [[0, "1"]]}, "class_weight"),
        ({"network__name": "inception_time", "network__params": MANY}, "layers"),
        ({"settings__network": "lstm"}, "settings.*network"),
        ({"settings__no_such": 1}, "settings.*no_such"),
        ({"weights__file": "../model.safetensors"}, "folder"),
        ({"weights__file": "/etc/passwd"}, "folder"),
        ({"weights__sha256": "0" * 64}, r"model\.safetensors"),
        ({"weights": []}, "weights.*dict"),
    ],
)
def test_configs_that_lie(entries, words, copy):
    change(copy, **entries)
    with pytest.raises(ModelFileError, match=words):
        load_model(copy)


@pytest.mark.parametrize(
    "text",
    [
        '{"format": "sktime_tsd model", "format_version": 1, "x": 1e999}',
        "[]",
        "null",
        "NaN",
        "{",
        '{"format": 1, "format": 1}',
        "[" * 100_000,
        "\udcff",
    ],
)
def test_configs_that_are_none(text, copy):
    (copy / "config.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ModelFileError, match=r"config\.json"):
        load_model(copy)


def test_configs_larger_than_any(copy):
    with open(copy / "config.json", "ab") as file:
        file.truncate(2**25)
    with pytest.raises(ModelFileError, match=r"config\.json.*larger"):
        load_model(copy)


def renamed(tensors):
    tensors["network.linear.offset"] = tensors.pop("network.linear.bias")


def reshaped(tensors):
    tensors["network.linear.bias"] = torch.zeros(5)


def rounded(tensors):
    return {name: tensor.half() for name, tensor in tensors.items()}


def not_finite(tensors):
    tensors["network.linear.bias"][0] = float("inf")


def flat(tensors):
    tensors["std"][:] = 0


def of_many_channels(tensors):
    tensors["mean"] = torch.zeros(1000, 1000)


def negative_variance(tensors):
    tensors["network.blocks.0.1.running_var"][:] = -1


def other(tensors):
    tensors["network.linear.bias"] += 1


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (renamed, "bias.*offset"),
        (reshaped, r"bias.*\(2,\).*\(5,\)"),
        (rounded, "float16"),
        (not_finite, "finite.*network.linear.bias"),
        (flat, "scaling"),
        (of_many_channels, "scaling"),
        (negative_variance, "answers"),
        (other, "answers"),
    ],
)
def test_weights_that_are_not_the_networks(edit, words, copy):
    change_weights(copy, edit)
    with pytest.raises(ModelFileError, match=words):
        load_model(copy)


def test_weights_whose_header_lies(copy):
    content = (copy / "model.safetensors").read_bytes()
    for n_bytes in (0, 2**62, len(content)):
        (copy / "model.safetensors").write_bytes(struct.pack("<Q", n_bytes) + content[8:])
        digest = hashlib.sha256((copy / "model.safetensors").read_bytes()).hexdigest()
        change(copy, weights__sha256=digest)
        with pytest.raises(ModelFileError, match=r"model\.safetensors"):
            load_model(copy)


def test_usage_errors_are_no_damage(saved):
    with pytest.raises(ValueError, match="network") as caught:
        load_model(saved, network=Own)
    assert not isinstance(caught.value, ModelFileError)
    with pytest.raises(ValueError, match="device") as caught:
        load_model(saved, device="abacus")
    assert not isinstance(caught.value, ModelFileError)


mutations = st.tuples(
    st.sampled_from(["config.json", "model.safetensors"]),
    st.sampled_from(["flip", "cut", "insert", "repeat", "swap"]),
    st.integers(0, 2**32),
    st.integers(0, 2**32),
    st.binary(min_size=1, max_size=6),
)


def mutate(content, kind, i, j, data):
    i, j = sorted((i % len(content), j % len(content)))
    if kind == "flip":
        return content[:i] + data + content[i + len(data) :]
    if kind == "cut":
        return content[:i] + content[j:]
    if kind == "insert":
        return content[:i] + data + content[i:]
    if kind == "repeat":
        return content[:j] + content[i:]
    return content[j:] + content[:j]


def fuzz(max_examples):
    return settings(
        max_examples=max_examples,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
        derandomize=True,
    )


@fuzz(40)
@given(st.lists(mutations, min_size=1, max_size=3))
def test_damaged_files_give_the_same_model_or_the_error(saved, fitted, data, tmp_path, changes):
    folder = tmp_path / "fuzzed"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(saved, folder)
    for name, *how in changes:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(mutate(content, *how) or b"\0")
    try:
        loaded = load_model(folder)
    except ModelFileError:
        return
    same(loaded, fitted, data[0])


test_many_damaged_files = pytest.mark.slow(
    fuzz(500)(
        given(st.lists(mutations, min_size=1, max_size=3))(
            test_damaged_files_give_the_same_model_or_the_error.hypothesis.inner_test
        )
    )
)

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from(["int64", "<U1", "fcn", "lstm", "tuple", "auto"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["tuple", "dict", "filters", "n_channels"]), inner, max_size=2
        )
    ),
    max_leaves=4,
)


def places(value, path=()):
    """Ways to every entry of a configuration."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items if isinstance(value, (dict, list)) else ():
        yield from (
            places(inner, (*path, key)) if isinstance(inner, (dict, list)) else [(*path, key)]
        )


@fuzz(40)
@given(st.lists(st.tuples(st.integers(0, 2**32), values), min_size=1, max_size=2))
def test_configs_with_digests_that_match_give_a_model_or_the_error(saved, data, tmp_path, changes):
    folder = tmp_path / "fuzzed"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(saved, folder)
    config = json.loads((folder / "config.json").read_text())
    for where, value in changes:
        ways = [way for way in places(config) if way]
        *above, last = ways[where % len(ways)]
        place = config
        for key in above:
            place = place[key]
        place[last] = value
    sign(config)
    (folder / "config.json").write_text(json.dumps(config))
    try:
        loaded = load_model(folder)
    except ModelFileError:
        return
    assert np.isfinite(loaded.predict_proba(data[0][:2])).all()
    assert set(loaded.predict(data[0][:2])) <= set(loaded.classes_.tolist())


test_many_configs = pytest.mark.slow(
    fuzz(500)(
        given(st.lists(st.tuples(st.integers(0, 2**32), values), min_size=1, max_size=2))(
            test_configs_with_digests_that_match_give_a_model_or_the_error.hypothesis.inner_test
        )
    )
)
