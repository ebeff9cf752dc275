"""The teacher's part of a fit: fit it, then score once everything the student learns from."""

import warnings
from dataclasses import dataclass, replace
from itertools import product
from typing import NamedTuple

import torch

from sktime_tsd._panels.precision import as_training_panel
from sktime_tsd._training.nested import map_tensors
from sktime_tsd._training.training_set import TrainingSet
from sktime_tsd._utils.fingerprint import fingerprint
from sktime_tsd.losses import UNLABELLED, Outputs, SoftTargets
from sktime_tsd.perturbations import MixBank, VariedBank, WindowBank
from sktime_tsd.teachers._features import teacher_features
from sktime_tsd.teachers._fit import fit_teacher
from sktime_tsd.teachers._smoothing import counts_votes, smoothed, smoothing_share
from sktime_tsd.teachers._teacher import Teacher

__all__ = ["BankSettings", "teach"]

# Memory limit of a bank: two 32-bit integers per window, and a logit per class.
_MOST_BYTES_OF_BANK = 2**29
_BYTES_PER_WINDOW = 8

# Mixes drawn per series for each that a step uses.
_MIXES_PER_STEP = 10

# Series to try a teacher on before it scores the rest.
_N_EXAMPLES = 2


@dataclass(frozen=True)
class BankSettings:
    """Which windows to draw.

    Parameters
    ----------
    perturbations : tuple of Perturbation
    widths : tuple of int
        Time points per window. With several perturbations or widths, entries take turns.
    n_entries : int
        Maximum number of windows per series.
    n_windows : int
        Windows picked per series in each step.
    n_mixes : int
        Mixes with other series picked per series in each step.
    seed : int
    """

    perturbations: tuple
    widths: tuple
    n_entries: int
    n_windows: int
    n_mixes: int
    seed: int


class Taught(NamedTuple):
    """A fitted teacher and what a student learns from it.

    Parameters
    ----------
    classifier : fitted classifier
    training_set : TrainingSet
        Unlabelled series come last, with the class index ``UNLABELLED``.
    valid_set : TrainingSet or None
    terms : list of DistillationTerm
        Those given, and ``SoftTargets()`` if the teacher counts votes and they may be added.
    """

    classifier: object
    training_set: TrainingSet
    valid_set: TrainingSet | None
    terms: list


