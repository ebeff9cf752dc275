"""A student from the files that `save_model` has written."""

from pathlib import Path

import safetensors.torch
import torch

from sktime_tsd._utils.random import seeded
from sktime_tsd._utils.validation import resolve_device
from sktime_tsd.classifier import SkorchClassifier
from sktime_tsd.export._config import (
    class_weight_from_json,
    params_from_json,
    read_config,
    sha256,
)
from sktime_tsd.export._student import typical_series
from sktime_tsd.networks import NETWORKS, ScaledNetwork, build_network
from sktime_tsd.runtime._model_files import ModelFileError, classes_from_json

__all__ = ["CONFIG", "WEIGHTS", "load_model"]

CONFIG, WEIGHTS = "config.json", "model.safetensors"

# No student comes near, in bytes: what is larger is not read into memory.
_LARGEST_CONFIG = 2**24
_LARGEST_WEIGHTS = 2**31

# What a network computes in; torch knows no isfinite of some others.
_FLOATS = (torch.float32, torch.float64, torch.float16, torch.bfloat16)

# Float32 sums in another order differ by less, another network by more.
_TOLERANCE = 1e-3


def load_model(folder, *, network=None, device="auto"):
    """Load a student that `save_model` has written, without running code from the files.

    Parameters
    ----------
    folder : path-like
    network : callable, optional
        Needed for a network that is not of this package: its class, or a function, as it was
        given to `SkorchClassifier`. It is called with the sizes and settings in the files.
    device : str or torch.device, default="auto"
        Where to predict; "auto" is CUDA where present, else the CPU.

    Returns
    -------
    classifier : SkorchClassifier
        Fitted; predicts what the saved one did. Its ``history_`` is empty.

    Raises
    ------
    ModelFileError
        A ``ValueError``. If a file is missing or damaged, is of a newer format, its digest does
        not match, a path leaves the folder, weights are not finite or not those of the network,
        or the network gives other answers than when it was saved.
    ValueError
        If the device cannot be used, or the files need no `network`.

    Notes
    -----
    The digests find damage. They are no signature: whoever can write to the folder can write
    another model with digests that match. Load pickles, of this package, of sktime's ``save`` or
    of joblib, only from places you trust: loading one runs its code.

    Examples
    --------
    See `save_model`.
    """
    folder, on_device = Path(folder), resolve_device(device)
    config = read_config(_read(folder, CONFIG, at_most=_LARGEST_CONFIG))
    factory = _factory(config["network"], network)
    tensors = _read_weights(folder, config["weights"])
    classes = classes_from_json(config["classes"])
    params = config["network"]["params"]
    if params is not None:
        params = {name: params_from_json(value) for name, value in params.items()}
    sizes = config["input"]["n_channels"], config["input"]["n_timepoints"], len(classes)
    classifier = _classifier(factory, params, config, device)
    built = None
    if len(classes) == 1:  # such a classifier has no network
        _check_names(tensors, {})
    else:
        built = _build(factory, sizes, params, tensors)
        _check_answers(built, sizes, config["check_logits"])
        built.to(on_device)
    classifier._set_fitted(classes, built, [], *sizes[:2])
    return classifier


def _read(folder, name, at_most):
    path = folder / name
    try:
        if not folder.is_dir():
            raise ModelFileError(f"{folder} is no folder.")
        if not path.resolve(strict=True).is_relative_to(folder.resolve(strict=True)):
            raise ModelFileError(f"{path} leads out of its folder.")
        if not path.is_file():
            raise ModelFileError(f"{path} is no file.")
        if path.stat().st_size > at_most:
            raise ModelFileError(f"{path} is larger than any {name} of a model.")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ModelFileError(f"{path} is missing.") from error
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
        raise ModelFileError(f"{path} cannot be read: {error}") from error


def _factory(described, given):
    """Give what builds the network."""
    if described["name"] is not None:
        if given is not None:
            raise ValueError("network is for networks of your own; this model needs none.")
        if described["name"] not in NETWORKS:
            raise ModelFileError(
                f"The network {described['name']!r} is not known to this version of sktime_tsd, "
                f"which has {', '.join(NETWORKS)}."
            )
        return NETWORKS[described["name"]]
    if given is None:
        raise ModelFileError(
            f"The network {described['class']} is not of this package: pass its class, "
            f"load_model(..., network={described['class'].rpartition('.')[2]})."
        )
    if isinstance(given, str) or not callable(given):
        raise ValueError(f"network must be a class or function, got {given!r}.")
    return given


