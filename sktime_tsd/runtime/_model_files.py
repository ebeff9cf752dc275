"""What all files of models have in common: their error, their labels; with numpy alone."""

import math

import numpy as np

__all__ = [
    "ONNX_FORMAT_VERSION",
    "ONNX_KEY",
    "ModelFileError",
    "check_format_version",
    "check_sizes",
    "classes_from_json",
    "classes_to_json",
    "entry",
    "onnx_metadata",
]

#: Under what name the metadata stand in an ONNX file.
ONNX_KEY = "sktime_tsd"

#: Version of these metadata.
ONNX_FORMAT_VERSION = 1

# Labels are words, not books.
_MOST_BYTES_OF_LABELS = 2**26

# A series of more values than this is no series a small network was made for.
_MOST_VALUES_OF_A_SERIES = 2**22


class ModelFileError(ValueError):
    """A file of a model is missing, damaged, or not what it says it is.

    Nothing has been loaded when it is raised.
    """


# Python's type of the labels of each kind of dtype, as JSON has it.
_KINDS = {"b": bool, "i": int, "u": int, "f": float, "U": str}


def classes_to_json(classes):
    """Describe labels, with their dtype, as JSON can hold them.

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
        If the labels are neither numbers, strings nor truth values.
    ValueError
        If one is infinite or not a number.

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
            "Only labels that are numbers, strings or truth values can be written to a file; got "
            f"{labels[:5]} of dtype {classes.dtype}."
        )
    if type(labels[0]) is float and not all(map(math.isfinite, labels)):
        raise ValueError(f"Labels in a file must be finite, got {labels[:5]}.")
    dtype = classes.dtype
    return {"dtype": dtype.str if dtype.kind == "U" else dtype.name, "labels": labels}


def classes_from_json(description):
    """Give the labels that `classes_to_json` has described.

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
        If it describes no labels.
    """
    try:
        labels = description["labels"]
        name = description["dtype"]
        if not isinstance(name, str) or not isinstance(labels, list) or not labels:
            raise TypeError("dtype must be text, labels a list")
        dtype = np.dtype(name)
        kind = type(labels[0]) if dtype.kind == "O" else _KINDS[dtype.kind]
        if kind not in _KINDS.values() or any(type(label) is not kind for label in labels):
            raise TypeError("the labels are not of their dtype")
        # a string that is too long would be cut in silence; a dtype that is too wide takes memory
        width = max(map(len, labels)) if dtype.kind == "U" else 0
        if 4 * width > dtype.itemsize or dtype.itemsize * len(labels) > _MOST_BYTES_OF_LABELS:
            raise TypeError("labels longer than their dtype, or a dtype too wide")
        classes = np.array(labels, dtype=dtype)
        if classes.tolist() != labels or len(set(labels)) < len(labels):
            raise TypeError("labels that differ in the file do not in their dtype")
    except (KeyError, IndexError, TypeError, ValueError, OverflowError, SyntaxError) as error:
        raise ModelFileError(f"The file names no labels that can be used ({error}).") from error
    return classes


def onnx_metadata(classes, n_channels, n_timepoints):
    """Describe what goes into an ONNX file and what comes out.

    Parameters
    ----------
    classes : numpy.ndarray of shape (n_classes,)
    n_channels, n_timepoints : int

    Returns
    -------
    metadata : dict
    """
    return {
        "format_version": ONNX_FORMAT_VERSION,
        "classes": classes_to_json(classes),
        "n_channels": n_channels,
        "n_timepoints": n_timepoints,
    }


def entry(entries, name, *kinds):
    """Give an entry of what was read from a file.

    Parameters
    ----------
    entries : dict
    name : str
    *kinds : type
        What it may be.

    Returns
    -------
    value : object

    Raises
    ------
    ModelFileError
        If it is not there, or of another type.
    """
    value = entries.get(name)
    if name not in entries or type(value) not in kinds:
        expected = " or ".join(kind.__name__ for kind in kinds)
        raise ModelFileError(f"The file's {name} must be {expected}, got {value!r:.100}.")
    return value


def check_format_version(entries, newest):
    """Refuse files of a newer format than this version reads.

    Parameters
    ----------
    entries : dict
        With ``format_version``, as read from a file.
    newest : int

    Raises
    ------
    ModelFileError
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
    """Refuse sizes that no series has.

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
    """
    n_channels, n_timepoints = (entry(sizes, name, int) for name in ("n_channels", "n_timepoints"))
    if n_channels < 1 or n_timepoints < 1:
        raise ModelFileError(
            "The file's n_channels and n_timepoints must be 1 or more, got "
            f"{n_channels} and {n_timepoints}."
        )
    if n_channels * n_timepoints > _MOST_VALUES_OF_A_SERIES:
        raise ModelFileError(
            f"Series of {n_channels} channels and {n_timepoints} time points are too large to be "
            "meant."
        )
    return n_channels, n_timepoints
