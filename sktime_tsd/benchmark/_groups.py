"""Groups of rows that can be compared with each other."""

import json
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from sktime_tsd._cli.methods import METHODS
from sktime_tsd.benchmark._benchmark_method import (
    CONTROLS,
    UNLABELLED,
    BenchmarkMethod,
    method_title,
)
from sktime_tsd.benchmark._plan import incomparable_settings
from sktime_tsd.benchmark._results import differing_settings
from sktime_tsd.benchmark._statistics import scores
from sktime_tsd.benchmark._yardsticks import YARDSTICKS
from sktime_tsd.fidelity import METRICS

__all__ = [
    "FURTHER_METRICS",
    "MAIN_METRICS",
    "Group",
    "counted",
    "groups_of",
    "higher_is_better",
]

#: Metrics of the fidelity report shown in every table and test -> their short names.
MAIN_METRICS = {
    "accuracy_student": "accuracy",
    "auc_prc_student": "AUC-PRC",
    "top_1_agreement": "agreement",
    "kl_divergence": "KL",
    "saliency_spearman": "saliency corr.",
    "saliency_held_out": "held-out corr.",
}

#: Metrics shown in the table of means only -> their short names.
FURTHER_METRICS = {
    "negative_log_likelihood_student": "NLL",
    "expected_calibration_error_student": "calibration error",
    "saliency_top_k_overlap": "top 10 % overlap",
    "deletion_area_student_by_teacher": "deletion area by teacher",
}

_KEY = ("protocol", "teacher", "student", "evaluated_on", "weight_chosen_on")

_TITLES = {
    "inception_time": "InceptionTime",
    "lite": "LITE",
    "lstm": "LSTM",
    "fcn": "FCN",
    "minirocket": "MiniRocket",
    "forest": "Forest",
    "interval_forest": "Interval forest",
    "neighbours": "Neighbours",
}


def counted(n, noun):
    """Write a number with its noun, such as "1 seed" or "2 seeds".

    Parameters
    ----------
    n : int
    noun : str
        In the singular; its plural ends in s.

    Returns
    -------
    text : str
    """
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def higher_is_better(metric):
    """Tell the direction of a metric.

    Parameters
    ----------
    metric : str

    Returns
    -------
    bool
    """
    return METRICS[metric].higher_is_better


