"""``config.json``: what beside the weights makes a model, checked before it is believed."""

import hashlib
import json
import math

import numpy as np

from sktime_tsd.runtime._model_files import (
    ModelFileError,
    check_format_version,
    check_sizes,
    classes_from_json,
    entry,
)

__all__ = [
    "FORMAT",
    "FORMAT_VERSION",
    "N_CHECKED",
    "class_weight_from_json",
    "class_weight_to_json",
    "params_from_json",
    "params_to_json",
    "plain",
    "read_config",
    "sha256",
    "write_config",
]

FORMAT = "sktime_tsd model"
FORMAT_VERSION = 1

# More levels than a network's settings have, fewer than Python can follow.
_DEEPEST = 50

#: Series whose logits are kept, to be compared when the model is loaded.
N_CHECKED = 2


def sha256(data):
    """Digest of bytes: 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def _digest(config):
    """Digest of a configuration, its own digest left out, however it is laid out."""
    rest = {key: value for key, value in config.items() if key != "sha256"}
    canonical = json.dumps(rest, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return sha256(canonical.encode())


def write_config(config):
    """Lay out a configuration with its digest.

    Parameters
    ----------
    config : dict

    Returns
    -------
    data : bytes
    """
    config = {**config, "sha256": _digest(config)}
    return (json.dumps(config, indent=1, allow_nan=False) + "\n").encode()


def read_config(data):
    """Read a configuration from the bytes of its file.

    Parameters
    ----------
    data : bytes

    Returns
    -------
    config : dict
        Every entry that `load_model` reads is there and of its type.

    Raises
    ------
    ModelFileError
        If they hold none, one of a newer format, or one whose digest does not match.
    """
    try:
        config = json.loads(
            data.decode(), object_pairs_hook=_without_doubles, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"config.json is damaged: {error}") from error
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise ModelFileError("config.json is not of a model written by save_model.")
    check_format_version(config, FORMAT_VERSION)
    try:
        if _depth(config) > _DEEPEST:
            raise RecursionError("nested more deeply than the configuration of any model")
        digest = _digest(config)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"config.json is damaged: {error}") from error
    if config.get("sha256") != digest:
        raise ModelFileError(
            "config.json has been changed since it was written: its sha256 does not match."
        )
    _check_config(config)
    return config


def _depth(value):
    inner = value.values() if isinstance(value, dict) else value
    return 1 + max(map(_depth, inner), default=0) if isinstance(value, (dict, list)) else 0


def _without_doubles(pairs):
    entries = dict(pairs)
    if len(entries) < len(pairs):
        raise ValueError("an entry stands twice")
    return entries


def _refuse_constant(name):
    raise ValueError(f"{name} is no JSON")


def _check_config(config):
    """Refuse a configuration that lacks an entry, or has one of another type.

    Parameters
    ----------
    config : dict

    Raises
    ------
    ModelFileError
    """
    classes = classes_from_json(entry(config, "classes", dict))
    check_sizes(entry(config, "input", dict))
    entry(config, "settings", dict)
    weights = entry(config, "weights", dict)
    for name in ("file", "sha256"):
        entry(weights, name, str)
    network = entry(config, "network", dict)
    entry(network, "name", str, type(None))
    entry(network, "class", str)
    entry(network, "params", dict, type(None))
    rows = entry(config, "check_logits", list)
    shape = (N_CHECKED, len(classes)) if len(classes) > 1 else (0,)
    if (len(rows), *{len(row) if isinstance(row, list) else -1 for row in rows}) != shape:
        raise ModelFileError(f"config.json: check_logits must be of shape {shape}.")
    if any(type(logit) is not float for row in rows for logit in row):
        raise ModelFileError("config.json: check_logits must hold numbers.")


def class_weight_to_json(class_weight):
    """Write weights of classes as JSON can hold them, whatever the type of the labels.

    Parameters
    ----------
    class_weight : dict of label to float

    Returns
    -------
    pairs : list of [label, weight]
    """
    return [[plain(label), plain(weight)] for label, weight in class_weight.items()]


def plain(value):
    """Give a number of numpy's as Python's; anything else as it is."""
    return value.item() if isinstance(value, np.generic) else value


def class_weight_from_json(pairs):
    """Give back what `class_weight_to_json` has been given.

    Parameters
    ----------
    pairs : list
        As read from a file.

    Returns
    -------
    class_weight : dict

    Raises
    ------
    ModelFileError
        If these are no pairs.
    """
    try:
        return dict(pairs)
    except (TypeError, ValueError) as error:
        raise ModelFileError(f"config.json: no weights of classes: {pairs!r:.100}.") from error


def params_to_json(value):
    """Write settings of a network as JSON can hold them, tuples told from lists.

    Parameters
    ----------
    value : None, bool, int, float, str, or lists, tuples and dicts of such
        Numbers may be numpy's.

    Returns
    -------
    value : the same, in JSON's types

    Raises
    ------
    TypeError
        For anything else.
    ValueError
        For a number that is not finite.
    """
    value = plain(value)
    if type(value) is float and not math.isfinite(value):
        raise ValueError(f"network_params in a file must be finite, got {value}.")
    if value is None or type(value) in (bool, int, float, str):
        return value
    if type(value) is list:
        return [params_to_json(item) for item in value]
    if type(value) is tuple:
        return {"tuple": [params_to_json(item) for item in value]}
    if type(value) is dict and all(type(key) is str for key in value):
        return {"dict": {key: params_to_json(item) for key, item in value.items()}}
    raise TypeError(
        "network_params can be written to a file if they are numbers, strings, truth values, None, "
        f"or lists, tuples and dicts of these; got {value!r}."
    )


def params_from_json(value):
    """Give back what `params_to_json` has been given.

    Parameters
    ----------
    value : object
        As read from a file.

    Returns
    -------
    value : object

    Raises
    ------
    ModelFileError
        If it was not written by `params_to_json`.
    """
    if isinstance(value, list):
        return [params_from_json(item) for item in value]
    if isinstance(value, dict):
        kind, items = next(iter(value.items())) if len(value) == 1 else (None, None)
        if kind == "tuple" and isinstance(items, list):
            return tuple(params_from_json(item) for item in items)
        if kind == "dict" and isinstance(items, dict):
            return {key: params_from_json(item) for key, item in items.items()}
        raise ModelFileError(f"config.json: no settings of a network: {value!r:.100}.")
    return value
