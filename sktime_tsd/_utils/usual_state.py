"""Run under the settings of a new process, whatever the caller has set."""

import contextlib
import functools
import threading

import numpy as np
import torch

__all__ = ["in_usual_state", "usual_state"]

_NUMPY_ERRORS = {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}
_LOCK = threading.Lock()


class _Float32ByDefault:
    """Makes float32 torch's default dtype while any thread is inside.

    The default belongs to the process. The first thread in sets it, the last one out puts the
    caller's back.
    """

    def __init__(self):
        self._n_inside, self._of_caller = 0, None

    def __enter__(self):
        with _LOCK:
            if self._n_inside == 0:
                self._of_caller = torch.get_default_dtype()
                if self._of_caller != torch.float32:
                    torch.set_default_dtype(torch.float32)
            self._n_inside += 1

    def __exit__(self, *error):
        with _LOCK:
            self._n_inside -= 1
            if self._n_inside == 0 and self._of_caller != torch.float32:
                torch.set_default_dtype(self._of_caller)


_float32_by_default = _Float32ByDefault()


class usual_state:  # noqa: N801 - used like a function
    """Use the usual settings of torch and numpy, and put the caller's back.

    They are: float32 as default dtype, the CPU as default device, gradients on, neither inference
    mode nor autocast; numpy warns of errors in floating point, other than underflow. Networks
    are trained, checked and asked under them, so that they give the same answers everywhere.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd._utils.usual_state import usual_state
    >>> with torch.inference_mode(), usual_state():
    ...     torch.ones(1, requires_grad=True).exp().requires_grad
    True
    """

    def __enter__(self):
        self._stack = None
        with contextlib.ExitStack() as stack:
            stack.enter_context(_float32_by_default)
            for context in _contexts():
                stack.enter_context(context)
            self._stack = stack.pop_all()

    def __exit__(self, *error):
        self._stack.close()


def _contexts():
    """Yield what is needed to leave the caller's settings: mostly nothing."""
    if np.geterr() != _NUMPY_ERRORS:
        yield np.errstate(**_NUMPY_ERRORS)
    if torch.is_inference_mode_enabled():
        yield torch.inference_mode(False)
    if not torch.is_grad_enabled():
        yield torch.enable_grad()
    for device in ("cpu", "cuda"):
        if torch.is_autocast_enabled(device):
            yield torch.autocast(device, enabled=False)
    if torch.empty(0).device.type != "cpu":  # faster than torch.get_default_device
        yield torch.device("cpu")


def in_usual_state(function):
    """Decorate a public function so that it runs in the `usual_state`."""

    @functools.wraps(function)
    def run(*args, **kwargs):
        with usual_state():
            return function(*args, **kwargs)

    return run
