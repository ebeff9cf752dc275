"""Series from tables and arrays: round trips, refusals that name the place, damaged files."""

import contextlib
import os

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sktime_tsd._panels.panel import read_panel
from sktime_tsd.datasets import SeriesData, _parquet, read_series

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 2, 5))
LABELS = ["Wave", "wave", "NA", "01"]
IDS = ["s10", "s9", "01", "1"]


@pytest.fixture
def read(tmp_path):
    def from_content(name, content, **options):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_series(path, **options)

    return from_content


def long_frame():
    """One row per time point, shuffled."""
    rows = [
        {"id": IDS[i], "time": t, "acc": X[i, 0, t], "gyr": X[i, 1, t], "label": LABELS[i]}
        for i in range(4)
        for t in range(5)
    ]
    first, *rest = (frame for _, frame in pd.DataFrame(rows).groupby("id", sort=False))
    return pd.concat([first, pd.concat(rest).sample(frac=1, random_state=0)])


def wide_frame():
    frame = pd.DataFrame(X[:, 0], columns=[f"t{i}" for i in range(5)])
    return frame.assign(label=LABELS)


def check(data, expected=X):
    order = range(4) if data.ids is None else [IDS.index(name) for name in data.ids]
    np.testing.assert_array_equal(data.X, expected[order])
    assert data.y.tolist() == [LABELS[i] for i in order]


# ---- tables ----


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_one_row_per_time_point(read, separator):
    data = read("long.csv", long_frame().to_csv(index=False, sep=separator))
    check(data)
    assert data.channels == ["acc", "gyr"]
    assert data.ids[0] == "s10"  # series in the order of the file
    check(read("index.csv", long_frame().to_csv(sep=separator)))  # with pandas' row numbers


def test_one_row_per_time_point_and_channel(read):
    frame = long_frame().melt(["id", "time", "label"], var_name="channel")
    data = read("long.csv", frame.sample(frac=1, random_state=1).to_csv(index=False))
    check(data)
    assert data.channels == ["acc", "gyr"]
    # a value that is not there is missing; channels are in the order of their numbers
    text = "case_id,dim_id,reading_id,value\n1,10,0,1\n1,9,0,2\n1,9,1,3\n"
    data = read("long.csv", text)
    np.testing.assert_array_equal(data.X, [[[2, 3], [1, np.nan]]])
    assert data.channels == ["9", "10"]
    assert data.y is None


def test_columns_by_any_name(read):
    frame = long_frame().rename(columns={"id": "who", "time": "when", "label": "what"})
    named = {"id_column": "who", "time_column": "when", "label_column": "what"}
    check(read("long.csv", frame.to_csv(index=False), **named))
    by_place = {"id_column": 0, "time_column": 1, "label_column": -1}
    check(read("long.csv", frame.to_csv(index=False, header=False), **by_place))
    frame = frame.assign(who2="x")
    check(read("long.csv", frame.to_csv(index=False), **named, ignore_columns=["who2"]))
    check(read("long.csv", frame.to_csv(index=False), **named, ignore_columns=-1))


def test_names_in_any_case_and_y_as_a_channel(read):
    data = read("a.csv", "ID,Time,x,y,Label\na,0,1,2,A\na,1,3,4,A\n")
    assert data.channels == ["x", "y"]
    assert data.y.tolist() == ["A"]
    assert read("b.csv", "id,time,v,y\na,0,1,A\na,1,3,A\n").y.tolist() == ["A"]
    assert read("c.csv", "id,time,x,y\na,0,1,A\na,1,3,A\n", label_column="y").y.tolist() == ["A"]


def test_unequal_lengths_are_a_list(read):
    data = read("a.csv", "id,time,v\nb,0,1\nb,1,2\na,0,3\na,1,4\na,2,5\n")
    assert [series.tolist() for series in data.X] == [[[1, 2]], [[3, 4, 5]]]
    assert data.ids.tolist() == ["b", "a"]


@pytest.mark.parametrize(
    "times",
    [
        ["9", "10"],
        ["1700000000000000001", "1700000000000000002"],  # nanoseconds, the same in float64
        ["-0.5", "1e3"],
        ["2024-01-31", "2024-02-01 00:00:01"],
        ["2024-01-31T12:00:00+02:00", "2024-01-31T11:00:00Z"],
    ],
)
def test_times_order_the_values(read, times):
    text = f"id,time,v\na,{times[1]},2\na,{times[0]},1\n"
    assert read("a.csv", text).X.tolist() == [[[1, 2]]]


