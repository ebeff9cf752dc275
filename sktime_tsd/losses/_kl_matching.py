"""The saliency loss of the divergences, with its gradient written out."""

import torch

__all__ = ["kl_matching_loss"]


def kl_matching_loss(student, teacher, *, temperature, summed, each, least, floor):
    """Compute `saliency_loss` of the measures "kl_per_class" and "kl", in fewer operations.

    A step of a small student takes as long as its operations are many, so the gradient is
    written out instead of recorded.

    Parameters
    ----------
    student, teacher : tuple of torch.Tensor
        Logits of shape (n, n_classes) and of perturbed copies (n, n_windows, n_classes).
        Only those of the student get a gradient.
    temperature : float
    summed : bool
        Over the classes ("kl").
    each : bool
        Whether each side is divided by its own mean, or both by the teacher's.
    least : float
        Logarithm of the least probability.
    floor : float
        Least mean, in units of ``temperature**2``.

    Returns
    -------
    loss : torch.Tensor, scalar
    """
    return _KLMatching.apply(*student, *teacher, temperature, summed, each, least, floor)


class _KLMatching(torch.autograd.Function):
    # Student and teacher go through the same operations, side by side. phi is the saliency
    # in units of T**2, which no normalised loss depends on.

    @staticmethod
    def forward(ctx, z, z_copies, z_teacher, z_copies_teacher, *settings):
        temperature, summed, each, least, floor = settings
        both = torch.stack([z, z_teacher]).div_(temperature)
        both_copies = torch.stack([z_copies, z_copies_teacher]).div_(temperature)
        log_p = both.log_softmax(dim=-1).unsqueeze(2)  # (2, n, 1, n_classes)
        log_q = both_copies.log_softmax(dim=-1)  # (2, n, n_windows, n_classes)
        p = log_p.exp()
        change = log_p.clamp(min=least) - log_q.clamp(min=least)
        phi = p * change
        if summed:
            phi = phi.sum(dim=-1, keepdim=True)
        positive = (phi > 0).to(phi.dtype)
        n_positive = positive.sum(dim=(1, 2, 3), keepdim=True).clamp_(min=1)
        mean = phi.clamp(min=0).sum(dim=(1, 2, 3), keepdim=True).div_(n_positive)
        size = mean.clamp(min=floor)
        if not each:
            size = size[1:].expand_as(size)
        phi = phi / size
        difference = phi[0] - phi[1]
        slope = difference.clamp(-1, 1)  # of smooth L1
        ctx.save_for_backward(
            *(of_both[0] for of_both in (log_p, log_q, p, change, phi, size)),
            *(of_both[0] for of_both in (mean, positive, n_positive)),
            slope,
        )
        ctx.settings = settings
        return (slope * difference.sub_(slope, alpha=0.5)).mean()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gradient):
        log_p, log_q, p, change, phi, size, mean, positive, n_positive, slope = ctx.saved_tensors
        temperature, _, each, least, floor = ctx.settings
        of_phi = slope * (gradient / (slope.numel() * size))
        if each:
            of_mean = -(of_phi * phi).sum() * (mean > floor) / n_positive
            of_phi = torch.addcmul(of_phi, positive, of_mean)
        weighted = p * of_phi  # (n, n_windows, n_classes)
        of_log_q = weighted.masked_fill(log_q <= least, 0)
        of_log_p = (weighted * change).sum(dim=1, keepdim=True)
        of_log_p += weighted.sum(dim=1, keepdim=True).masked_fill_(log_p <= least, 0)
        # through log_softmax
        of_z = of_log_p - p * of_log_p.sum(dim=-1, keepdim=True)
        of_z_copies = log_q.exp() * of_log_q.sum(dim=-1, keepdim=True) - of_log_q
        return of_z.squeeze(1) / temperature, of_z_copies / temperature, *[None] * 7
