"""The unit of work: one data set, one seed, one teacher, several students."""

import time
import warnings
from typing import NamedTuple

import numpy as np
import torch
from joblib import Memory
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split

from sktime_tsd._training.validation_split import split_validation
from sktime_tsd._utils.fingerprint import fingerprint
from sktime_tsd._utils.random import draw_seed, seed_unseeded
from sktime_tsd._utils.threads import keep_torch_threads
from sktime_tsd.benchmark._benchmark_method import BenchmarkMethod
from sktime_tsd.benchmark._made_data import Split, add_cue, cue_of, load_split
from sktime_tsd.benchmark._model_costs import onnx_cost
from sktime_tsd.benchmark._plan import DIED, MOST_STARTS, failed_row, n_starts, row_before
from sktime_tsd.benchmark._protocols import PROTOCOLS
from sktime_tsd.benchmark._results import write_part
from sktime_tsd.benchmark._truth import accuracy_against_cue, known_truth
from sktime_tsd.benchmark._yardsticks import fit_yardstick, other_seed
from sktime_tsd.fidelity import FidelityReference, macro_auc_prc

__all__ = ["run_unit"]

# Share of the training series held out where the test series must stay untouched.
_KEPT_ASIDE = 1 / 3


def run_unit(unit, options):
    """Fit the teacher once, fit each student, and compare each with the teacher.

    Parameters
    ----------
    unit : Unit
    options : RunOptions

    Returns
    -------
    rows : list of dict
        One per method, in the unit's order, also written to the parts folder. A failed run
        gives a row with its error; so does each run of a unit whose process has died
        ``MOST_STARTS`` times.
    """
    mark = unit.mark(options)
    if n_starts(mark) >= MOST_STARTS:
        rows = [failed_row(unit, method, options, DIED) for method in unit.methods]
        for row in rows:
            write_part(options.parts, row)
        mark.unlink(missing_ok=True)
        return rows
    if mark.parent.is_dir():
        with mark.open("a") as file:
            file.write("started\n")
    rows = []
    with keep_torch_threads(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # too many fits to read them; the rows say what matters
        work = _Work(unit, options)
        for method in unit.methods:
            torch.set_num_threads(options.threads)  # again: MiniRocket's numba changes it
            try:
                row = work.run(BenchmarkMethod(method))
            except Exception as error:
                row = failed_row(unit, method, options, error)
            write_part(options.parts, row)
            rows.append(row)
    mark.unlink(missing_ok=True)
    return rows


class Data(NamedTuple):
    """Series of a unit."""

    X: np.ndarray
    y: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray
    X_unlabelled: np.ndarray | None = None
    X_teacher: np.ndarray | None = None  # the training series without a cue, if `X` has one
    mask: np.ndarray | None = None  # where the evidence of the test series is, if known
    conflicts: np.ndarray | None = None  # which test series have the cue of another class

    @property
    def for_teacher(self):
        """Series that teachers are fitted on."""
        return self.X if self.X_teacher is None else self.X_teacher

    def with_cue(self, strength, y_unlabelled, seed):
        """Give each training series its own class's cue, and each test series a random one's."""
        classes, y = np.unique(self.y, return_inverse=True)
        settings = {
            "n_classes": len(classes),
            "strength": strength,
            "scale": self.X.std(),
        }
        pointed_to = np.random.RandomState(seed).randint(len(classes), size=len(self.y_test))
        unlabelled = self.X_unlabelled
        if unlabelled is not None:
            unlabelled = add_cue(unlabelled, np.searchsorted(classes, y_unlabelled), **settings)
        return self._replace(
            X=add_cue(self.X, y, **settings),
            X_test=add_cue(self.X_test, pointed_to, **settings),
            X_unlabelled=unlabelled,
            X_teacher=self.X,
            conflicts=classes[pointed_to] != self.y_test,
        )


class _Work:
    """A unit's data, teachers and fidelity reference, each made when first needed."""

    def __init__(self, unit, options):
        self.unit = unit
        self.options = options
        self.protocol = PROTOCOLS[options.protocol]
        self.memory = None if options.cache is None else Memory(options.cache, verbose=0)
        self._made = {}

    def _once(self, make):
        """Call `make` once and keep its result; if it failed, raise the same error again."""
        if make.__name__ not in self._made:
            try:
                self._made[make.__name__] = make(), None
            except Exception as error:
                self._made[make.__name__] = None, error
        made, error = self._made[make.__name__]
        if error is not None:
            raise error
        return made

    def _data(self):
        name, strength = cue_of(self.unit.dataset)
        seed, prepare = self.unit.seed, self.protocol.prepare
        where = {"data_dir": self.options.data_dir, "seed": seed}
        train = load_split(name, "train", **where)
        if self.options.evaluated_on == "test":
            test = load_split(name, "test", **where)
        else:
            train, test = _halves(train, _KEPT_ASIDE, seed)
        unlabelled, share = Split(None, None), self.options.unlabelled_share
        train = train._replace(X=prepare(train.X))
        if share:
            train, unlabelled = _halves(train, share, seed)
        data = Data(train.X, train.y, prepare(test.X), test.y, unlabelled.X, mask=test.mask)
        return data if strength is None else data.with_cue(strength, unlabelled.y, seed)

    def _teacher(self):
        data = self._once(self._data)
        return self._fitted_teacher(data.for_teacher, data.y)

    def _random_teacher(self):
        data = self._once(self._data)
        y = np.random.RandomState(self.unit.seed).permutation(data.y)
        return self._fitted_teacher(data.for_teacher, y)

    def _fitted_teacher(self, X, y, seed=None):
        """Fit a teacher; return it and the seconds it took."""
        teacher = self._make_teacher(self.options.teacher)
        seed_unseeded(teacher, self.unit.seed if seed is None else seed)
        if self.memory is None:
            return _timed_fit(None, teacher, X, y)
        fit = self.memory.cache(_timed_fit, ignore=["teacher", "X", "y"])
        return fit(fingerprint(teacher, X, y), teacher, X, y)

    def _make_teacher(self, name):
        options = self.options
        return self.protocol.make_teacher(name, options.device, options.max_epochs)

    def _make_student(self, name=None):
        options = self.options
        name = options.student if name is None else name
        student = self.protocol.make_student(name, options.device, options.max_epochs)
        return student.set_params(random_state=self.unit.seed)

    def _yardstick(self, name, data):
        """Fit a yardstick; return it and the seconds it took."""
        if name == "reseeded":
            return self._fitted_teacher(data.for_teacher, data.y, other_seed(self.unit.seed))
        start, seed = time.perf_counter(), self.unit.seed
        student = self._make_student()
        make = self._make_student if name == "lite" else self._make_teacher
        fitted = fit_yardstick(name, student, make, data.X, data.y, seed)
        return fitted, time.perf_counter() - start

    def _reference(self):
        data = self._once(self._data)
        teacher, _ = self._once(self._teacher)
        return FidelityReference(
            teacher,
            data.X_test,
            data.y_test,
            background=data.X,
            max_saliency_instances=self.options.saliency_instances,
            removal=self.options.removal,
            explainers=None if self.options.held_out else (),
            latency=self.options.latency,
            n_resamples=0,
            random_state=self.unit.seed,
        )

    def run(self, method):
        """Fit one student and compare it with the teacher.

        Parameters
        ----------
        method : BenchmarkMethod

        Returns
        -------
        row : dict
        """
        data = self._once(self._data)
        make = self._random_teacher if method.permutes_labels else self._teacher
        teacher, teacher_seconds = self._once(make)
        if method.is_yardstick:
            classifier, seconds, weight = *self._yardstick(method.base, data), None
        else:
            classifier, seconds, weight = self._best(method, teacher, data)
        student = getattr(classifier, "student_", classifier)
        start = time.perf_counter()
        student.predict_proba(data.X_test)
        predict_seconds = time.perf_counter() - start
        report = self._once(self._reference).report(student)
        metrics = report.to_frame()["value"]
        return row_before(self.unit, method.name, self.options) | {
            "status": "ok",
            "error": "",
            "n_train": len(data.X),
            "n_test": len(data.X_test),
            "n_channels": data.X.shape[1],
            "n_timepoints": data.X.shape[2],
            "n_classes": len(np.unique(data.y)),
            **metrics.to_dict(),
            **known_truth(report, data.mask),
            **accuracy_against_cue(report, data.conflicts),
            **(onnx_cost(student, data.X_test) if self.options.latency else {}),
            "teacher_fit_seconds": teacher_seconds,
            "fit_seconds": seconds,
            "predict_seconds": predict_seconds,
            "chosen_weight": weight,
        }

    def _classifier(self, method, teacher):
        return method.classifier(
            FrozenEstimator(teacher),
            self._make_student(),
            random_state=self.unit.seed,
            memory=self.memory,
            n_jobs=1,  # units are what runs at the same time
            **self.protocol.transfer,
        )

    def _fitted(self, method, teacher, data):
        """Fit a student; return it and the seconds it took."""
        classifier = self._classifier(method, teacher)
        more = {"X_unlabelled": data.X_unlabelled} if method.uses_unlabelled else {}
        start = time.perf_counter()
        classifier.fit(data.X, data.y, **more)
        return classifier, time.perf_counter() - start

    def _best(self, method, teacher, data):
        """Fit a student, with the best of the protocol's candidate weights if it has any."""
        candidates = [method.with_weight(weight) for weight in self.protocol.weights]
        if not candidates or None in candidates:
            return *self._fitted(method, teacher, data), None
        best = None
        for candidate, weight in zip(candidates, self.protocol.weights, strict=True):
            classifier, seconds = self._fitted(candidate, teacher, data)
            X_kept, y_kept = self._to_choose_on(classifier, data)
            probabilities = classifier.predict_proba(X_kept)
            score = macro_auc_prc(y_kept, probabilities, classifier.classes_)
            if best is None or score > best[0]:
                best = score, classifier, seconds, weight
        return best[1:]

    def _to_choose_on(self, classifier, data):
        """Return the series a weight is picked on: the student's validation split, or the test."""
        if self.options.weight_chosen_on == "test":
            return data.X_test, data.y_test
        fraction = classifier.student_.validation_fraction
        y_indices = np.unique(data.y, return_inverse=True)[1]
        _, valid = split_validation(y_indices, fraction, draw_seed(self.unit.seed))
        return data.X[valid], data.y[valid]


def _halves(split, share, seed):
    """Split series in two, each class in the same share."""
    kept, apart = train_test_split(
        np.arange(len(split.y)), test_size=share, stratify=split.y, random_state=seed
    )
    return (
        Split(*(None if part is None else part[some] for part in split)) for some in (kept, apart)
    )


# Cached by `key` alone, which must identify the result.
def _timed_fit(key, teacher, X, y):
    start = time.perf_counter()
    teacher.fit(X, y)
    return teacher, time.perf_counter() - start
