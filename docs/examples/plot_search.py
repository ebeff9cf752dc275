"""
Search over students, one teacher per fold
==========================================

A grid search fits every candidate from scratch. With ``memory``, all students of a fold share one
teacher and its answers.
"""

# %%
# ``memory`` needs ``random_state``: without a seed, each fit would draw a new bank.

import time
from tempfile import mkdtemp

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.model_selection import GridSearchCV

from sktime_tsd import SaliencyDistilledClassifier, SkorchClassifier
from sktime_tsd.datasets import load_dataset

X_train, y_train = load_dataset("ItalyPowerDemand", split="train")

clf = SaliencyDistilledClassifier(
    teacher=SkorchClassifier("inception_time", {"n_filters": 8, "depth": 3}, max_epochs=60),
    student=SkorchClassifier("fcn", max_epochs=40),
    memory=mkdtemp(),
    random_state=0,
)
grid = {
    "student__network__filters": [(n, 2 * n, n) for n in (2, 4, 8)],
    "saliency_weight": [0.3, 1.0],
}

start = time.perf_counter()
search = GridSearchCV(clf, grid, cv=3, scoring="accuracy", refit=False)
search.fit(X_train, y_train)
print(
    f"{len(search.cv_results_['params'])} candidates, 3 folds: {time.perf_counter() - start:.0f} s"
)

# %%
# The first candidate of each fold waits for the teacher. The others do not.

results = pd.DataFrame(search.cv_results_)
results["student"] = [
    f"{'-'.join(map(str, params['student__network__filters']))}, weight {params['saliency_weight']}"
    for params in results["params"]
]
print(results[["student", "mean_test_score", "mean_fit_time"]].round(2).to_string(index=False))

fig, (scores, times) = plt.subplots(1, 2, figsize=(10, 3.6), sharey=True, layout="constrained")
scores.errorbar(
    results["mean_test_score"], results["student"], xerr=results["std_test_score"], fmt="o"
)
scores.set_xlabel("accuracy on the held-out fold (± standard deviation)")
scores.invert_yaxis()
times.barh(results["student"], results["mean_fit_time"])
times.set_xlabel("seconds per fit")
plt.show()
