"""What several test files share and is no fixture: data, estimators, a small training set."""

import re
from fractions import Fraction
from math import ceil

import numpy as np
import pytest
import torch
from scipy.special import softmax
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sktime_tsd import SaliencyDistilledClassifier, SkorchClassifier, fidelity_report
from sktime_tsd._training.build import build
from sktime_tsd._training.train import train_network
from sktime_tsd._training.training_set import TrainingSet
from sktime_tsd.losses import Outputs, TemporalSaliency
from sktime_tsd.networks import LSTM, build_network
from sktime_tsd.perturbations import OpposingClass, WindowBank
from sktime_tsd.teachers._features import TeacherFeatures
from sktime_tsd.teachers._teacher import Teacher

torch.set_num_threads(1)  # bit for bit the same here and in the processes that tests start

TINY_FCN = {"filters": (4,), "kernel_sizes": (3,)}
TINY_LSTM = {"hidden_size": 4, "num_layers": 1}


def bad(error, said=None, /, **params):
    """A case for `parametrize`: parameters, their error, and what its message must say.

    By default the message names the first parameter and its value.
    """
    name, value = next(iter(params.items()))
    pattern = said or f"{name}.*{re.escape(str(value))}"
    return pytest.param(params, error, pattern, id=f"{name}={value!r:.25}")


# -- data and estimators -----------------------------------------------------------------


def random_panel(n_instances, n_channels=1, n_timepoints=20, n_classes=2, seed=0):
    """Series of which each class has its own level, and string labels."""
    rng = np.random.RandomState(seed)
    y = np.arange(n_instances) % n_classes
    X = rng.standard_normal((n_instances, n_channels, n_timepoints)) + y[:, None, None]
    return X, np.array([f"class {label:02d}" for label in y])


def learner(**params):
    """A network that learns such panels in a tenth of a second."""
    settings = {"max_epochs": 10, "lr": 3e-2, "random_state": 0} | params
    return SkorchClassifier("fcn", {"filters": (8,), "kernel_sizes": (3,)}, **settings)


def distiller(**params):
    settings = {"n_windows": 2, "bank_size": 4, "random_state": 0} | params
    return SaliencyDistilledClassifier(learner(), learner(), **settings)


def fcn(**params):
    """The smallest network that trains at all."""
    return SkorchClassifier("fcn", TINY_FCN, **{"max_epochs": 2, **params})


def lstm(**params):
    return SkorchClassifier("lstm", TINY_LSTM, **{"max_epochs": 2, **params})


def as_rows(X):
    return X.reshape(len(X), -1)


def flat(*steps):
    """A pipeline of scikit-learn for series, which it makes rows of numbers first."""
    return make_pipeline(FunctionTransformer(as_rows), *steps)


class Linear:
    """Softmax of random weights of all values; has nothing but probabilities."""

    def __init__(self, seed, n_channels, n_timepoints, classes=("a", "b", "c")):
        self.classes_ = np.array(classes)
        rng = np.random.RandomState(seed)
        self.weights = rng.randn(n_channels, n_timepoints, len(classes)) / 2
        self.largest_call = 0

    def predict_proba(self, X):
        self.largest_call = max(self.largest_call, len(X))
        # not einsum: its sums depend on how many series there are
        return softmax((X[..., None].astype(float) * self.weights).sum(axis=(1, 2)), axis=1)


# -- reports on pairs of `Linear` ----------------------------------------------------------

N_LABELLED = 30
SERIES = np.random.RandomState(0).randn(N_LABELLED, 2, 12).astype(np.float32)
LABELS = np.random.RandomState(1).choice(["a", "b", "c"], N_LABELLED)
QUICK_REPORT = {"latency": False, "n_resamples": 50, "random_state": 0}


def linear(seed, classes=("a", "b", "c")):
    return Linear(seed, *SERIES.shape[1:], classes)


def report_on(teacher, student, y=None, **options):
    return fidelity_report(teacher, student, SERIES, y, **QUICK_REPORT | options)


FRACTIONS_REMOVED = ["0", "0.01", "0.05", "0.1", "0.2", "0.3", "0.5", "0.7", "1"]


