"""
MiniRocket in 1,200 weights
===========================

MiniRocket is accurate, but it needs about ten thousand features and numba. A small network that
gives the same answers needs neither.
"""

# %%
# A teacher can be any classifier with probabilities. Here MiniRocket ends in logistic regression.
# The usual ridge classifier gives no probabilities between 0 and 1, and so has nothing to teach.

import matplotlib.pyplot as plt
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sktime.transformations.panel.rocket import MiniRocketMultivariate

from sktime_tsd import SaliencyDistilledClassifier, SkorchClassifier, fidelity_report
from sktime_tsd.datasets import load_dataset
from sktime_tsd.plotting import plot_agreement

X_train, y_train = load_dataset("GunPoint", split="train")
X_test, y_test = load_dataset("GunPoint", split="test")

minirocket = MiniRocketMultivariate(random_state=0) * make_pipeline(
    StandardScaler(), LogisticRegression(max_iter=1000)
)
clf = SaliencyDistilledClassifier(
    minirocket, SkorchClassifier("fcn", {"filters": (8, 16, 8)}), random_state=0
)
clf.fit(X_train, y_train)

# %%
# Both are fitted classifiers. You ship the student.

print(f"MiniRocket: {clf.teacher_.score(X_test.astype(float), y_test):.3f} right")
print(f"student:    {clf.student_.score(X_test, y_test):.3f} right")

report = fidelity_report(
    clf.teacher_,
    clf.student_,
    X_test,
    y_test,
    background=X_train,
    max_saliency_instances=0,
    random_state=0,
)
print(report)

# %%
# How often both agree, by how confident the student is. Where it is confident, you can rely on it.

plot_agreement(report)
plt.show()
