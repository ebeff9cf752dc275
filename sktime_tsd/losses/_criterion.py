"""The total loss of a student."""

import torch
import torch.nn.functional as F
from torch import nn

__all__ = ["DistillationCriterion", "unique_names"]


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
        repeats = sum(earlier.name == term.name for earlier in terms[: len(names)])
        names.append(term.name if repeats == 0 else f"{term.name}_{repeats + 1}")
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

    Attributes
    ----------
    weights : torch.Tensor of shape (n_terms,)
        Factor of each term at present; those at the end of the training until
        `set_progress` says otherwise.
    values : dict of str to torch.Tensor
        The unweighted value of each term in the last call, detached.

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

    def __init__(self, terms=(), class_weight=None):
        super().__init__()
        self.terms = tuple(terms)
        self.names = unique_names(self.terms)
        self.term_losses = nn.ModuleList(term.build() for term in self.terms)
        self.register_buffer("class_weight", class_weight)
        self.values = {}
        # on the device, where a step that is replayed reads them
        self._weights = [term.weight_at(1.0) for term in self.terms]
        weights = torch.tensor(self._weights, dtype=torch.float32)
        self.register_buffer("weights", weights, persistent=False)

    def set_progress(self, progress):
        """Set the weights to those of a stage of the training.

        Parameters
        ----------
        progress : float
            Share of the training already done, in [0, 1].
        """
        weights = [term.weight_at(progress) for term in self.terms]
        for i, weight in enumerate(weights):
            if weight != self._weights[i]:
                self.weights[i].fill_(weight)
        self._weights = weights

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
        teacher : Outputs or None
            None where there are no terms.
        y : torch.Tensor of shape (n,), int64

        Returns
        -------
        loss : torch.Tensor, scalar
        """
        total = self.cross_entropy(student.logits, y)
        self.values = {"cross_entropy": total.detach()}
        for name, weight, loss in zip(self.names, self.weights, self.term_losses, strict=True):
            value = loss(student, teacher, y)
            self.values[name] = value.detach()
            total = total + weight * value
        return total
