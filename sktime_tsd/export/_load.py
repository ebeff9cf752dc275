"""Load a fitted student from a folder written by `save_model`."""

from pathlib import Path

import safetensors.torch
import torch
from sklearn.pipeline import make_pipeline

from sktime_tsd._utils.random import seeded
from sktime_tsd._utils.threads import in_own_thread
from sktime_tsd._utils.usual_state import in_usual_state
from sktime_tsd._utils.validation import resolve_device
from sktime_tsd.classifier import SkorchClassifier
from sktime_tsd.export._config import (
    class_weight_from_json,
    params_from_json,
)
from sktime_tsd.export._forward_cost import check_forward_cost
from sktime_tsd.export._read_folder import WEIGHTS, read_folder
from sktime_tsd.export._steps import steps_from_json
from sktime_tsd.export._student import typical_inputs
from sktime_tsd.networks import NETWORKS, ScaledNetwork, build_network
from sktime_tsd.runtime._model_files import ModelFileError, classes_from_json, names_from_json

__all__ = ["load_model"]

# Dtypes that networks compute in; for some other dtypes torch has no isfinite.
_FLOATS = (torch.float32, torch.float64, torch.float16, torch.bfloat16)

# More than any layer's weights have. torch itself fails beyond 64.
_MOST_DIMENSIONS = 8

# Relative to 1 + the largest logit. Summing float32 in another order changes logits by less,
# another network by more.
_TOLERANCE = 1e-3


@in_usual_state
def load_model(folder, *, network=None, device="auto"):
    """Load a student saved with `save_model`, without running code from the files.

    Parameters
    ----------
    folder : path-like
        Written by `save_model`.
    network : callable, optional
        Needed only if the network is not part of this package: the class or function that was
        passed to `SkorchClassifier`. It is called with the sizes and settings in the files.
    device : str or torch.device, default="auto"
        Where to predict; "auto" is CUDA if available, else the CPU.

    Returns
    -------
    classifier : SkorchClassifier or Pipeline
        Fitted; it predicts what the saved one did. Its ``history_`` is empty. If a pipeline was
        saved, a scikit-learn ``Pipeline`` of the steps (of `sktime_tsd.preprocessing`) and the
        ``SkorchClassifier``.

    Raises
    ------
    ModelFileError
        A ``ValueError``. If a file is missing, damaged or of a newer format, a digest does not
        match, a path leads out of the folder, weights are not finite or do not fit the network,
        a network of this package would take far more than the size of its files suggests, or the
        network's answers differ from those when it was saved.
    ValueError
        If the device cannot be used, or `network` is passed but not needed.

    Notes
    -----
    The digests detect damage. They are not a signature: anyone who can write to the folder can
    put another model there, with digests that match. Load pickles (of this package, of sktime's
    ``save`` or of joblib) only from sources you trust: loading a pickle runs its code.

    Examples
    --------
    See `save_model`.
    """
    folder, on_device = Path(folder), resolve_device(device)
    config, weights = read_folder(folder)
    factory = _factory(config["network"], network)
    tensors = in_own_thread(_tensors, folder, weights)  # a fork may follow
    classes = classes_from_json(config["classes"])
    params = config["network"]["params"]
    if params is not None:
        params = {name: params_from_json(value) for name, value in params.items()}
    sizes = config["input"]["n_channels"], config["input"]["n_timepoints"], len(classes)
    steps = steps_from_json(config["steps"], *sizes[:2]) if "steps" in config else []
    classifier = _classifier(factory, params, config, device)
    built = None
    if len(classes) == 1:  # such a classifier has no network
        _check_names(tensors, {})
    else:
        built = _build(factory, sizes, params, tensors)
        if factory in NETWORKS.values():
            check_forward_cost(built, sizes[1], len(weights))
        in_own_thread(_check_answers, built, sizes, steps, config["check_logits"])
        built.to(on_device)
    classifier._set_fitted(classes, built, [], *sizes[:2])
    classifier._set_channel_names(names_from_json(config["input"], sizes[0]))
    return make_pipeline(*steps, classifier) if steps else classifier


def _factory(described, given):
    """Return the class or function that builds the network."""
    if described["name"] is not None:
        if given is not None:
            raise ValueError(
                f"network must be None for this model, whose network {described['name']!r} is part "
                f"of sktime_tsd; got {given!r}."
            )
        if described["name"] not in NETWORKS:
            raise ModelFileError(
                f"This version of sktime_tsd has no network {described['name']!r:.100}, only "
                f"{', '.join(NETWORKS)}. Upgrade sktime_tsd."
            )
        return NETWORKS[described["name"]]
    if given is None:
        raise ModelFileError(
            f"The network {described['class']:.100} is not part of this package; pass its class: "
            f"load_model(..., network={described['class'].rpartition('.')[2]:.100})."
        )
    if isinstance(given, str) or not callable(given):
        raise ValueError(f"network must be a class or function, got {given!r}.")
    return given


def _tensors(folder, data):
    try:
        tensors = safetensors.torch.load(data)
    except Exception as error:  # the library may raise anything on damaged bytes
        raise ModelFileError(f"{folder / WEIGHTS} is damaged: {error}") from error
    for name, tensor in tensors.items():
        if tensor.ndim > _MOST_DIMENSIONS:
            raise ModelFileError(
                f"{folder / WEIGHTS} is damaged: {name!r:.100} has {tensor.ndim} dimensions."
            )
        if tensor.dtype in _FLOATS and not torch.isfinite(tensor).all():
            raise ModelFileError(f"The weights contain values that are not finite, in {name:.100}.")
    return tensors


