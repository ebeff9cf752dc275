"""One teacher, one student trained several ways, and a table that compares them."""

import importlib.util
import pickle
import re
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import accuracy_score

from sktime_tsd._cli.methods import Method
from sktime_tsd._cli.models import STUDENTS, TEACHERS
from sktime_tsd._cli.train_and_test import Data
from sktime_tsd._utils.random import seed_unseeded
from sktime_tsd.classifier import SkorchClassifier
from sktime_tsd.distiller import SaliencyDistilledClassifier
from sktime_tsd.export import save_model
from sktime_tsd.fidelity import (
    FidelityReference,
    FidelityReport,
    kl_divergence,
    macro_auc_prc,
    saliency_spearman,
    top_1_agreement,
)
from sktime_tsd.networks import n_parameters
from sktime_tsd.plotting._figure import file_figure
from sktime_tsd.saliency import temporal_saliency

__all__ = [
    "DemonstrationResult",
    "check_results_folder",
    "keep_student",
    "parse_methods",
    "run_demonstration",
]

# What `DemonstrationResult.save` writes; the pictures only if matplotlib is installed.
_RESULTS = (
    "student", "table.csv", "fidelity.csv", "history.csv", "saliency.png", "fidelity.png",
)  # fmt: skip

# Number of test series on which saliency is measured, at most.
_N_SALIENCY_INSTANCES = 100
_N_PICTURED = 3
# The network in a classifier's name; a picture of one network does not need it.
_SHORT = re.compile(r" \(.*?\)")


