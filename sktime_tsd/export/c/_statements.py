"""The C statements of each layer."""

from functools import singledispatchmethod

import numpy as np

from sktime_tsd.export.c import _layers as layers
from sktime_tsd.export.c._literals import array_source, float_literal
from sktime_tsd.export.c._quantize_rows import rounded_rows
from sktime_tsd.export.c._schedule import n_columns, scheduled

__all__ = ["Statements"]


class Statements:
    """Writes the body of the function that computes logits.

    Parameters
    ----------
    network : list of Layer
    int8 : bool
        Whether to round the weights to 8 bits.

    Attributes
    ----------
    arrays : list of str
        Constant arrays, as C source.
    n_constant_bytes : int
        Their size.
    largest : int
        The largest number that an int of the program holds.
    members : dict of str to int
        Buffers and how many floats they hold.
    kernels : set of str
        Functions that are called.
    logits : str
        Where the logits are in the end.
    body : str
    """

    def __init__(self, network, *, int8):
        self.int8 = int8
        self.arrays, self.n_constant_bytes = [], 0
        self.members, self.kernels = {}, set()
        self.largest = 0
        self._written, self._names = {}, {}
        self._schedule = scheduled(network)
        for tensor, n_slots in self._schedule.n_slots.items():
            name = self._names[tensor] = f"v{len(self._names)}"
            self.members[name] = n_slots * tensor.n_channels
        self.body = "\n".join(self._stage(stage) for stage in self._schedule.stages)
        self.logits = f"b.{self._names[network[-1].output]}"
        ticks = [stage.n_ticks for stage in self._schedule.stages]
        self.largest = max(self.largest, *ticks, *self.members.values())

    # -- the frame -------------------------------------------------------------------------

    def _stage(self, stage):
        before, after, steps = [], [], []
        for layer in stage.layers:
            before += self._before(layer)
            steps += self._step(layer)
            after += self._after(layer)
        for layer in stage.after:
            after += [*self._column(layer), *self._activations(layer)]
        loop = [f"for (tick = 0; tick < {stage.n_ticks}; ++tick) {{", *steps, "}"]
        lines = [*before, *(loop if steps else []), *after]
        return "\n".join(f"    {line}" for line in lines)

    def _step(self, layer):
        """One column of a layer, when its turn has come."""
        lag, period = self._schedule.lags[layer], self._schedule.periods[layer]
        n = n_columns(layer)
        lines = [*self._column(layer), *self._activations(layer)]
        if getattr(layer, "is_reversed", False):
            head = f"t = {n - 1} - tick;\n        if (t >= 0) {{"
        elif period == 1:
            head = (
                f"t = tick - {lag};\n        if (t >= 0 && t < {n}) {{"
                if lag
                else (f"t = tick;\n        if (t < {n}) {{")
            )
        else:
            head = (
                f"t = (tick - {lag}) / {period};\n"
                f"        if (tick >= {lag} && (tick - {lag}) % {period} == 0 && t < {n}) {{"
            )
        return [f"    {head}", *(f"        {line}" for line in lines), "    }"]

    def _activations(self, layer):
        output = layer.output
        if output is None or (layer in self._schedule.lags and not output.is_series):
            return []  # of a vector that is summed up, they come when it is complete
        return self._activation_calls(layer, self._at(output))

    def _activation_calls(self, layer, place):
        calls = []
        for activation in layer.activations:
            numbers = [float_literal(number) for number in activation.numbers]
            arrays = [self._floats(array) for array in activation.arrays]
            arguments = [place, layer.output.n_channels, *numbers, *arrays]
            calls.append(self._call(f"do_{activation.kind}", *arguments))
        return calls

    def _call(self, kernel, *arguments):
        self.kernels.add(kernel)
        return f"{kernel}({', '.join(map(str, arguments))});"

    def _at(self, tensor, column="t"):
        """Where a column is."""
        name = f"b.{self._names[tensor]}"
        n_slots = self._schedule.n_slots[tensor]
        if n_slots == 1:
            return name
        slot = column if n_slots == tensor.n_timepoints else f"{column} % {n_slots}"
        return f"{name} + {slot} * {tensor.n_channels}"

    def _floats(self, values):
        return self._array("float", "c", np.asarray(values, dtype=np.float32))

    def _array(self, kind, prefix, values):
        key = kind, values.tobytes()
        if key not in self._written:  # InceptionTime's batch norms may be alike, for example
            name = self._written[key] = f"{prefix}{len(self._written)}"
            self.arrays.append(array_source(kind, name, values))
            self.n_constant_bytes += values.nbytes
            self.largest = max(self.largest, values.size)
        return self._written[key]

    def _weights(self, matrix, shape=None, order=None):
        """Matrix and, if there are any, scales of its rows, as arguments.

        The matrix may be stored in another order: it is reshaped, then transposed.
        """
        rounded, scales = rounded_rows(matrix) if self.int8 else (matrix.astype(np.float32), None)
        if shape is not None:
            rounded = rounded.reshape(shape)
        if order is not None:
            rounded = rounded.transpose(order)
        name = self._array("signed char" if self.int8 else "float", "w", rounded)
        return f"{name}, {self._floats(scales)}" if self.int8 else name

    # -- what each layer does ----------------------------------------------------------------

    @singledispatchmethod
    def _before(self, layer):
        """Statements before the columns."""
        return []

    @singledispatchmethod
    def _after(self, layer):
        """Statements when the columns are through."""
        return []

    @singledispatchmethod
    def _column(self, layer):
        """Statements for column t, or for a vector."""
        raise NotImplementedError(type(layer))

    @_column.register
    def _(self, layer: layers.Input):
        return [f"read_column(&source, t, {self._at(layer.output)});"]

    def _window(self, layer):
        """Input, its slots, channels and length."""
        (x,) = layer.inputs
        slots = self._schedule.n_slots[x]
        return f"b.{self._names[x]}", slots, x.n_channels, x.n_timepoints

    def _first(self, layer):
        first = f"t * {layer.stride}" if layer.stride != 1 else "t"
        if layer.pad:
            first += f" {'-' if layer.pad > 0 else '+'} {abs(layer.pad)}"
        return first

    @_column.register
    def _(self, layer: layers.Convolution):
        is_spread = layer.dilation != 1 or layer.groups != 1
        return [
            self._call(
                "convolve_spread" if is_spread else "convolve",
                *self._window(layer),
                self._weights(layer.matrix),
                self._floats(layer.biases),
                layer.kernel,
                *((layer.dilation, layer.groups) if is_spread else ()),
                self._first(layer),
                self._at(layer.output),
                layer.output.n_channels,
            )
        ]

    @_column.register
    def _(self, layer: layers.Pool):
        first, place = self._first(layer), self._at(layer.output)
        window = (*self._window(layer), layer.kernel)
        if layer.kind == "max":
            return [self._call("pool_max", *window, layer.dilation, first, place)]
        counts = layer.counts_from, layer.counts_to
        return [self._call("pool_mean", *window, first, *counts, place)]

    @_column.register
    def _(self, layer: layers.Shift):
        (x,), y, n = layer.inputs, layer.output, layer.output.n_channels
        channel = f" + {layer.channel}" if layer.channel else ""
        if not y.is_series:
            return [self._call("copy", self._at(x) + channel, self._at(y), n)]
        first = self._first(layer)
        place = self._at(x, f"({first})" if first != "t" else "t") + channel
        copies = self._call("copy", place, self._at(y), n)
        last = (y.n_timepoints - 1) * layer.stride - layer.pad
        if layer.pad <= 0 and last < x.n_timepoints:
            return [copies]
        fills = self._call("fill", self._at(y), "0.0f", n)
        is_inside = f"{first} >= 0 && {first} < {x.n_timepoints}"
        return [f"if ({is_inside}) {{", f"    {copies}", "} else {", f"    {fills}", "}"]

    @_column.register
    def _(self, layer: layers.Concatenation):
        lines, place = [], self._at(layer.output)
        for tensor in layer.inputs:
            lines.append(self._call("copy", self._at(tensor), place, tensor.n_channels))
            place += f" + {tensor.n_channels}"
        return lines

    @_column.register
    def _(self, layer: layers.Combination):
        places = [self._at(tensor) for tensor in (*layer.inputs, layer.output)]
        return [self._call(f"both_{layer.kind}", *places, layer.output.n_channels)]

    @_column.register
    def _(self, layer: layers.Dense):
        (x,), y = layer.inputs, layer.output
        return [
            self._call(
                "dense",
                self._at(x),
                x.n_channels,
                self._weights(layer.matrix),
                self._floats(layer.biases),
                self._at(y),
                y.n_channels,
            )
        ]

    # layers that keep a sum or a state from column to column

    @_before.register
    def _(self, layer: layers.Recurrent):
        n = layer.inputs[0].n_channels + (3 if layer.kind == "lstm" else 2) * layer.n_hidden
        state = self._names[layer] = f"h{len(self._names)}"
        self.members[state] = n
        return [self._call("fill", f"b.{state}", "0.0f", n)]

    @_column.register
    def _(self, layer: layers.Recurrent):
        (x,), state, n = layer.inputs, f"b.{self._names[layer]}", layer.n_hidden
        place, biases = self._at(x), self._floats(layer.biases)
        if layer.kind == "lstm":  # a state is read once for the four gates of a unit
            weights = self._weights(layer.matrix, (4, n, -1), (1, 2, 0))
        else:
            weights = self._weights(layer.matrix)
        lines = [self._call(layer.kind, place, x.n_channels, weights, biases, state, n)]
        if layer.output is not None:
            hidden = f"{state} + {x.n_channels}"
            lines.append(self._call("copy", hidden, self._at(layer.output), n))
        return lines

    @_after.register
    def _(self, layer: layers.Recurrent):
        if layer.last is None:
            return []
        hidden = f"b.{self._names[layer]} + {layer.inputs[0].n_channels}"
        return [self._call("copy", hidden, self._at(layer.last), layer.n_hidden)]

    @_before.register
    def _(self, layer: layers.Summary):
        if layer.kind not in ("mean", "sum"):
            return []
        return [self._call("fill", self._at(layer.output), "0.0f", layer.output.n_channels)]

    @_column.register
    def _(self, layer: layers.Summary):
        (x,), y = layer.inputs, layer.output
        column = self._at(x), self._at(y), y.n_channels
        if layer.kind in ("mean", "sum"):
            return [self._call("add_to", *column)]
        position = layer.position if layer.kind == "pick" else 0
        lines = [f"if (t == {position}) {{", f"    {self._call('copy', *column)}", "}"]
        if layer.kind != "pick":
            kernel = "keep_largest" if layer.kind == "max" else "keep_smallest"
            lines.append(self._call(kernel, *column))
        return lines

    @_after.register
    def _(self, layer: layers.Summary):
        lines, n = [], layer.output.n_channels
        if layer.kind == "mean":
            length = float_literal(layer.inputs[0].n_timepoints)
            lines.append(self._call("divide", self._at(layer.output), length, n))
        return [*lines, *self._activation_calls(layer, self._at(layer.output))]

    @_before.register
    def _(self, layer: layers.TimeDense):
        return [self._call("fill", self._at(layer.output), "0.0f", layer.output.n_channels)]

    @_column.register
    def _(self, layer: layers.TimeDense):
        (x,), y = layer.inputs, layer.output
        name = self._time_weights(layer)[0]
        row = f"{name} + t * {y.n_channels * x.n_channels}"
        return [self._call("dense_add", self._at(x), x.n_channels, row, self._at(y), y.n_channels)]

    @_after.register
    def _(self, layer: layers.TimeDense):
        scales, biases = self._time_weights(layer)[1:], self._floats(layer.biases)
        place, n = self._at(layer.output), layer.output.n_channels
        ends = self._call("dense_end", *scales, biases, place, n)
        return [ends, *self._activation_calls(layer, place)]

    def _time_weights(self, layer):
        # stored time point by time point, as they are read
        return self._weights(layer.matrix, order=(1, 0, 2)).split(", ")
