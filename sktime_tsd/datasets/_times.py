"""Times of a file: used for the order of values, and for nothing else."""

import numpy as np

from sktime_tsd.datasets._text import CellError

__all__ = ["NotATimeError", "sortable_times"]


class NotATimeError(CellError):
    """A cell that should hold a time does not."""

    def __str__(self):
        return f"{self.text!r} is neither a number nor a date such as 2024-01-31 12:00:00"


def sortable_times(cells):
    """Turn times into values that sort.

    Parameters
    ----------
    cells : sequence of str
        All numbers, or all dates in the form of ISO 8601, such as ``2024-01-31 12:00:00``. Dates
        without a time zone count as UTC.

    Returns
    -------
    times : numpy.ndarray of shape (len(cells),), int64, float64 or datetime64

    Raises
    ------
    NotATimeError
        If one is neither.

    Examples
    --------
    >>> from sktime_tsd.datasets._times import sortable_times
    >>> sortable_times(["10", "9"]).tolist()
    [10, 9]
    >>> sortable_times(["2024-01-31", "2024-01-30T12:00Z"]).argsort().tolist()
    [1, 0]
    """
    # whole numbers first: nanoseconds since 1970 are not exact in float64
    for dtype in (np.int64, np.float64):
        try:
            times = np.array(cells, dtype=dtype)
        except (ValueError, OverflowError):
            continue
        missing = np.isnan(times)
        break
    else:
        import pandas as pd

        dates = pd.to_datetime(list(cells), format="ISO8601", utc=True, errors="coerce")
        times, missing = dates.tz_localize(None).to_numpy(), dates.isna()
        if missing[0] and _is_number(cells[0]):  # then the others should be numbers, too
            missing = np.array([not _is_number(cell) for cell in cells])
    if missing.any():
        position = int(missing.argmax())
        raise NotATimeError(position, cells[position])
    return times


def _is_number(cell):
    try:
        float(cell)
    except ValueError:
        return False
    return True
