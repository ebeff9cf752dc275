"""Training through skorch: schedule, stopping, weights, callbacks, history."""

import pickle
import shutil

import numpy as np
import pandas as pd
import pytest
import torch
from helpers import TINY_FCN, TINY_LSTM, random_panel
from skorch.callbacks import Callback, Checkpoint, EpochScoring
from torch import nn

from sktime_tsd import SkorchClassifier
from sktime_tsd._training.batches import BatchIterator
from sktime_tsd._training.training_set import TrainingSet
from sktime_tsd._training.validation_split import split_validation
from sktime_tsd._utils.random import draw_seed
from sktime_tsd.networks import FCN, ScaledNetwork


def test_learns_a_real_data_set(gunpoint):
    X_train, y_train, X_test, y_test = gunpoint
    clf = SkorchClassifier("fcn", {"filters": (8, 16, 8)}, max_epochs=100, random_state=0)
    assert clf.fit(X_train, y_train).score(X_test, y_test) > 0.85
    assert clf.predict(X_test).dtype == y_train.dtype


def test_probabilities_are_the_softmax_of_the_logits(unit_test):
    X_train, y_train, X_test, _ = unit_test
    clf = SkorchClassifier("fcn", TINY_FCN, max_epochs=3, random_state=0).fit(X_train, y_train)
    logits = torch.from_numpy(clf.predict_logits(X_test)).double()
    probabilities = clf.predict_proba(X_test)
    np.testing.assert_allclose(probabilities, torch.softmax(logits, dim=1), atol=1e-12)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-12)
    labels = clf.classes_[probabilities.argmax(axis=1)]
    assert (clf.predict(X_test) == labels).all()


def test_one_cycle_rises_to_lr_and_falls_to_nothing():
    X, y = random_panel(32)
    clf = SkorchClassifier("fcn", TINY_FCN, max_epochs=40, lr=0.01, random_state=0).fit(X, y)
    lr = clf.history_frame()["lr"]
    assert lr.max() == pytest.approx(0.01, rel=0.01)
    assert lr.idxmax() == pytest.approx(0.3 * 40, abs=2)
    assert lr.iloc[0] < 0.002
    assert lr.iloc[-1] < 1e-5


def test_lr_schedules():
    X, y = random_panel(32)
    fit = {
        schedule: SkorchClassifier(
            "fcn", TINY_FCN, max_epochs=10, lr=0.01, lr_schedule=schedule, random_state=0
        ).fit(X, y)
        for schedule in ("cosine", None)
    }
    assert set(fit[None].history_frame()["lr"]) == {0.01}
    cosine = fit["cosine"].history_frame()["lr"]
    assert cosine.is_monotonic_decreasing
    assert cosine.iloc[-1] < 1e-4


class GradientNorms(Callback):
    seen = []

    def on_batch_end(self, net, training, **kwargs):
        if training:
            gradients = [p.grad.flatten() for p in net.module_.parameters()]
            self.seen.append(torch.cat(gradients).norm().item())


def test_numbers_may_be_numpys():
    X, y = random_panel(32)
    given = {"max_epochs": np.int64(2), "batch_size": np.int32(8), "lr": np.float32(0.01)}
    clf = SkorchClassifier("fcn", TINY_FCN, random_state=np.int64(0), **given).fit(X, y)
    assert [row["epoch"] for row in clf.history_] == [1, 2]


@pytest.mark.parametrize("clip", [0.01, None])
def test_gradient_clip(clip):
    X, y = random_panel(32)
    GradientNorms.seen.clear()
    SkorchClassifier(
        "fcn",
        TINY_FCN,
        max_epochs=3,
        gradient_clip=clip,
        callbacks=[GradientNorms()],
        random_state=0,
    ).fit(X, y)
    assert (max(GradientNorms.seen) <= 0.0101) == (clip is not None)


