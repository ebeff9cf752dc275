"""
Your own network
================

Any ``nn.Module`` can be a student, and any trained one a teacher.
"""

# %%
# A student takes ``(n_channels, n_timepoints, n_classes)`` and its settings by name, and maps
# (n, n_channels, n_timepoints) to logits (n, n_classes).

import matplotlib.pyplot as plt
import torch
from torch import nn

from sktime_tsd import SaliencyDistilledClassifier, SkorchClassifier
from sktime_tsd.datasets import load_dataset
from sktime_tsd.losses import KD
from sktime_tsd.networks import n_parameters


class Gru(nn.Module):
    """One recurrent layer, averaged over time."""

    def __init__(self, n_channels, n_timepoints, n_classes, hidden_size=12):
        super().__init__()
        self.recurrent = nn.GRU(n_channels, hidden_size, batch_first=True)
        self.linear = nn.Linear(hidden_size, n_classes)

    def forward(self, x):
        states, _ = self.recurrent(x.transpose(1, 2))
        return self.linear(states.mean(dim=1))


X_train, y_train = load_dataset("ItalyPowerDemand", split="train")
X_test, y_test = load_dataset("ItalyPowerDemand", split="test")

# %%
# A teacher trained elsewhere is copied and used as it is. Its logits follow the sorted labels.

torch.manual_seed(0)
trained = SkorchClassifier("inception_time", {"n_filters": 8, "depth": 3}, random_state=0)
trained = trained.fit(X_train, y_train).network_

clf = SaliencyDistilledClassifier(
    teacher=trained,
    student=SkorchClassifier(Gru, {"hidden_size": 12}, max_epochs=150),
    distillation=[KD()],  # added to saliency
    random_state=0,
)
clf.fit(X_train, y_train)
print(f"{n_parameters(trained):,} weights: {clf.teacher_.score(X_test, y_test):.3f} right")
print(f"{n_parameters(clf.student_.network_):,} weights: {clf.score(X_test, y_test):.3f} right")

# %%
# How the training went, one column per term of the loss.

history = clf.student_.history_frame()
fig, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
history[["cross_entropy", "kd", "saliency"]].plot(ax=ax, logy=True)
ax.set_ylabel("loss")
plt.show()
