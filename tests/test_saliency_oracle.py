"""Saliency is what others compute, and finds evidence whose place is known."""

import numpy as np
import pytest
import torch
from captum.attr import Occlusion
from helpers import Linear, distiller, learner
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler
from sktime.transformations.panel.rocket import MiniRocketMultivariate

from sktime_tsd import SkorchClassifier, temporal_saliency
from sktime_tsd.datasets import make_planted_motifs
from sktime_tsd.perturbations import GaussianNoise, SeriesMean, Zero

N_CHANNELS, N_TIMEPOINTS = 2, 16


def spikes(n_instances, seed):
    """Class a has its spike in one channel, b in the other, c in both; places vary."""
    rng = np.random.RandomState(seed)
    y = np.arange(n_instances) % 3
    X = 0.3 * rng.randn(n_instances, N_CHANNELS, N_TIMEPOINTS)
    place = rng.randint(1, N_TIMEPOINTS - 1, size=n_instances)
    for channel, without in enumerate((1, 0)):
        X[np.arange(n_instances), channel, place] += 4 * (y != without)
    return X.astype(np.float32), np.array(["a", "b", "c"])[y]


X_TRAIN, Y_TRAIN = spikes(36, seed=0)
X, _ = spikes(4, seed=1)
TARGET = np.array(["a", "b", "c", "b"])
COLUMN = np.searchsorted(["a", "b", "c"], TARGET)


# -- captum --------------------------------------------------------------------------

NETWORKS = {
    "fcn": ({"filters": (8, 8), "kernel_sizes": (5, 3)}, 2e-2),
    "lstm": ({"hidden_size": 8, "num_layers": 1}, 3e-2),
    "inception_time": ({"n_filters": 4, "depth": 3}, 1e-2),
}


@pytest.fixture(scope="module", params=NETWORKS)
def trained(request):
    params, lr = NETWORKS[request.param]
    clf = SkorchClassifier(request.param, params, max_epochs=25, lr=lr, random_state=0)
    return clf.fit(X_TRAIN, Y_TRAIN)


def occlude(forward, windows, **options):
    """Captum's attribution: how far what `forward` gives falls under zeros."""
    with torch.no_grad():
        attribution = Occlusion(forward).attribute(
            torch.from_numpy(X), windows, baselines=0, **options
        )
    return attribution.numpy()


def occlude_divergence(clf, windows, of_class=None, **options):
    """Occlusion of minus the divergence from the answer to the whole series."""

    def log_probabilities(x):
        return torch.log_softmax(clf.network_(x).double(), dim=1)

    def forward(x, log_p):
        terms = -log_p.exp() * (log_p - log_probabilities(x))
        return terms.sum(dim=1) if of_class is None else terms[:, of_class]

    with torch.no_grad():
        log_p = log_probabilities(torch.from_numpy(X))
    return occlude(forward, windows, additional_forward_args=(log_p,), **options)


def zeroed(clf, **options):
    return temporal_saliency(clf, X, perturbation=Zero(), batch_size=50, **options)


def assert_same(values, expected):
    assert np.abs(expected).max() > 0.05  # else a small difference would mean nothing
    np.testing.assert_allclose(values, expected, rtol=1e-6, atol=1e-6)  # captum's are float32


@pytest.mark.parametrize("at_once", [1, 5])
def test_zeroing_points_is_occlusion(trained, at_once):
    expected = occlude_divergence(trained, (N_CHANNELS, 1), perturbations_per_eval=at_once)
    assert_same(zeroed(trained, window=1).values, expected[:, 0])


def test_the_parts_of_the_classes_are_occlusion(trained):
    parts = [occlude_divergence(trained, (N_CHANNELS, 1), of_class=k)[:, 0] for k in range(3)]
    assert_same(zeroed(trained, window=1).class_values, np.stack(parts, axis=1))


def test_zeroing_points_of_single_channels_is_occlusion(trained):
    expected = occlude_divergence(trained, (1, 1))
    assert_same(zeroed(trained, window=1, per_channel=True).values, expected)


@pytest.mark.parametrize(("width", "stride"), [(4, 2), (6, 5), (3, 1), (16, 16)])
def test_overlapping_windows_are_occlusion(trained, width, stride):
    expected = occlude_divergence(trained, (N_CHANNELS, width), strides=(1, stride))
    assert_same(zeroed(trained, window=width, stride=stride).values, expected[:, 0])


