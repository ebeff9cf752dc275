"""Cache keys: digests that are equal for equal settings, estimators, networks and data."""

import dataclasses
import functools
import hashlib
import inspect
import sys
import types
import weakref
from collections.abc import Iterator

import joblib
import numpy as np
import torch
from torch import nn

__all__ = ["fingerprint"]


# Settings that change only speed and verbosity, not results.
_WITHOUT_EFFECT = {"verbose", "n_jobs"}

# Attributes that torch itself sets in every module.
_MODULE_ATTRIBUTES = set(vars(nn.Module()))


def fingerprint(*objects):
    """Compute a digest of settings, estimators, networks and arrays.

    It depends on class, parameters and weights. ``joblib.hash`` differs even for equal
    estimators and networks, since it depends on the identity of the objects they hold.

    Parameters
    ----------
    *objects : object
        Any number of them; their order matters.

    Returns
    -------
    digest : str
        64 hexadecimal digits.

    Raises
    ------
    TypeError
        If a part of them is of an unknown type and cannot be pickled.

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
    elif isinstance(item, np.ndarray) and item.dtype.names:
        for name in item.dtype.names:  # apart: there may be anything in the gaps between fields
            digest.update(name.encode())
            _update(digest, item[name], above)
    elif isinstance(item, np.ndarray) and item.dtype != object:
        digest.update(f"{item.dtype}{item.shape}".encode())
        digest.update(np.ascontiguousarray(item).reshape(-1).view(np.uint8).data)
    elif isinstance(item, weakref.ref):
        pass  # refers to an object that is visited elsewhere, as in torch's LSTM
    elif id(item) in above:  # an object that contains itself
        digest.update(str(above.index(id(item))).encode())
    elif (parts := _parts(item)) is not None:
        for part in parts:
            _update(digest, part, (*above, id(item)))
    else:
        _update_by_pickling(digest, item, above)
    digest.update(b"</>")


def _update_by_pickling(digest, item, above):
    """Use what a pickle would hold: of classes, functions, random states and everything else."""
    try:
        if isinstance(item, (type, types.FunctionType)):
            digest.update(_provenance(item).encode())
            reduced = None
        else:
            reduced = item.__reduce_ex__(4)
        if not isinstance(reduced, tuple):
            digest.update(joblib.hash(item).encode())
            return
    except Exception as error:  # pickling fails in many ways
        raise TypeError(
            f"memory cannot tell whether {item!r:.80} is the same as before, because it "
            "cannot be pickled. Use a function or class that can be imported, or set "
            f"memory=None. ({error})"
        ) from error
    make, arguments, *rest = reduced
    rest = [list(part) if isinstance(part, Iterator) else part for part in rest]
    for part in (make, arguments, *rest):
        _update(digest, part, (*above, id(item)))


@functools.lru_cache(maxsize=1024)
def _provenance(kind):
    """Identify a class or function by its name and its package's version, or its source code.

    A name alone is not enough: a class in a notebook keeps its name when its code changes.
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
    """List the parts of a composite object, in a fixed order; None if it is no composite."""
    if isinstance(item, dict):
        keys = sorted(item, key=repr)
        return [part for key in keys for part in (key, item[key])]
    if isinstance(item, (list, tuple)):
        return item
    if isinstance(item, nn.Module):
        settings = [
            (name, {k: v for k, v in vars(module).items() if k not in _MODULE_ATTRIBUTES})
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
    """Return the fitted state of an estimator; None if it is not fitted."""
    network = getattr(estimator, "network_", None)
    if isinstance(network, nn.Module):
        return network, estimator.classes_
    if not getattr(estimator, "is_fitted", True):
        return None
    # Not only names that end in "_", which not every transformer uses for fitted state. Including
    # too much costs a recomputation; leaving something out gives wrong logits.
    return {
        name: value
        for name, value in vars(estimator).items()
        # timings differ between equal fits
        if name not in parameters and name != "fit_time_"
    }
