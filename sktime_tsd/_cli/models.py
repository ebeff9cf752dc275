"""Teachers and students by name, as on a command line."""

import importlib.util

from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sktime_tsd.classifier import SkorchClassifier
from sktime_tsd.distiller import default_student
from sktime_tsd.teachers._fit import default_teacher

__all__ = ["STUDENTS", "TEACHERS", "check_teacher"]


def _minirocket():
    from sktime.transformations.panel.rocket import MiniRocketMultivariate

    # a scaler of its own would be run feature by feature, a hundred times slower
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return MiniRocketMultivariate() * classifier


#: Callables that make an unfitted classifier without a seed.
TEACHERS = {
    "inception_time": default_teacher,
    "lstm": lambda: SkorchClassifier("lstm", lr=2e-3),
    "minirocket": _minirocket,
}

#: Callables that make an unfitted `SkorchClassifier` without a seed.
STUDENTS = {
    "fcn": default_student,
    "lstm": lambda: SkorchClassifier("lstm", {"hidden_size": 16, "num_layers": 1}),
}


def check_teacher(teacher, methods):
    """Refuse a teacher that cannot serve, or whose optional library is missing.

    Parameters
    ----------
    teacher : str
        A key of ``TEACHERS``.
    methods : list of object with ``name`` and ``needs_features``

    Raises
    ------
    ValueError
        Saying what to do.
    """
    if teacher != "minirocket":
        return
    if importlib.util.find_spec("numba") is None:
        raise ValueError('the teacher "minirocket" needs numba: pip install numba')
    unserved = [method.name for method in methods if method.needs_features]
    if unserved:
        raise ValueError(
            f'the teacher "minirocket" has no features, which {", ".join(unserved)} match; take '
            "another teacher, or methods on logits: kd, dkd, tsd"
        )
