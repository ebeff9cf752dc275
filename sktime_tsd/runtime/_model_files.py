"""Shared by all model files: `ModelFileError`, labels as JSON, format checks. numpy only."""

import math

import numpy as np

from sktime_tsd._panels.rules import MISSING_VALUES, STRICT, UNEQUAL_LENGTH, PanelRules
from sktime_tsd.runtime._confidence import SCORES

__all__ = [
    "ONNX_FORMAT_VERSION",
    "ONNX_KEY",
    "ModelFileError",
    "check_format_version",
    "check_sizes",
    "classes_from_json",
    "classes_to_json",
    "deferral_from_json",
    "deferral_to_json",
    "entry",
    "names_from_json",
    "names_to_json",
    "onnx_metadata",
    "rules_from_json",
]

#: Key of our metadata in an ONNX file.
ONNX_KEY = "sktime_tsd"

#: Version of the layout of these metadata.
ONNX_FORMAT_VERSION = 2

# Of files without steps before the network that read equally long, complete series, so that older
# versions of the package read them.
_FORMER_VERSION = 1

_RULES = {"unequal_length": UNEQUAL_LENGTH, "missing_values": MISSING_VALUES}

# Limits that no real model reaches, so that damaged files cannot use up the memory.
_MAX_BYTES_OF_LABELS = 2**26
_MAX_VALUES_OF_A_SERIES = 2**22


class ModelFileError(ValueError):
    """A model file is missing, damaged, or not a file of this package.

    When it is raised, nothing has been loaded.

    Examples
    --------
    >>> from sktime_tsd.runtime import ModelFileError
    >>> issubclass(ModelFileError, ValueError)
    True
    """


# Python type of the labels in JSON, for each kind of numpy dtype.
_KINDS = {"b": bool, "i": int, "u": int, "f": float, "U": str}


def classes_to_json(classes):
    """Convert labels and their dtype to JSON types.

    Parameters
    ----------
    classes : numpy.ndarray of shape (n_classes,)

    Returns
    -------
    description : dict
        ``dtype`` as numpy writes it ("int64", "<U5"), and ``labels``.

    Raises
    ------
    TypeError
        If the labels are not numbers, strings or booleans.
    ValueError
        If a label is infinite or NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from sktime_tsd.runtime._model_files import classes_from_json, classes_to_json
    >>> classes_to_json(np.array([1, 2]))
    {'dtype': 'int64', 'labels': [1, 2]}
    >>> classes_from_json({"dtype": "<U5", "labels": ["left", "right"]})
    array(['left', 'right'], dtype='<U5')
    """
    labels = classes.tolist()
    known = type(labels[0]) in _KINDS.values() and len({type(label) for label in labels}) == 1
    if not known or (classes.dtype.kind not in _KINDS and classes.dtype != object):
        raise TypeError(
            "Only labels that are numbers, strings or booleans, all of one type, can be written to "
            f"a file; got {labels[:5]} of dtype {classes.dtype}."
        )
    if type(labels[0]) is float and not all(map(math.isfinite, labels)):
        raise ValueError(f"Labels in a file must be finite, got {labels[:5]}.")
    dtype = classes.dtype
    return {"dtype": dtype.str if dtype.kind == "U" else dtype.name, "labels": labels}


def classes_from_json(description):
    """Convert the output of `classes_to_json` back to labels.

    Parameters
    ----------
    description : object
        As read from a file.

    Returns
    -------
    classes : numpy.ndarray of shape (n_classes,)

    Raises
    ------
    ModelFileError
        If it does not describe labels.
    """
    try:
        labels = description["labels"]
        name = description["dtype"]
        if not isinstance(name, str) or not isinstance(labels, list) or not labels:
            raise TypeError("dtype must be a string, labels a list that is not empty")
        dtype = np.dtype(name)
        kind = type(labels[0]) if dtype.kind == "O" else _KINDS[dtype.kind]
        if kind not in _KINDS.values() or any(type(label) is not kind for label in labels):
            raise TypeError("the labels are not of the given dtype")
        # numpy would truncate longer strings silently; a dtype that is too wide takes memory
        width = max(map(len, labels)) if dtype.kind == "U" else 0
        if 4 * width > dtype.itemsize or dtype.itemsize * len(labels) > _MAX_BYTES_OF_LABELS:
            raise TypeError("the labels are longer than their dtype, or the dtype is too wide")
        classes = np.array(labels, dtype=dtype)
        if classes.tolist() != labels or len(set(labels)) < len(labels):
            raise TypeError("the labels are not distinct values of their dtype")
    except (KeyError, IndexError, TypeError, ValueError, OverflowError, SyntaxError) as error:
        raise ModelFileError(f"The file has no valid labels: {error}.") from error
    return classes


def onnx_metadata(
    classes,
    n_channels,
    n_timepoints,
    names=None,
    *,
    n_parameters=None,
    rules=STRICT,
    has_steps=False,
    deferral=None,
):
    """Make the metadata of an ONNX file: labels, and the shape of a series.

    Parameters
    ----------
    classes : numpy.ndarray of shape (n_classes,)
    n_channels, n_timepoints : int
    names : sequence, optional
        Of the channels.
    n_parameters : int, optional
        Weights of the network.
    rules : PanelRules, optional
        What to do with unequal lengths and missing values, before anything else.
    has_steps : bool, default=False
        Whether the file also holds steps before the network, which read float64.

    deferral : dict, optional
        ``score`` and ``threshold`` of a cascade.

    Returns
    -------
    metadata : dict
        In JSON types.
    """
    lenient = {name: value for name, value in rules._asdict().items() if name in _RULES}
    lenient = {name: value for name, value in lenient.items() if value != "raise"}
    return {
        "format_version": ONNX_FORMAT_VERSION if has_steps or lenient else _FORMER_VERSION,
        "classes": classes_to_json(classes),
        "n_channels": n_channels,
        "n_timepoints": n_timepoints,
        **({} if n_parameters is None else {"n_parameters": n_parameters}),
        **lenient,
        **names_to_json(names),
        **deferral_to_json(deferral),
    }


