"""When the student of a cascade leaves a series to its teacher, in C."""

from dataclasses import dataclass

from sktime_tsd.export.c._literals import float_literal

__all__ = ["Deferral", "deferral_source"]

_SCORES = {
    "top_probability": """    for (i = 0; i < {prefix}_N_CLASSES; ++i) {{
        if (!(probabilities[i] <= score)) {{
            score = probabilities[i];
        }}
    }}
""",
    "margin": """    float second = 0.0f;
    for (i = 0; i < {prefix}_N_CLASSES; ++i) {{
        if (!(probabilities[i] <= score)) {{
            second = score;
            score = probabilities[i];
        }} else if (probabilities[i] > second) {{
            second = probabilities[i];
        }}
    }}
    score -= second;
""",
    "entropy": """    for (i = 0; i < {prefix}_N_CLASSES; ++i) {{
        if (!(probabilities[i] <= 0.0f)) {{
            score += probabilities[i] * logf(probabilities[i]);
        }}
    }}
""",
}


@dataclass(frozen=True)
class Deferral:
    """A rule: the student answers a series whose score is above the threshold.

    Parameters
    ----------
    threshold : float
        May be infinite: all series are deferred, or with ``-inf`` none.
    score : {"top_probability", "margin", "entropy"}
        How sure the student is; see `CascadeClassifier`.

    Raises
    ------
    ValueError
        If the score has no C code, or the threshold is NaN.
    """

    threshold: float
    score: str = "top_probability"

    def __post_init__(self):
        if not isinstance(self.score, str) or self.score not in _SCORES:
            raise ValueError(
                f"score must be one of {', '.join(_SCORES)} to be written in C, got {self.score!r}."
            )
        if self.threshold != self.threshold:
            raise ValueError("threshold must be a number, got nan.")


def deferral_source(name, prefix, deferral):
    """Write ``student_defers``.

    Parameters
    ----------
    name, prefix : str
        First part of public names, and of macros.
    deferral : Deferral

    Returns
    -------
    source : str
    """
    if deferral.threshold in (float("inf"), float("-inf")):
        always = int(deferral.threshold > 0)
        body = f"    (void)probabilities;\n    return {always};\n"
    else:
        score = _SCORES[deferral.score].format(prefix=prefix)
        body = (
            f"    float score = 0.0f;\n    int i;\n{score}"
            f"    return !(score > {float_literal(deferral.threshold)});\n"
        )
    # declarations first, as C89 compilers want them
    return f"\nint {name}_defers(const float *probabilities)\n{{\n{body}}}\n"
