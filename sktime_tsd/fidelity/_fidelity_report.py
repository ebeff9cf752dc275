"""From two fitted classifiers to a report on how alike they are."""

from sktime_tsd.fidelity._reference import FidelityReference

__all__ = ["fidelity_report"]


def fidelity_report(
    teacher,
    student,
    X,
    y=None,
    *,
    background=None,
    perturbation=None,
    window=0.1,
    stride=None,
    n_donors=8,
    max_saliency_instances=200,
    removal=True,
    n_resamples=1000,
    confidence_level=0.95,
    latency=True,
    batch_size=1024,
    random_state=None,
    verbose=0,
):
    """Measure whether a student gives its teacher's answers for its teacher's reasons.

    The metrics, each with a percentile bootstrap interval over the series. Definitions stand in
    one table in the user guide (The method); the docstring of each function adds direction, unit
    and source:

    * answers: `top_1_agreement`, in all and where the teacher is right or wrong;
    * probabilities: `kl_divergence`, `jensen_shannon_divergence`, `total_variation`;
    * reasons: `saliency_spearman`, `saliency_kendall`, `saliency_top_k_overlap` (of 10 % of the
      time points) and `saliency_cosine` of the two `sktime_tsd.temporal_saliency`;
    * removal: `RemovalCurves.deletion_area`, `insertion_area`, `comprehensiveness` and
      `sufficiency`, each named ``..._{model}_by_{source}``: of the answer of one model by the
      saliency of the same or the other. ``deletion_area_student_by_teacher`` tells whether
      removing what the teacher finds important also moves the student;
    * quality, of both: accuracy, `macro_auc_prc`, `negative_log_likelihood`, `brier_score` and
      `expected_calibration_error`;
    * cost, of both: parameters, bytes of the pickle, and milliseconds of ``predict_proba`` for
      1 and for 256 series: the median of several calls, with an interval over the calls.

    Parameters
    ----------
    teacher, student : fitted classifier
        Anything with ``predict_proba``. The student's classes are brought into the teacher's
        order. Of a `SaliencyDistilledClassifier` its ``student_`` is meant, of a
        ``FrozenEstimator`` what it holds. Of a grid search pass ``best_estimator_``: a whole
        search would be weighed with all its parts.
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
        Or any other sktime panel of equal-length series; series that neither was fitted on.
        Probabilities are those of the series as given, saliency is computed in float32.
    y : array-like of shape (n_instances,), optional
        True labels. Without them, metrics that need them are left out.
    background : panel like `X`, or tuple (panel, labels), optional
        Where donors come from, usually the training series; see
        `sktime_tsd.temporal_saliency`, as for the next four.
    perturbation : Perturbation, optional
    window : float or int, default=0.1
    stride : int, optional
    n_donors : int, default=8
        For the saliency; removal curves use the first four of them.
    max_saliency_instances : int, default=200
        Reasons and removal are measured on at most so many series, drawn at random. 0 leaves
        them out. Most of a report's time goes here, with a heavy teacher.
    removal : bool, default=True
        Whether to compute removal curves and their metrics.
    n_resamples : int, default=1000
        Bootstrap draws; 0 makes no intervals.
    confidence_level : float, default=0.95
    latency : bool, default=True
        Whether to time predictions.
    batch_size : int, default=1024
        Most perturbed series that exist at once.
    random_state : int, RandomState or None, default=None
        Draws donors, series for saliency and bootstrap. With an int, the saliencies are those of
        ``temporal_saliency(..., random_state=random_state)``.
    verbose : int, default=0
        1 shows progress bars.

    Returns
    -------
    report : FidelityReport
        Print it, or see its ``to_frame()``.

    Raises
    ------
    ValueError, TypeError
        If the classes differ, a classifier has no probabilities or cannot score the series,
        or series, labels or an option cannot be used.

    References
    ----------
    Fidelity apart from accuracy: Stanton et al., "Does knowledge distillation really work?",
    NeurIPS 2021.

    Examples
    --------
    >>> from sktime_tsd import SkorchClassifier, fidelity_report
    >>> from sktime_tsd.datasets import load_dataset
    >>> X, y = load_dataset("UnitTest", split="train")
    >>> X_test, y_test = load_dataset("UnitTest", split="test")
    >>> teacher, student = (
    ...     SkorchClassifier("fcn", {"filters": (n, n), "kernel_sizes": (5, 3)}, max_epochs=40,
    ...                      random_state=0).fit(X, y)
    ...     for n in (32, 4)
    ... )
    >>> report = fidelity_report(teacher, student, X_test, y_test, background=X, random_state=0)
    >>> report["top_1_agreement"] > 0.6
    True
    >>> report.to_frame().columns.tolist()
    ['value', 'low', 'high', 'higher_is_better']
    """
    reference = FidelityReference(
        teacher,
        X,
        y,
        background=background,
        perturbation=perturbation,
        window=window,
        stride=stride,
        n_donors=n_donors,
        max_saliency_instances=max_saliency_instances,
        removal=removal,
        n_resamples=n_resamples,
        confidence_level=confidence_level,
        latency=latency,
        batch_size=batch_size,
        random_state=random_state,
        verbose=verbose,
    )
    return reference.report(student)
