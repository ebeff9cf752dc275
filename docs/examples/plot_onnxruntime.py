"""
Ship it to onnxruntime
======================

Export a student to a file that needs only numpy and onnxruntime, not torch or sktime.
"""

# %%
# Fit and export. The file is kept only if it gives the network's answers.

import time
from pathlib import Path
from tempfile import mkdtemp

import matplotlib.pyplot as plt
import numpy as np

from sktime_tsd import SaliencyDistilledClassifier, SkorchClassifier, to_onnx
from sktime_tsd.datasets import load_dataset
from sktime_tsd.runtime import OnnxClassifier

X_train, y_train = load_dataset("GunPoint", split="train")
X_test, y_test = load_dataset("GunPoint", split="test")

clf = SaliencyDistilledClassifier(
    teacher=SkorchClassifier("inception_time", {"n_filters": 8, "depth": 3}, max_epochs=40),
    student=SkorchClassifier("fcn", {"filters": (8, 16, 8)}, max_epochs=60),
    random_state=0,
)
clf.fit(X_train, y_train)
path = to_onnx(clf, Path(mkdtemp()) / "student.onnx", X_train)

# %%
# On the device. This class imports only numpy and onnxruntime.

student = OnnxClassifier(path)
print(f"{path.stat().st_size / 1000:.1f} kB")
print(f"same labels: {bool((student.predict(X_test) == clf.predict(X_test)).all())}")
largest = np.abs(student.predict_proba(X_test) - clf.predict_proba(X_test)).max()
print(f"largest difference between probabilities: {largest:.1e}")


# %%
# Time per answer, one series at a time.


def milliseconds(classifier, n_calls=100):
    """Time each call."""
    times = []
    for i in range(n_calls):
        x = X_test[i % len(X_test)][np.newaxis]
        start = time.perf_counter()
        classifier.predict_proba(x)
        times.append(1000 * (time.perf_counter() - start))
    return times


models = {
    "teacher, torch": clf.teacher_,
    "student, torch": clf.student_,
    "student, onnxruntime": student,
}
times = {name: milliseconds(model) for name, model in models.items()}
for name, found in times.items():
    median, slow = np.percentile(found, [50, 99])
    print(f"{name:>20}: median {median:.2f} ms, 99 % within {slow:.2f} ms")

fig, ax = plt.subplots(figsize=(7, 3), layout="constrained")
ax.boxplot(
    times.values(),
    tick_labels=times.keys(),
    orientation="horizontal",
    whis=(1, 99),
    showfliers=False,
)
ax.set_xscale("log")
ax.set_xlabel("milliseconds for one series")
plt.show()
