"""A fitted teacher whose logits are in the order of the student's classes."""

import warnings

import torch

from sktime_tsd._scoring.ask import as_guest_unless_steady, ask
from sktime_tsd._scoring.scorer_of import scorer_of
from sktime_tsd._scoring.settings import ScoringSettings

__all__ = ["Teacher", "warn_if_useless"]

# Probabilities that differ by less are equal but for rounding.
_STEADY = 1e-3

# A useful teacher makes up at least this share of what the most frequent class gets wrong.
_LEAST_GAIN = 0.1


class Teacher:
    """A fitted classifier whose logits are put in the order of given classes.

    Parameters
    ----------
    classifier : fitted classifier
    classes : numpy.ndarray of shape (n_classes,)
        The student's labels. Classes that only the teacher knows are dropped with a warning,
        and the rest is renormalised.
    example : torch.Tensor of shape (n_instances, n_channels, n_timepoints)
        The first series that will be scored, to see that the teacher can read them.

    Raises
    ------
    ValueError
        If the teacher does not know a class, or returns no valid logits.
    Exception
        Whatever the teacher raises, with a note on the series it was asked for.

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
        if len(set(known)) < len(known):
            raise ValueError(
                f"classes_ of the teacher {self.name} must be distinct, one label for each column "
                f"of its answers; got {known}."
            )
        missing = [label for label in classes.tolist() if label not in known]
        if missing:
            same = set(map(str, missing)) <= set(map(str, known))
            hint = " They differ in their type only: convert y." if same else ""
            if not same and known == list(range(len(classes))):
                hint = (
                    " If its codes stand for the sorted labels, pass "
                    "sktime_tsd.teachers.CallableTeacher(teacher.predict_proba, "
                    f"classes={classes.tolist()})."
                )
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
        if example.dtype == torch.float64 and not self._scorer.reads_float64:
            raise ValueError(
                f"X varies too little around its level ({example.abs().max():.9g}) for float32, in "
                f"which the teacher {self.name} receives it. Pass X - X.mean(axis=(0, 2), "
                "keepdims=True), and fit or use a teacher of such series."
            )
        n_channels, n_timepoints = example.shape[1:]
        try:
            # in another order than among the rest, or row by row noise would be the same
            with as_guest_unless_steady(self._scorer):
                logits = self._scorer.logits(example.flip(0)).flip(0)
        except Exception as error:  # re-raised, with a note on what it was asked
            error.add_note(
                f"Raised while the teacher {self.name} scored its first series, of shape "
                f"({n_channels} channels, {n_timepoints} time points)."
            )
            raise
        if logits.shape != (len(example), n_classes):
            raise ValueError(
                f"The teacher {self.name} must return {n_classes} logits or probabilities per "
                f"series; for {len(example)} series it returned an array of shape "
                f"{tuple(logits.shape)}."
            )
        self._check_finite(logits)
        self._example_logits = logits

    @property
    def is_network(self):
        """Whether its probabilities are the softmax of a network, as far as one can tell."""
        return self._scorer.is_network

    @property
    def network(self):
        """The trained network, or None."""
        return self._scorer.network

    def score(self, X, bank=None, *, settings=None, scored=None):
        """Compute the logits of a training set and of all its perturbed copies.

        Parameters
        ----------
        X : torch.Tensor of shape (n_instances, n_channels, n_timepoints)
        bank : WindowBank, optional
        settings : ScoringSettings, optional
        scored : torch.Tensor of shape (n_instances, n_classes), optional
            What an earlier call returned for the series alone. They are not asked for again,
            except from a network, which reads them beside their copies anyway.

        Returns
        -------
        logits : torch.Tensor of shape (n_instances, n_classes)
        perturbed_logits : torch.Tensor of shape (n_instances, n_entries, n_classes) or None
            None without a bank.

        Raises
        ------
        ValueError
            If a logit is not finite.
        Exception
            Whatever the teacher raises, with a note on how far it got.
        """
        if scored is not None and bank is None:
            return scored, None
        series, copies = ask(
            self._scorer, X, bank, settings or ScoringSettings(), copies_only=scored is not None
        )
        if series is not None:
            self._warn_if_unsteady(series)
            scored = self._aligned(series)
        return scored, None if copies is None else self._aligned(copies)

    def _aligned(self, logits):
        self._check_finite(logits)
        if self.columns != list(range(logits.shape[-1])):
            logits = logits[..., self.columns]
        return logits

    def _warn_if_unsteady(self, logits):
        """Warn of a teacher that answers otherwise to a few series than to all of them."""
        few = self._example_logits.float()
        if self._scorer.is_steady or len(logits) < len(few):
            return
        moved = (few.softmax(dim=1) - logits[: len(few)].softmax(dim=1)).abs().max().item()
        if moved > _STEADY:
            warnings.warn(
                f"The teacher {self.name} is unsteady: its probabilities of {len(few)} series "
                f"change by up to {moved:.2g} when other series are scored with them. It draws at "
                "random, or its answers depend on the batch. Set its random_state, or score one "
                "series at a time: CallableTeacher(teacher.predict_proba, classes=[...], "
                "batch_size=1).",
                UserWarning,
                stacklevel=2,
            )

    def _check_finite(self, logits):
        if not torch.isfinite(logits).all():
            raise ValueError(f"The teacher {self.name} returns logits that are not finite.")

    def warn_if_no_saliency(self, logits, perturbed_logits=None):
        """Warn of a teacher whose answers carry no saliency.

        Parameters
        ----------
        logits : torch.Tensor of shape (n_instances, n_classes)
        perturbed_logits : torch.Tensor of shape (n_instances, n_entries, n_classes), optional
            Its copies are judged, too.

        Warns
        -----
        UserWarning
            If no perturbation moves an answer, or all probabilities are 0 or 1.
        """
        answers = [part for part in (logits, perturbed_logits) if part is not None]
        p = [part.softmax(dim=-1) for part in answers]
        if perturbed_logits is not None and (p[1] - p[0].unsqueeze(1)).abs().max() < 1e-6:
            warnings.warn(
                f"No perturbed copy moves an answer of the teacher {self.name}: it has no saliency "
                "to teach. Does it read the series at all?",
                UserWarning,
                stacklevel=2,
            )
            return
        if not self._scorer.gives_logits and all(map(_is_one_hot, p)):
            warnings.warn(
                f"All probabilities of the teacher {self.name} are 0 or 1, those of perturbed "
                "copies too, so they carry little saliency and the student learns little more than "
                "the labels. Use a classifier with graded probabilities: logistic regression "
                "instead of a ridge, or a forest instead of one neighbour.",
                UserWarning,
                stacklevel=2,
            )

    def warn_if_mistaken(self, logits, y):
        """Warn of signs that a teacher does not fit the series or labels.

        Parameters
        ----------
        logits : torch.Tensor of shape (n_instances, n_classes)
        y : torch.Tensor of shape (n_instances,), int64
            Class indices.

        Warns
        -----
        UserWarning
            If it is right hardly more often than the most frequent class would be, or its
            outputs are no logits.
        """
        warn_if_useless(f"The teacher {self.name}", logits, y)
        sum_to_one = (logits >= 0).all() and (logits.sum(dim=1) - 1).abs().max() < 1e-4
        if self._scorer.gives_logits and sum_to_one:
            warnings.warn(
                f"The outputs of the teacher {self.name} look like probabilities, not logits: "
                "each row sums to 1. Remove its last softmax.",
                UserWarning,
                stacklevel=2,
            )


def warn_if_useless(whose, logits, y):
    """Warn of answers that are right hardly more often than the most frequent class is.

    Parameters
    ----------
    whose : str
        Begins the message.
    logits : torch.Tensor of shape (n_instances, n_classes)
    y : torch.Tensor of shape (n_instances,), int64
        Class indices.
    """
    accuracy = (logits.argmax(dim=1) == y).double().mean().item()
    most_frequent = y.bincount().max().item() / len(y)
    if accuracy < most_frequent + _LEAST_GAIN * (1 - most_frequent):
        warnings.warn(
            f"{whose} gives the right label to {accuracy:.0%} of the training series; always "
            f"predicting the most frequent class would score {most_frequent:.0%}. A student "
            "learns nothing useful from it. Does it expect scaled series, or are its outputs in "
            "another order than its classes?",
            UserWarning,
            stacklevel=3,
        )


def _is_one_hot(p):
    return bool(torch.minimum(p, 1 - p).max() < 1e-4)
