"""
The same diagnosis for the same reason?
=======================================

We take the beats of one electrocardiogram (MIT-BIH Arrhythmia Database, a record that comes with
sktime). In half of them we raise the stretch after the spike, the ST segment, as happens in some
infarctions. So we know what an answer *should* rest on, and can check two students' reasons.
"""

# %%
# About two dozen real beats, each used several times with noise and a drifting baseline. Every
# second sample is enough.

from importlib.resources import files

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.signal import find_peaks
from sklearn.frozen import FrozenEstimator

from sktime_tsd import SaliencyDistilledClassifier, SkorchClassifier, temporal_saliency
from sktime_tsd.fidelity import saliency_spearman
from sktime_tsd.plotting import plot_saliency_pair

record = pd.read_csv(files("sktime.datasets") / "data" / "mitdb" / "mitdb.csv")["data"].to_numpy()
peaks = find_peaks(record, height=0.6, distance=100)[0]
beats = np.stack([record[peak - 60 : peak + 140 : 2] for peak in peaks[1:-1]])

rng = np.random.default_rng(0)
y = np.repeat(["as recorded", "raised"], 80)
X = beats[rng.integers(len(beats), size=len(y))] + 0.02 * rng.normal(size=(len(y), 100))
offset, slope = 0.1 * rng.normal(size=(2, len(y), 1))
X += offset + slope * np.linspace(0, 1, 100)
ST = slice(38, 53)
X[y == "raised", ST] += 0.12 * np.sin(np.linspace(0, np.pi, 15))
order = rng.permutation(len(y))
X, y = X[order, np.newaxis], y[order]
X_train, y_train, X_test, y_test = X[:80], y[:80], X[80:], y[80:]

# %%
# A teacher, and the same small student twice: trained on labels alone, and distilled.

teacher = SkorchClassifier(
    "inception_time", {"n_filters": 8, "depth": 3}, max_epochs=60, random_state=0
).fit(X_train, y_train)
small = SkorchClassifier("fcn", {"filters": (8, 16, 8)}, random_state=0)
alone = small.clone().fit(X_train, y_train)
distilled = SaliencyDistilledClassifier(FrozenEstimator(teacher), small, random_state=0)
distilled = distilled.fit(X_train, y_train).student_

of_teacher, of_alone, of_distilled = (
    temporal_saliency(clf, X_test[:30], background=X_train, random_state=0)
    for clf in (teacher, alone, distilled)
)
for name, clf, saliency in (
    ("teacher", teacher, of_teacher),
    ("student alone", alone, of_alone),
    ("student by TSD", distilled, of_distilled),
):
    on_st = saliency.values[:, ST].sum() / saliency.values.sum()
    alike = np.mean(saliency_spearman(of_teacher.values, saliency.values))
    print(
        f"{name:>14}: {clf.score(X_test, y_test):.2f} right, {on_st:.0%} of its saliency on the "
        f"ST segment, correlation with the teacher's {alike:.2f}"
    )

# %%
# Accuracy would have hidden this. All three are nearly always right, but the student alone ranks
# the time points differently from its teacher. TSD brings the student closer, though not all the
# way. (Another seed of these data gives the same picture.) A network this small sees a few dozen
# time points at once. That is worth knowing before it goes to a ward.
#
# One beat with a raised ST segment: what the teacher looks at, and what each student looks at.

i = int(np.flatnonzero(y_test[:30] == "raised")[0])
fig, axes = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
plot_saliency_pair(X_test[:30], of_teacher, of_alone, instance=i, title="student alone", ax=axes[0])
plot_saliency_pair(
    X_test[:30], of_teacher, of_distilled, instance=i, title="student by TSD", ax=axes[1]
)
plt.show()
