"""
A cascade that keeps its promise
================================

A small student answers where it is sure, its teacher elsewhere. How much does a promised agreement
cost, and with which student is it cheapest?
"""

# %%
# One teacher and two students of the same size: one trained on labels alone, one by saliency
# distillation.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.frozen import FrozenEstimator

from sktime_tsd import CascadeClassifier, SaliencyDistilledClassifier, SkorchClassifier
from sktime_tsd.cascade import compare_costs
from sktime_tsd.datasets import load_dataset
from sktime_tsd.plotting import plot_cascade

X_train, y_train = load_dataset("ItalyPowerDemand", split="train")
X_test, _ = load_dataset("ItalyPowerDemand", split="test")

teacher = SkorchClassifier(
    "inception_time", {"n_filters": 16, "depth": 3}, max_epochs=60, random_state=0
)
teacher.fit(X_train, y_train)
small = SkorchClassifier("fcn", {"filters": (2, 4, 2)}, max_epochs=60, random_state=0)
students = {
    "alone": small.clone().fit(X_train, y_train),
    "TSD": SaliencyDistilledClassifier(FrozenEstimator(teacher), small, random_state=0)
    .fit(X_train, y_train)
    .student_,
}

# %%
# Calibrate on half of the test series, without their labels.

half = np.random.default_rng(0).permutation(len(X_test))
X_calibration, X_new = X_test[half[:500]], X_test[half[500:]]
cascades = {
    name: CascadeClassifier(student, teacher, target_agreement=0.99).fit(X_calibration)
    for name, student in students.items()
}

answers = teacher.predict(X_new)
for name, cascade in cascades.items():
    alone = (cascade.student_.predict(X_new) == answers).mean()
    kept = (cascade.predict(X_new) == answers).mean()
    print(
        f"{name}: the student agrees on {alone:.1%}, the cascade on {kept:.1%} of new series "
        f"and asks the teacher for {cascade.defers(X_new).mean():.1%}"
    )

# %%
# What the promise costs, if the student takes 0.02 ms (onnxruntime on a device) and the teacher
# 20 ms (a service).

costs = {"student_ms": 0.02, "teacher_ms": 20}
print(compare_costs(cascades, **costs).round(3).to_string())
plot_cascade(cascades, **costs)
plt.show()

# %%
# One cascade in detail: what each threshold would promise, and what was seen on the calibration
# series. The grey line is the threshold in use.

plot_cascade(cascades["TSD"], **costs)
plt.show()

# %%
# Later: are new series still like those of the calibration?

print(cascades["TSD"].check(X_new))
print()
print(cascades["TSD"].check(X_new + np.linspace(0, 1, X_new.shape[2])))
