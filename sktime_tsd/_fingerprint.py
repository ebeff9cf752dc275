"""Digests that are equal for equal settings and data, for the keys of a cache."""

import dataclasses
import hashlib

import joblib
import numpy as np
import torch
from torch import nn

__all__ = ["fingerprint"]


def fingerprint(*objects):
    """Digest of settings, estimators, networks and arrays.

    ``joblib.hash`` tells equal estimators and networks apart, since it follows the
    identity of what they hold; this follows class, parameters and weights.

    Parameters
    ----------
    *objects : object

    Returns
    -------
    digest : str
        64 hexadecimal digits.

    Examples
    --------
    >>> from sktime_tsd import SkorchClassifier
    >>> from sktime_tsd._fingerprint import fingerprint
    >>> clf = SkorchClassifier("lstm", random_state=0)
    >>> fingerprint(clf) == fingerprint(clf.clone())
    True
    """
    digest = hashlib.sha256()
    for item in objects:
        _update(digest, item)
    return digest.hexdigest()


def _update(digest, item):
    digest.update(f"<{type(item).__module__}.{type(item).__qualname__}>".encode())
    if item is None or isinstance(item, (bool, int, float, complex, str, bytes, np.generic)):
        digest.update(repr(item).encode())
    elif isinstance(item, torch.Tensor):
        _update(digest, item.detach().cpu().numpy())
    elif isinstance(item, np.ndarray) and item.dtype != object:
        digest.update(f"{item.dtype}{item.shape}".encode())
        digest.update(np.ascontiguousarray(item).data)
    elif isinstance(item, nn.Module):
        digest.update(repr(item).encode())
        _update(digest, dict(item.state_dict()))
    elif isinstance(item, dict):
        for key in sorted(item, key=repr):
            _update(digest, key)
            _update(digest, item[key])
    elif isinstance(item, (list, tuple)):
        for part in item:
            _update(digest, part)
    elif dataclasses.is_dataclass(item) and not isinstance(item, type):
        for field in dataclasses.fields(item):
            _update(digest, getattr(item, field.name))
    elif hasattr(item, "get_params") and not isinstance(item, type):
        _update(digest, item.get_params(deep=False))
        _update(digest, _fitted_state(item))
    else:  # classes, functions, random states, whatever else a user passes
        digest.update(joblib.hash(item).encode())
    digest.update(b"</>")


def _fitted_state(estimator):
    """Return what `fit` has left in an estimator; None where nothing has been fitted."""
    network = getattr(estimator, "network_", None)
    if isinstance(network, nn.Module):
        return network, estimator.classes_
    if not getattr(estimator, "is_fitted", True):
        return None
    # Not only names that end in "_": not every transformer keeps to that, and a
    # fingerprint too many costs time, one too few wrong logits.
    parameters = estimator.get_params(deep=False)
    return {
        name: value
        for name, value in vars(estimator).items()
        # timings differ between equal fits
        if name not in parameters and name != "fit_time_"
    }
