"""Trains a network on a training set."""

import copy
from contextlib import nullcontext
from typing import NamedTuple

import numpy as np
import torch
from skorch.callbacks import EarlyStopping
from skorch.helper import predefined_split

from sktime_tsd._training.auto import resolved
from sktime_tsd._training.batches import BatchIterator
from sktime_tsd._training.build import feature_shapes
from sktime_tsd._training.cuda_graph import record_cuda_graph
from sktime_tsd._training.net import TrainingNet, softmax
from sktime_tsd._training.optimization import OPTIMIZERS, build_optimizer, schedule
from sktime_tsd._training.progress import LongTraining, ProgressBar
from sktime_tsd._utils.random import seeded
from sktime_tsd._utils.validation import resolve_device
from sktime_tsd.losses import UNLABELLED, DistillationCriterion
from sktime_tsd.networks import NETWORKS, ScaledNetwork, channel_statistics, n_parameters

__all__ = ["Trained", "train_network"]

# Recording costs a few steps for each batch size.
_LEAST_STEPS_TO_RECORD = 50


class Trained(NamedTuple):
    """Result of training.

    Parameters
    ----------
    network : ScaledNetwork
        In eval mode, on the device of the settings.
    history : list of dict
        One per epoch.
    lr : float
        Peak learning rate.
    max_epochs : int
    """

    network: ScaledNetwork
    history: list
    lr: float
    max_epochs: int


def _callbacks(settings, description):
    callbacks = list(copy.deepcopy(settings.callbacks or ()))
    if settings.verbose:
        callbacks.append(("_tsd_progress", ProgressBar(description)))
    elif settings.verbose is None:
        callbacks.append(("_tsd_long_training", LongTraining(description)))
    if settings.patience is not None:  # last, as stopping hides the epoch from later callbacks
        stopping = EarlyStopping(patience=settings.patience, load_best=True)
        callbacks.append(("_tsd_early_stopping", stopping))
    return callbacks


def _recorder(settings, terms, device, n_steps):
    """Return the recorder of the step, if recording pays and every step does the same.

    Networks, optimizers, terms and callbacks from outside this package may vary from step to
    step.
    """
    ours = (
        settings.network in tuple(NETWORKS)
        and settings.optimizer in OPTIMIZERS
        and all(vars(type(term)).get("recordable", False) for term in terms)
        and not settings.callbacks
        and not settings.compile
    )
    enough = n_steps >= _LEAST_STEPS_TO_RECORD
    return record_cuda_graph if device.type == "cuda" and ours and enough else None


def train_network(
    settings,
    fresh,
    training_set,
    valid_set,
    *,
    class_weight,
    terms=(),
    cross_entropy_weight=1.0,
    description="network",
):
    """Train a network on labels and, with terms, on teacher outputs.

    Parameters
    ----------
    settings : object with the parameters of ``SkorchClassifier``
    fresh : FreshNetwork
        Trained in place.
    training_set : TrainingSet
        On any device.
    valid_set : TrainingSet or None
    class_weight : torch.Tensor of shape (n_classes,) or None
    terms : sequence of DistillationTerm, default=()
        Terms of the loss besides the cross entropy.
    cross_entropy_weight : float, default=1.0
    description : str, default="network"
        Name shown in the progress bar.

    Returns
    -------
    trained : Trained

    Raises
    ------
    ValueError
        If the loss or the trained network's logits are not finite.
    """
    device = resolve_device(settings.device)
    scaling = channel_statistics(training_set.X) if settings.scale_inputs else ()
    of_student = of_teacher = ()
    if training_set.teacher_features is not None:
        of_student = feature_shapes(fresh, terms)
        of_teacher = training_set.teacher_features.shapes
    training_set = training_set.to(device)
    n_batches = len(BatchIterator(training_set, settings.batch_size))
    settings = resolved(settings, n_parameters(fresh.network), n_batches)
    n_steps = n_batches * settings.max_epochs
    net = TrainingNet(
        module=ScaledNetwork(fresh.network, *scaling),
        criterion=DistillationCriterion,
        criterion__terms=tuple(terms),
        criterion__class_weight=class_weight,
        criterion__cross_entropy_weight=cross_entropy_weight,
        criterion__feature_shapes=tuple(zip(of_student, of_teacher, strict=True)),
        criterion__has_unlabelled=bool((training_set.y == UNLABELLED).any()),
        student_layers=tuple(term.student_layer for term in terms if term.needs_features),
        optimizer=build_optimizer,
        optimizer__kind=settings.optimizer,
        optimizer__weight_decay=settings.weight_decay,
        lr=settings.lr,
        max_epochs=settings.max_epochs,
        batch_size=settings.batch_size,
        iterator_train=BatchIterator,
        iterator_train__generator=torch.Generator().manual_seed(fresh.seed),
        iterator_train__n_epochs=settings.max_epochs,
        iterator_valid=BatchIterator,
        train_split=None if valid_set is None else predefined_split(valid_set.to(device)),
        callbacks=_callbacks(settings, description),
        n_steps=n_steps,
        schedule=schedule(settings),
        gradient_clip=settings.gradient_clip,
        record=_recorder(settings, terms, device, n_steps),
        predict_nonlinearity=softmax,
        classes=np.arange(fresh.sizes[2]),
        device=device,
        compile=settings.compile,
        amp=settings.amp,
        verbose=0,
    )
    on_device = torch.cuda.device(device) if device.type == "cuda" else nullcontext()
    with seeded(fresh.seed, device), on_device:
        _check_trains_on_single_series(net.module, training_set, settings.batch_size)
        torch.set_rng_state(fresh.generator_state)
        net.initialize()
        net.train(training_set)
    history = [
        {name: value for name, value in row.items() if _belongs_in_history(name)}
        for row in net.history
    ]
    network = net.trained_module().eval()
    _check_trained(network, training_set.X[: settings.batch_size], settings.lr)
    return Trained(network, history, settings.lr, settings.max_epochs)


def _check_trains_on_single_series(network, training_set, batch_size):
    """Refuse a network that needs more than one series in training, if it would get one."""
    has_copies = training_set.bank is not None or training_set.mix_bank is not None
    if has_copies or 1 not in BatchIterator(training_set, batch_size).batch_sizes:
        return
    trial = copy.deepcopy(network).cpu().train()  # it changes batch norm's state
    try:
        trial(training_set.X[:1].cpu())
    except Exception as error:  # a user's network may fail in any way
        raise ValueError(
            f"{type(network.network).__name__} cannot be trained on one series at a time: {error} "
            f"Set batch_size to 2 or more (now {batch_size}), and fit at least two series."
        ) from error


def _check_trained(network, x, lr):
    """Refuse a network ruined by the last step, which no later loss would reveal."""
    with torch.inference_mode():
        if not torch.isfinite(network(x)).all():
            raise ValueError(
                "Training diverged: the trained network returns logits that are not finite. Lower "
                f"lr (now {lr}), set gradient_clip, or keep scale_inputs=True."
            )


def _belongs_in_history(name):
    return name != "batches" and not name.endswith(("_best", "_batch_count"))