def teach(
    teacher,
    X,
    y,
    *,
    classes,
    split,
    terms,
    add_soft_targets,
    bank_settings,
    smoothing,
    prepare,
    seed,
    scoring,
    X_unlabelled=None,
):
    """Fit a teacher and score what the terms need: a training set and its perturbed copies.

    Parameters
    ----------
    teacher : classifier, FrozenEstimator, nn.Module or None
        The distiller's parameter.
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
        As passed to the distiller. An unfitted teacher is fitted on it; what is scored is cast
        by `as_training_panel`.
    y : numpy.ndarray of shape (n_instances,)
        Class indices.
    classes : numpy.ndarray of shape (n_classes,)
        Original labels.
    split : tuple (train, valid)
        Indices of the series the student trains on and of the validation series; the latter
        may be None. The teacher is fitted on all series.
    terms : list of DistillationTerm
    add_soft_targets : bool
        Whether ``SoftTargets()`` may be added for a teacher that counts votes.
    bank_settings : BankSettings
    smoothing : float or "auto"
        For teachers that are no networks; see `smoothing_share`.
    prepare : callable
        See `fit_teacher`.
    seed : int or None
        See `fit_teacher`.
    scoring : ScoringSettings
        Its memory also caches the fitted teacher.
    X_unlabelled : numpy.ndarray of shape (n_unlabelled, n_channels, n_timepoints), optional
        In the precision of the cast series. Scored like the rest and trained on without labels.

    Returns
    -------
    taught : Taught

    Raises
    ------
    ValueError
        If the teacher does not know a class, or returns no valid logits.
    Exception
        Whatever the teacher raises, with a note on how far it got.

    Warns
    -----
    UserWarning
        If the bank would be too large, or the teacher seems wrong for the data.
    """
    classifier = fit_teacher(
        teacher, X, classes[y], prepare=prepare, seed=seed, memory=scoring.memory
    )
    if scoring.memory is not None:  # now, as answering may change a teacher
        scoring = replace(scoring, key=fingerprint(classifier))
    X, y = torch.from_numpy(as_training_panel(X)), torch.from_numpy(y)
    train, valid = split
    valid_set = None
    if valid is not None:
        valid_set = TrainingSet(X[valid], y[valid])
        X, y = X[train], y[train]
    aligned = Teacher(classifier, classes, X[:_N_EXAMPLES])
    if not terms:
        return Taught(classifier, TrainingSet(X, y), valid_set, terms)
    plain, known = None, y
    if X_unlabelled is not None:
        X = torch.cat([X, torch.from_numpy(X_unlabelled)])
        y = torch.cat([y, torch.full((len(X) - len(y),), UNLABELLED)])
        plain, _ = aligned.score(X, settings=scoring)
        known = torch.where(y == UNLABELLED, plain.argmax(dim=1), y)
    bank = None
    if any(term.needs_perturbed for term in terms):
        bank = _draw(bank_settings, X, known, n_classes=len(classes))
    logits, perturbed_logits = aligned.score(X, bank, settings=scoring, scored=plain)
    aligned.warn_if_no_saliency(logits, perturbed_logits)
    aligned.warn_if_mistaken(logits[y != UNLABELLED], y[y != UNLABELLED])
    if add_soft_targets and bank is not None and not aligned.is_network and counts_votes(logits):
        terms = [*terms, SoftTargets()]
    mix_bank = mixed_logits = None
    if bank_settings.n_mixes and any(term.uses_mixes for term in terms):
        mix_bank = _draw_mixes(bank_settings, X, n_classes=len(classes))
        _, mixed_logits = aligned.score(X, mix_bank, settings=scoring, scored=logits)
    outputs = Outputs(logits, perturbed_logits, mixed_logits=mixed_logits)
    if not aligned.is_network:
        share = smoothing_share(smoothing, logits)
        outputs = map_tensors(lambda part: smoothed(part, share), outputs)
    training_set = TrainingSet(
        X,
        y,
        teacher=outputs,
        bank=bank,
        n_windows=bank_settings.n_windows,
        mix_bank=mix_bank,
        n_mixes=bank_settings.n_mixes,
        teacher_features=teacher_features(terms, aligned.network, *X.shape[1:]),
    )
    return Taught(classifier, training_set, valid_set, terms)


def _draw(settings, X, y, n_classes):
    """Draw the windows: as many as are distinct and fit into memory."""
    parts = list(product(settings.perturbations, settings.widths))
    most = max(WindowBank.most_entries(X, y, *part) for part in parts) * len(parts)
    wanted = min(settings.n_entries, most)
    n_entries = _affordable(wanted, settings.n_windows, len(X), n_classes)
    generator = torch.Generator().manual_seed(settings.seed)
    if len(parts) > 1:
        return VariedBank.draw_varied(
            X,
            y,
            settings.perturbations,
            widths=settings.widths,
            n_entries=n_entries,
            generator=generator,
        )
    ((perturbation, width),) = parts
    return WindowBank.draw(
        X, y, perturbation, width=width, n_entries=n_entries, generator=generator
    )


def _draw_mixes(settings, X, n_classes):
    """Draw the mixes: ten for each that a step uses, or as many as fit into memory."""
    affordable = max(settings.n_mixes, _affordable_entries(len(X), n_classes))
    return MixBank.draw_mixes(
        X,
        n_entries=min(_MIXES_PER_STEP * settings.n_mixes, affordable),
        # a generator of its own, so that the mixes do not depend on the size of the other bank
        generator=torch.Generator().manual_seed(settings.seed + 1),
    )


def _affordable_entries(n_instances, n_classes):
    return _MOST_BYTES_OF_BANK // (n_instances * (_BYTES_PER_WINDOW + 4 * n_classes))


def _affordable(n_entries, n_windows, n_instances, n_classes):
    """Return how many windows per series fit into the memory limit."""
    per_window = n_instances * (_BYTES_PER_WINDOW + 4 * n_classes)
    affordable = max(n_windows, _affordable_entries(n_instances, n_classes))
    if affordable >= n_entries:
        return n_entries
    warnings.warn(
        f"A bank of {n_entries} windows for each of {n_instances:,} series would take "
        f"{n_entries * per_window / 2**30:.1f} GiB, more than the limit of "
        f"{_MOST_BYTES_OF_BANK / 2**30:.1f} GiB, so only {affordable} per series are drawn. Set "
        f"bank_size={affordable} to avoid this warning.",
        UserWarning,
        stacklevel=7,
    )
    return affordable
