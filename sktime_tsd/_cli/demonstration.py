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
from sktime_tsd._panels.arrays import as_array
from sktime_tsd._utils.random import seed_unseeded
from sktime_tsd.classifier import SkorchClassifier
from sktime_tsd.datasets import load_dataset
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
    "Data",
    "DemonstrationResult",
    "check_results_folder",
    "load_data",
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
class Data:
    """A named data set, split into training and test series."""

    name: str
    X_train: np.ndarray
    y_train: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray


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
        save_model(
            self.classifier,
            folder / names[0],
            report=self.report,
            data=f"{len(self.data.X_train)} training series of {self.data.name}.",
            overwrite=True,
        )
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


def load_data(name, data_dir=None, *, unequal_lengths="error"):
    """Load the training and test series of a data set.

    Parameters
    ----------
    name : str
    data_dir : path-like, optional
        See `sktime_tsd.datasets.load_dataset`.
    unequal_lengths : {"error", "resample"}, default="error"
        See `sktime_tsd.datasets.load_dataset`.

    Returns
    -------
    data : Data

    Raises
    ------
    ValueError
        If the data set is not found, its series differ in length, values are missing, or a test
        series has a label of no training series.
    """
    parts = []
    for split in ("train", "test"):
        X, y = load_dataset(name, split=split, data_dir=data_dir, unequal_lengths=unequal_lengths)
        try:
            as_array(X)
        except ValueError as error:
            raise ValueError(f"the {split} series of {name}: {error}") from error
        parts += [X, y]
    shapes = [X.shape[1:] for X in (parts[0], parts[2])]
    if shapes[0] != shapes[1]:
        raise ValueError(
            f"the series of {name} have (channels, time points) {shapes[0]} in the training set, "
            f"{shapes[1]} in the test set."
        )
    unknown = np.setdiff1d(parts[3], parts[1])
    if len(unknown):
        raise ValueError(
            f"a test series of {name} has the label {unknown[0]}, which no training series has."
        )
    return Data(name, *parts)


def run_demonstration(
    data, *, teacher="inception_time", student="fcn", methods, seed=0, report=print
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
    seed : int, default=0
    report : callable, default=print
        Called with a line of text at each step.

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
        fitted[name] = classifier.fit(X_train, y_train)
        seconds[name] = time.perf_counter() - start

    unfitted = TEACHERS[teacher]()
    seed_unseeded(unfitted, seed)
    if isinstance(unfitted, SkorchClassifier):
        unfitted.set_params(verbose=1)
    fit(f"teacher ({teacher})", unfitted)
    (teacher_fitted,) = fitted.values()
    # one seed, so that all students start from the same weights
    alone = STUDENTS[student]().set_params(random_state=seed, verbose=1)
    for method in methods:
        frozen = FrozenEstimator(teacher_fitted)
        classifier = method.classifier(frozen, alone, verbose=1, random_state=seed)
        fit(f"student ({student}) {method.title}", classifier)

    # for a distilled classifier, compare only its student
    compared = {name: getattr(model, "student_", model) for name, model in fitted.items()}
    student_name, classifier = list(fitted.items())[-1]
    student_fitted = compared[student_name]
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
    student_fitted.verbose = 0  # show no progress where the saved student is loaded
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
