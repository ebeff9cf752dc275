"""Distil a teacher into a student that gives the same answers for the same reasons."""

import os

import numpy as np
import torch
from sklearn.utils.validation import check_memory

from sktime_tsd._base import LogitsClassifier
from sktime_tsd._panels.labels import aligned
from sktime_tsd._panels.panel import channel_names, length_of, read_like, read_panel
from sktime_tsd._panels.precision import as_training_panel, cast_panel
from sktime_tsd._scoring.settings import ScoringSettings
from sktime_tsd._teacher_student_params import TeacherStudentParams, default_student
from sktime_tsd._training.class_weights import class_weights
from sktime_tsd._training.validation_split import split_validation
from sktime_tsd._utils.random import draw_seed
from sktime_tsd._utils.silence import silenced
from sktime_tsd.classifier import SkorchClassifier
from sktime_tsd.perturbations import OpposingClass
from sktime_tsd.perturbations._base import listed, window_widths
from sktime_tsd.teachers._check_terms import check_terms
from sktime_tsd.teachers._check_transfer import check_one_output, check_transfer
from sktime_tsd.teachers._fit import is_given, single_class_teacher
from sktime_tsd.teachers._loss_terms import cross_entropy_weight, loss_terms, n_mixes
from sktime_tsd.teachers._saved_answers import check_saved_answers, teach_saved
from sktime_tsd.teachers._teach import BankSettings, teach
from sktime_tsd.teachers._teacher import Teacher

__all__ = ["SaliencyDistilledClassifier", "default_student"]


