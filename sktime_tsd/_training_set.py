"""Training sets that live on the device, and batches of them."""

import math
from typing import NamedTuple

import torch
from torch.utils.data import Dataset

from sktime_tsd.losses import Outputs

__all__ = ["Batch", "BatchIterator", "TrainingSet"]

# Values gathered at a time, for several steps: each gather costs as much for one step.
_VALUES_PER_GATHER = {"cpu": 2**18, "cuda": 2**24}

# Integers drawn at a time, for several epochs: on a GPU each upload would hold it up.
_INTEGERS_PER_PLAN = 2**22


class Batch(NamedTuple):
    """The input of one training step, for n series.

    Parameters
    ----------
    x : torch.Tensor of shape (n, n_channels, n_timepoints)
    starts : torch.Tensor of shape (n, n_windows), int64, optional
        First time point of the window in which each perturbed copy differs.
    fillers : torch.Tensor of shape (n, n_windows, n_channels, width), optional
        Values in these windows.
    teacher : Outputs, optional
    """

    x: torch.Tensor
    starts: torch.Tensor | None = None
    fillers: torch.Tensor | None = None
    teacher: Outputs | None = None


class TrainingSet(Dataset):
    """Series, labels and what the teacher says of them, all on one device.

    Parameters
    ----------
    X : torch.Tensor of shape (n_instances, n_channels, n_timepoints)
    y : torch.Tensor of shape (n_instances,), int64
    teacher : Outputs, optional
        Teacher outputs for all series: ``logits`` of shape (n_instances, n_classes) and,
        with a bank, ``perturbed_logits`` of shape (n_instances, n_entries, n_classes).
    bank : WindowBank, optional
    n_windows : int, default=0
        Bank entries used per series and step.
    """

    def __init__(self, X, y, *, teacher=None, bank=None, n_windows=0):
        self.X = X
        self.y = y
        self.teacher = teacher
        self.bank = bank
        self.n_windows = 0 if bank is None else min(n_windows, bank.n_entries)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, index):
        return self.X[index], self.y[index]

    @property
    def values_per_series(self):
        """Values of a series and of its windows in one step."""
        width = 0 if self.bank is None else self.bank.width
        return self.X.shape[1] * (self.X.shape[2] + self.n_windows * width)

    def to(self, device):
        """Move everything to a device.

        Parameters
        ----------
        device : torch.device

        Returns
        -------
        training_set : TrainingSet
        """
        teacher = self.teacher
        if teacher is not None:
            teacher = Outputs(*(None if part is None else part.to(device) for part in teacher))
        return TrainingSet(
            self.X.to(device),
            self.y.to(device),
            teacher=teacher,
            bank=None if self.bank is None else self.bank.to(device),
            n_windows=self.n_windows,
        )

    def batch(self, series, entries=None):
        """Assemble a batch.

        Parameters
        ----------
        series : torch.Tensor of shape (n,), int64
        entries : torch.Tensor of shape (n_windows,) or (n, n_windows), int64, optional
            Bank entries, for all series or for each; needed where there is a bank.

        Returns
        -------
        batch : Batch
        y : torch.Tensor of shape (n,)
        """
        teacher = starts = fillers = None
        if self.teacher is not None:
            teacher = Outputs(self.teacher.logits[series])
        if self.bank is not None:
            starts, fillers = self.bank.windows(self.X, series, entries)
            teacher = teacher._replace(
                perturbed_logits=self.teacher.perturbed_logits[series[:, None], entries]
            )
        return Batch(self.X[series], starts, fillers, teacher), self.y[series]


class BatchIterator:
    """Batches of nearly equal size, never more than `batch_size` series.

    Equal sizes leave no last batch that is much smaller than the others. Where a series
    and its copies are a single value, batches are of two series at least, since batch
    norm cannot train on one value.

    Parameters
    ----------
    dataset : TrainingSet
    batch_size : int
    generator : torch.Generator, optional
        On the CPU. Shuffles the series and picks the windows; without it the series
        come in their order.
    n_epochs : int, default=1
        How often it is expected to be iterated over.
    """

    def __init__(self, dataset, batch_size, generator=None, n_epochs=1):
        self.dataset = dataset
        self.batch_size = batch_size
        self.generator = generator
        self.n_epochs = n_epochs
        self._planned = iter(())
        self._step_of_place = None

    def __len__(self):
        n_batches = math.ceil(len(self.dataset) / self.batch_size)
        values = self.dataset.X.shape[-1] * (1 + self.dataset.n_windows)
        return n_batches if values > 1 else min(n_batches, max(1, len(self.dataset) // 2))

    @property
    def batch_sizes(self):
        """Series in each batch: two different numbers at most, the larger ones first."""
        smaller, n_larger = divmod(len(self.dataset), len(self))
        return [smaller + (i < n_larger) for i in range(len(self))]

    def __iter__(self):
        order, entries = self._next_plan()
        device = self.dataset.y.device
        sizes = self.batch_sizes
        if self._step_of_place is None:
            self._step_of_place = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))
            self._step_of_place = self._step_of_place.to(device)
        most = _VALUES_PER_GATHER.get(device.type, 2**18) // self.dataset.values_per_series
        steps_at_once = max(1, most // sizes[0])
        first = 0
        for i in range(0, len(sizes), steps_at_once):
            some = sizes[i : i + steps_at_once]
            places = slice(first, first + sum(some))
            of_each = None if entries is None else entries[self._step_of_place[places]]
            batch, y = self.dataset.batch(order[places], of_each)
            yield from zip(_split(batch, some), y.split(some), strict=True)
            first = places.stop

    def _next_plan(self):
        """Order of the series in an epoch, and bank entries of each of its steps."""
        plan = next(self._planned, None)
        if plan is None:
            self._planned = self._draw_plans()
            plan = next(self._planned)
        return plan

    def _draw_plans(self):
        """Draw orders and entries for some epochs, and move them to the device at once."""
        dataset, n_steps = self.dataset, len(self)
        integers = len(dataset) + n_steps * dataset.n_windows
        n_epochs = min(self.n_epochs, max(1, _INTEGERS_PER_PLAN // integers))
        orders, entries = [], []
        for _ in range(n_epochs):
            orders.append(
                torch.arange(len(dataset))
                if self.generator is None
                else torch.randperm(len(dataset), generator=self.generator)
            )
            if dataset.bank is not None:
                n_entries = dataset.bank.n_entries
                of_steps = [
                    torch.randperm(n_entries, generator=self.generator)[: dataset.n_windows]
                    for _ in range(n_steps)
                ]
                entries.append(torch.stack(of_steps))
        device = dataset.y.device
        orders = torch.stack(orders).to(device)
        entries = torch.stack(entries).to(device) if entries else [None] * n_epochs
        return iter(zip(orders, entries, strict=True))


def _split(parts, sizes):
    """Split a named tuple of tensors, over several steps, into one for each step."""

    def split(part):
        if part is None:
            return [None] * len(sizes)
        return _split(part, sizes) if isinstance(part, tuple) else part.split(sizes)

    return map(type(parts), *map(split, parts))