@pytest.mark.parametrize("index", [False, True])
def test_one_row_per_series(read, index):
    check(read("wide.csv", wide_frame().to_csv(index=index)), X[:, :1])
    check(read("wide.tsv", wide_frame().to_csv(index=index, sep="\t")), X[:, :1])
    first = wide_frame()[["label", "t0", "t1", "t2", "t3", "t4"]]
    check(read("wide.csv", first.to_csv(index=index)), X[:, :1])
    data = read("wide.csv", wide_frame().assign(id=IDS).to_csv(index=index))
    check(data, X[:, :1])
    assert data.ids.tolist() == IDS
    numbered = wide_frame().set_axis([*range(5), "what"], axis=1)
    check(read("wide.csv", numbered.to_csv(index=index), label_column="what"), X[:, :1])
    unlabelled = wide_frame().drop(columns="label")
    data = read("wide.csv", unlabelled.to_csv(index=index))
    np.testing.assert_array_equal(data.X, X[:, :1])
    assert data.y is None


@pytest.mark.parametrize(("name", "separator"), [("a.tsv", "\t"), ("a.txt", ","), ("a.txt", "  ")])
def test_files_of_the_ucr_archive(read, name, separator):
    rows = [[label, *map(str, x[0])] for label, x in zip(LABELS, X, strict=True)]
    text = "".join(separator.join(row) + "\n" for row in rows)
    check(read(name, text), X[:, :1])
    last = "".join(separator.join([*row[1:], row[0]]) + "\n" for row in rows)
    check(read(name, last, label_column=-1), X[:, :1])
    unlabelled = "".join(separator.join(row[1:]) + "\n" for row in rows)
    assert read(name, unlabelled, label_column=False).X.shape == (4, 1, 5)


def test_a_file_of_the_ucr_archive_equals_the_ts_file():
    from importlib.resources import files

    from sktime_tsd.datasets import load_dataset

    path = files("sktime.datasets") / "data" / "ArrowHead" / "ArrowHead_TRAIN.tsv"
    data = read_series(path)
    X_train, y_train = load_dataset("ArrowHead", split="train")
    np.testing.assert_allclose(data.X, X_train, atol=1e-6)
    assert data.y.tolist() == y_train.tolist()


def test_csv_without_a_header(read):
    text = wide_frame().to_csv(index=False, header=False)
    check(read("a.csv", text, label_column=-1), X[:, :1])
    with pytest.raises(ValueError, match=r"a\.csv.*label_column=0"):
        read("a.csv", text)
    assert read("a.csv", "1,2\n3,4\n", header=True, label_column=False).X.tolist() == [[[3, 4]]]


@pytest.mark.parametrize("form", ["{}_{}", "{} {}", "{}{}", "{}[{}]", "('{}', {})"])
def test_several_channels_in_a_row(read, parquet, form):
    order = np.random.default_rng(1).permutation(10)
    places = np.array([(c, t) for c in (1, 0) for t in range(5)])[order]
    columns = [form.format(("acc", "gyr")[c], t) for c, t in places]
    frame = pd.DataFrame(X[:, places[:, 0], places[:, 1]], columns=columns).assign(label=LABELS)
    for data in (read("wide.csv", frame.to_csv(index=False)), parquet(frame)):
        assert sorted(data.channels) == ["acc", "gyr"]
        check(data, X[:, [("acc", "gyr").index(name) for name in data.channels]])


@pytest.mark.parametrize(
    "names",
    ["01-01,01-02,02-01,02-02", "t1.0,t1.5,t2.0,t2.5", "x7,x5,x3,x2", "a,b,c,d", "a_0,a_1,b_0,c"],
)
def test_numbers_that_are_no_channels(read, names):
    data = read("a.csv", f"{names},what\n1,2,3,4,A\n", label_column="what")
    assert data.X.tolist() == [[[1, 2, 3, 4]]]
    assert data.channels is None


@pytest.mark.parametrize(
    "text",
    [
        "# by me\n% again, and more\na,b,label\n1,2,A\n#\n3,4,B\n",
        "sep=;\na;b;label\n1;2;A\n3;4;B\n",
        "a|b|label\n1|2|A\n3|4|B\n",
        "a,b,label,,\n1,2,A,,\n3,4,B, ,\n",
        "\n\n# c\n\na\tb\tlabel\n1\t2\tA\n3\t4\tB\n",
    ],
)
def test_what_programs_add_to_tables(read, text):
    data = read("a.csv", text)
    assert data.X.tolist() == [[[1, 2]], [[3, 4]]]
    assert data.y.tolist() == ["A", "B"]