def deferral_to_json(deferral):
    """Convert when the student of a cascade defers to an entry of a file.

    Parameters
    ----------
    deferral : dict or None
        ``score``, and ``threshold``, written as text, since JSON has no infinity.

    Returns
    -------
    entries : dict
        With ``deferral``, which older versions skip, or empty.
    """
    if deferral is None:
        return {}
    return {"deferral": {"score": deferral["score"], "threshold": repr(deferral["threshold"])}}


def deferral_from_json(entries):
    """Read when the student of a cascade defers to its teacher.

    Parameters
    ----------
    entries : dict
        As read from a file; ``deferral`` may be missing.

    Returns
    -------
    deferral : tuple (score, threshold) or None
        Name of the score, and what it must exceed for the student to answer.

    Raises
    ------
    ModelFileError
        If the entry is damaged, or the score is unknown.
    """
    if "deferral" not in entries:
        return None
    deferral = entry(entries, "deferral", dict)
    score = entry(deferral, "score", str)
    if score not in SCORES:
        raise ModelFileError(
            f"This version of sktime_tsd has no score {score!r:.100}, only {', '.join(SCORES)}. "
            "Upgrade sktime_tsd."
        )
    try:
        threshold = float(entry(deferral, "threshold", str))
    except ValueError as error:
        raise ModelFileError("The file's threshold is no number.") from error
    if math.isnan(threshold):
        raise ModelFileError("The file's threshold is no number.")
    return score, threshold


def rules_from_json(entries):
    """Read what to do with unequal lengths and missing values.

    Parameters
    ----------
    entries : dict
        As read from a file; what is refused may be missing.

    Returns
    -------
    rules : PanelRules
        Without a length.

    Raises
    ------
    ModelFileError
        If an entry is no such rule.
    """
    for name, known in _RULES.items():
        if name in entries and entries[name] not in known:
            raise ModelFileError(
                f"The file's {name} must be one of {', '.join(known)}, got {entries[name]!r:.100}."
            )
    return PanelRules(**{name: entries[name] for name in _RULES if name in entries})


def names_to_json(names):
    """Convert the names of channels to an entry of a file.

    Parameters
    ----------
    names : sequence or None

    Returns
    -------
    entries : dict
        With ``channels``, or empty if there are no names or they are not all text.
    """
    is_text = names is not None and all(isinstance(name, str) for name in names)
    return {"channels": [str(name) for name in names]} if is_text else {}


def names_from_json(entries, n_channels):
    """Read the names of channels.

    Parameters
    ----------
    entries : dict
        As read from a file; ``channels`` may be missing.
    n_channels : int

    Returns
    -------
    names : list of str or None

    Raises
    ------
    ModelFileError
        If there are names, but not a different one for each channel.
    """
    if "channels" not in entries:
        return None
    names = entry(entries, "channels", list)
    if any(type(name) is not str for name in names) or not (
        len(names) == len(set(names)) == n_channels
    ):
        raise ModelFileError(f"The file's channels must be {n_channels} names, got {names!r:.100}.")
    return names


def entry(entries, name, *kinds):
    """Get an entry of a dict that was read from a file, and check its type.

    Parameters
    ----------
    entries : dict
    name : str
        Key of the entry.
    *kinds : type
        Valid types.

    Returns
    -------
    value : object

    Raises
    ------
    ModelFileError
        If the entry is missing or of another type.
    """
    value = entries.get(name)
    if name not in entries or type(value) not in kinds:
        expected = " or ".join(kind.__name__ for kind in kinds)
        raise ModelFileError(f"The file's {name} must be {expected}, got {value!r:.100}.")
    return value


def check_format_version(entries, newest):
    """Check that this version of the package can read the format of a file.

    Parameters
    ----------
    entries : dict
        With ``format_version``, as read from a file.
    newest : int
        Newest format that can be read.

    Raises
    ------
    ModelFileError
        If the format is newer, or ``format_version`` is not a positive integer.
    """
    version = entry(entries, "format_version", int)
    if version < 1:
        raise ModelFileError(f"The file's format_version must be 1 or more, got {version}.")
    if version > newest:
        raise ModelFileError(
            f"The file has format version {version}; this version of sktime_tsd reads up to "
            f"{newest}. Upgrade sktime_tsd."
        )


def check_sizes(sizes):
    """Check the sizes of a series.

    Parameters
    ----------
    sizes : dict
        With ``n_channels`` and ``n_timepoints``, as read from a file.

    Returns
    -------
    sizes : tuple of int
        ``(n_channels, n_timepoints)``.

    Raises
    ------
    ModelFileError
        If they are missing, not positive integers, or implausibly large.
    """
    n_channels, n_timepoints = (entry(sizes, name, int) for name in ("n_channels", "n_timepoints"))
    if n_channels < 1 or n_timepoints < 1:
        raise ModelFileError(
            "The file's n_channels and n_timepoints must be 1 or more, got "
            f"{n_channels} and {n_timepoints}."
        )
    if n_channels * n_timepoints > _MAX_VALUES_OF_A_SERIES:
        raise ModelFileError(
            f"The file says n_channels={n_channels} and n_timepoints={n_timepoints}, which is too "
            "large to be true."
        )
    return n_channels, n_timepoints
