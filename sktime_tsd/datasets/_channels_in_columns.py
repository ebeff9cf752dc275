"""Several channels in a table with one series per row."""

import re

import numpy as np

__all__ = ["panel_of_columns"]

# What a column is called: a channel, if any, and the number of a time point.
_NAME = re.compile(r"(.*?)(\d+(?:\.\d+)?)[\s\])]*")

# What stands around both, as in acc_0, acc[0] and ('acc', 0).
_AROUND = " _.:-,'\"([])"


def panel_of_columns(where, names, values):
    """Put the columns of a table in channels, by names such as acc_0, acc_1, gyr_0, gyr_1.

    Parameters
    ----------
    where : object
        What the message calls the table.
    names : list of str of length n_columns, or None
    values : numpy.ndarray of shape (n_instances, n_columns)

    Returns
    -------
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
        Time points in the order of their numbers. One channel, in the order of the columns, unless
        the names say otherwise.
    channels : list of str or None
        Names, in the order of the columns, if there are several.

    Raises
    ------
    ValueError
        If channels have different time points, or the names have two numbers, each of which may be
        the channel's.

    Examples
    --------
    >>> import numpy as np
    >>> from sktime_tsd.datasets._channels_in_columns import panel_of_columns
    >>> panel_of_columns("a", ["acc_0", "acc_1", "gyr_0", "gyr_1"], np.array([[1.0, 2, 3, 4]]))
    (array([[[1., 2.],
            [3., 4.]]]), ['acc', 'gyr'])
    """
    places = _places(names or [])
    if places is None:
        return values[:, None], None
    channels = list(places)
    times = [{time for time, _ in of_channel} for of_channel in places.values()]
    if any(of_channel != times[0] for of_channel in times):
        raise ValueError(
            f"{where}: channels {channels[0]!r} and {channels[-1]!r} have columns for different "
            "time points. A table with a row per series needs a column for each channel and time "
            "point; write a row for each time point instead."
        )
    if any(char.isdigit() for name in channels for char in name):
        raise ValueError(
            f"{where}: is {names[0]!r} channel {channels[0]!r}, as {channels[1]!r} would be "
            "another? Name channels without digits, such as a_0, a_1, b_0, b_1; or, if there is "
            "one channel, time points by one number, such as t0, t1."
        )
    order = [[position for _, position in sorted(of_channel)] for of_channel in places.values()]
    return values[:, np.array(order)], channels


def _places(names):
    """Find (time, position) of each column by channel; None if there are no several channels."""
    places = {}
    for position, name in enumerate(names):
        found = _NAME.fullmatch(name)
        # dates and times of day are no names
        if found is None or not any(map(str.isalpha, found[1])):
            return None
        channel = found[1].strip(_AROUND)
        places.setdefault(channel, []).append((float(found[2]), position))
    is_several = len(places) > 1 and min(map(len, places.values())) > 1
    return places if is_several else None
