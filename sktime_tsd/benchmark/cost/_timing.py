"""Times of one run, taken in turns, and what they are reported as."""

import time

import numpy as np
import torch

__all__ = ["seconds", "summary", "wait_for"]


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


def summary(ratios):
    """Median with the least and the greatest.

    Parameters
    ----------
    ratios : sequence of float

    Returns
    -------
    text : str
    """
    return f"{np.median(ratios):.2f} [{min(ratios):.2f}, {max(ratios):.2f}]"


def wait_for(device):
    """Wait until a device has done what it was given.

    Parameters
    ----------
    device : torch.device
    """
    if device.type == "cuda":
        torch.cuda.synchronize(device)
