"""From a classifier's parameters and a training set to a trained network."""

import copy
import warnings
from contextlib import nullcontext
from functools import partial

import numpy as np
import torch
from sklearn.model_selection import train_test_split
from skorch.callbacks import Callback, EarlyStopping
from skorch.helper import predefined_split
from torch import optim

from sktime_tsd._training.auto import AUTO, resolved
from sktime_tsd._training.batches import BatchIterator
from sktime_tsd._training.cuda_graph import record_cuda_graph
from sktime_tsd._training.net import TrainingNet, softmax
from sktime_tsd._training.progress import ProgressBar
from sktime_tsd._utils.random import seeded
from sktime_tsd._utils.validation import (
    check_choice,
    check_flag,
    check_number,
    check_random_state_parameter,
    check_verbose,
    resolve_device,
)
from sktime_tsd.losses import DistillationCriterion, FeatureShape
from sktime_tsd.networks import (
    NETWORKS,
    ScaledNetwork,
    build_network,
    channel_statistics,
    check_network,
    feature_sizes,
    n_parameters,
)

__all__ = [
    "check_settings",
    "feature_shapes",
    "split_validation",
    "train_network",
    "trial_network",
]

_OPTIMIZERS = {"adam": optim.Adam, "adamw": optim.AdamW, "sgd": optim.SGD}
_SCHEDULES = ("one_cycle", "cosine", None)

# Recording takes a few steps for each batch size.
_LEAST_STEPS_TO_RECORD = 50


def check_settings(settings):
    """Refuse settings that no training could follow.

    Parameters
    ----------
    settings : object with the parameters of ``SkorchClassifier``

    Raises
    ------
    ValueError, TypeError
        Which parameter, what was given, what is expected.
    """
    check_network(settings.network)
    if not isinstance(settings.network_params, (dict, type(None))):
        raise TypeError(f"network_params must be a dict, got {settings.network_params!r}.")
    check_flag("scale_inputs", settings.scale_inputs)
    positive = {"low": 0, "boundaries": "neither"}
    if settings.max_epochs != AUTO:
        check_number("max_epochs", settings.max_epochs, integer=True, low=1)
    check_number("batch_size", settings.batch_size, integer=True, low=1)
    if settings.lr != AUTO:
        check_number("lr", settings.lr, **positive)
    is_class = isinstance(settings.optimizer, type) and issubclass(
        settings.optimizer, optim.Optimizer
    )
    if not is_class or settings.optimizer is optim.Optimizer:
        check_choice("optimizer", settings.optimizer, tuple(_OPTIMIZERS))
    check_number("weight_decay", settings.weight_decay, low=0)
    _trial_optimizer(settings)
    check_choice("lr_schedule", settings.lr_schedule, _SCHEDULES)
    check_number("gradient_clip", settings.gradient_clip, none_ok=True, **positive)
    fraction = settings.validation_fraction
    check_number("validation_fraction", fraction, none_ok=True, high=1, **positive)
    check_number("patience", settings.patience, integer=True, low=1, none_ok=True)
    if settings.patience is not None and fraction is None:
        raise ValueError(
            "patience needs validation_fraction: without series kept aside there is nothing to "
            "tell when to stop. Set it, for instance to 0.2."
        )
    if isinstance(settings.class_weight, dict):
        for label, weight in settings.class_weight.items():
            check_number(f"class_weight[{label!r}]", weight, low=0)
    else:
        check_choice("class_weight", settings.class_weight, ("balanced", None))
    callbacks = settings.callbacks
    if not isinstance(callbacks, (list, tuple, type(None))) or not all(
        map(_is_callback, callbacks or ())
    ):
        raise TypeError(
            "callbacks must be a list of skorch callbacks, or of pairs (name, callback); got "
            f"{callbacks!r}."
        )
    resolve_device(settings.device)
    check_flag("compile", settings.compile)
    check_flag("amp", settings.amp)
    check_verbose(settings.verbose)
    check_random_state_parameter(settings.random_state)


def _trial_optimizer(settings):
    """Make the optimizer for a single parameter, to see whether it can be made."""
    optimizer = _OPTIMIZERS.get(settings.optimizer, settings.optimizer)
    parameter = torch.nn.Parameter(torch.zeros(1))
    lr = 1e-3 if settings.lr == AUTO else settings.lr
    try:
        return optimizer([parameter], lr=lr, weight_decay=settings.weight_decay)
    except Exception as error:  # whatever a user's optimizer raises
        raise ValueError(
            f"optimizer={settings.optimizer!r} cannot be made with lr={settings.lr} and "
            f"weight_decay={settings.weight_decay}: {error}"
        ) from error


