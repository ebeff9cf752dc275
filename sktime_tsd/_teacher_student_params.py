"""Parameters of a distiller: defaults that appear when one is set, pickles of any version."""

from sklearn.frozen import FrozenEstimator
from torch import nn

from sktime_tsd.classifier import SkorchClassifier
from sktime_tsd.networks._parametrized import deep_copy, picklable
from sktime_tsd.teachers import default_teacher

__all__ = ["TeacherStudentParams", "default_student"]

# Parameters renamed since version 0.1, by their former names.
_RENAMED = {"temperature": "saliency_temperature", "top_n": "saliency_top_n"}

# Parameters added since, with values under which old pickles do as they did.
_ADDED = {
    "teacher_smoothing": 0.0,
    "teacher_batch_size": None,
    "n_jobs": None,
    "n_mixes": 0,
    "cross_entropy_weight": 1.0,
    "unequal_length": "raise",
    "missing_values": "raise",
}

# Parameters that teacher and student take over, unless they are None or "raise".
_FOR_BOTH = ("device", "verbose", "unequal_length", "missing_values")


def default_student():
    """Make the default student: an FCN of about 1,200 parameters."""
    return SkorchClassifier("fcn", {"filters": (8, 16, 8)})


class TeacherStudentParams:
    """Mixin for a classifier with the parameters ``teacher`` and ``student``."""

    def set_params(self, **params):
        """Set parameters, including those of teacher and student.

        Parameters
        ----------
        **params : object
            Such as ``saliency_weight=0.5`` or ``student__lr=0.01``. Setting a parameter of
            a teacher or student that is None replaces it with the default one.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If there is no such parameter.
        """
        for role, default in (("teacher", default_teacher), ("student", default_student)):
            is_set = any(name.startswith(f"{role}__") for name in params)
            if is_set and params.get(role, getattr(self, role)) is None:
                params[role] = default()
        return super().set_params(**params)

    def _new_student(self):
        student = default_student() if self.student is None else self.student
        return self._override(student.clone())

    def _override(self, classifier):
        """Give a classifier of this package the settings of the whole that are set."""
        if isinstance(classifier, (SkorchClassifier, TeacherStudentParams)):
            given = {name: getattr(self, name) for name in _FOR_BOTH}
            given = {k: v for k, v in given.items() if v not in (None, "raise")}
            classifier.set_params(**given)
        return classifier

    @classmethod
    def get_test_params(cls, parameter_set="default"):
        """Parameters for sktime's conformance tests.

        Parameters
        ----------
        parameter_set : str, default="default"
            All sets are the same.

        Returns
        -------
        params : list of dict
        """
        from sktime_tsd.losses import KD, FitNets
        from sktime_tsd.perturbations import Zero

        fcn, lstm = SkorchClassifier.get_test_params()
        return [
            {
                "teacher": SkorchClassifier(**lstm),
                "student": SkorchClassifier(**fcn),
                "distillation": [KD()],
                "n_windows": 2,
                "bank_size": 4,
            },
            {
                "teacher": SkorchClassifier(**fcn),
                "student": SkorchClassifier(**lstm),
                "distillation": [FitNets(hint_share=0.5)],
                "perturbation": Zero(),
                "saliency_measure": "sqrt_kl",
                "saliency_normalization": "each",
                "window": 1,
                "n_windows": 1,
                "bank_size": 2,
                "unequal_length": "resample",
                "missing_values": "interpolate",
            },
        ]

    def __getstate__(self):
        """Move a teacher network to the CPU, so that any machine can load it."""
        state = self.__dict__.copy()
        if isinstance(self.teacher, nn.Module):
            state["teacher"] = picklable(deep_copy(self.teacher).cpu())
        if isinstance(self.teacher, FrozenEstimator):
            held = self.teacher.estimator
            if isinstance(held, nn.Module):
                state["teacher"] = FrozenEstimator(picklable(deep_copy(held).cpu()))
        return state

    def __setstate__(self, state):
        """Also load pickles of former versions."""
        self.__dict__.update(_up_to_date(state))


def _up_to_date(state):
    """Rename and add parameters in the pickled state of any version."""
    is_former = _RENAMED.keys() & state.keys()
    names = {name: _RENAMED[name] for name in is_former if _RENAMED[name] not in state}
    return _ADDED | {names.get(name, name): value for name, value in state.items()}
