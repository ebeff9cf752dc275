"""Splits a training set into training series and validation series."""

import warnings

import numpy as np
from sklearn.model_selection import train_test_split

__all__ = ["split_validation"]


def split_validation(y, validation_fraction, seed):
    """Choose the series to train on and those held out for validation.

    The split is stratified if each class has enough series. Otherwise it is random, but every
    class keeps a training series.

    Parameters
    ----------
    y : numpy.ndarray of shape (n_instances,)
        Class indices.
    validation_fraction : float or None
    seed : int

    Returns
    -------
    train : numpy.ndarray of int
        Indices, ascending.
    valid : numpy.ndarray of int or None
        None without `validation_fraction`.

    Raises
    ------
    ValueError
        If there are too few series to hold any out.

    Warns
    -----
    UserWarning
        If the split is not stratified.
    """
    everything = np.arange(len(y))
    if validation_fraction is None:
        return everything, None
    options = {"test_size": validation_fraction, "random_state": seed}
    try:
        train, valid = train_test_split(everything, stratify=y, **options)
    except ValueError as error:
        try:
            train, valid = train_test_split(everything, **options)
        except ValueError:
            raise ValueError(
                f"validation_fraction={validation_fraction} of {len(y)} series leaves no series to "
                "train on or none to validate on. Change it, or set it to None."
            ) from error
        untrained = np.setdiff1d(y, y[train])
        rescued = [valid[y[valid] == label][0] for label in untrained]
        train, valid = np.append(train, rescued).astype(int), np.setdiff1d(valid, rescued)
        if len(valid) == 0:
            raise ValueError(
                f"validation_fraction={validation_fraction} leaves no series to validate on: "
                f"{len(y)} series of {len(np.unique(y))} classes are too few. Set it to None."
            ) from error
        warnings.warn(
            f"The validation split is not stratified: {error} To avoid this, raise "
            "validation_fraction or set it to None.",
            UserWarning,
            stacklevel=2,
        )
    return np.sort(train), np.sort(valid)
