"""
From a foundation model's embedding to 1,202 weights
====================================================

A popular recipe: let a large pretrained model turn each series into a vector, and train logistic
regression on the vectors. It is accurate with few labels, but every answer then needs the large
model. Here a network of 1,202 weights learns to give the same answers for the same reasons.
"""

# %%
# The embedding
# -------------
# A foundation model would have to be downloaded, so a small network stands in for it: random
# convolutions with fixed weights, as in Rocket. Like a foundation model, it is frozen, and has
# never seen our data.

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from sktime_tsd import SaliencyDistilledClassifier, fidelity_report
from sktime_tsd.datasets import load_dataset
from sktime_tsd.networks import n_parameters
from sktime_tsd.plotting import plot_saliency_comparison


class RandomConvolutions(nn.Module):
    """Stands in for a pretrained encoder."""

    def __init__(self, n_channels, n_kernels=256, seed=0):
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Conv1d(n_channels, n_kernels, 7, dilation=dilation, padding=3 * dilation)
            for dilation in (1, 2, 4)
        )
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for convolution in self.convolutions:
                weight = torch.randn(convolution.weight.shape, generator=generator)
                convolution.weight.copy_(weight - weight.mean(dim=2, keepdim=True))
                convolution.bias.uniform_(-1, 1, generator=generator)

    def forward(self, x):  # (n, n_channels, n_timepoints) -> (n, 1536)
        z = [convolution(x) for convolution in self.convolutions]
        largest = [part.amax(dim=2) for part in z]
        positive = [part.gt(0).float().mean(dim=2) for part in z]
        return torch.cat(largest + positive, dim=1)


class Embedding(TransformerMixin, BaseEstimator):
    """A step for a pipeline: series in, vectors out."""

    def __init__(self, encoder, device="cpu", batch_size=256):
        self.encoder = encoder
        self.device = device
        self.batch_size = batch_size

    def fit(self, X, y=None):
        return self

    def __sklearn_is_fitted__(self):
        return True

    @torch.no_grad()
    def transform(self, X):
        encoder = self.encoder.eval().to(self.device)
        batches = torch.as_tensor(np.asarray(X, dtype=np.float32)).split(self.batch_size)
        return np.concatenate([encoder(x.to(self.device)).cpu().numpy() for x in batches])


# %%
# The teacher
# -----------
# It is an ordinary pipeline, not fitted yet. The task: was a day's power demand in Italy recorded
# in winter (class 1) or in summer (class 2)? A series has 24 points, one per hour.

X_train, y_train = load_dataset("ItalyPowerDemand", split="train")
X_test, y_test = load_dataset("ItalyPowerDemand", split="test")

embedding = Embedding(RandomConvolutions(n_channels=1))
teacher = make_pipeline(embedding, StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
clf = SaliencyDistilledClassifier(teacher, random_state=0)  # the default student, an FCN
clf.fit(X_train, y_train)

# %%
# Teacher and student, side by side
# ---------------------------------
# The student never sees the embedding, only the teacher's answers. You ship ``clf.student_`` alone.

report = fidelity_report(
    clf.teacher_,
    clf.student_,
    X_test,
    y_test,
    background=X_train,
    max_saliency_instances=50,
    removal=False,
    random_state=0,
)
logistic = clf.teacher_[-1]
rows = {
    "weights": (
        n_parameters(embedding.encoder) + logistic.coef_.size + logistic.intercept_.size,
        n_parameters(clf.student_.network_),
    ),
    "accuracy": (report["accuracy_teacher"], report["accuracy_student"]),
    "ms per series": (report["latency_1_teacher"], report["latency_1_student"]),
}
print(f"{'':13} {'teacher':>7} {'student':>7}")
for name, values in rows.items():
    print(f"{name:13}", *(f"{v:7,}" if isinstance(v, int) else f"{v:7.3f}" for v in values))
print(f"\nlatency ratio:        {np.divide(*rows['ms per series']):.1f}")
print(f"agreement:            {report['top_1_agreement']:.3f}")
print(f"KL divergence:        {report['kl_divergence']:.3f}")
print(f"saliency correlation: {report['saliency_spearman']:.3f}")

# %%
# The stand-in is small, so the student is only a few times as fast. Put a model of a hundred
# million weights in its place, and the student stays as it is.
#
# The reasons
# -----------
# For each season, the test day with the median correlation. Both models look at the hours from 18
# to 21: in winter the evening peak is there, in summer it comes later.

alike = report.samples["saliency_spearman"].to_numpy()[report.saliency_instances]
days = []
for label in ("1", "2"):
    of_season = np.flatnonzero(y_test[report.saliency_instances] == label)
    days.append(of_season[np.argsort(alike[of_season])[len(of_season) // 2]])
fig, axes = plot_saliency_comparison(
    X_test[report.saliency_instances],
    {"teacher": report.teacher_saliency, "student": report.student_saliency},
    instances=days,
    names=["a winter day", "a summer day"],
)
for ax in axes[-1]:
    ax.set_xticks(range(0, 24, 6))
    ax.set_xlabel("hour of the day")
plt.show()

# %%
# With a real foundation model
# ----------------------------
# Only ``Embedding`` changes: its ``transform`` calls your model.
#
# * **Input and output.** ``transform`` gets an array of shape (n, n_channels, n_timepoints) and
#   returns one of shape (n, n_features). Resample, pad or scale inside it, as the model expects.
# * **Frozen.** Evaluation mode, no gradients: equal series must get equal vectors.
# * **float32 and device.** The series arrive in float64. Cast them, move each batch to the model's
#   device, and bring the vectors back as numpy arrays.
# * **No copies of the model.** The distiller clones an unfitted teacher, and with it the encoder.
#   For a large model, fit the pipeline yourself and pass ``FrozenEstimator(pipeline)``.
# * **Cost.** The model embeds n x (1 + bank_size) series, once. Here that is 67 x 101 = 6,767. Time
#   one batch first. ``bank_size=20`` makes it a fifth; ``verbose=1`` shows the progress.
# * **A second student.** ``memory="folder"`` keeps the teacher's answers. With the same
#   ``random_state`` and series, the next fit asks the model for two series only, as a check.
