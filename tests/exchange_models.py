"""Models written under one set of versions and read under another.

``python tests/exchange_models.py write FOLDER`` in one environment, ``... read FOLDER`` in another;
``nox -s exchange`` does both, both ways, between the oldest and the newest versions.
"""

import pickle
import sys
from pathlib import Path

import numpy as np
from sklearn.pipeline import make_pipeline

from sktime_tsd import SkorchClassifier, load_model, save_model, to_onnx
from sktime_tsd._utils.versions import versions
from sktime_tsd.datasets import load_dataset
from sktime_tsd.preprocessing import SeriesCenterer, SeriesResampler, SeriesStandardScaler
from sktime_tsd.runtime import OnnxClassifier

NETWORKS = {
    "fcn": {"filters": (8, 16, 8)},
    "lstm": {"hidden_size": 16, "num_layers": 1},
    "inception_time": {"n_filters": 4, "depth": 3},
    "lite": {},
}


PIPELINE = "pipeline"


def classifier(name):
    if name != PIPELINE:
        return SkorchClassifier(name, NETWORKS[name], max_epochs=5, random_state=0)
    steps = SeriesCenterer(), SeriesResampler(30), SeriesStandardScaler()
    return make_pipeline(*steps, classifier("fcn"))


def write(folder):
    """Fit each network, and write it in each form, with its answers."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "versions.txt").write_text(str(versions()))
    X, y = load_dataset("UnitTest", split="train")
    X_test, _ = load_dataset("UnitTest", split="test")
    for name in (*NETWORKS, PIPELINE):
        clf = classifier(name).fit(X, y)
        save_model(clf, folder / name, overwrite=True)
        to_onnx(clf, folder / f"{name}.onnx", X, overwrite=True)
        (folder / f"{name}.pkl").write_bytes(pickle.dumps(clf))
        np.savez(folder / f"{name}.npz", p=clf.predict_proba(X_test), labels=clf.predict(X_test))


def read(folder):
    """Load each form and compare its answers; of pickles, say what happens."""
    written = (folder / "versions.txt").read_text()
    if written == str(versions()):
        raise SystemExit(f"nothing is shown where versions are the same: {written}")
    print(f"written under {written}")
    X, _ = load_dataset("UnitTest", split="test")
    for name in (*NETWORKS, PIPELINE):
        expected = np.load(folder / f"{name}.npz")
        for form, model in (
            ("safetensors", load_model(folder / name)),
            ("onnx", OnnxClassifier(folder / f"{name}.onnx")),
        ):
            np.testing.assert_allclose(model.predict_proba(X), expected["p"], atol=1e-5)
            np.testing.assert_array_equal(model.predict(X), expected["labels"])
            print(f"{name}, {form}: the same answers")
        try:
            model = pickle.loads((folder / f"{name}.pkl").read_bytes())
            error = np.abs(model.predict_proba(X) - expected["p"]).max()
            print(f"{name}, pickle: loads, probabilities differ by {error:.1e}")
        except Exception as error:  # no promise is made for pickles
            print(f"{name}, pickle: {type(error).__name__}: {error}")


if __name__ == "__main__":
    print(versions())
    {"write": write, "read": read}[sys.argv[1]](Path(sys.argv[2]))
