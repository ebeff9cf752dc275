"""Methods that a benchmark compares: the package's, with settings, and controls."""

import ast
import re
from dataclasses import dataclass, field, fields, replace
from typing import ClassVar

from sktime_tsd import perturbations
from sktime_tsd._cli.methods import METHODS, Method
from sktime_tsd.benchmark._yardsticks import YARDSTICKS
from sktime_tsd.classifier import SkorchClassifier
from sktime_tsd.distiller import SaliencyDistilledClassifier
from sktime_tsd.losses import SoftTargets
from sktime_tsd.perturbations import Perturbation

__all__ = [
    "CONTROLS",
    "UNLABELLED",
    "BenchmarkMethod",
    "KDOnCopies",
    "current_spelling",
    "method_title",
]


@dataclass(frozen=True)
class KDOnCopies(SoftTargets):
    """Control: soft targets on the series and on the same perturbed copies, no saliency.

    Where a method does better than this control, the extra data alone does not explain it.

    Parameters
    ----------
    weight : float, default=1.0
    temperature : float, default=2.0
        That of `KD`.

    Examples
    --------
    >>> from sktime_tsd.benchmark import KDOnCopies
    >>> KDOnCopies(weight=0.5).needs_perturbed
    True
    """

    temperature: float = 2.0
    name: ClassVar[str] = "kd_copies"
    recordable: ClassVar[bool] = True


#: Control -> description.
CONTROLS = {
    "kd_copies": "KD on the series and the same perturbed copies, no saliency",
    "random_tsd": "TSD from a teacher fitted on permuted labels",
}

# Methods other than the package's. They cannot be joined with others.
_ALONE = ("kd_copies", "kd_copies+tsd", "random_tsd", *YARDSTICKS)

#: Joined to a method, it also learns from the series whose labels the run has taken away.
UNLABELLED = "unlabelled"

# Parameters of the student that the run sets, so a method cannot.
_LEFT_TO_THE_RUN = {"device", "verbose", "random_state", "callbacks"}

# Older spelling of a distiller's parameter, still found in rows on disk -> today's.
_OLDER_SPELLINGS = {"temperature": "saliency_temperature", "top_n": "saliency_top_n"}

_DOT = "__of__"

_TITLES = {
    "ce": "CE",
    "kd_copies": "KD on copies",
    "kd_copies+tsd": "KD on copies + TSD",
    "random_tsd": "TSD, random teacher",
    "untrained": "untrained student",
    "reseeded": "teacher, other seed",
    "lite": "LITE",
    "minirocket": "MiniRocket",
}


def current_spelling(parameter):
    """Give today's name of a distiller's parameter.

    Parameters
    ----------
    parameter : str
        In an older spelling, or today's.

    Returns
    -------
    parameter : str
    """
    newer = _OLDER_SPELLINGS.get(parameter, parameter)
    return newer if newer in SaliencyDistilledClassifier.get_param_names() else parameter


