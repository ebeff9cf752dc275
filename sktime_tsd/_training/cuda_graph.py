"""Record a training step once as a CUDA graph, and replay it.

A step of a small network consists of hundreds of kernels of a few microseconds each, and
launching them takes most of the time. A graph launches them all at once.
"""

import warnings

import torch

from sktime_tsd._training.nested import map_tensors

__all__ = ["Recorded", "record_cuda_graph"]

# Calls before recording, in which libraries allocate memory and choose their kernels.
_WARM_UP_CALLS = 3


def record_cuda_graph(function):
    """Record the work of a function on the current device.

    Parameters
    ----------
    function : callable
        Takes no arguments, works on tensors whose memory does not move, and never waits for
        the device.

    Returns
    -------
    replay : callable
        Repeats the recorded work.
    result : object
        Return value of the function; `replay` writes new values into its tensors.
    """
    before, stream = torch.cuda.current_stream(), torch.cuda.Stream()
    try:
        stream.wait_stream(before)
        with torch.cuda.stream(stream):
            for _ in range(_WARM_UP_CALLS):
                function()
        graph = torch.cuda.CUDAGraph()
        # other threads of the process may keep using the device
        with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
            result = function()
    finally:
        # a failed recording leaves its own stream as the current one
        torch.cuda.set_stream(before)
        torch.cuda.synchronize()
    return graph.replay, result


class Recorded:
    """A function of tensors, recorded once for each input size.

    Parameters
    ----------
    function : callable
        Called as ``function(batch, y)`` with a named tuple of tensors and a tensor. Must
        not read tensor values on the host.
    buffers : list of torch.Tensor
        Other tensors that the function changes; recording restores them.
    record : callable, default=record_cuda_graph

    Attributes
    ----------
    failed : bool
        True if recording failed, so that each call runs the function itself.
    """

    def __init__(self, function, buffers, record=record_cuda_graph):
        self._function = function
        self._buffers = buffers
        self._record = record
        self._recordings = {}
        self.failed = False

    def __call__(self, batch, y):
        """Return the function's result; its tensors are valid until the next call."""
        if self.failed:
            return self._function(batch, y)
        if len(y) not in self._recordings and not self._make_recording(batch, y):
            return self._function(batch, y)
        inputs, replay, result = self._recordings[len(y)]
        for held, new in zip(_tensors((*inputs,)), _tensors((batch, y)), strict=True):
            held.copy_(new)
        replay()
        return result

    def _make_recording(self, batch, y):
        inputs = map_tensors(torch.clone, (batch, y))
        before = [buffer.clone() for buffer in self._buffers]
        error = None
        try:
            replay, result = self._record(lambda: self._function(*inputs))
        except RuntimeError as caught:  # not recordable, or out of memory
            error = str(caught)
        for buffer, value in zip(self._buffers, before, strict=True):
            buffer.copy_(value)
        if error is None:
            self._recordings[len(y)] = inputs, replay, result
            return True
        self.failed = True
        self._recordings.clear()
        torch.cuda.empty_cache()
        warnings.warn(
            f"The training step could not be recorded as a CUDA graph ({error}). Training "
            "continues without it, more slowly.",
            UserWarning,
            stacklevel=2,
        )
        return False


def _tensors(parts):
    """Yield all tensors of nested tuples, in order."""
    for part in parts:
        if isinstance(part, torch.Tensor):
            yield part
        elif part is not None:
            yield from _tensors(part)
