"""Batch norm over series and perturbed copies, given only where the copies differ."""

import torch

__all__ = ["joint_batch_norm_relu"]


class _JointBatchNormReLU(torch.autograd.Function):
    """Batch norm and ReLU of values with a multiplicity, and of values that count once.

    All are normalised by their common mean and variance. Output and gradient are those of
    plain batch norm over a batch in which each value is repeated by its multiplicity.
    """

    @staticmethod
    def forward(ctx, z, z_patches, multiplicity, weight, bias, eps):
        n_values = multiplicity.sum() + z_patches[0].numel()
        mean = ((z * multiplicity).sum((1, 2)) + z_patches.sum((1, 2))) / n_values
        centred, centred_patches = z - mean[:, None, None], z_patches - mean[:, None, None]
        variance = (
            (centred.square() * multiplicity).sum((1, 2)) + centred_patches.square().sum((1, 2))
        ) / n_values
        inverse_std = (variance + eps).rsqrt()
        scale = (weight * inverse_std)[:, None, None]
        y = torch.addcmul(bias[:, None, None], centred, scale).relu_()
        y_patches = torch.addcmul(bias[:, None, None], centred_patches, scale).relu_()
        ctx.save_for_backward(
            centred, centred_patches, y, y_patches, multiplicity, scale, inverse_std, n_values
        )
        ctx.mark_non_differentiable(mean, variance)
        return y, y_patches, mean, variance

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gradient, gradient_patches, *_):
        centred, centred_patches, y, y_patches, multiplicity, scale, inverse_std, n_values = (
            ctx.saved_tensors
        )
        gradient = gradient * (y > 0)
        gradient_patches = gradient_patches * (y_patches > 0)
        total = gradient.sum((1, 2)) + gradient_patches.sum((1, 2))
        slope = (gradient * centred).sum((1, 2)) + (gradient_patches * centred_patches).sum((1, 2))
        # gradients through mean and variance, weighted by each value's multiplicity
        offset = (total / n_values)[:, None, None]
        factor = (slope * inverse_std.square() / n_values)[:, None, None]
        gradient.sub_(multiplicity * torch.addcmul(offset, centred, factor)).mul_(scale)
        gradient_patches.sub_(torch.addcmul(offset, centred_patches, factor)).mul_(scale)
        return gradient, gradient_patches, None, slope * inverse_std, total, None


def joint_batch_norm_relu(norm, z, z_patches, multiplicity):
    """Batch norm and ReLU, with the result for series and copies as one batch.

    Parameters
    ----------
    norm : nn.BatchNorm1d
        With weight, bias, running statistics and a fixed momentum. In train mode its
        running statistics are updated, as in a normal call.
    z : torch.Tensor of shape (n_channels, n, n_timepoints)
        Values of the series.
    z_patches : torch.Tensor of shape (n_channels, n * n_copies, width)
        Values of the copies, where they may differ from their series.
    multiplicity : torch.Tensor of shape (n, n_timepoints), float, or None
        How often each time point of a series occurs in the batch of series and copies.
        Needed in train mode only.

    Returns
    -------
    y : torch.Tensor of shape (n_channels, n, n_timepoints)
        Normalised values of the series.
    y_patches : torch.Tensor of shape (n_channels, n * n_copies, width)
        Normalised values of the copies.
    """
    if not norm.training:
        scale = norm.weight * (norm.running_var + norm.eps).rsqrt()
        offset = torch.addcmul(norm.bias, norm.running_mean, scale, value=-1)
        scale, offset = scale[:, None, None], offset[:, None, None]
        return tuple(torch.addcmul(offset, part, scale).relu() for part in (z, z_patches))
    y, y_patches, mean, variance = _JointBatchNormReLU.apply(
        z, z_patches, multiplicity, norm.weight, norm.bias, norm.eps
    )
    with torch.no_grad():
        n, n_timepoints = z.shape[1:]
        n_values = (n + z_patches.shape[1]) * n_timepoints
        norm.num_batches_tracked.add_(1)
        norm.running_mean.lerp_(mean, norm.momentum)
        norm.running_var.lerp_(variance * (n_values / (n_values - 1)), norm.momentum)
    return y, y_patches
