"""
How small can the student be?
=============================

One teacher, fitted and measured once, and several students. Then fidelity against size.
"""

# %%
# One teacher. ``FrozenEstimator`` keeps it from being refitted.

import matplotlib.pyplot as plt
from sklearn.frozen import FrozenEstimator

from sktime_tsd import SaliencyDistilledClassifier, SkorchClassifier
from sktime_tsd.datasets import load_dataset
from sktime_tsd.fidelity import FidelityReference, compare
from sktime_tsd.plotting import plot_tradeoff

X_train, y_train = load_dataset("ItalyPowerDemand", split="train")
X_test, y_test = load_dataset("ItalyPowerDemand", split="test")

teacher = SkorchClassifier(
    "inception_time", {"n_filters": 16, "depth": 3}, max_epochs=60, random_state=0
)
teacher.fit(X_train, y_train)
reference = FidelityReference(
    teacher, X_test, y_test, background=X_train, max_saliency_instances=50, random_state=0
)

# %%
# Students from 100 to 5,000 weights.

reports = {}
for filters in [(2, 4, 2), (4, 8, 4), (8, 16, 8), (16, 32, 16)]:
    student = SkorchClassifier("fcn", {"filters": filters}, max_epochs=60)
    clf = SaliencyDistilledClassifier(FrozenEstimator(teacher), student, random_state=0)
    clf.fit(X_train, y_train)
    reports[f"FCN {'-'.join(map(str, filters))}"] = reference.report(clf.student_)

metrics = ["parameters_student", "top_1_agreement", "kl_divergence", "saliency_spearman"]
print(compare(reports).xs("value", axis=1, level=1).loc[metrics].round(3).to_string())

# %%
# Bars are bootstrap intervals over the test series. A difference within them is no reason to choose
# the larger student.

plot_tradeoff(reports, x="parameters_student", y="saliency_spearman")
plt.show()
