"""Class labels: one plain numpy dtype whatever the container, in the order of the series."""

import warnings

import numpy as np
import pandas as pd
from sklearn.utils.multiclass import check_classification_targets

__all__ = ["aligned", "check_labels"]


def check_labels(y, panel=None):
    """Check class labels, and bring them to a plain numpy dtype and the order of the series.

    Strings become ``<U`` (numpy's ``str``), integers and booleans ``int64`` and ``bool``, whether
    they come as objects, in pandas' nullable, arrow-backed or categorical dtypes, or in numpy's
    StringDType. Other numpy dtypes stay.

    Parameters
    ----------
    y : array-like of shape (n_instances,), (n_instances, 1) or (n_instances, n_outputs)
    panel : Panel, optional
        Labels with an index are put in the order of its series; their number must fit.

    Returns
    -------
    y : numpy.ndarray of shape (n_instances,), or pandas.DataFrame or numpy.ndarray of n_outputs

    Raises
    ------
    TypeError
        If `y` is not array-like, or its labels are not all of one kind.
    ValueError
        If `y` is empty or does not fit the series, a label is missing, or the labels are
        continuous numbers.

    Warns
    -----
    UserWarning
        If the columns of `y` look one-hot.

    Examples
    --------
    >>> import pandas as pd
    >>> from sktime_tsd._panels.labels import check_labels
    >>> check_labels(pd.Series([1, 0], dtype="Int64")).dtype
    dtype('int64')
    """
    if isinstance(y, (str, bytes, np.generic)) or not _is_array_like(y):
        raise TypeError(
            "y must be an array, pandas Series or list of class labels, one per series; "
            f"got {y!r:.60}."
        )
    if isinstance(y, (list, tuple)):
        y = _of_list(y)
    elif not isinstance(y, (pd.Series, pd.DataFrame, pd.Index, np.ndarray)):
        y = pd.Series(y) if isinstance(y, pd.api.extensions.ExtensionArray) else _as_numpy(y)
    if y.ndim == 0 or 0 in y.shape:
        raise ValueError(
            f"y must hold one class label per series, got an array of shape {y.shape}."
        )
    if panel is not None:
        if len(y) != len(panel.values):
            raise ValueError(
                f"y must hold one label for each of {len(panel.values)} series, got {len(y)} "
                f"(shape {y.shape})."
            )
        y = aligned("y", y, panel)
    if y.ndim == 1:
        return _plain(y)
    if y.ndim > 2:
        raise ValueError(f"y must hold labels in one column or several, got shape {y.shape}.")
    is_frame = isinstance(y, pd.DataFrame)
    columns = [y.iloc[:, k] if is_frame else y[:, k] for k in range(y.shape[1])]
    plain = [_plain(column) for column in columns]
    if len(plain) == 1:
        return plain[0]
    if is_frame:
        y = pd.DataFrame(dict(enumerate(plain))).set_axis(y.columns, axis=1)
    elif len({column.dtype.kind for column in plain}) > 1:  # sktime sorts no objects
        y = pd.DataFrame(dict(enumerate(plain)))
    else:
        y = np.stack(plain, axis=1)
    _warn_if_one_hot(y)
    return y


def _is_array_like(y):
    return isinstance(y, (list, tuple)) or hasattr(y, "to_numpy") or hasattr(y, "__array__")


def _as_numpy(y):
    return np.asarray(y if hasattr(y, "__array__") else y.to_numpy())


def _of_list(y):
    """Make an array of a list; its strings and numbers stay what they are."""
    lengths = {len(row) if isinstance(row, (list, tuple, np.ndarray)) else None for row in y}
    if len(lengths) > 1:
        raise ValueError("y is a list of rows of unequal length. Pass one label per series.")
    shape = (len(y),) if lengths <= {None} else (len(y), *lengths)
    labels = np.empty(shape, dtype=object)
    labels[:] = y
    return labels


def _plain(y):
    """Labels of shape (n,), checked and in a plain numpy dtype."""
    labels = _in_numpy(y)
    # without this check, each regression target would become a class of its own
    check_classification_targets(labels)
    return labels


