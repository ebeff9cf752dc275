"""Copies and pickles of networks with parametrised weights, such as weight norm."""

import copy

import torch
from torch import nn
from torch.nn.utils import parametrize

__all__ = ["deep_copy", "picklable"]


def deep_copy(module):
    """Copy a network, also one that keeps computed tensors as attributes.

    ``torch.nn.utils.weight_norm`` does, and ``copy.deepcopy`` refuses such tensors. Those of the
    copy have the same values and no history.

    Parameters
    ----------
    module : nn.Module

    Returns
    -------
    copied : nn.Module
    """
    computed = {
        id(value): value.detach().clone()
        for part in module.modules()
        for value in vars(part).values()
        if isinstance(value, torch.Tensor) and not value.is_leaf
    }
    return copy.deepcopy(module, computed)


def picklable(module):
    """Return something that can be pickled and is a network again when it is loaded.

    torch gives modules with parametrised weights a class of their own, which does not pickle.

    Parameters
    ----------
    module : nn.Module

    Returns
    -------
    module : nn.Module or _Packed
        The same if no part of it is parametrised.

    Examples
    --------
    >>> import pickle
    >>> from torch import nn
    >>> from sktime_tsd.networks._parametrized import picklable
    >>> module = nn.utils.parametrizations.weight_norm(nn.Linear(3, 2))
    >>> pickle.loads(pickle.dumps(picklable(module)))
    ParametrizedLinear(
      in_features=3, out_features=2, bias=True
      (parametrizations): ModuleDict(
        (weight): ParametrizationList(
          (0): _WeightNorm()
        )
      )
    )
    """
    if any(map(parametrize.is_parametrized, module.modules())):
        return _Packed(module)
    return module


class _Packed:
    """A network whose parametrised parts are of their former classes while it is pickled."""

    def __init__(self, module):
        self._module = deep_copy(module)
        self._parts = [
            name for name, part in module.named_modules() if parametrize.is_parametrized(part)
        ]
        for name in self._parts:
            part = self._module.get_submodule(name)
            part.__class__ = type(part).__bases__[0]
            _drop_compatibility_hooks(part)

    def __reduce__(self):
        return _unpacked, (self._module, self._parts)


def _drop_compatibility_hooks(module):
    """Remove torch's hook that reads checkpoints of its former weight norm: it does not pickle."""
    hooks = module._load_state_dict_pre_hooks
    for key, hook in list(hooks.items()):
        function = getattr(hook, "hook", hook)
        if getattr(function, "__qualname__", "").startswith("weight_norm.<locals>"):
            del hooks[key]


def _unpacked(module, parts):
    for name in parts:
        part = module.get_submodule(name)
        part.__class__ = _parametrised_class(type(part), list(part.parametrizations))
    return module


def _parametrised_class(kind, names):
    """Have torch make the class, with a property for each parametrised weight."""
    model = kind.__new__(kind)
    nn.Module.__init__(model)
    for name in names:
        model.register_parameter(name, nn.Parameter(torch.zeros(1)))
        parametrize.register_parametrization(model, name, nn.Identity(), unsafe=True)
    return type(model)
