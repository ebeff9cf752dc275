"""Silence warnings of this thread alone, and import libraries without their warning filters."""

import contextlib
import importlib
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
    thread, said, ended = threading.get_ident(), [], False

    class OfThisThread(type):
        def __subclasscheck__(cls, raised):
            if ended or threading.get_ident() != thread or not issubclass(raised, category):
                return False
            if not message:  # with a message, the category may be asked of others
                said.append(raised)
            return True

    own = OfThisThread("SilencedWarning", (Warning,), {})
    warnings.filterwarnings("ignore", message, own)
    try:
        yield said
    finally:
        ended = True
        warnings.filters[:] = [item for item in warnings.filters if item[2] is not own]


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
