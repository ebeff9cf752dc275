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
    plan = _Plan(layers)
    plan.as_early_as_possible()
    plan.later_where_that_saves_memory()
    return plan.schedule()


class _Plan:
    """Stages, lags and periods of layers, while they are worked out."""

    def __init__(self, layers):
        self.layers = layers
        self.makers = {tensor: layer for layer in layers for tensor in layer.outputs}
        self.readers = {tensor: [] for tensor in self.makers}
        for layer in layers:
            for tensor in layer.inputs:
                self.readers[tensor].append(layer)
        self.stages, self.lags, self.periods = {}, {}, {}

    def as_early_as_possible(self):
        for layer in self.layers:
            stage = max((self._ready(layer, tensor) for tensor in layer.inputs), default=0)
            if _is_columnwise(layer):
                makers = [self.makers[tensor] for tensor in layer.inputs if tensor.is_series]
                beside = [maker for maker in makers if self.stages[maker] == stage]
                if len({self.periods[maker] for maker in beside}) > 1:
                    stage, beside = stage + 1, []
                self.periods[layer], self.lags[layer] = 1, 0
                if beside:
                    period = self.periods[beside[0]]
                    lag = max(self.lags[maker] for maker in beside)
                    self.lags[layer] = lag + period * _after(layer)
                    self.periods[layer] = period * getattr(layer, "stride", 1)
            self.stages[layer] = stage

    def _ready(self, layer, tensor):
        """First stage in which a layer can read a tensor."""
        maker = self.makers[tensor]
        stage = self.stages[maker]
        if not tensor.is_series:  # vectors are there when the columns are through
            return stage + _is_columnwise(layer)
        return stage + (_is_reversed(layer) or _is_reversed(maker))

    def later_where_that_saves_memory(self):
        """Let a short branch wait, if it is cheaper to keep what it reads than what it gives."""
        for layer in reversed(self.layers):
            for with_makers in (True, False):
                former, memory = dict(self.lags), self._memory()
                self._delay(layer, with_makers)
                if self._memory() >= memory:
                    self.lags = former

    def _delay(self, layer, with_makers):
        """Compute a layer as late as its readers allow, and perhaps what only it reads, too."""
        if layer not in self.lags or layer.output is None or not layer.output.is_series:
            return
        readers = self.readers[layer.output]
        if self._is_kept_whole(layer.output) or not readers:
            return
        period = self.periods[layer]
        latest = min(self.lags[reader] - period * _after(reader) for reader in readers)
        self.lags[layer] = max(self.lags[layer], latest)
        for tensor in layer.inputs if with_makers else ():
            if tensor.is_series and self.readers[tensor] == [layer]:
                self._delay(self.makers[tensor], with_makers)

    def _memory(self):
        return sum(self._slots(tensor) * tensor.n_channels for tensor in self.makers)

    def _is_kept_whole(self, tensor):
        maker = self.makers[tensor]
        later = (self.stages[layer] > self.stages[maker] for layer in self.readers[tensor])
        return _is_reversed(maker) or any(later)

    def _slots(self, tensor):
        """Count the columns to keep."""
        if not tensor.is_series:
            return 1
        if self._is_kept_whole(tensor):
            return tensor.n_timepoints
        maker, n = self.makers[tensor], 1
        for layer in self.readers[tensor]:
            wait = (self.lags[layer] - self.lags[maker]) // self.periods[maker]
            n = max(n, wait + getattr(layer, "pad", 0) + 1)
        return min(n, tensor.n_timepoints)

    def schedule(self):
        stages = [Stage() for _ in range(max(self.stages.values()) + 1)]
        for layer in self.layers:
            stage = stages[self.stages[layer]]
            if layer not in self.lags:
                stage.after.append(layer)
                continue
            stage.layers.append(layer)
            last = self.lags[layer] + self.periods[layer] * (n_columns(layer) - 1)
            stage.n_ticks = max(stage.n_ticks, last + 1)
        n_slots = {tensor: self._slots(tensor) for tensor in self.makers}
        return Schedule(stages, self.lags, self.periods, n_slots)


def _is_columnwise(layer):
    return isinstance(layer, Input) or any(tensor.is_series for tensor in layer.inputs)


def _is_reversed(layer):
    return isinstance(layer, Recurrent) and layer.is_reversed


def _after(layer):
    """How many time points after its own a layer reads."""
    return max(0, layer.after) if isinstance(layer, Window) else 0