@dataclass(frozen=True)
class BenchmarkMethod:
    """A way to train a student, with its settings.

    Parameters
    ----------
    name : str
        A method such as "kd+tsd", a control ("kd_copies", "kd_copies+tsd", "random_tsd"), or a
        key of ``YARDSTICKS``, which has no settings.
        Settings follow a colon, separated by commas: parameters of
        `SaliencyDistilledClassifier`, of its student (``student__lr=0.01``), or of a term
        (``kd.weight=0.1``). The name is stored in a standard form: lower case, "tsd" last,
        settings sorted and in today's spelling.

    Raises
    ------
    ValueError
        If a method or setting is unknown, a value is out of range, or a setting has no effect
        on the method.

    Examples
    --------
    >>> from sktime_tsd.benchmark import BenchmarkMethod
    >>> method = BenchmarkMethod("kd+tsd:n_windows=20,kd.weight=0.1")
    >>> method.terms
    [KD(weight=0.1, temperature=2.0)]
    >>> method.settings
    {'n_windows': 20, 'kd.weight': 0.1}
    >>> BenchmarkMethod("TSD+KD").name
    'kd+tsd'
    """

    name: str
    settings: dict = field(init=False, compare=False, repr=False)

    def __post_init__(self):
        base, _, text = self.name.partition(":")
        base = _canonical(base)
        settings = _parse(self.name, text)
        name = base + "".join(
            f"{mark}{key}={_text(settings[key])}"
            for mark, key in zip(":" + "," * len(settings), sorted(settings), strict=False)
        )
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "settings", settings)
        try:
            self._method  # noqa: B018 - checks its name
        except ValueError as error:
            raise ValueError(f"{error}; or name one of {', '.join(_ALONE)} alone") from error
        if self.is_yardstick and settings:
            raise ValueError(f"{self.name!r}: {self.base} has no settings")
        of_student = set(self.settings_of_student)
        own = [key for key in settings if "." not in key and not key.startswith("student__")]
        known = self._known_settings()
        for key in own:
            if key not in known:
                raise ValueError(
                    f"{self.name!r}: setting {key!r} has no effect on this method; settings with "
                    f"an effect: {', '.join([*known, 'student__lr and others of the student'])}"
                    + (", kd.weight and others of its terms" if self._method.terms else "")
                )
        networks = set(SkorchClassifier.get_param_names()) - _LEFT_TO_THE_RUN
        if not of_student <= networks:
            raise ValueError(
                f"{self.name!r}: a method cannot set the student's "
                f"{', '.join(map(repr, sorted(of_student - networks)))}; it can set "
                f"{', '.join(sorted(networks))}"
            )
        self.terms  # noqa: B018 - checks their names and values
        self.classifier(None, SkorchClassifier())._check_parameters()

    def _known_settings(self):
        """Parameters of the distiller that this method uses."""
        if self.base == "ce" or self.is_yardstick:
            return []
        of_teacher = {"teacher_smoothing"}
        of_saliency = {"saliency_weight", "saliency_measure", "saliency_normalization"}
        of_saliency |= {"saliency_ramp", *map(current_spelling, _OLDER_SPELLINGS)}
        of_copies = {"perturbation", "window", "n_windows", "bank_size"}
        uses_saliency = self.permutes_labels or "tsd" in self.base.split("+")
        uses_copies = uses_saliency or any(term.needs_perturbed for term in self.terms)
        if any(term.uses_mixes for term in self.terms):
            of_copies |= {"n_mixes"}
        known = (of_saliency if uses_saliency else set()) | (of_copies if uses_copies else set())
        return sorted(known | of_teacher)

    @property
    def base(self):
        """Name of the method without its settings."""
        return self.name.split(":")[0]

    @property
    def _has_kd_on_copies(self):
        return self.base in ("kd_copies", "kd_copies+tsd")

    @property
    def _method(self):
        """The package's method that it is, or that a control is built on."""
        base = self.base.removesuffix(f"+{UNLABELLED}")
        if self.uses_unlabelled and base == "ce":
            raise ValueError(f"method {self.base!r}: labels alone cannot use unlabelled series")
        if self.is_yardstick:
            return Method("ce")  # it has no teacher
        if self._has_kd_on_copies:
            return Method(base.replace("kd_copies", "kd"))
        return Method("tsd" if self.permutes_labels else base)

    @property
    def _settings_of_classifier(self):
        return {key: value for key, value in self.settings.items() if "." not in key}

    @property
    def terms(self):
        """Terms other than cross entropy and saliency."""
        terms = [KDOnCopies()] if self._has_kd_on_copies else self._method.terms
        if self.uses_unlabelled and not terms:
            terms = [SoftTargets()]  # as the distiller does by itself
        changes = {term.name: {} for term in terms}
        for key, value in self.settings.items():
            if "." not in key:
                continue
            name, _, parameter = key.partition(".")
            term = next((term for term in terms if term.name == name), None)
            if term is None or parameter not in [f.name for f in fields(term)]:
                known = [f"{term.name}.{f.name}" for term in terms for f in fields(term)]
                raise ValueError(
                    f"{self.name!r}: there is no setting {key!r}; its terms have "
                    f"{', '.join(known) or 'no settings'}"
                )
            changes[name][parameter] = value
        return [replace(term, **changes[term.name]) for term in terms]

    @property
    def settings_of_student(self):
        """Parameters of the student that it sets -> values."""
        return {
            key.partition("__")[2]: value
            for key, value in self.settings.items()
            if key.startswith("student__")
        }

    @property
    def needs_features(self):
        """Whether a term needs the teacher's features."""
        return any(term.needs_features for term in self.terms)

    @property
    def permutes_labels(self):
        """Whether its teacher is fitted on permuted labels."""
        return self.base == "random_tsd"

    @property
    def is_yardstick(self):
        """Whether it is no student, but something to read the students' rows by."""
        return self.base in YARDSTICKS

    @property
    def uses_unlabelled(self):
        """Whether it learns from the training series without labels, too."""
        return UNLABELLED in self.base.split("+")

    def with_weight(self, weight):
        """Set the weight of the saliency term or, without one, of the last term.

        Parameters
        ----------
        weight : float

        Returns
        -------
        method : BenchmarkMethod or None
            None if the method has no term to weigh, or its weight is set already.
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
        """Name in tables."""
        return method_title(self.name)

    def classifier(self, teacher, student, **settings):
        """Make the classifier to fit.

        Parameters
        ----------
        teacher : classifier or FrozenEstimator
        student : SkorchClassifier
        **settings : object
            Other parameters of the distiller; the method's own settings override them.

        Returns
        -------
        classifier : SkorchClassifier or SaliencyDistilledClassifier
        """
        own = self._settings_of_classifier
        own = {key: value for key, value in own.items() if not key.startswith("student__")}
        student = student.clone().set_params(**self.settings_of_student)
        return self._method.classifier(teacher, student, terms=self.terms, **(settings | own))


def _canonical(base):
    """Make lower case, order the terms as the package lists them, saliency last."""
    parts = base.lower().strip().split("+")
    order = {name: i for i, name in enumerate((*METHODS, UNLABELLED))}
    return "+".join(sorted(map(str.strip, parts), key=lambda part: order.get(part, -1)))


def _parse(name, text):
    """Read settings written like Python's keyword arguments, also with names like kd.weight."""
    call = re.sub(r"(?<![\w.])([A-Za-z]\w*)\.([A-Za-z]\w*)(?=\s*=)", rf"\1{_DOT}\2", text)
    try:
        (statement,) = ast.parse(f"f({call})").body
        if statement.value.args:
            raise SyntaxError("a value without a name")
        settings = {}
        for keyword in statement.value.keywords:
            key = current_spelling(keyword.arg.replace(_DOT, "."))
            if key in settings:
                raise SyntaxError(f"{key} twice")
            settings[key] = _value(keyword.value)
    except (SyntaxError, ValueError, AttributeError) as error:
        raise ValueError(
            f"{name!r}: write settings as name=value, separated by commas, such as "
            f"tsd:n_windows=20,window=0.05 ({error})"
        ) from error
    return settings


def _value(node):
    """Read a value: a literal, the class name of a perturbation, a word, or a list of these."""
    if isinstance(node, ast.List):
        return [_value(element) for element in node.elts]
    if isinstance(node, ast.Name):
        kind = getattr(perturbations, node.id, None)
        is_perturbation = isinstance(kind, type) and issubclass(kind, Perturbation)
        return kind() if is_perturbation else node.id
    return ast.literal_eval(node)


def _text(value):
    """Write a value so that `_value` reads it back."""
    if isinstance(value, list):
        return f"[{','.join(map(_text, value))}]"
    if isinstance(value, Perturbation):
        return type(value).__name__
    return value if isinstance(value, str) else repr(value).replace(" ", "")


def method_title(name):
    """Give a method's name in tables.

    Parameters
    ----------
    name : str

    Returns
    -------
    title : str
    """
    base, _, settings = name.partition(":")
    labelled = base.removesuffix(f"+{UNLABELLED}")
    title = _TITLES.get(labelled) or Method(labelled).title.removeprefix("by ")
    if labelled != base:
        title += " + unlabelled series"
    return f"{title} ({settings.replace(',', ', ')})" if settings else title
