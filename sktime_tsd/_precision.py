"""Where torch may compute in bfloat16."""

import contextlib

import torch

__all__ = ["autocast"]


def autocast(device, *, enabled=True):
    """Compute in bfloat16 where torch deems it safe, on a card that is made for it.

    Parameters
    ----------
    device : torch.device
        Nothing changes on the CPU.
    enabled : bool, default=True

    Returns
    -------
    context : context manager
    """
    if not enabled or device.type != "cuda" or not torch.cuda.is_bf16_supported(False):
        return contextlib.nullcontext()
    # a recorded step cannot keep what an earlier one has converted
    return torch.autocast(device.type, dtype=torch.bfloat16, cache_enabled=False)
