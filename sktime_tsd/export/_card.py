"""Model card: the README of a saved model."""

from sklearn.frozen import FrozenEstimator

from sktime_tsd._utils.markdown import code_block, code_span, markdown_text
from sktime_tsd.export._card_settings import card_settings
from sktime_tsd.export._steps import first_length
from sktime_tsd.fidelity import FidelityReport, Verdict
from sktime_tsd.networks import n_parameters

__all__ = ["model_card"]

_CARD = """\
---
library_name: sktime_tsd
tags:
- time-series-classification
- knowledge-distillation
---

# {title}

{n_classes} classes: {classes}. A series has {n_channels} channel{s} of {length} time points,
{missing}, in the units of the training data.{steps}

## Use

```python
from sktime_tsd import load_model

classifier = load_model("path/to/this/folder"{network})
classifier.predict(X)  # X of shape (n_instances, {n_channels}, {n_timepoints})
```

Loading runs no code from these files.

## Data

{data}

## Training

{training}

## Metrics and fidelity

{report}

## Verdict

{verdict}

## Intended use

{intended_use}

## Limits

* It always predicts one of its classes, even for series unlike those it was trained on.
* A distilled model inherits its teacher's mistakes.
* Saliency shows which time points a prediction depends on. It does not show causes.
* The digests in `config.json` detect damage. They do not prove who wrote the files.
"""


def model_card(student, chain, *, report=None, verdict=None, data=None, intended_use=None):
    """Write a model card.

    Parameters
    ----------
    student : SkorchClassifier
        Fitted.
    chain : Chain
        What was saved: the steps before the classifier, and `student` itself or the distilled
        classifier it belongs to.
    report : FidelityReport, optional
        Its metrics go into the card.
    verdict : Verdict, optional
        Whether the student meets requirements.
    data, intended_use : str, optional
        Texts of these sections.

    Returns
    -------
    text : str
        Markdown.

    Raises
    ------
    TypeError
        If `report` is not a `FidelityReport`, `verdict` no `Verdict`, or a text is not a string.
    ValueError
        If the report is about other classes.
    """
    if not isinstance(report, (FidelityReport, type(None))):
        raise TypeError(f"report must be a result of fidelity_report, got {report!r:.100}.")
    if not isinstance(verdict, (Verdict, type(None))):
        raise TypeError(f"verdict must be a result of report.check(...), got {verdict!r:.100}.")
    if report is not None and report.classes.tolist() != student.classes_.tolist():
        raise ValueError(
            f"report is about the classes {report.classes.tolist()}, but the student has "
            f"{student.classes_.tolist()}. Pass a report of this student."
        )
    for name, text in (("data", data), ("intended_use", intended_use)):
        if not isinstance(text, (str, type(None))):
            raise TypeError(f"{name} must be a string, got {text!r:.100}.")
    network = student.network_ and student.network_.network
    rules, length = student._panel_rules(), first_length(chain.steps, student.n_timepoints_)
    missing = "without missing values"
    if rules.missing_values == "interpolate":
        missing = "with missing values filled by interpolation"
    if rules.resamples and length:
        length, missing = None, f"resampled to {length}, {missing}"
    kind = "No network" if network is None else type(network).__name__
    weights = 0 if network is None else n_parameters(network)
    own = not isinstance(student.network, str)
    return _CARD.format(
        title=f"{markdown_text(kind)} of {weights:,} weights",
        n_classes=len(student.classes_),
        classes=", ".join(code_span(repr(label)) for label in student.classes_.tolist()),
        n_channels=student.n_channels_,
        s="" if student.n_channels_ == 1 else "s",
        length=length or "any number of",
        n_timepoints=length or "n_timepoints",
        missing=missing,
        steps=_steps(chain.steps),
        network=f", network={_name(student.network)}" if own else "",
        data=data or "Not stated when the model was saved.",
        training=_training(student, chain.classifier),
        report=_quoted(report, "Not measured when the model was saved."),
        verdict=_quoted(verdict, "No requirements were checked when the model was saved."),
        intended_use=intended_use or "Not stated when the model was saved.",
    )


def _quoted(result, otherwise):
    return otherwise if result is None else code_block(str(result))


def _steps(steps):
    if not steps:
        return ""
    names = ", ".join(code_span(card_settings(step)) for step in steps)
    return f"\nBefore its network, the model applies `sktime_tsd.preprocessing`: {names}."


def _name(network):
    name = getattr(network, "__name__", "")
    return name if name.isidentifier() else "YourNetwork"


def _training(student, classifier):
    if isinstance(classifier, FrozenEstimator):
        classifier = classifier.estimator
    lines = [f"    {card_settings(student)}"]
    if student is not classifier:
        lines = ["Distilled from a teacher with these settings:", ""]
        lines += [f"    {card_settings(classifier)}"]
    return "\n".join(lines)
