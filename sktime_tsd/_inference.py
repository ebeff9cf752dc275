"""Logits of many series, in batches that the memory can hold."""

from functools import partial

import torch

from sktime_tsd._batches import in_batches
from sktime_tsd._precision import autocast
from sktime_tsd.networks import forward_copies

__all__ = ["copies_logits_in_batches", "logits_in_batches"]

# Values and series in one batch: bounds the memory of a network's hidden layers, which can
# have a hundred times as many values as the series. On the CPU it is where small and large
# networks are fastest.
_VALUES_PER_BATCH = {"cpu": 2**15, "cuda": 2**22}
_MOST_SERIES_PER_BATCH = 2**14

# With fewer copies at once than this, their series is read too often.
_FEW_COPIES = 32
_MOST_VALUES_OF_FEW = 2**20


def _batch_size(x, device):
    values = _VALUES_PER_BATCH.get(device.type, 2**15)
    return min(max(1, values // x[0].numel()), _MOST_SERIES_PER_BATCH)


def logits_in_batches(network, x, device):
    """Logits of series.

    Parameters
    ----------
    network : nn.Module
        In eval mode, on `device`.
    x : torch.Tensor of shape (n, n_channels, n_timepoints)
        On any device.
    device : torch.device

    Returns
    -------
    logits : torch.Tensor of shape (n, n_classes)
        On `device`.
    """
    with torch.inference_mode():
        return in_batches(lambda part: network(x[part].to(device)), len(x), _batch_size(x, device))


def copies_logits_in_batches(network, X, bank, device, progress):
    """Logits of series and of all copies that a bank describes.

    On CUDA in bfloat16, where the card has it: a bank is what teachers spend their time on,
    and saliency is a matter of per cents.

    Parameters
    ----------
    network : nn.Module
        In eval mode, on `device`.
    X : torch.Tensor of shape (n_instances, n_channels, n_timepoints)
        The set the bank was drawn for, on any device.
    bank : WindowBank
    device : torch.device
    progress : callable
        Told how many copies have been scored.

    Returns
    -------
    logits : torch.Tensor of shape (n_instances, n_classes)
        Of the same precision, so that a window without effect has none. On the CPU, in
        float32.
    copies_logits : torch.Tensor of shape (n_instances, n_entries, n_classes)
        Likewise.
    """
    X, bank = X.to(device), bank.to(device)
    few = min(_FEW_COPIES, _MOST_VALUES_OF_FEW // X[0].numel())
    at_once = max(1, few, _batch_size(X, device))

    def score(part, entries):
        series = torch.arange(len(X), device=device)[part]
        starts, fillers = bank.windows(X, series, entries)
        logits, copies_logits = forward_copies(network, X[series], starts, fillers)
        progress(starts.numel())
        return logits.float().cpu(), copies_logits.float().cpu()

    with torch.inference_mode(), autocast(device):
        parts = [
            in_batches(partial(score, entries=entries), len(X), max(1, at_once // len(entries)))
            for entries in torch.arange(bank.n_entries, device=device).split(at_once)
        ]
    return parts[0][0], torch.cat([copies_logits for _, copies_logits in parts], dim=1)
