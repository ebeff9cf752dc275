"""From two fitted classifiers to a report on how alike they are."""

from itertools import product
from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.frozen import FrozenEstimator

from sktime_tsd._logits import Scorer, check_answers, class_labels, class_probabilities
from sktime_tsd._random import draw_seed
from sktime_tsd._validation import (
    check_flag,
    check_labels,
    check_number,
    check_random_state_parameter,
    check_verbose,
    class_indices,
)
from sktime_tsd.fidelity._bootstrap import Bootstrap, mean_of_draws, median_of_draws
from sktime_tsd.fidelity._cost import latency as time_calls
from sktime_tsd.fidelity._cost import parameters, pickle_size
from sktime_tsd.fidelity._lines import LINES, SIDES
from sktime_tsd.fidelity._probabilities import (
    jensen_shannon_divergence,
    kl_divergence,
    top_1_agreement,
    total_variation,
)
from sktime_tsd.fidelity._quality import (
    auc_prc_of_draws,
    brier_score,
    calibration_error_of_draws,
    confidence_bins,
    negative_log_likelihood,
)
from sktime_tsd.fidelity._reasons import (
    saliency_cosine,
    saliency_kendall,
    saliency_spearman,
    saliency_top_k_overlap,
)
from sktime_tsd.fidelity._removal import REMOVAL_SCORES, removal_curves
from sktime_tsd.fidelity._report import FidelityReport
from sktime_tsd.saliency import (
    SharedDonors,
    as_tensor,
    most_at_once,
    temporal_saliency,
    width_and_stride,
)

__all__ = ["fidelity_report"]

