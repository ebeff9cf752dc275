"""Export a fitted student to an ONNX file."""

import copy
import json
import math
import re
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import nn

from sktime_tsd._panels.arrays import check_panel_shape
from sktime_tsd._panels.panel import channel_names, read_panel
from sktime_tsd._panels.rules import STRICT
from sktime_tsd._scoring.network import NetworkScorer
from sktime_tsd._utils.random import seeded
from sktime_tsd._utils.replace_file import sync
from sktime_tsd._utils.silence import import_silently
from sktime_tsd._utils.staged_file import staged_file
from sktime_tsd._utils.usual_state import in_usual_state
from sktime_tsd.export._cascade import add_threshold, exported_chain
from sktime_tsd.export._quantize import quantize_weights
from sktime_tsd.export._quiet import quietly
from sktime_tsd.export._step_modules import Steps
from sktime_tsd.export._steps import first_length, transformed
from sktime_tsd.export._student import fitted_student, typical_series
from sktime_tsd.networks import n_parameters
from sktime_tsd.runtime import OnnxClassifier
from sktime_tsd.runtime._confidence import SCORES
from sktime_tsd.runtime._model_files import ONNX_KEY, ModelFileError, classes_to_json, onnx_metadata

__all__ = ["to_onnx"]

# Largest accepted difference between a probability of the file and torch's.
_TOLERANCE = 1e-5

# Scores this near to a threshold may fall on either side of it.
_TOLERANCE_OF_SCORES = 1e-3

# Terminal colour codes in torch's messages.
_ANSI = re.compile(r"\x1b\[[0-9;]*m")

# More than the graph takes beside the weights.
_GRAPH_BYTES = 2**16

_N_RANDOM_SERIES = 256
_MAX_RANDOM_VALUES = 2**21


class _Probabilities(nn.Module):
    """Steps, if there are any, a network, and softmax."""

    def __init__(self, steps, network, n_timepoints):
        super().__init__()
        self.steps = Steps(steps, n_timepoints) if steps else nn.Identity()
        self.network = network

    def forward(self, X):
        return self.network(self.steps(X)).softmax(dim=1)


