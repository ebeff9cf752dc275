"""Temporal saliency distillation as the paper describes it, without any speed-up."""

import torch
from torch.nn import functional as F

from sktime_tsd.losses import saliency_loss

__all__ = ["perturb_plainly", "plain_loss", "train_plainly"]


def perturb_plainly(x, starts, donors, width):
    """Make the copies of a batch one by one.

    Parameters
    ----------
    x : torch.Tensor of shape (n, n_channels, n_timepoints)
    starts : torch.Tensor of shape (n, n_windows), int64
    donors : torch.Tensor of shape (n, n_windows, n_channels, n_timepoints)
        Whole series.
    width : int

    Returns
    -------
    copies : torch.Tensor of shape (n, n_windows, n_channels, n_timepoints)
    """
    copies = []
    for i in range(len(x)):
        for j in range(starts.shape[1]):
            start = int(starts[i, j])
            copy = x[i].clone()
            copy[:, start : start + width] = donors[i, j, :, start : start + width]
            copies.append(copy)
    return torch.stack(copies).unflatten(0, starts.shape)


def plain_loss(student, teacher, x, copies, y, weight):
    """Cross entropy plus weighted saliency loss of one batch.

    Parameters
    ----------
    student, teacher : nn.Module
        The student in train mode, the teacher in eval mode.
    x : torch.Tensor of shape (n, n_channels, n_timepoints)
    copies : torch.Tensor of shape (n, n_windows, n_channels, n_timepoints)
    y : torch.Tensor of shape (n,), int64
    weight : float

    Returns
    -------
    loss : torch.Tensor, scalar
    """
    both = torch.cat([x, copies.flatten(0, 1)])
    with torch.no_grad():
        of_teacher = teacher(both)
    of_student = student(both)
    n = len(x)
    logits, teacher_logits = of_student[:n], of_teacher[:n]
    copies_logits = of_student[n:].unflatten(0, copies.shape[:2])
    teacher_copies_logits = of_teacher[n:].unflatten(0, copies.shape[:2])
    saliency = saliency_loss(logits, copies_logits, teacher_logits, teacher_copies_logits, y)
    return F.cross_entropy(logits, y) + weight * saliency


def train_plainly(
    student,
    teacher,
    X,
    y,
    *,
    n_windows,
    width,
    n_epochs,
    batch_size,
    lr,
    generator,
    most_steps=None,
):
    """Train a student with the default settings of `SkorchClassifier`, without any speed-up.

    In every step, the teacher scores every perturbed copy again. Copies are made in a loop over
    series and windows, and the student reads each whole.

    Parameters
    ----------
    student, teacher : nn.Module
    X : torch.Tensor of shape (n_instances, n_channels, n_timepoints)
    y : torch.Tensor of shape (n_instances,), int64
    n_windows : int
        Drawn anew for each series and step.
    width : int
    n_epochs, batch_size : int
    lr : float
        Peak of the one-cycle schedule.
    generator : torch.Generator
    most_steps : int, optional
        Stop after this many steps, if only the time matters.
    """
    optimizer = torch.optim.AdamW(student.parameters(), lr=lr, weight_decay=1e-4)
    n_batches = -(-len(X) // batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=lr, total_steps=n_epochs * n_batches
    )
    others = [torch.nonzero(y != label).flatten() for label in range(int(y.max()) + 1)]
    teacher.eval()
    student.train()
    step = 0
    for _ in range(n_epochs):
        for batch in torch.randperm(len(X), generator=generator).tensor_split(n_batches):
            if step == most_steps:
                return
            shape = (len(batch), n_windows)
            starts = torch.randint(X.shape[2] - width + 1, shape, generator=generator)
            donors = torch.stack(
                [
                    X[pool[torch.randint(len(pool), (n_windows,), generator=generator)]]
                    for pool in (others[label] for label in y[batch].tolist())
                ]
            )
            copies = perturb_plainly(X[batch], starts, donors, width)
            weight = min(1.0, 2 * step / (n_epochs * n_batches))
            optimizer.zero_grad()
            plain_loss(student, teacher, X[batch], copies, y[batch], weight).backward()
            torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            step += 1
