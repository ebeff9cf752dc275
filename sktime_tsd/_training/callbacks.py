"""What a training needs to know of skorch's callbacks."""

import inspect

from skorch.callbacks import Callback

__all__ = ["BATCH_EVENTS", "check_callbacks", "is_watched", "needs_split"]

BATCH_EVENTS = ("on_batch_begin", "on_grad_computed", "on_batch_end")


def check_callbacks(callbacks, has_split):
    """Refuse what is no callback, and callbacks that watch series that are not held out.

    Parameters
    ----------
    callbacks : object
        The parameter of a classifier.
    has_split : bool
        Whether series are held out for validation.

    Raises
    ------
    TypeError
        If it is no list of callbacks or pairs of a name and a callback.
    ValueError
        If a callback monitors a value of validation series, and there are none.
    """
    is_list = isinstance(callbacks, (list, tuple, type(None)))
    items = [_callback(item) for item in callbacks or ()] if is_list else [None]
    if any(item is None for item in items):
        raise TypeError(
            "callbacks must be a list of skorch callbacks or (name, callback) pairs, got "
            f"{callbacks!r}."
        )
    for callback in items:
        monitor = _monitor(callback)
        if not has_split and isinstance(monitor, str) and monitor.startswith("valid_"):
            raise needs_split(callback, monitor)


def needs_split(callback, value):
    """Make the error of a callback that asks for a value of validation series.

    Parameters
    ----------
    callback : Callback or type
    value : str
        Such as "valid_loss".

    Returns
    -------
    error : ValueError
    """
    kind = callback if isinstance(callback, type) else type(callback)
    instead = value.replace("valid_", "train_", 1)
    return ValueError(
        f"The callback {kind.__name__} needs {value!r}, but no series are held out. Set "
        "validation_fraction, for instance to 0.2, or have the callback monitor "
        f"{instead!r}."
    )


def is_watched(callbacks, event):
    """Tell whether a callback has its own method for an event.

    Parameters
    ----------
    callbacks : list of tuple (str, Callback)
    event : str

    Returns
    -------
    bool
    """
    return any(
        getattr(getattr(callback, event, None), "__func__", None) is not getattr(Callback, event)
        for _, callback in callbacks
    )


def _callback(item):
    """Return the callback, or class of callbacks, in an item of the list; None if it has none."""
    if isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str):
        item = item[1]
    is_class = isinstance(item, type) and issubclass(item, Callback)
    return item if is_class or isinstance(item, Callback) else None


def _monitor(callback):
    """Return what a callback monitors: a name, a function, or None."""
    if isinstance(callback, type):
        parameter = inspect.signature(callback).parameters.get("monitor")
        return None if parameter is None else parameter.default
    return getattr(callback, "monitor", None)
