"""Files that leave the house tell nothing of the machine, its users or the data."""

import getpass
import re
import socket

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.frozen import FrozenEstimator
from torch import nn

from sktime_tsd import SaliencyDistilledClassifier, SkorchClassifier, save_model, to_onnx
from sktime_tsd._utils.markdown import code_block, code_span, markdown_text
from sktime_tsd.export._card_settings import card_settings
from sktime_tsd.losses import KD
from sktime_tsd.networks import FCN
from sktime_tsd.teachers import CallableTeacher

X = (
    np.random.default_rng(0).normal(size=(16, 1, 24))
    + np.linspace(900_001, 900_016, 16)[:, None, None]
)
SMALL = {"filters": (4,), "kernel_sizes": (3,)}


class Service(ClassifierMixin, BaseEstimator):
    """A teacher whose settings are nobody's business."""

    def __init__(self, url="", user="", samples=None, key=b"", depth=1):
        self.url = url
        self.user = user
        self.samples = samples
        self.key = key
        self.depth = depth

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        share = 1 / (1 + np.exp(X.mean(axis=(1, 2)) - 900_008))
        return np.c_[share, 1 - share]


@pytest.fixture(scope="module")
def distilled(tmp_path_factory):
    memory = tmp_path_factory.mktemp("alices_cache")
    teacher = Service(
        "https://alice:pass@host.example/v1", "alice", X[:3].tolist(), b"key", depth=7
    )
    clf = SaliencyDistilledClassifier(
        teacher,
        SkorchClassifier("fcn", SMALL, max_epochs=2, batch_size=8),
        n_windows=2,
        bank_size=4,
        distillation=[KD(temperature=3.0)],
        memory=str(memory),
        random_state=0,
    )
    labels = np.array(["<script>alert(1)</script>", "a`b ``` $x_1$"])
    return clf.fit(X, labels[np.arange(16) % 2])


SECRETS = ["alice", "host.example", "pass", "900001", "900008", "0x", "/tmp", "/home", "/root"]


def secrets():
    return [*SECRETS, socket.gethostname(), f"/{getpass.getuser()}"]


def test_folders_tell_nothing(distilled, tmp_path):
    folder = save_model(distilled, tmp_path / "model")
    for path in folder.iterdir():
        content = path.read_bytes()
        for secret in secrets():
            assert secret.encode() not in content, (path.name, secret)
    card = (folder / "README.md").read_text()
    for told in ("Service(", "depth=7", "KD(temperature=3.0", "n_windows=2", "batch_size=8"):
        assert told in card
    assert "memory" not in card


def test_labels_stay_text_in_the_card(distilled, tmp_path):
    card = (save_model(distilled, tmp_path / "model") / "README.md").read_text()
    (line,) = [line for line in card.splitlines() if line.startswith("2 classes")]
    assert "`'<script>alert(1)</script>'`" in line
    assert "````'a`b ``` $x_1$'````" in line


class Own(nn.Module):
    """A user's network with a file."""

    def __init__(self, n_channels, n_timepoints, n_classes, *, pretrained=None):
        super().__init__()
        self.linear = nn.Linear(n_channels * n_timepoints, n_classes)

    def forward(self, x):
        return self.linear(x.flatten(1))


def test_onnx_files_tell_nothing(distilled, tmp_path):
    torch.manual_seed(0)
    own = SkorchClassifier.from_module(Own(1, 24, 2), ["a", "b"], input_shape=(1, 24))
    for name, clf in (("student", distilled), ("own", own)):
        content = to_onnx(clf, tmp_path / f"{name}.onnx").read_bytes()
        for secret in [*secrets(), "site-packages", "test_nothing_told", "forward"]:
            if secret not in ("0x", "pass"):
                assert secret.encode() not in content, (name, secret)


@pytest.mark.parametrize("path", ["/home/alice/w.pt", r"C:\w.pt", "alice@host:w.pt"])
def test_paths_among_the_settings_of_a_network_are_warned_of(path, tmp_path):
    clf = SkorchClassifier.from_module(
        Own(1, 24, 2), [0, 1], input_shape=(1, 24), network_params={"pretrained": [path]}
    )
    with pytest.warns(UserWarning, match=r"network_params.*w\.pt"):
        save_model(clf, tmp_path / "model")


@pytest.mark.parametrize(
    ("setting", "shown"),
    [
        (3, "3"),
        (0.5, "0.5"),
        (True, "True"),
        (np.float32(2), "2.0"),
        ("word", "<text>"),
        (np.arange(3), "<array of shape (3,)>"),
        ([1.5, 2.5], "<list of 2>"),
        (object(), "object()"),
        (lambda x: x, "object"),
        (FCN, "FCN"),
        (b"key", "bytes()"),
    ],
)
def test_what_is_shown_of_a_setting(setting, shown):
    assert card_settings(Service(samples=setting)) == f"Service(samples={shown})"


def test_settings_within_settings():
    clf = SaliencyDistilledClassifier(
        FrozenEstimator(CallableTeacher(lambda X: X, ["a", "b"])),
        SkorchClassifier("lstm", optimizer=torch.optim.RMSprop, device="cpu"),
        memory="cache",
        n_jobs=3,
    )
    assert card_settings(clf) == (
        "SaliencyDistilledClassifier(student=SkorchClassifier(network='lstm', optimizer=RMSprop), "
        "teacher=FrozenEstimator(estimator=CallableTeacher()))"
    )
    params = {"a": [1, (2,), {"b/c": None}], "many": list(range(99))}
    shown = card_settings(SkorchClassifier(FCN, params))
    assert shown.startswith("SkorchClassifier(network=FCN, network_params={'a': [1, (2,), {<text>:")
    assert ", 19, ...]" in shown
    around = clf
    for _ in range(9):
        around = FrozenEstimator(around)
    assert "..." in card_settings(around)


def test_markup_in_names_stays_text():
    text = markdown_text("a|b <script>*x*</script> `c` $y$ [l](u)\n# h &lt;")
    assert not re.search(r"[|<>*`$\[\]\n]", text)
    assert "&#38;lt;" in text
    assert markdown_text("Gun_Point 2") == "Gun_Point 2"
    assert code_span("`x") == "`` `x ``"
    assert code_block("a\n```\nb").splitlines()[0] == "````text"