class SaliencyDistilledClassifier(TeacherStudentParams, LogitsClassifier):
    """Distil any classifier into a small torch network by temporal saliency.

    The student learns the labels. At the same time, it learns to change its answers as
    the teacher does when windows of a series are perturbed. The teacher scores the series
    and a bank of perturbed copies once, before the student is trained, so it can be any
    classifier with probabilities. (On CUDA cards that support bfloat16, this package's
    networks score the bank in it.)

    Parameters
    ----------
    teacher : classifier, nn.Module or None, default=None
        * an unfitted sktime classifier, or a scikit-learn one that reads 3-D arrays (such
          as a pipeline whose first step flattens them): a clone is fitted on the same data;
        * a fitted classifier in ``sklearn.frozen.FrozenEstimator``: used as it is;
        * a trained ``nn.Module`` that maps raw series to logits, ordered as its
          ``classes_`` or else as the sorted labels: copied and used as it is. It receives
          the series exactly as passed to `fit`, in float32;
        * None: ``SkorchClassifier("inception_time", {"n_filters": 16, "depth": 3})``.
    student : SkorchClassifier or None, default=None
        None is ``SkorchClassifier("fcn", {"filters": (8, 16, 8)})``, with 1,202 parameters
        for two classes and one channel. A clone is trained.
    saliency_weight : float, default=1.0
        Weight of the saliency loss; the cross entropy has weight 1. 0 switches it off.
    saliency_measure : str, default="kl_per_class"
        "kl_per_class", "kl", "sqrt_kl", "target_probability", "decoupled_kl" or
        "top_n_kl"; see `sktime_tsd.losses.window_saliency`.
    saliency_normalization : {"teacher", "each"}, default="teacher"
        See `sktime_tsd.losses.saliency_loss`.
    saliency_ramp : float, default=0.5
        Share of the training over which the saliency weight grows linearly from 0.
    saliency_temperature : float, default=8.0
        Softens the probabilities before saliency is measured.
    saliency_top_n : int, default=1
        Classes set against the rest by the measure "top_n_kl".
    teacher_smoothing : float or "auto", default="auto"
        Share of the uniform distribution, in [0, 1), that is mixed into the probabilities of a
        teacher that is no network before they become logits. "auto" is 0.05 if it counts
        votes, as forests and neighbours do (more than 1 % of its probabilities for the
        series are exactly 0), else 0: the logarithm of a zero would rule the saliency.
    teacher_batch_size : int or None, default=None
        Most series per call of a teacher that is no network of this package. None chooses from
        the number of series and their length.
    cross_entropy_weight : float or "auto", default="auto"
        Weight of the labels in the loss. "auto" is 1, or 0.1 if `fit` is given unlabelled
        series.
    distillation : list of DistillationTerm, optional
        More terms of `sktime_tsd.losses`, such as ``[KD(weight=0.1)]``. None adds
        ``SoftTargets()`` if `fit` is given unlabelled series or the teacher counts votes, else
        nothing. ``KD`` and ``DKD`` match logits. ``FitNets``, ``AttentionTransfer``, ``RKD``,
        ``VID``, ``DT2W`` and ``MemKD`` match features, which the teacher must have: use a
        `SkorchClassifier` or an ``nn.Module``. With ``saliency_weight=0`` they are methods of
        their own and need no perturbed series.
    perturbation : Perturbation or list of Perturbation, optional
        What fills a window; ``OpposingClass()`` by default. Those of a list take turns.
    window : float, int or list of them, default=0.1
        A float is a fraction of the series, an int is time points. Widths of a list take turns.
    n_windows : int, default=10
        Perturbed copies of each series in each step.
    n_mixes : int or "auto", default="auto"
        Mixes of each series with others, in random shares, in each step. `SoftTargets` alone
        learns from them. Ten times as many are drawn and scored. "auto" is 4 if `fit` is given
        unlabelled series, else 0.
    bank_size : int, default=100
        Windows drawn for each series; each step picks from them. There are never more
        than distinct pairs of window and donor. If the bank would take more than half a
        GiB, fewer are drawn, with a warning, but never fewer than `n_windows`.
    memory : joblib.Memory, str or None, default=None
        Where to keep the fitted teacher and its answers. A grid search over the student
        then fits the teacher once per fold. (With more jobs than folds, jobs that start
        together each fit it.) A teacher that is no network of this package is kept call by
        call: after an error or a kill the same fit resumes, and a larger `bank_size` asks for
        the new copies only. Set `random_state` too, or every fit draws a new bank. A teacher whose
        code or state has changed is asked again. The files are pickles, which run code when they
        are read: use a folder that only you can write to.
    n_jobs : int or None, default=None
        Processes in which such a teacher scores; -1 uses all cores. None uses the active
        ``joblib.parallel_config``, such as a Dask cluster, or else 1. The answers are the same.
        Threads would share the global generators that teachers draw from: where joblib uses
        threads, calls are made one by one.
    unequal_length : {"raise", "resample"}, default="raise"
        As of `SkorchClassifier`: "resample" brings series of any length to that of the longest in
        `fit` (to the length that a fitted teacher reads, if it says so). Teacher and student see
        the same series, and ``student_`` takes the setting over.
    missing_values : {"raise", "interpolate"}, default="raise"
        As of `SkorchClassifier`: "interpolate" fills them for teacher and student.
    device : str, torch.device or None, default=None
        Overrides the device of teacher and student; None keeps each one's own.
    verbose : int or None, default=None
        Overrides the verbosity of teacher and student; None keeps each one's own. 1 shows
        progress bars and, before scoring starts, how many series the teacher must score; 0
        nothing. If all are None, a fit says how long it takes once it is known to last more than
        a minute, on the logger ``sktime_tsd``.
    random_state : int, RandomState or None, default=None
        Seeds the bank, and the teacher and student if they have no seed of their own.

    Attributes
    ----------
    classes_ : numpy.ndarray of shape (n_classes,)
        Labels, in the column order of `predict_proba`.
    teacher_ : fitted classifier or None
        The teacher that scored the series. None if `fit` was given ``teacher_proba``.
    student_ : SkorchClassifier
        The fitted student: deploy this one alone. ``student_.history_`` has an entry for
        each term of the loss.
    feature_names_in_ : numpy.ndarray of shape (n_channels,), object
        Names of the channels seen in `fit`. Only there if they had names.

    Raises
    ------
    ValueError, TypeError
        In `fit`, before any training, if a parameter, the teacher or the data cannot be
        used.

    References
    ----------
    "Learning to Reason: Temporal Saliency Distillation for Interpretable Knowledge
    Transfer", ECAI 2025, pp. 2866-2873, doi 10.3233/FAIA251144, arXiv 2601.04263.

    Examples
    --------
    >>> from sktime.datasets import load_unit_test
    >>> from sktime_tsd import SaliencyDistilledClassifier, SkorchClassifier
    >>> X_train, y_train = load_unit_test(split="train", return_type="numpy3D")
    >>> X_test, y_test = load_unit_test(split="test", return_type="numpy3D")
    >>> clf = SaliencyDistilledClassifier(
    ...     teacher=SkorchClassifier("fcn", {"filters": (32, 64, 32)}, max_epochs=20),
    ...     student=SkorchClassifier("fcn", {"filters": (8, 16, 8)}, max_epochs=20),
    ...     random_state=0,
    ... )
    >>> clf.fit(X_train, y_train)
    SaliencyDistilledClassifier(...)
    >>> clf.predict_proba(X_test).shape
    (22, 2)
    >>> sorted(clf.student_.history_[-1])
    ['cross_entropy', 'dur', 'epoch', 'lr', 'saliency', 'train_loss']
    """

    def __init__(
        self,
        teacher=None,
        student=None,
        saliency_weight=1.0,
        saliency_measure="kl_per_class",
        saliency_normalization="teacher",
        saliency_ramp=0.5,
        saliency_temperature=8.0,
        saliency_top_n=1,
        teacher_smoothing="auto",
        teacher_batch_size=None,
        cross_entropy_weight="auto",
        distillation=None,
        perturbation=None,
        window=0.1,
        n_windows=10,
        n_mixes="auto",
        bank_size=100,
        memory=None,
        n_jobs=None,
        unequal_length="raise",
        missing_values="raise",
        device=None,
        verbose=None,
        random_state=None,
    ):
        self.teacher = teacher
        self.student = student
        self.saliency_weight = saliency_weight
        self.saliency_measure = saliency_measure
        self.saliency_normalization = saliency_normalization
        self.saliency_ramp = saliency_ramp
        self.saliency_temperature = saliency_temperature
        self.saliency_top_n = saliency_top_n
        self.teacher_smoothing = teacher_smoothing
        self.teacher_batch_size = teacher_batch_size
        self.cross_entropy_weight = cross_entropy_weight
        self.distillation = distillation
        self.perturbation = perturbation
        self.window = window
        self.n_windows = n_windows
        self.n_mixes = n_mixes
        self.bank_size = bank_size
        self.memory = memory
        self.n_jobs = n_jobs
        self.unequal_length = unequal_length
        self.missing_values = missing_values
        self.device = device
        self.verbose = verbose
        self.random_state = random_state
        super().__init__()

    # -- fitting ---------------------------------------------------------------------

    def fit(self, X, y, X_unlabelled=None, teacher_proba=None):
        """Fit teacher and student.

        Parameters
        ----------
        X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
            Or a list of arrays, or any other sktime panel. A 2-D array is read as one channel.
            Named channels are put in the order of a given teacher's. `unequal_length` and
            `missing_values` say what may be irregular.
        y : array-like of shape (n_instances,)
            Class labels. A pandas Series is put in the order of the series by its index, if
            `X` has one. With several columns, one classifier is fitted per column, as sktime
            does.
        X_unlabelled : numpy.ndarray of shape (n_unlabelled, n_channels, n_timepoints), optional
            More series, without labels, in any form that `X` may have. The teacher scores them
            and perturbed copies of them like the rest, and the student learns from its answers.
            An unfitted teacher is fitted on `X` alone.
        teacher_proba : array-like of shape (n_instances, n_classes), optional
            Probabilities that a teacher gave for `X`, if it can no longer be asked. Columns in
            the order of the sorted labels; those of a table may be named after them. Needs
            ``saliency_weight=0`` and terms that need neither copies nor features, such as `KD`.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            If a parameter, the teacher, the series or the labels cannot be used, or if
            training diverges.

        Examples
        --------
        >>> from sktime_tsd import SaliencyDistilledClassifier, SkorchClassifier
        >>> from sktime_tsd.datasets import load_dataset
        >>> X, y = load_dataset("UnitTest", split="train")
        >>> X_unlabelled, _ = load_dataset("UnitTest", split="test")
        >>> small = SkorchClassifier("fcn", {"filters": (8, 16, 8)}, max_epochs=5)
        >>> clf = SaliencyDistilledClassifier(small, small, bank_size=20, random_state=0)
        >>> clf.fit(X, y, X_unlabelled=X_unlabelled).predict(X).shape
        (20,)
        """
        check_one_output(y, X_unlabelled, teacher_proba)
        self._fit_params = X_unlabelled, teacher_proba
        try:
            return super().fit(X, y)
        finally:
            del self._fit_params

    def _read_for_fit(self, X):
        rules, (X_unlabelled, teacher_proba) = self._panel_rules(fitting=True), self._fit_params
        if is_given(self.teacher):
            rules = rules._replace(n_timepoints=length_of(self.teacher))
        panel = read_panel(X, rules)
        if is_given(self.teacher):
            panel = panel.in_order(channel_names(self.teacher), "the teacher")
        if X_unlabelled is not None:
            X_unlabelled = read_like(X_unlabelled, panel, "X_unlabelled", rules)
        if teacher_proba is not None:
            teacher_proba = aligned("teacher_proba", teacher_proba, panel)
        self._fit_params = X_unlabelled, teacher_proba
        return panel

    def _fit(self, X, y):
        random_state = np.random.RandomState(draw_seed(self.random_state))
        teacher_seed, bank_seed, student_seed = (draw_seed(random_state) for _ in range(3))
        y = np.searchsorted(self.classes_, y)
        X_unlabelled, teacher_proba = self._fit_params
        student, terms = self._new_student(), loss_terms(self, X_unlabelled is not None)
        X_given, X = X, as_training_panel(X, student.scale_inputs)
        if X_unlabelled is not None:
            X_unlabelled = cast_panel(X_unlabelled, X.dtype, "X_unlabelled")
        if student.random_state is not None:
            student_seed = draw_seed(student.random_state)
        else:
            student.set_params(random_state=student_seed)
            student_seed = draw_seed(student_seed)
        if teacher_proba is not None:
            teacher_proba = check_saved_answers(
                teacher_proba,
                teacher=self.teacher,
                X_unlabelled=X_unlabelled,
                terms=terms,
                n_instances=len(X),
                classes=self.classes_,
            )
        fresh = student._build_network(*X.shape[1:], self.n_classes_, student_seed)
        check_terms(terms, self.teacher, fresh)
        class_weights(student.class_weight, self.classes_, y)  # fail before the teacher is fitted
        split = split_validation(y, student.validation_fraction, student_seed)
        if teacher_proba is not None:
            self.teacher_ = None
            training_set, valid_set = teach_saved(
                teacher_proba, X, y, split=split, smoothing=self.teacher_smoothing
            )
        else:
            taught = teach(
                self.teacher,
                X_given,
                y,
                X_unlabelled=X_unlabelled,
                classes=self.classes_,
                split=split,
                terms=terms,
                add_soft_targets=self.distillation is None and X_unlabelled is None,
                bank_settings=BankSettings(
                    perturbations=listed("perturbation", self.perturbation or OpposingClass()),
                    widths=window_widths(self.window, X.shape[2]),
                    n_entries=self.bank_size,
                    n_windows=self.n_windows,
                    n_mixes=n_mixes(self.n_mixes, X_unlabelled is not None),
                    seed=bank_seed,
                ),
                smoothing=self.teacher_smoothing,
                prepare=self._override,
                seed=None if self.random_state is None else teacher_seed,
                scoring=self._scoring(verbose=student.verbose),
            )
            self.teacher_, training_set, valid_set, terms = taught
        student._train(
            self.classes_,
            fresh,
            training_set,
            valid_set,
            terms=terms,
            cross_entropy_weight=cross_entropy_weight(
                self.cross_entropy_weight, X_unlabelled is not None
            ),
            description="student",
        )
        self.student_ = student

    def _fit_single_class(self, X, y):
        window_widths(self.window, X.shape[2])
        with silenced(".*only single label seen.*"):  # the base class has warned already
            self.teacher_ = single_class_teacher(self.teacher, X, y, prepare=self._override)
            self.student_ = self._new_student().fit(X, y)
        Teacher(self.teacher_, self.classes_, torch.from_numpy(X[:1]))

    def _set_channel_names(self, names):
        super()._set_channel_names(names)
        if self._is_vectorized:
            return
        self.student_._set_channel_names(names)
        if isinstance(self.teacher_, LogitsClassifier) and not is_given(self.teacher):
            self.teacher_._set_channel_names(names)

    def _scoring(self, *, verbose):
        memory = self.memory
        if memory is not None:
            memory = check_memory(os.fspath(memory) if isinstance(memory, os.PathLike) else memory)
        return ScoringSettings(self.teacher_batch_size, self.n_jobs, memory, verbose)

    def _check_parameters(self):
        """Refuse unusable parameters."""
        check_transfer(self)
        self._scoring(verbose=0)
        if not isinstance(self.student, (SkorchClassifier, type(None))):
            raise TypeError(
                f"student must be a SkorchClassifier, got a {type(self.student).__name__}. Wrap "
                'a network: SkorchClassifier("fcn") or SkorchClassifier(YourModule).'
            )
        self._new_student()._check_parameters()
        if isinstance(self.teacher, (SkorchClassifier, SaliencyDistilledClassifier)):
            self._override(self.teacher.clone())._check_parameters()

    def _network_scorer(self):
        return self.student_._network_scorer()

    def _n_timepoints_of_fit(self):
        return getattr(getattr(self, "student_", None), "n_timepoints_", None)

    def _build_network(self, n_channels, n_timepoints, n_classes, seed):
        return self._new_student()._build_network(n_channels, n_timepoints, n_classes, seed)
