"""Planted evidence, and loaders that never download."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from sktime_tsd.datasets import BUNDLED, available_datasets, load_dataset, make_planted_motifs


@pytest.mark.parametrize("n_channels", [1, 3])
@pytest.mark.parametrize("n_classes", [2, 5])
def test_evidence_is_where_the_mask_says(n_channels, n_classes):
    X, y, mask = make_planted_motifs(
        50, n_timepoints=80, n_channels=n_channels, n_classes=n_classes, noise=0, random_state=0
    )
    assert X.shape == mask.shape == (50, n_channels, 80)
    assert np.bincount(y).tolist() == [50 // n_classes] * n_classes
    assert (mask.sum(axis=(1, 2)) == 12).all()
    for i in range(50):
        motif = X[i][mask[i]]
        # the motif of a class is a burst of label + 1 cycles
        spectrum = np.abs(np.fft.rfft(motif))
        assert spectrum.argmax() == y[i] + 1
        assert np.mean(motif**2) == pytest.approx(1)
        # and the distractor has the same energy
        assert np.sum(X[i][~mask[i]] ** 2) == pytest.approx(12)


def test_bursts_are_anywhere_and_never_overlap():
    X, _, mask = make_planted_motifs(400, n_timepoints=40, noise=0, random_state=0)
    busy = X[:, 0] != 0
    assert (busy.sum(axis=1) == 12).all()  # two of six
    assert mask[:, 0].any(axis=0).all()
    assert busy[:, [0, -1]].any(axis=0).all()


@pytest.mark.parametrize("n_distractors", [0, 1, 5])
def test_every_distractor_has_the_energy_of_the_motif(n_distractors):
    X, _, mask = make_planted_motifs(
        50, n_timepoints=60, n_distractors=n_distractors, noise=0, random_state=0
    )
    assert (mask.sum(axis=(1, 2)) == 9).all()
    np.testing.assert_allclose((X**2).sum(axis=(1, 2)), 9 * (1 + n_distractors))
    assert ((X != 0).sum(axis=(1, 2)) == 9 * (1 + n_distractors)).all()


def test_position_and_energy_do_not_tell_the_class():
    """Only the shape does: neither the place of the motif nor window energies help."""
    X, y, mask = make_planted_motifs(600, n_timepoints=60, random_state=0)
    for features in (mask[:, 0], np.abs(X[:, 0])):
        train, test = slice(0, 300), slice(300, 600)
        clf = LogisticRegression(max_iter=2000).fit(features[train], y[train])
        assert clf.score(features[test], y[test]) < 0.62


def test_seeds():
    a, b, c = (make_planted_motifs(9, random_state=seed)[0] for seed in (0, 0, 1))
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)


@pytest.mark.parametrize(
    "options",
    [
        {"n_timepoints": 9},
        {"motif_width": 0.5},
        {"n_classes": 1},
        {"n_classes": 8},
        {"noise": -1},
        {"n_distractors": -1},
        {"n_distractors": 6},
    ],
    ids=str,
)
def test_impossible_sizes_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        make_planted_motifs(**options)


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_sets_load_as_numpy(name):
    X, y = load_dataset(name, split="train")
    assert X.ndim == 3
    assert X.dtype == np.float64
    assert len(X) == len(y)
    assert np.isfinite(X).all()
    assert len(np.unique(y)) >= 2


def test_equals_sktimes_own_loader():
    from sktime.datasets import load_basic_motions

    X, y = load_dataset("BasicMotions", split="test")
    expected, labels = load_basic_motions(split="test", return_type="numpy3D")
    np.testing.assert_array_equal(X, expected)
    assert (np.char.lower(y) == labels).all()  # sktime's reader lowers them
    assert set(y) == {"Standing", "Running", "Walking", "Badminton"}


def write_ts(folder, name, split, series):
    lines = ["@problemName " + name, "@timeStamps false", "@missing false", "@univariate true"]
    lines += ["@classLabel true a b", "@data"]
    lines += [",".join(map(str, values)) + f":{label}" for values, label in series]
    (folder / name).mkdir(exist_ok=True)
    (folder / name / f"{name}_{split}.ts").write_text("\n".join(lines) + "\n")


def test_local_folders(tmp_path):
    write_ts(tmp_path, "Mine", "TRAIN", [([1.0, 2.0, 3.0], "a"), ([4.0, 5.0, 6.5], "b")])
    X, y = load_dataset("Mine", split="train", data_dir=tmp_path)
    assert X.tolist() == [[[1, 2, 3]], [[4, 5, 6.5]]]
    assert y.tolist() == ["a", "b"]
    with pytest.raises(ValueError, match=r"Mine_TEST\.ts"):
        load_dataset("Mine", split="test", data_dir=tmp_path)
    with pytest.raises(ValueError, match="Mine"):
        load_dataset("Yours", split="train", data_dir=tmp_path)


@pytest.mark.parametrize("suffix", ["tsv", "txt", "arff"])
def test_local_folders_in_the_other_forms_of_the_archive(tmp_path, suffix):
    (tmp_path / "Mine").mkdir()
    text = "B\t1\t2\nb\t3\t4\n"
    if suffix == "arff":
        text = "@relation r\n@attribute t0 real\n@attribute t1 real\n@attribute target {B,b}\n"
        text += "@data\n1,2,B\n3,4,b\n"
    (tmp_path / "Mine" / f"Mine_TRAIN.{suffix}").write_text(text)
    assert available_datasets(tmp_path) == ["Mine"]
    X, y = load_dataset("Mine", split="train", data_dir=tmp_path)
    assert X.tolist() == [[[1, 2]], [[3, 4]]]
    assert y.tolist() == ["B", "b"]


def test_sets_without_labels_are_refused(tmp_path):
    (tmp_path / "Mine").mkdir()
    path = tmp_path / "Mine" / "Mine_TRAIN.ts"
    path.write_text("@classLabel false\n@data\n1,2\n")
    with pytest.raises(ValueError, match=r"Mine_TRAIN\.ts.*label"):
        load_dataset("Mine", split="train", data_dir=tmp_path)


def test_unequal_lengths_are_refused(tmp_path):
    write_ts(tmp_path, "Uneven", "TRAIN", [([1.0, 2.0], "a"), ([4.0, 5.0, 6.0], "b")])
    with pytest.raises(ValueError, match="unequal"):
        load_dataset("Uneven", split="train", data_dir=tmp_path)


def test_series_that_are_not_regular_are_mended_if_told(tmp_path):
    nan = np.nan
    # the test set is brought to the length of the training set; NaN at the end is padding
    write_ts(tmp_path, "Uneven", "TRAIN", [([0.0, nan, 6.0], "a"), ([0.0, 2.0, nan], "b")])
    write_ts(tmp_path, "Uneven", "TEST", [([0.0, 4.0, nan, nan], "a"), ([0.0, nan, 4, nan], "b")])
    mend = {"data_dir": tmp_path, "unequal_lengths": "resample", "missing_values": "interpolate"}
    X_train, _ = load_dataset("Uneven", split="train", **mend)
    assert X_train.tolist() == [[[0, 3, 6]], [[0, 1, 2]]]
    X_test, _ = load_dataset("Uneven", split="test", **mend)
    assert X_test.tolist() == [[[0, 2, 4]], [[0, 2, 4]]]
    filled, _ = load_dataset(
        "Uneven", split="train", data_dir=tmp_path, missing_values="interpolate"
    )
    assert filled.tolist() == [[[0, 3, 6]], [[0, 2, 2]]]
    kept, _ = load_dataset("Uneven", split="train", data_dir=tmp_path)
    np.testing.assert_array_equal(kept, [[[0, nan, 6]], [[0, 2, nan]]])
    write_ts(tmp_path, "Empty", "TRAIN", [([nan, nan], "a"), ([0.0, 2.0], "b")])
    with pytest.raises(ValueError, match=r"Empty_TRAIN\.ts.*series 1 has no values"):
        load_dataset("Empty", split="train", data_dir=tmp_path, missing_values="interpolate")
    with pytest.raises(ValueError, match=r"missing_values.*'drop'"):
        load_dataset("Empty", split="train", data_dir=tmp_path, missing_values="drop")


@pytest.mark.parametrize("form", ["csv", "npz", "parquet"])
def test_local_folders_of_other_files(tmp_path, form):
    (tmp_path / "Mine").mkdir()
    path = tmp_path / "Mine" / f"Mine_TRAIN.{form}"
    if form == "npz":
        np.savez(path, X=np.array([[1, 2], [3, 4]]), y=np.array(["B", "b"]))
    elif form == "csv":
        path.write_text("id,time,v,label\n0,0,1,B\n0,1,2,B\n1,0,3,b\n1,1,4,b\n")
    else:
        pytest.importorskip("pyarrow")
        pd.DataFrame({"t0": [1, 3], "t1": [2, 4], "label": ["B", "b"]}).to_parquet(path)
    assert available_datasets(tmp_path) == ["Mine"]
    X, y = load_dataset("Mine", split="train", data_dir=tmp_path)
    assert X.tolist() == [[[1, 2]], [[3, 4]]]
    assert y.tolist() == ["B", "b"]


def test_tables_that_need_parameters_are_refused(tmp_path):
    (tmp_path / "Mine").mkdir()
    (tmp_path / "Mine" / "Mine_TRAIN.csv").write_text("A,1,2\nB,3,4\n")
    with pytest.raises(ValueError, match=r"Mine_TRAIN\.csv.*parameters of read_series.*label"):
        load_dataset("Mine", split="train", data_dir=tmp_path)


def test_unknown_names_list_the_known_ones():
    with pytest.raises(ValueError, match="GunPoint"):
        load_dataset("GunPiont", split="train")
    with pytest.raises(ValueError, match="split"):
        load_dataset("GunPoint", split="validation")
