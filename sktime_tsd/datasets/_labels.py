"""Labels that a file stores with their type."""

import numpy as np

__all__ = ["stored_labels"]


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