def test_optimizers_by_name_and_by_class():
    X, y = random_panel(16)
    proba = {}
    for optimizer in ("adamw", "adam", "sgd", torch.optim.RMSprop, torch.optim.AdamW):
        clf = SkorchClassifier(
            "fcn", TINY_FCN, max_epochs=3, lr=5e-3, optimizer=optimizer, random_state=0
        )
        proba[optimizer] = clf.fit(X, y).predict_proba(X)
    assert (proba["adamw"] == proba[torch.optim.AdamW]).all()
    others = [v for k, v in proba.items() if k != torch.optim.AdamW]
    assert all((a != b).any() for i, a in enumerate(others) for b in others[:i])


def test_training_is_shuffled_and_uses_every_series_once_per_epoch():
    X = torch.arange(50.0)[:, None, None]
    iterator = BatchIterator(
        TrainingSet(X, torch.arange(50)), 16, generator=torch.Generator().manual_seed(0)
    )
    epochs = [[y for _, y in iterator] for _ in range(2)]
    for batches in epochs:
        assert sorted(torch.cat(batches).tolist()) == list(range(50))
    assert not torch.equal(torch.cat(epochs[0]), torch.cat(epochs[1]))
    assert [len(batch) for batch in epochs[0]] == [13, 13, 12, 12]


def test_no_batch_is_a_single_series():
    """Batch norm cannot train on one value per channel."""
    X, y = random_panel(17, n_timepoints=1)
    clf = SkorchClassifier("fcn", TINY_FCN, batch_size=16, max_epochs=2, random_state=0).fit(X, y)
    assert np.isfinite(clf.predict_proba(X)).all()


# -- validation, stopping ----------------------------------------------------------------


class WeightsPerEpoch(Callback):
    seen = []

    def on_epoch_end(self, net, **kwargs):
        self.seen.append({k: v.clone() for k, v in net.module_.state_dict().items()})


def test_patience_stops_and_restores_the_best_weights():
    X, _ = random_panel(40)
    y = np.random.RandomState(0).permutation(np.arange(40) % 2)  # nothing to learn
    WeightsPerEpoch.seen.clear()
    clf = SkorchClassifier(
        "fcn",
        {"filters": (16,), "kernel_sizes": (5,)},
        max_epochs=200,
        lr=5e-3,
        validation_fraction=0.3,
        patience=5,
        callbacks=[WeightsPerEpoch()],
        random_state=0,
    ).fit(X, y)
    losses = clf.history_frame()["valid_loss"]
    assert len(losses) < 200
    best = int(losses.idxmin())
    assert best < len(losses)
    for name, weights in clf.network_.state_dict().items():
        assert torch.equal(weights, WeightsPerEpoch.seen[best - 1][name])


def test_valid_loss_is_the_cross_entropy_of_the_series_kept_aside():
    X, y = random_panel(40)
    clf = SkorchClassifier(
        "fcn", TINY_FCN, max_epochs=4, validation_fraction=0.25, random_state=3
    ).fit(X, y)
    codes = np.searchsorted(clf.classes_, y)
    train, valid = split_validation(codes, 0.25, draw_seed(3))
    assert len(valid) == 10
    assert (np.bincount(codes[valid]) == 5).all()
    log_p = np.log(clf.predict_proba(X[valid]))
    by_hand = -log_p[np.arange(10), codes[valid]].mean()
    assert clf.history_[-1]["valid_loss"] == pytest.approx(by_hand, rel=1e-5)
    assert set(train) | set(valid) == set(range(40))


def test_series_kept_aside_do_not_train():
    """What is kept aside may be changed at will: the network stays the same."""
    X, y = random_panel(40)
    clf = SkorchClassifier("fcn", TINY_FCN, max_epochs=2, validation_fraction=0.25, random_state=3)
    before = clf.fit(X, y).predict_logits(X)
    _, valid = split_validation(np.searchsorted(clf.classes_, y), 0.25, draw_seed(3))
    changed = X.copy()
    changed[valid] += 100
    np.testing.assert_array_equal(clf.fit(changed, y).predict_logits(X), before)


