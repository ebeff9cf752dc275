"""Reports how alike two fitted classifiers are."""

from sktime_tsd.fidelity._common_reader import common_reader
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
    explainers=None,
    n_resamples=1000,
    confidence_level=0.95,
    latency=True,
    batch_size=1024,
    random_state=None,
    verbose=0,
    c_cost=None,
):
    """Measure whether a student gives its teacher's answers for the same reasons.

    Each metric comes with an interval: a percentile bootstrap over the series or, for shares
    (agreement, accuracy), the exact binomial interval. One table in the user
    guide (The method) defines them all; each function's docstring adds direction, unit and
    source:

    * answers: `top_1_agreement`, overall and where the teacher is right or wrong;
    * probabilities: `kl_divergence`, `jensen_shannon_divergence`, `total_variation`;
    * reasons: `saliency_spearman`, `saliency_kendall`, `saliency_top_k_overlap` (of 10 % of the
      time points) and `saliency_cosine` of the two models' `sktime_tsd.temporal_saliency`;
    * reasons by explainers that no student was trained on: ``saliency_held_out`` is the mean of
      ``saliency_held_out_{explainer}``, the Spearman correlations by each of `explainers`;
    * removal: `RemovalCurves.deletion_area`, `insertion_area`, `comprehensiveness` and
      `sufficiency`, each named ``..._{model}_by_{source}``. They measure the answer of one model
      by the saliency of the same or the other model. ``deletion_area_student_by_teacher`` shows
      whether removing what the teacher finds important also changes the student's answer;
    * quality of each model: accuracy, `macro_auc_prc`, `negative_log_likelihood`, `brier_score`
      and `expected_calibration_error`;
    * cost of each model: parameters, bytes of the pickle or of the ONNX file, and milliseconds of
      one call of ``predict_proba`` with 1 and with 256 series, its checks of the input included:
      the median of several calls, with an interval over the calls.

    Parameters
    ----------
    teacher, student : fitted classifier
        Anything with ``predict_proba``. The student's classes are put in the teacher's order. A
        `SaliencyDistilledClassifier` stands for its ``student_``, a ``FrozenEstimator`` for the
        classifier it holds; so do they at the end of a pipeline, which is asked as a whole. For
        a grid search, pass its ``best_estimator_``, or the cost metrics cover the whole search.
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
        Or any other panel that `fit` accepts. Use series that neither model was fitted on. Named
        channels are put in the teacher's order. Unequal lengths and missing values are read as by
        the teacher, or by the student if it reads more; both models answer to the same series.
        Probabilities use the series as given; saliency is computed in float32, unless it cannot
        tell the series apart.
    y : array-like of shape (n_instances,), optional
        True labels; a pandas Series is aligned by its index. Without them, metrics that need
        labels are left out.
    background : panel like `X`, or tuple (panel, labels), optional
        Where donors come from, usually the training series; see
        `sktime_tsd.temporal_saliency`.
    perturbation : Perturbation, optional
        What fills a window; see `sktime_tsd.temporal_saliency`.
    window : float or int, default=0.1
        Width of a window: a float is a fraction of the series, an int is time points.
    stride : int, optional
        Time points from one window to the next; by default half a window.
    n_donors : int, default=8
        Donors per window. Removal curves use the first four of them.
    max_saliency_instances : int, default=200
        Maximum number of series, drawn at random, for reasons and removal. 0 leaves these metrics
        out. With a slow teacher they take most of the time of a report.
    removal : bool, default=True
        Whether to compute removal curves and their metrics.
    explainers : sequence of str, optional
        Explainers to compare reasons under, beside the report's own saliency: "zero", "mean",
        "interpolation" and "noise" fill windows otherwise; "width_5" and "width_20" have windows
        of 5 and 20 % of the series; "shapley" samples Shapley values of ten windows; and
        "integrated_gradients" applies where both models are torch networks. Default: all. ``()``
        leaves these metrics out. All of them score about 1.4 times as many perturbed series as
        the report's own saliency, and take 20 gradients per series and network.
    n_resamples : int, default=1000
        Number of bootstrap resamples; 0 computes no intervals.
    confidence_level : float, default=0.95
        Level of the bootstrap intervals, in (0, 1).
    latency : bool, default=True
        Whether to time predictions.
    batch_size : int, default=1024
        Maximum number of perturbed series at once.
    random_state : int, RandomState or None, default=None
        Seeds the donors, the choice of series for saliency, and the bootstrap. With an int,
        saliency equals that of ``temporal_saliency(..., random_state=random_state)``.
    verbose : int, default=0
        1 shows progress bars.
    c_cost : CCost, optional
        What the student costs on a device: ``to_c(student, path).cost``. The report then also
        says so, in the metrics ``c_weight_bytes``, ``c_code_bytes``, ``c_stack_bytes``,
        ``c_static_bytes`` and ``c_multiply_adds``.

    Returns
    -------
    report : FidelityReport
        Print it, or call ``to_frame()`` for a table.

    Raises
    ------
    ValueError, TypeError
        If the classes differ, a classifier has no probabilities or cannot score the series,
        or if series, labels or an option cannot be used.

    References
    ----------
    Fidelity as distinct from accuracy: Stanton et al., "Does knowledge distillation really work?",
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
        explainers=explainers,
        n_resamples=n_resamples,
        confidence_level=confidence_level,
        latency=latency,
        batch_size=batch_size,
        random_state=random_state,
        verbose=verbose,
        series_like=common_reader(teacher, student),
    )
    return reference.report(student, c_cost=c_cost)
