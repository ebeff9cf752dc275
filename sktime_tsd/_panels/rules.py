"""What to do with series of unequal length and with missing values. numpy alone."""

from typing import NamedTuple

__all__ = ["MISSING_VALUES", "STRICT", "UNEQUAL_LENGTH", "PanelRules"]

UNEQUAL_LENGTH = ("raise", "resample")
MISSING_VALUES = ("raise", "interpolate")


class PanelRules(NamedTuple):
    """How a panel is read.

    Parameters
    ----------
    unequal_length : {"raise", "resample"}
        "resample" interpolates each series linearly at equally spaced places between its first
        and its last time point. In one array of all series, time points at the end at which no
        channel has a value are padding: the series ends before them. Elsewhere each series says
        how long it is, and its values are missing.
    missing_values : {"raise", "interpolate"}
        "interpolate" fills each channel linearly in time, before the first and after the last
        value with that value.
    n_timepoints : int or None
        Length to resample to; None is that of the longest series.
    """

    unequal_length: str = "raise"
    missing_values: str = "raise"
    n_timepoints: int | None = None

    @property
    def resamples(self):
        """Whether series of any length are read."""
        return self.unequal_length == "resample"


#: Refuses whatever is not regular.
STRICT = PanelRules()
