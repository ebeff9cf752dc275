"""A student that answers where it is sure, and asks its teacher elsewhere."""

import warnings

import numpy as np

from sktime_tsd._panels.labels import check_labels
from sktime_tsd._panels.panel import read_panel, rules_of
from sktime_tsd._panels.rules import STRICT
from sktime_tsd._utils.usual_state import in_usual_state
from sktime_tsd._utils.validation import check_number
from sktime_tsd.cascade._analysis import CascadeAnalysis
from sktime_tsd.cascade._calibrate import calibrate, why_all_are_deferred
from sktime_tsd.cascade._calls import Calls
from sktime_tsd.cascade._distilled import distilled_models
from sktime_tsd.cascade._models import given_classes, open_models
from sktime_tsd.cascade._scores import ClassifierWithScores
from sktime_tsd.cascade._test_models import Level
from sktime_tsd.fidelity._common_reader import common_reader
from sktime_tsd.teachers._fit import unwrapped

__all__ = ["CascadeClassifier"]


class CascadeClassifier(CascadeAnalysis, ClassifierWithScores):
    """A student in its teacher's place, with a promise of how often the answers are the same.

    The student answers where it is sure, the teacher elsewhere. `fit` finds how sure the student
    must be. It needs series, no labels, and trains neither model.

    **The promise**: on new series from where the calibration series came, the share of answers
    equal to the teacher's is at least `target_agreement`. Over draws of the calibration set, this
    holds with a probability of `confidence_level`. The guide (Is it safe?) has the proof.

    Parameters
    ----------
    student : fitted classifier
        What can teach can answer: any classifier with ``predict_proba``, a
        `runtime.OnnxClassifier`, a `teachers.CallableTeacher`, a trained ``nn.Module``, a fitted
        pipeline. Bare or in a ``FrozenEstimator``, which tools that clone need.
    teacher : fitted classifier
        As `student`; or a classifier with ``predict`` alone. Its ``predict`` is its answer.
    target_agreement : float, default=0.99
        Share of answers that shall equal the teacher's, in (0, 1).
    confidence_level : float, default=0.95
        Probability with which calibration keeps the promise, in (0, 1).
    score : {"top_probability", "margin", "entropy"} or callable, default="top_probability"
        How sure the student is: the largest probability, its lead over the next, or the negative
        entropy. A callable maps probabilities of shape (n_instances, n_classes), columns in the
        order of ``classes_``, to scores of shape (n_instances,); higher is surer. Any score keeps
        the promise; a good one asks the teacher less often. (The method ``score(X, y)`` is the
        accuracy, as of any classifier.)

    Attributes
    ----------
    classes_ : numpy.ndarray of shape (n_classes,)
        Labels, sorted.
    student_, teacher_ : fitted classifier
        The models that answer.
    threshold_ : float
        The student answers series with a higher score. ``inf``: all are deferred. ``-inf``: none.
        No calibration series lies on it.
    deferral_rate_ : float
        Share of the calibration series that are deferred.
    agreement_bound_ : float
        Exact lower bound of the share of answers equal to the teacher's; at least
        `target_agreement`.
    calibration_scores_ : numpy.ndarray of shape (n_instances,)
        The student's scores of the calibration series.
    calibration_agrees_ : numpy.ndarray of shape (n_instances,), bool
        Whether it gave the teacher's answer to them.
    feature_names_in_ : numpy.ndarray of shape (n_channels,), object
        Names of the channels. Only there if the models or the series name them.

    See Also
    --------
    sktime_tsd.fidelity.FidelityReport.check : May the student take the teacher's place alone?

    References
    ----------
    Angelopoulos, Bates, Candès, Jordan, Lei, "Learn then test: calibrating predictive algorithms
    to achieve risk control", 2021. Angelopoulos, Bates, Fisch, Lei, Schuster, "Conformal risk
    control", 2022.

    Examples
    --------
    >>> from sktime_tsd import CascadeClassifier, SkorchClassifier
    >>> from sktime_tsd.datasets import load_dataset
    >>> X, y = load_dataset("ItalyPowerDemand", split="train")
    >>> X_new, _ = load_dataset("ItalyPowerDemand", split="test")
    >>> student, teacher = (
    ...     SkorchClassifier("fcn", {"filters": filters}, max_epochs=30, random_state=0).fit(X, y)
    ...     for filters in ((2, 4, 2), (16, 32, 16))
    ... )
    >>> cascade = CascadeClassifier(student, teacher, target_agreement=0.95).fit(X_new[:500])
    >>> bool((cascade.predict(X_new[500:]) == teacher.predict(X_new[500:])).mean() > 0.95)
    True
    >>> cascade.defers(X_new[500:]).shape
    (529,)
    """

    _tags = {"capability:random_state": False, "property:randomness": "deterministic"}

    def __init__(
        self,
        student,
        teacher,
        *,
        target_agreement=0.99,
        confidence_level=0.95,
        score="top_probability",
    ):
        self.student = student
        self.teacher = teacher
        self.target_agreement = target_agreement
        self.confidence_level = confidence_level
        self.score = score
        super().__init__()
        rules = [rules_of(unwrapped(model)) for model in (student, teacher)]
        self.set_tags(
            **{
                "capability:unequal_length": any(rule.resamples for rule in rules),
                "capability:missing_values": any(rule.missing_values != "raise" for rule in rules),
            }
        )

    @classmethod
    def from_distilled(cls, classifier, X, **params):
        """Make a calibrated cascade of a distilled classifier's student and teacher.

        Parameters
        ----------
        classifier : SaliencyDistilledClassifier
            Fitted; or a fitted pipeline or search with one at its end, whose first steps then
            stand before both models.
        X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
            Series to calibrate with, as for `fit`. Not the training series.
        **params : object
            Such as ``target_agreement=0.95``; see the class.

        Returns
        -------
        cascade : CascadeClassifier
            Calibrated.

        Raises
        ------
        TypeError
            If the classifier is not distilled.
        NotFittedError
            If it is not fitted.
        ValueError
            If it was distilled from saved answers, so that there is no teacher to ask.
        """
        return cls(*distilled_models(classifier), **params).fit(X)

    # -- calibration -----------------------------------------------------------------

    @in_usual_state
    def fit(self, X, y=None):
        """Calibrate: find how sure the student must be. Trains neither model.

        Parameters
        ----------
        X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
            Or any other panel, irregular if a model reads such. Series like those to come, on
            which neither model was fitted.
        y : array-like of shape (n_instances,), optional
            Not needed. If neither model has ``classes_``, the sorted labels name their columns.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            If a parameter or the series cannot be used, the models know different classes, or an
            answer is not valid.
        NotFittedError
            If a model is not fitted.

        Warns
        -----
        UserWarning
            If the promise cannot be made, so that the teacher answers all series. The message
            says how many series would do.
        """
        self._check_parameters()
        reader = common_reader(unwrapped(self.teacher), unwrapped(self.student))
        panel = read_panel(X, rules_of(reader))
        try:
            if y is None or self._knows_classes():
                self._fit_without_labels(panel)
            else:
                super().fit(panel.values, check_labels(y, panel))
                if hasattr(self, "_models"):
                    self._models.see(panel)
        except BaseException:
            self.reset()
            raise
        names = self._models.names if hasattr(self, "_models") else panel.names
        self._set_channel_names(names)
        return self

    def _check_parameters(self):
        for name in ("target_agreement", "confidence_level"):
            check_number(name, getattr(self, name), low=0, high=1, boundaries="neither")
        self._check_score()

    def _panel_rules(self):
        return self._models.rules if hasattr(self, "_models") else STRICT

    def _knows_classes(self):
        return any(given_classes(model) is not None for model in (self.student, self.teacher))

    def _fit_without_labels(self, panel):
        """Do what the base class does with labels."""
        self.reset()
        self._is_vectorized = False
        self._y_metadata, self._y_inner_mtype = {"is_univariate": True}, "numpy1D"
        self._calibrate(panel, None)
        self._is_fitted = True

    def _fit(self, X, y):
        self._calibrate(read_panel(X), self.classes_)

    def _calibrate(self, panel, classes):
        models = open_models(
            self.student, self.teacher, classes=classes, input_shape=panel.values.shape[1:]
        )
        self._models, self._calls = models, Calls()
        self.student_, self.teacher_ = models.student.model, models.teacher.model
        self.classes_ = models.classes
        self.n_classes_ = len(models.classes)
        self._class_dictionary = {label: i for i, label in enumerate(models.classes)}
        models.see(panel)
        probabilities = models.student.probabilities(models.for_student(panel))
        scores = self._scores(probabilities)
        agrees = probabilities.argmax(axis=1) == models.teacher.indices(models.for_teacher(panel))
        found = calibrate(scores, agrees, self.target_agreement, self.confidence_level)
        self.calibration_scores_, self.calibration_agrees_ = scores, agrees
        self.threshold_ = found.threshold
        self.deferral_rate_ = found.deferral_rate
        self.agreement_bound_ = found.agreement_bound
        if found.threshold == np.inf:
            why = why_all_are_deferred(
                len(scores), found.n_needed, self.target_agreement, self.confidence_level
            )
            warnings.warn(why, UserWarning, stacklevel=4)

    # -- answers ---------------------------------------------------------------------

    @in_usual_state
    def defers(self, X):
        """Tell which series the teacher answers.

        Parameters
        ----------
        X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
            Or any other panel that `fit` accepts.

        Returns
        -------
        deferred : numpy.ndarray of shape (n_instances,), bool

        Raises
        ------
        ValueError, TypeError
            If the series cannot be used.
        NotFittedError
            If the cascade is not calibrated.
        """
        self._calibrated("defers")
        return self._deferred(self._of_student(X))

    def _of_student(self, X):
        models = self._models
        series = X if models.student_reads(X) else models.for_student(models.read(X))
        return models.student.quick_probabilities(series)

    def _deferred(self, probabilities):
        if self.threshold_ == -np.inf:
            return np.zeros(len(probabilities), dtype=bool)
        return ~(self._scores(probabilities) > self.threshold_)

    @in_usual_state
    def predict(self, X):
        """Predict the labels of series: the student's, or the teacher's where it is deferred to.

        Parameters
        ----------
        X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
            Or any other panel that `fit` accepts.

        Returns
        -------
        labels : numpy.ndarray of shape (n_instances,)
            In the dtype of ``classes_``.

        Raises
        ------
        ValueError, TypeError, NotFittedError
            As `defers`.
        """
        if self._answers_as_base():
            return super().predict(self._for_each_output(X))
        return self.classes_[self._answer(X, as_labels=True)]

    @in_usual_state
    def predict_proba(self, X):
        """Predict class probabilities: the student's, or the teacher's where it is deferred to.

        Parameters
        ----------
        X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
            Or any other panel that `fit` accepts.

        Returns
        -------
        probabilities : numpy.ndarray of shape (n_instances, n_classes), float64
            Columns in the order of ``classes_``; rows sum to 1.

        Raises
        ------
        ValueError, TypeError, NotFittedError
            As `defers`.
        """
        if self._answers_as_base():
            return super().predict_proba(self._for_each_output(X))
        return self._answer(X, as_labels=False)

    def _answers_as_base(self):
        """Whether sktime's base class answers: for several outputs, or a single label in fit."""
        if not self._is_fitted:
            self.check_is_fitted()  # raises
        return self._is_vectorized or not hasattr(self, "threshold_")

    def _answer(self, X, *, as_labels):
        if not isinstance(X, np.ndarray):
            X = self._models.read(X)
        models, answers = self._models, self._of_student(X)
        deferred = self._deferred(answers)
        if as_labels:
            answers = answers.argmax(axis=1)
        if deferred.any():
            self._calls.add(int(deferred.sum()))
            series = models.for_teacher(models.read(X), deferred)
            teacher = models.teacher
            ask = teacher.quick_indices if as_labels else teacher.quick_probabilities
            answers = np.array(answers)
            answers[deferred] = ask(series)
        return answers

    def _calibrated(self, method):
        if self._answers_as_base():
            raise ValueError(f"{method} needs a y of one output and several labels in fit.")

    @property
    def teacher_calls_(self):
        """Number of series that `predict` and `predict_proba` gave to the teacher since `fit`."""
        self._calibrated("teacher_calls_")
        return self._calls.n

    # -- tools -----------------------------------------------------------------------

    def clone(self):
        """Make a cascade with the same models and settings, not calibrated.

        Returns
        -------
        cascade : CascadeClassifier
            It shares the models, fitted as they are: a cascade trains none.
        """
        cloned = type(self)(**self.get_params(deep=False))
        cloned.set_config(**self.get_config())
        return self._with_requests(cloned)

    def __sklearn_clone__(self):
        return self.clone()

    @classmethod
    def get_test_params(cls, parameter_set="default"):
        """Parameters for sktime's conformance tests.

        Parameters
        ----------
        parameter_set : str, default="default"
            All are the same.

        Returns
        -------
        params : list of dict
        """
        few = {"target_agreement": 0.5, "confidence_level": 0.8}
        return [
            {"student": Level(), "teacher": Level(), **few},
            {"student": Level(0.3), "teacher": Level(), "score": "margin", **few},
        ]
