"""Made data sets: where the evidence is, what a cue does, and the rows and tables on both."""

import numpy as np
import pytest
from benchmark_rows import make_rows
from helpers import bad
from sklearn.metrics import precision_recall_curve

from sktime_tsd.benchmark import read_results, run_benchmark
from sktime_tsd.benchmark._groups import groups_of
from sktime_tsd.benchmark._made_data import MADE, add_cue, check_made, cue_of, load_split
from sktime_tsd.benchmark._truth import TRUTH_COLUMNS, truth_sections
from sktime_tsd.benchmark._unit import Data
from sktime_tsd.datasets import load_dataset
from sktime_tsd.fidelity import saliency_auc_prc

OF_THE_GENERATOR = [name for name in MADE if name.startswith("xai_")]


# -- the measure ---------------------------------------------------------------------------


def test_a_saliency_that_finds_the_evidence_has_an_area_of_one():
    rng = np.random.RandomState(0)
    mask = rng.rand(4, 30) < 0.2
    np.testing.assert_array_equal(saliency_auc_prc(mask + 0.01 * rng.rand(4, 30), mask), 1)
    worst = saliency_auc_prc(-mask.astype(float) - 0.01 * rng.rand(4, 30), mask)
    assert (worst < mask.mean(axis=1)).all()
    constant = saliency_auc_prc(np.ones((4, 30)), mask)
    np.testing.assert_allclose(constant, mask.mean(axis=1))


def test_the_area_is_the_sum_of_steps_and_by_chance_the_share():
    rng = np.random.RandomState(1)
    saliency, mask = rng.rand(200, 2, 25), rng.rand(200, 2, 25) < 0.3
    areas = saliency_auc_prc(saliency, mask)
    for values, inside, area in zip(saliency, mask, areas, strict=True):
        ranked = inside.ravel()[np.argsort(-values.ravel())]
        precision = np.cumsum(ranked) / np.arange(1, 51)
        assert area == pytest.approx(precision[ranked].mean())  # at each relevant point
        p, r, _ = precision_recall_curve(inside.ravel(), values.ravel())
        assert area == pytest.approx(-np.sum(np.diff(r) * p[:-1]))
    assert 0.3 < areas.mean() < 0.37  # of few points, by chance a little more than the share


def test_series_without_evidence_have_no_area():
    found = saliency_auc_prc(
        np.arange(10.0).reshape(2, 5), np.array([[False] * 5, [True] + [False] * 4])
    )
    assert np.isnan(found).tolist() == [True, False]


@pytest.mark.parametrize(
    ("saliency", "mask", "said"),
    [
        (np.zeros((2, 5)), np.zeros((2, 4), bool), r"mask .*\(2, 4\).*\(2, 5\)"),
        (np.zeros((2, 5)), np.zeros((2, 5)), "mask .*float64"),
        (np.full((2, 5), np.nan), np.zeros((2, 5), bool), "finite"),
    ],
)
def test_unusable_masks_are_refused(saliency, mask, said):
    with pytest.raises(ValueError, match=said):
        saliency_auc_prc(saliency, mask)


# -- made series ---------------------------------------------------------------------------


def test_planted_motifs_are_where_the_mask_is():
    train = load_split("planted_motifs", "train", data_dir=None, seed=3)
    test = load_split("planted_motifs", "test", data_dir=None, seed=3)
    assert train.X.shape == (120, 1, 100)
    assert test.mask.shape == (200, 100)
    assert np.bincount(test.y).tolist() == [100, 100]
    assert not np.isin(test.X[:, 0, 0], train.X[:, 0, 0]).any()
    inside = (test.X[:, 0] ** 2)[test.mask].mean()
    assert inside > (test.X[:, 0] ** 2)[~test.mask].mean()
    other = load_split("planted_motifs", "train", data_dir=None, seed=4)
    assert not np.array_equal(train.X, other.X)


@pytest.mark.parametrize("name", OF_THE_GENERATOR)
def test_the_public_generators_evidence_tells_the_classes_apart(name):
    pytest.importorskip("xaitimesynth")
    made = load_split(name, "train", data_dir=None, seed=0)
    assert made.X.shape == (120, 1, 100)
    assert np.bincount(made.y).tolist() == [60, 60]
    assert made.mask.any(axis=1).all()
    assert 0.1 < made.mask.mean() < 0.45

    # evidence averaged over series of a class is far from the other class's; the rest is not
    def spectrum(inside):
        values = np.where(inside, made.X[:, 0], 0)
        of_series = np.concatenate([np.abs(np.fft.rfft(values)), values.sum(axis=1)[:, None]], 1)
        first, second = (of_series[made.y == k] for k in (0, 1))
        error = np.sqrt((first.var(axis=0) + second.var(axis=0)) / 60)
        return np.abs(first.mean(axis=0) - second.mean(axis=0)).max() / error.max()

    assert spectrum(made.mask) > 2 * spectrum(~made.mask)
    again = load_split(name, "train", data_dir=None, seed=0)
    np.testing.assert_array_equal(again.X, made.X)


def test_a_missing_generator_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"xai_frequency.*pip install xaitimesynth"):
        check_made("xai_frequency")
    check_made("planted_motifs")


# -- cues ------------------------------------------------------------------------------------


def test_a_cue_lies_at_the_end_and_points_to_its_class():
    X, of_classes = np.zeros((3, 2, 40), np.float32), np.array([0, 1, 2])
    found = add_cue(X, of_classes, 3, strength=0.5, scale=4.0)
    assert found.dtype == np.float32
    assert not found[..., :36].any()
    assert not found[1].any()  # the middle class of three
    assert (found[2, :, 36:] > 0).all()
    np.testing.assert_array_equal(found[0], -found[2])
    assert found.max() == pytest.approx(2 * np.sin(np.pi * 1.5 / 4))
    assert not X.any()


