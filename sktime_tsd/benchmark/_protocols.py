"""Protocols: how series are prepared, and how teachers and students are trained."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from skorch.callbacks import LRScheduler
from torch.optim.lr_scheduler import MultiStepLR

from sktime_tsd._cli.models import STUDENTS, TEACHERS
from sktime_tsd.classifier import SkorchClassifier

__all__ = ["PROTOCOLS", "Protocol"]

# The published experiments: a fifth of the training series held out, the lr halved three times.
_PUBLISHED = {
    "scale_inputs": False,
    "optimizer": "adam",
    "lr": 5e-3,
    "weight_decay": 1e-5,
    "batch_size": 32,
    "max_epochs": 500,
    "validation_fraction": 0.2,
    "patience": 50,
    "lr_schedule": None,
    "gradient_clip": None,
}
_MILESTONES = {"milestones": [25, 30, 35], "gamma": 0.5}


@dataclass(frozen=True)
class Protocol:
    """How a benchmark trains.

    Parameters
    ----------
    name : str
    teacher, student : str
        Default teacher and student: keys of ``TEACHERS`` and ``STUDENTS``.
    most_timepoints : int or None
        Longer series are resampled to this length, linearly.
    training : dict
        Parameters of `SkorchClassifier`, for teacher and student.
    transfer : dict
        Parameters of `SaliencyDistilledClassifier`.
    weights : tuple of float
        Candidates for the weight of the method's last term; empty to use the default weight.
    lr_step : {"epoch", "batch"} or None
        The lr is halved after 25, 30 and 35 epochs or batches. None: the classifier's own
        schedule.
    """

    name: str
    teacher: str
    student: str
    most_timepoints: int | None
    training: dict
    transfer: dict
    weights: tuple
    lr_step: str | None = None

    def prepare(self, X):
        """Shorten series to the protocol's length.

        Parameters
        ----------
        X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)

        Returns
        -------
        X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
        """
        if self.most_timepoints is None or X.shape[2] <= self.most_timepoints:
            return X
        resampled = F.interpolate(
            torch.from_numpy(X), size=self.most_timepoints, mode="linear", align_corners=True
        )
        return resampled.numpy()

    def make_teacher(self, name, device, max_epochs=None):
        """Make an unfitted teacher.

        Parameters
        ----------
        name : str
            A key of ``TEACHERS``.
        device : str
        max_epochs : int, optional
            Of a network. Default: the protocol's.

        Returns
        -------
        teacher : classifier
        """
        return self._with_training(TEACHERS[name](), device, max_epochs)

    def make_student(self, name, device, max_epochs=None):
        """Make an unfitted student.

        Parameters
        ----------
        name : str
            A key of ``STUDENTS``.
        device : str
        max_epochs : int, optional
            Default: the protocol's.

        Returns
        -------
        student : SkorchClassifier
        """
        return self._with_training(STUDENTS[name](), device, max_epochs)

    def _with_training(self, classifier, device, max_epochs):
        if not isinstance(classifier, SkorchClassifier):
            return classifier
        settings = dict(self.training, device=device)
        if max_epochs is not None:
            settings["max_epochs"] = max_epochs
        if self.lr_step is not None:
            schedule = LRScheduler(MultiStepLR, step_every=self.lr_step, **_MILESTONES)
            settings["callbacks"] = [("lr", schedule)]
        return classifier.set_params(**settings)


_PUBLISHED_TRANSFER = {
    "saliency_temperature": 8.0,
    "window": 10,
    "n_windows": 50,
    "bank_size": 200,
    "saliency_ramp": 0.0,
    "saliency_measure": "kl_per_class",
    "saliency_normalization": "each",
}

_PAPER = {
    "teacher": "lstm",
    "student": "lstm",
    "most_timepoints": 100,
    "training": _PUBLISHED,
    "transfer": _PUBLISHED_TRANSFER,
    "weights": (0.1, 0.5, 1.0, 10.0, 100.0),
}

#: Name -> Protocol. "paper" follows the publication. "authors" follows its code, which lowers
#: the learning rate after a number of batches, not epochs.
PROTOCOLS = {
    "default": Protocol("default", "inception_time", "fcn", None, {}, {}, ()),
    "paper": Protocol("paper", lr_step="epoch", **_PAPER),
    "authors": Protocol("authors", lr_step="batch", **_PAPER),
}