@in_usual_state
def to_onnx(classifier, path, X=None, *, int8=False, overwrite=False):
    """Export a fitted student to an ONNX file, for `sktime_tsd.runtime.OnnxClassifier`.

    The file maps raw series to probabilities, with scaling and softmax included. Its input is
    float32, or float64 for a network fitted on series that float32 cannot tell apart. It takes any
    number of series at a time, of the length seen in `fit`; labels and shape are in its metadata.
    With steps before the classifier, it reads raw series in float64, of the length that entered
    the first step in `fit`. The file is kept only if its probabilities equal those of the
    classifier, on random series and on `X`.

    Parameters
    ----------
    classifier : SkorchClassifier, SaliencyDistilledClassifier or CascadeClassifier
        Fitted. For a distilled classifier, only the student is exported; for a cascade, its
        student with its threshold, so that ``OnnxClassifier.defers`` tells which series to send to
        the teacher. It may be the last step of a fitted pipeline: the file then includes the
        steps before it, of the kinds that `save_model` names. It may be in a ``GridSearchCV``.
    path : path-like
        The file to write. Its folder must exist.
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints), optional
        Real series to compare predictions on, in addition to random ones. Other sktime panels
        work too. In a pipeline, series that enter its first step. If that pipeline resamples
        series and saw several lengths in `fit`, the file is for the length of these.
    int8 : bool, default=False
        Quantize the weights to 8 bits, if that makes the file smaller and keeps at least 99 % of
        the predictions on `X`. Otherwise the weights stay as they are, with a warning.
    overwrite : bool, default=False
        Whether an existing file may be replaced.

    Returns
    -------
    path : pathlib.Path
        Absolute.

    Raises
    ------
    RuntimeError
        If the network cannot be exported, or the file's predictions differ: probabilities by
        more than 1e-5, or a label. No file is written then.
    FileExistsError
        If the file exists and `overwrite` is False, or the path is a folder.
    OSError
        If the file cannot be written.
    TypeError, ValueError
        If the classifier, a step before it or `X` cannot be used, `int8` is set without `X` or
        for a cascade, the score of a cascade is a function, or a length is not known without `X`.
    ImportError
        If onnx, onnxscript or onnxruntime is missing (extra ``onnx``).

    Warns
    -----
    UserWarning
        If `int8` is set but the weights keep their 32 bits. Or if the network branches on values,
        as in ``if x.max() > 5``: the file always takes the branch taken in the export.

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
    (chain, deferral), path = exported_chain(classifier), Path(path).resolve()
    if deferral is not None and isinstance(chain.classifier, OnnxClassifier):
        if chain.steps or int8:
            raise ValueError(
                "The student of the cascade is an ONNX file already: leave int8 out, and export "
                "steps before it with the network, in one file."
            )
        _check_place(path, overwrite=overwrite)
        return _add_threshold(chain.classifier, path, deferral)
    student = fitted_student(chain.classifier)
    classes_to_json(student.classes_)  # rejects labels that cannot be written, before the export
    if student.network_ is None:
        raise ValueError(
            "There is no network to export, because all labels in fit were equal. Fit with two "
            "classes or more."
        )
    rules, length = _rules_of_file(chain, student), first_length(chain.steps, student.n_timepoints_)
    if X is not None:
        X = read_panel(X, rules).in_order(channel_names(student)).values
        check_panel_shape(X, student.n_channels_, length)
        length = X.shape[2]
    elif length is None:
        raise ValueError(
            "X is needed, a sample of real series: the pipeline resamples series of any length, "
            "and an ONNX file takes series of one length, that of X."
        )
    elif int8:
        raise ValueError("int8=True needs X, a sample of real series to compare predictions on.")
    if int8 and deferral is not None:
        raise ValueError(
            "int8=True would change the answers that a cascade was calibrated on. Export the "
            "student with int8=True, and calibrate CascadeClassifier(OnnxClassifier(path), "
            "teacher)."
        )
    _check_place(path, overwrite=overwrite)
    network = copy.deepcopy(student.network_).cpu().eval()
    batches = _batches(network, (student.n_channels_, length), X)
    if chain.steps:  # the file's steps compute in float64
        batches = [batch.astype(np.float64) for batch in batches]
    scorer = NetworkScorer(student, network)
    expected = [scorer.probabilities(transformed(chain.given, batch)) for batch in batches]
    probabilities = _Probabilities(chain.steps, network, length).eval()
    metadata = onnx_metadata(
        student.classes_,
        int(student.n_channels_),
        int(length),
        channel_names(student),
        n_parameters=n_parameters(network),
        rules=rules,
        has_steps=bool(chain.steps),
        deferral=deferral,
    )
    with staged_file(path) as new:
        new.touch()  # fails here, before the export, if the place is not writable
        _check_room(new, network)
        follows_one_path = _export(probabilities, metadata, new, batches, expected)
        if deferral is not None:
            _compare_deferral(new, batches, expected, **deferral)
        if follows_one_path:
            warnings.warn(
                f"{type(network.network).__name__} branches on values that it computes, which an "
                "ONNX file cannot do: the file always takes the branch taken in the export. Its "
                f"predictions on {sum(map(len, batches))} series equal the network's. Pass many "
                "real series as X to make sure, or use torch.where instead of branches.",
                stacklevel=3,
            )
        if int8:
            quantize_weights(new, X, expected[-1])
    return path


def _check_room(path, network):
    """Raise OSError if the disk has no room; the exporters would blame the network."""
    n_bytes = sum(value.nbytes for value in network.state_dict().values())
    path.write_bytes(bytes(2 * n_bytes + _GRAPH_BYTES))
    sync(path)
    path.write_bytes(b"")


def _rules_of_file(chain, student):
    """How the file reads series, before its first step: as the pipeline would."""
    rules = student._panel_rules()
    if not chain.steps:
        return rules
    if rules.resamples:
        raise ValueError(
            'The classifier has unequal_length="resample", which applies after the steps of the '
            "pipeline, each on series of their own length. An ONNX file with steps reads one "
            f"length. Put SeriesResampler(length={student.n_timepoints_}) before them and fit "
            'again with unequal_length="raise", or keep the pipeline as save_model writes it.'
        )
    return STRICT  # the steps refuse missing values


def _check_place(path, *, overwrite):
    if not path.parent.is_dir():
        raise FileNotFoundError(f"The folder {path.parent} does not exist. Create it first.")
    if path.is_dir():
        raise FileExistsError(f"{path} is a folder. Pass the path of a file.")
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path} exists; pass overwrite=True to replace it.")


def _add_threshold(student, path, deferral):
    """Write the file of an `OnnxClassifier` again, with a threshold."""
    with staged_file(path) as new:
        add_threshold(student.path, new, deferral)
    return path


def _batches(network, sizes, X):
    """Make the batches to compare predictions on: one random series, several, and `X`.

    They are separate, since predictions may depend on the other series of a batch.
    """
    n = min(_N_RANDOM_SERIES, max(8, _MAX_RANDOM_VALUES // math.prod(sizes)))
    waves = typical_series(network, *sizes, n)
    generator = torch.Generator().manual_seed(0)
    noise = network.mean.cpu() + network.std.cpu() * torch.randn(waves.shape, generator=generator)
    # waves alone activate few of a network's units, and noise has no slow components
    series = torch.cat([waves[: n // 2], noise[n // 2 :], 100 * noise[:2]]).numpy()
    return [series[:1], series[1:], *([] if X is None else [X])]


def _export(probabilities, metadata, path, batches, expected):
    """Write a file whose predictions equal the network's, with one of torch's two exporters.

    Returns whether the network branches on values, of which the file has one branch only.
    """
    example = torch.from_numpy(batches[1][:2])
    import_silently("sympy", "torch._dynamo", "torch.onnx", "onnxscript")
    found = []
    for exporter in (_export_program, _export_trace):
        try:
            with quietly("torch") as said, seeded(0, torch.device("cpu")):
                exporter(probabilities, example, path)
            # torch.export rejects networks that branch on values; tracing warns
            follows_one_path = any(issubclass(kind, torch.jit.TracerWarning) for kind in said)
            _finish(path, metadata)
            _compare(path, batches, expected)
            return follows_one_path
        except (ImportError, OSError):
            raise
        except Exception as error:  # exporters may raise anything on a user's network
            _check_room(path, probabilities.network)  # another program may have filled the disk
            reason = _ANSI.sub("", str(error)).strip().split("\n")[0]
            found.append(f"{exporter.__doc__} {type(error).__name__}: {reason:.300}")
    raise RuntimeError(
        f"{type(probabilities.network.network).__name__} cannot be exported with the same "
        f"predictions. {' '.join(found)}"
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


def _export_trace(network, example, path):
    """By tracing:"""  # noqa: D400
    torch.onnx.export(
        network,
        (example,),
        str(path),
        dynamo=False,
        dynamic_axes={"X": {0: "n_instances"}, "probabilities": {0: "n_instances"}},
        input_names=["X"],
        output_names=["probabilities"],
    )


def _finish(path, metadata):
    """Fold constants, remove debugging information, and add our metadata."""
    import onnx
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # folds constants: the exporter leaves operations on weights that every session would repeat
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(path)
    onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    model = onnx.load(path)
    for node in model.graph.node:
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    del model.graph.value_info[:]
    onnx.helper.set_model_props(model, {ONNX_KEY: json.dumps(metadata, sort_keys=True)})
    onnx.save(model, path)


def _compare(path, batches, expected):
    student = OnnxClassifier(path)
    for batch, probabilities in zip(batches, expected, strict=True):
        found = student.predict_proba(batch)
        error = np.abs(found - probabilities).max()
        if not error <= _TOLERANCE:
            raise ModelFileError(f"probabilities differ by up to {error:.2g}")
        n_different = int(_labels_differ(found, probabilities).sum())
        if n_different:
            raise ModelFileError(f"{n_different} of {len(batch)} labels differ")


def _compare_deferral(path, batches, expected, score, threshold):
    """Check that the file defers the series that the cascade would, but for rounding."""
    student = OnnxClassifier(path)
    for batch, probabilities in zip(batches, expected, strict=True):
        scores = SCORES[score](probabilities)
        is_clear = ~(np.abs(scores - threshold) < _TOLERANCE_OF_SCORES)
        if (student.defers(batch) != ~(scores > threshold))[is_clear].any():
            raise RuntimeError("The file would defer other series than the cascade.")


def _labels_differ(found, expected):
    """Tell where labels differ, ignoring ties: probabilities equal up to rounding errors."""
    place = np.arange(len(expected))
    margin = expected.max(axis=1) - expected[place, found.argmax(axis=1)]
    return margin > 2 * _TOLERANCE