@pytest.mark.parametrize("missing", ["", "?", "NA", "NaN", "nan", "null", "None", "#N/A"])
def test_missing_values(read, missing):
    data = read("a.csv", f"a,b,c,label\n1,{missing},3,{missing or 'x'}\n")
    np.testing.assert_array_equal(data.X, [[[1, np.nan, 3]]])
    assert data.y.tolist() == [missing or "x"]


def test_quotes_and_encodings(read):
    text = 'a,b,label\n1,2,"x, ""y"""\n"3",4,"é\nü"\n'
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        assert read("a.csv", text.encode(encoding)).y.tolist() == ['x, "y"', "é\nü"]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "empty"),
        ("a,b,label\n", "no series"),
        ("a,b,label\n1,2,A\n3,4\n", "row 3: 2 cells.*3"),
        ("a,b,label\n1,2,A\n1,two,A\n", "row 3, column 'b': 'two'.*ignore_columns"),
        ("a,b,what\n1,2,A\n", "row 2, column 'what': 'A'.*label_column='what'"),
        ("a;b;label\n1,5;2;A\n", "row 2, column 'a': '1,5'.*decimal point"),
        ("a,b,label\n1,2,\n", "row 2, column 'label'"),
        ("a,a,label\n1,2,A\n", "'a'.*header=False"),
        ("a,b,label,class\n1,2,A,B\n", "label or class.*label_column='label'"),
        ("t0,t1,t2,what\n1,2,3,4\n", "'what'.*label_column='what'"),
        ("who,t0,t1,t2,label\n1,2,3,4,5\n", "'who'.*ignore_columns=.'who'"),
        ("id,a,b\n1,2,3\n1,3,4\n", "rows 2 and 3.*'1'.*time_column"),
        ("id,time,v\na,0,1\na,0,2\n", "'a'.*same time, 0"),
        ("id,time,channel,value\na,0,c,1\na,1,c,1\na,0,c,2\n", "'a'.*same time, 0.*'c'"),
        ("id,time,v,label\na,0,1,A\na,1,2,B\n", "'a'.*'A' and 'B'"),
        ("id,time,v\na,0,1\na,soon,2\n", "row 3, column 'time': 'soon'"),
        ("id,time,v\na,0,1\na,01/02/2024,2\n", "row 3, column 'time': '01/02/2024'"),
        ("id,time,v\na,0,1\na,,2\n", "row 3, column 'time'"),
        ("id,time,v\na,0,1\na,1,x\n", "row 3, column 'v': 'x'"),
        ("id,time,v\na,0,1\nb,0,2\n", "time_column=False"),
        ("time,v\n0,1\n1,2\n", "'time'.*id_column"),
        ("id,channel,value\na,c,1\n", "time_column"),
        ("id,time,channel,value,more\na,0,c,1,1\n", r"ignore_columns=\['more'\]"),
        ("id,time,label\na,0,A\na,1,A\n", "no column of values.*label_column='label'"),
        ('a,b,label\n1,2,"A\n', "row 2"),
        ("a,b,label\n1,\0,A\n", "zero bytes"),
        ("# only\n% this\n", "empty"),
        ("# a,b,label\n1,2,A\n", "row 1 begins with '#'.*remove the sign"),
        ("a,b,label,\n1,2,A,\n1,2,A,3\n", "row 3.*column 4"),
        ("# one\na,b,label\n1,two,A\n", "row 3, column 'b'"),
        ("a_0,a_1,b_0,b_2,label\n1,2,3,4,A\n", "'a' and 'b'.*different time points"),
        ("a1_0,a1_1,a2_0,a2_1,label\n1,2,3,4,A\n", "'a1_0' channel 'a1'.*'a2'.*without digits"),
    ],
    ids=repr,
)
def test_tables_that_cannot_be_read(read, text, named):
    with pytest.raises(ValueError, match=rf"(?s)a\.csv.*{named}") as error:
        read("a.csv", text)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"label_column": "what"}, "label_column='what'.*a, b, label"),
        ({"label_column": 3}, "label_column=3"),
        ({"label_column": 1.5}, "label_column.*1.5"),
        ({"label_column": "a", "id_column": 0}, "label_column and id_column|id_column and label"),
        ({"label_column": "a", "ignore_columns": "a"}, "label_column and ignore_columns"),
        ({"ignore_columns": ["c"]}, "ignore_columns='c'"),
        ({"channel_column": "a"}, "value_column"),
        ({"header": False, "label_column": "a"}, "label_column='a'.*position"),
    ],
    ids=str,
)
def test_options_that_do_not_fit(read, options, named):
    with pytest.raises(ValueError, match=named):
        read("a.csv", "a,b,label\n1,2,3\n", **options)


