"""Any classifier as a source of logits, aligned with the student's classes."""

import math
import sys
import warnings

import numpy as np
import torch
from tqdm.auto import tqdm

from sktime_tsd._scoring.logits import class_logits, gives_logits, one_hot

__all__ = ["AlignedTeacher"]

# Values in one chunk of perturbed copies: bounds the memory, whatever the bank's size.
_VALUES_PER_CHUNK = 2**22
_LEAST_CHUNK = 256
_PROGRESS_STEPS = 50

_WAYS_TO_LOGITS = {"_copies_logits", "predict_logits", "_logits", "_tensor_logits"}


class AlignedTeacher:
    """A fitted classifier whose logits follow given classes.

    Parameters
    ----------
    classifier : fitted classifier
    classes : numpy.ndarray of shape (n_classes,)
        The student's labels. Classes that only the teacher knows are cut, which
        renormalises the rest, with a warning.
    example : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
        A few series, to see that the teacher can read them.

    Raises
    ------
    ValueError
        If the teacher lacks a class, cannot read the series, or returns what are no
        logits.

    Warns
    -----
    UserWarning
        If the teacher knows more classes.
    """

    def __init__(self, classifier, classes, example):
        self.classifier = classifier
        self._warned = False
        # a network given as it is goes by its own name
        network = getattr(getattr(classifier, "network_", None), "network", None)
        self.name = type(classifier if network is None else network).__name__
        own = np.asarray(getattr(classifier, "classes_", classes)).tolist()
        missing = [label for label in classes.tolist() if label not in own]
        if missing:
            same = set(map(str, missing)) <= set(map(str, own))
            hint = " They differ in their type only: convert y." if same else ""
            raise ValueError(
                f"The teacher {self.name} does not know the classes {missing} of y; it was "
                f"fitted on {own}. A teacher must know every class of the student.{hint}"
            )
        self.columns = [own.index(label) for label in classes.tolist()]
        self._check(example, len(own))
        surplus = len(own) - len(classes)
        if surplus:
            unseen = [label for label in own if label not in classes.tolist()]
            warnings.warn(
                f"The teacher {self.name} knows {surplus} classes that y does not hold "
                f"({unseen}). They are cut and its probabilities renormalised over the rest.",
                UserWarning,
                stacklevel=4,
            )

    def _check(self, example, n_classes):
        shape = f"({example.shape[1]} channels, {example.shape[2]} time points)"
        try:
            logits = class_logits(self.classifier, example)
        except Exception as error:  # whatever a foreign classifier raises
            raise ValueError(
                f"The teacher {self.name} cannot score series of shape {shape}: {error}"
            ) from error
        if logits.shape != (len(example), n_classes):
            raise ValueError(
                f"The teacher {self.name} must give {n_classes} logits or probabilities per "
                f"series; for {len(example)} series it gave an array of shape {logits.shape}."
            )
        if not np.isfinite(logits).all():
            raise ValueError(f"The teacher {self.name} gives logits that are not finite.")

    def logits(self, X):
        """Logits in the order of the student's classes.

        Parameters
        ----------
        X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)

        Returns
        -------
        logits : numpy.ndarray of shape (n_instances, n_classes), float32
        """
        return class_logits(self.classifier, X)[:, self.columns].astype(np.float32)

    def score(self, X, bank=None, *, verbose=0):
        """Logits of a training set and of all its perturbed copies, in chunks.

        Parameters
        ----------
        X : torch.Tensor of shape (n_instances, n_channels, n_timepoints)
        bank : WindowBank, optional
        verbose : int, default=0
            1 says how many series are to be scored, then shows a progress bar.

        Returns
        -------
        logits : torch.Tensor of shape (n_instances, n_classes)
        perturbed_logits : torch.Tensor of shape (n_instances, n_entries, n_classes) or None
            None without a bank.

        Raises
        ------
        ValueError
            If a logit is not finite.

        Warns
        -----
        UserWarning
            If all probabilities are 0 or 1; before the copies are scored.
        """
        n_copies = 0 if bank is None else bank.n_entries
        n_series = len(X) * (1 + n_copies)
        chunk = min(
            max(_LEAST_CHUNK, math.ceil(n_series / _PROGRESS_STEPS)),
            max(1, _VALUES_PER_CHUNK // X[0].numel()),
        )
        if verbose:
            copies = f": {len(X):,}, and {n_copies:,} perturbed copies of each" if n_copies else ""
            tqdm.write(
                f"The teacher {self.name} scores {n_series:,} series{copies}.", file=sys.stderr
            )
        with tqdm(
            total=n_series, desc="teacher logits", unit="series", disable=not verbose
        ) as progress:
            if bank is not None and self._reads_copies():
                both = self.classifier._copies_logits(X, bank, progress.update)
                progress.update(len(X))
                if self.columns != list(range(both[0].shape[1])):
                    both = [logits[..., self.columns] for logits in both]
                return tuple(map(self._check_finite, both))
            logits = self._in_chunks(X.split(chunk), progress)
            self.warn_if_one_hot(logits)
            if bank is None:
                return logits, None
            copies = self._in_chunks(self._copies(X, bank, chunk), progress)
            return logits, copies.unflatten(0, (len(X), n_copies))

    def _reads_copies(self):
        """Tell whether the teacher scores copies from their windows, as it scores series."""
        for kind in type(self.classifier).__mro__:
            if ways := _WAYS_TO_LOGITS & vars(kind).keys():
                return "_copies_logits" in ways
        return False

    @property
    def precision(self):
        """Precision of the logits of a bank, as a word for cache keys."""
        return str(self.classifier._bank_precision()) if self._reads_copies() else ""

    def _in_chunks(self, chunks, progress):
        logits = []
        for series in chunks:
            logits.append(torch.from_numpy(self.logits(series.numpy())))
            progress.update(len(series))
        return self._check_finite(torch.cat(logits))

    def _check_finite(self, logits):
        if not torch.isfinite(logits).all():
            raise ValueError(f"The teacher {self.name} gives logits that are not finite.")
        return logits

    @staticmethod
    def _copies(X, bank, chunk):
        """Yield the copies of the first series, then of the next, `chunk` at a time."""
        for series in torch.arange(len(X)).split(max(1, chunk // bank.n_entries)):
            for entries in torch.arange(bank.n_entries).split(chunk):
                yield bank.perturb(X, series, entries).flatten(0, 1)

    def warn_if_one_hot(self, logits):
        """Warn, once, of a teacher whose probabilities are all 0 or 1.

        Parameters
        ----------
        logits : torch.Tensor of shape (n_instances, n_classes)
        """
        if self._warned or gives_logits(self.classifier) or not one_hot(logits.numpy()):
            return
        self._warned = True
        warnings.warn(
            f"All probabilities of the teacher {self.name} are 0 or 1, so they carry no "
            "saliency and the student learns little more than the labels. Use a teacher with "
            "graded probabilities, for instance LogisticRegression in the place of a ridge "
            "classifier, or wrap it in sklearn's CalibratedClassifierCV.",
            UserWarning,
            stacklevel=2,
        )

    def warn_if_mistaken(self, logits, y):
        """Warn of signs that a teacher used as it is does not fit the series or labels.

        Parameters
        ----------
        logits : torch.Tensor of shape (n_instances, n_classes)
        y : torch.Tensor of shape (n_instances,), int64
            Class indices.
        """
        accuracy = (logits.argmax(dim=1) == y).double().mean().item()
        most_frequent = y.bincount().max().item() / len(y)
        if accuracy < most_frequent:
            warnings.warn(
                f"The teacher {self.name} gives the right label to {accuracy:.0%} of the "
                f"training series; always saying the most frequent class would to "
                f"{most_frequent:.0%}. Does it expect series that are scaled, or are its outputs "
                "in another order than its classes?",
                UserWarning,
                stacklevel=2,
            )
        sum_to_one = (logits >= 0).all() and (logits.sum(dim=1) - 1).abs().max() < 1e-4
        if gives_logits(self.classifier) and sum_to_one:
            warnings.warn(
                f"The outputs of the teacher {self.name} look like probabilities, not logits: "
                "each row sums to 1. Remove its last softmax.",
                UserWarning,
                stacklevel=2,
            )
