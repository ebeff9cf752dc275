"""What a teacher may be, and what a student learns from it."""

from sktime_tsd.teachers._callable import CallableTeacher
from sktime_tsd.teachers._fit import default_teacher
from sktime_tsd.teachers._flatten import flatten

__all__ = ["CallableTeacher", "default_teacher", "flatten"]
