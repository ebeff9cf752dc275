"""Compile C files and call them, for tests; and networks with lively weights to write."""

import ctypes
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from sktime_tsd import SkorchClassifier
from sktime_tsd.export.c._compiler import c_compiler
from sktime_tsd.networks import build_network

COMPILER = c_compiler()
STRICT = ("-std=c99", "-Wall", "-Wextra", "-pedantic", "-Wshadow", "-Wconversion", "-Werror")

needs_compiler = pytest.mark.skipif(COMPILER is None, reason="there is no C compiler")

SETTINGS = {
    "fcn": {"filters": (4, 6, 4)},
    "lstm": {"hidden_size": 5, "num_layers": 2},
    "inception_time": {"n_filters": 2, "depth": 3, "bottleneck_size": 3},
    "lite": {},
}


def lively(network):
    """Give each weight and each statistic a value that matters."""
    generator = torch.Generator().manual_seed(1)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d):
            for values in (module.running_mean, module.weight.data, module.bias.data):
                values.normal_(generator=generator)
            module.running_var.uniform_(0.5, 2, generator=generator)
        elif isinstance(module, (nn.LSTM, nn.GRU, nn.Linear)):
            for values in module.parameters():
                values.data.mul_(2)
    return network.eval()


def classifier(module, shape, n_classes=2, labels=None, **built_by):
    labels = [f"class {i:02d}" for i in range(n_classes)] if labels is None else labels
    return SkorchClassifier.from_module(
        lively(module), labels, input_shape=shape, device="cpu", **built_by
    )


def classifier_of(name, n_channels=1, n_timepoints=24, n_classes=2, labels=None):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build_network(name, n_channels, n_timepoints, n_classes, SETTINGS[name])
    built_by = {"network": name, "network_params": SETTINGS[name]}
    return classifier(network, (n_channels, n_timepoints), n_classes, labels, **built_by)


def compiled(sources, program, *options):
    """Compile strictly, as any warning is an error."""
    command = [*COMPILER, *STRICT, "-O1", *options, *map(str, sources), "-o", str(program), "-lm"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return program


class Library:
    """A compiled C file, called from Python."""

    def __init__(self, path, name="student", *options):
        path = Path(path)
        target = path.with_name(f"{path.stem}{len(list(path.parent.iterdir()))}.so")
        compiled([path], target, "-shared", "-fPIC", *options)
        self._library, self._name = ctypes.CDLL(str(target)), name
        header = path.with_suffix(".h").read_text(encoding="utf-8")
        self.sizes = {
            key: int(header.split(f"{name.upper()}_{key} ")[1].split()[0])
            for key in ("N_CHANNELS", "N_TIMEPOINTS", "N_CLASSES")
        }

    def call(self, function, *arrays, returns=ctypes.c_int):
        function = getattr(self._library, f"{self._name}_{function}")
        function.restype = returns
        pointers = [array.ctypes.data_as(ctypes.c_void_p) for array in arrays]
        return function(*pointers)

    @property
    def labels(self):
        array = ctypes.c_char_p * self.sizes["N_CLASSES"]
        found = array.in_dll(self._library, f"{self._name}_labels")
        return [label.decode() for label in found]

    def predict_proba(self, X):
        answers = np.empty((len(X), self.sizes["N_CLASSES"]), dtype=np.float32)
        for x, answer in zip(np.asarray(X, dtype=np.float32), answers, strict=True):
            self.call("predict_proba", np.ascontiguousarray(x), answer, returns=None)
        return answers

    def predict(self, X):
        X = np.asarray(X, dtype=np.float32)
        return [self.call("predict", np.ascontiguousarray(x)) for x in X]


def series(n, clf, seed=0):
    shape = clf.n_channels_, clf.n_timepoints_
    return np.random.RandomState(seed).standard_normal((n, *shape)).astype(np.float32)


def gives_the_same(path, clf, X, *options):
    """Compare a C file's answers, from its own functions, with those of the classifier."""
    library, expected = Library(path, "student", *options), clf.predict_proba(X)
    np.testing.assert_allclose(library.predict_proba(X), expected, atol=1e-5)
    labels = [library.labels[i] for i in library.predict(X)]
    assert labels == list(map(str, clf.predict(X)))
    return library


def files(folder):
    return sorted(file.name for file in folder.iterdir())


def runs_clean(path):
    """Run the golden vectors under sanitizers."""
    sanitizers = "-fsanitize=address,undefined", "-fno-sanitize-recover", "-g"
    sources = [path, path.with_name("student_test.c")]
    try:
        program = compiled(sources, path.with_name("sanitized"), *sanitizers)
    except AssertionError as error:
        if "sanitize" in str(error):
            pytest.skip("the compiler has no sanitizers")
        raise
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("0 of ")
