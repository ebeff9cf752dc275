"""Training sets that live on the device."""

from typing import NamedTuple

import torch
from torch.utils.data import Dataset

from sktime_tsd._training.nested import map_tensors
from sktime_tsd.losses import Outputs

__all__ = ["Batch", "TrainingSet"]


class Batch(NamedTuple):
    """The input of one training step, for n series.

    Parameters
    ----------
    x : torch.Tensor of shape (n, n_channels, n_timepoints)
    starts : torch.Tensor of shape (n, n_windows), int64, optional
        First time point of the window that each perturbed copy replaces.
    fillers : torch.Tensor of shape (n, n_windows, n_channels, width), optional
        Values in these windows.
    teacher : Outputs, optional
    mixes : torch.Tensor of shape (n, n_mixes, n_channels, n_timepoints), optional
        Mixes of each series with others.
    """

    x: torch.Tensor
    starts: torch.Tensor | None = None
    fillers: torch.Tensor | None = None
    teacher: Outputs | None = None
    mixes: torch.Tensor | None = None


class TrainingSet(Dataset):
    """Series, labels and teacher outputs, all on one device.

    Parameters
    ----------
    X : torch.Tensor of shape (n_instances, n_channels, n_timepoints)
    y : torch.Tensor of shape (n_instances,), int64
    teacher : Outputs, optional
        Teacher outputs for all series: ``logits`` of shape (n_instances, n_classes) and,
        with a bank, ``perturbed_logits`` of shape (n_instances, n_entries, n_classes); likewise
        ``mixed_logits`` with a mix bank.
    bank : WindowBank, optional
    n_windows : int, default=0
        Bank entries used per series and step.
    mix_bank : MixBank, optional
    n_mixes : int, default=0
        Its entries used per series and step.
    teacher_features : TeacherFeatures, optional
        Computes the teacher's features of a batch.
    """

    def __init__(
        self,
        X,
        y,
        *,
        teacher=None,
        bank=None,
        n_windows=0,
        mix_bank=None,
        n_mixes=0,
        teacher_features=None,
    ):
        self.X = X
        self.y = y
        self.teacher = teacher
        self.bank = bank
        self.n_windows = 0 if bank is None else min(n_windows, bank.n_entries)
        self.mix_bank = mix_bank
        self.n_mixes = 0 if mix_bank is None else min(n_mixes, mix_bank.n_entries)
        self.teacher_features = teacher_features

    def __len__(self):
        return len(self.y)

    def __getitem__(self, index):
        return self.X[index], self.y[index]

    @property
    def values_per_series(self):
        """Values that one series takes in a step: itself, its windows and teacher outputs."""
        n_channels, n_timepoints = self.X.shape[1:]
        n_values = n_channels * n_timepoints
        if self.teacher_features is not None:
            n_values += self.teacher_features.values_per_series
        for bank, n_used in ((self.bank, self.n_windows), (self.mix_bank, self.n_mixes)):
            if bank is not None:
                n_classes = self.teacher.logits.shape[1]
                n_values += n_used * (n_channels * bank.width + n_classes + 1)
        return n_values

    def to(self, device):
        """Move everything to a device.

        Parameters
        ----------
        device : torch.device

        Returns
        -------
        training_set : TrainingSet
        """
        features = self.teacher_features
        return TrainingSet(
            self.X.to(device),
            self.y.to(device),
            teacher=map_tensors(lambda part: part.to(device), self.teacher),
            bank=None if self.bank is None else self.bank.to(device),
            n_windows=self.n_windows,
            mix_bank=None if self.mix_bank is None else self.mix_bank.to(device),
            n_mixes=self.n_mixes,
            teacher_features=None if features is None else features.to(device),
        )

    def batch(self, series, entries=None, mix_entries=None):
        """Assemble a batch.

        Parameters
        ----------
        series : torch.Tensor of shape (n,), int64
        entries : torch.Tensor of shape (n_windows,) or (n, n_windows), int64, optional
            Bank entries, shared by all series or one row for each. Required with a bank.
        mix_entries : torch.Tensor of shape (n_mixes,) or (n, n_mixes), int64, optional
            Likewise those of the mix bank.

        Returns
        -------
        batch : Batch
        y : torch.Tensor of shape (n,)
        """
        teacher = starts = fillers = mixes = None
        if self.teacher is not None:
            teacher = Outputs(self.teacher.logits[series])
        if self.teacher_features is not None:
            teacher = teacher._replace(features=self.teacher_features.of(self.X, series))
        if self.bank is not None:
            starts, fillers = self.bank.windows(self.X, series, entries)
            teacher = teacher._replace(
                perturbed_logits=self.teacher.perturbed_logits[series[:, None], entries]
            )
        if self.mix_bank is not None:
            _, mixes = self.mix_bank.windows(self.X, series, mix_entries)
            teacher = teacher._replace(
                mixed_logits=self.teacher.mixed_logits[series[:, None], mix_entries]
            )
        return Batch(self.X[series], starts, fillers, teacher, mixes), self.y[series]
