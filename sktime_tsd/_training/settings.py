"""Checks of a classifier's training settings."""

from torch import optim

from sktime_tsd._panels.rules import MISSING_VALUES, UNEQUAL_LENGTH
from sktime_tsd._training.auto import AUTO
from sktime_tsd._training.callbacks import check_callbacks
from sktime_tsd._training.optimization import OPTIMIZERS, SCHEDULES, trial_optimizer
from sktime_tsd._utils.validation import (
    check_choice,
    check_flag,
    check_number,
    check_random_state_parameter,
    check_verbose,
    resolve_device,
)
from sktime_tsd.networks import check_network

__all__ = ["check_settings"]


def check_settings(settings):
    """Refuse unusable training settings.

    Parameters
    ----------
    settings : object with the parameters of ``SkorchClassifier``

    Raises
    ------
    ValueError, TypeError
        If a setting is unusable; the message names it.
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
        check_choice("optimizer", settings.optimizer, tuple(OPTIMIZERS))
    check_number("weight_decay", settings.weight_decay, low=0)
    if is_class:  # ours can be built with any such numbers, and torch takes seconds for the first
        trial_optimizer(settings)
    check_choice("lr_schedule", settings.lr_schedule, SCHEDULES)
    check_number("gradient_clip", settings.gradient_clip, none_ok=True, **positive)
    fraction = settings.validation_fraction
    check_number("validation_fraction", fraction, none_ok=True, high=1, **positive)
    check_number("patience", settings.patience, integer=True, low=1, none_ok=True)
    if settings.patience is not None and fraction is None:
        raise ValueError(
            f"patience={settings.patience} needs validation_fraction: held-out series tell when to "
            "stop. Set validation_fraction, for instance to 0.2, or patience to None."
        )
    if isinstance(settings.class_weight, dict):
        for label, weight in settings.class_weight.items():
            check_number(f"class_weight[{label!r}]", weight, low=0)
    else:
        check_choice("class_weight", settings.class_weight, ("balanced", None))
    check_callbacks(settings.callbacks, has_split=fraction is not None)
    check_choice("unequal_length", settings.unequal_length, UNEQUAL_LENGTH)
    check_choice("missing_values", settings.missing_values, MISSING_VALUES)
    resolve_device(settings.device)
    check_flag("compile", settings.compile)
    check_flag("amp", settings.amp)
    if settings.verbose is not None:
        check_verbose(settings.verbose)
    check_random_state_parameter(settings.random_state)
