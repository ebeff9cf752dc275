"""Statistics that compare methods over data sets."""

from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import wilcoxon

from sktime_tsd.benchmark._benchmark_method import BenchmarkMethod

__all__ = [
    "common_runs",
    "compare_pairs",
    "holm",
    "least_p_value",
    "mean_ranks",
    "p_value_matrix",
    "pairs_of_interest",
    "scores",
]

# Differences are rounded to this many decimals, so that rounding errors do not break ties.
_DECIMALS = 9


def common_runs(rows):
    """Keep the runs that can be averaged and compared.

    Parameters
    ----------
    rows : pandas.DataFrame
        Finished runs; see `read_results`.

    Returns
    -------
    rows : pandas.DataFrame
        For each data set, the runs with seeds shared by all methods that have a row there.
    """
    n_methods = rows.groupby("dataset")["method"].transform("nunique")
    return rows[rows.groupby(["dataset", "seed"])["method"].transform("nunique") == n_methods]


def scores(rows, metric):
    """Average each method on each data set, over the seeds that all methods have there.

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows of one protocol, teacher and student; see `read_results`.
    metric : str
        A column of the rows.

    Returns
    -------
    scores : pandas.DataFrame of shape (n_datasets, n_methods)
        Methods in the order of the rows. NaN where a method has no value. A data set on which
        the methods share no seed has no row.
    """
    methods = list(dict.fromkeys(rows["method"]))
    runs = common_runs(rows[(rows["status"] == "ok") & rows[metric].notna()])
    return runs.groupby(["dataset", "method"])[metric].mean().unstack().reindex(columns=methods)


def mean_ranks(table, higher_is_better):
    """Average each method's rank over the data sets on which all methods have scores.

    Parameters
    ----------
    table : pandas.DataFrame of shape (n_datasets, n_methods)
    higher_is_better : bool

    Returns
    -------
    ranks : pandas.Series
        1 is best; ties share the mean of their ranks.
    """
    complete = table.dropna().round(_DECIMALS)
    return complete.rank(axis=1, ascending=not higher_is_better).mean()


def least_p_value(n_datasets, n_tests=1):
    """Smallest p-value possible with this many data sets, after Holm's correction.

    Parameters
    ----------
    n_datasets : int
    n_tests : int, default=1
        Number of tests corrected together.

    Returns
    -------
    p_value : float
        The p-value of a method that wins on every data set.

    Examples
    --------
    >>> from sktime_tsd.benchmark._statistics import least_p_value
    >>> least_p_value(6), least_p_value(6, n_tests=3)
    (0.03125, 0.09375)
    """
    return min(1.0, n_tests * 2.0 ** (1 - n_datasets))


def _p_value(differences):
    """Two-sided Wilcoxon signed-rank test; zeros count half for each side."""
    if least_p_value(len(differences)) >= 0.05:
        return np.nan  # no result could be significant
    if not differences.any():
        return 1.0
    return float(wilcoxon(differences, zero_method="zsplit").pvalue)


def holm(p_values):
    """Adjust p-values for multiple tests, by Holm's step-down procedure.

    Parameters
    ----------
    p_values : array-like of shape (n_tests,)
        NaN where there was no test.

    Returns
    -------
    adjusted : numpy.ndarray of shape (n_tests,)
    """
    from statsmodels.stats.multitest import multipletests

    p_values = np.asarray(p_values, dtype=float)
    adjusted = np.full(p_values.shape, np.nan)
    tested = ~np.isnan(p_values)
    if tested.any():
        adjusted[tested] = multipletests(p_values[tested], method="holm")[1]
    return adjusted


def pairs_of_interest(methods):
    """Pairs that answer the questions of a distillation benchmark.

    Parameters
    ----------
    methods : sequence of str

    Returns
    -------
    pairs : list of tuple (method, compared with)
        TSD with every other method, and every "x+tsd" with "x". Where there are several
        "tsd" of different settings, the one without settings, else the first.
    """
    of_tsd = [method for method in methods if BenchmarkMethod(method).base == "tsd"]
    of_tsd.sort(key=lambda method: ":" in method)
    pairs = [(of_tsd[0], other) for other in methods if other != of_tsd[0]] if of_tsd else []
    for method in methods:
        base = BenchmarkMethod(method).base
        without = base.removesuffix("+tsd")
        if without != base and without in methods:
            pairs.append((method, without))
    return pairs


def compare_pairs(rows, metric, pairs, higher_is_better):
    """Compare pairs of methods on the data sets and seeds that both have finished.

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows of one protocol, teacher and student; see `read_results`.
    metric : str
        A column of the rows.
    pairs : sequence of tuple (method, compared with)
    higher_is_better : bool

    Returns
    -------
    comparison : pandas.DataFrame
        Columns ``method``, ``with``, ``datasets``, ``gain`` (mean difference, positive if the
        first is better), ``wins``, ``ties``, ``losses``, ``p`` (Wilcoxon; NaN if there are too
        few data sets for p < 0.05) and ``p_holm`` (adjusted for the number of pairs).
    """
    sign = 1 if higher_is_better else -1
    found = []
    for method, other in pairs:
        both = scores(rows[rows["method"].isin([method, other])], metric)[[method, other]].dropna()
        gains = np.round(sign * (both[method] - both[other]).to_numpy(), _DECIMALS)
        found.append(
            {
                "method": method,
                "with": other,
                "datasets": len(gains),
                "gain": gains.mean() if len(gains) else np.nan,
                "wins": int((gains > 0).sum()),
                "ties": int((gains == 0).sum()),
                "losses": int((gains < 0).sum()),
                "p": _p_value(gains),
            }
        )
    columns = ["method", "with", "datasets", "gain", "wins", "ties", "losses", "p"]
    comparison = pd.DataFrame(found, columns=columns)
    comparison["p_holm"] = holm(comparison["p"])
    return comparison


def p_value_matrix(table):
    """Test all pairs, on the data sets that all methods have; adjust the p-values by Holm.

    Parameters
    ----------
    table : pandas.DataFrame of shape (n_datasets, n_methods)

    Returns
    -------
    p_values : pandas.DataFrame of shape (n_methods, n_methods)
        Symmetric, 1 on the diagonal.
    """
    complete = table.dropna()
    pairs = list(combinations(complete.columns, 2))
    differences = [(complete[a] - complete[b]).round(_DECIMALS).to_numpy() for a, b in pairs]
    adjusted = holm([_p_value(difference) for difference in differences])
    matrix = pd.DataFrame(1.0, index=complete.columns, columns=complete.columns)
    for (a, b), p in zip(pairs, adjusted, strict=True):
        matrix.loc[a, b] = matrix.loc[b, a] = p
    return matrix
