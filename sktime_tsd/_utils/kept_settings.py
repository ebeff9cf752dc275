"""Settings of the process, kept while code of others runs."""

import contextlib
import logging
import sys
import warnings

import numpy as np
import torch

__all__ = ["kept_settings"]


def _filters():
    return list(warnings.filters)


def _set_filters(filters):
    warnings.filters[:] = filters


def _root_logger():
    root = logging.getLogger()
    return root.level, list(root.handlers), logging.root.manager.disable


def _set_root_logger(settings):
    level, handlers, disabled = settings
    root = logging.getLogger()
    root.setLevel(level)
    root.handlers[:] = handlers
    logging.disable(disabled)


def _streams():
    return sys.stdin, sys.stdout, sys.stderr


def _set_streams(streams):
    sys.stdin, sys.stdout, sys.stderr = streams


def _cudnn():
    cudnn = torch.backends.cudnn
    return cudnn.enabled, cudnn.benchmark, cudnn.deterministic


def _set_cudnn(flags):
    cudnn = torch.backends.cudnn
    cudnn.enabled, cudnn.benchmark, cudnn.deterministic = flags


_OF_THREAD = [
    (torch.is_grad_enabled, torch.set_grad_enabled),
    (np.geterr, lambda errors: np.seterr(**errors)),
]
_OF_PROCESS = [
    (torch.get_default_dtype, torch.set_default_dtype),
    (torch.are_deterministic_algorithms_enabled, torch.use_deterministic_algorithms),
    (_cudnn, _set_cudnn),
    (_filters, _set_filters),
    (_root_logger, _set_root_logger),
    (_streams, _set_streams),
]


@contextlib.contextmanager
def kept_settings(*, of_process=True):
    """Put back settings that are others on exit than on entry.

    They are torch's grad mode and numpy's reaction to errors; and, of the process, torch's default
    dtype, its flags of deterministic algorithms and cuDNN, warning filters, level and handlers of
    the root logger, and standard streams.

    Parameters
    ----------
    of_process : bool, default=True
        False for code that may run in several threads at a time.

    Examples
    --------
    >>> import warnings
    >>> from sktime_tsd._utils.kept_settings import kept_settings
    >>> before = list(warnings.filters)
    >>> with kept_settings():
    ...     warnings.simplefilter("ignore")
    >>> warnings.filters == before
    True
    """
    settings = _OF_THREAD + (_OF_PROCESS if of_process else [])
    before = [get() for get, _ in settings]
    try:
        yield
    finally:
        for (get, put), value in zip(settings, before, strict=True):
            if get() != value:
                put(value)
