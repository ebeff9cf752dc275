"""Bound what a network of this package takes for one series, before it is run."""

import math

from torch import nn

from sktime_tsd.runtime._model_files import ModelFileError

__all__ = ["check_forward_cost"]

# Bytes of the files from which on a model may take more: nobody calls those small.
_SMALL_FILES = 10**6

# What the trial may take, with small files and with others.
_MOST_BYTES = {True: 2**28, False: 2**32}
_MOST_WORK = {True: 4 * 10**10, False: 10**12}  # multiplications: some seconds; minutes

# Multiplications that take as long as a value of a layer's output, or a step of an LSTM. Measured.
_VALUE, _STEP = 64, 15_000

# Convolutions compute this many channels as fast as one.
_BLOCK = 16


def check_forward_cost(network, n_timepoints, n_bytes):
    """Refuse to run a network that takes far more than the size of its files suggests.

    Parameters
    ----------
    network : nn.Module
        Of this package; it may be on the meta device.
    n_timepoints : int
    n_bytes : int
        Of the weights.

    Raises
    ------
    ModelFileError
        If it takes too much.
    """
    work, widest = 0, 0
    for module in network.modules():
        if isinstance(module, nn.Conv1d):
            channels = module.out_channels, module.in_channels
            blocks = math.prod(_BLOCK * -(-n // _BLOCK) for n in channels)
            work += blocks * module.kernel_size[0] + 3 * _VALUE * module.out_channels
            widest = max(widest, sum(channels))
        elif isinstance(module, nn.LSTM):
            work += module.num_layers * _STEP + sum(p.numel() for p in module.parameters())
            widest = max(widest, module.input_size + 5 * module.hidden_size)
    small = n_bytes < _SMALL_FILES
    itemsize = 4
    if (
        widest * n_timepoints * itemsize > _MOST_BYTES[small]
        or work * n_timepoints > _MOST_WORK[small]
    ):
        raise ModelFileError(
            f"The file says n_timepoints={n_timepoints:,}, for which this network would take "
            f"{widest * n_timepoints * itemsize:,} bytes and {work * n_timepoints:.1g} "
            "multiplications for each series. That is too much to be true."
        )