@dataclass(frozen=True)
class Group:
    """Rows that share protocol, teacher and student.

    Parameters
    ----------
    key : tuple of str
        Protocol, teacher, student, evaluation split, split the weight was picked on.
    rows : pandas.DataFrame
    """

    key: tuple
    rows: pd.DataFrame

    @property
    def pair(self):
        """Teacher and student, as text."""
        return " to ".join(_TITLES[name] for name in self.key[1:3])

    @property
    def title(self):
        """Heading in the report."""
        protocol, _, _, evaluated_on, chosen_on = self.key
        where = "" if evaluated_on == "test" else ", on held-out training series"
        chosen = "" if chosen_on != "test" else ", weight picked on TEST series"
        epochs = json.loads(self.rows["settings"].iloc[0])["run"].get("max_epochs")
        shortened = "" if epochs is None else f", {counted(epochs, 'epoch')} only"
        return f"{self.pair}, {protocol} protocol{where}{chosen}{shortened}"

    @property
    def slug(self):
        """Beginning of its pictures' file names."""
        *models, evaluated_on, chosen_on = self.key
        parts = [*models, f"on-{evaluated_on}", *([f"weight-{chosen_on}"] if chosen_on else [])]
        return "-".join(parts).replace("_", "-")

    @cached_property
    def ok(self):
        """Rows of finished runs."""
        return self.rows[self.rows["status"] == "ok"]

    @cached_property
    def methods(self):
        """Methods with at least one finished run, "x+tsd" next to "x"."""
        return sorted(dict.fromkeys(self.ok["method"]), key=_place)

    @cached_property
    def students(self):
        """Methods that train a student: all but yardsticks."""
        return [name for name in self.methods if not BenchmarkMethod(name).is_yardstick]

    @cached_property
    def without_result(self):
        """Methods with no finished run."""
        return [name for name in dict.fromkeys(self.rows["method"]) if name not in self.methods]

    @cached_property
    def main_metrics(self):
        """Those of ``MAIN_METRICS`` that were measured."""
        return {
            metric: name for metric, name in MAIN_METRICS.items() if self.ok[metric].notna().any()
        }

    def table(self, metric, methods=None):
        """Scores of methods (default: all) on each data set; see `scores`."""
        chosen = self.methods if methods is None else methods
        return scores(self.ok[self.ok["method"].isin(chosen)], metric)

    @cached_property
    def shared(self):
        """Runs on the data sets and seeds that every method has finished."""
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

    def complete_table(self, metric, methods=None):
        """Scores of methods (default: all) on the data sets where all have this metric."""
        table = scores(self.shared, metric).reindex(columns=self.methods).dropna()
        return table if methods is None else table[methods]

    def spread(self, metric, method):
        """Estimate how much the mean over complete data sets varies from seed to seed.

        Parameters
        ----------
        metric, method : str

        Returns
        -------
        spread : float
            Standard deviation of the mean that a single seed gives, for independent data sets
            that share one variance: the average, over data sets, of the variance between
            seeds. NaN if no data set has several seeds.
        """
        rows = self.shared[self.shared["method"] == method]
        variances = rows.groupby("dataset")[metric].var(ddof=1)
        return np.sqrt(variances.mean() / len(self.complete_table(metric)))

    def of_teacher(self, metric):
        """Mean of a metric of the teacher over complete data sets."""
        return self.shared.groupby("dataset")[metric].mean().mean()

    def titles(self, methods=None):
        """Titles of methods (default: all)."""
        return [method_title(method) for method in (self.methods if methods is None else methods)]


def _check_comparable(rows):
    firsts = rows.drop_duplicates("method").itertuples()
    first = next(firsts)
    for row in firsts:
        differ = incomparable_settings(first.method, first.settings, row.method, row.settings)
        if differ:
            raise ValueError(
                f"{first.method} and {row.method} cannot be compared: their rows have different "
                f"settings ({', '.join(differ)}). Put them in separate reports."
            )
    for dataset, of_set in rows.groupby("dataset"):
        if of_set["archive"].nunique() > 1:
            raise ValueError(
                f"rows of {dataset} come from different archives "
                f"({', '.join(sorted(of_set['archive'].unique()))}). Put them in separate reports."
            )


def _place(method):
    """Sort key: methods as the package lists them, controls last, each before its variants."""
    base, _, settings = method.partition(":")
    first, *others = base.split("+")
    known = [*METHODS, *CONTROLS, UNLABELLED, *YARDSTICKS]
    return known.index(first), len(others), known.index((others or [first])[-1]), settings != ""


def groups_of(rows):
    """Split rows into groups that can be compared.

    Parameters
    ----------
    rows : pandas.DataFrame

    Returns
    -------
    groups : list of Group

    Raises
    ------
    ValueError
        If, within a group, a method has rows with different settings, or the methods' teachers,
        students or measurements cannot be compared.
    """
    groups = []
    for key, part in rows.groupby(list(_KEY), sort=False):
        for method, of_method in part.groupby("method", sort=False):
            first, *others = of_method.drop_duplicates("settings").itertuples()
            for row in others:
                differ = differing_settings(first.settings, row.settings)
                if differ:
                    raise ValueError(
                        f"rows of {method} ({', '.join(filter(None, key))}) have different "
                        f"settings on {first.dataset} and {row.dataset} ({', '.join(differ)}). "
                        "Put them in separate reports."
                    )
        _check_comparable(part)
        groups.append(Group(key, part.reset_index(drop=True)))
    return groups