def test_a_split_that_cannot_be_stratified_warns_and_trains_every_class():
    y = np.array([0] * 10 + [1])
    for seed in range(20):
        with pytest.warns(UserWarning, match="not stratified"):
            train, valid = split_validation(y, 0.3, seed)
        assert 10 in train
        assert len(valid) >= 1
        assert not set(train) & set(valid)


def test_too_few_series_to_keep_any_aside():
    with pytest.raises(ValueError, match="validat"):
        split_validation(np.array([0, 1]), 0.5, 0)


# -- class weights -----------------------------------------------------------------------


def test_class_weight_takes_original_labels():
    X, y = random_panel(40)
    X = X * 0  # nothing to see: the network can only learn the weighted shares of the classes
    y = np.where(np.arange(40) < 30, "often", "rare")
    share = {}
    for weight in (None, "balanced", {"often": 1.0, "rare": 3.0}, {"often": 1.0, "rare": 27.0}):
        # no batch norm: the scale of equal series is their rounding
        clf = SkorchClassifier(
            "lstm", TINY_LSTM, max_epochs=20, class_weight=weight, lr=0.05, random_state=0
        ).fit(X, y)
        share[str(weight)] = clf.predict_proba(X)[0, 1]
    rare = list(share.values())
    assert rare == pytest.approx([0.25, 0.5, 0.5, 0.9], abs=0.08)


def test_class_weight_knows_labels_that_look_like_numbers(unit_test):
    X, y, _, _ = unit_test
    logits = {}
    for weight in (None, {"1": 1.0, "2": 9.0}, {"1": 1.0, "2": 9.0, "not in y": 5.0}):
        clf = SkorchClassifier("fcn", TINY_FCN, max_epochs=2, class_weight=weight, random_state=0)
        logits[str(weight)] = clf.fit(X, y).predict_logits(X)
    plain, weighted, with_more = logits.values()
    assert not np.array_equal(plain, weighted)
    np.testing.assert_array_equal(weighted, with_more)
    for weight in ({1: 1.0, 2: 9.0}, {"1": 1.0}):
        with pytest.raises(ValueError, match=r"weight.*class"):
            clf.set_params(class_weight=weight).fit(X, y)


@pytest.mark.parametrize("batch_size", [1, 3, 16])
def test_valid_loss_does_not_depend_on_the_batches(batch_size):
    """Sorted by class, as in many archives, batches would hold one class each."""
    X, y = random_panel(40)
    order = np.argsort(y)
    X, y = X[order], y[order]
    weight = {"class 00": 1.0, "class 01": 20.0}
    clf = SkorchClassifier(
        "fcn",
        TINY_FCN,
        max_epochs=1,
        batch_size=batch_size,
        validation_fraction=0.25,
        class_weight=weight,
        random_state=3,
    ).fit(X, y)
    codes = np.searchsorted(clf.classes_, y)
    _, valid = split_validation(codes, 0.25, draw_seed(3))
    losses = -np.log(clf.predict_proba(X[valid]))[np.arange(10), codes[valid]]
    weights = np.where(codes[valid] == 1, 20.0, 1.0)
    by_hand = np.average(losses, weights=weights)
    assert clf.history_[-1]["valid_loss"] == pytest.approx(by_hand, rel=1e-4)


# -- history, callbacks, verbosity -------------------------------------------------------


def test_history_is_plain_and_has_a_row_per_epoch():
    X, y = random_panel(20)
    clf = SkorchClassifier("fcn", TINY_FCN, max_epochs=3, random_state=0).fit(X, y)
    assert type(clf.history_) is list
    assert all(type(row) is dict for row in clf.history_)
    assert set(clf.history_[0]) == {"epoch", "train_loss", "cross_entropy", "lr", "dur"}
    frame = clf.history_frame()
    assert isinstance(frame, pd.DataFrame)
    assert frame.index.tolist() == [1, 2, 3]
    assert all(type(v) in (int, float) for row in clf.history_ for v in row.values())


