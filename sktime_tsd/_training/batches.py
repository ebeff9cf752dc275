"""Batches of a training set, gathered for several steps at a time."""

import math

import torch

__all__ = ["BatchIterator"]

# Values gathered at a time: one gather for several steps costs no more than for one.
_VALUES_PER_GATHER = {"cpu": 2**18, "cuda": 2**24}

# Integers drawn at a time, for several epochs: every upload to a GPU makes it wait.
_INTEGERS_PER_PLAN = 2**22


class BatchIterator:
    """Batches of nearly equal size, in general never more than `batch_size` series.

    Equal sizes avoid a last batch much smaller than the others. Batches hold at least two series
    if there are two, because networks may be unable to train on one: with ``batch_size=2`` and
    an odd number of series, one batch holds three. Only ``batch_size=1`` asks for single series,
    and gets pairs if a series has a single value and no copies.

    Parameters
    ----------
    dataset : TrainingSet
    batch_size : int
    generator : torch.Generator, optional
        On the CPU. Shuffles the series and picks the windows; without it, series keep
        their order.
    n_epochs : int, default=1
        Expected number of iterations over all batches.
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
        if self.batch_size == 1 and values > 1:
            return n_batches
        return min(n_batches, max(1, len(self.dataset) // 2))

    @property
    def batch_sizes(self):
        """Series in each batch: at most two different sizes, larger ones first."""
        smaller, n_larger = divmod(len(self.dataset), len(self))
        return [smaller + (i < n_larger) for i in range(len(self))]

    def __iter__(self):
        order, entries, mix_entries = self._next_plan()
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
            steps = self._step_of_place[places]
            of_each = [None if e is None else e[steps] for e in (entries, mix_entries)]
            batch, y = self.dataset.batch(order[places], *of_each)
            yield from zip(_split(batch, some), y.split(some), strict=True)
            first = places.stop

    def _next_plan(self):
        """Return the order of the series in an epoch, and the bank entries of each step."""
        plan = next(self._planned, None)
        if plan is None:
            self._planned = self._draw_plans()
            plan = next(self._planned)
        return plan

    def _draw_plans(self):
        """Draw orders and entries for several epochs and move them to the device together."""
        dataset, n_steps = self.dataset, len(self)
        used = ((dataset.bank, dataset.n_windows), (dataset.mix_bank, dataset.n_mixes))
        integers = len(dataset) + n_steps * sum(n_used for _, n_used in used)
        n_epochs = min(self.n_epochs, max(1, _INTEGERS_PER_PLAN // integers))
        plans = []
        for _ in range(n_epochs):
            order = (
                torch.arange(len(dataset))
                if self.generator is None
                else torch.randperm(len(dataset), generator=self.generator)
            )
            plans.append([order, *(self._draw_entries(bank, n) for bank, n in used)])
        device = dataset.y.device
        together = [
            [None] * n_epochs if parts[0] is None else torch.stack(parts).to(device)
            for parts in zip(*plans, strict=True)
        ]
        return iter(zip(*together, strict=True))

    def _draw_entries(self, bank, n_used):
        """Draw entries of a bank for each step."""
        if bank is None:
            return None
        of_steps = [
            torch.randperm(bank.n_entries, generator=self.generator)[:n_used]
            for _ in range(len(self))
        ]
        return torch.stack(of_steps)


def _split(parts, sizes):
    """Split nested tuples of tensors that span several steps into one per step."""

    def split(part):
        if part is None:
            return [None] * len(sizes)
        return _split(part, sizes) if isinstance(part, tuple) else part.split(sizes)

    of_steps = zip(*map(split, parts), strict=True)
    return [type(parts)(*of_step) if hasattr(parts, "_fields") else of_step for of_step in of_steps]
