"""Cache keys: digests that are equal for equal settings, estimators, networks and data."""

import copyreg
import dataclasses
import hashlib
import io
import pickletools
import re
import types
import weakref
import zipfile
from collections.abc import Iterator

import numpy as np
import torch
from torch import nn

from sktime_tsd._utils.code_parts import code_parts, is_code
from sktime_tsd._utils.silence import silenced

__all__ = ["fingerprint"]


# Settings that change only speed and verbosity, not results.
_WITHOUT_EFFECT = {"verbose", "n_jobs"}

# Attributes that torch itself sets in every module, and those of them that answers depend on.
_MODULE_ATTRIBUTES = set(vars(nn.Module()))
_PARTS_OF_MODULE = ("training", "_parameters", "_buffers", "_modules")
_HOOKS = (
    *("_forward_hooks", "_forward_hooks_with_kwargs", "_forward_hooks_always_called"),
    *("_forward_pre_hooks", "_forward_pre_hooks_with_kwargs"),
)

# In the archive of a torch.jit module: what is for debugging, and a number of the file.
_IS_NO_CONTENT = re.compile(r"\.debug_pkl$|serialization_id$")

# torch.jit counts classes of the same name.
_MANGLED = re.compile(r"[/.]?___torch_mangle_\d+")

_VALUES = (type(None), bool, int, float, complex, str, bytes, np.generic)


def fingerprint(*objects):
    """Compute a digest of settings, estimators, networks and arrays.

    It depends on parameters, fitted state, weights, buffers and hooks, and on the code of every
    class and function among them: of installed packages by version, of other code by bytecode, see
    `code_parts`. ``joblib.hash`` differs even for equal estimators and networks, since it depends
    on the identity of the objects they hold.

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
        If a part of them cannot be told from another: an open file, a generator, an object of
        compiled code that cannot be pickled. The message says which.

    Examples
    --------
    >>> from sktime_tsd import SkorchClassifier
    >>> from sktime_tsd._utils.fingerprint import fingerprint
    >>> clf = SkorchClassifier("lstm", random_state=0)
    >>> fingerprint(clf) == fingerprint(clf.clone())
    True
    """
    digest = _Digest()
    for item in objects:
        digest.update(item)
    return digest.hexdigest()


class _Digest:
    """A digest of objects, which knows the digests of the code it has met."""

    def __init__(self, of_code=None):
        self._digest = hashlib.sha256()
        self._of_code = {} if of_code is None else of_code
        self.hexdigest = self._digest.hexdigest

    def _write(self, text):
        self._digest.update(text if isinstance(text, bytes) else text.encode())

    def update(self, item, above=()):
        """Add an object.

        Parameters
        ----------
        item : object
        above : tuple of int
            Identities of the objects that contain it.
        """
        kind = type(item)
        if kind in _VALUES or isinstance(item, np.generic):
            self._write(f"<{kind.__qualname__} {item!r}")
        elif isinstance(item, weakref.ref):
            self._write("<weak")  # refers to an object that is visited elsewhere, as in an LSTM
        elif id(item) in above:  # an object that contains itself
            self._write(f"<above {above.index(id(item))}")
        elif kind is torch.Tensor or isinstance(item, nn.Parameter):
            self._write(f"<{item.dtype}{tuple(item.shape)}")
            values = item.detach().cpu().contiguous().flatten()
            self._digest.update(values.view(torch.uint8).numpy().data)
        elif kind is np.ndarray and item.dtype.names:
            self._write("<fields")
            for name in item.dtype.names:  # apart: there may be anything in the gaps between
                self.update(name)
                self.update(item[name], above)
        elif kind is np.ndarray and item.dtype != object:
            self._write(f"<{item.dtype}{item.shape}")
            self._digest.update(np.ascontiguousarray(item).reshape(-1).view(np.uint8).data)
        elif is_code(item) and not isinstance(item, nn.Module):
            self._write(f"<{self._digest_of_code(item)}")
        else:
            self._update_composite(item, (*above, id(item)))
        self._write(b"</>")

    def _update_composite(self, item, above):
        self._write(f"<{type(item).__qualname__} {self._digest_of_code(type(item))}")
        if isinstance(item, (set, frozenset)):
            self._write("".join(sorted(self._alone(member) for member in item)))
            return
        parts = _parts(item)
        for part in _reduced(item) if parts is None else parts:
            self.update(part, above)

    def _alone(self, item):
        digest = _Digest(self._of_code)
        digest.update(item)
        return digest.hexdigest()

    def _digest_of_code(self, item):
        if id(item) not in self._of_code:
            name = getattr(item, "__qualname__", "")
            self._of_code[id(item)] = item, f"{name} again"  # while it is computed
            try:
                found = self._alone(code_parts(item))
            except BaseException:
                del self._of_code[id(item)]
                raise
            self._of_code[id(item)] = item, found
        return self._of_code[id(item)][1]


