"""Timing: seconds of a call, ratios of two sides that take turns, and their summary."""

import time

import numpy as np
import torch

__all__ = ["seconds", "summary", "turns", "wait_for"]


def seconds(function):
    """Time a call.

    Parameters
    ----------
    function : callable

    Returns
    -------
    seconds : float
    """
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def turns(numerator, denominator, n_turns):
    """Compare two sides that take turns, so that other work on the machine slows both.

    Parameters
    ----------
    numerator, denominator : callable
        Take no arguments and return seconds.
    n_turns : int
        One more turn comes first, to warm up.

    Returns
    -------
    ratios : list of float
        Numerator / denominator, one per turn.
    """
    return [numerator() / denominator() for _ in range(n_turns + 1)][1:]


def summary(ratios):
    """Format the median, smallest and largest ratio.

    Parameters
    ----------
    ratios : sequence of float

    Returns
    -------
    text : str
        Such as "1.10 [1.02, 1.31]".
    """
    return f"{np.median(ratios):.2f} [{min(ratios):.2f}, {max(ratios):.2f}]"


def wait_for(device):
    """Wait until a device has finished its work.

    Parameters
    ----------
    device : torch.device
    """
    if device.type == "cuda":
        torch.cuda.synchronize(device)