def _is_callback(item):
    if isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str):
        item = item[1]
    return isinstance(item, Callback) or (isinstance(item, type) and issubclass(item, Callback))


def split_validation(y, validation_fraction, seed):
    """Say which series train and which are kept aside.

    Stratified where each class has enough series. Where not, at random, but every class
    keeps a series to train on.

    Parameters
    ----------
    y : numpy.ndarray of shape (n_instances,)
        Class indices.
    validation_fraction : float or None
    seed : int

    Returns
    -------
    train : numpy.ndarray of int
        Indices, ascending.
    valid : numpy.ndarray of int or None
        None without `validation_fraction`.

    Raises
    ------
    ValueError
        If there are too few series to keep any aside.

    Warns
    -----
    UserWarning
        If the split is not stratified.
    """
    everything = np.arange(len(y))
    if validation_fraction is None:
        return everything, None
    options = {"test_size": validation_fraction, "random_state": seed}
    try:
        train, valid = train_test_split(everything, stratify=y, **options)
    except ValueError as error:
        try:
            train, valid = train_test_split(everything, **options)
        except ValueError:
            raise ValueError(
                f"validation_fraction={validation_fraction} of {len(y)} series leaves none to "
                "train on, or none to validate on."
            ) from error
        untrained = np.setdiff1d(y, y[train])
        rescued = [valid[y[valid] == label][0] for label in untrained]
        train, valid = np.append(train, rescued).astype(int), np.setdiff1d(valid, rescued)
        if len(valid) == 0:
            raise ValueError(
                f"validation_fraction={validation_fraction} leaves nothing to validate on: "
                f"{len(y)} series of {len(np.unique(y))} classes are too few. Set it to None."
            ) from error
        warnings.warn(
            f"The validation split is not stratified: {error} Set validation_fraction to None "
            "or to a larger share to avoid that.",
            UserWarning,
            stacklevel=2,
        )
    return np.sort(train), np.sort(valid)


def _build_scaled(network, network_params, sizes, mean, std):
    """Build the network as skorch calls for it: under the seed of the fit."""
    return ScaledNetwork(build_network(network, *sizes, network_params), mean, std)


def trial_network(settings, n_channels, n_timepoints, n_classes):
    """Build the network of a classifier as its training would, to have a look at it.

    Parameters
    ----------
    settings : object with the parameters of ``SkorchClassifier``
    n_channels, n_timepoints, n_classes : int

    Returns
    -------
    network : nn.Module

    Raises
    ------
    ValueError, TypeError
        If it cannot be built for such series.
    """
    with seeded(0, torch.device("cpu")):
        return build_network(
            settings.network, n_channels, n_timepoints, n_classes, settings.network_params
        )


def feature_shapes(settings, terms, n_channels, n_timepoints, n_classes):
    """Shapes of the student's features that terms need.

    Parameters
    ----------
    settings : object with the parameters of ``SkorchClassifier``
    terms : sequence of DistillationTerm
    n_channels, n_timepoints, n_classes : int

    Returns
    -------
    shapes : list of FeatureShape
        One for each term that needs features, in their order.

    Raises
    ------
    ValueError, TypeError
        If the network cannot be built, or has no such layers.
    """
    layers = [term.student_layer for term in terms if term.needs_features]
    network = trial_network(settings, n_channels, n_timepoints, n_classes)
    with seeded(0, torch.device("cpu")):  # the forward pass may draw
        sizes = feature_sizes(
            network, layers, n_channels, n_timepoints, whose="student", training=True
        )
    return [FeatureShape(*size) for size in sizes]


def _build_optimizer(groups, *, kind, **settings):
    """Build the optimizer, with one kernel for all parameters where torch has it."""
    if kind not in _OPTIMIZERS:
        return kind(groups, **settings)
    fused = all(p.is_floating_point() for group in groups for p in group["params"])
    return _OPTIMIZERS[kind](groups, fused=fused, **settings)


def _schedule(settings):
    """Course of the learning rate, as a function of the optimizer and the number of steps."""
    if settings.lr_schedule == "one_cycle":
        has_momentum = {"momentum", "betas"} & set(_trial_optimizer(settings).defaults)
        return partial(_one_cycle, max_lr=settings.lr, cycle_momentum=bool(has_momentum))
    return {"cosine": optim.lr_scheduler.CosineAnnealingLR, None: None}[settings.lr_schedule]


def _one_cycle(optimizer, n_steps, **settings):
    return optim.lr_scheduler.OneCycleLR(optimizer, total_steps=n_steps, **settings)


