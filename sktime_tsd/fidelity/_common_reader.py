"""Which of two models says how irregular series are read, so that both answer for the same."""

from sktime_tsd._panels.panel import length_of, rules_of
from sktime_tsd._panels.rules import STRICT

__all__ = ["common_reader"]


def common_reader(teacher, student):
    """Pick the model whose rules for unequal lengths and missing values are followed.

    Parameters
    ----------
    teacher, student : fitted classifier

    Returns
    -------
    model : fitted classifier
        The teacher, unless only the student reads irregular series.

    Raises
    ------
    ValueError
        If the student resamples to another length than the teacher reads.
    """
    length, of_student = length_of(teacher), length_of(student)
    if rules_of(student).resamples and None not in (length, of_student) and length != of_student:
        raise ValueError(
            f"The teacher reads series of {length} time points and the student resamples them to "
            f"{of_student}, but their answers are compared on the same series. Fit both on series "
            "with the same longest length, or distil the student from this teacher as it is."
        )
    reads_less = any(
        of_teacher == strict != of_student
        for of_teacher, of_student, strict in zip(
            rules_of(teacher)[:2], rules_of(student)[:2], STRICT[:2], strict=True
        )
    )
    return student if reads_less else teacher
