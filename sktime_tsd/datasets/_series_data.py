"""What `read_series` returns."""

from dataclasses import dataclass

import numpy as np

__all__ = ["SeriesData", "check_equal_lengths", "joined"]


@dataclass(frozen=True, eq=False)
class SeriesData:
    """Series of a file, in the order of the file.

    Parameters
    ----------
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints), or list of numpy.ndarray
        Of float64; NaN where a value is missing. If lengths differ, a list with one array of
        shape (n_channels, n_timepoints of this series) per series.
    y : numpy.ndarray of shape (n_instances,), or None
        Labels: text, exactly as written, from text files; of the stored type from ``.npz`` and
        ``.parquet``. None if the file has no labels.
    ids : numpy.ndarray of shape (n_instances,), or None
        Names of the series, if the file has a column of them.
    channels : list of str, or None
        Names of the channels, if the file has them.

    Examples
    --------
    >>> import numpy as np
    >>> from sktime_tsd.datasets import SeriesData
    >>> data = SeriesData(np.zeros((2, 1, 5)), np.array(["a", "b"]), channels=["acc"])
    >>> data.X.shape, data.to_frame().shape
    ((2, 1, 5), (10, 1))
    """

    X: np.ndarray | list
    y: np.ndarray | None = None
    ids: np.ndarray | None = None
    channels: list | None = None

    def to_frame(self):
        """Return the series as a panel of sktime, which knows the names of the channels.

        Classifiers that are fitted on it remember the names: they put another order right, and
        refuse other channels.

        Returns
        -------
        frame : pandas.DataFrame
            A column for each channel, and a row for each time point. Its index has the levels
            ``id`` (a number if there are no ids) and ``time`` (numbers from 0).
        """
        import pandas as pd

        n_timepoints = [series.shape[1] for series in self.X]
        ids = np.arange(len(self.X)) if self.ids is None else self.ids
        index = pd.MultiIndex.from_arrays(
            [np.repeat(ids, n_timepoints), np.concatenate(list(map(np.arange, n_timepoints)))],
            names=["id", "time"],
        )
        values = np.concatenate([series.T for series in self.X])  # (n_rows, n_channels)
        return pd.DataFrame(values, index=index, columns=self.channels)


def joined(series):
    """Join series into one array, if their lengths allow it.

    Parameters
    ----------
    series : list of numpy.ndarray of shape (n_channels, n_timepoints)

    Returns
    -------
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints), or the list
    """
    return np.stack(series) if len({part.shape for part in series}) == 1 else series


def check_equal_lengths(where, lengths, hint=""):
    """Refuse series of unequal lengths.

    Parameters
    ----------
    where : object
        What the message calls the series' place.
    lengths : collection of int
    hint : str, optional
        What else can be done.

    Raises
    ------
    ValueError
        If two are different.
    """
    if len(set(lengths)) > 1:
        raise ValueError(
            f"The series of {where} have unequal lengths ({min(lengths)} to {max(lengths)} "
            f"time points). Pad or resample them first{hint}."
        )
