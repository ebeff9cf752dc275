"""A fitted teacher whose logits are in the order of the student's classes."""

import sys
import warnings

import torch
from tqdm.auto import tqdm

from sktime_tsd._scoring.classifier import one_hot
from sktime_tsd._scoring.scorer_of import scorer_of

__all__ = ["Teacher"]


class Teacher:
    """A fitted classifier whose logits are put in the order of given classes.

    Parameters
    ----------
    classifier : fitted classifier
    classes : numpy.ndarray of shape (n_classes,)
        The student's labels. Classes that only the teacher knows are dropped with a warning,
        and the rest is renormalised.
    example : torch.Tensor of shape (n_instances, n_channels, n_timepoints)
        A few series, to check that the teacher can score them.

    Raises
    ------
    ValueError
        If the teacher does not know a class, cannot score the series, or returns no valid
        logits.

    Warns
    -----
    UserWarning
        If the teacher knows further classes.
    """

    def __init__(self, classifier, classes, example):
        self.classifier = classifier
        self._scorer = scorer_of(classifier, "teacher")
        self.name = self._scorer.name
        known = classes if self._scorer.classes is None else self._scorer.classes
        known = known.tolist()
        missing = [label for label in classes.tolist() if label not in known]
        if missing:
            same = set(map(str, missing)) <= set(map(str, known))
            hint = " The labels differ only in type: convert y." if same else ""
            raise ValueError(
                f"The teacher {self.name} does not know the classes {missing} of y; it was "
                f"fitted on {known}. A teacher must know every class of the student.{hint}"
            )
        self.columns = [known.index(label) for label in classes.tolist()]
        self._check(example, len(known))
        unseen = [label for label in known if label not in classes.tolist()]
        if unseen:
            warnings.warn(
                f"The teacher {self.name} knows {len(unseen)} classes that are not in y "
                f"({unseen}). They are dropped, and its probabilities are renormalised.",
                UserWarning,
                stacklevel=6,
            )

    def _check(self, example, n_classes):
        n_channels, n_timepoints = example.shape[1:]
        try:
            logits = self._scorer.logits(example)
        except Exception as error:  # a foreign classifier may raise anything
            raise ValueError(
                f"The teacher {self.name} cannot score series of shape ({n_channels} channels, "
                f"{n_timepoints} time points): {error}"
            ) from error
        if logits.shape != (len(example), n_classes):
            raise ValueError(
                f"The teacher {self.name} must return {n_classes} logits or probabilities per "
                f"series; for {len(example)} series it returned an array of shape "
                f"{tuple(logits.shape)}."
            )
        self._check_finite(logits)

    @property
    def precision(self):
        """Precision in which a bank is scored, for cache keys."""
        return self._scorer.precision

    @property
    def network(self):
        """The trained network, or None."""
        return self._scorer.network

    def score(self, X, bank=None, *, verbose=0):
        """Compute the logits of a training set and of all its perturbed copies.

        Parameters
        ----------
        X : torch.Tensor of shape (n_instances, n_channels, n_timepoints)
        bank : WindowBank, optional
        verbose : int, default=0
            1 prints how many series will be scored, then shows a progress bar.

        Returns
        -------
        logits : torch.Tensor of shape (n_instances, n_classes)
        perturbed_logits : torch.Tensor of shape (n_instances, n_entries, n_classes) or None
            None without a bank.

        Raises
        ------
        ValueError
            If a logit is not finite.
        """
        n_copies = 0 if bank is None else bank.n_entries
        n_series = len(X) * (1 + n_copies)
        if verbose:
            copies = f": {len(X):,}, and {n_copies:,} perturbed copies of each" if n_copies else ""
            tqdm.write(
                f"The teacher {self.name} scores {n_series:,} series{copies}.", file=sys.stderr
            )
        with tqdm(
            total=n_series, desc="teacher logits", unit="series", disable=not verbose
        ) as progress:
            both = self._scorer.score(X, bank, progress.update)
        return tuple(None if logits is None else self._aligned(logits) for logits in both)

    def _aligned(self, logits):
        self._check_finite(logits)
        if self.columns != list(range(logits.shape[-1])):
            logits = logits[..., self.columns]
        return logits

    def _check_finite(self, logits):
        if not torch.isfinite(logits).all():
            raise ValueError(f"The teacher {self.name} returns logits that are not finite.")

    def warn_if_one_hot(self, logits, perturbed_logits=None):
        """Warn if all probabilities of the teacher are 0 or 1, including those of copies.

        Parameters
        ----------
        logits : torch.Tensor of shape (n_instances, n_classes)
        perturbed_logits : torch.Tensor of shape (n_instances, n_entries, n_classes), optional
        """
        answers = [part for part in (logits, perturbed_logits) if part is not None]
        if self._scorer.gives_logits or not all(map(one_hot, answers)):
            return
        warnings.warn(
            f"All probabilities of the teacher {self.name} are 0 or 1, so they carry no "
            "saliency and the student learns little more than the labels. Use a teacher with "
            "graded probabilities, for instance LogisticRegression instead of a ridge "
            "classifier, or wrap it in sklearn's CalibratedClassifierCV.",
            UserWarning,
            stacklevel=2,
        )

    def warn_if_mistaken(self, logits, y):
        """Warn if a teacher fitted elsewhere seems wrong for the series or labels.

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
                f"The teacher {self.name} gives the right label to {accuracy:.0%} of the training "
                f"series; always predicting the most frequent class would score "
                f"{most_frequent:.0%}. Check whether it expects scaled series, and whether its "
                "outputs are in the order of its classes.",
                UserWarning,
                stacklevel=2,
            )
        sum_to_one = (logits >= 0).all() and (logits.sum(dim=1) - 1).abs().max() < 1e-4
        if self._scorer.gives_logits and sum_to_one:
            warnings.warn(
                f"The outputs of the teacher {self.name} look like probabilities, not logits: "
                "each row sums to 1. Remove its last softmax.",
                UserWarning,
                stacklevel=2,
            )
