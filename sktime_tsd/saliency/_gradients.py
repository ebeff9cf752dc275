"""Integrated gradients of torch networks."""

import numpy as np
import torch

from sktime_tsd._utils.guest import SEED_OF_GUESTS, as_guest

__all__ = ["integrated_gradients"]

# Values of series at once: the gradient keeps all hidden layers in memory.
_VALUES_AT_ONCE = 2**16


def integrated_gradients(network, X, targets, *, device, n_steps=20):
    r"""Attribute the logit of a class to the time points of a series.

    The attribution to time point u is

    .. math:: \sum_c (x_{cu} - \bar x_c) \int_0^1
              \frac{\partial f(\bar x + a (x - \bar x))}{\partial x_{cu}} \, da

    where :math:`\bar x` is a series with the mean of each channel at all time points, and f is
    the logit of the class minus the mean of all logits, since a constant added to all of them
    changes no answer. The integral is a Gauss-Legendre sum. The attributions of a series sum to
    :math:`f(x) - f(\bar x)`, up to its error.

    It is written out here, not taken from captum, because a metric must not depend on what else
    is installed; captum is what the tests compare it with.

    Parameters
    ----------
    network : nn.Module
        Maps raw series to logits. In eval mode, on `device`.
    X : torch.Tensor of shape (n_instances, n_channels, n_timepoints)
    targets : numpy.ndarray of shape (n_instances,), int
        Column of each series' class.
    device : torch.device
    n_steps : int, default=20
        Points of the sum. Each costs one forward and one backward pass per series.

    Returns
    -------
    values : numpy.ndarray of shape (n_instances, n_timepoints)
        Positive where the series supports the class.

    Raises
    ------
    RuntimeError
        If torch cannot differentiate the network.

    References
    ----------
    Sundararajan, Taly, Yan, "Axiomatic attribution for deep networks", ICML 2017.
    """
    nodes, weights = np.polynomial.legendre.leggauss(n_steps)  # on [-1, 1]
    nodes, weights = (
        torch.from_numpy(part).to(device, X.dtype)[:, None, None]
        for part in ((1 + nodes) / 2, weights / 2)
    )
    found = []
    at_once = max(1, _VALUES_AT_ONCE // (n_steps * X[0].numel()))
    # recurrent layers of cuDNN have no gradient in eval mode
    with as_guest(SEED_OF_GUESTS), torch.backends.cudnn.flags(enabled=False), torch.enable_grad():
        for part in torch.arange(len(X)).split(at_once):
            x = X[part].to(device)
            baseline = x.mean(dim=-1, keepdim=True)
            change = x - baseline
            path = baseline[:, None] + nodes * change[:, None]  # (n, n_steps, n_channels, ...)
            path = path.flatten(0, 1).requires_grad_()
            logits = network(path)
            column = torch.from_numpy(targets[part.numpy()]).to(device).repeat_interleave(n_steps)
            own = logits.gather(1, column[:, None]).squeeze(1) - logits.mean(dim=1)
            (gradient,) = torch.autograd.grad(own.sum(), path)
            mean_gradient = (weights * gradient.unflatten(0, (len(x), n_steps))).sum(dim=1)
            found.append((change * mean_gradient).sum(dim=1).detach().double().cpu().numpy())
    return np.concatenate(found)
