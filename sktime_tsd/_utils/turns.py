"""Threads of the process take turns where there is only one of something."""

import os
import threading

__all__ = ["turn"]

_TURN = threading.RLock()


def _renew_turn():
    global _TURN
    _TURN = threading.RLock()


# A child forked while another thread trains would wait for that thread forever.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_turn)


def turn():
    """Return the lock of what threads must not change together.

    torch has one generator per process, and fits in several threads would disturb each other's
    draws. Exporters replace loggers' levels. One lock serves all, so that none waits for another.

    Returns
    -------
    lock : context manager
        A thread that holds it may take it again.
    """
    return _TURN