def _reduced(item):
    """List what a pickle would hold, of objects that are neither known composites nor code."""
    try:
        registered = copyreg.dispatch_table.get(type(item))
        reduced = item.__reduce_ex__(4) if registered is None else registered(item)
    except Exception as error:  # pickling fails in many ways
        raise TypeError(
            f"memory cannot tell whether {item!r:.80} is the same as before, because it "
            f"cannot be pickled. Leave it out of the teacher, or set memory=None. ({error})"
        ) from error
    if not isinstance(reduced, tuple):  # the name of a global variable
        return [reduced, getattr(item, "__module__", None)]
    return [list(part) if isinstance(part, Iterator) else part for part in reduced]


def _parts(item):
    """List the parts of a composite object, in a fixed order; None if it is no known composite."""
    if hasattr(type(item), "_fingerprint_parts"):
        return item._fingerprint_parts()
    if isinstance(item, dict):
        keys = sorted(item, key=repr)
        return [*(part for key in keys for part in (key, item[key])), *_attributes(item)]
    if isinstance(item, (list, tuple)):
        return [*item, *_attributes(item)]
    if isinstance(item, np.ma.MaskedArray):
        return [np.asarray(item.data), np.ma.getmaskarray(item), item.fill_value]
    if isinstance(item, torch.jit.ScriptModule):
        return _script_parts(item)
    if isinstance(item, nn.Module):
        return _module_parts(item)
    if isinstance(item, types.MethodType):
        return [item.__func__, item.__self__]
    if dataclasses.is_dataclass(item):
        names = [field.name for field in dataclasses.fields(item)]
        rest = {k: v for k, v in getattr(item, "__dict__", {}).items() if k not in names}
        return [*(getattr(item, name) for name in names), rest]
    if hasattr(item, "get_params"):
        parameters = item.get_params(deep=False)
        settings = {k: v for k, v in parameters.items() if k not in _WITHOUT_EFFECT}
        return [settings, _fitted_state(item, parameters)]
    return None


def _attributes(container):
    """List the attributes of a dict or list of a class of its own."""
    own = getattr(container, "__dict__", None)
    return [dict(own)] if own else []


def _module_parts(module):
    if hasattr(module, "_orig_mod"):  # by torch.compile, which changes no answer
        return [module._orig_mod]
    attributes = vars(module)
    parts = [attributes[name] for name in _PARTS_OF_MODULE]
    # the keys of hooks are numbers that count all hooks of the process
    parts += [list(attributes.get(name, {}).values()) for name in _HOOKS]
    return [*parts, {k: v for k, v in attributes.items() if k not in _MODULE_ATTRIBUTES}]


def _script_parts(module):
    """List the files of a torch.jit module, without what differs between equal modules."""
    buffer = io.BytesIO()
    with silenced(category=DeprecationWarning):
        torch.jit.save(module, buffer)
    with zipfile.ZipFile(buffer) as archive:
        names = [name for name in archive.namelist() if not _IS_NO_CONTENT.search(name)]
        files = {name: archive.read(name) for name in names}
    parts = []
    for name, content in files.items():
        text = content.decode("latin-1")
        if name.endswith(".pkl"):  # lengths of names are written, too
            operations = pickletools.genops(content)
            text = "".join(f"{operation.name} {value!r}" for operation, value, _ in operations)
        parts.append((_MANGLED.sub("", name), _MANGLED.sub("", text)))
    return sorted(parts)


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