def _build(factory, sizes, params, tensors):
    """Build the network from its settings and load the weights, if they fit."""
    of_package = factory in NETWORKS.values()
    if of_package:
        _check_settings_fit(sizes, params, tensors)
    empty = torch.empty(0)
    scaling = (tensors.get("mean", empty), tensors.get("std", empty))
    if not of_package:
        _check_own_names(factory, sizes, params, tensors, scaling)
    try:
        # this package's networks take no memory and no random numbers until shapes are checked
        with torch.device("meta") if of_package else seeded(0, torch.device("cpu")):
            inner = (
                factory(*sizes, **(params or {}))
                if of_package
                else build_network(factory, *sizes, params)
            )
        network = ScaledNetwork(inner, *scaling).eval().requires_grad_(False)
        expected = network.state_dict()
    except Exception as error:  # wrong settings or a user's network may raise anything
        raise ModelFileError(
            f"{getattr(factory, '__name__', 'The network')} cannot be built with the settings "
            f"{params!r:.300} in the file: {error!s:.300}"
        ) from error
    _check_names(tensors, expected)
    _check_scaling(*scaling, n_channels=sizes[0])
    try:
        in_own_thread(lambda: network.load_state_dict(tensors, assign=of_package))
    except RuntimeError as error:
        raise ModelFileError(f"The weights do not fit the network: {error}") from error
    return network


def _check_own_names(factory, sizes, params, tensors, scaling):
    """Compare shapes before a user's network takes memory, which settings could make it do."""
    try:
        with torch.device("meta"), seeded(0, torch.device("cpu")):
            network = ScaledNetwork(factory(*sizes, **(params or {})), *scaling)
            expected = network.state_dict()
    except Exception:  # not every network can be built without values; what is wrong is said later
        return
    _check_names(tensors, expected)


def _check_settings_fit(sizes, params, tensors):
    """Check that sizes in the settings are plausible for these weights, before building."""
    shapes = [tensor.shape for tensor in tensors.values() if tensor.numel()]
    largest = max([1000, *(n for shape in shapes for n in shape)])
    params = params or {}
    found = [sizes[0], sizes[2]]
    for value in params.values():
        found += value if isinstance(value, (list, tuple)) else [value]
    depth, kernel_sizes = params.get("depth"), params.get("kernel_sizes")
    several = isinstance(depth, int) and isinstance(kernel_sizes, (list, tuple))
    if max(len(found), depth * len(kernel_sizes) if several else 0) > 100 + len(tensors):
        raise ModelFileError(
            "The network's settings describe more layers than the file's "
            f"{len(tensors)} tensors of weights can fill."
        )
    if any(isinstance(value, (int, float)) and abs(value) > largest for value in found):
        raise ModelFileError(f"The settings {params!r:.300} do not fit the weights in the file.")


def _check_names(tensors, expected):
    if tensors.keys() != expected.keys():
        missing = sorted(expected.keys() - tensors.keys())[:3]
        surplus = sorted(tensors.keys() - expected.keys())[:3]
        raise ModelFileError(
            f"The weights do not fit the network: missing are {missing!r:.300}, unknown are "
            f"{surplus!r:.300}."
        )
    for name, tensor in expected.items():
        found = tensors[name]
        if found.shape != tensor.shape or found.dtype != tensor.dtype:
            raise ModelFileError(
                f"The weights do not fit the network: {name} must be {tensor.dtype} of shape "
                f"{tuple(tensor.shape)}, got {found.dtype} of shape {tuple(found.shape)}."
            )


def _check_scaling(mean, std, *, n_channels):
    fits = all(value.shape in ((n_channels, 1), (1, 1)) for value in (mean, std))
    of_one_kind = mean.dtype == std.dtype and mean.dtype in (torch.float32, torch.float64)
    if not fits or not of_one_kind or not (std > 0).all():
        raise ModelFileError(
            "The scaling in the file (mean and std) must be float32 or float64, of shape "
            f"({n_channels}, 1) or (1, 1), with positive std; got {mean.dtype} of shape "
            f"{tuple(mean.shape)} and {std.dtype} of shape {tuple(std.shape)}."
        )


def _check_answers(network, sizes, steps, logits):
    expected = torch.tensor(logits, dtype=torch.float64)
    try:
        with torch.inference_mode():
            inputs = typical_inputs(network, *sizes[:2], len(logits), steps)
            found = _answers(network, inputs)
    except Exception as error:  # a user's network may raise anything
        raise ModelFileError(
            f"The network cannot read series of the shape in the file ({sizes[0]} channels, "
            f"{sizes[1]} time points): {error}"
        ) from error
    scale = 1 + found.abs().max()
    if found.shape != expected.shape or not ((found - expected).abs() <= _TOLERANCE * scale).all():
        raise ModelFileError(
            "The network's answers differ from those when it was saved. Its class may have "
            "changed, or the wrong class was passed as network."
        )


def _answers(network, inputs):
    if isinstance(network.network, tuple(NETWORKS.values())):  # one by one: half the memory
        return torch.cat([network(series) for series in inputs.split(1)])
    return network(inputs)


def _classifier(factory, params, config, device):
    known = set(SkorchClassifier.get_param_names()) - {"network", "network_params", "device"}
    unknown = sorted(config["settings"].keys() - known)
    if unknown:
        raise ModelFileError(f"config.json: unknown settings {unknown[:3]!r:.300}.")
    network = config["network"]["name"] or factory
    settings = dict(config["settings"])
    if type(settings.get("class_weight")) is list:
        settings["class_weight"] = class_weight_from_json(settings["class_weight"])
    classifier = SkorchClassifier(network, params, device=device, **settings)
    try:
        classifier._check_parameters()
    except (ValueError, TypeError, OverflowError) as error:
        raise ModelFileError(f"config.json: {error}") from error
    return classifier
