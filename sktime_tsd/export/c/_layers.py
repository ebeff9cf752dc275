"""A network as a list of layers, each of which computes one time point after the other."""

from dataclasses import dataclass, field

import numpy as np

__all__ = [
    "Activation",
    "Combination",
    "Concatenation",
    "Convolution",
    "Dense",
    "Input",
    "Layer",
    "Pool",
    "Recurrent",
    "Shift",
    "Summary",
    "Tensor",
    "TimeDense",
    "Window",
]


@dataclass(eq=False)
class Tensor:
    """What a layer reads or writes: a series of columns, or one vector.

    Parameters
    ----------
    n_channels : int
        Values per column.
    n_timepoints : int or None
        Number of columns. None for a vector.
    """

    n_channels: int
    n_timepoints: int | None = None

    @property
    def is_series(self):
        """Whether it has a time axis."""
        return self.n_timepoints is not None


@dataclass(eq=False)
class Activation:
    """Something done to each value of a column, in its place.

    Parameters
    ----------
    kind : str
        A key of `_activations.ACTIVATIONS`.
    numbers : tuple of float
        Constants of the whole layer.
    arrays : tuple of numpy.ndarray of shape (n_channels,)
        Constants of each channel.
    """

    kind: str
    numbers: tuple = ()
    arrays: tuple = ()


@dataclass(eq=False, kw_only=True)
class Layer:
    """One step of the computation.

    Parameters
    ----------
    inputs : list of Tensor
    output : Tensor or None
        None for a recurrent layer of which only the last state is read.
    activations : list of Activation
        Done to each column of the output as soon as it is there.
    """

    inputs: list
    output: Tensor | None
    activations: list = field(default_factory=list)

    @property
    def outputs(self):
        """All tensors that the layer writes."""
        return [self.output]

    @property
    def weights(self):
        """The matrix that may be rounded to 8 bits, of shape (n_rows, ...), or None."""
        return None

    @property
    def multiply_adds(self):
        """Multiplications and additions for one answer."""
        return 0


@dataclass(eq=False, kw_only=True)
class Input(Layer):
    """The series, transformed by the steps before the network and scaled."""


@dataclass(eq=False, kw_only=True)
class Window(Layer):
    """A layer whose column t depends on some columns of its input around ``t * stride``.

    Attributes
    ----------
    kernel : int
        Number of columns in the window.
    stride, dilation : int
    pad : int
        How many time points before ``t * stride`` the window begins. Outside the series
        there is nothing to add, and nothing to compare.
    """

    kernel: int = 1
    stride: int = 1
    dilation: int = 1
    pad: int = 0

    @property
    def after(self):
        """How many time points after ``t * stride`` the window ends."""
        return (self.kernel - 1) * self.dilation - self.pad


@dataclass(eq=False, kw_only=True)
class Convolution(Window):
    """Convolution over time; also a dense layer for each column.

    Attributes
    ----------
    matrix : numpy.ndarray of shape (n_out, kernel, n_in // groups)
    biases : numpy.ndarray of shape (n_out,)
    groups : int
    """

    matrix: np.ndarray
    biases: np.ndarray
    groups: int = 1

    @property
    def weights(self):
        return self.matrix

    @property
    def multiply_adds(self):
        return self.output.n_timepoints * self.matrix.size


@dataclass(eq=False, kw_only=True)
class Pool(Window):
    """Maximum or mean over a window.

    Attributes
    ----------
    kind : {"max", "mean"}
    counts_from, counts_to : int
        Of a mean, the first time point that counts, and the one behind the last: the padding,
        too, may count.
    """

    kind: str
    counts_from: int = 0
    counts_to: int = 0

    @property
    def multiply_adds(self):
        return self.output.n_timepoints * self.output.n_channels * self.kernel


@dataclass(eq=False, kw_only=True)
class Shift(Window):
    """A copy of some columns, with zeros before and after the series.

    Attributes
    ----------
    channel : int
        First channel to copy.
    """

    channel: int = 0


@dataclass(eq=False, kw_only=True)
class Concatenation(Layer):
    """Channels of several tensors, one after the other."""


@dataclass(eq=False, kw_only=True)
class Combination(Layer):
    """Sum, product and the like of two tensors; a vector counts for every time point.

    Attributes
    ----------
    kind : str
        A key of `_activations.COMBINATIONS`.
    """

    kind: str

    @property
    def multiply_adds(self):
        return self.output.n_channels * (self.output.n_timepoints or 1)


@dataclass(eq=False, kw_only=True)
class Recurrent(Layer):
    """One direction of an LSTM or a GRU.

    Attributes
    ----------
    kind : {"lstm", "gru"}
    matrix : numpy.ndarray of shape (n_gates * n_hidden, n_in + n_hidden)
        Gates in ONNX's order; the columns of the input first.
    biases : numpy.ndarray of shape (4 * n_hidden,)
        Of an LSTM, one for each gate. Of a GRU, those of both gates, then those of the
        candidate's two parts.
    is_reversed : bool
        Whether it reads the series from its end.
    last : Tensor or None
        The last hidden state, where it is read.
    """

    kind: str
    matrix: np.ndarray
    biases: np.ndarray
    is_reversed: bool
    last: Tensor | None

    @property
    def n_hidden(self):
        return self.matrix.shape[1] - self.inputs[0].n_channels

    @property
    def outputs(self):
        return [tensor for tensor in (self.output, self.last) if tensor is not None]

    @property
    def weights(self):
        return self.matrix

    @property
    def multiply_adds(self):
        return self.inputs[0].n_timepoints * self.matrix.size


@dataclass(eq=False, kw_only=True)
class Summary(Layer):
    """A vector from a series.

    Attributes
    ----------
    kind : {"mean", "sum", "max", "min", "pick"}
    position : int
        The time point to pick.
    """

    kind: str
    position: int = 0

    @property
    def multiply_adds(self):
        return 0 if self.kind == "pick" else self.inputs[0].n_timepoints * self.output.n_channels


@dataclass(eq=False, kw_only=True)
class Dense(Layer):
    """A matrix times a vector.

    Attributes
    ----------
    matrix : numpy.ndarray of shape (n_out, n_in)
    biases : numpy.ndarray of shape (n_out,)
    """

    matrix: np.ndarray
    biases: np.ndarray

    @property
    def weights(self):
        return self.matrix

    @property
    def multiply_adds(self):
        return self.matrix.size


@dataclass(eq=False, kw_only=True)
class TimeDense(Dense):
    """A matrix times all values of a series, summed while they come.

    Attributes
    ----------
    matrix : numpy.ndarray of shape (n_out, n_timepoints, n_in)
    """