def test_training_cues_agree_with_labels_and_test_cues_do_not():
    X, y = load_dataset("UnitTest", split="train")
    X_test, y_test = load_dataset("UnitTest", split="test")
    plain = Data(X, y, X_test, y_test, X_unlabelled=X_test)
    data = plain.with_cue(2.0, y_test, seed=0)
    assert data.for_teacher is X
    assert plain.for_teacher is X
    cue = (data.X - X)[:, 0, -1]
    assert (np.sign(cue) == np.where(y == np.unique(y)[1], 1, -1)).all()
    assert np.abs(cue).max() == pytest.approx(2 * X.std() * np.sin(np.pi * 0.25), rel=1e-5)
    pointed_to = np.unique(y)[((data.X_test - X_test)[:, 0, -1] > 0).astype(int)]
    np.testing.assert_array_equal(pointed_to != y_test, data.conflicts)
    assert 0.2 < data.conflicts.mean() < 0.8
    of_unlabelled = (data.X_unlabelled - X_test)[:, 0, -1] > 0  # as in training
    np.testing.assert_array_equal(of_unlabelled, y_test == np.unique(y)[1])


@pytest.mark.parametrize(
    ("name", "parts"),
    [("Set@0.5", ("Set", 0.5)), ("A@b@2", ("A@b", 2.0)), ("Set", ("Set", None)),
     ("Set@", ("Set@", None)), ("Set@x", ("Set@x", None)), ("Set@-1", ("Set@-1", None))],
)  # fmt: skip
def test_a_name_tells_the_strength(name, parts):
    assert cue_of(name) == parts


# -- rows and tables -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    path = tmp_path_factory.mktemp("rows") / "rows.csv"
    run_benchmark(
        ["UnitTest@2", "planted_motifs"], ["ce"], [0], out=path, max_epochs=2,
        saliency_instances=5, removal=False, latency=False, report=lambda line: None,
    )  # fmt: skip
    return read_results(path).set_index("dataset")


def test_rows_of_made_data_know_the_truth(rows):
    assert rows["error"].tolist() == ["", ""]
    motifs, cue = rows.loc["planted_motifs"], rows.loc["UnitTest@2"]
    of_evidence, of_cue = list(TRUTH_COLUMNS[:3]), list(TRUTH_COLUMNS[3:])
    assert ((motifs[of_evidence] > 0) & (motifs[of_evidence] <= 1)).all()
    assert motifs["evidence_share"] == pytest.approx(0.15)
    assert motifs[of_cue].isna().all()
    assert cue[of_evidence].isna().all()
    assert ((cue[of_cue] >= 0) & (cue[of_cue] <= 1)).all()
    assert motifs["archive"] == "made"
    assert cue["archive"].startswith("sktime")


@pytest.mark.slow
def test_a_student_falls_for_a_strong_cue_and_its_teacher_does_not(tmp_path):
    out = tmp_path / "rows.csv"
    settings = {"saliency_instances": 0, "removal": False, "latency": False}
    rows = run_benchmark(
        ["ItalyPowerDemand@4"], ["ce"], [0], out=out, teacher="minirocket", max_epochs=30,
        report=lambda line: None, **settings,
    )  # fmt: skip
    (row,) = rows.to_dict("records")
    assert row["error"] == ""
    assert row["accuracy_against_cue_student"] < 0.3
    assert row["accuracy_against_cue_teacher"] > row["accuracy_against_cue_student"] + 0.3


def test_tables_tell_the_truth_by_method_and_strength():
    rows = make_rows(3, ("ce", "tsd"), (0, 1))
    rows["dataset"] = rows["dataset"].map(
        {"Set0": "A@10", "Set1": "A@0.5", "Set2": "planted_motifs"}
    )
    known = rows["dataset"] == "planted_motifs"
    of_tsd = rows["method"] == "tsd"
    rows["evidence_auc_prc_student"] = np.where(known, 0.5 + 0.2 * of_tsd, np.nan)
    rows["evidence_auc_prc_teacher"] = np.where(known, 0.9, np.nan)
    rows["evidence_share"] = np.where(known, 0.15, np.nan)
    against = 0.3 + 0.1 * (rows["seed"] == 1)
    rows["accuracy_against_cue_student"] = np.where(known, np.nan, against)
    rows["accuracy_against_cue_teacher"] = np.where(known, np.nan, 0.8)
    (group,) = groups_of(rows)
    text = "\n".join(truth_sections(group))
    assert "| planted_motifs | 0.150    | 0.900     | 0.500 ± 0.000 | 0.700 ± 0.000 |" in text
    assert "0.350 ± 0.071" in text
    cues = text[text.index("random cue") :]
    assert cues.index("A@0.5") < cues.index("A@10")
    (group,) = groups_of(make_rows(2))
    assert list(truth_sections(group.__class__(group.key, group.rows.assign(
        **dict.fromkeys(TRUTH_COLUMNS, np.nan))))) == []  # fmt: skip


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        bad(ValueError, "Nowhere@0.5.*choose from", datasets=["Nowhere@0.5"]),
        bad(ValueError, "GunPoint@strong", datasets=["GunPoint@strong"]),
    ],
)
def test_unknown_names_are_refused(tmp_path, options, error, said):
    with pytest.raises(error, match=said):
        run_benchmark(options["datasets"], ["ce"], [0], out=tmp_path / "rows.csv")
