"""Networks and callbacks from elsewhere: parametrised, squeezing, in need of a batch or a split."""

import copy
import pickle

import joblib
import numpy as np
import pytest
import torch
from helpers import distiller, learner, random_panel
from sklearn.frozen import FrozenEstimator
from skorch.callbacks import Callback, Checkpoint, EarlyStopping, EpochScoring, LRScheduler
from torch import nn
from torch.nn.utils import parametrizations, parametrize

from sktime_tsd import SkorchClassifier, load_model, save_model
from sktime_tsd._training.batches import BatchIterator
from sktime_tsd._training.training_set import TrainingSet
from sktime_tsd.losses import KD

X, Y = random_panel(24)


class Convolution(nn.Module):
    """One layer of weights that `parametrised` may change, and a mean over time."""

    def __init__(self, n_channels, n_timepoints, n_classes):
        super().__init__()
        self.convolution = self.parametrised(nn.Conv1d(n_channels, 4, 3))
        self.head = nn.Linear(4, n_classes)

    def parametrised(self, layer):
        return layer

    def forward(self, x):
        return self.head(self.convolution(x).relu().mean(dim=2))


class WeightNorm(Convolution):
    def parametrised(self, layer):
        return parametrizations.weight_norm(layer)


class SpectralNorm(Convolution):
    def parametrised(self, layer):
        return parametrizations.spectral_norm(layer)


class Orthogonal(Convolution):
    def parametrised(self, layer):
        return parametrizations.orthogonal(layer)


class Bounded(nn.Module):
    def forward(self, weight):
        return weight.tanh()


class OwnParametrization(Convolution):
    def parametrised(self, layer):
        parametrize.register_parametrization(layer, "weight", Bounded())
        parametrize.register_parametrization(layer, "weight", Bounded())
        parametrize.register_parametrization(layer, "bias", Bounded())
        return layer


class WeightNormOfRecurrence(nn.Module):
    def __init__(self, n_channels, n_timepoints, n_classes):
        super().__init__()
        lstm = nn.LSTM(n_channels, 4, batch_first=True)
        self.lstm = parametrizations.weight_norm(lstm, "weight_hh_l0")
        self.head = nn.Linear(4, n_classes)

    def forward(self, x):
        return self.head(self.lstm(x.transpose(1, 2))[0][:, -1])


class FormerWeightNorm(Convolution):
    def parametrised(self, layer):
        return nn.utils.weight_norm(layer)


PARAMETRISED = [
    WeightNorm,
    SpectralNorm,
    Orthogonal,
    OwnParametrization,
    WeightNormOfRecurrence,
    pytest.param(
        FormerWeightNorm, marks=pytest.mark.filterwarnings("ignore:.*weight_norm. is deprecated")
    ),
]


def tiny(network, **params):
    return SkorchClassifier(network, max_epochs=2, random_state=0, **params)


@pytest.mark.parametrize("network", PARAMETRISED)
def test_parametrised_networks_travel(network, tmp_path):
    clf = tiny(network).fit(X, Y)
    expected = clf.predict_proba(X)
    joblib.dump(clf, tmp_path / "clf.joblib")
    save_model(clf, tmp_path / "folder")
    for other in (
        pickle.loads(pickle.dumps(clf)),
        joblib.load(tmp_path / "clf.joblib"),
        copy.deepcopy(clf),
        load_model(tmp_path / "folder", network=network),
    ):
        np.testing.assert_array_equal(other.predict_proba(X), expected)
        assert other.network_.state_dict().keys() == clf.network_.state_dict().keys()
        assert type(other.network_.network) is network


@pytest.mark.filterwarnings("ignore:No perturbed copy moves")  # untrained
@pytest.mark.parametrize("network", PARAMETRISED)
def test_parametrised_networks_teach_and_are_kept(network, tmp_path):
    for teacher in (tiny(network), network(1, 20, 2).eval()):
        clf = distiller(memory=tmp_path).set_params(teacher=teacher)
        first, again = (clf.fit(X, Y).predict_proba(X) for _ in range(2))
        np.testing.assert_array_equal(first, again)
        plain = distiller().set_params(teacher=teacher).fit(X, Y)
        np.testing.assert_array_equal(first, plain.predict_proba(X))


@pytest.mark.parametrize("holder", [lambda module: module, FrozenEstimator])
def test_distillers_that_hold_a_parametrised_teacher_are_pickled(holder):
    module = WeightNorm(1, 20, 2).eval()
    clf = pickle.loads(pickle.dumps(distiller().set_params(teacher=holder(module)).fit(X, Y)))
    again = clf.clone().fit(X, Y)
    np.testing.assert_array_equal(again.predict_proba(X), clf.predict_proba(X))
    assert type(module.convolution).__name__ == "ParametrizedConv1d"  # the caller's is left alone


def test_a_parametrised_network_that_was_pickled_can_be_trained_further():
    network = pickle.loads(pickle.dumps(tiny(WeightNorm).fit(X, Y))).network_.train()
    network.requires_grad_(True)
    before = network.network.convolution.weight.detach().clone()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    network(torch.from_numpy(X).float()).square().sum().backward()
    optimizer.step()
    assert not torch.equal(network.network.convolution.weight, before)


