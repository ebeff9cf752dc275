"""When each column is computed, and how many of them are kept.

The layers run in step, column by column, so that a layer keeps only as many columns as the windows
behind it reach over: memory does not grow with the length of the series. A column t of a layer is
computed at tick ``lag + period * t``. What needs a whole series first, such as a layer that reads
from its end, begins a new stage, and what it reads is kept whole.
"""

from dataclasses import dataclass, field

from sktime_tsd.export.c._layers import Input, Recurrent, Window

__all__ = ["Schedule", "Stage", "scheduled"]


@dataclass(eq=False)
class Stage:
    """Layers that run in step.

    Parameters
    ----------
    layers : list of Layer
        Those that work column by column.
    after : list of Layer
        Those that work on vectors, when the columns are through.
    n_ticks : int
    """

    layers: list = field(default_factory=list)
    after: list = field(default_factory=list)
    n_ticks: int = 0


@dataclass(eq=False)
class Schedule:
    """Stages, and the place of each layer in them.

    Parameters
    ----------
    stages : list of Stage
    lags, periods : dict of Layer to int
        Of layers that work column by column.
    n_slots : dict of Tensor to int
        Number of columns that are kept; 1 for a vector.
    """

    stages: list
    lags: dict
    periods: dict
    n_slots: dict


def n_columns(layer):
    """Count the columns that a layer computes or reads.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    n : int
    """
    has_series = layer.output is not None and layer.output.is_series
    if has_series:
        return layer.output.n_timepoints
    return next(tensor.n_timepoints for tensor in layer.inputs if tensor.is_series)


def scheduled(layers):
    """Plan the computation.

    Parameters
    ----------
    layers : list of Layer
        In an order in which they can be computed.

    Returns
    -------
    schedule : Schedule
    """
    makers, stage_of, lags, periods = {}, {}, {}, {}
    for layer in layers:
        stage = max((_ready(layer, tensor, makers, stage_of) for tensor in layer.inputs), default=0)
        if _is_columnwise(layer):
            beside = [
                makers[x] for x in layer.inputs if x.is_series and stage_of[makers[x]] == stage
            ]
            if len({periods[maker] for maker in beside}) > 1:
                stage, beside = stage + 1, []
            periods[layer], lags[layer] = 1, 0
            if beside:
                period = periods[beside[0]]
                after = max(0, layer.after) if isinstance(layer, Window) else 0
                stride = layer.stride if isinstance(layer, Window) else 1
                lags[layer] = max(lags[maker] for maker in beside) + period * after
                periods[layer] = period * stride
        stage_of[layer] = stage
        makers.update(dict.fromkeys(layer.outputs, layer))
    stages = [Stage() for _ in range(max(stage_of.values()) + 1)]
    for layer in layers:
        stage = stages[stage_of[layer]]
        if layer not in lags:
            stage.after.append(layer)
            continue
        stage.layers.append(layer)
        last = lags[layer] + periods[layer] * (n_columns(layer) - 1)
        stage.n_ticks = max(stage.n_ticks, last + 1)
    n_slots = {}
    for tensor, maker in makers.items():
        readers = [layer for layer in layers if tensor in layer.inputs]
        n_slots[tensor] = _slots(tensor, maker, readers, stage_of, lags, periods)
    return Schedule(stages, lags, periods, n_slots)


def _is_columnwise(layer):
    return isinstance(layer, Input) or any(tensor.is_series for tensor in layer.inputs)


def _is_reversed(layer):
    return isinstance(layer, Recurrent) and layer.is_reversed


def _ready(layer, tensor, makers, stage_of):
    """First stage in which a layer can read a tensor."""
    maker = makers[tensor]
    stage = stage_of[maker]
    if not tensor.is_series:  # vectors are there when the columns are through
        return stage + _is_columnwise(layer)
    return stage + (_is_reversed(layer) or _is_reversed(maker))


def _slots(tensor, maker, readers, stage_of, lags, periods):
    if not tensor.is_series:
        return 1
    if _is_reversed(maker) or any(stage_of[layer] > stage_of[maker] for layer in readers):
        return tensor.n_timepoints
    n = 1
    for layer in readers:
        pad = layer.pad if isinstance(layer, Window) else 0
        n = max(n, (lags[layer] - lags[maker]) // periods[maker] + pad + 1)
    return min(n, tensor.n_timepoints)
