"""A fitted student to a file for onnxruntime."""

import copy
import json
import math
import os
import re
import warnings
from pathlib import Path
from uuid import uuid4

import numpy as np
import torch
from torch import nn

from sktime_tsd._scoring.batches import logits_in_batches
from sktime_tsd._utils.panels import as_float32_panel, check_panel_shape
from sktime_tsd._utils.random import seeded
from sktime_tsd.export._quantize import round_weights
from sktime_tsd.export._quiet import quietly
from sktime_tsd.export._student import fitted_student, typical_series
from sktime_tsd.runtime import OnnxClassifier
from sktime_tsd.runtime._model_files import ONNX_KEY, ModelFileError, classes_to_json, onnx_metadata

__all__ = ["to_onnx"]

# Largest difference of a probability from torch's.
_TOLERANCE = 1e-5

# Colours of a terminal, in messages of torch.
_ANSI = re.compile(r"\x1b\[[0-9;]*m")

_N_RANDOM_SERIES = 256
_MOST_RANDOM_VALUES = 2**21


class _Probabilities(nn.Module):
    """A network with the softmax."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, X):
        return self.network(X).softmax(dim=1)


def to_onnx(classifier, path, X=None, *, int8=False, overwrite=False):
    """Write a fitted student to a file that `sktime_tsd.runtime.OnnxClassifier` reads.

    The file maps raw series to probabilities: scaling and softmax are inside. Any number of
    series at a time, of the length in `fit`; labels and shape are in its metadata. It is kept
    only if its probabilities are those of the network, on random series and on `X`.

    Parameters
    ----------
    classifier : SkorchClassifier or SaliencyDistilledClassifier
        Fitted. Of a distilled one, the student alone is written.
    path : path-like
        Of the file; its folder must exist.
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints), optional
        Real series to compare answers on, besides random ones. Or any other sktime panel.
    int8 : bool, default=False
        Round the weights to 8 bits, if the file becomes smaller and at least 99 % of the
        answers on `X` stay. Otherwise a warning says so, and the weights stay as they are.
    overwrite : bool, default=False
        Whether a file that is there may be replaced.

    Returns
    -------
    path : pathlib.Path

    Raises
    ------
    RuntimeError
        If the network cannot be exported, or the file would give other answers: probabilities
        that differ by more than 1e-5, or another label. There is no file then.
    FileExistsError
        If there is a file and `overwrite` is False, or a folder.
    OSError
        If the file cannot be written.
    TypeError, ValueError
        If the classifier or `X` cannot be used, or `int8` has no `X`.
    ImportError
        If onnx, onnxscript or onnxruntime is missing (extra ``onnx``).

    Warns
    -----
    UserWarning
        If the weights keep their size although `int8` is set, or the network decides by what it
        computes, such as ``if x.max() > 5``: a file cannot, and goes the way that was tried.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sktime.datasets import load_unit_test
    >>> from sktime_tsd import SkorchClassifier, to_onnx
    >>> from sktime_tsd.runtime import OnnxClassifier
    >>> X, y = load_unit_test(split="train", return_type="numpy3D")
    >>> clf = SkorchClassifier("fcn", {"filters": (8, 16, 8)}, max_epochs=5, random_state=0)
    >>> path = to_onnx(clf.fit(X, y), Path(tempfile.mkdtemp()) / "student.onnx", X)
    >>> bool((OnnxClassifier(path).predict(X) == clf.predict(X)).all())
    True
    """
    student, path = fitted_student(classifier), Path(path).resolve()
    classes_to_json(student.classes_)  # refused before anything is exported
    if student.network_ is None:
        raise ValueError("All labels were equal in fit: there is no network to export.")
    if X is not None:
        X = as_float32_panel(student._check_convert_X_for_predict(X))
        check_panel_shape(X, student.n_channels_, student.n_timepoints_)
    elif int8:
        raise ValueError("int8 needs X, a sample of real series to compare answers on.")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"The folder {path.parent} does not exist; make it first.")
    if path.is_dir():
        raise FileExistsError(f"{path} is a folder; name a file.")
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path} is there; pass overwrite=True to replace it.")
    network = copy.deepcopy(student.network_).cpu().eval()
    batches = _batches(network, student, X)
    expected = [_expected(network, batch) for batch in batches]
    new = path.with_name(f".{path.name}-{uuid4().hex}")
    new.touch()  # a place that cannot be written to is no fault of the network
    try:
        follows_one_path = _export(network, student, new, batches, expected)
        if follows_one_path:
            warnings.warn(
                "The network decides by what it computes, which a file cannot: the file always "
                f"goes the way that was tried. Its answers on {sum(map(len, batches))} series are "
                "those of the network; pass many real series as X, or decide by torch.where.",
                stacklevel=2,
            )
        if int8:
            round_weights(new, X, expected[-1])
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)
    return path


def _batches(network, student, X):
    """Series to compare on: one alone, some, and `X`.

    Apart, since a network may answer otherwise to one series, or to all of a batch.
    """
    sizes = student.n_channels_, student.n_timepoints_
    n = min(_N_RANDOM_SERIES, max(8, _MOST_RANDOM_VALUES // math.prod(sizes)))
    waves = typical_series(network, *sizes, n)
    generator = torch.Generator().manual_seed(0)
    noise = network.mean.cpu() + network.std.cpu() * torch.randn(waves.shape, generator=generator)
    # as waves alone excite few of a network's units, and noise has no long ones
    series = torch.cat([waves[: n // 2], noise[n // 2 :], 100 * noise[:2]]).numpy()
    return [series[:1], series[1:], *([] if X is None else [X])]


def _expected(network, series):
    logits = logits_in_batches(network, torch.from_numpy(series), torch.device("cpu"))
    return logits.double().softmax(dim=1).numpy()


def _export(network, student, path, batches, expected):
    """Write a file whose answers are the network's, by one of torch's two exporters.

    Tells whether the file follows one path only of a network that has several.
    """
    probabilities = _Probabilities(network)
    example = torch.from_numpy(batches[1][:2])
    found = []
    for exporter in (_export_program, _export_trace):
        try:
            with quietly("torch"), seeded(0, torch.device("cpu")):
                follows_one_path = exporter(probabilities, example, path)
            _finish(path, student)
            _compare(path, batches, expected)
            return follows_one_path
        except ImportError:
            raise
        except Exception as error:  # exporters may fail in any way on a user's network
            reason = _ANSI.sub("", str(error)).strip().split("\n")[0]
            found.append(f"{exporter.__doc__} {type(error).__name__}: {reason:.300}")
    raise RuntimeError(
        "The network cannot be exported so that it gives the same answers. " + " ".join(found)
    )


def _export_program(network, example, path):
    """By torch.export:"""  # noqa: D400
    program = torch.onnx.export(
        network,
        (example,),
        dynamo=True,
        dynamic_shapes=({0: torch.export.Dim("n_instances")},),
        input_names=["X"],
        output_names=["probabilities"],
        verbose=False,
    )
    program.save(path, external_data=False)
    return False  # a network of several paths was refused


def _export_trace(network, example, path):
    """By tracing:"""  # noqa: D400
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", torch.jit.TracerWarning)
        torch.onnx.export(
            network,
            (example,),
            str(path),
            dynamo=False,
            dynamic_axes={"X": {0: "n_instances"}, "probabilities": {0: "n_instances"}},
            input_names=["X"],
            output_names=["probabilities"],
        )
    return any(issubclass(warning.category, torch.jit.TracerWarning) for warning in said)


def _finish(path, student):
    """Leave out what need not be there, and put in what the numbers mean."""
    import onnx
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # constants are folded: the exporter leaves weights to be put in order in each session
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(path)
    onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    model = onnx.load(path)
    for node in model.graph.node:
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    del model.graph.value_info[:]
    sizes = int(student.n_channels_), int(student.n_timepoints_)
    metadata = onnx_metadata(student.classes_, *sizes)
    onnx.helper.set_model_props(model, {ONNX_KEY: json.dumps(metadata, sort_keys=True)})
    onnx.save(model, path)


def _compare(path, batches, expected):
    student = OnnxClassifier(path)
    for batch, probabilities in zip(batches, expected, strict=True):
        found = student.predict_proba(batch)
        error = np.abs(found - probabilities).max()
        if not error <= _TOLERANCE:
            raise ModelFileError(f"probabilities differ by up to {error:.2g}")
        n_other = int(_answers_differ(found, probabilities).sum())
        if n_other:
            raise ModelFileError(f"{n_other} of {len(batch)} answers differ")


def _answers_differ(found, expected):
    """Tell where labels differ, except for probabilities that are equal but for rounding."""
    place = np.arange(len(expected))
    margin = expected.max(axis=1) - expected[place, found.argmax(axis=1)]
    return margin > 2 * _TOLERANCE
