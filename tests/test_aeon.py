"""Classifiers of aeon teach, whether fitted here or before. Run by ``nox -s aeon``."""

import time
from importlib.metadata import version

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import cohen_kappa_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sktime_tsd import SaliencyDistilledClassifier, SkorchClassifier
from sktime_tsd.datasets import load_dataset
from sktime_tsd.fidelity import FidelityReference

pytest.importorskip("aeon", reason="nox -s aeon makes the environment that aeon needs")

from aeon.classification.distance_based import KNeighborsTimeSeriesClassifier
from aeon.classification.feature_based import Catch22Classifier
from aeon.classification.hybrid import HIVECOTEV2
from aeon.classification.interval_based import DrCIFClassifier, TimeSeriesForestClassifier
from aeon.datasets import load_italy_power_demand
from aeon.transformations.collection.convolution_based import MiniRocket

# what aeon warns of is not checked here, what this package says of a teacher is
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore", "error:The teacher")]

X, Y = load_dataset("ItalyPowerDemand", split="train")
X_TEST, Y_TEST = (part[:200] for part in load_dataset("ItalyPowerDemand", split="test"))


def hive_cote():
    """All four parts of HIVE-COTE, each as small as it will go and still be good."""
    forest = RandomForestClassifier(20, random_state=0)
    return HIVECOTEV2(
        stc_params={"estimator": forest, "n_shapelet_samples": 100, "random_state": 0},
        drcif_params={"n_estimators": 10, "random_state": 0},
        arsenal_params={"n_kernels": 100, "n_estimators": 5, "random_state": 0},
        tde_params={
            "n_parameter_samples": 10,
            "max_ensemble_size": 5,
            "randomly_selected_params": 5,
            "random_state": 0,
        },
        random_state=0,
    )


TEACHERS = {
    "Catch22": lambda: Catch22Classifier(
        estimator=RandomForestClassifier(100, random_state=0), random_state=0
    ),
    "TimeSeriesForest": lambda: TimeSeriesForestClassifier(n_estimators=50, random_state=0),
    "DrCIF": lambda: DrCIFClassifier(n_estimators=10, random_state=0),
    "HIVE-COTE v2": hive_cote,
    "MiniRocket + logistic regression": lambda: make_pipeline(
        MiniRocket(random_state=0), StandardScaler(), LogisticRegression(max_iter=1000)
    ),
    "kNN, DTW": lambda: KNeighborsTimeSeriesClassifier("dtw", n_neighbors=5, weights="distance"),
}


METRICS = "top_1_agreement", "kl_divergence", "saliency_spearman"

SMALL = SkorchClassifier("fcn", {"filters": (8, 16, 8)}, random_state=0)


@pytest.fixture(scope="module")
def alone():
    return SMALL.clone().fit(X, Y)


@pytest.fixture(scope="module")
def rows():
    rows = []
    yield rows
    print(f"\n\naeon {version('aeon')}; by TSD (trained alone)\n")
    print("| teacher | `teacher=` | accuracy | agreement | KL | saliency correlation | fit, s |")
    print("|---|---|---|---|---|---|---|", *rows, sep="\n")


@pytest.mark.parametrize("given", ["unfitted", "frozen"])
@pytest.mark.parametrize("kind", TEACHERS)
def test_a_classifier_of_aeon_teaches(kind, given, alone, rows):
    start = time.perf_counter()
    teacher = TEACHERS[kind]()
    if given == "frozen":
        teacher = FrozenEstimator(teacher.fit(X, Y))
    clf = SaliencyDistilledClassifier(teacher, SMALL, bank_size=20, random_state=0).fit(X, Y)
    seconds = time.perf_counter() - start
    assert (clf.teacher_ is getattr(teacher, "estimator", None)) == (given == "frozen")
    assert clf.teacher_ is not teacher

    reference = FidelityReference(
        clf.teacher_,
        X_TEST,
        Y_TEST,
        background=X,
        n_donors=4,
        max_saliency_instances=50,
        removal=False,
        latency=False,
        random_state=0,
    )
    distilled, of_alone = reference.report(clf.student_), reference.report(alone)
    cells = [f"{distilled[name]:.3f} ({of_alone[name]:.3f})" for name in METRICS]
    cells = [kind, given, f"{distilled['accuracy_teacher']:.3f}", *cells, f"{seconds:.0f}"]
    rows.append(f"| {' | '.join(cells)} |")

    assert np.isfinite([distilled[name] for name in METRICS]).all()
    assert cohen_kappa_score(clf.teacher_.predict(X_TEST), clf.student_.predict(X_TEST)) > 0.7
    assert distilled["kl_divergence"] < of_alone["kl_divergence"]
    assert distilled["saliency_spearman"] > of_alone["saliency_spearman"]


@pytest.mark.parametrize("dtype", [str, int])
def test_labels_are_those_that_aeon_was_given(dtype):
    X_aeon, y_aeon = load_italy_power_demand(split="train")
    fitted = TimeSeriesForestClassifier(n_estimators=10, random_state=0)
    fitted.fit(X_aeon, y_aeon.astype(dtype))
    clf = SaliencyDistilledClassifier(
        FrozenEstimator(fitted), SMALL.clone().set_params(max_epochs=20), bank_size=10
    ).fit(X, Y.astype(dtype))
    assert clf.teacher_ is fitted
    assert clf.classes_.tolist() == fitted.classes_.tolist() == [dtype(1), dtype(2)]
