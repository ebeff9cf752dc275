"""Methods of a benchmark: those of the package with settings, and controls."""

import ast
import math
from dataclasses import dataclass, fields, replace
from typing import ClassVar

from torch import nn

from sktime_tsd import perturbations
from sktime_tsd._methods import Method
from sktime_tsd._validation import check_number
from sktime_tsd.distiller import SaliencyDistilledClassifier
from sktime_tsd.losses import DistillationTerm, kd_loss

__all__ = ["CONTROLS", "BenchmarkMethod", "KDOnCopies", "method_title"]


class _KDOnCopiesLoss(nn.Module):
    def __init__(self, temperature):
        super().__init__()
        self.temperature = temperature

    def forward(self, student, teacher, y):
        of_series = kd_loss(student.logits, teacher.logits, self.temperature)
        of_copies = kd_loss(
            student.perturbed_logits.flatten(0, 1),
            teacher.perturbed_logits.flatten(0, 1),
            self.temperature,
        )
        n_copies = student.perturbed_logits.shape[1]
        return (of_series + n_copies * of_copies) / (1 + n_copies)


@dataclass(frozen=True)
class KDOnCopies(DistillationTerm):
    """Control: soft targets on the series and on the same perturbed copies, no saliency.

    What it does not reach, the augmentation alone does not explain.

    Parameters
    ----------
    weight : float, default=1.0
    temperature : float, default=2.0

    Examples
    --------
    >>> from sktime_tsd.benchmark import KDOnCopies
    >>> KDOnCopies(weight=0.5).needs_perturbed
    True
    """

    weight: float = 1.0
    temperature: float = 2.0
    name: ClassVar[str] = "kd_copies"
    needs_perturbed: ClassVar[bool] = True
    recordable: ClassVar[bool] = True

    def __post_init__(self):
        check_number("weight", self.weight, low=0)
        check_number("temperature", self.temperature, low=0, boundaries="neither")

    def build(self):
        """Make the loss module."""
        return _KDOnCopiesLoss(self.temperature)


#: Name of a control -> what it is.
CONTROLS = {
    "kd_copies": "KD on the series and the same perturbed copies, no saliency",
    "random_tsd": "TSD from a teacher fitted on permuted labels",
}

_TITLES = {"ce": "CE", "kd_copies": "KD on copies", "random_tsd": "TSD, random teacher"}


@dataclass(frozen=True)
class BenchmarkMethod:
    """A way to train a student, with settings of its own.

    Parameters
    ----------
    name : str
        A method such as "kd+tsd", or a control ("kd_copies", "random_tsd"); after a colon,
        settings joined by commas: parameters of `SaliencyDistilledClassifier`, of its student
        (``student__lr=0.01``), or of a term (``kd.weight=0.1``).

    Raises
    ------
    ValueError
        If a method or setting is unknown, or a value out of its range.

    Examples
    --------
    >>> from sktime_tsd.benchmark import BenchmarkMethod
    >>> method = BenchmarkMethod("kd+tsd:temperature=4,kd.weight=0.1")
    >>> method.terms
    [KD(weight=0.1, temperature=2.0)]
    >>> method.settings
    {'temperature': 4, 'kd.weight': 0.1}
    """

    name: str

    def __post_init__(self):
        object.__setattr__(self, "name", "".join(self.name.split()))
        self.terms  # noqa: B018 - checks their names and values
        known = SaliencyDistilledClassifier.get_param_names()
        for key in self._settings_of_classifier:
            if not key.startswith("student__") and key not in known:
                raise ValueError(
                    f"{self.name!r}: there is no setting {key!r}; a setting is one of "
                    f"{', '.join(known)}, of the student (student__lr) or of a term (kd.weight)"
                )
        if self.base == "ce" and not all(key.startswith("student__") for key in self.settings):
            raise ValueError(f"{self.name!r}: ce has settings of the student alone")

    @property
    def base(self):
        """The method without its settings."""
        return self.name.split(":")[0].lower()

    @property
    def settings(self):
        """What is set, by name."""
        _, _, text = self.name.partition(":")
        pairs = [item.partition("=") for item in text.split(",") if item]
        if not all(sign and key and value for key, sign, value in pairs):
            raise ValueError(
                f"{self.name!r}: settings are written name=value, joined by commas, such as "
                "tsd:temperature=4,n_windows=20"
            )
        return {key: _value(value) for key, _, value in pairs}

    @property
    def _method(self):
        """What it is but for the control."""
        return Method({"kd_copies": "kd", "random_tsd": "tsd"}.get(self.base, self.base))

    @property
    def _settings_of_classifier(self):
        return {key: value for key, value in self.settings.items() if "." not in key}

    @property
    def terms(self):
        """Terms beside cross entropy and saliency."""
        terms = [KDOnCopies()] if self.base == "kd_copies" else self._method.terms
        changes = {term.name: {} for term in terms}
        for key, value in self.settings.items():
            if "." not in key:
                continue
            name, _, field = key.partition(".")
            term = next((term for term in terms if term.name == name), None)
            if term is None or field not in [field.name for field in fields(term)]:
                known = [f"{term.name}.{f.name}" for term in terms for f in fields(term)]
                raise ValueError(
                    f"{self.name!r}: there is no {key!r}; its terms have "
                    f"{', '.join(known) or 'nothing to set'}"
                )
            changes[name][field] = value
        return [replace(term, **changes[term.name]) for term in terms]

    @property
    def needs_features(self):
        """Whether a term needs the teacher's features."""
        return any(term.needs_features for term in self.terms)

    @property
    def permutes_labels(self):
        """Whether its teacher is fitted on permuted labels."""
        return self.base == "random_tsd"

    def with_weight(self, weight):
        """Set the weight of the saliency, or without it of the last term.

        Parameters
        ----------
        weight : float

        Returns
        -------
        method : BenchmarkMethod or None
            None for a method without anything to weigh, or whose weight is set already.
        """
        if "tsd" in self.base:
            key = "saliency_weight"
        elif self.terms:
            key = f"{self.terms[-1].name}.weight"
        else:
            return None
        if key in self.settings:
            return None
        mark = "," if self.settings else ":"
        return BenchmarkMethod(f"{self.name}{mark}{key}={weight}")

    @property
    def title(self):
        """What to call it in a table."""
        return method_title(self.name)

    def classifier(self, teacher, student, **settings):
        """Make the classifier to fit.

        Parameters
        ----------
        teacher : classifier or FrozenEstimator
        student : SkorchClassifier
        **settings : object
            Further parameters of the distiller; its own settings go before them.

        Returns
        -------
        classifier : SkorchClassifier or SaliencyDistilledClassifier
        """
        own = self._settings_of_classifier
        of_student = {k.partition("__")[2]: v for k, v in own.items() if k.startswith("student__")}
        own = {key: value for key, value in own.items() if not key.startswith("student__")}
        student = student.clone().set_params(**of_student)
        return self._method.classifier(teacher, student, terms=self.terms, **(settings | own))


def _value(text):
    """Read a value: a literal, the name of a perturbation, or a word."""
    if text in perturbations.__all__ and isinstance(getattr(perturbations, text), type):
        return getattr(perturbations, text)()
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return math.inf if text == "inf" else text


def method_title(name):
    """Title of a method in a table.

    Parameters
    ----------
    name : str

    Returns
    -------
    title : str
    """
    base, _, settings = name.partition(":")
    title = _TITLES.get(base) or Method(base).title.removeprefix("by ")
    return f"{title} ({settings.replace(',', ', ')})" if settings else title
