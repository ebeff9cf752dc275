"""One teacher, the same student three ways, and one table that compares them."""

import importlib.util
import pickle
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.preprocessing import StandardScaler

from sktime_tsd._teacher_source import default_teacher
from sktime_tsd.classifier import SkorchClassifier
from sktime_tsd.datasets import load_dataset
from sktime_tsd.distiller import SaliencyDistilledClassifier, default_student
from sktime_tsd.fidelity import (
    kl_divergence,
    macro_auc_prc,
    saliency_spearman,
    top_1_agreement,
)
from sktime_tsd.losses import KD
from sktime_tsd.networks import n_parameters
from sktime_tsd.saliency import temporal_saliency

__all__ = [
    "STUDENTS",
    "TEACHERS",
    "Data",
    "DemonstrationResult",
    "check_extras",
    "load_data",
    "run_demonstration",
]

# Saliency is measured on at most so many test series.
_N_SALIENCY_INSTANCES = 100
_N_PICTURED = 3


def _minirocket(seed):
    from sktime.transformations.panel.rocket import MiniRocketMultivariate

    minirocket = MiniRocketMultivariate(random_state=seed)
    return minirocket * StandardScaler() * LogisticRegression(max_iter=1000)


TEACHERS = {
    "inception_time": lambda seed: default_teacher().set_params(random_state=seed, verbose=1),
    "lstm": lambda seed: SkorchClassifier("lstm", lr=2e-3, random_state=seed, verbose=1),
    "minirocket": _minirocket,
}

STUDENTS = {
    "fcn": default_student,
    "lstm": lambda: SkorchClassifier("lstm", {"hidden_size": 16, "num_layers": 1}),
}


@dataclass(frozen=True)
class DemonstrationResult:
    """What `run_demonstration` found.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per classifier.
    student : SkorchClassifier
        The student distilled by saliency.
    examples : list of tuple (x, teacher_saliency, student_saliency, title)
        For `sktime_tsd.plotting.plot_saliency_pair`.
    """

    table: pd.DataFrame
    student: SkorchClassifier
    examples: list

    def save(self, folder):
        """Write ``student.pkl``, ``table.csv`` and, with matplotlib, ``saliency.png``.

        Parameters
        ----------
        folder : path-like
            An existing folder.

        Returns
        -------
        paths : list of pathlib.Path
        """
        folder = Path(folder)
        paths = [folder / "student.pkl", folder / "table.csv"]
        paths[0].write_bytes(pickle.dumps(self.student))
        self.table.to_csv(paths[1])
        if importlib.util.find_spec("matplotlib"):
            paths.append(folder / "saliency.png")
            self._picture().savefig(paths[-1], dpi=150)
        return paths

    def _picture(self):
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        from sktime_tsd.plotting import plot_saliency_pair

        figure = Figure(figsize=(4.2 * len(self.examples), 3.2), layout="constrained")
        FigureCanvasAgg(figure)  # draws to a file, on a machine without a screen too
        axes = figure.subplots(1, len(self.examples), squeeze=False)[0]
        for ax, (x, teacher, student, title) in zip(axes, self.examples, strict=True):
            plot_saliency_pair(x, teacher, student, title=title, ax=ax)
        return figure


def check_extras(teacher):
    """Refuse a teacher whose optional library is missing.

    Raises
    ------
    ValueError
        Saying what to install.
    """
    if teacher == "minirocket" and importlib.util.find_spec("numba") is None:
        raise ValueError('the teacher "minirocket" needs numba: pip install numba')


@dataclass(frozen=True)
class Data:
    """A data set under its name, split into training and test series."""

    name: str
    X_train: np.ndarray
    y_train: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray


def load_data(name, data_dir=None):
    """Load both parts of a data set.

    Parameters
    ----------
    name : str
    data_dir : path-like, optional
        See `sktime_tsd.datasets.load_dataset`.

    Returns
    -------
    data : Data

    Raises
    ------
    ValueError
        If it is not there, or its series are of unequal length.
    """
    parts = [load_dataset(name, split=split, data_dir=data_dir) for split in ("train", "test")]
    return Data(name, *parts[0], *parts[1])


