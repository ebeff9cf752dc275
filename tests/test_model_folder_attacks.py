"""Crafted model folders: they take little and give a model or the error."""

import hashlib
import itertools
import json
import os
import resource
import shutil
import signal
import struct
import time
import traceback

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn

from sktime_tsd import SkorchClassifier, load_model, save_model
from sktime_tsd.export import ModelFileError
from sktime_tsd.export._config import read_config, write_config
from sktime_tsd.networks import FCN, LSTM, NETWORKS, InceptionTime, ScaledNetwork

PARAMS = {
    "fcn": {"filters": (4, 4), "kernel_sizes": (3, 3)},
    "lstm": {"hidden_size": 4, "num_layers": 1},
    "inception_time": {"n_filters": 2, "depth": 3, "kernel_sizes": (4, 2)},
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    network = FCN(1, 24, 2, **PARAMS["fcn"])
    clf = SkorchClassifier.from_module(
        network, ["a", "b"], network="fcn", network_params=PARAMS["fcn"], input_shape=(1, 24)
    )
    return save_model(clf, tmp_path_factory.mktemp("models") / "model")


@pytest.fixture
def copy(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "copy")


def rewrite(folder, *, weights=None, **entries):
    """Put weights and entries into a folder, with digests that match."""
    config = json.loads((folder / "config.json").read_text())
    config.pop("sha256")
    config.update(entries)
    if weights is not None:
        (folder / "model.safetensors").write_bytes(weights)
        config["weights"]["sha256"] = hashlib.sha256(weights).hexdigest()
    (folder / "config.json").write_bytes(write_config(config))
    return folder


def of_network(folder, kind, n_timepoints, **params):
    """A folder of a network of this package, with weights that fit."""
    network = ScaledNetwork(NETWORKS[kind](1, n_timepoints, 2, **params))
    described = {
        name: {"tuple": list(value)} if isinstance(value, tuple) else value
        for name, value in params.items()
    }
    return rewrite(
        folder,
        weights=safetensors.torch.save({k: v.clone() for k, v in network.state_dict().items()}),
        network={"name": kind, "class": "x", "params": described},
        input={"n_channels": 1, "n_timepoints": n_timepoints},
        check_logits=[[0.0, 0.0]] * 2,
    )


def peak_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


# -- little memory, little time --------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("fcn", {"filters": (2000,), "kernel_sizes": (1,)}),
        ("fcn", {"filters": (64,), "kernel_sizes": (1,)}),
        ("fcn", {"filters": (1,), "kernel_sizes": (20_000,)}),
        ("fcn", {"filters": (1,) * 200, "kernel_sizes": (1,) * 200}),
        ("lstm", {"hidden_size": 64, "num_layers": 1}),
        ("lstm", {"hidden_size": 1, "num_layers": 100}),
        ("inception_time", {"n_filters": 8, "depth": 3}),
    ],
)
def test_long_series_for_a_small_file(kind, params, copy):
    folder = of_network(copy, kind, 2**22, **params)
    before, start = peak_bytes(), time.process_time()
    with pytest.raises(ModelFileError, match="n_timepoints=4,194,304"):
        load_model(folder)
    assert peak_bytes() - before < 2**27
    assert time.process_time() - start < 2


@pytest.mark.parametrize("kind", PARAMS)
def test_usual_lengths_are_not_refused(kind, copy):
    folder = of_network(copy, kind, 3000, **PARAMS[kind])
    with pytest.raises(ModelFileError, match="answers"):  # they are of a random network
        load_model(folder)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "n_timepoints", "params"),
    [
        ("fcn", 40_000, {"filters": (128, 256, 64)}),
        ("fcn", 1_000_000, {"filters": (8, 16, 8)}),
        ("fcn", 70_000, {"filters": (1, 1), "kernel_sizes": (500, 500)}),
        ("lstm", 150_000, {"hidden_size": 8, "num_layers": 1}),
        ("inception_time", 8_000, {"n_filters": 16}),
    ],
)
def test_the_largest_that_are_not_refused_take_less_than_they_may(kind, n_timepoints, params, copy):
    folder = of_network(copy, kind, n_timepoints, **params)
    assert (folder / "model.safetensors").stat().st_size < 10**6

    def load():
        with pytest.raises(ModelFileError, match="answers"):
            load_model(folder)

    n_bytes, seconds = measured(load, folder.parent)
    assert n_bytes < 2**30
    assert seconds < 5


