"""Run a part of a test in a process of its own, which may be killed.

It is forked from a server that has never had threads: a fork of the test process itself may wait
forever for a thread that the child does not have.
"""

import multiprocessing
import sys

import cloudpickle
import pytest

needs_fork = pytest.mark.skipif(
    "forkserver" not in multiprocessing.get_all_start_methods(), reason="kills a forked process"
)


def in_child(action):
    """Start an action in a process, and return the process.

    The functions and variables of the test's module that the action uses travel with it.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["sktime_tsd.export", "sktime_tsd.runtime", "numpy.testing"])
    module = sys.modules[action.__module__]
    cloudpickle.register_pickle_by_value(module)
    try:
        pickled = cloudpickle.dumps(action)
    finally:
        cloudpickle.unregister_pickle_by_value(module)
    process = context.Process(target=_run, args=(pickled,), daemon=True)
    process.start()
    return process


def run_in_child(action):
    """Run an action in a process to its end, and return its exit code: -9 if it was killed."""
    process = in_child(action)
    process.join()
    return process.exitcode


def _run(pickled):
    cloudpickle.loads(pickled)()
