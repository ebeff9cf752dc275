"""Refuse ONNX files that reach beyond themselves or take too much, before onnxruntime sees them."""

from typing import NamedTuple

from sktime_tsd.runtime._graph import read_graph
from sktime_tsd.runtime._graph_cost import graph_cost
from sktime_tsd.runtime._model_files import ModelFileError

__all__ = ["Bounds", "check_model", "read_model"]

# What may be computed as a file is loaded: half a GiB, and about a second.
_LOADING_BYTES = 2**29
_LOADING_WORK = 2 * 10**9

# What two series may take in all, and a batch of more. Far above any student.
_PREDICTING_BYTES = 2**32
_PREDICTING_WORK = 10**12
_BATCH_BYTES = 2**30


class Bounds(NamedTuple):
    """How a file can be run."""

    #: Most series at a time.
    n_instances: int
    #: Whether a trial on two series takes little.
    is_tried: bool


def read_model(data, path):
    """Read the graph of an ONNX file; see `read_graph`.

    Parameters
    ----------
    data : bytes
    path : pathlib.Path
        For the message.

    Returns
    -------
    graph : Graph

    Raises
    ------
    ModelFileError
        If the file is damaged, or reaches beyond itself.
    """
    try:
        return read_graph(data)
    except ModelFileError as error:
        raise ModelFileError(f"{path}: {error}") from error


def check_model(graph, sizes, n_instances, path):
    """Bound what a file takes.

    Parameters
    ----------
    graph : Graph
    sizes : tuple of int
        ``(n_channels, n_timepoints)`` that the file says it reads.
    n_instances : int
        Series that are wanted at a time.
    path : pathlib.Path
        For the message.

    Returns
    -------
    bounds : Bounds

    Raises
    ------
    ModelFileError
        If it reads other series, takes too much, or what it takes cannot be bounded.
    """
    if [*graph.inputs] != ["X"] or graph.inputs["X"][1:] != list(sizes):
        raise ModelFileError(
            f"{path}: its metadata say that X has {sizes[0]} channels of {sizes[1]} time points, "
            f"but its inputs are {graph.inputs!r:.200}."
        )
    try:
        two = graph_cost(graph, 2)
        while n_instances > 2 and graph_cost(graph, n_instances).n_bytes > _BATCH_BYTES:
            n_instances //= 2
    except ModelFileError as error:
        raise ModelFileError(f"{path} is refused: {error}.") from error
    loading = two.fixed_bytes <= _LOADING_BYTES and two.fixed_work <= _LOADING_WORK
    predicting = two.n_bytes <= _PREDICTING_BYTES and two.work <= _PREDICTING_WORK
    if not (loading and predicting):
        raise ModelFileError(
            f"{path} is refused: it takes {two.n_bytes:,} bytes and {two.work:.1g} multiplications "
            "for two series, which no student does."
        )
    return Bounds(
        max(1, n_instances),
        is_tried=two.n_bytes <= _LOADING_BYTES and two.work <= _LOADING_WORK,
    )