def test_train_loss_is_the_mean_over_the_series():
    """Constant weights (lr next to 0): the loss of an epoch is that of the whole set."""
    X, y = random_panel(21)
    clf = SkorchClassifier(
        lambda c, t, k: nn.Sequential(nn.Flatten(), nn.Linear(c * t, k)),
        max_epochs=1,
        batch_size=8,
        lr=1e-12,
        weight_decay=0,
        lr_schedule=None,
        random_state=0,
    ).fit(X, y)
    codes = np.searchsorted(clf.classes_, y)
    by_hand = -np.log(clf.predict_proba(X))[np.arange(21), codes].mean()
    assert clf.history_[0]["train_loss"] == pytest.approx(by_hand, rel=1e-5)


def test_lr_of_the_history_is_the_one_that_was_used():
    X, y = random_panel(8)
    clf = SkorchClassifier("fcn", TINY_FCN, max_epochs=5, lr=0.01, random_state=0).fit(X, y)
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.AdamW([parameter], lr=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.01, total_steps=5)
    expected = []
    for _ in range(5):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    np.testing.assert_allclose(clf.history_frame()["lr"], expected)


def test_checkpoint_of_skorch_works_as_it_comes(tmp_path):
    X, y = random_panel(40)
    for fraction, monitor in ((0.25, "valid_loss_best"), (None, "train_loss_best")):
        SkorchClassifier(
            "fcn",
            TINY_FCN,
            max_epochs=3,
            validation_fraction=fraction,
            callbacks=[("clip", Checkpoint(monitor=monitor, dirname=tmp_path / monitor))],
            random_state=0,
        ).fit(X, y)
        assert (tmp_path / monitor / "params.pt").exists()


@pytest.mark.parametrize("optimizer", [torch.optim.Adagrad, torch.optim.Adadelta])
def test_optimizers_without_momentum_train_under_one_cycle(optimizer):
    X, y = random_panel(16)
    clf = SkorchClassifier("fcn", TINY_FCN, max_epochs=2, optimizer=optimizer, random_state=0)
    assert len(clf.fit(X, y).history_) == 2


def test_an_optimizer_that_cannot_be_made_is_refused():
    X, y = random_panel(16)
    with pytest.raises(ValueError, match=r"optimizer=.*LBFGS.*weight_decay"):
        SkorchClassifier("fcn", TINY_FCN, optimizer=torch.optim.LBFGS).fit(X, y)


class Counter(Callback):
    def __init__(self):
        self.epochs = 0

    def on_epoch_end(self, net, **kwargs):
        self.epochs += 1


def test_callbacks_are_copied_for_each_fit():
    X, y = random_panel(20)
    counter = Counter()
    clf = SkorchClassifier("fcn", TINY_FCN, max_epochs=3, callbacks=[counter], random_state=0)
    clf.fit(X, y)
    clf.fit(X, y)
    assert counter.epochs == 0
    assert clf.callbacks == [counter]


def test_scoring_callbacks_of_skorch_work_on_validation_and_training():
    X, y = random_panel(40)
    clf = SkorchClassifier(
        "fcn",
        TINY_FCN,
        max_epochs=30,
        validation_fraction=0.25,
        callbacks=[
            EpochScoring("accuracy", name="valid_accuracy"),
            EpochScoring("accuracy", name="train_accuracy", on_train=True),
        ],
        random_state=0,
    ).fit(X, y)
    for name in ("valid_accuracy", "train_accuracy"):
        assert 0 <= clf.history_[-1][name] <= 1
    assert clf.history_frame()["train_accuracy"].iloc[-1] > 0.8


def test_verbose_shows_loss_and_silence_shows_nothing(capsys):
    X, y = random_panel(20)
    SkorchClassifier("fcn", TINY_FCN, max_epochs=2, random_state=0).fit(X, y)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""
    SkorchClassifier("fcn", TINY_FCN, max_epochs=2, verbose=1, random_state=0).fit(X, y)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "2/2" in captured.err
    assert "train_loss=" in captured.err


# -- own networks ------------------------------------------------------------------------