def test_regression_sets_are_refused(read):
    rows = [f"{value},{value},{value + 0.5}\n" for value in range(20)]
    with pytest.raises(ValueError, match=r"a\.csv is a regression set.*0\.5"):
        read("a.csv", "".join(["t0,t1,target\n", *rows]))
    with pytest.raises(ValueError, match=r"a\.txt is a regression set.*0\.5"):
        read("a.txt", "".join(rows), label_column=-1)
    few = [f"1,2,{value % 3 + 0.5}\n" for value in range(20)]
    assert set(read("a.txt", "".join(few), label_column=-1).y) == {"0.5", "1.5", "2.5"}


def test_options_of_tables_are_for_tables(read):
    ts = "@classLabel true A\n@data\n1,2:A\n"
    with pytest.raises(ValueError, match=r"a\.ts.*label_column"):
        read("a.ts", ts, label_column=0)
    with pytest.raises(ValueError, match=r"header=True.*a\.ts"):
        read("a.ts", ts, header=True)


# ---- arrays ----


@pytest.mark.parametrize("dtype", [np.float32, np.int16, bool])
def test_npy(tmp_path, dtype):
    for name, panel in (("three.npy", X), ("two.npy", X[:, 0])):
        np.save(tmp_path / name, panel.astype(dtype))
        data = read_series(tmp_path / name)
        assert data.X.dtype == np.float64
        expected = X[:, :1] if panel.ndim == 2 else X
        np.testing.assert_array_equal(data.X, expected.astype(dtype))
        assert data.y is None


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        (np.array(LABELS), LABELS),
        (np.array([2, 1, 2, 1]), [2, 1, 2, 1]),
        (np.array([1.0, 2.0, 1.0, 2.0]), [1.0, 2.0, 1.0, 2.0]),
        (np.array([b"a", b"b", b"a", b"b"]), ["a", "b", "a", "b"]),
        (np.array([[2], [1], [2], [1]]), [2, 1, 2, 1]),
    ],
    ids=["text", "int", "float", "bytes", "column"],
)
def test_npz_keeps_the_type_of_labels(tmp_path, y, expected):
    np.savez(tmp_path / "a.npz", X=X, y=y)
    data = read_series(tmp_path / "a.npz")
    np.testing.assert_array_equal(data.X, X)
    assert data.y.tolist() == expected
    assert type(data.y.tolist()[0]) is type(expected[0])


@pytest.mark.parametrize(
    ("arrays", "named"),
    [
        ({"a": X}, "no array X.*a"),
        ({"X": X, "x": X}, "X and x"),
        ({"X": X[0, 0]}, r"\(5,\)"),
        ({"X": X.astype(str)}, "<U"),
        ({"X": X * 1j}, "complex"),
        ({"X": X[:0]}, r"\(0, 2, 5\)"),
        ({"X": X, "y": np.arange(3)}, "4 series, but 3"),
        ({"X": X, "y": np.eye(4)}, r"y.*\(4, 4\)"),
        ({"X": X, "y": np.array([0.5, 1, 2, 3])}, "y.*0.5.*regression"),
        ({"X": X, "y": np.array([np.nan, 1, 2, 3])}, "y.*nan"),
        ({"X": X, "y": np.array(["a", None, "b", "c"])}, "Python objects"),
        ({"X": np.array([[1.0, None]])}, "Python objects.*CSV"),
    ],
)
def test_arrays_that_cannot_be_read(tmp_path, arrays, named):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(ValueError, match=rf"a\.npz.*{named}|{named}.*a\.npz|{named}"):
        read_series(tmp_path / "a.npz")


def test_series_of_several_lengths_in_npy(tmp_path):
    ragged = np.empty(2, dtype=object)
    ragged[:] = [np.zeros(2), np.zeros(3)]
    np.save(tmp_path / "a.npy", ragged)
    with pytest.raises(ValueError, match=r"a\.npy.*Python objects.*unequal lengths as \.ts"):
        read_series(tmp_path / "a.npy")


