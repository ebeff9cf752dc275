"""Numbers of threads: torch's is kept while other libraries run, and helpers end."""

import contextlib
from concurrent.futures import ThreadPoolExecutor

import torch

__all__ = ["in_own_thread", "keep_torch_threads"]


@contextlib.contextmanager
def keep_torch_threads():
    """Restore torch's number of threads on exit.

    numba's thread pool resets the number when it is first used. That makes small networks much
    slower, and repeated fits are no longer equal bit for bit.
    """
    n_threads = torch.get_num_threads()
    try:
        yield
    finally:
        if torch.get_num_threads() != n_threads:
            torch.set_num_threads(n_threads)


def in_own_thread(function, *args):
    """Call a function in a thread that ends with it.

    What torch computes on several threads leaves helpers waiting for the thread that called it. A
    child forked by that thread has no helpers, and waits for them forever. The helpers of a thread
    that has ended are gone. (torch's number of threads could be 1 for a while, but it is also the
    number of all threads that start meanwhile, for good.)

    Parameters
    ----------
    function : callable
        Must not take a `turn`, which the caller may hold.
    *args : object

    Returns
    -------
    result : object
        What the function returns.

    Examples
    --------
    >>> import threading
    >>> from sktime_tsd._utils.threads import in_own_thread
    >>> in_own_thread(threading.current_thread) is threading.current_thread()
    False
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(function, *args).result()