def test_overlapping_windows_of_single_channels_are_occlusion(trained):
    expected = occlude_divergence(trained, (1, 4), strides=(1, 3))
    assert_same(zeroed(trained, window=4, stride=3, per_channel=True).values, expected)


@pytest.mark.parametrize("per_channel", [False, True])
def test_the_fall_of_a_target_is_occlusion(trained, per_channel):
    def probabilities(x):
        return torch.softmax(trained.network_(x).double(), dim=1)

    windows = (1 if per_channel else N_CHANNELS, 1)
    expected = occlude(probabilities, windows, target=torch.from_numpy(COLUMN))
    values = zeroed(trained, window=1, target=TARGET, per_channel=per_channel).values
    assert_same(values, expected if per_channel else expected[:, 0])


# -- a loop over single series -------------------------------------------------------


def minirocket():
    return MiniRocketMultivariate(num_kernels=84) * StandardScaler() * LogisticRegression(C=0.01)


MAKERS = {  # and how far float32 may be off
    "probabilities alone": (lambda: Linear(5, N_CHANNELS, N_TIMEPOINTS), 1e-9),
    "network": (lambda: learner().fit(X_TRAIN, Y_TRAIN), 1e-5),
    "frozen network": (lambda: FrozenEstimator(learner().fit(X_TRAIN, Y_TRAIN)), 1e-5),
    "distilled": (lambda: distiller().fit(X_TRAIN, Y_TRAIN), 1e-5),
    "MiniRocket": (lambda: minirocket().fit(X_TRAIN.astype(float), Y_TRAIN), 1e-5),
}
DONORS = X_TRAIN[[3, 10, 20]]


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=pytest.mark.slow if name == "MiniRocket" else ())
        for name in MAKERS
    ],
)
def scored(request):
    make, atol = MAKERS[request.param]
    return make(), atol


def slow(classifier, starts, width, rows_of_channels):
    """Ask for one series, rows of channels, window and donor at a time.

    Gives the divergence by class, and the fall of each class' probability, at each time
    point; both of shape (n_instances, n_classes, n_rows, n_timepoints).
    """

    def ask(x):
        # as float64, which MiniRocket needs; the values are those of float32
        return classifier.predict_proba(x[None].astype(float))[0]

    divergence = np.zeros((len(X), 3, len(rows_of_channels), N_TIMEPOINTS))
    fall = np.zeros_like(divergence)
    n_covering = np.zeros(N_TIMEPOINTS)
    for start in starts:
        n_covering[start : start + width] += 1
    for i, x in enumerate(X):
        p = ask(x)
        for r, channels in enumerate(rows_of_channels):
            for start in starts:
                window = slice(start, start + width)
                for donor in DONORS:
                    perturbed = x.copy()
                    for channel in channels:
                        perturbed[channel, window] = donor[channel, window]
                    q = ask(perturbed)
                    share = 1 / (len(DONORS) * n_covering[window])
                    for k in range(3):
                        divergence[i, k, r, window] += share * p[k] * np.log(p[k] / q[k])
                        fall[i, k, r, window] += share * (p[k] - q[k])
    return divergence, fall


@pytest.mark.parametrize("per_channel", [False, True])
def test_equals_asking_for_one_series_at_a_time(scored, per_channel):
    classifier, atol = scored
    # as many donors as there are: the draw plays no part. No stride divides this.
    options = {"background": DONORS, "window": 5, "stride": 4, "per_channel": per_channel}
    starts, rows = [0, 4, 8, 11], [[0], [1]] if per_channel else [[0, 1]]
    divergence, fall = slow(classifier, starts, 5, rows)
    if not per_channel:
        divergence, fall = divergence[:, :, 0], fall[:, :, 0]
    fall = fall[np.arange(len(X)), COLUMN]
    assert divergence.sum(axis=1).max() > 0.02
    assert fall.max() > 0.02

    saliency = temporal_saliency(classifier, X, batch_size=7, **options)
    assert saliency.starts.tolist() == starts
    np.testing.assert_allclose(saliency.values, divergence.sum(axis=1), rtol=0, atol=atol)
    np.testing.assert_allclose(saliency.class_values, divergence, rtol=0, atol=atol)

    watched = temporal_saliency(classifier, X, target=TARGET, **options)
    np.testing.assert_allclose(watched.values, fall, rtol=0, atol=atol)
    np.testing.assert_allclose(watched.class_values, divergence, rtol=0, atol=atol)


