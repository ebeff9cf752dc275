"""A C file with its header and test, compiled and measured where that is possible."""

import platform
import shutil
from functools import cached_property
from pathlib import Path

import numpy as np

from sktime_tsd.export.c._check import CProgram
from sktime_tsd.export.c._compiler import object_sizes
from sktime_tsd.export.c._cost import CCost
from sktime_tsd.export.c._golden import golden_source
from sktime_tsd.export.c._source import header_source, write_source

__all__ = ["Build"]

_CORTEX_M4 = ("-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard")

# Series in the test program; fewer if they are long.
_N_GOLDEN = 8
_MAX_GOLDEN_VALUES = 4096

# Buffers that a computer's stack may not hold are static in the comparison.
_STACK_BYTES = 2**20


class Build:
    """The files of one export, in a folder of their own.

    Parameters
    ----------
    question : Question
    folder : pathlib.Path
    file_name : str
        Of the C file.
    compiler : tuple of str, optional
        Without one, nothing is compiled.
    int8 : bool, default=False

    Attributes
    ----------
    source, header, test : pathlib.Path
    """

    def __init__(self, question, folder, file_name, compiler=None, *, int8=False):
        self._question, self._compiler = question, compiler
        self.source = folder / file_name
        self.header = self.source.with_suffix(".h")
        self.test = folder / f"{self.source.stem}_test.c"
        self._written = write_source(question.model, self.header.name, int8=int8)
        self.source.write_text(self._written.source, encoding="utf-8")
        self._write_header(self._cost_of(None, None, ""))  # without what is to be measured

    def _write_header(self, cost):
        text = header_source(self._question.model, cost, self._written.digest)
        self.header.write_text(text, encoding="utf-8")

    @cached_property
    def program(self):
        """`CProgram` of the file."""
        model, work = self._question.model, self._multiply_adds
        options = []
        if self._written.buffer_bytes > _STACK_BYTES:
            options = [f"-D{model.prefix}_STATIC_BUFFERS"]
        return CProgram(self._compiler, self.source, model.name, len(model.labels), work, *options)

    @property
    def _multiply_adds(self):
        return sum(layer.multiply_adds for layer in self._question.model.network)

    @cached_property
    def cost(self):
        """`CCost` of the file."""
        name = self._question.model.name
        if arm := shutil.which("arm-none-eabi-gcc"):
            sizes = object_sizes((arm,), self.source, name, *_CORTEX_M4)
            if None not in sizes:
                return self._cost_of(*sizes, "Cortex-M4, arm-none-eabi-gcc -Os")
        if self._compiler is None:
            return self._cost_of(None, None, "")
        sizes = object_sizes(self._compiler, self.source, name)
        compiler = Path(self._compiler[0]).name  # without options, which may hold paths
        return self._cost_of(*sizes, f"{platform.machine()}, {compiler} -Os")

    def _cost_of(self, text_bytes, frame_bytes, compiled_for):
        written = self._written
        return CCost(
            weight_bytes=written.weight_bytes,
            code_bytes=None if text_bytes is None else text_bytes - written.weight_bytes,
            stack_bytes=frame_bytes or written.buffer_bytes,
            static_bytes=written.stream_bytes,
            multiply_adds=self._multiply_adds,
            buffer_bytes=written.buffer_bytes,
            compiled_for=compiled_for if text_bytes is not None else "",
            int8=written.int8,
        )

    def write_files(self):
        """Write the header with the cost, and the test."""
        self._write_header(self.cost)
        X, probabilities = self._golden()
        model = self._question.model
        text = golden_source(model.name, self.header.name, X, probabilities)
        self.test.write_text(text, encoding="utf-8")

    def _golden(self):
        """Pick some of the series, of the user's and of the random ones, and their answers."""
        batches, expected = self._question.batches[1:], self._question.expected[1:]
        n = min(_N_GOLDEN, max(1, _MAX_GOLDEN_VALUES // batches[0][0].size))
        n_each = max(1, n // len(batches))
        X = np.concatenate([batch[:n_each] for batch in batches[::-1]])[:n]
        if self._written.int8:  # the network's answers are others
            return X, self.program.answers(X)[1]
        return X, np.concatenate([answers[:n_each] for answers in expected[::-1]])[:n]