class OwnNetwork(nn.Module):
    def __init__(self, n_channels, n_timepoints, n_classes, width=3):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Linear(n_channels * n_timepoints, width),
            nn.Dropout(0.5),
            nn.ReLU(),
            nn.Linear(width, n_classes),
        )

    def forward(self, x):
        return self.layers(x)


def test_own_networks_as_class_and_as_function():
    X, y = random_panel(20, n_channels=2)
    by_class = SkorchClassifier(OwnNetwork, {"width": 5}, max_epochs=3, random_state=0).fit(X, y)
    by_function = SkorchClassifier(
        lambda c, t, k: OwnNetwork(c, t, k, width=5), max_epochs=3, random_state=0
    ).fit(X, y)
    np.testing.assert_array_equal(by_class.predict_proba(X), by_function.predict_proba(X))


def test_a_second_fit_starts_anew():
    X, y = random_panel(20)
    clf = SkorchClassifier("fcn", TINY_FCN, max_epochs=3, random_state=0)
    first = clf.fit(X, y).predict_proba(X)
    other, labels = random_panel(20, n_channels=2, n_classes=3)
    clf.fit(other, labels)
    np.testing.assert_array_equal(clf.fit(X, y).predict_proba(X), first)


def test_from_module_predicts_as_the_module_does():
    torch.manual_seed(0)
    module = FCN(2, 20, 3)
    module(torch.randn(8, 2, 20))
    X, _ = random_panel(9, n_channels=2)
    clf = SkorchClassifier.from_module(module, ["b", "a", "c"])
    assert module.training, "the given module must stay as it is"
    module.eval()
    with torch.no_grad():
        expected = module(torch.from_numpy(X).float())
    np.testing.assert_allclose(clf.predict_logits(X), expected, atol=1e-6)
    assert clf.predict(X).tolist() == [["b", "a", "c"][i] for i in expected.argmax(1)]
    assert not any(p.requires_grad for p in clf.network_.parameters())
    assert all(p.requires_grad for p in module.parameters())


def test_from_module_refuses_what_it_cannot_use():
    with pytest.raises(TypeError, match=r"nn\.Module"):
        SkorchClassifier.from_module("fcn", [0, 1])
    for classes in ([0], [0, 0], [[0, 1]]):
        with pytest.raises(ValueError, match="different labels"):
            SkorchClassifier.from_module(FCN(1, 9, 2), classes)


def test_a_scaled_network_is_not_scaled_twice():
    network = ScaledNetwork(FCN(1, 9, 2), torch.ones(1, 1), torch.ones(1, 1))
    clf = SkorchClassifier.from_module(network, [0, 1])
    assert isinstance(clf.network_.network, FCN)


@pytest.mark.skipif(
    not any(map(shutil.which, ("c++", "g++", "clang++"))), reason="needs a C++ compiler"
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # inside torch's compiler
def test_training_through_torch_compile_predicts_and_pickles():
    X, y = random_panel(16)
    clf = SkorchClassifier(OwnNetwork, max_epochs=1, compile=True, random_state=0).fit(X, y)
    assert isinstance(clf.network_, ScaledNetwork)
    assert not any("_orig_mod" in name for name in clf.network_.state_dict())
    loaded = pickle.loads(pickle.dumps(clf))
    np.testing.assert_array_equal(loaded.predict_proba(X), clf.predict_proba(X))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_trains_on_cuda_and_predicts_numpy_on_the_cpu():
    X, y = random_panel(40)
    clf = SkorchClassifier("fcn", TINY_FCN, max_epochs=20, device="cuda", random_state=0).fit(X, y)
    assert clf.network_.mean.device.type == "cuda"
    assert isinstance(clf.predict_proba(X), np.ndarray)
    on_cpu = SkorchClassifier("fcn", TINY_FCN, max_epochs=20, device="cpu", random_state=0).fit(
        X, y
    )
    assert (clf.predict(X) == on_cpu.predict(X)).mean() > 0.9
