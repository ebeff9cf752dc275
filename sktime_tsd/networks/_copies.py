"""Forward pass over series and perturbed copies that differ from them in one window."""

import torch

from sktime_tsd._utils.windows import replace_window

__all__ = ["forward_copies", "read_whole"]


def forward_copies(network, x, starts, fillers):
    """Logits of series, and of copies of them that have other values in one window.

    The result is that of a forward pass over series and copies as one batch. On the CPU, a
    network with a method ``forward_copies(x, starts, fillers)`` may compute it with less work,
    since a copy equals its series outside the window.

    Parameters
    ----------
    network : nn.Module
        Maps (n, n_channels, n_timepoints) to logits (n, n_classes).
    x : torch.Tensor of shape (n_series, n_channels, n_timepoints)
        The first n of them have copies.
    starts : torch.Tensor of shape (n, n_copies), int64
        First time point of each copy's window.
    fillers : torch.Tensor of shape (n, n_copies, n_channels, width)
        Values that replace those in the windows.

    Returns
    -------
    logits : torch.Tensor of shape (n_series, n_classes)
    copies_logits : torch.Tensor of shape (n, n_copies, n_classes)

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.networks import LSTM, forward_copies
    >>> network = LSTM(1, 20, 3, hidden_size=4, num_layers=1)
    >>> starts, fillers = torch.tensor([[0, 17]] * 5), torch.zeros(5, 2, 1, 3)
    >>> logits, copies_logits = forward_copies(network, torch.randn(5, 1, 20), starts, fillers)
    >>> logits.shape, copies_logits.shape
    (torch.Size([5, 3]), torch.Size([5, 2, 3]))
    """
    # On CUDA, a small network spends its time launching kernels, and one batch of complete
    # copies needs the fewest.
    if x.device.type == "cpu" and starts.numel() and _reads_copies(network):
        return network.forward_copies(x, starts, fillers)
    return read_whole(network, x, starts, fillers)


def read_whole(network, x, starts, fillers):
    """Compute `forward_copies` for any network, with series and copies as one batch."""
    n, n_copies = starts.shape
    copies = replace_window(x[:n].unsqueeze(1).expand(-1, n_copies, -1, -1), starts, fillers)
    # one forward pass, so that batch norm normalises series and copies together
    both = network(torch.cat([x, copies.flatten(0, 1)]))
    logits, copies_logits = both.split([len(x), n * n_copies])
    return logits, copies_logits.unflatten(0, (n, n_copies))


def _reads_copies(network):
    """Tell whether the network has a `forward_copies` that matches its forward pass.

    It does not if a subclass changes the forward pass but inherits `forward_copies`. Hooks and
    compiled modules only work through a normal call.
    """
    passes = {"forward_copies", "forward", "features"}
    nearest = next(kind for kind in type(network).__mro__ if passes & vars(kind).keys())
    if "forward_copies" not in vars(nearest):
        return False
    return not any("forward" in vars(module) or _has_hooks(module) for module in network.modules())


def _has_hooks(module):
    return (
        module._forward_hooks
        or module._forward_pre_hooks
        or module._backward_hooks
        or module._backward_pre_hooks
    )