def measured(action, tmp_path):
    """Most bytes and seconds of an action in a process of its own."""
    if (child := os.fork()) == 0:
        try:
            before, start = peak_bytes(), time.process_time()
            action()
            taken = f"{peak_bytes() - before} {time.process_time() - start}"
            (tmp_path / "said").write_text(taken)
        except BaseException as error:
            (tmp_path / "said").write_text("".join(traceback.format_exception(error)))
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    said = (tmp_path / "said").read_text()
    assert len(said.split()) == 2, said
    n_bytes, seconds = said.split()
    return int(n_bytes), float(seconds)


class Own(nn.Module):
    """A user's network, whose size is a setting."""

    def __init__(self, n_channels, n_timepoints, n_classes, *, width=3):
        super().__init__()
        self.hidden = nn.Linear(n_channels * n_timepoints, width)
        self.linear = nn.Linear(width, n_classes)

    def forward(self, x):
        return self.linear(self.hidden(x.flatten(1)))


def test_settings_of_own_networks_take_no_memory_either(tmp_path):
    clf = SkorchClassifier.from_module(Own(1, 24, 2), [0, 1], input_shape=(1, 24))
    folder = save_model(clf, tmp_path / "model")
    rewrite(folder, network={"name": None, "class": "Own", "params": {"width": 10**8}})
    before = peak_bytes()
    with pytest.raises(ModelFileError, match="hidden"):
        load_model(folder, network=Own)
    assert peak_bytes() - before < 2**27


@pytest.mark.parametrize(
    "text",
    ["[" + "[]," * 1_300_000 + "[]]", "[" * 10**6, "[" + "0," * 2_000_000 + "0]", '"' * 10**6],
)
def test_configs_of_brackets(text, copy):
    (copy / "config.json").write_text(text)
    start = time.process_time()
    with pytest.raises(ModelFileError, match=r"config\.json"):
        load_model(copy)
    assert time.process_time() - start < 2


def test_steps_that_resample_far(copy):
    config = read_config((copy / "config.json").read_bytes())
    steps = [{"name": "SeriesResampler", "length": 2**22, "n_timepoints": None}] * 99
    steps.append({"name": "SeriesResampler", "length": 24, "n_timepoints": 2**22})
    rewrite(copy, steps=steps, format_version=2, check_logits=config["check_logits"])

    def load():
        with pytest.raises(ModelFileError, match="steps"):
            load_model(copy)

    n_bytes, seconds = measured(load, copy.parent)
    assert n_bytes < 2**30
    assert seconds < 5


# -- other kinds of files --------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes")
@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_pipes_are_no_files(name, copy):
    (copy / name).unlink()
    os.mkfifo(copy / name)
    with pytest.raises(ModelFileError, match=f"{name}.*not a file"):
        load_model(copy)


def test_weights_beyond_any_number_of_dimensions(copy):
    header = {"mean": {"dtype": "F32", "shape": [1] * 65, "data_offsets": [0, 4]}}
    rewrite(copy, weights=with_header(header, bytes(4)))
    with pytest.raises(ModelFileError, match="65 dimensions"):
        load_model(copy)


def with_header(header, data):
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


# -- fuzz ------------------------------------------------------------------------------

DTYPES = ["F32", "F64", "F16", "BF16", "I64", "U8", "BOOL", "F8_E4M3", "F4", "C64", "X", 3]
NUMBERS = [-1, 0, 1, 2, 3, 24, 64, 10**6, 2**31, 2**53, 2**63, 2**64, 1.5, None, "1", True]
VALUES = [*NUMBERS, [], {}, [[]], "", "x" * 5000, "\0", "../x", 1e308, {"tuple": []}, [None] * 99]