def _read_weights(folder, described):
    if described["file"] != WEIGHTS:
        raise ModelFileError(
            f"config.json: the weights must be in {WEIGHTS} in the same folder, got "
            f"{described['file']!r}."
        )
    data = _read(folder, WEIGHTS, at_most=_LARGEST_WEIGHTS)
    if sha256(data) != described["sha256"]:
        raise ModelFileError(
            f"{folder / WEIGHTS} is not the file that was saved: its sha256 does not match the one "
            "in config.json. It may have been copied in part."
        )
    try:
        tensors = safetensors.torch.load(data)
    except Exception as error:  # whatever the library meets in damaged bytes
        raise ModelFileError(f"{folder / WEIGHTS} is damaged: {error}") from error
    for name, tensor in tensors.items():
        if tensor.dtype in _FLOATS and not torch.isfinite(tensor).all():
            raise ModelFileError(f"The weights hold values that are not finite, in {name}.")
    return tensors


def _build(factory, sizes, params, tensors):
    """Build the network of the settings and give it the weights, if they are its own."""
    of_package = factory in NETWORKS.values()
    if of_package:
        _check_settings_fit(sizes, params, tensors)
    empty = torch.empty(0)
    scaling = (tensors.get("mean", empty), tensors.get("std", empty))
    try:
        # ours take no memory before their shapes are known to be right, nor random numbers
        with torch.device("meta") if of_package else seeded(0, torch.device("cpu")):
            inner = (
                factory(*sizes, **(params or {}))
                if of_package
                else build_network(factory, *sizes, params)
            )
        network = ScaledNetwork(inner, *scaling).eval().requires_grad_(False)
        expected = network.state_dict()
    except Exception as error:  # settings of a file, or a user's network, may fail in any way
        raise ModelFileError(
            f"The network cannot be built with the settings {params} of the file: {error}"
        ) from error
    _check_names(tensors, expected)
    _check_scaling(*scaling, n_channels=sizes[0])
    try:
        network.load_state_dict(tensors, strict=True, assign=of_package)
    except RuntimeError as error:
        raise ModelFileError(f"The weights do not fit the network: {error}") from error
    return network


def _check_settings_fit(sizes, params, tensors):
    """Refuse numbers that no network with these weights can have, before one is built."""
    shapes = [tensor.shape for tensor in tensors.values() if tensor.numel()]
    largest = max([1000, *(n for shape in shapes for n in shape)])
    params = params or {}
    found = [sizes[0], sizes[2]]
    for value in params.values():
        found += value if isinstance(value, (list, tuple)) else [value]
    depth, kernel_sizes = params.get("depth"), params.get("kernel_sizes")
    several = isinstance(depth, int) and isinstance(kernel_sizes, (list, tuple))
    if max(len(found), depth * len(kernel_sizes) if several else 0) > 100 + len(tensors):
        raise ModelFileError("The settings are of more layers than there are weights in the file.")
    if any(isinstance(value, (int, float)) and abs(value) > largest for value in found):
        raise ModelFileError(f"The settings {params} are not those of the weights in the file.")


def _check_names(tensors, expected):
    if tensors.keys() != expected.keys():
        missing = sorted(expected.keys() - tensors.keys())[:3]
        surplus = sorted(tensors.keys() - expected.keys())[:3]
        raise ModelFileError(
            f"The weights are not those of the network: missing {missing}, not known {surplus}."
        )
    for name, tensor in expected.items():
        found = tensors[name]
        if found.shape != tensor.shape or found.dtype != tensor.dtype:
            raise ModelFileError(
                f"The weights are not those of the network: {name} must be {tensor.dtype} of shape "
                f"{tuple(tensor.shape)}, got {found.dtype} of shape {tuple(found.shape)}."
            )


def _check_scaling(mean, std, *, n_channels):
    fits = all(value.shape in ((n_channels, 1), (1, 1)) for value in (mean, std))
    if not fits or mean.dtype != torch.float32 or std.dtype != torch.float32 or not (std > 0).all():
        raise ModelFileError("The scaling in the file does not fit the series' channels.")


def _check_answers(network, sizes, logits):
    expected = torch.tensor(logits, dtype=torch.float64)
    try:
        with torch.inference_mode():
            found = network(typical_series(network, *sizes[:2], n_instances=len(logits)))
    except Exception as error:  # a user's network may fail in any way
        raise ModelFileError(
            f"The network cannot read series of the saved shape: {error}"
        ) from error
    scale = 1 + found.abs().max()
    if found.shape != expected.shape or not ((found - expected).abs() <= _TOLERANCE * scale).all():
        raise ModelFileError(
            "The network gives other answers than when it was saved. Its class may have changed, "
            "or the wrong one was passed as network."
        )


def _classifier(factory, params, config, device):
    known = set(SkorchClassifier.get_param_names()) - {"network", "network_params", "device"}
    unknown = sorted(config["settings"].keys() - known)
    if unknown:
        raise ModelFileError(f"config.json: unknown settings {unknown[:3]}.")
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
