"""Resolves a learning rate and a number of epochs of "auto"."""

from types import SimpleNamespace

import numpy as np

__all__ = ["AUTO", "resolved"]

AUTO = "auto"

# Small networks tolerate larger steps and are cheap to train longer. Found by cross-validation
# on the training series of small data sets, see docs/results.
_MOST_PARAMETERS_OF_SMALL = 10_000
_LR = {"small": 2e-2, "large": 2e-3}
_EPOCHS = 120
_MOST_EPOCHS_OF_SMALL = 400
# More than 120 epochs help only while they amount to few steps.
_STEPS_OF_SMALL = 20_000


def resolved(settings, n_parameters, n_batches):
    """Replace "auto" with numbers.

    Parameters
    ----------
    settings : object with the parameters of ``SkorchClassifier``
    n_parameters : int
        Of the network.
    n_batches : int
        Steps in an epoch.

    Returns
    -------
    settings : SimpleNamespace
        The same parameters, with numbers for `lr` and `max_epochs`.

    Examples
    --------
    >>> from sktime_tsd import SkorchClassifier
    >>> from sktime_tsd._training.auto import resolved
    >>> settings = resolved(SkorchClassifier(), n_parameters=1_202, n_batches=4)
    >>> settings.lr, settings.max_epochs
    (0.02, 400)
    >>> resolved(SkorchClassifier(max_epochs=5), n_parameters=80_000, n_batches=4).max_epochs
    5
    """
    size = "small" if n_parameters <= _MOST_PARAMETERS_OF_SMALL else "large"
    epochs = _EPOCHS
    if size == "small":
        epochs = int(np.clip(_STEPS_OF_SMALL // n_batches, _EPOCHS, _MOST_EPOCHS_OF_SMALL))
    automatic = {"lr": _LR[size], "max_epochs": epochs}
    given = settings.get_params(deep=False)
    left_open = [name for name in automatic if isinstance(given[name], str)]
    given |= {name: automatic[name] for name in left_open}
    given["max_epochs"] = int(given["max_epochs"])  # torch refuses numpy's integers
    return SimpleNamespace(**given)