def crafted_weights(content, rng):
    """A file of weights whose header is changed in some places."""
    length = struct.unpack("<Q", content[:8])[0]
    header, data = json.loads(content[8 : 8 + length]), content[8 + length :]
    for _ in range(rng.integers(1, 4)):
        name = str(rng.choice(list(header)))
        if not isinstance(header[name], dict) or "dtype" not in header[name]:
            continue
        what = rng.integers(6)
        pick = NUMBERS[rng.integers(len(NUMBERS))]
        if what == 0:
            header[name]["dtype"] = DTYPES[rng.integers(len(DTYPES))]
        elif what == 1:
            header[name]["shape"] = [pick] * int(rng.choice([0, 1, 2, 3, 65]))
        elif what == 2:
            header[name]["shape"] = [1] * int(rng.choice([1, 9, 65])) + header[name]["shape"]
        elif what == 3:
            header[name]["data_offsets"][rng.integers(2)] = pick
        elif what == 4:
            header[f"{name}{rng.integers(9)}"] = header.pop(name)
        else:
            header[name] = VALUES[rng.integers(len(VALUES))]
    if rng.random() < 0.2:
        values = np.frombuffer(data[: len(data) // 4 * 4], "<f4").copy()
        values[rng.integers(len(values))] = rng.choice([np.nan, np.inf, 1e38, 0])
        data = values.tobytes()
    return with_header(header, data)


def places(value, path=()):
    """Ways to every entry of a configuration."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        yield (*path, key)
        if isinstance(inner, (dict, list)):
            yield from places(inner, (*path, key))


def crafted_entries(config, rng):
    """A configuration, changed in some places."""
    config = json.loads(json.dumps(config))
    for _ in range(rng.integers(1, 4)):
        ways = list(places(config))
        *above, last = ways[rng.integers(len(ways))]
        place = config
        for key in above:
            place = place[key]
        place[last] = json.loads(json.dumps(VALUES[rng.integers(len(VALUES))]))
    return config


@pytest.mark.parametrize("n", [40, pytest.param(1000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", ["headers", "configs"])
def test_crafted_folders_take_little_and_give_a_model_or_the_error(n, kind, copy):
    """In a process of its own, killed if a folder takes more than 5 s of computing."""
    folders = itertools.cycle(
        of_network(shutil.copytree(copy, copy.with_name(name)), name, 24, **PARAMS[name])
        for name in PARAMS
    )
    folders = [copy, *itertools.islice(folders, 3)]

    def load_all():
        rng = np.random.default_rng(5)
        n_models = 0
        for i in range(n):
            folder = folders[i % len(folders)]
            files = {path: path.read_bytes() for path in folder.iterdir()}
            config = json.loads((folder / "config.json").read_text())
            if kind == "headers":
                weights = crafted_weights(files[folder / "model.safetensors"], rng)
                rewrite(folder, weights=weights)
            else:
                config = crafted_entries(config, rng)
                config.pop("sha256", None)
                (folder / "config.json").write_bytes(write_config(config))
            signal.setitimer(signal.ITIMER_PROF, 5)
            try:
                loaded = load_model(folder)
                assert np.isfinite(loaded.predict_proba(np.zeros((2, 1, 24)))).all()
                n_models += 1
            except ModelFileError:
                pass
            signal.setitimer(signal.ITIMER_PROF, 0)
            for path, content in files.items():
                path.write_bytes(content)
        assert n_models < n

    n_bytes, _ = measured(load_all, copy.parent)
    assert n_bytes < 2**30


def test_networks_of_this_package_are_all_tried():
    assert {NETWORKS[name] for name in PARAMS} == {FCN, LSTM, InceptionTime}
    assert torch.get_num_threads() == 1  # forked processes hang otherwise