@dataclass(frozen=True)
class DemonstrationResult:
    """What `run_demonstration` returns.

    Parameters
    ----------
    data : Data
        The data the classifiers were fitted and compared on.
    table : pandas.DataFrame
        One row per classifier.
    classifier : SkorchClassifier or SaliencyDistilledClassifier
        The last method's, fitted.
    report : FidelityReport
        Compares that student with the teacher, on the test series.
    saliencies : dict of str to Saliency
        By the classifier's name in `table`, of the series `X`. The teacher comes first.
    X, y : numpy.ndarray
        The test series on which saliency was measured, and their labels.
    """

    data: Data
    table: pd.DataFrame
    classifier: SkorchClassifier | SaliencyDistilledClassifier
    report: FidelityReport
    saliencies: dict
    X: np.ndarray
    y: np.ndarray

    def save(self, folder):
        """Write the student (a folder), three tables and, with matplotlib, two pictures.

        A student that `keep_student` wrote is replaced, now with a report in its model card.

        Parameters
        ----------
        folder : path-like
            Must exist.

        Returns
        -------
        paths : list of pathlib.Path
        """
        folder = Path(folder)
        *names, saliency, fidelity = _RESULTS
        keep_student(self.classifier, self.data, folder, report=self.report)
        self.table.to_csv(folder / names[1])
        self.report.to_frame().to_csv(folder / names[2])
        student = getattr(self.classifier, "student_", self.classifier)
        student.history_frame().to_csv(folder / names[3])
        if importlib.util.find_spec("matplotlib"):
            for name, draw in (
                (saliency, self._draw_saliency),
                (fidelity, self._draw_fidelity),
            ):
                draw(file_figure()).savefig(folder / name, dpi=150)
                names.append(name)
        return [folder / name for name in names]

    def _draw_saliency(self, figure):
        """Draw the teacher's saliency beside that of the first and the last student."""
        from sktime_tsd.plotting import plot_saliency_comparison

        teacher, *students = self.saliencies
        drawn = {"teacher": self.saliencies[teacher]}
        for name in (students[0], students[-1]):
            drawn[_SHORT.sub("", name)] = self.saliencies[name]
        instances = self._typical_instances(*map(self.saliencies.get, (students[0], students[-1])))
        figure.set_size_inches(3.6 * len(drawn), 0.4 + 2.1 * len(instances))
        plot_saliency_comparison(
            self.X,
            drawn,
            instances=instances,
            names=[f"class {self.y[i]}" for i in instances],
            ax=figure.subplots(len(instances), len(drawn), squeeze=False, sharex=True),
        )
        return figure

    def _typical_instances(self, first, last):
        """Pick a series of each of up to three classes: that of the median gain in correlation."""
        teacher = self.report.teacher_saliency
        gain = saliency_spearman(teacher, last)
        if first is not last:
            gain = gain - saliency_spearman(teacher, first)
        instances = []
        for label in np.unique(self.y)[:_N_PICTURED]:
            of_class = np.flatnonzero(self.y == label)
            by_gain = of_class[np.argsort(gain[of_class], kind="stable")]
            instances.append(int(by_gain[len(by_gain) // 2]))
        return instances

    def _draw_fidelity(self, figure):
        from sktime_tsd.plotting import plot_agreement, plot_fidelity_curve

        figure.set_size_inches(15, 4)
        deletion, insertion, agreement = figure.subplots(1, 3)
        plot_fidelity_curve(self.report, kind="deletion", ax=deletion)
        plot_fidelity_curve(self.report, kind="insertion", ax=insertion)
        plot_agreement(self.report, ax=agreement)
        return figure


def parse_methods(text):
    """Parse a list of methods.

    Parameters
    ----------
    text : str
        Names separated by commas or spaces.

    Returns
    -------
    methods : list of Method
        Without duplicates.

    Raises
    ------
    ValueError
        If a name is unknown.
    """
    joined = re.sub(r"\s*\+\s*", "+", text.lower().strip())
    return [Method(name) for name in dict.fromkeys(re.split(r"\s*,\s*|\s+", joined))]


def check_results_folder(folder, *, overwrite):
    """Refuse a folder that holds results.

    Parameters
    ----------
    folder : pathlib.Path
    overwrite : bool
        Whether they may be replaced.

    Raises
    ------
    ValueError
        If it does and `overwrite` is False.
    """
    found = [name for name in _RESULTS if (folder / name).exists()]
    if found and not overwrite:
        raise ValueError(
            f"--out {folder} holds {found[0]} already: name another folder, or add --overwrite."
        )


def keep_student(classifier, data, folder, report=None):
    """Write the student to a folder, which may hold an earlier one.

    Parameters
    ----------
    classifier : SkorchClassifier or SaliencyDistilledClassifier
        Fitted.
    data : Data
    folder : path-like
        Must exist.
    report : FidelityReport, optional
        For the model card.

    Returns
    -------
    path : pathlib.Path
    """
    return save_model(
        classifier,
        Path(folder) / _RESULTS[0],
        report=report,
        data=f"{len(data.X_train)} training series of {data.name}.",
        overwrite=True,
    )


def run_demonstration(
    data,
    *,
    teacher="inception_time",
    student="fcn",
    methods,
    epochs=None,
    seed=0,
    keep=None,
    report=print,
    **irregular,
):
    """Fit a teacher, then the same student by each method, and compare them.

    Parameters
    ----------
    data : Data
    teacher : str, default="inception_time"
        A key of ``TEACHERS``.
    student : str, default="fcn"
        A key of ``STUDENTS``.
    methods : list of Method
    epochs : int, optional
        Of the teacher, if it is a network of this package, and of the students. Default: theirs.
    seed : int, default=0
    keep : callable, optional
        Called with the last method's classifier as soon as it is fitted, before anything is
        measured.
    report : callable, default=print
        Called with a line of text at each step.
    **irregular : str
        ``unequal_length`` and ``missing_values``, for the teacher and the students: the one that
        is kept mends new series as the data were mended.

    Returns
    -------
    result : DemonstrationResult
    """
    X_train, y_train, X_test, y_test = data.X_train, data.y_train, data.X_test, data.y_test
    n, n_channels, n_timepoints = X_train.shape
    channels = "1 channel" if n_channels == 1 else f"{n_channels} channels"
    report(
        f"{data.name}: {n} training and {len(X_test)} test series, {channels}, "
        f"{n_timepoints} time points, {len(np.unique(y_train))} classes."
    )
    fitted, seconds = {}, {}

    def fit(name, classifier):
        report(f"Fitting {name} ...")
        start = time.perf_counter()
        ours = isinstance(classifier, (SkorchClassifier, SaliencyDistilledClassifier))
        fitted[name] = classifier.fit(data.named if ours else X_train, y_train)
        seconds[name] = time.perf_counter() - start

    settings = irregular if epochs is None else irregular | {"max_epochs": epochs}
    unfitted = TEACHERS[teacher]()
    seed_unseeded(unfitted, seed)
    if isinstance(unfitted, SkorchClassifier):
        unfitted.set_params(verbose=1, **settings)
    fit(f"teacher ({teacher})", unfitted)
    (teacher_fitted,) = fitted.values()
    # one seed, so that all students start from the same weights
    alone = STUDENTS[student]().set_params(random_state=seed, verbose=1, **settings)
    for method in methods:
        frozen = FrozenEstimator(teacher_fitted)
        classifier = method.classifier(frozen, alone, verbose=1, random_state=seed, **irregular)
        fit(f"student ({student}) {method.title}", classifier)

    # for a distilled classifier, compare only its student
    compared = {name: getattr(model, "student_", model) for name, model in fitted.items()}
    student_name, classifier = list(fitted.items())[-1]
    student_fitted = compared[student_name]
    student_fitted.verbose = 0  # show no progress where the saved student is loaded
    if keep is not None:
        keep(classifier)
    report(f"Comparing {student_name} with its teacher on the test series ...")
    reference = FidelityReference(
        teacher_fitted,
        X_test,
        y_test,
        background=X_train,
        max_saliency_instances=_N_SALIENCY_INSTANCES,
        random_state=seed,
        verbose=1,
    )
    fidelity = reference.report(student_fitted)
    picked = fidelity.saliency_instances
    saliencies = dict.fromkeys(compared) | {
        f"teacher ({teacher})": fidelity.teacher_saliency,
        student_name: fidelity.student_saliency,
    }
    held_out = {f"teacher ({teacher})": 1.0, student_name: fidelity["saliency_held_out"]}
    rows = {}
    for name, model in compared.items():
        if name not in held_out:
            held_out[name] = reference.reasons(model)["saliency_held_out"].mean()
        if saliencies[name] is None:
            saliencies[name] = temporal_saliency(
                model, X_test[picked], background=X_train, random_state=seed
            )
        row = _table_row(model, X_test, y_test, fidelity, saliencies[name])
        rows[name] = row | {"held-out corr.": held_out[name], "fit s": seconds[name]}
    return DemonstrationResult(
        data=data,
        table=pd.DataFrame(rows).T.rename_axis("classifier"),
        classifier=classifier,
        report=fidelity,
        saliencies=saliencies,
        X=X_test[picked],
        y=y_test[picked],
    )


def _table_row(classifier, X, y, report, saliency):
    probabilities = classifier.predict_proba(X)
    network = getattr(classifier, "network_", None)
    classes = np.asarray(classifier.classes_)
    of_teacher = report.teacher_probabilities
    return {
        "parameters": np.nan if network is None else n_parameters(network),
        "pickle kB": len(pickle.dumps(classifier)) / 1000,
        "accuracy": accuracy_score(y, classes[probabilities.argmax(axis=1)]),
        "AUC-PRC": macro_auc_prc(y, probabilities, classes),
        "agreement": top_1_agreement(of_teacher, probabilities).mean(),
        "KL": kl_divergence(of_teacher, probabilities).mean(),
        "saliency corr.": saliency_spearman(report.teacher_saliency, saliency).mean(),
    }
