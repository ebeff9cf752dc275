"""Settings of a classifier for its model card, without what a stranger must not know."""

import dataclasses
import inspect
import re

import numpy as np

__all__ = ["card_settings"]

# Of the machine, not of the model.
_LEFT_OUT = {"memory", "device", "n_jobs", "verbose"}

# Text in settings of other libraries may be anything: a path, a host, a user, a key.
_LIBRARIES = {"aeon", "sklearn", "skorch", "sktime", "sktime_tsd", "torch"}
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,39}")

_MOST_ITEMS, _MOST_LEVELS = 20, 6


def card_settings(estimator):
    """Describe an estimator by its class and the settings that are not the default.

    Numbers and the words of known libraries are shown; of arrays, functions and other objects only
    what they are. Paths, addresses and other text are left out, and so are settings of the machine.

    Parameters
    ----------
    estimator : estimator of sktime or scikit-learn

    Returns
    -------
    text : str

    Examples
    --------
    >>> from sktime_tsd import SkorchClassifier
    >>> from sktime_tsd.export._card_settings import card_settings
    >>> card_settings(SkorchClassifier("lstm", {"hidden_size": 8}, lr=0.01, device="cpu"))
    "SkorchClassifier(lr=0.01, network='lstm', network_params={'hidden_size': 8})"
    """
    return _shown(estimator, trusted=False, level=0)


def _shown(value, *, trusted, level):
    """Show a value; `trusted` are words in settings of known libraries."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or type(value) in (bool, int, float):
        return repr(value)
    if isinstance(value, str):
        return repr(value) if trusted and _WORD.fullmatch(value) else "<text>"
    if isinstance(value, np.ndarray):
        return f"<array of shape {value.shape}>"
    if level > _MOST_LEVELS:
        return "..."
    inside = {"trusted": trusted, "level": level + 1}
    if type(value) in (list, tuple, dict) and not trusted:  # may be data
        return f"<{type(value).__name__} of {len(value)}>"
    if type(value) in (list, tuple):
        items = [_shown(item, **inside) for item in value[:_MOST_ITEMS]]
        items += ["..."] if len(value) > _MOST_ITEMS else []
        left, right = "[]" if type(value) is list else "()"
        comma = "," if type(value) is tuple and len(value) == 1 else ""
        return f"{left}{', '.join(items)}{comma}{right}"
    if type(value) is dict:
        pairs = list(value.items())[:_MOST_ITEMS]
        shown = [f"{_shown(key, **inside)}: {_shown(item, **inside)}" for key, item in pairs]
        return f"{{{', '.join(shown + ['...'] * (len(value) > _MOST_ITEMS))}}}"
    if isinstance(value, type) or inspect.isroutine(value):
        return _word(getattr(value, "__name__", ""))
    return _object(value, level)


def _object(value, level):
    kind = type(value)
    trusted = kind.__module__.partition(".")[0] in _LIBRARIES
    settings = {}
    if dataclasses.is_dataclass(value):
        settings = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    elif callable(getattr(value, "get_params", None)):
        try:
            settings = value.get_params(deep=False)
        except Exception:  # a user's estimator may raise anything
            settings = {}
    defaults = _defaults(kind)
    shown = [
        f"{name}={_shown(setting, trusted=trusted, level=level + 1)}"
        for name, setting in settings.items()
        if name not in _LEFT_OUT and not _is_default(setting, defaults.get(name, defaults))
    ]
    return f"{_word(kind.__name__)}({', '.join(shown)})"


def _defaults(kind):
    try:
        parameters = inspect.signature(kind.__init__).parameters.values()
    except (TypeError, ValueError):
        return {}
    return {each.name: each.default for each in parameters if each.default is not each.empty}


def _is_default(setting, default):
    return type(setting) is type(default) and (
        setting is default or (isinstance(setting, (bool, int, float, str)) and setting == default)
    )


def _word(name):
    return name if _WORD.fullmatch(name) else "object"
