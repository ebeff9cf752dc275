"""The total training loss of a student: cross entropy plus distillation terms."""

import itertools
import math

import torch
import torch.nn.functional as F
from torch import nn

__all__ = ["UNLABELLED", "DistillationCriterion", "unique_names"]

#: Class index of a series without a label.
UNLABELLED = -1

# Tolerance for rounding errors in shares of the training.
_ROUNDING = 1e-9


def unique_names(terms):
    """Name each term, and number repeated names: "kd", "kd_2".

    Parameters
    ----------
    terms : sequence of DistillationTerm

    Returns
    -------
    names : list of str
    """
    names = []
    for term in terms:
        candidates = (f"{term.name}_{i}" if i > 1 else term.name for i in itertools.count(1))
        names.append(next(name for name in candidates if name not in names))
    return names


class DistillationCriterion(nn.Module):
    """Cross entropy plus weighted distillation terms.

    It handles only tensors, so it runs on whatever device they are on. Its only parameters are
    those of terms that have some. Without terms it is plain cross entropy.

    Parameters
    ----------
    terms : sequence of DistillationTerm, default=()
    class_weight : torch.Tensor of shape (n_classes,), optional
        Weights of the classes in the cross entropy. Default: all equal.
    feature_shapes : sequence of pairs of FeatureShape, default=()
        Shapes of the student's and the teacher's features, for each term that needs features,
        in the order of the terms.
    cross_entropy_weight : float, default=1.0
        Factor of the cross entropy.
    has_unlabelled : bool, default=False
        Whether some class indices may be ``UNLABELLED``. Such series are left out of the cross
        entropy, and terms that use labels take the teacher's predicted class.

    Attributes
    ----------
    weights : torch.Tensor of shape (1 + n_terms,)
        Current factors of the cross entropy and of each term. Until `set_progress` is called,
        those at the end of the training.
    is_task_stage : bool
        Whether the cross entropy is currently in the loss.
    takes_part : list of bool
        Whether each term is currently in the loss.
    values : dict of str to torch.Tensor
        Unweighted values of the cross entropy and of each term in the loss, from the last
        call, detached.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.losses import KD, DistillationCriterion, Outputs
    >>> criterion = DistillationCriterion([KD(weight=0.5)])
    >>> student, teacher = Outputs(torch.zeros(1, 2)), Outputs(torch.zeros(1, 2))
    >>> criterion(student, teacher, torch.tensor([0]))
    tensor(0.6931)
    >>> criterion.values
    {'cross_entropy': tensor(0.6931), 'kd': tensor(0.)}
    """

    def __init__(
        self,
        terms=(),
        class_weight=None,
        feature_shapes=(),
        cross_entropy_weight=1.0,
        has_unlabelled=False,
    ):
        super().__init__()
        self.terms = tuple(terms)
        self.cross_entropy_weight = cross_entropy_weight
        self.has_unlabelled = has_unlabelled
        self.names = unique_names(self.terms)
        shapes = iter(feature_shapes)
        self.term_losses = nn.ModuleList(
            term.build(*next(shapes)) if term.needs_features else term.build()
            for term in self.terms
        )
        self.register_buffer("class_weight", class_weight)
        self.values = {}
        places = itertools.count()
        self._feature_places = [
            next(places) if term.needs_features else None for term in self.terms
        ]
        has_stages = any(term.alone_until is not None for term in self.terms)
        self._is_weighted = has_stages or cross_entropy_weight != 1
        # a buffer, so that a recorded CUDA step reads the current values when it is replayed
        self._weights = [float(cross_entropy_weight)] + [1.0] * len(self.terms)
        self.register_buffer("weights", torch.tensor(self._weights), persistent=False)
        self.set_progress(1.0)

    def set_progress(self, progress, step=0.0):
        """Set the weights for the current point of the training.

        Parameters
        ----------
        progress : float
            Share of the training already done, in [0, 1].
        step : float, default=0.0
            Share of the training that the next step takes. A step belongs to the stage of a
            term that is alone in the loss only if it ends within that stage, so that some
            steps are left for the cross entropy.
        """
        ends = [term.alone_until for term in self.terms]
        # a rounding error must not move the end of a stage by a step
        alone = [end is not None and progress + step <= end + _ROUNDING for end in ends]
        self.is_task_stage = not any(alone)
        self.takes_part = [end is None for end in ends] if self.is_task_stage else alone
        if self.is_task_stage:  # its progress starts from 0
            hints = max((end for end in ends if end is not None), default=0.0)
            progress = max(0.0, progress - hints) / (1 - hints) if hints < 1 else progress
        weights = [self.cross_entropy_weight if self.is_task_stage else 0.0]
        for term, takes_part in zip(self.terms, self.takes_part, strict=True):
            weights.append(term.weight_at(progress) if takes_part else 0.0)
        for i, weight in enumerate(weights):
            if weight != self._weights[i]:
                self.weights[i].fill_(weight)
        self._weights = weights

    def n_hint_steps(self, n_steps):
        """Count the steps at the start of a training in which some term is alone in the loss.

        Parameters
        ----------
        n_steps : int
            Steps of the whole training.

        Returns
        -------
        n : int
        """
        ends = [term.alone_until for term in self.terms if term.alone_until is not None]
        return math.floor((max(ends) + _ROUNDING) * n_steps) if ends else 0

    def cross_entropy(self, logits, y):
        """Cross entropy, averaged over the labelled series with the class weights.

        Parameters
        ----------
        logits : torch.Tensor of shape (n, n_classes)
        y : torch.Tensor of shape (n,), int64

        Returns
        -------
        loss : torch.Tensor, scalar
            0 if no series of the batch has a label.
        """
        if self.class_weight is None and not self.has_unlabelled:
            return F.cross_entropy(logits, y)
        total = F.cross_entropy(
            logits, y, weight=self.class_weight, reduction="sum", ignore_index=UNLABELLED
        )
        return total / self.total_weight(y)

    def total_weight(self, y):
        """Sum of the class weights of a batch, by which its cross entropy is divided.

        Parameters
        ----------
        y : torch.Tensor of shape (n,), int64

        Returns
        -------
        weight : int or torch.Tensor, scalar
            Without class weights, the number of labelled series, but at least 1.
        """
        is_labelled = y != UNLABELLED
        if self.class_weight is None:
            return is_labelled.sum().clamp(min=1) if self.has_unlabelled else len(y)
        weights = self.class_weight[y.clamp(min=0)] * is_labelled
        # all series of a batch may have weight 0
        return weights.sum().clamp(min=torch.finfo(self.class_weight.dtype).tiny)

    def forward(self, student, teacher, y):
        """Compute the total loss.

        Parameters
        ----------
        student : Outputs
            With ``features`` as a tuple of tensors, one for each term that needs features.
        teacher : Outputs or None
            As `student`; None if there are no terms.
        y : torch.Tensor of shape (n,), int64
            Class indices; see `has_unlabelled`.

        Returns
        -------
        loss : torch.Tensor, scalar
        """
        total = self.cross_entropy(student.logits, y)
        self.values = {"cross_entropy": total.detach()}
        if self.has_unlabelled:
            y = torch.where(y == UNLABELLED, teacher.logits.argmax(dim=1), y)
        if self._is_weighted:
            total = self.weights[0] * total
        for i, (name, place) in enumerate(zip(self.names, self._feature_places, strict=True)):
            if not self.takes_part[i]:
                continue
            outputs = student, teacher
            if place is not None:
                outputs = [part._replace(features=part.features[place]) for part in outputs]
            value = self.term_losses[i](*outputs, y)
            self.values[name] = value.detach()
            total = total + self.weights[1 + i] * value
        return total
