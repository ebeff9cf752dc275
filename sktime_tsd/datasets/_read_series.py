"""Series from a file of any form that this package reads."""

import dataclasses
from pathlib import Path

from sktime_tsd.datasets._arff import read_arff
from sktime_tsd.datasets._arrays import read_npy, read_npz
from sktime_tsd.datasets._columns import ColumnOptions, find_columns
from sktime_tsd.datasets._labels import check_no_targets
from sktime_tsd.datasets._long import read_long
from sktime_tsd.datasets._parquet import read_parquet
from sktime_tsd.datasets._regular_file import check_regular_file
from sktime_tsd.datasets._text_table import open_table
from sktime_tsd.datasets._ts import read_ts
from sktime_tsd.datasets._wide import read_wide

__all__ = ["read_series"]

_TEXT_TABLES = (".csv", ".tsv", ".txt")
_READERS = {".ts": read_ts, ".arff": read_arff, ".npy": read_npy, ".npz": read_npz}

# Suffix -> what such a file is, and what to do with it.
_OTHERS = {
    **dict.fromkeys(
        (".xlsx", ".xls", ".xlsm", ".ods"), "is a spreadsheet; save it as CSV in UTF-8"
    ),
    **dict.fromkeys(
        (".gz", ".zip", ".xz", ".bz2", ".7z", ".tar", ".zst"), "is compressed; unpack it first"
    ),
    **dict.fromkeys(
        (".pkl", ".pickle", ".joblib"),
        "is a pickle, which runs code when loaded; save the arrays by numpy.savez",
    ),
    ".tsf": "is a forecasting set, without classes",
    ".json": "is a JSON file; save it as CSV",
    ".mat": "is a MATLAB file; load it by scipy.io.loadmat and save the arrays by numpy.savez",
    **dict.fromkeys((".h5", ".hdf5", ".hdf"), "is an HDF5 file; save the arrays by numpy.savez"),
    **dict.fromkeys((".feather", ".arrow"), "is a feather file; save it as parquet or CSV"),
    ".wav": "is a sound file; save the arrays by numpy.savez",
    ".edf": "is an EDF recording; save the arrays by numpy.savez",
}


def read_series(
    path,
    *,
    label_column=None,
    id_column=None,
    time_column=None,
    channel_column=None,
    value_column=None,
    ignore_columns=(),
    header=None,
):
    """Read series, and their labels if there are any, from a file.

    The form follows from the end of the file's name:

    * ``.ts``, sktime's form. Labels are kept to the letter.
    * ``.csv``, ``.tsv`` and ``.txt``: one row per series, with several channels if columns are
      called ``acc_0``, ``acc_1``, ``gyr_0``, ``gyr_1``; or one row per time point, if there are
      a column of ids and one of times; or one row per time point and channel. Cells are separated
      by commas, semicolons, tabs, bars or, in the other two, blanks. Without a header, ``.tsv``
      and ``.txt`` files are those of the UCR archive: the label comes first.
    * ``.parquet``, for tables like these, or with lists in the cells (needs pyarrow).
    * ``.npy``, an array of series, and ``.npz``, arrays ``X`` and ``y``.
    * ``.arff``, of sets of one channel of the UCR archive.

    Parameters
    ----------
    path : path-like
    label_column, id_column, time_column, channel_column, value_column : str, int or False, optional
        Of tables: the name of the column, its position (0 is the first, -1 the last), or False if
        there is none. By default, columns with a usual name are used: ``label``, ``target``,
        ``class`` or ``y``; ``id``, ``case_id``, ``series_id`` ...; ``time``, ``timestamp``,
        ``date`` ...; ``channel`` or ``dim_id`` together with ``value``.
    ignore_columns : sequence of str or int, default=()
        Of tables: columns to leave out, by name or position.
    header : bool, optional
        Of text tables: whether the first row holds names. Default: it does if it is not made of
        numbers.

    Returns
    -------
    data : SeriesData
        With the fields ``X``, ``y``, ``ids`` and ``channels``. Labels from text files are text,
        exactly as written: "01" is not "1", and "NA" is a label.

    Raises
    ------
    ValueError
        If the file cannot be read. The message names the place in the file, what was expected,
        and the parameter that helps.

    See Also
    --------
    load_dataset : the training or test series of a set of the UCR/UEA archive.

    Notes
    -----
    Times are used for the order of values in a series only. Missing values become NaN: ``?`` in
    .ts files; empty cells, ``?``, ``NA``, ``NaN``, ``null`` and the like in tables.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sktime_tsd.datasets import read_series
    >>> path = Path(tempfile.mkdtemp()) / "gestures.csv"
    >>> _ = path.write_text('''id,time,acc,gyr,label
    ... a,0,0.5,7,Wave
    ... a,1,0.6,8,Wave
    ... b,0,0.1,9,wave
    ... b,1,0.2,9,wave
    ... ''')
    >>> data = read_series(path)
    >>> data.X.shape, data.y.tolist(), data.ids.tolist(), data.channels
    ((2, 2, 2), ['Wave', 'wave'], ['a', 'b'], ['acc', 'gyr'])
    """
    path = Path(path)
    check_regular_file(path)
    form = path.suffix.lower()
    options = ColumnOptions(
        id=id_column,
        time=time_column,
        channel=channel_column,
        value=value_column,
        label=label_column,
        ignore=(ignore_columns,) if isinstance(ignore_columns, str | int) else (*ignore_columns,),
    )
    if header is not None and form not in _TEXT_TABLES:
        raise ValueError(f"header={header} is for text tables only, and {path} is none.")
    if form in _TEXT_TABLES:
        return _read_text_table(path, options, header)
    if form == ".parquet":
        return read_parquet(path, options)
    if form not in _READERS:
        known = ", ".join([*_READERS, *_TEXT_TABLES, ".parquet"])
        what = _OTHERS.get(form, "is of an unknown form; save it as CSV")
        raise ValueError(f"{path} {what}. The forms that can be read: {known}.")
    if options != ColumnOptions():
        raise ValueError(f"{path} has no columns to choose: leave out label_column and the like.")
    return _READERS[form](path)


def _read_text_table(path, options, header):
    table = open_table(path, header)
    if table.names is None and options.label is None and options.time in (None, False):
        if path.suffix.lower() == ".csv":
            raise ValueError(
                f"{path} has no header, so say where the labels are: label_column=0 (the first "
                "column), label_column=-1 (the last) or label_column=False (nowhere)."
            )
        options = dataclasses.replace(options, label=0)  # as in the UCR archive
    columns = find_columns(path, table.names, table.n_columns, options)
    data = (read_wide if columns.time is None else read_long)(table, columns)
    if data.y is not None:
        check_no_targets(path, data.y)
    return data
