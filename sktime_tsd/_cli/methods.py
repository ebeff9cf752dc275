"""Training methods by the names that commands accept."""

from dataclasses import dataclass

from sktime_tsd.distiller import SaliencyDistilledClassifier
from sktime_tsd.losses import (
    DKD,
    DT2W,
    KD,
    RKD,
    VID,
    AttentionTransfer,
    FitNets,
    MemKD,
)

__all__ = ["BASE_METHODS", "METHODS", "Method"]

_ALONE, _SALIENCY = "ce", "tsd"

BASE_METHODS = {
    "kd": KD,
    "dkd": DKD,
    "fitnets": FitNets,
    "at": AttentionTransfer,
    "rkd": RKD,
    "vid": VID,
    "dt2w": DT2W,
    "memkd": MemKD,
}

METHODS = (_ALONE, *BASE_METHODS, _SALIENCY)


@dataclass(frozen=True)
class Method:
    """A way to train a student.

    Parameters
    ----------
    name : str
        "ce" (labels alone), "tsd", a base method such as "kd", or several of these joined
        by "+", such as "kd+tsd". Case does not matter.

    Raises
    ------
    ValueError
        If a part is unknown or named twice, or "ce" is joined with another.

    Examples
    --------
    >>> from sktime_tsd._cli.methods import Method
    >>> Method("kd+tsd").title
    'by KD + TSD'
    >>> Method("kd+tsd").terms
    [KD(weight=1.0, temperature=2.0)]
    """

    name: str

    def __post_init__(self):
        unknown = [part for part in self._parts if part not in METHODS]
        if unknown:
            raise ValueError(
                f"unknown method {', '.join(map(repr, unknown))} in {self.name!r}; choose from "
                f"{', '.join(METHODS)}, or join several with +, such as kd+tsd"
            )
        if len(set(self._parts)) < len(self._parts):
            raise ValueError(f"method {self.name!r} names a part twice; name each part once")
        if _ALONE in self._parts and len(self._parts) > 1:
            raise ValueError(
                f"method {self.name!r}: {_ALONE} trains the student alone and cannot be joined. "
                f"Every method includes cross entropy already: leave {_ALONE} out"
            )

    @property
    def _parts(self):
        return self.name.lower().split("+")

    @property
    def terms(self):
        """Terms other than cross entropy and saliency, with their default settings."""
        return [BASE_METHODS[part]() for part in self._parts if part in BASE_METHODS]

    @property
    def needs_features(self):
        """Whether a term needs the teacher's features."""
        return any(term.needs_features for term in self.terms)

    @property
    def title(self):
        """Name in tables."""
        if self._parts == [_ALONE]:
            return "alone"
        titles = [
            BASE_METHODS[part].__name__ if part in BASE_METHODS else part.upper()
            for part in self._parts
        ]
        return f"by {' + '.join(titles)}"

    def classifier(self, teacher, student, *, terms=None, **settings):
        """Make the classifier to fit.

        Parameters
        ----------
        teacher : classifier or FrozenEstimator
        student : SkorchClassifier
        terms : list of DistillationTerm, optional
            Default: `terms`.
        **settings : object
            Other parameters of the distiller. Ignored if the student is trained alone.

        Returns
        -------
        classifier : SkorchClassifier or SaliencyDistilledClassifier
        """
        if self._parts == [_ALONE]:
            return student.clone()
        if _SALIENCY not in self._parts:
            settings = settings | {"saliency_weight": 0}
        terms = self.terms if terms is None else terms
        # None, not an empty list: the distiller may then add terms that suit the teacher
        return SaliencyDistilledClassifier(teacher, student, distillation=terms or None, **settings)
