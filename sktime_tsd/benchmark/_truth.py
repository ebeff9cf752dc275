"""What is known of made data sets: where the evidence is, and which cue misleads."""

import numpy as np
import pandas as pd

from sktime_tsd.benchmark._made_data import cue_of
from sktime_tsd.fidelity import saliency_auc_prc

__all__ = ["TRUTH_COLUMNS", "accuracy_against_cue", "known_truth", "truth_sections"]

_SIDES = ("teacher", "student")

#: Columns of a row: how well saliency finds the known evidence, by chance too; and accuracy on
#: the test series whose cue points to another class.
TRUTH_COLUMNS = (
    *(f"evidence_auc_prc_{side}" for side in _SIDES),
    "evidence_share",
    *(f"accuracy_against_cue_{side}" for side in _SIDES),
)


def known_truth(report, mask):
    """Measure how well both models' saliency finds the known evidence.

    Parameters
    ----------
    report : FidelityReport
    mask : numpy.ndarray of shape (n_instances, n_timepoints), bool, or None
        Where the evidence of each series is.

    Returns
    -------
    found : dict of str to float
        Empty without a mask or without saliency.
    """
    if mask is None or report.teacher_saliency is None:
        return {}
    mask = mask[report.saliency_instances]
    saliencies = report.teacher_saliency, report.student_saliency
    found = [saliency_auc_prc(saliency, mask).mean() for saliency in saliencies]
    return dict(zip(TRUTH_COLUMNS, [*map(float, found), float(mask.mean())], strict=False))


def accuracy_against_cue(report, conflicts):
    """Measure accuracy where the cue points to another class.

    Parameters
    ----------
    report : FidelityReport
    conflicts : numpy.ndarray of shape (n_instances,), bool, or None

    Returns
    -------
    found : dict of str to float
        Empty without a cue.
    """
    if conflicts is None:
        return {}
    return {
        f"accuracy_against_cue_{side}": float(report.samples[f"accuracy_{side}"][conflicts].mean())
        for side in _SIDES
    }


def truth_sections(group):
    """Write the report's tables on known evidence and on cues.

    Parameters
    ----------
    group : Group

    Yields
    ------
    line : str
        Nothing without such data sets.
    """
    rows = group.ok
    known = rows[rows["evidence_auc_prc_student"].notna()]
    if len(known):
        yield from (
            "",
            "Known evidence: area under the precision-recall curve of saliency against where the "
            "class's evidence was planted. By chance it is about the share of such time points.",
            "",
        )
        table = _by_method(known, "evidence_auc_prc_student", group)
        of_sets = known.groupby("dataset")[["evidence_share", "evidence_auc_prc_teacher"]].mean()
        table.insert(0, "chance", of_sets["evidence_share"].map("{:.3f}".format))
        table.insert(1, "teacher", of_sets["evidence_auc_prc_teacher"].map("{:.3f}".format))
        yield table.to_markdown(disable_numparse=True)
    with_cue = rows[rows["accuracy_against_cue_student"].notna()]
    for metric, title in (
        ("accuracy", "Accuracy on test series with a random cue, by the strength of the cue"),
        ("accuracy_against_cue", "The same, where the cue points to another class"),
    ):
        if with_cue.empty:
            return
        table = _by_method(with_cue, f"{metric}_student", group)
        of_teacher = with_cue.groupby("dataset")[f"{metric}_teacher"].mean()
        table.insert(0, "teacher", of_teacher.map("{:.3f}".format))
        table = table.loc[sorted(table.index, key=cue_of)]
        yield from ("", f"{title}. Teachers were fitted without it.", "")
        yield table.to_markdown(disable_numparse=True)


def _by_method(rows, metric, group):
    """Tabulate means over the seeds, ± their standard deviation, data set by data set."""
    seeds = rows.groupby(["dataset", "method"])[metric]
    mean, deviation = seeds.mean().unstack(), seeds.std(ddof=1).unstack()
    cells = {
        title: [_cell(mean.at[name, method], deviation.at[name, method]) for name in mean.index]
        for method, title in zip(group.methods, group.titles(), strict=True)
        if method in mean.columns
    }
    return pd.DataFrame(cells, index=mean.index.rename("data set"))


def _cell(mean, deviation):
    if np.isnan(mean):
        return "-"
    return f"{mean:.3f}" + ("" if np.isnan(deviation) else f" ± {deviation:.3f}")
