"""The table that the command ``predict`` writes."""

import sys

import numpy as np
import pandas as pd

__all__ = ["prediction_table"]


def prediction_table(model, X, data, model_path, data_path):
    """Predict the series of a file.

    Parameters
    ----------
    model : classifier with predict_proba
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints), or list
        The series, as the model reads them.
    data : SeriesData
        The file.
    model_path, data_path : pathlib.Path
        Where they come from, for messages.

    Returns
    -------
    table : pandas.DataFrame
        Columns ``id`` and ``label`` if `data` has them, ``prediction`` and, for each class,
        ``probability_CLASS``.

    Raises
    ------
    ValueError
        If the labels of one are numbers and those of the other text, and none agree; or the
        probabilities are not of one label per series.
    """
    classes = np.asarray(model.classes_)
    probabilities = np.asarray(model.predict_proba(X))
    if probabilities.shape != (len(X), len(classes)):
        raise ValueError(
            f"the classifier in {model_path} gives probabilities of shape "
            f"{probabilities.shape} for {len(X)} series and {len(classes)} classes; "
            "only classifiers of one label per series can be used."
        )
    if data.y is not None:
        _compare_labels(classes, data.y, model_path, data_path)
    given = {"id": data.ids, "label": data.y}
    table = pd.DataFrame({name: column for name, column in given.items() if column is not None})
    table["prediction"] = classes[probabilities.argmax(axis=1)]
    for label, column in zip(classes.tolist(), probabilities.T, strict=True):
        table[f"probability_{label}"] = column
    return table


def _compare_labels(classes, y, model_path, data_path):
    """Refuse or warn of labels none of which is a class of the model."""
    of_model, of_data = ({str(label) for label in labels.tolist()} for labels in (classes, y))
    if of_model & of_data:
        return
    message = (
        f"no label of {data_path} ({_some(of_data)}) is a class of {model_path} ({_some(of_model)})"
    )
    if (classes.dtype.kind in "biuf") != (y.dtype.kind in "biuf"):
        numbers, text = model_path, data_path
        if classes.dtype.kind not in "biuf":
            numbers, text = text, numbers
        raise ValueError(
            f"{message}: the labels of {numbers} are numbers, those of {text} are text. Write the "
            "labels of the file as the model has them."
        )
    print(f"warning: {message}", file=sys.stderr)


def _some(labels):
    shown = sorted(labels)[:5]
    return ", ".join(shown) + (" ..." if len(labels) > len(shown) else "")
