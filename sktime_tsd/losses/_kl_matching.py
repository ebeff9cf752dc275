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
    # phi is the saliency in units of T**2, which no normalised loss depends on

    @staticmethod
    def forward(ctx, z, z_copies, z_teacher, z_copies_teacher, *settings):
        temperature, summed, each, least, floor = settings
        of_teacher = _divergence(z_teacher, z_copies_teacher, temperature, summed, least)[-1]
        log_p, log_q, p, change, phi = _divergence(z, z_copies, temperature, summed, least)
        size_teacher = _mean_of_positive(of_teacher)[0].clamp(min=floor)
        if each:
            mean, positive, n_positive = _mean_of_positive(phi)
            size = mean.clamp(min=floor)
        else:
            mean = positive = n_positive = None
            size = size_teacher
        phi = phi / size
        difference = phi - of_teacher / size_teacher
        slope = difference.clamp(-1, 1)  # of smooth L1
        ctx.save_for_backward(log_p, log_q, p, change, phi, slope, size, mean, positive, n_positive)
        ctx.settings = settings
        return (slope * difference.sub_(slope, alpha=0.5)).mean()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gradient):
        log_p, log_q, p, change, phi, slope, size, mean, positive, n_positive = ctx.saved_tensors
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


def _divergence(z, z_copies, temperature, summed, least):
    log_p = torch.log_softmax(z / temperature, dim=-1).unsqueeze(1)  # (n, 1, n_classes)
    log_q = torch.log_softmax(z_copies / temperature, dim=-1)  # (n, n_windows, n_classes)
    p = log_p.exp()
    change = log_p.clamp(min=least) - log_q.clamp(min=least)
    phi = p * change
    return log_p, log_q, p, change, phi.sum(dim=-1, keepdim=True) if summed else phi


def _mean_of_positive(phi):
    positive = (phi > 0).to(phi.dtype)
    n_positive = positive.sum().clamp(min=1)
    return phi.clamp(min=0).sum() / n_positive, positive, n_positive