@pytest.mark.parametrize("n_donors", [1, 2])
def test_fewer_donors_than_the_background_has_are_some_of_it(n_donors):
    clf = Linear(5, N_CHANNELS, N_TIMEPOINTS)
    options = {"window": 4, "n_donors": n_donors, "random_state": 3}
    drawn = temporal_saliency(clf, X, background=DONORS, **options).values
    alone = [temporal_saliency(clf, X, background=donor[None], window=4) for donor in DONORS]
    pairs = [(0,), (1,), (2,)] if n_donors == 1 else [(0, 1), (0, 2), (1, 2)]
    distances = [np.abs(drawn - np.mean([alone[d].values for d in p], axis=0)) for p in pairs]
    assert sorted(d.max() < 1e-9 for d in distances) == [False, False, True]


@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("target", [None, "b"])
def test_noise_of_no_spread_is_the_mean(per_channel, target):
    clf, options = (
        Linear(5, N_CHANNELS, N_TIMEPOINTS),
        {"per_channel": per_channel, "target": target, "window": 4},
    )
    noise = temporal_saliency(clf, X, perturbation=GaussianNoise(scale=0.0), **options)
    mean = temporal_saliency(clf, X, perturbation=SeriesMean(), **options)
    assert np.abs(mean.values).max() > 0.02
    np.testing.assert_allclose(noise.values, mean.values, rtol=0, atol=1e-9)


def test_one_channel_by_itself_is_all_channels():
    clf = learner().fit(X_TRAIN[:, :1], Y_TRAIN)
    options = {"background": X_TRAIN[:, :1], "random_state": 0}
    alone = temporal_saliency(clf, X[:, :1], per_channel=True, **options)
    together = temporal_saliency(clf, X[:, :1], **options)
    np.testing.assert_array_equal(alone.values[:, 0], together.values)
    np.testing.assert_array_equal(alone.class_values[:, :, 0], together.class_values)


# -- evidence whose place is known ---------------------------------------------------


def train_on_motifs(seed, n_channels=1, permuted=False):
    """A network with other series to judge it by, and the places of their motifs."""
    X, y, mask = make_planted_motifs(
        360, n_timepoints=100, n_channels=n_channels, n_distractors=5, random_state=seed
    )
    labels = np.random.RandomState(seed).permutation(y[:300]) if permuted else y[:300]
    network = {"filters": (16, 16), "kernel_sizes": (9, 7)}
    clf = SkorchClassifier("fcn", network, max_epochs=30, batch_size=32, lr=1e-2)
    clf.set_params(random_state=seed).fit(X[:300], labels)
    return clf, X[:300], X[300:], y[300:], mask[300:]


def auroc(values, mask):
    """How surely points of the motif have more saliency than others, mean over the series."""
    return np.mean([roc_auc_score(m.ravel(), v.ravel()) for m, v in zip(mask, values, strict=True)])


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))]
)
@pytest.mark.parametrize("permuted", [False, True])
def test_finds_planted_motifs_if_the_classifier_knows_them(seed, permuted):
    clf, background, X, y, mask = train_on_motifs(seed, permuted=permuted)
    assert (clf.score(X, y) > 0.9) != permuted
    for target in (None, clf.predict(X)):
        saliency = temporal_saliency(
            clf, X, background=background, target=target, n_donors=4, random_state=seed
        )
        found = auroc(saliency.values, mask[:, 0])
        assert found < 0.65 if permuted else found > 0.9


def test_finds_planted_motifs_and_their_channel():
    clf, background, X, y, mask = train_on_motifs(0, n_channels=2)
    assert clf.score(X, y) > 0.95
    saliency = temporal_saliency(clf, X, background=background, per_channel=True, random_state=0)
    assert saliency.values.shape == mask.shape
    assert auroc(saliency.values, mask) > 0.93
