"""Checks of numbers, labels and devices, each with a message that helps."""

import math
import numbers

import numpy as np
import pandas as pd
import torch
from sklearn.utils import check_random_state, check_scalar
from sklearn.utils.multiclass import check_classification_targets

__all__ = [
    "check_choice",
    "check_flag",
    "check_labels",
    "check_no_capability_gap",
    "check_number",
    "check_probabilities",
    "check_random_state_parameter",
    "check_verbose",
    "class_indices",
    "resolve_device",
]


def check_number(
    name, value, *, integer=False, low=None, high=None, boundaries="both", none_ok=False
):
    """Refuse a value that is no finite number within its range.

    Parameters
    ----------
    name : str
        What the value is called in the message.
    value : object
    integer : bool, default=False
        Whether only whole numbers are valid.
    low, high : number, optional
        The range.
    boundaries : {"both", "left", "right", "neither"}, default="both"
        Which ends belong to the range.
    none_ok : bool, default=False
        Whether None is valid.

    Raises
    ------
    TypeError
        If the value is no number, or no integer where one is needed.
    ValueError
        If the value is NaN, infinite or out of range.
    """
    if value is None and none_ok:
        return
    kind = numbers.Integral if integer else numbers.Real
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, kind):
        expected = "an integer" if integer else "a number"
        raise TypeError(f"{name} must be {expected}, got {value!r}.")
    # an integer may be too large for math.isfinite
    if not isinstance(value, numbers.Integral) and not math.isfinite(value):
        raise ValueError(f"{name} must be finite, got {value!r}.")
    check_scalar(
        value,
        name,
        kind,
        min_val=low,
        max_val=high,
        # scikit-learn insists that a named boundary has a limit
        include_boundaries=boundaries if low is not None or high is not None else "both",
    )


def check_random_state_parameter(random_state):
    """Refuse what cannot seed a fit, without drawing from it.

    Raises
    ------
    ValueError
        If it is no integer in [0, 2**32 - 1], RandomState or None.
    """
    try:
        if random_state is not None:
            check_random_state(random_state)
    except ValueError as error:
        raise ValueError(
            f"random_state must be an integer in 0 .. 2**32 - 1, a RandomState or None: {error}"
        ) from error


def check_choice(name, value, choices):
    """Refuse a value that is not among the valid ones, naming them.

    Raises
    ------
    ValueError
        If `value` is not in `choices`.
    """
    if not any(value is choice or value == choice for choice in choices):
        valid = ", ".join(repr(choice) for choice in choices)
        raise ValueError(f"{name} must be one of {valid}; got {value!r}.")


def check_flag(name, value):
    """Refuse what is neither True nor False.

    Raises
    ------
    TypeError
        If `value` is no bool.
    """
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False, got {value!r}.")


def check_verbose(verbose):
    """Refuse a ``verbose`` parameter that is no level.

    Raises
    ------
    TypeError
        If it is neither an integer nor a bool.
    ValueError
        If it is negative.
    """
    level = int(verbose) if isinstance(verbose, (bool, np.bool_)) else verbose
    check_number("verbose", level, integer=True, low=0)


def check_probabilities(name, probabilities):
    """Refuse what are no probabilities, such as logits.

    Parameters
    ----------
    name : str
        What the matrix is called in the message.
    probabilities : numpy.ndarray of shape (n_instances, n_classes)

    Raises
    ------
    ValueError
        If it is no matrix, an entry is negative or not finite, or a row does not sum to 1
        (within 1e-3, for those that compute in low precision).
    """
    shape = np.shape(probabilities)
    if len(shape) != 2 or 0 in shape:
        raise ValueError(
            f"{name}: expected probabilities of shape (n_instances, n_classes), got an array of "
            f"shape {shape}."
        )
    if not np.isfinite(probabilities).all():
        raise ValueError(f"{name}: expected probabilities, got values that are not finite.")
    sums = np.sum(probabilities, axis=1)
    if not np.allclose(sums, 1, atol=1e-3) or np.min(probabilities) < 0:
        raise ValueError(
            f"{name}: expected probabilities, of 0 or more and with rows that sum to 1; got values "
            f"from {np.min(probabilities):.3g} to {np.max(probabilities):.3g} whose rows sum to "
            f"{sums.min():.3g} .. {sums.max():.3g}. Logits become probabilities by a softmax."
        )