def _in_numpy(y):
    if isinstance(y, np.ma.MaskedArray):
        _check_values(y.data, np.ma.getmaskarray(y))
        y = y.data
    if isinstance(y, np.ndarray) and y.dtype.kind not in "OT":
        _check_values(y, pd.isna(y))
        return y
    if isinstance(y, np.ndarray):
        labels = y.astype(object)
    else:
        missing = np.asarray(pd.isna(y))
        _check_values(np.empty(0), missing)
        numpy_dtype = getattr(y.dtype, "numpy_dtype", y.dtype)
        if isinstance(numpy_dtype, np.dtype) and numpy_dtype.kind in "iufb":
            labels = y.to_numpy(dtype=numpy_dtype)
            _check_values(labels, missing)
            return labels
        labels = np.asarray(y, dtype=object)
        if isinstance(y.dtype, np.dtype) and y.dtype.kind not in "OT":
            labels = np.asarray(y)
    _check_values(labels, np.asarray(pd.isna(labels)))
    return _of_one_kind(labels) if labels.dtype == object else labels


def _check_values(values, missing):
    if missing.any():
        raise ValueError(
            f"y contains {int(missing.sum())} missing labels (NaN, NA or None). Drop these series."
        )
    if values.dtype.kind == "f" and np.isinf(values).any():
        raise ValueError("y contains infinite values, which cannot be class labels.")


_KINDS = (
    ("booleans", (bool, np.bool_)),
    ("strings", (str,)),
    ("numbers", (int, float, np.integer, np.floating)),
)


def _kind(label):
    return next((name for name, types in _KINDS if isinstance(label, types)), type(label).__name__)


def _of_one_kind(labels):
    kinds = sorted({_kind(label) for label in labels})
    if len(kinds) > 1:
        raise TypeError(
            f"y mixes {' and '.join(kinds)}: make all labels strings, all numbers or all booleans."
        )
    if kinds[0] not in {name for name, _ in _KINDS}:
        raise TypeError(
            f"y holds labels of type {kinds[0]}: make them strings, integers or booleans."
        )
    plain = np.array(labels.tolist())
    if plain.dtype == object or plain.tolist() != labels.tolist():
        # too large an integer, or a string that ends in NUL, which numpy cuts off
        return labels
    _check_values(plain, np.zeros(0, dtype=bool))
    return plain


def _warn_if_one_hot(y):
    values = np.asarray(y)
    try:
        ones = values.astype(float) == 1
    except (TypeError, ValueError):
        return
    others = np.unique(values[~ones].astype(float))
    is_one_hot = (ones.sum(axis=1) == 1).all() and len(others) == 1 and others[0] in (0, -1)
    if is_one_hot and ones.any(axis=0).sum() > 1:
        remedy = "y.idxmax(axis=1)" if isinstance(y, pd.DataFrame) else "y.argmax(axis=1)"
        warnings.warn(
            f"y has {values.shape[1]} columns with a single 1 in each row: it looks one-hot. One "
            "classifier is fitted for each column, and predict returns a table. For one classifier "
            f"of {values.shape[1]} classes pass {remedy}.",
            UserWarning,
            stacklevel=4,
        )


def aligned(name, rows, panel):
    """Put rows in the order of the series, if both say which series they belong to.

    Parameters
    ----------
    name : str
        What the message calls the rows.
    rows : array-like of shape (n_instances, ...)
        A pandas object is aligned by its index, anything else by position.
    panel : Panel

    Returns
    -------
    rows : as given

    Raises
    ------
    ValueError
        If the index names other series.
    """
    known = panel.instances
    if known is None or not isinstance(rows, (pd.Series, pd.DataFrame)) or rows.index.equals(known):
        return rows
    found = rows.index
    unique = found.is_unique and known.is_unique and not isinstance(found, pd.MultiIndex)
    order = found.get_indexer(known) if unique else np.full(len(known), -1)
    if (order < 0).any() or len(found) != len(known):
        raise ValueError(
            f"{name} and X belong to different series: the index of {name} is {_listed(found)}, "
            f"the series of X are {_listed(known)}. Pass {name}.reindex(...) in the order of X, or "
            f"{name}.to_numpy() if the rows are in that order already."
        )
    return rows.iloc[order]


def _listed(index):
    labels = [repr(label) for label in index[:5].tolist()]
    return f"[{', '.join(labels)}{', ...' if len(index) > 5 else ''}]"
