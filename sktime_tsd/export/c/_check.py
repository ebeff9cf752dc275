"""Compile a C file and compare its answers with the classifier's."""

import numpy as np

from sktime_tsd.export.c._compiler import compile_program, run_program
from sktime_tsd.export.c._golden import DRIVER

__all__ = ["CProgram"]

# What any computer does in a second, in multiply-adds, and the seconds that it may hesitate.
_SLOWEST = 10**7
_SECONDS = 60


class CProgram:
    """A compiled C file that answers series.

    Parameters
    ----------
    compiler : tuple of str
    source : pathlib.Path
        The C file. Its header lies beside it.
    name : str
        First part of public names.
    n_classes : int
    multiply_adds : int
        For one answer: bounds how long answers may take.
    *options : str
        For the compiler, in addition.

    Raises
    ------
    CompileError
        If it cannot be compiled.
    """

    def __init__(self, compiler, source, name, n_classes, multiply_adds, *options):
        self._folder, self._n_classes = source.parent, n_classes
        self._seconds_each = 2 * multiply_adds / _SLOWEST
        driver = self._folder / "driver.c"
        header = source.with_suffix(".h").name
        driver.write_text(
            DRIVER.format(header=header, name=name, prefix=name.upper()), encoding="utf-8"
        )
        program = self._folder / "driver"
        self._program = compile_program(compiler, [source, driver], program, *options)

    def answers(self, X):
        """Ask the program.

        Parameters
        ----------
        X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)

        Returns
        -------
        labels : numpy.ndarray of shape (n_instances,), int
            -1 where there is no answer.
        probabilities : numpy.ndarray of shape (n_instances, n_classes)

        Raises
        ------
        CompileError
            If the program fails.
        """
        series, answers = self._folder / "series.bin", self._folder / "answers.bin"
        series.write_bytes(np.ascontiguousarray(X, dtype=np.float32).tobytes())
        run_program(self._program, series, answers, seconds=_SECONDS + self._seconds_each * len(X))
        found = np.frombuffer(answers.read_bytes(), dtype=np.float32)
        found = found.reshape(len(X), 1 + self._n_classes)
        return found[:, 0].astype(int), found[:, 1:].astype(np.float64)
