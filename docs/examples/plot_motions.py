"""
Several channels: wrist motions
===============================

A watch's accelerometer and gyroscope record four activities. Which of the six channels matter?
"""

# %%
# Forty short recordings to learn from. Everything works as with one channel.

import matplotlib.pyplot as plt

from sktime_tsd import SaliencyDistilledClassifier, SkorchClassifier, temporal_saliency
from sktime_tsd.datasets import load_dataset
from sktime_tsd.plotting import plot_saliency

X_train, y_train = load_dataset("BasicMotions", split="train")
X_test, y_test = load_dataset("BasicMotions", split="test")
print(X_train.shape)  # (n_instances, n_channels, n_timepoints)

clf = SaliencyDistilledClassifier(
    teacher=SkorchClassifier("inception_time", {"n_filters": 8, "depth": 3}, max_epochs=40),
    student=SkorchClassifier("fcn", {"filters": (8, 16, 8)}, max_epochs=60),
    random_state=0,
)
clf.fit(X_train, y_train)
print(f"teacher {clf.teacher_.score(X_test, y_test):.2f}, student {clf.score(X_test, y_test):.2f}")

# %%
# ``per_channel=True`` replaces one channel at a time.

saliency = temporal_saliency(
    clf.student_, X_test, background=X_train, per_channel=True, random_state=0
)
running = int((y_test == "running").argmax())
fig, _ = plot_saliency(X_test, saliency, instance=running, title="running")
fig.set_size_inches(8, 9)
plt.show()
