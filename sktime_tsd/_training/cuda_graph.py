"""A training step that is recorded once and replayed, as one CUDA graph.

A step of a small network is some hundred kernels of a few microseconds each, and takes as
long as it takes to launch them. A graph is launched as one.
"""

import warnings

import torch

from sktime_tsd._training.nested import map_tensors

__all__ = ["Recorded", "record_cuda_graph"]

# Calls before recording, in which libraries allocate what they need and choose their kernels.
_WARM_UP_CALLS = 3


def record_cuda_graph(function):
    """Record what a function does on the current device.

    Parameters
    ----------
    function : callable
        Without arguments; works on tensors that stay where they are, and never waits for
        the device.

    Returns
    -------
    replay : callable
        Does the same again.
    result : object
        What the function returned; `replay` writes new values into its tensors.
    """
    before, stream = torch.cuda.current_stream(), torch.cuda.Stream()
    try:
        stream.wait_stream(before)
        with torch.cuda.stream(stream):
            for _ in range(_WARM_UP_CALLS):
                function()
        graph = torch.cuda.CUDAGraph()
        # other threads of the process may go on using the device
        with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
            result = function()
    finally:
        # a recording that fails leaves its own stream behind
        torch.cuda.set_stream(before)
        torch.cuda.synchronize()
    return graph.replay, result


class Recorded:
    """A function of tensors, recorded for each size of its input.

    Parameters
    ----------
    function : callable
        ``function(batch, y)`` of a named tuple of tensors and a tensor, which reads no
        value of a tensor.
    buffers : list of torch.Tensor
        What the function changes besides; recording leaves them as they were.
    record : callable, default=record_cuda_graph

    Attributes
    ----------
    failed : bool
        Whether it could not be recorded, so that each call runs the function.
    """

    def __init__(self, function, buffers, record=record_cuda_graph):
        self._function = function
        self._buffers = buffers
        self._record = record
        self._recordings = {}
        self.failed = False

    def __call__(self, batch, y):
        """Return what the function returns; its tensors hold until the next call."""
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
        except RuntimeError as caught:  # whatever cannot be recorded, or held
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
            f"The training step could not be recorded as a CUDA graph ({error}); it runs kernel "
            "by kernel.",
            UserWarning,
            stacklevel=2,
        )
        return False


def _tensors(parts):
    """All tensors in nested tuples, in order."""
    for part in parts:
        if isinstance(part, torch.Tensor):
            yield part
        elif part is not None:
            yield from _tensors(part)
