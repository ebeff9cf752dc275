"""The total loss of a student."""

import itertools
import math

import torch
import torch.nn.functional as F
from torch import nn

__all__ = ["DistillationCriterion", "unique_names"]

# In shares of a training, that are sums and quotients.
_ROUNDING = 1e-9


def unique_names(terms):
    """Name each term, a repeated one with a number: "kd", "kd_2".

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

    It sees tensors only, so it runs wherever they are; its only parameters are those of
    terms that have some. Without terms it is plain cross entropy.

    Parameters
    ----------
    terms : sequence of DistillationTerm, default=()
    class_weight : torch.Tensor of shape (n_classes,), optional
        Weights of the classes in the cross entropy.
    feature_shapes : sequence of pairs of FeatureShape, default=()
        Of student and teacher, for each term that needs features, in their order.

    Attributes
    ----------
    weights : torch.Tensor of shape (1 + n_terms,)
        Factor of the cross entropy and of each term at present; those at the end of the
        training until `set_progress` says otherwise.
    is_task_stage : bool
        Whether the cross entropy is in the loss at present.
    takes_part : list of bool
        Whether each term is.
    values : dict of str to torch.Tensor
        The unweighted value of the cross entropy, and of each term that took part, in the
        last call, detached.

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

    def __init__(self, terms=(), class_weight=None, feature_shapes=()):
        super().__init__()
        self.terms = tuple(terms)
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
        # without stages the cross entropy's factor is always 1
        self._has_stages = any(term.alone_until is not None for term in self.terms)
        # on the device, where a step that is replayed reads them
        self._weights = [1.0] * (1 + len(self.terms))
        self.register_buffer("weights", torch.tensor(self._weights), persistent=False)
        self.set_progress(1.0)

    def set_progress(self, progress, step=0.0):
        """Set the weights to those of a stage of the training.

        Parameters
        ----------
        progress : float
            Share of the training already done, in [0, 1].
        step : float, default=0.0
            Share of it that the next step is. A step belongs to a term that acts alone if
            it ends in its stage, so that something is left for the cross entropy.
        """
        ends = [term.alone_until for term in self.terms]
        # rounding must not move the end by a step
        alone = [end is not None and progress + step <= end + _ROUNDING for end in ends]
        self.is_task_stage = not any(alone)
        self.takes_part = [end is None for end in ends] if self.is_task_stage else alone
        if self.is_task_stage:  # it begins as a training of its own
            hints = max((end for end in ends if end is not None), default=0.0)
            progress = max(0.0, progress - hints) / (1 - hints) if hints < 1 else progress
        weights = [float(self.is_task_stage)]
        for term, takes_part in zip(self.terms, self.takes_part, strict=True):
            weights.append(term.weight_at(progress) if takes_part else 0.0)
        for i, weight in enumerate(weights):
            if weight != self._weights[i]:
                self.weights[i].fill_(weight)
        self._weights = weights

    def n_hint_steps(self, n_steps):
        """Count the first steps of a training in which some term acts alone.

        Parameters
        ----------
        n_steps : int
            Of the whole training.

        Returns
        -------
        n : int
        """
        ends = [term.alone_until for term in self.terms if term.alone_until is not None]
        return math.floor((max(ends) + _ROUNDING) * n_steps) if ends else 0

    def cross_entropy(self, logits, y):
        """Cross entropy with the class weights.

        Parameters
        ----------
        logits : torch.Tensor of shape (n, n_classes)
        y : torch.Tensor of shape (n,), int64

        Returns
        -------
        loss : torch.Tensor, scalar
        """
        if self.class_weight is None:
            return F.cross_entropy(logits, y)
        total = F.cross_entropy(logits, y, weight=self.class_weight, reduction="sum")
        return total / self.total_weight(y)

    def total_weight(self, y):
        """Sum of the class weights of a batch, which its cross entropy is divided by.

        Parameters
        ----------
        y : torch.Tensor of shape (n,), int64

        Returns
        -------
        weight : int or torch.Tensor, scalar
            n without class weights.
        """
        if self.class_weight is None:
            return len(y)
        # a batch may hold only series of weight 0
        return self.class_weight[y].sum().clamp(min=torch.finfo(self.class_weight.dtype).tiny)

    def forward(self, student, teacher, y):
        """Total loss.

        Parameters
        ----------
        student : Outputs
            ``features`` of either is a tuple, one for each term that needs them.
        teacher : Outputs or None
            None where there are no terms.
        y : torch.Tensor of shape (n,), int64

        Returns
        -------
        loss : torch.Tensor, scalar
        """
        total = self.cross_entropy(student.logits, y)
        self.values = {"cross_entropy": total.detach()}
        if self._has_stages:
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
