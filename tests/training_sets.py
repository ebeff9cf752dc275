"""A small training set with a scored bank, and networks trained on it."""

import numpy as np
import torch
from conftest import random_panel

from sktime_tsd import SkorchClassifier
from sktime_tsd._training.build import build
from sktime_tsd._training.train import train_network
from sktime_tsd._training.training_set import TrainingSet
from sktime_tsd.losses import Outputs, TemporalSaliency
from sktime_tsd.networks import LSTM, build_network
from sktime_tsd.perturbations import OpposingClass, WindowBank
from sktime_tsd.teachers._features import TeacherFeatures
from sktime_tsd.teachers._teacher import Teacher

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
