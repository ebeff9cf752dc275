"""Networks of other libraries, adapted to return logits of every class."""

import io

import torch
from torch import nn

__all__ = ["ForeignNetwork", "adapted"]


class ForeignNetwork(nn.Module):
    """A network whose output is turned into logits.

    Parameters
    ----------
    module : nn.Module
        Returns logits (n, n_classes); an object with them as ``.logits``; or a single logit
        (n,) or (n, 1), that of the second of two classes. May be a ``torch.jit`` module.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.networks import ForeignNetwork
    >>> one_logit = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(24, 1))
    >>> ForeignNetwork(one_logit)(torch.zeros(3, 1, 24)).shape
    torch.Size([3, 2])
    """

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x):
        """Logits.

        Parameters
        ----------
        x : torch.Tensor of shape (n, n_channels, n_timepoints)

        Returns
        -------
        logits : torch.Tensor of shape (n, n_classes)
        """
        output = self.module(x)
        logits = getattr(output, "logits", output)
        if _is_single(logits):
            logits = logits.reshape(-1, 1)
            # sigmoid(z) is the softmax of (0, z)
            logits = torch.cat([torch.zeros_like(logits), logits], dim=1)
        return logits

    def __getstate__(self):
        """Hold a ``torch.jit`` module as bytes: it does not pickle."""
        state = self.__dict__.copy()
        if isinstance(self.module, torch.jit.ScriptModule):
            buffer = io.BytesIO()
            torch.jit.save(self.module, buffer)
            state["_modules"] = {}
            state["scripted"] = buffer.getvalue()
        return state

    def __setstate__(self, state):
        """Read a ``torch.jit`` module from its bytes."""
        scripted = state.pop("scripted", None)
        super().__setstate__(state)
        if scripted is not None:
            self.module = torch.jit.load(io.BytesIO(scripted), map_location="cpu").eval()
            for parameter in self.module.parameters():
                parameter.requires_grad_(False)


def _device(module):
    return next(module.parameters(), torch.empty(0)).device


def _is_single(logits):
    if not isinstance(logits, torch.Tensor):
        return False
    # (n,), or () where the network squeezes the answer to one series
    return logits.ndim < 2 or (logits.ndim == 2 and logits.shape[1] == 1)


def adapted(module, n_classes, input_shape=None):
    """Wrap a network in a `ForeignNetwork` if it needs one.

    Parameters
    ----------
    module : nn.Module
        In eval mode.
    n_classes : int
    input_shape : tuple of int, optional
        ``(n_channels, n_timepoints)``. Without it the outputs cannot be tried.

    Returns
    -------
    module : nn.Module
    """
    if isinstance(module, torch.jit.ScriptModule):
        return ForeignNetwork(module)
    if input_shape is None:
        return module
    try:
        with torch.no_grad():
            output = module(torch.zeros(2, *input_shape, device=_device(module)))
    except Exception:  # what it cannot read is said by `check_logits`
        return module
    if hasattr(output, "logits") or (_is_single(output) and n_classes == 2):
        return ForeignNetwork(module)
    return module
