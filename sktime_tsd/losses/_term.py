"""Base class of all distillation terms."""

from dataclasses import dataclass
from typing import ClassVar

__all__ = ["DistillationTerm"]


@dataclass(frozen=True)
class DistillationTerm:
    """Base class of distillation terms: one loss between teacher and student.

    A term is a small frozen dataclass of settings: comparable, hashable, safe to clone
    and pickle. `build` makes the ``nn.Module`` that computes the loss, with the signature
    ``(student: Outputs, teacher: Outputs, y) -> scalar``.

    A subclass has a ``weight`` field and a `name`, and declares the outputs it needs;
    nothing else is computed.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from typing import ClassVar
    >>> from torch import nn
    >>> from sktime_tsd.losses import DistillationCriterion, DistillationTerm
    >>> class LogitMSE(nn.Module):
    ...     def forward(self, student, teacher, y):
    ...         return nn.functional.mse_loss(student.logits, teacher.logits)
    >>> @dataclass(frozen=True)
    ... class MatchLogits(DistillationTerm):
    ...     weight: float = 1.0
    ...     name: ClassVar[str] = "match_logits"
    ...
    ...     def build(self):
    ...         return LogitMSE()
    >>> DistillationCriterion([MatchLogits(weight=0.5)]).names
    ['match_logits']
    """

    name: ClassVar[str]
    needs_perturbed: ClassVar[bool] = False
    needs_features: ClassVar[bool] = False
    #: Whether it also learns from mixes of two series, if there are any.
    uses_mixes: ClassVar[bool] = False
    #: Whether the loss runs the same operations at every step, so that a GPU can record one
    #: step and replay it. Not inherited: each class declares it for itself.
    recordable: ClassVar[bool] = False

    def build(self):
        """Make the loss module.

        Returns
        -------
        module : nn.Module
        """
        raise NotImplementedError

    def check_classes(self, n_classes):
        """Check that the settings suit the number of classes.

        Parameters
        ----------
        n_classes : int

        Raises
        ------
        ValueError
            If they do not. The base class accepts everything.
        """

    @property
    def alone_until(self):
        """Share of the training in which this term is the only loss; then it is dropped.

        None (the default) means that it is added to the cross entropy throughout.
        """
        return None

    def weight_at(self, progress):
        """Weight of the term in the total loss.

        Parameters
        ----------
        progress : float
            Share of the training steps already taken, in [0, 1]. If a term has been alone
            in the loss, its steps do not count.

        Returns
        -------
        weight : float
        """
        return self.weight
