"""From series of unequal length, or with missing values, to an array of them. numpy alone."""

from typing import NamedTuple

import numpy as np

from sktime_tsd._panels.interpolation import filled, resampled

__all__ = ["Lengths", "check_finite", "regular", "unequal"]


class Lengths(NamedTuple):
    """How long series were before they were resampled.

    Parameters
    ----------
    given : numpy.ndarray of shape (n_instances,)
        Time points with padding.
    read : numpy.ndarray of shape (n_instances,)
        Time points without.
    """

    given: np.ndarray
    read: np.ndarray

    def of(self, instances):
        """Pick those of some series."""
        return Lengths(*(of_each[instances] for of_each in self))


def regular(series, rules, *, may_be_padded):
    """Make one array of series that are not regular, or refuse them.

    Everything is computed in float64, series by series: none depends on the others, but for the
    length of the longest.

    Parameters
    ----------
    series : sequence of numpy.ndarray of shape (n_channels, n_timepoints)
        Masked and NaN values are missing. Lengths may differ.
    rules : PanelRules
    may_be_padded : bool
        Whether time points at the end at which no channel has a value are padding, if the rules
        allow unequal lengths.

    Returns
    -------
    values : numpy.ndarray of shape (n_instances, n_channels, n_timepoints), float64
        Finite.
    lengths : Lengths or None
        None if nothing was resampled.

    Raises
    ------
    ValueError
        If the rules refuse the series, a value is infinite, or a channel has no value.
    """
    given = lengths = np.array([one.shape[1] for one in series])
    if (lengths != lengths[0]).any() and not rules.resamples:
        raise ValueError(unequal(lengths))
    cuts = may_be_padded and rules.resamples
    if rules.missing_values == "raise" and not cuts:
        check_finite(series)
    series = [_with_nan(one) for one in series]
    check_finite(series, missing_ok=True)
    if cuts:
        lengths = np.array([_length_without_padding(one) for one in series])
        series = [one[:, :length] for one, length in zip(series, lengths, strict=True)]
        if rules.missing_values == "raise":
            check_finite(series)
    _check_has_values(series)
    n_timepoints = rules.n_timepoints if rules.resamples else None
    n_timepoints = n_timepoints or int(lengths.max())
    values = np.empty((len(series), len(series[0]), n_timepoints))
    for length in np.unique(lengths):
        places = np.flatnonzero(lengths == length)
        of_length = np.stack([series[place] for place in places])
        values[places] = resampled(filled(of_length), n_timepoints)
    is_as_given = (given == n_timepoints).all() and (lengths == n_timepoints).all()
    return values, None if is_as_given else Lengths(given, lengths)


def _with_nan(one):
    """Convert to float64, with NaN in place of masked values."""
    return np.ma.filled(one.astype(np.float64), np.nan)


def _length_without_padding(one):
    has_value = ~np.isnan(one).all(axis=0)
    return one.shape[1] - int(has_value[::-1].argmax()) if has_value.any() else 0


def _check_has_values(series):
    for number, one in enumerate(series):
        empty = np.isnan(one).all(axis=1)
        if empty.any():
            channel = f"channel {empty.argmax()}"
            raise ValueError(
                f"Series {number} of X has no value in {'any channel' if empty.all() else channel}"
                ", so there is nothing to interpolate. Drop such series, or fill the channel "
                "yourself."
            )


def unequal(lengths):
    """Word the refusal of series that differ in length.

    Parameters
    ----------
    lengths : sequence of int
        One for each series.

    Returns
    -------
    message : str
    """
    return (
        f"X contains series of unequal length, from {min(lengths)} to {max(lengths)}. Fit the "
        'classifier with unequal_length="resample", or make them equally long first, with '
        f"sktime_tsd.preprocessing.SeriesResampler(length={max(lengths)})."
    )


def check_finite(series, *, missing_ok=False):
    """Refuse missing and infinite values.

    Parameters
    ----------
    series : numpy.ndarray of shape (n_instances, ...), or sequence of arrays
        Masked and NaN values are missing.
    missing_ok : bool, default=False
        Whether to refuse infinite values alone.

    Raises
    ------
    ValueError
        The message counts the series.
    """
    masked = [np.ma.getmaskarray(one) if np.ma.isMA(one) else False for one in series]
    values = [np.asarray(one) for one in series]
    missing = [np.isnan(x) | hidden for x, hidden in zip(values, masked, strict=True)]
    infinite = [np.isinf(x) & ~gap for x, gap in zip(values, missing, strict=True)]
    bad = np.flatnonzero([gap.any() for gap in missing])
    kind = "masked (missing) values" if any(map(np.any, masked)) else "NaN"
    if missing_ok or not len(bad):
        bad, kind = np.flatnonzero([one.any() for one in infinite]), "infinite values"
        remedy = "Drop these series, or replace the values first."
    elif _is_padding(missing):
        remedy = (
            "They stand at the end: if they pad shorter series, fit the classifier with "
            'unequal_length="resample", else with missing_values="interpolate".'
        )
    else:
        remedy = (
            'Fit the classifier with missing_values="interpolate", or drop these series. Before '
            "the first step of a pipeline, put sktime's FitInTransform(Imputer())."
        )
    if len(bad):
        raise ValueError(
            f"X contains {kind} in {len(bad)} of {len(values)} series (the first is series "
            f"{bad[0]}). {remedy}"
        )


def _is_padding(missing):
    """Whether all that is missing stands at the end of a series, in every channel."""
    ends = [gap.reshape(-1, gap.shape[-1]) for gap in missing]
    return all(
        (gap == gap[:1]).all() and (np.diff(gap[0].astype(int)) >= 0).all() and not gap[0, 0]
        for gap in ends
    )
