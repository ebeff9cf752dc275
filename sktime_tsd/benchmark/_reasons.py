"""The report's section on reasons: students between floor and ceiling, explainer by explainer."""

import pandas as pd

from sktime_tsd.benchmark._benchmark_method import BenchmarkMethod, method_title
from sktime_tsd.benchmark._yardsticks import BOUNDS
from sktime_tsd.fidelity import METRICS

__all__ = ["reasons_section", "reasons_table"]

_TRAINED_ON = "saliency_spearman"
_HELD_OUT = "saliency_held_out"


def reasons_table(group):
    """Average the correlation of reasons by each explainer.

    Parameters
    ----------
    group : Group

    Returns
    -------
    table : pandas.DataFrame of shape (n_methods, n_explainers)
        Means over the data sets on which all methods have the metric, rows by method. The first
        column is the report's own saliency, which TSD is trained on, the second the mean over
        the other explainers. Explainers without values are left out.
    """
    names = [_TRAINED_ON, *(name for name in METRICS if name.startswith(_HELD_OUT))]
    columns = {}
    for name in names:
        means = group.complete_table(name).mean() if group.ok[name].notna().any() else None
        if means is not None and means.notna().all():
            columns[_short(name)] = means
    return pd.DataFrame(columns).reindex(group.methods)


def _short(name):
    if name == _TRAINED_ON:
        return "trained on"
    return "mean of others" if name == _HELD_OUT else METRICS[name].label.strip()


def reasons_section(group, save):
    """Write the section, with a picture if there is a floor or a ceiling.

    Parameters
    ----------
    group : Group
    save : callable
        Takes a figure and a file name, and returns the name.

    Yields
    ------
    line : str
        Nothing if no other explainer than the report's own was asked.
    """
    from sktime_tsd.benchmark import _pictures

    table = reasons_table(group)
    if table.shape[1] < 2:
        return
    yield from (
        "",
        "Same reasons by each explainer: mean Spearman correlation with the teacher's. By default "
        "TSD is trained on windows like those of the first column, and nobody on the others.",
        "",
    )
    shown = table.map("{:.3f}".format).set_axis(group.titles(), axis=0).rename_axis("method")
    yield shown.to_markdown(disable_numparse=True)
    bases = {method: BenchmarkMethod(method).base for method in group.methods}
    bounds = {bases[method]: table.loc[method] for method in table.index if bases[method] in BOUNDS}
    if "reseeded" in bounds:
        ceiling, others = bounds["reseeded"], table.drop(index="reseeded")
        shares = (
            (others / ceiling)
            .map("{:.0%}".format)
            .set_axis([method_title(method) for method in others.index], axis=0)
        )
        yield from ("", "As a share of a second teacher's, the ceiling:", "")
        yield shares.rename_axis("method").to_markdown(disable_numparse=True)
    if bounds:
        lines = {method_title(name): values for name, values in bounds.items()}
        points = table.drop(index=list(bounds))
        points.index = [method_title(method) for method in points.index]
        path = save(_pictures.reasons(points, lines), f"{group.slug}-reasons.png")
        yield from ("", f"![Correlation of reasons by explainer, floor and ceiling]({path})")
