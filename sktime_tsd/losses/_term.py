"""The contract of a distillation term."""

from dataclasses import dataclass
from typing import ClassVar

__all__ = ["DistillationTerm"]


@dataclass(frozen=True)
class DistillationTerm:
    """One thing that is transferred from teacher to student.

    A term is a small frozen dataclass of settings: comparable, hashable, safe to clone
    and pickle. `build` makes the ``nn.Module`` that computes it, with the signature
    ``(student: Outputs, teacher: Outputs, y) -> scalar``.

    A subclass has a ``weight`` field, a `name`, and says what it needs; nothing else is
    computed.
    """

    name: ClassVar[str]
    needs_perturbed: ClassVar[bool] = False
    needs_features: ClassVar[bool] = False
    #: Whether the loss does the same at each step, so that a step on a GPU can be recorded
    #: and replayed. Not inherited: a class says so of itself.
    recordable: ClassVar[bool] = False

    def build(self):
        """Make the loss module.

        Returns
        -------
        module : nn.Module
        """
        raise NotImplementedError

    def check_classes(self, n_classes):
        """Refuse settings that make no sense for so many classes.

        Parameters
        ----------
        n_classes : int

        Raises
        ------
        ValueError
            By default never.
        """

    @property
    def alone_until(self):
        """Share of the training in which it is alone in the loss, and after which it is out.

        None, as here, if it stands beside the cross entropy throughout.
        """
        return None

    def weight_at(self, progress):
        """Weight of the term in the total loss.

        Parameters
        ----------
        progress : float
            Share of the training steps already taken, in [0, 1]; after the stage of a term
            that acts alone, of the steps that come after it.

        Returns
        -------
        weight : float
        """
        return self.weight
