"""Teachers and students by the names that commands accept."""

import importlib.util

from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sktime_tsd.classifier import SkorchClassifier
from sktime_tsd.distiller import default_student
from sktime_tsd.teachers._fit import default_teacher

__all__ = ["STUDENTS", "TEACHERS", "check_teacher_name"]


def _minirocket():
    from sktime.transformations.panel.rocket import MiniRocketMultivariate

    # As a separate sktime step, the scaler would run feature by feature: 100 times slower.
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return MiniRocketMultivariate() * classifier


#: Name -> callable that makes an unfitted, unseeded classifier.
TEACHERS = {
    "inception_time": default_teacher,
    "lstm": lambda: SkorchClassifier("lstm", lr=2e-3),
    "minirocket": _minirocket,
}

#: Name -> callable that makes an unfitted, unseeded `SkorchClassifier`.
STUDENTS = {
    "fcn": default_student,
    "lstm": lambda: SkorchClassifier("lstm", {"hidden_size": 16, "num_layers": 1}),
}


def check_teacher_name(teacher, methods):
    """Refuse a teacher that the methods cannot use, or whose optional library is missing.

    Parameters
    ----------
    teacher : str
        A key of ``TEACHERS``.
    methods : list of object with ``name`` and ``needs_features``

    Raises
    ------
    ValueError
        If the teacher cannot be used.
    """
    if teacher != "minirocket":
        return
    if importlib.util.find_spec("numba") is None:
        raise ValueError('teacher "minirocket" needs numba: pip install numba')
    unserved = [method.name for method in methods if method.needs_features]
    if unserved:
        raise ValueError(
            f'teacher "minirocket" has no features, but {", ".join(unserved)} match features; '
            "choose another teacher, or methods that use logits: kd, dkd, tsd"
        )
