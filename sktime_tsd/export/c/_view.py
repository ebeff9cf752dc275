"""Which axis of an ONNX tensor is time, and which one holds the channels."""

from dataclasses import dataclass, replace
from math import prod

from sktime_tsd.export.c._layers import Tensor

__all__ = ["Stack", "UnsupportedError", "View"]


class UnsupportedError(Exception):
    """A network does what cannot be written in C. The message says which operator does."""


@dataclass(frozen=True)
class View:
    """A tensor, as a node of an ONNX graph sees it.

    Parameters
    ----------
    tensor : Tensor
    axes : tuple of tuple of str
        For each ONNX axis what it holds: ``("time",)``, ``("channel",)``, several of them for an
        axis that is flattened, or nothing for an axis of length 1. Where two axes together hold
        the channels, they are ``("outer",)`` and ``("inner",)``; where they hold the time
        points, ``("row",)`` and ``("phase",)``.
    n_inner, n_phases : int
        Lengths of the axes ``"inner"`` and ``"phase"``.
    """

    tensor: Tensor
    axes: tuple
    n_inner: int = 0
    n_phases: int = 0

    def size_of(self, atom):
        """Length of what an axis holds."""
        return {
            "time": self.tensor.n_timepoints,
            "channel": self.tensor.n_channels,
            "inner": self.n_inner,
            "outer": self.tensor.n_channels // max(1, self.n_inner),
            "phase": self.n_phases,
            "row": (self.tensor.n_timepoints or 1) // max(1, self.n_phases),
        }[atom]

    @property
    def shape(self):
        """Shape of the ONNX tensor."""
        return tuple(prod(self.size_of(atom) for atom in axis) for axis in self.axes)

    def moved(self, axes):
        """Return the same values with other axes."""
        return replace(self, axes=tuple(self._merged(axis) for axis in axes))

    def _merged(self, axis):
        if axis == ("outer", "inner") or (axis == ("outer",) and self.n_inner == 1):
            return ("channel",)
        if axis == ("row", "phase") or (axis == ("phase",) and self.size_of("row") == 1):
            return ("time",)
        # an axis of length 1 holds nothing
        return tuple(atom for atom in axis if self.size_of(atom) != 1)

    def holds(self, *expected):
        """Whether the axes hold what is expected: "time", "channel" or None."""
        if len(expected) != len(self.axes):
            return False
        return all(
            axis == (() if atom is None or self.size_of(atom) == 1 else (atom,))
            for axis, atom in zip(self.axes, expected, strict=True)
        )

    def reshaped(self, shape):
        """Return the same values in another shape.

        Parameters
        ----------
        shape : list of int
            May hold one -1, and zeros for axes that stay as they are.

        Returns
        -------
        view : View or None
            None if an axis would hold a part of the channels, or of the time points otherwise
            than ``"row"`` and ``"phase"`` do.
        """
        shape = [self.shape[i] if n == 0 else n for i, n in enumerate(shape)]
        if -1 in shape:
            rest = prod(n for n in shape if n != -1)
            shape[shape.index(-1)] = prod(self.shape) // max(1, rest)
        atoms, axes = [atom for axis in self.axes for atom in axis], []
        for i, n in enumerate(shape):
            if atoms[:1] == ["time"] and 1 < n < self.size_of("time"):
                if n * (shape[i + 1] if i + 1 < len(shape) else 0) != self.size_of("time"):
                    return None
                if len(atoms) > 1 or shape[i + 2 :] != [1] * len(shape[i + 2 :]):
                    return None
                split = [*axes, ("row",), ("phase",), *[()] * len(shape[i + 2 :])]
                return replace(self, n_phases=shape[i + 1]).moved(split)
            taken = []
            while prod(map(self.size_of, taken)) < n and atoms:
                taken.append(atoms.pop(0))
            if prod(map(self.size_of, taken)) != n:
                return None
            axes.append(tuple(taken))
        return None if atoms else self.moved(axes)


@dataclass(frozen=True)
class Stack:
    """Several views along a first axis, of which the network picks one."""

    views: tuple
