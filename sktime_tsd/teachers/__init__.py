"""What a teacher may be, and what a student learns from it."""

from sktime_tsd.teachers._check_terms import check_distillation, check_terms
from sktime_tsd.teachers._fit import check_teacher, default_teacher, single_class_teacher
from sktime_tsd.teachers._teach import BankSettings, teach
from sktime_tsd.teachers._teacher import Teacher

__all__ = [
    "BankSettings",
    "Teacher",
    "check_distillation",
    "check_teacher",
    "check_terms",
    "default_teacher",
    "single_class_teacher",
    "teach",
]
