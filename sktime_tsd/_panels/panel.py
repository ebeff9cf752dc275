"""From any container to a panel: values, names of channels, labels of series."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from sktime.datatypes import check_is_scitype, convert

from sktime_tsd._panels.arrays import as_numpy_hint, check_panel_shape, with_lengths
from sktime_tsd._panels.frames import is_nested, is_real, read_list, read_multiindex, read_nested
from sktime_tsd._panels.irregular import Lengths
from sktime_tsd._panels.rules import STRICT
from sktime_tsd._utils.pipelines import split_pipeline

__all__ = [
    "Panel",
    "by_position",
    "channel_names",
    "length_of",
    "read_like",
    "read_panel",
    "rules_of",
]

_FORMS = (
    "an array of shape (n_instances, n_channels, n_timepoints), a list of arrays or of frames, one "
    "for each series, or a DataFrame with an index (series, time point)"
)


@dataclass(frozen=True)
class Panel:
    """Series brought to one length, and what their container called them.

    Parameters
    ----------
    values : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
        Real and finite.
    names : tuple or None
        Of the channels; None if the container has none.
    instances : pandas.Index of shape (n_instances,) or None
        Labels of the series; None if the container has none.
    lengths : Lengths or None
        Of the series before they were resampled; None if none was.
    """

    values: np.ndarray
    names: tuple | None = None
    instances: pd.Index | None = None
    lengths: Lengths | None = None

    def in_order(self, names, owner="the classifier"):
        """Put the channels in the order of `fit`.

        Parameters
        ----------
        names : sequence or None
            Those seen in `fit`. None, or a panel without names, leaves the order; see
            `by_position`.
        owner : str
            Whose names they are, for messages.

        Returns
        -------
        panel : Panel

        Raises
        ------
        ValueError
            If the channels have other names. The message lists them.
        """
        names = None if names is None else tuple(names)
        if self.names == names or by_position(self.names, names):
            return self
        missing = [name for name in names if name not in self.names]
        unknown = [name for name in self.names if name not in names]
        if missing or unknown:
            parts = {"lacks": missing, "has unknown": unknown}
            said = " and ".join(
                f"{verb} {_listed(these)}" for verb, these in parts.items() if these
            )
            raise ValueError(
                f"X {said}: {owner} was fitted on the channels {_listed(names)}. Select and rename "
                "the columns, or pass an array to go by position."
            )
        order = [self.names.index(name) for name in names]
        return replace(self, values=self.values[:, order], names=names)


def _listed(names):
    names = [str(name) if isinstance(name, str) else repr(name) for name in names]
    return ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")


def by_position(names, others):
    """Tell whether channels can be matched by position alone.

    sktime's pipelines call the channels of an array var_0, var_1 and so on, so such names match
    any others.

    Parameters
    ----------
    names, others : tuple or None

    Returns
    -------
    bool

    Examples
    --------
    >>> from sktime_tsd._panels.panel import by_position
    >>> by_position(("acc", "gyr"), ("var_0", "var_1")), by_position(("acc", "gyr"), ("acc", "x"))
    (True, False)
    """
    if names is None or others is None:
        return True
    either_is_of_sktime = any(
        these == tuple(f"var_{place}" for place in range(len(these))) for these in (names, others)
    )
    return either_is_of_sktime and set(names).isdisjoint(others)


def channel_names(classifier):
    """Names of the channels that a classifier was fitted on.

    Parameters
    ----------
    classifier : object
        A pipeline has the names of its last step, if all others keep the channels.

    Returns
    -------
    names : tuple or None
        None if it was fitted on series without names, or does not say.
    """
    names = getattr(classifier, "feature_names_in_", None)
    if names is None:
        steps, last = split_pipeline(classifier)
        if steps and all(getattr(step, "keeps_channels", False) for _, step in steps):
            names = getattr(last, "feature_names_in_", None)
    return None if names is None else tuple(names)


def rules_of(classifier):
    """How a fitted classifier reads series of unequal length or with missing values.

    Parameters
    ----------
    classifier : object
        A pipeline has the rules of its last step, for series that enter its first one.

    Returns
    -------
    rules : PanelRules
        Those that refuse, if it does not say.
    """
    _, last = split_pipeline(classifier)
    if not hasattr(type(last), "_panel_rules"):
        return STRICT
    return last._panel_rules()._replace(n_timepoints=length_of(classifier))


def length_of(classifier):
    """Length of the series that a fitted classifier reads.

    Parameters
    ----------
    classifier : object
        Of a pipeline, the series that enter its first step count.

    Returns
    -------
    n_timepoints : int or None
        None if it reads any, or does not say.
    """
    steps, last = split_pipeline(classifier)
    last = getattr(last, "student_", last)
    changing = [step for _, step in steps if hasattr(step, "n_timepoints_")]
    return getattr((changing or [last])[0], "n_timepoints_", None)


def read_panel(X, rules=STRICT):
    """Read and check a panel in any container.

    Parameters
    ----------
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
        Or of shape (n_instances, n_timepoints), a list of arrays or frames, a DataFrame with an
        index (series, time point), one whose cells are series, any other panel of sktime, or
        a `Panel`, which stays as it is.
    rules : PanelRules, optional
        What to do with unequal lengths and missing values; by default they are refused.

    Returns
    -------
    panel : Panel

    Raises
    ------
    ValueError
        If series are missing, differ in length, or hold missing or infinite values that the rules
        do not mend.
    TypeError
        If it is no panel of real numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> from sktime_tsd._panels.panel import read_panel
    >>> index = pd.MultiIndex.from_product([["a", "b"], range(3)])
    >>> panel = read_panel(pd.DataFrame({"acc": range(6), "gyr": range(6)}, index=index))
    >>> panel.values.shape, panel.names, list(panel.instances)
    ((2, 2, 3), ('acc', 'gyr'), ['a', 'b'])
    """
    if isinstance(X, Panel):
        return X
    if isinstance(X, np.ndarray):
        return _checked(X, None, None, rules, may_be_padded=True)
    if isinstance(X, (list, tuple)):
        kinds = [pd.DataFrame] if X and isinstance(X[0], pd.DataFrame) else [pd.Series]
        if not X or not all(isinstance(one, tuple(kinds)) for one in X):
            return _checked(X, None, None, rules)
        return _checked(*read_list(X), rules)
    if isinstance(X, pd.Series):
        X = X.to_frame() if isinstance(X.index, pd.MultiIndex) or X.dtype == object else X
    if not isinstance(X, pd.DataFrame):
        X = _in_pandas(X)
    if isinstance(X.index, pd.MultiIndex):
        return _checked(*read_multiindex(X), rules)
    if is_nested(X):
        return _checked(*read_nested(X), rules)
    no_numbers = [name for name, dtype in X.dtypes.items() if not is_real(dtype)]
    without = f".drop(columns={no_numbers!r})" if 0 < len(no_numbers) <= 4 else ""
    raise TypeError(
        f"X is a flat table of {X.shape[0]} rows and {X.shape[1]} columns ("
        f"{_listed(X.columns[:3])}, ...). If each row is a series of one channel, pass "
        f"X{without}.to_numpy().\nIf each row is a time point, pass X.set_index([series, time]), "
        "with a column for each channel left."
    )


def _checked(values, names, instances, rules, *, may_be_padded=False):
    values, lengths = with_lengths(values, rules, may_be_padded=may_be_padded)
    return Panel(values, names, instances, lengths)


def _in_pandas(X):
    """Convert what only sktime knows."""
    try:
        is_panel, _, metadata = check_is_scitype(X, "Panel", return_metadata=["mtype"])
        reason = None
    except Exception as error:  # sktime's checks may raise any error here
        is_panel, reason = False, error
    if not is_panel:
        kind = type(X).__name__
        if (module := type(X).__module__.partition(".")[0]) != "builtins":
            kind = f"{module}.{kind}"
        hint = _conversion(X)
        expected = f"X must be {_FORMS}; got" if len(hint) < 40 else "X must be a panel, got"
        raise TypeError(f"{expected} a {kind}, which is no panel.{hint}") from reason
    return convert(X, metadata["mtype"], "pd-multiindex", as_scitype="Panel")


def _conversion(X):
    """Say how to make a panel of what is none."""
    for method in ("to_pandas", "collect"):  # polars, pyarrow and others
        if hasattr(X, method):
            made = "X.to_pandas()" if method == "to_pandas" else "X.collect().to_pandas()"
            return (
                f" If each row is a time point, pass {made}.set_index([series, time]), with a "
                "column for each channel left."
            )
    if hasattr(X, "X") and hasattr(X, "y"):
        return " Pass its X."
    return as_numpy_hint(X)


def read_like(X, panel, name, rules=STRICT):
    """Read further series, which must be like those of a panel.

    Parameters
    ----------
    X : panel in any container
    panel : Panel
    name : str
        Of the argument, for messages.
    rules : PanelRules, optional
        What to do with unequal lengths, to bring them to that of `panel`, and missing values.

    Returns
    -------
    values : numpy.ndarray of shape (n, n_channels, n_timepoints)
        Channels in the order of `panel`.

    Raises
    ------
    ValueError, TypeError
        If they cannot be used, or have other channels or lengths.
    """
    try:
        rules = rules._replace(n_timepoints=panel.values.shape[2])
        values = read_panel(X, rules).in_order(panel.names).values
        check_panel_shape(values, *panel.values.shape[1:])
    except (ValueError, TypeError) as error:
        raise type(error)(f"{name}: {error}") from error
    return values
