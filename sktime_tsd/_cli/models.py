"""Teachers and students by the names that commands accept."""

import importlib.util

from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sktime_tsd.classifier import SkorchClassifier
from sktime_tsd.distiller import default_student
from sktime_tsd.teachers import default_teacher, flatten

__all__ = ["STUDENTS", "TEACHERS", "check_teacher_name"]


def _minirocket():
    from sktime.transformations.panel.rocket import MiniRocketMultivariate

    # As a separate sktime step, the scaler would run feature by feature: 100 times slower.
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return MiniRocketMultivariate() * classifier


def _forest():
    return make_pipeline(FunctionTransformer(flatten), RandomForestClassifier())


def _interval_forest():
    from sktime.classification.interval_based import TimeSeriesForestClassifier

    return TimeSeriesForestClassifier(n_estimators=100)


def _neighbours():
    return make_pipeline(FunctionTransformer(flatten), KNeighborsClassifier(5))


#: Name -> callable that makes an unfitted, unseeded classifier.
TEACHERS = {
    "inception_time": default_teacher,
    "lstm": lambda: SkorchClassifier("lstm", lr=2e-3),
    "minirocket": _minirocket,
    "forest": _forest,
    "interval_forest": _interval_forest,
    "neighbours": _neighbours,
}

#: Name -> callable that makes an unfitted, unseeded `SkorchClassifier`.
STUDENTS = {
    "fcn": default_student,
    "lite": lambda: SkorchClassifier("lite"),
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
    if teacher in ("inception_time", "lstm"):
        return
    if teacher == "minirocket" and importlib.util.find_spec("numba") is None:
        raise ValueError('teacher "minirocket" needs numba: pip install numba')
    unserved = [method.name for method in methods if method.needs_features]
    if unserved:
        raise ValueError(
            f'teacher "{teacher}" has no features, but {", ".join(unserved)} match features; '
            "choose another teacher, or methods that use logits: kd, dkd, tsd"
        )
