"""Digests that are equal for equal settings and data, for the keys of a cache."""

import dataclasses
import functools
import hashlib
import inspect
import sys
import types
import weakref

import joblib
import numpy as np
import torch
from torch import nn

__all__ = ["fingerprint"]


# Settings that change how much is said and how fast, not what comes out.
_WITHOUT_EFFECT = {"verbose", "n_jobs"}

# What torch itself keeps in every module, beside weights and submodules.
_OF_EVERY_MODULE = set(vars(nn.Module()))


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

    Raises
    ------
    TypeError
        If something in them can be neither read nor pickled.

    Examples
    --------
    >>> from sktime_tsd import SkorchClassifier
    >>> from sktime_tsd._utils.fingerprint import fingerprint
    >>> clf = SkorchClassifier("lstm", random_state=0)
    >>> fingerprint(clf) == fingerprint(clf.clone())
    True
    """
    digest = hashlib.sha256()
    for item in objects:
        _update(digest, item, ())
    return digest.hexdigest()


def _update(digest, item, above):
    digest.update(_provenance(type(item)).encode())
    if item is None or isinstance(item, (bool, int, float, complex, str, bytes, np.generic)):
        digest.update(repr(item).encode())
    elif isinstance(item, torch.Tensor):
        digest.update(f"{item.dtype}{tuple(item.shape)}".encode())
        digest.update(item.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    elif isinstance(item, np.ndarray) and item.dtype != object:
        digest.update(f"{item.dtype}{item.shape}".encode())
        digest.update(np.ascontiguousarray(item).reshape(-1).view(np.uint8).data)
    elif isinstance(item, weakref.ref):
        pass  # a way to something that is met elsewhere, as in torch's LSTM
    elif id(item) in above:  # an object that holds itself
        digest.update(str(above.index(id(item))).encode())
    elif (parts := _parts(item)) is not None:
        for part in parts:
            _update(digest, part, (*above, id(item)))
    else:  # classes, functions, random states, whatever else a user passes
        if isinstance(item, (type, types.FunctionType)):
            digest.update(_provenance(item).encode())
        try:
            digest.update(joblib.hash(item).encode())
        except Exception as error:  # pickling fails in many ways
            raise TypeError(
                f"memory cannot tell whether {item!r:.80} is the same as before, since it "
                "cannot be pickled. Use a function or class that can be imported, or "
                f"memory=None. ({error})"
            ) from error
    digest.update(b"</>")


@functools.lru_cache(maxsize=1024)
def _provenance(kind):
    """Name a class or function and tell its code: by version, or by its source.

    A class of a notebook keeps its name when its code is changed.
    """
    package = sys.modules.get(kind.__module__.partition(".")[0])
    code = getattr(package, "__version__", None)
    if code is None and kind.__module__ != "builtins":
        try:
            code = inspect.getsource(kind)
        except (OSError, TypeError):  # compiled, or typed into a terminal
            code = None
    return f"<{kind.__module__}.{kind.__qualname__} {code}>"


def _parts(item):
    """List what an object consists of, in a fixed order; None for what is no composite."""
    if isinstance(item, dict):
        keys = sorted(item, key=repr)
        return [part for key in keys for part in (key, item[key])]
    if isinstance(item, (list, tuple)):
        return item
    if isinstance(item, nn.Module):
        settings = [
            (name, {k: v for k, v in vars(module).items() if k not in _OF_EVERY_MODULE})
            for name, module in item.named_modules()
        ]
        return [repr(item), dict(item.state_dict()), settings]
    if isinstance(item, type):
        return None
    if dataclasses.is_dataclass(item):
        return [getattr(item, field.name) for field in dataclasses.fields(item)]
    if hasattr(item, "get_params"):
        parameters = item.get_params(deep=False)
        settings = {k: v for k, v in parameters.items() if k not in _WITHOUT_EFFECT}
        return [settings, _fitted_state(item, parameters)]
    return None


def _fitted_state(estimator, parameters):
    """Return what `fit` has left in an estimator; None where nothing has been fitted."""
    network = getattr(estimator, "network_", None)
    if isinstance(network, nn.Module):
        return network, estimator.classes_
    if not getattr(estimator, "is_fitted", True):
        return None
    # Not only names that end in "_": not every transformer keeps to that, and a
    # fingerprint too many costs time, one too few wrong logits.
    return {
        name: value
        for name, value in vars(estimator).items()
        # timings differ between equal fits
        if name not in parameters and name != "fit_time_"
    }