# The curves average over many time points: fewer donors do.
_CURVE_DONORS = 4


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
    n_draws=1000,
    confidence_level=0.95,
    latency=True,
    batch_size=1024,
    random_state=None,
    verbose=0,
):
    """Measure whether a student gives its teacher's answers for its teacher's reasons.

    The lines, each with a percentile bootstrap interval over the series. Definitions stand in
    one table in ``docs/method.md``; the docstring of each function adds direction, unit and
    source:

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
        True labels. Without them, lines that need them are left out.
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
    n_draws : int, default=1000
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
    check_number("max_saliency_instances", max_saliency_instances, integer=True, low=0)
    check_flag("latency", latency)
    check_verbose(verbose)
    check_random_state_parameter(random_state)
    seed = random_state if isinstance(random_state, Integral) else draw_seed(random_state)
    intervals = Bootstrap(n_draws, confidence_level, seed)
    models = {"teacher": _unwrapped(teacher, "teacher"), "student": _unwrapped(student, "student")}
    x = as_tensor(X)
    # probabilities are those of the series as given, not of their float32 copies
    panel = X.reshape(x.shape) if isinstance(X, np.ndarray) else x.numpy().astype(np.float64)
    # whatever can be wrong is found before a classifier is asked
    width, stride = width_and_stride(window, stride, x.shape[2])
    batch_size = most_at_once(batch_size)
    settings = {"background": background, "perturbation": perturbation, "n_donors": n_donors}
    donors = SharedDonors.draw(X=x, random_state=seed, **settings)
    if y is not None:
        y = np.asarray(check_labels(y))
        if y.shape != (len(panel),):
            raise ValueError(
                f"y must hold one label for each of {len(panel)} series, got {y.shape}."
            )

    _check_known_classes(models, y)

    probabilities = {
        side: class_probabilities(model, panel.copy()) for side, model in models.items()
    }
    classes, columns = _aligned(
        *(class_labels(model, probabilities[side].shape[1]) for side, model in models.items())
    )
    probabilities["student"] = probabilities["student"][:, columns]
    of_series = None if y is None else class_indices("y", y, classes, of="teacher's classes")

    samples = _compare_answers(probabilities, y, classes)
    reliability = _reliability(probabilities, samples)
    lines = _with_intervals(intervals, samples)
    if y is not None:
        lines |= _quality_of_whole_sets(intervals, probabilities, of_series)

    picked = np.random.RandomState(seed).permutation(len(panel))[:max_saliency_instances]
    picked = np.sort(picked)
    saliencies, curves = {}, pd.DataFrame()
    if len(picked):
        shared = {"window": width, "stride": stride, "random_state": seed, "verbose": verbose}
        for side, model in models.items():
            saliencies[side] = temporal_saliency(
                model, x[picked].numpy(), batch_size=batch_size, **settings, **shared
            )
        removed = removal_curves(
            {side: Scorer(model) for side, model in models.items()},
            x[picked],
            {side: saliency.values for side, saliency in saliencies.items()},
            donors,
            n_donors=_CURVE_DONORS,
            batch_size=batch_size,
            verbose=verbose,
        )
        of_reasons = _compare_reasons(*saliencies.values(), removed)
        lines |= _with_intervals(intervals, of_reasons)
        samples = samples.join(of_reasons.set_axis(picked))
        curves = _curves_frame(removed, intervals)

    lines |= _cost(intervals, models, panel if latency else None)
    frame = pd.DataFrame(lines, index=["value", "low", "high"]).T
    frame = frame.reindex([name for name in LINES if name in lines]).rename_axis("name")
    frame["higher_is_better"] = [LINES[name].higher_is_better for name in frame.index]
    return FidelityReport(
        lines=frame,
        samples=samples.rename_axis("instance"),
        curves=curves,
        reliability=reliability,
        teacher_saliency=saliencies.get("teacher"),
        student_saliency=saliencies.get("student"),
        saliency_instances=picked,
        teacher_probabilities=probabilities["teacher"],
        student_probabilities=probabilities["student"],
        classes=classes,
        names=tuple(_name(model) for model in models.values()),
        settings={
            "window": width,
            "stride": stride,
            "perturbation": donors.perturbation,
            "n_donors": n_donors,
            "max_saliency_instances": max_saliency_instances,
            "n_draws": n_draws,
            "confidence_level": confidence_level,
            "random_state": seed,
        },
    )


def _unwrapped(classifier, name):
    """Give the classifier that answers, out of what holds it."""
    while isinstance(classifier, FrozenEstimator):
        classifier = classifier.estimator
    if hasattr(classifier, "_tensor_logits"):
        classifier = getattr(classifier, "student_", classifier)
    check_answers(classifier, name)
    return classifier


def _name(classifier):
    network = getattr(classifier, "network", None)
    own = f"({network!r})" if isinstance(network, str) else ""
    return type(classifier).__name__ + own


def _check_known_classes(models, y):
    """Compare the classes and the labels, where the classifiers tell theirs."""
    known = [getattr(model, "classes_", None) for model in models.values()]
    if any(classes is None or len(classes) == 0 for classes in known):
        return  # none, or not fitted: they will tell
    classes, _ = _aligned(*map(np.asarray, known))
    if y is not None:
        class_indices("y", y, classes, of="teacher's classes")


def _aligned(of_teacher, of_student):
    """Tell the teacher's classes, and the student's columns in their order."""
    teacher, student = of_teacher.tolist(), of_student.tolist()
    if set(teacher) != set(student):
        same = set(map(str, teacher)) == set(map(str, student))
        hint = " They differ in their type only." if same else ""
        raise ValueError(
            f"Teacher and student must know the same classes; the teacher knows {teacher}, the "
            f"student {student}.{hint}"
        )
    return of_teacher, [student.index(label) for label in teacher]


def _compare_answers(probabilities, y, classes):
    """Values per series of all lines that need no saliency, a column each."""
    both = probabilities["teacher"], probabilities["student"]
    agreement = top_1_agreement(*both)
    samples = {"top_1_agreement": agreement}
    for function in (kl_divergence, jensen_shannon_divergence, total_variation):
        samples[function.__name__] = function(*both)
    if y is not None:
        for side in SIDES:
            right = classes[probabilities[side].argmax(axis=1)] == y
            samples[f"accuracy_{side}"] = right.astype(float)
            for function in (negative_log_likelihood, brier_score):
                samples[f"{function.__name__}_{side}"] = function(y, probabilities[side], classes)
        right = samples["accuracy_teacher"] == 1
        samples["top_1_agreement_teacher_right"] = np.where(right, agreement, np.nan)
        samples["top_1_agreement_teacher_wrong"] = np.where(right, np.nan, agreement)
    return pd.DataFrame(samples)


def _quality_of_whole_sets(intervals, probabilities, of_series):
    """Lines that are no mean over series, with intervals."""
    lines = {}
    for side in SIDES:
        for name, make in (
            ("auc_prc", auc_prc_of_draws),
            ("expected_calibration_error", calibration_error_of_draws),
        ):
            statistic = make(of_series, probabilities[side])
            lines[f"{name}_{side}"] = intervals.of(statistic, len(of_series))
    return lines


def _compare_reasons(teacher_saliency, student_saliency, removed):
    """Values per series of all lines that rest on saliency, a column each."""
    measures = (saliency_spearman, saliency_kendall, saliency_top_k_overlap, saliency_cosine)
    samples = {f.__name__: f(teacher_saliency, student_saliency) for f in measures}
    for name, score in REMOVAL_SCORES.items():
        for model, source in product(SIDES, SIDES):
            samples[f"{name}_{model}_by_{source}"] = score(removed, model, source)
    return pd.DataFrame(samples)


def _cost(intervals, models, X):
    """Lines of cost; without X, none of time."""
    lines = {}
    for side, model in models.items():
        for name, size in (("parameters", parameters(model)), ("bytes", pickle_size(model))):
            lines[f"{name}_{side}"] = np.array([size, size, size])  # exact
        for n_series in () if X is None else (1, 256):
            milliseconds = time_calls(model, X, n_series)
            median = median_of_draws(milliseconds)
            lines[f"latency_{n_series}_{side}"] = intervals.of(median, len(milliseconds))
    return lines


def _with_intervals(intervals, samples):
    """Value, low and high of the mean of each column."""
    found = intervals.of(mean_of_draws(samples.to_numpy()), len(samples))
    return dict(zip(samples, found.T, strict=True))


def _curves_frame(removed, intervals):
    frames = []
    for (kind, model, source), values in removed.values.items():
        value, low, high = intervals.of(mean_of_draws(values), len(values))
        frame = pd.DataFrame(
            {
                "kind": kind,
                "model": model,
                "source": source,
                "fraction": removed.fractions,
                "value": value,
                "low": low,
                "high": high,
            }
        )
        frames.append(frame.drop_duplicates("fraction"))
    return pd.concat(frames, ignore_index=True)


def _reliability(probabilities, samples):
    """Means of each bin of confidence, for both models."""
    frames = []
    for side in SIDES:
        confidence, bins = confidence_bins(probabilities[side])
        by_series = pd.DataFrame(
            {
                "bin": bins,
                "confidence": confidence,
                "accuracy": samples.get(f"accuracy_{side}", np.nan),
                "agreement": samples["top_1_agreement"],
            }
        )
        frame = by_series.groupby("bin").mean()
        frame.insert(0, "n", by_series.groupby("bin").size())
        frames.append(frame.reset_index().assign(model=side))
    columns = ["model", "bin", "n", "confidence", "accuracy", "agreement"]
    return pd.concat(frames, ignore_index=True)[columns]