# -- few series --------------------------------------------------------------------------


class Squeezing(Convolution):
    def forward(self, x):
        return super().forward(x).squeeze()


class OneLogitSqueezing(Convolution):
    def forward(self, x):
        return super().forward(x)[:, 1].squeeze()


class NormOfMeans(Convolution):
    """Batch norm after the time axis is gone: one series cannot be trained on."""

    def __init__(self, *sizes):
        super().__init__(*sizes)
        self.norm = nn.BatchNorm1d(4)

    def forward(self, x):
        return self.head(self.norm(self.convolution(x).mean(dim=2)))


class FailsAlone(Convolution):
    def forward(self, x):
        if len(x) == 1:
            raise RuntimeError("one is too few")
        return super().forward(x)


@pytest.mark.parametrize(
    ("network", "said"),
    [(Squeezing, r"1 series.*\(2,\).*squeeze\(dim\)"), (FailsAlone, "one at a time.*too few")],
)
def test_networks_that_fail_on_one_series_are_refused_in_fit(network, said):
    with pytest.raises(ValueError, match=f"{network.__name__}.*{said}"):
        tiny(network).fit(X, Y)
    with pytest.raises(ValueError, match=f"{network.__name__}.*{said}"):
        distiller().set_params(teacher=network(1, 20, 2)).fit(X, Y)
    with pytest.raises(ValueError, match=network.__name__):
        SkorchClassifier.from_module(network(1, 20, 2), ["a", "b"], input_shape=(1, 20))


def test_a_network_of_unknown_series_that_squeezes_is_named_when_it_fails():
    clf = SkorchClassifier.from_module(Squeezing(1, 20, 2), ["a", "b"])
    assert clf.predict_proba(X).shape == (24, 2)
    with pytest.raises(ValueError, match=r"Squeezing.*1 series.*\(2,\).*squeeze"):
        clf.predict_proba(X[:1])


def test_one_logit_that_is_squeezed_is_served():
    clf = SkorchClassifier.from_module(OneLogitSqueezing(1, 20, 2), ["a", "b"], input_shape=(1, 20))
    alone = np.concatenate([clf.predict_proba(series[None]) for series in X])
    np.testing.assert_allclose(alone, clf.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize("n", [2, 3, 5, 17, 23])
@pytest.mark.parametrize("batch_size", [2, 3, 4, 8, 16, 22])
def test_no_batch_holds_one_series(n, batch_size):
    training_set = TrainingSet(torch.from_numpy(X[:n]).float(), torch.zeros(n, dtype=torch.int64))
    sizes = [len(y) for _, y in BatchIterator(training_set, batch_size)]
    assert sum(sizes) == n
    assert min(sizes) >= 2
    assert max(sizes) <= max(batch_size, 3)


def test_a_network_that_needs_two_series_is_served_or_refused():
    tiny(NormOfMeans, batch_size=2).fit(X[:23], Y[:23])
    with pytest.raises(ValueError, match=r"NormOfMeans.*batch_size.*2 or more \(now 1\)"):
        tiny(NormOfMeans, batch_size=1).fit(X, Y)
    tiny(Convolution, batch_size=1).fit(X, Y)
    clf = distiller().set_params(student=tiny(NormOfMeans, batch_size=1))
    clf.fit(X, Y)  # its copies are in the batch
    with pytest.raises(ValueError, match=r"NormOfMeans.*batch_size"):
        clf.set_params(saliency_weight=0, distillation=[KD()]).fit(X, Y)


# -- callbacks ---------------------------------------------------------------------------


def loss_of_validation(net):
    return net.history[-1, "valid_loss"]


class Reads(Callback):
    def on_epoch_end(self, net, **kwargs):
        net.history[-1]["valid_loss"]


@pytest.mark.parametrize(
    "callback",
    [
        EarlyStopping(),
        EarlyStopping,
        ("stop", EarlyStopping()),
        Checkpoint(fn_prefix="nowhere"),
        LRScheduler("ReduceLROnPlateau", monitor="valid_loss"),
        LRScheduler("ReduceLROnPlateau", monitor=loss_of_validation),
        Reads(),
    ],
    ids=str,
)
def test_callbacks_that_need_a_split_say_so(callback, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"callback \w+ needs 'valid_loss.*validation_fraction"):
        learner(callbacks=[callback]).fit(X, Y)
    learner(callbacks=[callback], validation_fraction=0.3).fit(X, Y)


def test_callbacks_are_checked_before_the_teacher_is_fitted():
    class Untouched(learner().__class__):
        def fit(self, X, y):
            raise AssertionError("too early")

    clf = distiller().set_params(teacher=Untouched(), student__callbacks=[EarlyStopping()])
    with pytest.raises(ValueError, match=r"EarlyStopping.*validation_fraction"):
        clf.fit(X, Y)


@pytest.mark.parametrize(
    "callback", [EarlyStopping(monitor="train_loss"), EpochScoring("accuracy")], ids=str
)
def test_callbacks_that_need_no_split_work_without(callback):
    assert learner(callbacks=[callback]).fit(X, Y).score(X, Y) > 0.8
