"""Silence warnings of this thread alone, and import libraries without their warning filters."""

import contextlib
import copyreg
import importlib
import re
import sys
import threading
import warnings

from sktime_tsd._utils.turns import turn

__all__ = ["import_silently", "silenced"]


@contextlib.contextmanager
def silenced(message="", category=Warning):
    """Ignore warnings that this thread raises.

    ``warnings.catch_warnings`` replaces the filters of the whole process. Two threads that use it
    at the same time may leave one thread's filters behind for good. Here, a filter is added and
    removed, and it holds for one thread.

    Parameters
    ----------
    message : str, default=""
        Pattern that a message must match at its beginning, as for ``warnings.filterwarnings``.
    category : type, default=Warning

    Yields
    ------
    said : list of type
        Categories of the warnings that were ignored.

    Examples
    --------
    >>> import warnings
    >>> from sktime_tsd._utils.silence import silenced
    >>> with silenced() as said:
    ...     warnings.warn("unheard")
    >>> said
    [<class 'UserWarning'>]
    """
    silence = _Silence(message, category)
    warnings.simplefilter("ignore", silence.kind)
    place = [item[2] for item in warnings.filters].index(silence.kind)
    warnings.filters[place] = ("ignore", silence, silence.kind, None, 0)
    try:
        yield silence.said
    finally:
        silence.thread = None
        warnings.filters[:] = [item for item in warnings.filters if item[1] is not silence]


class _Silence:
    """What a filter asks: first if a message matches, then if its category is a subclass."""

    def __init__(self, message, category):
        self.pattern, self.category = message, category  # joblib's workers may copy the filters
        self.said, self.thread, self._matches = [], threading.get_ident(), False
        self._message = re.compile(message, re.IGNORECASE)
        self.kind = _OfOneThread("SilencedWarning", (Warning,), {"silence": self})

    def _is_asked_here(self):
        return threading.get_ident() == self.thread

    def match(self, text):
        if not self._is_asked_here():
            return False
        self._matches = bool(self._message.match(text))
        return self._matches

    def concerns(self, raised):
        """Tell whether the message that was asked for last is silenced, by its category."""
        if not (self._is_asked_here() and self._matches and issubclass(raised, self.category)):
            return False
        self.said.append(raised)
        return True


class _OfOneThread(type):
    def __subclasscheck__(cls, raised):
        return cls.silence.concerns(raised)


class _OtherProcessWarning(Warning):
    """What another process reads in place of a silence: nothing raises it."""


def _of_other_process():
    return _OtherProcessWarning


copyreg.pickle(_OfOneThread, lambda kind: (_of_other_process, ()))


def import_silently(*names):
    """Import modules, and undo what the import changes in the process's warning filters.

    torch imports sympy when it first trains, for instance, which adds a filter.

    Parameters
    ----------
    *names : str
        Modules that are missing are left to whoever needs them.
    """
    if all(name in sys.modules for name in names):
        return
    with turn():
        before = list(warnings.filters)
        with silenced():
            for name in names:
                with contextlib.suppress(ImportError):
                    importlib.import_module(name)
        warnings.filters[:] = before
