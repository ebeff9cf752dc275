"""The optimizer and the learning rate schedule."""

from functools import partial

import torch
from torch import optim

from sktime_tsd._training.auto import AUTO
from sktime_tsd._utils.silence import import_silently

__all__ = ["OPTIMIZERS", "SCHEDULES", "build_optimizer", "schedule", "trial_optimizer"]

OPTIMIZERS = {"adam": optim.Adam, "adamw": optim.AdamW, "sgd": optim.SGD}
SCHEDULES = ("one_cycle", "cosine", None)


def trial_optimizer(settings):
    """Build the optimizer for a single parameter, to check that it can be built.

    Parameters
    ----------
    settings : object with the parameters of ``SkorchClassifier``

    Returns
    -------
    optimizer : torch.optim.Optimizer

    Raises
    ------
    ValueError
        If it cannot be built with these settings.
    """
    optimizer = OPTIMIZERS.get(settings.optimizer, settings.optimizer)
    parameter = torch.nn.Parameter(torch.zeros(1))
    import_silently("sympy", "torch._dynamo")  # as torch's optimizers would
    lr = 1e-3 if settings.lr == AUTO else settings.lr
    try:
        return optimizer([parameter], lr=lr, weight_decay=settings.weight_decay)
    except Exception as error:  # a user's optimizer may raise anything
        raise ValueError(
            f"optimizer={settings.optimizer!r} cannot be built with lr={settings.lr} and "
            f"weight_decay={settings.weight_decay}: {error}"
        ) from error


def build_optimizer(groups, *, kind, **settings):
    """Build the optimizer, with one fused kernel for all parameters where torch has it.

    Parameters
    ----------
    groups : list of dict
        Parameter groups, as torch takes them.
    kind : str or class
        A key of ``OPTIMIZERS``, or an optimizer class.
    **settings : object
        Passed to the optimizer.

    Returns
    -------
    optimizer : torch.optim.Optimizer
    """
    if kind not in OPTIMIZERS:
        return kind(groups, **settings)
    fused = all(p.is_floating_point() for group in groups for p in group["params"])
    return OPTIMIZERS[kind](groups, fused=fused, **settings)


def schedule(settings):
    """Choose the learning rate schedule.

    Parameters
    ----------
    settings : object with the parameters of ``SkorchClassifier``

    Returns
    -------
    make_schedule : callable or None
        Takes the optimizer and the number of steps; returns a torch scheduler. None keeps
        the learning rate constant.
    """
    if settings.lr_schedule == "one_cycle":
        has_momentum = {"momentum", "betas"} & set(trial_optimizer(settings).defaults)
        return partial(_one_cycle, max_lr=settings.lr, cycle_momentum=bool(has_momentum))
    return {"cosine": optim.lr_scheduler.CosineAnnealingLR, None: None}[settings.lr_schedule]


def _one_cycle(optimizer, n_steps, **settings):
    return optim.lr_scheduler.OneCycleLR(optimizer, total_steps=n_steps, **settings)