def run_demonstration(data, *, teacher="inception_time", student="fcn", seed=0, report=print):
    """Fit a teacher and the same student three ways: alone, by KD, by TSD.

    Parameters
    ----------
    data : Data
    teacher : str, default="inception_time"
        A key of ``TEACHERS``.
    student : str, default="fcn"
        A key of ``STUDENTS``.
    seed : int, default=0
    report : callable, default=print
        Takes a line on what is being done.

    Returns
    -------
    result : DemonstrationResult
    """
    X_train, y_train, X_test, y_test = data.X_train, data.y_train, data.X_test, data.y_test
    n, n_channels, n_timepoints = X_train.shape
    report(
        f"{data.name}: {n} training and {len(X_test)} test series, {n_channels} channels, "
        f"{n_timepoints} time points, {len(np.unique(y_train))} classes."
    )
    fitted, seconds = {}, {}

    def fit(name, classifier):
        report(f"Fitting {name} ...")
        start = time.perf_counter()
        fitted[name] = classifier.fit(X_train, y_train)
        seconds[name] = time.perf_counter() - start

    fit(f"teacher ({teacher})", TEACHERS[teacher](seed))
    (teacher_fitted,) = fitted.values()
    # one seed for all: the students begin with the same weights
    alone = STUDENTS[student]().set_params(random_state=seed, verbose=1)
    shared = {
        "teacher": FrozenEstimator(teacher_fitted),
        "student": alone,
        "verbose": 1,
        "random_state": seed,
    }
    fit(f"student ({student}) alone", alone.clone())
    fit(
        f"student ({student}) by KD",
        SaliencyDistilledClassifier(**shared, saliency_weight=0, distillation=[KD()]),
    )
    fit(f"student ({student}) by TSD", SaliencyDistilledClassifier(**shared))

    picked = np.random.RandomState(seed).permutation(len(X_test))[:_N_SALIENCY_INSTANCES]
    report(f"Measuring saliency on {len(picked)} test series ...")
    measured = {}
    for name, classifier in fitted.items():
        classifier = getattr(classifier, "student_", classifier)
        fitted[name] = classifier
        measured[name] = (
            classifier.predict_proba(X_test),
            temporal_saliency(
                classifier, X_test[picked], background=X_train, random_state=seed, verbose=1
            ).values,
        )
    table = pd.DataFrame(
        {
            name: _table_row(
                fitted[name], y_test, *measured[name], *_first(measured), seconds[name]
            )
            for name in fitted
        }
    ).T
    table.index.name = "classifier"
    student_name = list(fitted)[-1]
    return DemonstrationResult(
        table=table,
        student=fitted[student_name],
        examples=_examples(
            X_test[picked], y_test[picked], _first(measured)[1], measured[student_name][1]
        ),
    )


def _first(measured):
    return next(iter(measured.values()))


def _table_row(classifier, y, probabilities, saliency, of_teacher, saliency_of_teacher, seconds):
    network = getattr(classifier, "network_", None)
    classes = np.asarray(classifier.classes_)
    return {
        "parameters": np.nan if network is None else n_parameters(network),
        "pickle kB": len(pickle.dumps(classifier)) / 1000,
        "accuracy": accuracy_score(y, classes[probabilities.argmax(axis=1)]),
        "AUC-PRC": macro_auc_prc(y, probabilities, classes),
        "agreement": top_1_agreement(of_teacher, probabilities).mean(),
        "KL": kl_divergence(of_teacher, probabilities).mean(),
        "saliency corr.": saliency_spearman(saliency_of_teacher, saliency).mean(),
        "fit s": seconds,
    }


def _examples(X, y, of_teacher, of_student):
    """Pick the first series of each class, then the next ones, up to three."""
    first_of_class = np.sort(np.unique(y, return_index=True)[1])
    order = [*first_of_class, *np.setdiff1d(np.arange(len(y)), first_of_class)]
    correlation = saliency_spearman(of_teacher, of_student)
    return [
        (
            X[i],
            of_teacher[i],
            of_student[i],
            f"class {y[i]}, rank correlation {correlation[i]:.2f}",
        )
        for i in order[:_N_PICTURED]
    ]
