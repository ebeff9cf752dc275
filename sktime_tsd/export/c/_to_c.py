"""Export a fitted student to a C file."""

import tempfile
import warnings
from pathlib import Path

from sktime_tsd._utils.validation import check_flag, check_number
from sktime_tsd.export.c._asked import asked
from sktime_tsd.export.c._build import Build
from sktime_tsd.export.c._compiler import CompileError, c_compiler
from sktime_tsd.export.c._cost import CSource
from sktime_tsd.export.c._files import check_place, replaced
from sktime_tsd.export.c._literals import check_name

__all__ = ["to_c"]

_LEAST_AGREEMENT = 0.99


def to_c(
    classifier,
    path,
    X=None,
    *,
    name="student",
    int8=False,
    stride=None,
    test=None,
    overwrite=False,
):
    """Export a fitted student to one C file and its header, for a microcontroller.

    The file is C99 and needs ``math.h`` alone: no heap, no library, no operating system. It maps
    raw series to probabilities, with the steps of a pipeline, scaling and softmax included. It
    computes column by column, so its memory does not grow with the length of the series, unless a
    layer needs the whole series first, such as one that reads it from its end.

    Where a C compiler is found, the file is kept only if its probabilities equal those of the
    classifier, on random series and on `X`. Without one you are warned, and find series with known
    answers in ``student_test.c``.

    Parameters
    ----------
    classifier : SkorchClassifier or SaliencyDistilledClassifier
        Fitted. Also a fitted pipeline or search, as for `to_onnx`. Of a distilled classifier and
        of a cascade only the student is exported; of a cascade also the rule that defers.
    path : path-like
        The file to write, ending in ``.c``. Its folder must exist. The header is written beside it.
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints), optional
        Real series to compare predictions on, in addition to random ones. Other sktime panels
        work too. In a pipeline, series that enter its first step.
    name : str, default="student"
        First part of the names in the file: ``student_predict``, ``STUDENT_N_CLASSES``.
    int8 : bool, default=False
        Keep the weights in 8 bits, with one scale for each row and sums in float, if that makes
        the file smaller and keeps at least 99 % of the predictions on `X`. Otherwise they stay
        float, with a warning.
    stride : int, optional
        Add ``student_push``, which takes a recording sample by sample, and answers every `stride`
        samples about the last ones.
    test : bool, optional
        Whether to write ``student_test.c``, a program that compares answers on the device. By
        default only if no C compiler is found here.
    overwrite : bool, default=False
        Whether existing files may be replaced. A ``student_test.c`` of an earlier export that is
        not written again is removed.

    Returns
    -------
    path : CSource
        A ``pathlib.Path``, absolute, with the attribute ``cost``, a `CCost`: bytes of weights,
        code, stack and static memory, and multiply-adds per answer. It stands in the header, too.

    Raises
    ------
    RuntimeError
        If the network cannot be written in C (the message names the operator), or the file's
        predictions differ: probabilities by more than 1e-5, or a label. Nothing is written then.
    FileExistsError
        If a file exists and `overwrite` is False, or the path is a folder.
    OSError
        If the files cannot be written.
    TypeError, ValueError
        If the classifier, a step before it, `X` or an option cannot be used, a label cannot be
        written, or float32 cannot tell the series apart.
    ImportError
        If onnx, onnxscript or onnxruntime is missing (extra ``c``).

    Warns
    -----
    UserWarning
        If there is no C compiler to check the file with, or if `int8` is set but the weights stay
        float.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sktime_tsd import SkorchClassifier, to_c
    >>> from sktime_tsd.networks import FCN
    >>> network = FCN(1, 24, 2, filters=(8, 16, 8))
    >>> clf = SkorchClassifier.from_module(network, ["left", "right"], input_shape=(1, 24))
    >>> path = to_c(clf, Path(tempfile.mkdtemp()) / "student.c", test=True)
    >>> sorted(file.name for file in path.parent.iterdir())
    ['student.c', 'student.h', 'student_test.c']
    >>> path.cost.multiply_adds
    26320
    """
    check_name(name)
    check_flag("int8", int8)
    if test is not None:
        check_flag("test", test)
    if stride is not None:
        check_number("stride", stride, integer=True, low=1)
    if int8 and X is None:
        raise ValueError("int8=True needs X, a sample of real series to compare predictions on.")
    path = Path(path).absolute()
    check_place(path, overwrite=overwrite)
    question = asked(classifier, X, name=name, stride=None if stride is None else int(stride))
    compiler = c_compiler()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        if compiler is None:
            build = Build(question, folder, path.name)
            warnings.warn(
                "There is no C compiler here, so the file is not checked. Compile it with "
                f"{build.test.name}, which tells whether its answers are right.",
                stacklevel=2,
            )
        else:
            build = _checked(question, folder, path.name, compiler)
        if int8:
            build = _rounded(question, folder, path.name, compiler, build)
        build.write_files()
        with_test = compiler is None if test is None else test
        files = [build.source, build.header, *([build.test] if with_test else [])]
        replaced(path, files, build.test.name)
    return CSource.of(path, build.cost)


def _checked(question, folder, file_name, compiler):
    build = Build(question, folder, file_name, compiler)
    for batch, expected in zip(question.batches, question.expected, strict=True):
        question.compare(*_asked_program(build, batch), expected)
    return build


def _asked_program(build, batch):
    try:
        return build.program.answers(batch)
    except CompileError as error:
        raise RuntimeError(
            f"The C file could not be checked: {error}. Nothing was written. Name another compiler "
            "in the environment variable CC."
        ) from error


def _rounded(question, folder, file_name, compiler, former):
    """Return a build with weights of 8 bits if that pays off, else the former one."""
    reason = "without a C compiler their answers cannot be compared"
    if compiler is not None:
        (folder / "int8").mkdir()
        build = Build(question, folder / "int8", file_name, compiler, int8=True)
        labels, _ = _asked_program(build, question.batches[-1])
        agreement = float((labels == question.expected[-1].argmax(axis=1)).mean())
        sizes = [b.cost.weight_bytes + (b.cost.code_bytes or 0) for b in (former, build)]
        if sizes[1] < sizes[0] and agreement >= _LEAST_AGREEMENT:
            return build
        reason = (
            f"with 8 bits, weights and code would take {sizes[1]:,} bytes instead of {sizes[0]:,} "
            f"and keep {100 * agreement:.1f} % of the answers on X (required: "
            f"{100 * _LEAST_AGREEMENT:g} %)"
        )
    warnings.warn(f"The weights stay float: {reason}.", stacklevel=3)
    return former
