"""Validation of parameters: numbers, choices, labels, probabilities and devices."""

import math
import numbers

import numpy as np
import torch
from sklearn.utils import check_random_state, check_scalar

__all__ = [
    "check_choice",
    "check_distinct_labels",
    "check_flag",
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
    """Check that a value is a finite number within a range.

    Parameters
    ----------
    name : str
        What the message calls the value.
    value : object
    integer : bool, default=False
        Whether only integers are valid.
    low, high : number, optional
        Ends of the range. Default: no limit.
    boundaries : {"both", "left", "right", "neither"}, default="both"
        Which ends belong to the range.
    none_ok : bool, default=False
        Whether None is valid.

    Raises
    ------
    TypeError
        If the value is not a number, or not an integer if one is required.
    ValueError
        If the value is NaN, infinite or out of range.

    Examples
    --------
    >>> from sktime_tsd._utils.validation import check_number
    >>> check_number("lr", -1, low=0, boundaries="neither")
    Traceback (most recent call last):
        ...
    ValueError: lr == -1, must be > 0.
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
        # scikit-learn accepts "left", "right" and "neither" only if there is a limit
        include_boundaries=boundaries if low is not None or high is not None else "both",
    )


def check_random_state_parameter(random_state):
    """Check that `random_state` can seed a fit, without drawing from it.

    Raises
    ------
    ValueError
        If it is not an integer in [0, 2**32 - 1], a RandomState or None.
    """
    try:
        if random_state is not None:
            check_random_state(random_state)
    except ValueError as error:
        raise ValueError(
            f"random_state must be an integer in 0 .. 2**32 - 1, a RandomState or None: {error}"
        ) from error


def check_choice(name, value, choices):
    """Check that a value is one of the valid choices.

    Raises
    ------
    ValueError
        If `value` is not in `choices`. The message lists them.
    """
    if not any(value is choice or value == choice for choice in choices):
        valid = ", ".join(repr(choice) for choice in choices)
        raise ValueError(f"{name} must be one of {valid}; got {value!r}.")


def check_flag(name, value):
    """Check that a value is True or False.

    Raises
    ------
    TypeError
        If `value` is not a bool.
    """
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False, got {value!r}.")


def check_verbose(verbose):
    """Check that a ``verbose`` parameter is a level of verbosity.

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
    """Check that a matrix holds class probabilities, and not, say, logits.

    Parameters
    ----------
    name : str
        What the message calls the matrix.
    probabilities : numpy.ndarray of shape (n_instances, n_classes)

    Raises
    ------
    ValueError
        If the shape is wrong, an entry is negative or not finite, or a row does not sum to 1
        (within 1e-3, which allows for computation in low precision).
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
        are_percentages = np.allclose(sums, 100, atol=0.1) and np.min(probabilities) >= 0
        remedy = (
            "These are percentages: divide them by 100."
            if are_percentages
            else "If these are logits, apply a softmax first."
        )
        raise ValueError(
            f"{name}: expected probabilities, at least 0 and with rows that sum to 1; got values "
            f"from {np.min(probabilities):.3g} to {np.max(probabilities):.3g} with row sums from "
            f"{sums.min():.3g} to {sums.max():.3g}. {remedy}"
        )


def check_distinct_labels(classes):
    """Check the labels of a classifier's columns.

    Parameters
    ----------
    classes : array-like of shape (n_classes,)

    Returns
    -------
    classes : numpy.ndarray of shape (n_classes,)

    Raises
    ------
    ValueError
        If they are not two or more different labels.
    """
    classes = np.asarray(classes)
    if classes.ndim != 1 or len(classes) < 2 or len(np.unique(classes)) < len(classes):
        raise ValueError(f"classes must be two or more different labels, got {classes.tolist()}.")
    return classes


def class_indices(name, labels, classes, *, of="classes"):
    """Convert labels to class indices.

    Parameters
    ----------
    name : str
        What the message calls the labels.
    labels : array-like of shape (n_instances,)
    classes : array-like of shape (n_classes,)
    of : str
        What the message calls the classes, such as "teacher's classes".

    Returns
    -------
    indices : numpy.ndarray of shape (n_instances,), int
        Positions in `classes`.

    Raises
    ------
    ValueError
        If a label is not among the classes.
    """
    known = np.asarray(classes).tolist()
    labels = np.asarray(labels).tolist()
    place = {label: i for i, label in enumerate(known)}
    try:
        return np.array([place[label] for label in labels], dtype=int)
    except (KeyError, TypeError) as error:  # unknown, or not even hashable
        unknown = sorted({repr(label) for label in labels} - set(map(repr, known)))
        same = {str(x) for x in labels if repr(x) in unknown} <= set(map(str, known))
        hint = f" They differ only in type: convert {name}." if same else ""
        raise ValueError(
            f"{name} contains {', '.join(unknown[:5])}, not among the {of} {known}.{hint}"
        ) from error


def resolve_device(device):
    """Convert a ``device`` parameter to an available device.

    Parameters
    ----------
    device : str or torch.device
        "auto" is CUDA if available, else the CPU.

    Returns
    -------
    device : torch.device

    Raises
    ------
    ValueError
        If torch does not know the device or cannot use it.
    """
    if isinstance(device, str) and device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
        if resolved.type == "meta":
            raise RuntimeError("the meta device holds no values")
        torch.empty(0, device=resolved)
    except (AssertionError, RuntimeError, TypeError, NotImplementedError) as error:
        raise ValueError(
            f"device={device!r} cannot be used on this machine "
            f'({str(error).splitlines()[0]}). Use "auto", "cpu", or a device that torch can use.'
        ) from error
    return resolved