def reference_curves(classifier, x, saliency, fillers):
    """Deletion and insertion curve of one series; a filler is what removed points become."""
    n_timepoints = x.shape[1]
    answer = classifier.predict_proba(x[None])[0].argmax()
    order = sorted(range(n_timepoints), key=lambda u: (-saliency[u], u))
    left = {"deletion": [], "insertion": []}
    for fraction in FRACTIONS_REMOVED:
        most_salient = order[: ceil(Fraction(fraction) * n_timepoints)]
        for filler in fillers:
            without, alone = x.copy(), filler.copy()
            without[:, most_salient] = filler[:, most_salient]
            alone[:, most_salient] = x[:, most_salient]
            left["deletion"].append(without)
            left["insertion"].append(alone)
    return {
        kind: classifier.predict_proba(np.stack(copies))[:, answer]
        .reshape(len(FRACTIONS_REMOVED), len(fillers))
        .mean(axis=1)
        for kind, copies in left.items()
    }


# -- a small training set with a scored bank, and networks trained on it -------------------

N, N_TIMEPOINTS, WIDTH = 37, 60, 6
STUDENTS = {
    "fcn": ("fcn", {"filters": (8, 16, 8)}),
    "lstm": ("lstm", {"hidden_size": 16, "num_layers": 1}),
}


def lively_lstm(n_channels, n_timepoints, n_classes):
    """An LSTM that its input moves: the saliency of a fresh one is rounding noise."""
    network = LSTM(n_channels, n_timepoints, n_classes, 16, 1)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(4)
    return network


def make_data():
    X, y = random_panel(N, n_timepoints=N_TIMEPOINTS)
    return torch.from_numpy(X).float(), torch.from_numpy(np.unique(y, return_inverse=True)[1])


def make_teacher():
    with torch.random.fork_rng():
        torch.manual_seed(5)
        network = build_network("lstm", 1, N_TIMEPOINTS, 2, {"hidden_size": 8, "num_layers": 2})
    return SkorchClassifier.from_module(network, [0, 1], device="cpu")


def make_training_set():
    X, y = make_data()
    bank = WindowBank.draw(
        X, y, OpposingClass(), width=WIDTH, n_entries=20, generator=torch.Generator().manual_seed(0)
    )
    scores = Teacher(make_teacher(), np.arange(2), X[:2]).score(X, bank)
    return TrainingSet(X, y, teacher=Outputs(*scores), bank=bank, n_windows=4)


SALIENCY = (TemporalSaliency(),)


def with_features(training_set, terms):
    """Add the features of the teacher that terms need."""
    layers = [term.teacher_layer for term in terms if term.needs_features]
    if layers:
        network = make_teacher().network_
        training_set.teacher_features = TeacherFeatures(network, layers, 1, N_TIMEPOINTS)
    return training_set


def fitted(kind, training_set, *, device="cpu", terms=SALIENCY, **settings):
    settings = {"max_epochs": 2, "batch_size": 8, "lr": 5e-3, "random_state": 0} | settings
    classifier = SkorchClassifier(*kind, device=device, **settings)
    fresh = build(classifier, *training_set.X.shape[1:], 2, seed=3)
    trained = train_network(
        classifier, fresh, training_set, None, terms=terms, class_weight=None, description=""
    )
    return trained.network, trained.history


def difference(a, b, X):
    """Largest difference of the logits of two networks.

    Not of the parameters: the bias before a batch norm has a gradient of rounding noise
    alone, which Adam makes a step of.
    """
    with torch.no_grad():
        return (a.eval()(X) - b.eval()(X)).abs().max().item()


def training_set_of(clf, monkeypatch, X, y, **fit_params):
    """Fit a distiller and return what its student has learned from."""
    found = []
    original = SkorchClassifier._train

    def train(self, classes, fresh, training_set, *rest, **transfer):
        found.append(training_set)
        return original(self, classes, fresh, training_set, *rest, **transfer)

    monkeypatch.setattr(SkorchClassifier, "_train", train)
    clf.fit(X, y, **fit_params)
    return found[-1]  # a teacher is fitted before
