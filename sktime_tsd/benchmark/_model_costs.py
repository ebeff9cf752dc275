"""What the model of each method costs: its size, and its latency in torch and onnxruntime."""

import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

from sktime_tsd.classifier import SkorchClassifier
from sktime_tsd.export import to_onnx
from sktime_tsd.fidelity._cost import latency
from sktime_tsd.runtime import OnnxClassifier

__all__ = ["ONNX_COLUMNS", "costs_by_method", "costs_of_pair", "onnx_cost"]

_N_SERIES = (1, 256)

#: Columns of a row: bytes of the student's ONNX file, and ms per call for 1 and 256 series.
ONNX_COLUMNS = ("bytes_onnx_student", *(f"latency_{n}_onnx_student" for n in _N_SERIES))


def onnx_cost(classifier, X):
    """Measure a classifier as an ONNX file on onnxruntime, with one thread.

    Parameters
    ----------
    classifier : fitted classifier
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
        Series to predict.

    Returns
    -------
    cost : dict of str to float
        Keys `ONNX_COLUMNS`; empty if it is no network of this package, or the libraries are not
        installed.
    """
    installed = all(map(find_spec, ("onnx", "onnxruntime", "onnxscript")))
    if not installed or not isinstance(classifier, SkorchClassifier):
        return {}
    with tempfile.TemporaryDirectory() as folder:
        path = to_onnx(classifier, Path(folder) / "student.onnx", X[:2])
        cost, series = [path.stat().st_size], X.astype(np.float32)
        answer = OnnxClassifier(path).predict_proba
        cost += [np.median(latency(answer, series, n)) for n in _N_SERIES]
    return dict(zip(ONNX_COLUMNS, map(float, cost), strict=True))


def costs_by_method(rows, methods):
    """Tabulate accuracy, size and latency of each method's model.

    Parameters
    ----------
    rows : pandas.DataFrame
        Runs that all methods have finished.
    methods : sequence of str

    Returns
    -------
    table : pandas.DataFrame of shape (n_methods, n_columns)
        Of texts, "-" where nothing was measured. Latencies are medians over the data sets, the
        others means.
    """
    columns = (
        ("accuracy_student", "accuracy", "{:.3f}", "mean"),
        ("parameters_student", "parameters", "{:,.0f}", "mean"),
        ("bytes_student", "pickle, bytes", "{:,.0f}", "mean"),
        ("bytes_onnx_student", "ONNX, bytes", "{:,.0f}", "mean"),
        ("latency_1_student", "ms, 1 series", "{:.2f}", "median"),
        ("latency_256_student", "ms, 256 series", "{:.2f}", "median"),
        ("latency_1_onnx_student", "ONNX ms, 1 series", "{:.3f}", "median"),
        ("latency_256_onnx_student", "ONNX ms, 256 series", "{:.2f}", "median"),
    )
    by_set = rows.groupby(["method", "dataset"]).mean(numeric_only=True)
    cells = {}
    for name, title, form, statistic in columns:
        found = [by_set.loc[method, name].dropna().agg(statistic) for method in methods]
        cells[title] = ["-" if np.isnan(value) else form.format(value) for value in found]
    return pd.DataFrame(cells, index=pd.Index(methods))


def costs_of_pair(by_set):
    """Describe what teacher and student cost.

    Parameters
    ----------
    by_set : pandas.DataFrame
        Means of the rows of each data set.

    Returns
    -------
    cost : dict of str to str
        By title. "Teacher / student" where it is of both.
    """
    cost = {}
    for name, title, form, statistic in (
        ("parameters", "parameters", "{:,.0f}", "mean"),
        ("bytes", "pickle, bytes", "{:,.0f}", "mean"),
        ("latency_1", "ms, 1 series", "{:.2f}", "median"),
        ("latency_256", "ms, 256 series", "{:.2f}", "median"),
    ):
        # Drop what was not measured: older pandas warns about it.
        both = (by_set[f"{name}_{side}"].dropna().agg(statistic) for side in ("teacher", "student"))
        cost[title] = " / ".join("-" if np.isnan(value) else form.format(value) for value in both)
    share = by_set["parameters_student"] / by_set["parameters_teacher"]
    known = share.notna().any()
    cost["share"] = f"{share.mean():.2%}, {share.max():.2%}" if known else "-"
    fit_seconds = by_set["teacher_fit_seconds"].mean()
    cost["teacher fit, s"] = "-" if np.isnan(fit_seconds) else f"{fit_seconds:.1f}"
    return cost