def _callbacks(settings, description):
    callbacks = list(copy.deepcopy(settings.callbacks or ()))
    if settings.verbose:
        callbacks.append(("_tsd_progress", ProgressBar(description)))
    if settings.patience is not None:  # last, as its stop hides the epoch from later ones
        stopping = EarlyStopping(patience=settings.patience, load_best=True)
        callbacks.append(("_tsd_early_stopping", stopping))
    return callbacks


def _recorder(settings, terms, device, n_steps):
    """Give the recorder of the step, where it pays and the step does the same each time.

    What is not of this package may not: networks, optimizers, terms, callbacks.
    """
    ours = (
        settings.network in tuple(NETWORKS)
        and settings.optimizer in _OPTIMIZERS
        and all(vars(type(term)).get("recordable", False) for term in terms)
        and not settings.callbacks
        and not settings.compile
    )
    enough = n_steps >= _LEAST_STEPS_TO_RECORD
    return record_cuda_graph if device.type == "cuda" and ours and enough else None


def train_network(
    settings, training_set, valid_set, *, n_classes, terms, class_weight, seed, description
):
    """Train a network.

    Parameters
    ----------
    settings : object with the parameters of ``SkorchClassifier``
    training_set : TrainingSet
        On any device.
    valid_set : TrainingSet or None
    n_classes : int
    terms : sequence of DistillationTerm
        Beside the cross entropy.
    class_weight : torch.Tensor of shape (n_classes,) or None
    seed : int
        Of weights, dropout and batches.
    description : str
        What the progress bar calls it.

    Returns
    -------
    network : ScaledNetwork
        In eval mode, on the device of `settings`.
    history : list of dict
        One per epoch.
    """
    device = resolve_device(settings.device)
    mean, std = channel_statistics(training_set.X) if settings.scale_inputs else (None, None)
    of_student = of_teacher = ()
    if training_set.teacher_features is not None:
        of_student = feature_shapes(settings, terms, *training_set.X.shape[1:], n_classes)
        of_teacher = training_set.teacher_features.shapes
    training_set = training_set.to(device)
    n_batches = len(BatchIterator(training_set, settings.batch_size))
    if AUTO in (settings.lr, settings.max_epochs):  # else nothing is built to be counted
        network = trial_network(settings, *training_set.X.shape[1:], n_classes)
        settings = resolved(settings, n_parameters(network), n_batches)
    max_epochs = int(settings.max_epochs)  # torch refuses numpy's integers
    n_steps = n_batches * max_epochs
    net = TrainingNet(
        module=_build_scaled,
        module__network=settings.network,
        module__network_params=settings.network_params,
        module__sizes=(*training_set.X.shape[1:], n_classes),
        module__mean=mean,
        module__std=std,
        criterion=DistillationCriterion,
        criterion__terms=tuple(terms),
        criterion__class_weight=class_weight,
        criterion__feature_shapes=tuple(zip(of_student, of_teacher, strict=True)),
        student_layers=tuple(term.student_layer for term in terms if term.needs_features),
        optimizer=_build_optimizer,
        optimizer__kind=settings.optimizer,
        optimizer__weight_decay=settings.weight_decay,
        lr=settings.lr,
        max_epochs=max_epochs,
        batch_size=settings.batch_size,
        iterator_train=BatchIterator,
        iterator_train__generator=torch.Generator().manual_seed(seed),
        iterator_train__n_epochs=max_epochs,
        iterator_valid=BatchIterator,
        train_split=None if valid_set is None else predefined_split(valid_set.to(device)),
        callbacks=_callbacks(settings, description),
        n_steps=n_steps,
        schedule=_schedule(settings),
        gradient_clip=settings.gradient_clip,
        record=_recorder(settings, terms, device, n_steps),
        predict_nonlinearity=softmax,
        classes=np.arange(n_classes),
        device=device,
        compile=settings.compile,
        amp=settings.amp,
        verbose=0,
    )
    on_device = torch.cuda.device(device) if device.type == "cuda" else nullcontext()
    with seeded(seed, device), on_device:
        net.initialize()
        net.train(training_set)
    history = [
        {name: value for name, value in row.items() if _belongs_in_history(name)}
        for row in net.history
    ]
    network = net.trained_module().eval()
    _check_trained(network, training_set.X[: settings.batch_size], settings.lr)
    return network, history


def _check_trained(network, x, lr):
    """Refuse a network that the last step has ruined: no later loss would tell."""
    with torch.inference_mode():
        if not torch.isfinite(network(x)).all():
            raise ValueError(
                "Training diverged: the trained network gives logits that are not finite. Lower "
                f"lr (now {lr}), set gradient_clip, or keep scale_inputs=True."
            )


def _belongs_in_history(name):
    return name != "batches" and not name.endswith(("_best", "_batch_count"))