def test_a_header_that_promises_too_much_takes_no_memory(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((2, 2, 2)))
    content = (tmp_path / "a.npy").read_bytes()
    # as long as before, or the file would be damaged in another way
    huge = content.replace(b"(2, 2, 2), }          ", b"(99999, 99999, 9999), }")
    assert huge != content
    (tmp_path / "a.npy").write_bytes(huge[: len(content)])
    with pytest.raises(ValueError, match=r"a\.npy"):
        read_series(tmp_path / "a.npy")


# ---- parquet: no engine is needed where the frame is handed in ----


@pytest.fixture
def parquet(tmp_path, monkeypatch):
    def of_frame(frame, **options):
        monkeypatch.setattr(_parquet.importlib.util, "find_spec", lambda name: True)
        monkeypatch.setattr(_parquet.pd, "read_parquet", lambda path: frame)
        (tmp_path / "a.parquet").touch()
        return read_series(tmp_path / "a.parquet", **options)

    return of_frame


def test_parquet(parquet):
    check(parquet(long_frame()))
    check(parquet(long_frame().set_index(["id", "time"])))
    check(parquet(long_frame().melt(["id", "time", "label"], var_name="channel")))
    check(parquet(wide_frame()), X[:, :1])
    dated = long_frame().assign(
        time=lambda frame: pd.to_datetime(frame["time"], unit="D", utc=True)
    )
    check(parquet(dated))
    check(parquet(dated.assign(time=dated["time"].astype(str))))
    data = parquet(long_frame().assign(label=lambda frame: frame["id"].map(IDS.index)))
    assert data.y.tolist() == [IDS.index(name) for name in data.ids]  # still integers
    data = parquet(wide_frame().assign(t0=pd.array([1, None, 2, 3], dtype="Int64"), id=range(4)))
    np.testing.assert_array_equal(data.X[:, 0, 0], [1, np.nan, 2, 3])
    assert data.ids.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda frame: frame.assign(acc="x"), "'acc'"),
        (lambda frame: frame.assign(label=None), "'label'.*missing"),
        (lambda frame: frame.assign(label=0.5), "'label'.*0.5"),
        (lambda frame: frame.assign(time="soon"), "'time'.*'soon'"),
        (lambda frame: frame.assign(time=0), "same time"),
        (lambda frame: frame[:0], "no rows"),
    ],
)
def test_parquet_that_cannot_be_read(parquet, change, named):
    with pytest.raises(ValueError, match=rf"a\.parquet.*{named}"):
        parquet(change(long_frame()))


def test_parquet_with_a_list_per_series(parquet):
    frame = pd.DataFrame(
        {"acc": list(X[:, 0]), "gyr": X[:, 1].tolist(), "label": LABELS, "id": IDS}
    )
    data = parquet(frame)
    check(data)
    assert data.channels == ["acc", "gyr"]
    uneven = parquet(pd.DataFrame({"acc": [[1.0, None], [1, 2, 3]]}))
    assert [part.shape for part in uneven.X] == [(1, 2), (1, 3)]
    assert np.isnan(uneven.X[0][0, 1])
    for cells, named in (
        ([[1.0], None], "row 2.*missing"),
        ([[1.0], ["a"]], "row 2.*numbers"),
        ([[[1.0]], [[2.0]]], "row 1.*numbers"),
    ):
        with pytest.raises(ValueError, match=rf"a\.parquet, {named}"):
            parquet(pd.DataFrame({"acc": cells}))
    with pytest.raises(ValueError, match=r"row 1.*1 to 2 time points"):
        parquet(pd.DataFrame({"acc": [[1.0]], "gyr": [[1.0, 2]]}))


def test_labels_of_bytes_and_durations_in_parquet(parquet):
    frame = long_frame()
    encoded = frame.assign(
        label=[label.encode() for label in frame["label"]],
        time=pd.to_timedelta(frame["time"], unit="s"),
    )
    check(parquet(encoded))


def test_a_parquet_file(tmp_path):
    pytest.importorskip("pyarrow")
    frame = long_frame()
    for written in (frame, frame.set_index(["id", "time"]), frame.convert_dtypes("pyarrow")):
        written.to_parquet(tmp_path / "a.parquet")
        check(read_series(tmp_path / "a.parquet"))


def test_parquet_without_an_engine(tmp_path, monkeypatch):
    monkeypatch.setattr(_parquet.importlib.util, "find_spec", lambda name: None)
    (tmp_path / "a.parquet").touch()
    with pytest.raises(ValueError, match=r"a\.parquet.*pip install pyarrow"):
        read_series(tmp_path / "a.parquet")


# ---- .arff ----

