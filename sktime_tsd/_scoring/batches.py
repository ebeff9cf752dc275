"""Logits of many series, in batches that fit into memory."""

import torch

from sktime_tsd._scoring.out_of_memory import in_batches, try_batch
from sktime_tsd._scoring.precision import autocast, has_bfloat16
from sktime_tsd.networks import NETWORKS, forward_copies

__all__ = ["bank_precision", "copies_logits_in_batches", "logits_in_batches"]

# Values and series in one batch: limits the memory of a network's hidden layers, which can
# hold a hundred times as many values as the series. The CPU's limit is where small and large
# networks are fastest.
_VALUES_PER_BATCH = {"cpu": 2**15, "cuda": 2**22}
_MOST_SERIES_PER_BATCH = 2**14

# Score at least this many copies at once, or their series is read too often.
_FEW_COPIES = 32
_MOST_VALUES_OF_FEW = 2**20


def _batch_size(x, device):
    values = _VALUES_PER_BATCH.get(device.type, 2**15)
    return min(max(1, values // x[0].numel()), _MOST_SERIES_PER_BATCH)


def logits_in_batches(network, x, device):
    """Compute the logits of series.

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
    """Compute the logits of series and of all copies that a bank describes.

    Parameters
    ----------
    network : nn.Module
        In eval mode, on `device`.
    X : torch.Tensor of shape (n_instances, n_channels, n_timepoints)
        The series the bank was drawn for, on any device.
    bank : WindowBank
    device : torch.device
    progress : callable
        Called with the number of copies scored since the last call.

    Returns
    -------
    logits : torch.Tensor of shape (n_instances, n_classes)
        Computed in the precision of `bank_precision`; returned as float32 on the CPU.
    copies_logits : torch.Tensor of shape (n_instances, n_entries, n_classes)
        Computed and returned likewise.
    """
    X, bank = X.to(device), bank.to(device)
    n, n_entries = bank.starts.shape
    few = min(_FEW_COPIES, _MOST_VALUES_OF_FEW // X[0].numel())
    at_once = max(1, few, _batch_size(X, device))
    in_bfloat16 = bank_precision(network, device) == torch.bfloat16

    def score(series, entries):
        starts, fillers = bank.windows(X, series, entries)
        return forward_copies(network, X[series], starts, fillers)

    logits = copies_logits = None
    series, entry = 0, 0
    while series < n:
        # all copies of several series, or some copies of one series
        n_series = max(1, at_once // n_entries) if entry == 0 else 1
        part, entries = slice(series, series + n_series), slice(entry, entry + at_once)
        with torch.inference_mode(), autocast(device, enabled=in_bfloat16):
            scored, at_once = try_batch(
                lambda part=part, entries=entries: score(
                    torch.arange(n, device=device)[part], entries
                ),
                at_once,
            )
        if scored is None:
            continue
        if logits is None:
            n_classes = scored[0].shape[1]
            logits, copies_logits = torch.empty(n, n_classes), torch.empty(n, n_entries, n_classes)
        if entry == 0:
            logits[part] = scored[0].float().cpu()
        copies_logits[part, entries] = scored[1].float().cpu()
        progress(scored[1][..., 0].numel())
        entry = entries.stop
        if entry >= n_entries:
            series, entry = part.stop, 0
    return logits, copies_logits


def bank_precision(network, device):
    """Return the precision in which a bank is scored.

    This package's networks score banks in bfloat16 on CUDA cards that support it: a bank takes
    most of a teacher's time, and saliency needs only percent precision. Other networks may
    contain operations that bfloat16 does not support.

    Parameters
    ----------
    network : nn.Module
    device : torch.device

    Returns
    -------
    dtype : torch.dtype
    """
    ours = type(getattr(network, "network", network)) in NETWORKS.values()
    return torch.bfloat16 if ours and has_bfloat16(device) else torch.float32