def check_no_capability_gap(X_metadata, name):
    """Refuse missing values and unequal lengths.

    sktime itself only warns of them where the estimator holds other estimators.

    Raises
    ------
    ValueError
        If `X_metadata` tells of either.
    """
    if X_metadata.get("has_nans"):
        raise ValueError(
            f"X contains NaN, which {name} cannot handle. Impute or drop such series "
            "first, for instance with sktime's Imputer."
        )
    if not X_metadata.get("is_equal_length", True):
        raise ValueError(
            f"X contains series of unequal length, which {name} cannot handle. Bring them "
            "to one length first, for instance with sktime's PaddingTransformer."
        )


def check_labels(y):
    """Refuse what is no set of class labels; make an array of a list.

    Parameters
    ----------
    y : array-like of shape (n_instances,) or (n_instances, n_outputs)

    Returns
    -------
    y : numpy.ndarray, pandas.Series or pandas.DataFrame
        As given, or an array where a list or tuple was given.

    Raises
    ------
    TypeError
        If `y` is None or not array-like.
    ValueError
        If a label is missing, or the labels are continuous numbers.
    """
    if isinstance(y, (pd.Index, pd.Categorical)):
        y = np.asarray(y)
    if isinstance(y, (list, tuple)):
        # an array of mixed items would turn a missing label into the string "nan"
        _check_label_values(pd.Series(y, dtype=object))
        y = np.asarray(y)
    if not isinstance(y, (np.ndarray, pd.Series, pd.DataFrame)):
        raise TypeError(
            "y must be an array, pandas Series or list of class labels, one per series; "
            f"got {y!r:.60}."
        )
    if y.ndim == 0 or 0 in y.shape:
        raise ValueError(
            f"y must hold one class label per series, got an array of shape {y.shape}."
        )
    _check_label_values(y)
    if isinstance(y, np.ndarray) and y.dtype == object and not isinstance(y.flat[0], str):
        y = np.array(y.tolist())  # scikit-learn knows no numbers in an array of objects
    # regression targets would otherwise become as many classes as there are series
    check_classification_targets(np.asarray(y))
    return y


def _check_label_values(y):
    missing = np.asarray(pd.isna(y))
    if missing.any():
        raise ValueError(f"y contains {int(missing.sum())} missing labels (NaN or None).")
    values = np.asarray(y)
    if values.dtype.kind == "f" and np.isinf(values).any():
        raise ValueError("y contains infinite values, which are no class labels.")
    if values.dtype == object:
        kinds = {isinstance(label, str) for label in values.flat}
        if len(kinds) > 1:
            raise TypeError(
                "y mixes strings with other labels; make them all strings or all numbers."
            )


def class_indices(name, labels, classes, *, of="classes"):
    """Turn labels into places among the classes.

    Parameters
    ----------
    name : str
        What the labels are called in the message.
    labels : array-like of shape (n_instances,)
    classes : array-like of shape (n_classes,)
    of : str
        Whose classes they are, for the message.

    Returns
    -------
    indices : numpy.ndarray of shape (n_instances,), int

    Raises
    ------
    ValueError
        If a label is none of the classes.
    """
    known = np.asarray(classes).tolist()
    labels = np.asarray(labels).tolist()
    place = {label: i for i, label in enumerate(known)}
    try:
        return np.array([place[label] for label in labels], dtype=int)
    except (KeyError, TypeError) as error:  # unknown, or not even hashable
        unknown = sorted({repr(label) for label in labels} - set(map(repr, known)))
        same = {str(x) for x in labels if repr(x) in unknown} <= set(map(str, known))
        hint = f" They differ in their type only: convert {name}." if same else ""
        raise ValueError(
            f"{name} holds {', '.join(unknown[:5])}, not among the {of} {known}.{hint}"
        ) from error


def resolve_device(device):
    """Turn a ``device`` parameter into a device that is there.

    Parameters
    ----------
    device : str or torch.device
        "auto" is CUDA where present, else the CPU.

    Returns
    -------
    device : torch.device

    Raises
    ------
    ValueError
        If torch does not know the device or cannot reach it.
    """
    if isinstance(device, str) and device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
        if resolved.type == "meta":
            raise RuntimeError("it computes nothing")
        torch.empty(0, device=resolved)
    except (AssertionError, RuntimeError, TypeError, NotImplementedError) as error:
        raise ValueError(
            f"device={device!r} cannot be used on this machine "
            f'({str(error).splitlines()[0]}). Use "auto", "cpu", or a device that torch can reach.'
        ) from error
    return resolved