ARFF = """% of the archive
@RELATION mine
@attribute 'time 0' NUMERIC
@attribute t1 real
@attribute target {'A b',a}
@data
1,2,'A b'
% a comment
?,3,a
"""


def test_arff(read):
    data = read("a.arff", ARFF)
    np.testing.assert_array_equal(data.X, [[[1, 2]], [[np.nan, 3]]])
    assert data.y.tolist() == ["A b", "a"]


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("t1 real", "t1 relational", r"row 4.*'t1'.*\.ts"),
        ("t1 real", "t1 string", "row 4.*'t1'.*string"),
        ("t1 real", "t1 {1,2}", "t1, target"),
        ("t1 real", "t1", "row 4"),
        ("{'A b',a}", "numeric", "regression.*'target'"),
        ("@data", "", "@data"),
        ("1,2,", "1,", "row 7: 2 cells.*3"),
        ("1,2,", "1,x,", "row 7, column 't1': 'x'"),
    ],
)
def test_arff_that_cannot_be_read(read, old, new, named):
    with pytest.raises(ValueError, match=rf"a\.arff.*{named}"):
        read("a.arff", ARFF.replace(old, new))


# ---- all forms ----


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("a.xlsx", "spreadsheet.*CSV"),
        ("a.csv.gz", "compressed"),
        ("a.PKL", "pickle"),
        ("a.mat", "MATLAB"),
        ("a.json", "JSON"),
        ("a.tsf", "forecasting"),
        ("a.foo", "unknown form"),
        ("a", "unknown form"),
    ],
)
def test_other_forms_are_named(read, name, named):
    with pytest.raises(ValueError, match=rf"{name} .*{named}.*\.npz"):
        read(name, "1,2")


def test_what_is_no_regular_file(tmp_path):
    with pytest.raises(ValueError, match=r"no file .*none\.ts"):
        read_series(tmp_path / "none.ts")
    with pytest.raises(ValueError, match="folder"):
        read_series(tmp_path)
    os.mkfifo(tmp_path / "pipe.csv")  # opening it would wait for ever
    with pytest.raises(ValueError, match=r"pipe\.csv.*regular"):
        read_series(tmp_path / "pipe.csv")


def valid(suffix, folder):
    path = folder / f"valid{suffix}"
    if suffix == ".npy":
        np.save(path, X)
    elif suffix == ".npz":
        np.savez(path, X=X, y=np.array(LABELS))
    elif suffix == ".ts":
        path.write_text("@timeStamps true\n@classLabel true A\n@data\n(0,1),(1,2):(0,1),(1,?):A\n")
    elif suffix == ".arff":
        path.write_text(ARFF)
    else:
        path.write_text(long_frame().to_csv(index=False))
    return path.read_bytes()


@pytest.mark.parametrize("suffix", [".ts", ".csv", ".tsv", ".txt", ".npy", ".npz", ".arff"])
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_files_raise_value_errors_only(tmp_path, suffix, data):
    content = bytearray(valid(suffix, tmp_path))
    kind = data.draw(st.sampled_from(["bytes", "changed", "cut", "text"]))
    if kind == "bytes":
        content = data.draw(st.binary(max_size=200))
    elif kind == "text":
        alphabet = "0123456789.,;:?@#%(){}'\"\t\n -eéA\\"
        content = data.draw(st.text(alphabet, max_size=200)).encode()
    elif kind == "cut":
        content = content[: data.draw(st.integers(0, len(content)))]
    else:
        for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=8)):
            content[place] = data.draw(st.integers(0, 255))
    path = tmp_path / f"damaged{suffix}"
    path.write_bytes(content)
    with contextlib.suppress(ValueError):
        found = read_series(path)
        assert len(found.X) >= 1
        assert found.y is None or len(found.y) == len(found.X)


def test_series_as_a_frame_with_names():
    uneven = SeriesData([X[0], X[1, :, :3]], ids=np.array(["b", "a"]), channels=["acc", "gyr"])
    frame = uneven.to_frame()
    assert frame.columns.tolist() == ["acc", "gyr"]
    assert frame.index.names == ["id", "time"]
    np.testing.assert_array_equal(frame.loc["b"].to_numpy().T, X[0])
    np.testing.assert_array_equal(frame.loc["a"].to_numpy().T, X[1, :, :3])
    panel = read_panel(SeriesData(X, channels=["acc", "gyr"]).to_frame())
    np.testing.assert_array_equal(panel.values, X)
    assert panel.names == ("acc", "gyr")
    assert read_panel(SeriesData(X).to_frame()).names is None
