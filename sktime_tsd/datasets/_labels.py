"""Labels: what is none."""

import numpy as np

__all__ = ["check_no_targets", "stored_labels"]

# Labels of so few kinds are taken for classes, whatever they are.
_N_CLASSES = 10


def check_no_targets(where, labels):
    """Refuse the targets of a regression among labels that are text.

    Parameters
    ----------
    where : object
        What messages call the labels' place.
    labels : numpy.ndarray of shape (n_instances,), str

    Raises
    ------
    ValueError
        If all are numbers, some not whole, and most series have one of their own.
    """
    try:
        targets = labels.astype(np.float64)
    except ValueError:
        return
    fractions = labels[targets != np.round(targets)]
    if len(fractions) and len(np.unique(labels)) > max(_N_CLASSES, len(labels) / 2):
        raise ValueError(
            f"{where} is a regression set: its labels are numbers such as {fractions[0]}, not "
            "classes. Only classification sets can be read."
        )


def stored_labels(where, labels):
    """Check labels, keeping their type.

    Parameters
    ----------
    where : object
        What messages call the labels' place.
    labels : numpy.ndarray of shape (n_instances,)
        Integers, booleans, text or whole numbers.

    Returns
    -------
    labels : numpy.ndarray of shape (n_instances,)
        Bytes and text among objects become text; all else is as given.

    Raises
    ------
    ValueError
        If one is missing, or they are no classes.
    """
    if labels.ndim != 1:
        raise ValueError(f"{where} must be of shape (n_instances,), got {labels.shape}.")
    if labels.dtype.kind == "O" and all(isinstance(label, str) for label in labels):
        labels = labels.astype(str)
    if labels.dtype.kind == "S":
        labels = np.char.decode(labels, "utf-8")
    if labels.dtype.kind not in "iubfU":
        raise ValueError(f"{where} must be text or whole numbers, got dtype {labels.dtype}.")
    if labels.dtype.kind == "f" and not (labels == np.round(labels)).all():
        wrong = labels[labels != np.round(labels)][0]
        raise ValueError(
            f"{where} holds {wrong}: this is a regression set, or a label is missing. Classes are "
            "text or whole numbers."
        )
    return labels
