"""Files in sktime's .ts form: to the letter, and the numbers as sktime reads them."""

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from sktime.datasets import load_from_tsfile_to_dataframe

from sktime_tsd.datasets import load_ts_file, read_series
from sktime_tsd.datasets._ts import ts_channels

HEADER = """@problemName mine
@timeStamps false
@missing true
@univariate true
@classLabel true A a
@data
"""
TIMED = HEADER.replace("timeStamps false", "timeStamps true")
IN_SKTIME = sorted((Path(str(files("sktime.datasets"))) / "data").glob("*/*.ts"))
REGRESSION = {"Covid3Month", "Tecator"}


@pytest.fixture
def read(tmp_path):
    def from_text(text, encoding="utf-8"):
        path = tmp_path / "file.ts"
        path.write_bytes(text.encode(encoding))
        return read_series(path)

    return from_text


@pytest.mark.parametrize(
    "path", [p for p in IN_SKTIME if p.parent.name not in REGRESSION], ids=lambda p: p.stem
)
def test_the_numbers_are_those_of_sktimes_reader(path):
    series, y = ts_channels(path)
    frame, labels = load_from_tsfile_to_dataframe(str(path))
    assert np.char.lower(y).tolist() == labels.tolist()
    expected = frame.to_numpy()
    assert expected.shape == (len(series), len(series[0]))
    for row, channels in zip(expected, series, strict=True):
        for cell, channel in zip(row, channels, strict=True):
            np.testing.assert_array_equal(channel, cell)


@pytest.mark.parametrize("name", sorted(REGRESSION))
def test_regression_sets_are_refused(name):
    (path,) = (p for p in IN_SKTIME if p.name == f"{name}_TRAIN.ts")
    with pytest.raises(ValueError, match=rf"{name}_TRAIN\.ts is a regression set \(@targetLabel\)"):
        read_series(path)


@pytest.mark.parametrize(
    "label", ["A", "a", "?", "a?b", "Ä", "ß", "步行", "walking up", "NaN", "01", "-1", "=1+1", "#1"]
)
def test_labels_are_kept_to_the_letter(read, label):
    assert read(HEADER + f"1,2:{label}\n3,4: {label} \n").y.tolist() == [label, label]


def test_missing_values_are_nan_in_values_only(read):
    data = read(HEADER + "?,2,?:?\n1,2,3:a\n")
    np.testing.assert_array_equal(data.X, [[[np.nan, 2, np.nan]], [[1, 2, 3]]])
    assert data.y.tolist() == ["?", "a"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_marks_are_read(read, encoding):
    assert read(HEADER + "1,2:é\n", encoding).y.tolist() == ["é"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_comments_and_blank_lines_are_anywhere(read, end):
    text = "# one\n\n" + HEADER.replace("@data", "% two\n@data\n# three") + "1,2:A\n% 3\n\n4,5:B"
    assert read(text.replace("\n", end)).X.tolist() == [[[1, 2]], [[4, 5]]]


def test_unequal_lengths_are_a_list(read, tmp_path):
    data = read(HEADER.replace("@univariate true\n", "") + "1,2:3,4:A\n1,2,3:4,5,6:a\n")
    assert [series.shape for series in data.X] == [(2, 2), (2, 3)]
    with pytest.raises(ValueError, match=r"file\.ts.*2 to 3"):
        load_ts_file(tmp_path / "file.ts")


def test_times_order_the_values(read):
    data = read(TIMED + "(1,2.5),(0,?):A\n(2024-01-02 10:00:00,2), (2024-01-02 09:00:00,1) :b c\n")
    np.testing.assert_array_equal(data.X, [[[np.nan, 2.5]], [[1, 2]]])
    assert data.y.tolist() == ["A", "b c"]
    data = read(TIMED.replace("@univariate true\n", "") + "(0,1),(1,2):(0,3),(1,4):A\n")
    assert data.X.tolist() == [[[1, 2], [3, 4]]]


def test_series_without_labels(read):
    data = read(HEADER.replace("@classLabel true A a", "@classLabel false") + "1,2\n3,4\n")
    assert data.y is None
    assert data.X.shape == (2, 1, 2)


def test_targets_that_call_themselves_classes_are_refused(read):
    rows = "".join(f"1,2:{value + 0.5}\n" for value in range(20))
    with pytest.raises(ValueError, match=r"file\.ts is a regression set.*0\.5"):
        read(HEADER + rows)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "@data"),
        ("1,2:A\n", "line 1.*@data"),
        (HEADER, "no series"),
        (HEADER.replace("@classLabel true A a\n", "") + "1:A\n", "@classLabel"),
        (HEADER.replace("true A", "yes A") + "1:A\n", "@classlabel"),
        (HEADER + "1,2\n", "line 7.*0 channels"),
        (HEADER + "1:2:A\n", "line 7.*2 channels"),
        (HEADER.replace("@univariate true\n", "") + "1:2:A\n# c\n1:A\n", "line 8.*line 6"),
        (HEADER + "1,2:A\n1,x:A\n", "line 8, channel 1, value 2: 'x'"),
        (HEADER + "1,1_000:A\n", "1_000"),
        (HEADER + "1,,2:A\n", "line 7.*commas"),
        (HEADER + ":A\n", "line 7.*no values"),
        (HEADER + "1,2:\n", "line 7.*no label"),
        (TIMED + "1,2:A\n", "line 7.*pairs"),
        (TIMED + "(1,2),(1,3):A\n", "line 7.*time 1"),
        (TIMED + "(soon,2),(1,3):A\n", "line 7.*'soon'"),
        (HEADER.replace("@univariate true\n", "") + "1,2:3:A\n", "series 1 .*1 to 2"),
    ],
)
def test_what_cannot_be_read_is_named(read, text, named):
    with pytest.raises(ValueError, match=rf"file\.ts.*{named}"):
        read(text)
