"""Networks of users in C: layer by layer, against torch."""

import numpy as np
import pytest
import torch
from c_programs import classifier, gives_the_same, needs_compiler, series
from torch import nn
from torch.nn import functional as F

from sktime_tsd import to_c
from sktime_tsd.export.c._layers import Concatenation, Convolution, Input, Shift, Tensor
from sktime_tsd.export.c._schedule import scheduled

pytestmark = needs_compiler


class Forward(nn.Module):
    """A network given by its layers and a function of them and the series."""

    def __init__(self, forward, **layers):
        super().__init__()
        self.layers = nn.ModuleDict(layers)
        self.function = forward

    def forward(self, x):
        return self.function(x, **self.layers)


def stacked(*layers):
    return Forward(lambda x, layers: layers(x), layers=nn.Sequential(*layers))


def pooled(forward, n_out, **layers):
    """Mean over time and a linear layer behind a function of the series."""
    return Forward(
        lambda x, last, **rest: last(forward(x, **rest).mean(dim=2)),
        last=nn.Linear(n_out, 2),
        **layers,
    )


def convolution(n_in, n_out, kernel, **options):
    return nn.Conv1d(n_in, n_out, kernel, **options)


CHANNELS, LENGTH = 2, 20

# each is small, and has what it is named after
NETWORKS = {
    "strides": lambda: stacked(
        convolution(2, 4, 5, stride=2, padding=2),
        nn.ReLU(),
        nn.MaxPool1d(3, stride=2, padding=1),
        convolution(4, 3, 2, stride=2),
        nn.Flatten(),
        nn.Linear(6, 2),
    ),
    "dilation and no padding": lambda: stacked(
        convolution(2, 4, 3, dilation=3),
        nn.Tanh(),
        nn.AdaptiveAvgPool1d(1),
        nn.Flatten(),
        nn.Linear(4, 2),
    ),
    "dilation as rows of an image": lambda: pooled(
        lambda x, a: (
            a(F.pad(x, (6, 6)).unflatten(2, (-1, 4)).transpose(2, 3))
            .transpose(2, 3)
            .flatten(2)[..., :20]
        ),
        3,
        a=nn.Conv2d(2, 3, (1, 3)),
    ),
    "groups": lambda: stacked(
        convolution(2, 6, 3, padding="same", groups=2),
        convolution(6, 6, 4, groups=6),
        convolution(6, 3, 1),
        nn.Sigmoid(),
        nn.Flatten(),
        nn.Linear(51, 2),
    ),
    "mean pooling": lambda: stacked(
        nn.AvgPool1d(3, stride=2, padding=1),
        nn.AvgPool1d(4, ceil_mode=True),
        nn.AvgPool1d(2, stride=1, padding=1, count_include_pad=False),
        nn.Flatten(),
        nn.Linear(8, 2),
    ),
    "max pooling": lambda: stacked(
        nn.MaxPool1d(3, stride=1, padding=1, dilation=1),
        nn.MaxPool1d(2, dilation=3, stride=1),
        nn.MaxPool1d(3, ceil_mode=True),
        nn.Flatten(),
        nn.Linear(12, 2),
    ),
    "activations": lambda: stacked(
        convolution(2, 3, 3),
        nn.LeakyReLU(0.2),
        nn.ELU(),
        nn.SELU(),
        nn.GELU(),
        nn.SiLU(),
        nn.Hardswish(),
        nn.Softplus(),
        nn.Softsign(),
        nn.Hardtanh(-0.4, 0.5),
        nn.PReLU(3),
        nn.Flatten(),
        nn.ReLU6(),
        nn.Linear(54, 2),
    ),
    "more activations": lambda: pooled(
        lambda x, norm: norm(
            torch.exp(-x.abs())
            + torch.sqrt(x.abs() + 1)
            + F.gelu(x, approximate="tanh")
            + torch.log(x.abs() + 1)
            + torch.erf(x)
            + 1 / (2 + x.abs())
            + F.hardsigmoid(x)
            - x
        ),
        2,
        norm=nn.BatchNorm1d(2),
    ),
    "residual and concatenation": lambda: pooled(
        lambda x, a, b, c: torch.cat([x + a(x), b(x) * x, c(x) - x, torch.maximum(x, a(x))], 1),
        8,
        a=convolution(2, 2, 5, padding=2),
        b=convolution(2, 2, 3, padding=1),
        c=nn.MaxPool1d(3, stride=1, padding=1),
    ),
    "linear for each time point": lambda: pooled(
        lambda x, a, norm: norm(a(x.transpose(1, 2))).transpose(1, 2),
        5,
        a=nn.Linear(2, 5),
        norm=nn.LayerNorm(5),
    ),
    "causal padding": lambda: pooled(
        lambda x, a: a(F.pad(x, (4, 0))), 3, a=convolution(2, 3, 3, dilation=2)
    ),
    "padding before other layers": lambda: pooled(
        lambda x, a: F.max_pool1d(F.pad(a(x), (3, 2)), 3) + F.pad(a(x), (0, 5))[:, :, 2:25:3],
        3,
        a=convolution(2, 3, 1),
    ),
    "slices": lambda: Forward(
        lambda x, a: a(
            torch.cat([x[:, :, 3:11], x[:, :, -8:], x[:, :, ::2][:, :, 1:9]], 1).amax(2)
        ),
        a=nn.Linear(6, 2),
    ),
    "parts of the channels": lambda: pooled(
        lambda x, a: F.glu(a(x), dim=1) + a(x)[:, 1:3] * a(x)[:, :2], 2, a=convolution(2, 4, 3)
    ),
    "parts of a vector": lambda: Forward(
        lambda x, a, b: b(F.glu(a(x.flatten(1)), dim=1)), a=nn.Linear(40, 6), b=nn.Linear(3, 2)
    ),
    "gates from the whole series": lambda: pooled(
        lambda x, a, b: a(x) * torch.sigmoid(b(a(x).mean(2))).unsqueeze(2),
        4,
        a=convolution(2, 4, 3),
        b=nn.Linear(4, 4),
    ),
    "centred by itself": lambda: pooled(
        lambda x, a: (a(x - x.mean(2, keepdim=True))).relu(), 3, a=convolution(2, 3, 4)
    ),
    "variance": lambda: Forward(
        lambda x, a: a(torch.cat([x.var(2), (x**2).mean(2), (x.abs() + 1).mean(2) ** 0.5], 1)),
        a=nn.Linear(6, 2),
    ),
    "summaries": lambda: Forward(
        lambda x, a: a(torch.cat([x.amax(2), x.amin(2), x.sum(2), x[:, :, -1], x[:, :, 5]], 1)),
        a=nn.Linear(10, 2),
    ),
    "gru": lambda: Forward(
        lambda x, a, b: b(a(x.transpose(1, 2))[1][-1]),
        a=nn.GRU(2, 4, num_layers=2, batch_first=True),
        b=nn.Linear(4, 2),
    ),
    "lstm in two directions": lambda: Forward(
        lambda x, a, b: b(a(x.transpose(1, 2))[0].mean(1)),
        a=nn.LSTM(2, 3, num_layers=2, batch_first=True, bidirectional=True),
        b=nn.Linear(6, 2),
    ),
    "last states of two directions": lambda: Forward(
        lambda x, a, b: b(torch.cat([*a(x.permute(2, 0, 1))[1][-2:]], dim=1)),
        a=nn.GRU(2, 3, bidirectional=True, bias=False),
        b=nn.Linear(6, 2),
    ),
    "convolution, then lstm": lambda: Forward(
        lambda x, a, b, c: c(b(a(x).relu().transpose(1, 2))[0][:, -1]),
        a=convolution(2, 3, 4, stride=3),
        b=nn.LSTM(3, 4, batch_first=True),
        c=nn.Linear(4, 2),
    ),
    "hidden size of one": lambda: Forward(
        lambda x, a, b: b(a(x.transpose(1, 2))[0].amax(1)),
        a=nn.LSTM(2, 1, batch_first=True, bidirectional=True),
        b=nn.Linear(2, 2),
    ),
    "linear alone": lambda: stacked(nn.Flatten(), nn.Linear(40, 2, bias=False)),
    "time before channels": lambda: Forward(
        lambda x, a: a(x.transpose(1, 2).reshape(len(x), -1)), a=nn.Linear(40, 2)
    ),
    "mlp": lambda: stacked(
        nn.Flatten(), nn.Linear(40, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Dropout(), nn.Linear(5, 2)
    ),
    "no weights": lambda: Forward(lambda x: x[:, :, 3]),
    "one logit": lambda: stacked(convolution(2, 1, 5, stride=4), nn.Flatten(), nn.Linear(4, 1)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_layers(name, tmp_path):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        clf = classifier(NETWORKS[name](), (CHANNELS, LENGTH))
    X = 2 * series(30, clf)
    assert clf.predict_proba(X).std(axis=0).min() > 1e-3  # the series matter
    gives_the_same(to_c(clf, tmp_path / "student.c", X), clf, X)


@pytest.mark.parametrize("length", [1, 2, 3])
def test_very_short_series(length, tmp_path):
    network = pooled(lambda x, a: a(x).relu(), 3, a=convolution(1, 3, 3, padding=1))
    clf = classifier(network, (1, length))
    gives_the_same(to_c(clf, tmp_path / "student.c"), clf, series(5, clf))


class Univariate(nn.Module):
    """Drops the axis of the only channel."""

    def __init__(self):
        super().__init__()
        self.convolution, self.linear = nn.Conv1d(1, 3, 3), nn.Linear(9, 2)

    def forward(self, x):
        x = x.squeeze(1)
        return self.linear(torch.cat([self.convolution(x[:, None]).amax(2), x[:, :6]], dim=1))


def test_the_axis_of_a_single_channel_may_go(tmp_path):
    clf = classifier(Univariate(), (1, 12))
    with pytest.raises(RuntimeError, match="Concat"):  # joins channels with time points
        to_c(clf, tmp_path / "student.c")
    network = Forward(
        lambda x, a, b: b(a(x.squeeze(1).unsqueeze(1)).amax(2)),
        a=convolution(1, 3, 3),
        b=nn.Linear(3, 2),
    )
    clf = classifier(network, (1, 12))
    gives_the_same(to_c(clf, tmp_path / "student.c"), clf, series(5, clf))


REFUSED = {
    "Softmax": lambda: pooled(lambda x: x.softmax(dim=2), 2),
    "MatMul": lambda: Forward(
        lambda x, a: a((x @ x.transpose(1, 2)).flatten(1)), a=nn.Linear(4, 2)
    ),
    "InstanceNormalization": lambda: pooled(lambda x, a: a(x), 2, a=nn.InstanceNorm1d(2)),
    "ReduceMean": lambda: Forward(lambda x, a: a(x.mean(1)), a=nn.Linear(20, 2)),
    "CumSum": lambda: pooled(lambda x: x.cumsum(2), 2),
    "Add": lambda: pooled(lambda x: x + torch.arange(20.0), 2),
}


@pytest.mark.parametrize("operator", REFUSED)
def test_what_has_no_c_code_is_refused_by_its_name(operator, tmp_path):
    with pytest.raises(RuntimeError, match=rf"cannot be written in C\. {operator}: "):
        to_c(classifier(REFUSED[operator](), (CHANNELS, LENGTH)), tmp_path / "student.c")
    assert list(tmp_path.iterdir()) == []


class Branching(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(12, 2)

    def forward(self, x):
        logits = self.linear(x.flatten(1))
        return logits if x.max() < 1e6 else -logits


def test_branches_on_values_are_warned_of(tmp_path):
    clf = classifier(Branching(), (1, 12))
    with pytest.warns(UserWarning, match="Branching branches on values"):
        path = to_c(clf, tmp_path / "student.c")
    gives_the_same(path, clf, series(5, clf))


def test_the_schedule_keeps_what_windows_reach_over():
    """Columns and lags worked out by hand."""
    x, early, late, joined = (Tensor(2, 50) for _ in range(4))
    first = Input(inputs=[], output=x)
    matrix = np.zeros((2, 5, 2))
    a = Convolution(inputs=[x], output=early, matrix=matrix, biases=0, kernel=5, pad=4)  # causal
    b = Convolution(inputs=[x], output=late, matrix=matrix, biases=0, kernel=5, pad=0)
    c = Concatenation(inputs=[early, late], output=joined)
    d = Shift(inputs=[joined], output=Tensor(4, 25), stride=2)
    schedule = scheduled([first, a, b, c, d])
    assert [schedule.lags[layer] for layer in (first, a, b, c, d)] == [0, 0, 4, 4, 4]
    assert [schedule.periods[layer] for layer in (first, a, b, c, d)] == [1, 1, 1, 1, 2]
    # of x, four columns before the newest; of the early branch, what the late one lags behind
    assert [schedule.n_slots[tensor] for tensor in (x, early, late, joined)] == [5, 5, 1, 1]
    assert schedule.stages[0].n_ticks == 4 + 50


def test_short_branches_wait_for_long_ones():
    """Of the short branch, five columns of 4 channels would be kept otherwise."""
    x, long, short, joined = Tensor(1, 50), Tensor(4, 50), Tensor(4, 50), Tensor(8, 50)
    first = Input(inputs=[], output=x)
    wide, narrow = np.zeros((4, 9, 1)), np.zeros((4, 1, 1))
    a = Convolution(inputs=[x], output=long, matrix=wide, biases=0, kernel=9, pad=4)
    b = Convolution(inputs=[x], output=short, matrix=narrow, biases=0)
    c = Concatenation(inputs=[long, short], output=joined)
    schedule = scheduled([first, a, b, c])
    assert [schedule.lags[layer] for layer in (first, a, b, c)] == [0, 4, 4, 4]
    assert [schedule.n_slots[tensor] for tensor in (x, long, short, joined)] == [9, 1, 1, 1]
