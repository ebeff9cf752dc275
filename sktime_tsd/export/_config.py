"""Read, check and write ``config.json``, which describes a saved model apart from its weights."""

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
    names_from_json,
)

__all__ = [
    "FORMAT",
    "FORMAT_VERSION",
    "N_CHECKED",
    "RULES",
    "class_weight_from_json",
    "class_weight_to_json",
    "format_version",
    "params_from_json",
    "params_to_json",
    "plain",
    "read_config",
    "sha256",
    "write_config",
]

FORMAT = "sktime_tsd model"
FORMAT_VERSION = 2

# Of models without steps before the network that read equally long, complete series, so that older
# versions of the package read them.
_FORMER_VERSION = 1

# Levels of nesting: more than a network's settings have, less than Python's recursion limit.
_MAX_DEPTH = 50

# More than one for each of 100,000 classes. Each takes a while.
_MOST_LISTS = 2**18

#: Settings that are in a file only if they are not the default.
RULES = {"unequal_length", "missing_values"}

#: Number of test series. Their logits are saved, and compared when the model is loaded.
N_CHECKED = 2


def format_version(settings, *, has_steps):
    """Choose the oldest format that can hold a model.

    Parameters
    ----------
    settings : dict
        Of the classifier, as they stand in the file.
    has_steps : bool
        Whether there are steps before the network.

    Returns
    -------
    version : int
    """
    return FORMAT_VERSION if has_steps or RULES & settings.keys() else _FORMER_VERSION


def sha256(data):
    """Return the SHA-256 digest of bytes, as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def _digest(config):
    """Return the digest of a configuration without its own digest, whatever its JSON layout."""
    rest = {key: value for key, value in config.items() if key != "sha256"}
    canonical = json.dumps(rest, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return sha256(canonical.encode())


def write_config(config):
    """Convert a configuration to the contents of its file, with a digest.

    Parameters
    ----------
    config : dict
        In JSON types.

    Returns
    -------
    data : bytes
    """
    config = {**config, "sha256": _digest(config)}
    return (json.dumps(config, indent=1, allow_nan=False) + "\n").encode()


def read_config(data):
    """Read a configuration from the contents of its file, and check it.

    Parameters
    ----------
    data : bytes

    Returns
    -------
    config : dict
        With every entry that `load_model` reads, of the right type.

    Raises
    ------
    ModelFileError
        If the contents are damaged, not a model's, of a newer format, or do not match their
        digest.
    """
    if data.count(b"[") + data.count(b"{") > _MOST_LISTS:
        raise ModelFileError(f"config.json is damaged: it has more than {_MOST_LISTS} lists.")
    try:
        config = json.loads(
            data.decode(), object_pairs_hook=_refuse_duplicates, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"config.json is damaged: {error}") from error
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise ModelFileError("config.json does not describe a model written by save_model.")
    check_format_version(config, FORMAT_VERSION)
    try:
        if _depth(config) > _MAX_DEPTH:
            raise RecursionError(f"it is nested more than {_MAX_DEPTH} levels deep")
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


def _refuse_duplicates(pairs):
    entries = dict(pairs)
    if len(entries) < len(pairs):
        raise ValueError("an entry occurs twice")
    return entries


def _refuse_constant(name):
    raise ValueError(f"{name} is not valid JSON")


def _check_config(config):
    """Check that a configuration has all entries, of the right types.

    Parameters
    ----------
    config : dict

    Raises
    ------
    ModelFileError
        If it does not.
    """
    classes = classes_from_json(entry(config, "classes", dict))
    n_channels, _ = check_sizes(entry(config, "input", dict))
    names_from_json(config["input"], n_channels)
    entry(config, "settings", dict)
    weights = entry(config, "weights", dict)
    for name in ("file", "sha256"):
        entry(weights, name, str)
    network = entry(config, "network", dict)
    entry(network, "name", str, type(None))
    entry(network, "class", str)
    entry(network, "params", dict, type(None))
    expected = format_version(config["settings"], has_steps="steps" in config)
    if config["format_version"] != expected:
        raise ModelFileError(
            f"config.json: format_version must be {FORMAT_VERSION} exactly if there are steps, or "
            f"settings such as {sorted(RULES)[1]}; got {config['format_version']}."
        )
    rows = entry(config, "check_logits", list)
    shape = (N_CHECKED, len(classes)) if len(classes) > 1 else (0,)
    if (len(rows), *{len(row) if isinstance(row, list) else -1 for row in rows}) != shape:
        raise ModelFileError(f"config.json: check_logits must have shape {shape}.")
    if any(type(logit) is not float for row in rows for logit in row):
        raise ModelFileError("config.json: check_logits must hold numbers.")


def class_weight_to_json(class_weight):
    """Convert class weights to JSON types, keeping the type of the labels.

    Parameters
    ----------
    class_weight : dict of label to float

    Returns
    -------
    pairs : list of [label, weight]
    """
    return [[plain(label), plain(weight)] for label, weight in class_weight.items()]


def plain(value):
    """Convert a numpy number to a Python number; return anything else unchanged."""
    return value.item() if isinstance(value, np.generic) else value


def class_weight_from_json(pairs):
    """Convert the output of `class_weight_to_json` back to class weights.

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
        If they are not [label, weight] pairs.
    """
    try:
        return dict(pairs)
    except (TypeError, ValueError) as error:
        raise ModelFileError(
            f"config.json: class_weight must be [label, weight] pairs, got {pairs!r:.100}."
        ) from error


def params_to_json(value):
    """Convert a network's settings to JSON types, with tuples marked as such.

    Parameters
    ----------
    value : None, bool, int, float, str, or lists, tuples and dicts of such
        Numbers may be numpy numbers.

    Returns
    -------
    value : object
        In JSON types.

    Raises
    ------
    TypeError
        If a value is of another type.
    ValueError
        If a number is not finite.
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
        "network_params in a file must be numbers, strings, booleans, None, or lists, tuples and "
        f"dicts of these; got {value!r}."
    )


def params_from_json(value):
    """Convert the output of `params_to_json` back to a network's settings.

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
        raise ModelFileError(
            "config.json: network params must be written as by save_model, as "
            f'{{"tuple": [...]}} or {{"dict": {{...}}}}; got {value!r:.100}.'
        )
    return value
