"""Timed training epochs: students, noise data and the seconds per epoch."""

import numpy as np
import torch

from sktime_tsd import SkorchClassifier
from sktime_tsd._training.build import build
from sktime_tsd._training.train import train_network
from sktime_tsd._training.training_set import TrainingSet
from sktime_tsd.losses import Outputs, TemporalSaliency
from sktime_tsd.perturbations import OpposingClass, WindowBank

__all__ = [
    "BANK_SIZE",
    "N_TIMEPOINTS",
    "STUDENTS",
    "WIDTH",
    "epoch_seconds",
    "noise",
    "noise_training_set",
]

STUDENTS = {
    "fcn 8-16-8": ("fcn", {"filters": (8, 16, 8)}),
    "lstm 16": ("lstm", {"hidden_size": 16, "num_layers": 1}),
}
N_TIMEPOINTS, WIDTH, BANK_SIZE = 100, 10, 100
SALIENCY = (TemporalSaliency(),)


def noise(n):
    """Make series of noise: the values do not change how long arithmetic takes.

    Parameters
    ----------
    n : int

    Returns
    -------
    X : numpy.ndarray of shape (n, 1, N_TIMEPOINTS), float32
    y : numpy.ndarray of shape (n,)
        0 and 1 in turn.
    """
    rng = np.random.RandomState(0)
    X = rng.standard_normal((n, 1, N_TIMEPOINTS)).astype(np.float32)
    return X, np.arange(n) % 2


def noise_training_set(X, y, n_windows, teacher=None):
    """Draw a bank of copies and let the teacher score it; without a teacher, logits are noise.

    Parameters
    ----------
    X, y : numpy.ndarray
        See `noise`.
    n_windows : int
        Windows per series and step.
    teacher : Teacher, optional

    Returns
    -------
    training_set : TrainingSet
    """
    X, y = torch.from_numpy(X), torch.from_numpy(y)
    generator = torch.Generator().manual_seed(0)
    bank = WindowBank.draw(
        X, y, OpposingClass(), width=WIDTH, n_entries=BANK_SIZE, generator=generator
    )
    if teacher is None:
        outputs = Outputs(
            torch.randn(len(X), 2, generator=generator),
            torch.randn(len(X), bank.n_entries, 2, generator=generator),
        )
    else:
        outputs = Outputs(*teacher.score(X, bank))
    return TrainingSet(X, y, teacher=outputs, bank=bank, n_windows=n_windows)


def epoch_seconds(kind, training_set, batch_size, device, *, n_epochs=3, terms=SALIENCY):
    """Time a training epoch of the package.

    Parameters
    ----------
    kind : tuple of (str, dict)
        Name and settings of the student's network.
    training_set : TrainingSet
    batch_size : int
    device : torch.device
    n_epochs : int, default=3
    terms : sequence of DistillationTerm, default=SALIENCY

    Returns
    -------
    seconds : float
        Median over the epochs after the first.
    """
    classifier = SkorchClassifier(
        *kind, max_epochs=n_epochs, batch_size=batch_size, device=device, random_state=0
    )
    fresh = build(classifier, *training_set.X.shape[1:], 2, seed=0)
    trained = train_network(
        classifier, fresh, training_set, None, terms=terms, class_weight=None, description=""
    )
    return float(np.median([row["dur"] for row in trained.history[1:]]))
