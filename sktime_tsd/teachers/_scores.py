"""What the teacher says of a training set, computed once, as far as it is needed."""

import warnings

from sktime_tsd._training.training_set import TrainingSet
from sktime_tsd._utils.fingerprint import fingerprint
from sktime_tsd.losses import Outputs
from sktime_tsd.perturbations import WindowBank

__all__ = ["scored_training_set"]

# Memory kept for a bank: two integers of 32 bits per window, and a logit per class.
_MOST_BYTES_OF_BANK = 2**29
_BYTES_PER_WINDOW = 8


# Cached: equal keys, equal results.
def _score_teacher(key, teacher, X, bank, verbose):
    return teacher.score(X, bank, verbose=verbose)


def scored_training_set(
    X,
    y,
    teacher,
    terms,
    *,
    perturbation,
    width,
    bank_size,
    n_windows,
    generator,
    memory,
    as_it_is,
    features,
    verbose,
):
    """Draw the bank and let the teacher score it, as far as the terms need it.

    Parameters
    ----------
    X : torch.Tensor of shape (n_instances, n_channels, n_timepoints)
    y : torch.Tensor of shape (n_instances,), int64
        Class indices.
    teacher : AlignedTeacher
    terms : list of DistillationTerm
    perturbation : Perturbation
    width : int
        Time points per window.
    bank_size, n_windows : int
        Windows per series, in all and in each step.
    generator : torch.Generator
        On the CPU.
    memory : joblib.Memory or None
        Caches the teacher's logits.
    as_it_is : bool
        Whether the teacher was fitted elsewhere, so that it may not fit the data.
    features : TeacherFeatures or None
    verbose : int

    Returns
    -------
    training_set : TrainingSet

    Warns
    -----
    UserWarning
        If the bank would be too large, or the teacher seems not to fit.
    """
    if not terms:
        return TrainingSet(X, y)
    bank = None
    if any(term.needs_perturbed for term in terms):
        n_entries = min(bank_size, WindowBank.most_entries(X, y, perturbation, width))
        n_entries = _affordable(n_entries, n_windows, len(X), len(teacher.columns))
        bank = WindowBank.draw(
            X, y, perturbation, width=width, n_entries=n_entries, generator=generator
        )
    if memory is None:
        logits, perturbed_logits = teacher.score(X, bank, verbose=verbose)
    else:
        key = fingerprint(teacher.classifier, teacher.columns, teacher.precision, X, y, bank)
        score = memory.cache(_score_teacher, ignore=["teacher", "X", "bank", "verbose"])
        logits, perturbed_logits = score(key, teacher, X, bank, verbose)
    teacher.warn_if_one_hot(logits)  # where they were found, nothing else has
    if as_it_is:
        teacher.warn_if_mistaken(logits, y)
    outputs = Outputs(logits, perturbed_logits)
    return TrainingSet(
        X, y, teacher=outputs, bank=bank, n_windows=n_windows, teacher_features=features
    )


def _affordable(n_entries, n_windows, n_instances, n_classes):
    """As many windows per series as fit into the memory kept for them."""
    per_window = n_instances * (_BYTES_PER_WINDOW + 4 * n_classes)
    affordable = max(n_windows, _MOST_BYTES_OF_BANK // per_window)
    if affordable >= n_entries:
        return n_entries
    warnings.warn(
        f"A bank of {n_entries} windows for each of {n_instances:,} series would take "
        f"{n_entries * per_window / 2**30:.1f} GiB, more than the "
        f"{_MOST_BYTES_OF_BANK / 2**30:.1f} GiB kept for it: {affordable} are drawn for each. "
        "A smaller bank_size says so without this warning.",
        UserWarning,
        stacklevel=5,
    )
    return affordable
