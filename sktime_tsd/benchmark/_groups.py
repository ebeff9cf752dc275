"""Rows that can be compared with each other."""

import json
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from sktime_tsd._cli.methods import METHODS
from sktime_tsd.benchmark._benchmark_method import CONTROLS, method_title
from sktime_tsd.benchmark._plan import incomparable_settings
from sktime_tsd.benchmark._results import differing_settings
from sktime_tsd.benchmark._statistics import scores
from sktime_tsd.fidelity import LINES

__all__ = ["HEADLINES", "MORE_LINES", "Group", "groups_of", "higher_is_better"]

#: Lines of the fidelity report that tables and tests are made of, and their short names.
HEADLINES = {
    "accuracy_student": "accuracy",
    "auc_prc_student": "AUC-PRC",
    "top_1_agreement": "agreement",
    "kl_divergence": "KL",
    "saliency_spearman": "saliency corr.",
}

#: Further lines of the table of means.
MORE_LINES = {
    "negative_log_likelihood_student": "NLL",
    "expected_calibration_error_student": "calibration error",
    "saliency_top_k_overlap": "top 10 % overlap",
    "deletion_area_student_by_teacher": "deletion area by teacher",
}

_KEY = ("protocol", "teacher", "student", "evaluated_on", "weight_chosen_on")

_TITLES = {
    "inception_time": "InceptionTime",
    "lstm": "LSTM",
    "fcn": "FCN",
    "minirocket": "MiniRocket",
}


def higher_is_better(line):
    """Tell the direction of a line.

    Parameters
    ----------
    line : str

    Returns
    -------
    bool
    """
    return LINES[line].higher_is_better


@dataclass(frozen=True)
class Group:
    """Rows of one protocol, teacher and student.

    Parameters
    ----------
    key : tuple
        Protocol, teacher, student, what was evaluated on, what the weight was picked on.
    rows : pandas.DataFrame
    """

    key: tuple
    rows: pd.DataFrame

    @property
    def pair(self):
        """Teacher and student."""
        return " to ".join(_TITLES[name] for name in self.key[1:3])

    @property
    def title(self):
        """What it is called in a heading."""
        protocol, _, _, evaluated_on, chosen_on = self.key
        where = "" if evaluated_on == "test" else ", on training series kept aside"
        chosen = "" if chosen_on != "test" else ", weight picked on TEST series"
        epochs = json.loads(self.rows["settings"].iloc[0])["run"].get("max_epochs")
        shortened = "" if epochs is None else f", {epochs} epoch(s) only"
        return f"{self.pair}, {protocol} protocol{where}{chosen}{shortened}"

    @property
    def slug(self):
        """What its pictures are called."""
        *models, evaluated_on, chosen_on = self.key
        parts = [*models, f"on-{evaluated_on}", *([f"weight-{chosen_on}"] if chosen_on else [])]
        return "-".join(parts).replace("_", "-")

    @cached_property
    def ok(self):
        """Rows of the runs that did not fail."""
        return self.rows[self.rows["status"] == "ok"]

    @cached_property
    def methods(self):
        """Methods with any run that did not fail, "x+tsd" beside "x"."""
        return sorted(dict.fromkeys(self.ok["method"]), key=_place)

    @cached_property
    def without_result(self):
        """Methods all of whose runs failed."""
        return [name for name in dict.fromkeys(self.rows["method"]) if name not in self.methods]

    @cached_property
    def headlines(self):
        """Those of ``HEADLINES`` that were measured."""
        return {line: name for line, name in HEADLINES.items() if self.ok[line].notna().any()}

    def table(self, line, methods=None):
        """Scores of methods (default: all) on each data set; see `scores`."""
        chosen = self.methods if methods is None else methods
        return scores(self.ok[self.ok["method"].isin(chosen)], line)

    @cached_property
    def shared(self):
        """Runs with data sets and seeds that every method has finished."""
        n_methods = self.ok.groupby(["dataset", "seed"])["method"].transform("nunique")
        return self.ok[n_methods == len(self.methods)]

    @cached_property
    def complete(self):
        """Data sets of the shared runs."""
        return sorted(set(self.shared["dataset"]))

    @property
    def left_out(self):
        """The other data sets."""
        return sorted(set(self.rows["dataset"]) - set(self.complete))

    def complete_table(self, line):
        """Scores on the data sets that all methods have, with this line."""
        return scores(self.shared, line).reindex(columns=self.methods).dropna()

    def spread(self, line, method):
        """Estimate by how much the mean over complete data sets differs from seed to seed.

        Parameters
        ----------
        line, method : str

        Returns
        -------
        spread : float
            Standard deviation of the mean that one seed gives: of independent sets whose
            variance is the mean of those between the seeds of each set. NaN where no set has
            several seeds.
        """
        rows = self.shared[self.shared["method"] == method]
        variances = rows.groupby("dataset")[line].var(ddof=1)
        return np.sqrt(variances.mean() / len(self.complete_table(line)))

    def of_teacher(self, line):
        """Mean of a line of the teacher over complete data sets."""
        return self.shared.groupby("dataset")[line].mean().mean()

    def titles(self, methods=None):
        """Titles of methods."""
        return [method_title(method) for method in (self.methods if methods is None else methods)]


def _check_comparable(rows):
    firsts = rows.drop_duplicates("method").itertuples()
    first = next(firsts)
    for row in firsts:
        differ = incomparable_settings(first.method, first.settings, row.method, row.settings)
        if differ:
            raise ValueError(
                f"{first.method} and {row.method} cannot be compared, since their rows were made "
                f"with different settings: {', '.join(differ)}. Report on files of their own."
            )
    for dataset, of_set in rows.groupby("dataset"):
        if of_set["archive"].nunique() > 1:
            raise ValueError(
                f"rows of {dataset} are of different archives: "
                f"{', '.join(sorted(of_set['archive'].unique()))}. Report on files of their own."
            )


def _place(method):
    """Sort methods as the package lists them, controls last, each before its variants."""
    base, _, settings = method.partition(":")
    first, *others = base.split("+")
    known = [*METHODS, *CONTROLS]
    return known.index(first), len(others), known.index((others or [first])[-1]), settings != ""


def groups_of(rows):
    """Part rows into those that can be compared.

    Parameters
    ----------
    rows : pandas.DataFrame

    Returns
    -------
    groups : list of Group

    Raises
    ------
    ValueError
        If within a group a method has rows of different settings, or methods have teachers,
        students or measurements that cannot be compared.
    """
    groups = []
    for key, part in rows.groupby(list(_KEY), sort=False):
        for method, of_method in part.groupby("method", sort=False):
            first, *others = of_method.drop_duplicates("settings").itertuples()
            for row in others:
                differ = differing_settings(first.settings, row.settings)
                raise ValueError(
                    f"the rows of {method} ({', '.join(filter(None, key))}) were made with "
                    f"different settings: {', '.join(differ)} on {first.dataset} and "
                    f"{row.dataset}. Report on files of their own."
                )
        _check_comparable(part)
        groups.append(Group(key, part.reset_index(drop=True)))
    return groups
