"""Where torch may compute in bfloat16."""

import contextlib

import torch

__all__ = ["autocast", "has_bfloat16"]


def has_bfloat16(device):
    """Whether a device is a CUDA card with native bfloat16 support.

    Parameters
    ----------
    device : torch.device

    Returns
    -------
    bool
    """
    if device.type != "cuda":
        return False
    with torch.cuda.device(device):
        return torch.cuda.is_bf16_supported(including_emulation=False)


def autocast(device, *, enabled=True):
    """Compute in bfloat16 where torch considers it safe, on devices that support it.

    Parameters
    ----------
    device : torch.device
    enabled : bool, default=True

    Returns
    -------
    context : context manager
    """
    if not enabled or not has_bfloat16(device):
        return contextlib.nullcontext()
    # a recorded step cannot reuse weights that an earlier step has converted
    return torch.autocast(device.type, dtype=torch.bfloat16, cache_enabled=False)
