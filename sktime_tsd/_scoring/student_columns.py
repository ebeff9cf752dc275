"""The columns of two classifiers of the same classes, in one order."""

__all__ = ["student_columns"]


def student_columns(of_teacher, of_student):
    """Find the student's columns in the order of the teacher's classes.

    Parameters
    ----------
    of_teacher, of_student : numpy.ndarray of shape (n_classes,)
        Labels of the columns of each.

    Returns
    -------
    columns : list of int

    Raises
    ------
    ValueError
        If their classes differ.

    Examples
    --------
    >>> import numpy as np
    >>> from sktime_tsd._scoring.student_columns import student_columns
    >>> student_columns(np.array(["a", "b"]), np.array(["b", "a"]))
    [1, 0]
    """
    teacher, student = of_teacher.tolist(), of_student.tolist()
    if set(teacher) != set(student):
        same = set(map(str, teacher)) == set(map(str, student))
        hint = " They differ only in type: fit both on labels of the same type." if same else ""
        raise ValueError(
            f"Teacher and student must know the same classes; the teacher knows {teacher}, the "
            f"student {student}.{hint}"
        )
    return [student.index(label) for label in teacher]
