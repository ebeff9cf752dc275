"""The skorch side: training sets that live on the device, batches of indices, the net."""

import math
from typing import NamedTuple

import torch
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback, EarlyStopping, EpochTimer
from torch.utils.data import Dataset
from tqdm.auto import tqdm

from sktime_tsd.losses import Outputs

__all__ = ["Batch", "BatchIterator", "ProgressBar", "TrainingNet", "TrainingSet", "softmax"]


def softmax(logits):
    """Probabilities of logits; importable, so that a net that uses it pickles."""
    return torch.softmax(logits, dim=-1)


class Batch(NamedTuple):
    """The input of one training step, for n series.

    Parameters
    ----------
    x : torch.Tensor of shape (n, n_channels, n_timepoints)
    perturbed : torch.Tensor of shape (n, n_windows, n_channels, n_timepoints), optional
    teacher : Outputs, optional
    """

    x: torch.Tensor
    perturbed: torch.Tensor | None = None
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
        entries : torch.Tensor of shape (n_windows,), int64, optional
            Bank entries; needed where there is a bank.

        Returns
        -------
        batch : Batch
        y : torch.Tensor of shape (n,)
        """
        teacher = perturbed = None
        if self.teacher is not None:
            teacher = Outputs(self.teacher.logits[series])
        if self.bank is not None:
            perturbed = self.bank.perturb(self.X, series, entries)
            teacher = teacher._replace(
                perturbed_logits=self.teacher.perturbed_logits[series][:, entries]
            )
        return Batch(self.X[series], perturbed, teacher), self.y[series]


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
    """

    def __init__(self, dataset, batch_size, generator=None):
        self.dataset = dataset
        self.batch_size = batch_size
        self.generator = generator

    def __len__(self):
        n_batches = math.ceil(len(self.dataset) / self.batch_size)
        values = self.dataset.X.shape[-1] * (1 + self.dataset.n_windows)
        return n_batches if values > 1 else min(n_batches, max(1, len(self.dataset) // 2))

    def __iter__(self):
        dataset, device = self.dataset, self.dataset.y.device
        if self.generator is None:
            order = torch.arange(len(dataset))
        else:
            order = torch.randperm(len(dataset), generator=self.generator)
        for series in order.to(device).tensor_split(len(self)):
            entries = None
            if dataset.bank is not None:
                entries = torch.randperm(dataset.bank.n_entries, generator=self.generator)
                entries = entries[: dataset.n_windows].to(device)
            yield dataset.batch(series, entries)


class ProgressBar(Callback):
    """One bar over all epochs, with the loss and the time left.

    Parameters
    ----------
    description : str
        What is being trained.
    """

    def __init__(self, description):
        self.description = description

    def on_train_begin(self, net, **kwargs):
        """Open the bar."""
        self.bar_ = tqdm(total=net.max_epochs, desc=self.description, unit="epoch")

    def on_epoch_end(self, net, **kwargs):
        """Advance it by one epoch."""
        row = net.history[-1]
        losses = {k: f"{row[k]:.4f}" for k in ("train_loss", "valid_loss") if k in row}
        self.bar_.set_postfix(losses, refresh=False)
        self.bar_.update()

    def close(self):
        """Close it, also where training was cut short."""
        if hasattr(self, "bar_"):
            self.bar_.close()


class TrainingNet(NeuralNetClassifier):
    """A skorch net that trains on a `TrainingSet` with a `DistillationCriterion`.

    Differs from skorch in four ways: losses are summed on the device and read once per
    epoch; a non-finite loss is an error; Ctrl-C propagates; and a callback that fails to
    save is not silent. Callbacks get ``y_pred`` as logits. The history holds one row per
    epoch, so a callback that reads the loss of single batches finds none.
    """

    @property
    def _default_callbacks(self):
        return [("epoch_timer", EpochTimer())]

    def torch_compile(self, module, name):
        """Compile the network only: the criterion's weights change at every step."""
        return super().torch_compile(module, name) if name == "module" else module

    def check_data(self, X, y):
        """Accept a `TrainingSet`, whose series were checked before."""

    def infer(self, x, **fit_params):
        """Logits of series, or `Outputs` of a batch with perturbed copies."""
        if not isinstance(x, Batch):
            return super().infer(x, **fit_params)
        if x.perturbed is None:
            return self.module_(x.x)
        n, n_windows = x.perturbed.shape[:2]
        # one forward, so that batch norm sees series and copies as one population
        logits = self.module_(torch.cat([x.x, x.perturbed.flatten(0, 1)]))
        return Outputs(logits[:n], logits[n:].unflatten(0, (n, n_windows)))

    def get_loss(self, y_pred, y_true, X=None, training=False):
        """Total loss in training, cross entropy in validation."""
        if not training:
            return self.criterion_.cross_entropy(y_pred, y_true)
        student = y_pred if isinstance(y_pred, Outputs) else Outputs(y_pred)
        return self.criterion_(student, X.teacher, y_true)

    def run_single_epoch(self, iterator, training, prefix, step_fn, **fit_params):
        """Run one epoch, reading losses back from the device once."""
        if iterator is None:
            return
        totals, weight_seen, lr = {}, 0, None
        for i, batch in enumerate(iterator):
            self.notify("on_batch_begin", batch=batch, training=training)
            if training:
                epoch = len(self.history) - 1
                self.criterion_.progress = (epoch + i / len(iterator)) / self.max_epochs
                lr = self.optimizer_.param_groups[0]["lr"]
            step = step_fn(batch, **fit_params)
            # so that the validation loss does not depend on how the series are batched
            weight = len(batch[1]) if training else self.criterion_.total_weight(batch[1])
            values = {f"{prefix}_loss": step["loss"].detach()}
            if training:
                values |= self.criterion_.values
            for name, value in values.items():
                totals[name] = totals.get(name, 0) + value * weight
            weight_seen += weight
            if isinstance(step["y_pred"], Outputs):
                step = {**step, "y_pred": step["y_pred"].logits}
            self.notify("on_batch_end", batch=batch, training=training, **step)
        for name, total in totals.items():
            self.history.record(name, float(total / weight_seen))
        if training:
            self.history.record("lr", lr)
        self._record_whether_best(f"{prefix}_loss")
        self._check_loss_is_finite(f"{prefix}_loss")

    def _record_whether_best(self, name):
        """Record what skorch's own scoring callbacks would: Checkpoint asks for it."""
        losses = self.history[:, name]
        self.history.record(f"{name}_best", len(losses) == 1 or losses[-1] < min(losses[:-1]))

    def _check_loss_is_finite(self, name):
        row = self.history[-1]
        if not math.isfinite(row[name]):
            parts = {k: v for k, v in row.items() if k in self.criterion_.values}
            raise ValueError(
                f"Training diverged: {name} became {row[name]} in epoch "
                f"{row['epoch']} (terms: {parts}). Lower lr (now {self.lr}), set "
                "gradient_clip, or keep scale_inputs=True."
            )

    def notify(self, method_name, **cb_kwargs):
        """Tell a stop asked for by early stopping from a real Ctrl-C."""
        getattr(self, method_name)(self, **cb_kwargs)
        for _, callback in self.callbacks_:
            try:
                getattr(callback, method_name)(self, **cb_kwargs)
            except KeyboardInterrupt:
                self._stop_wanted = isinstance(callback, EarlyStopping)
                raise

    def fit_loop(self, X, y=None, epochs=None, **fit_params):
        """Train; remember an interrupt, which skorch would swallow."""
        self._interrupted = self._stop_wanted = False
        try:
            return super().fit_loop(X, y, epochs=epochs, **fit_params)
        except KeyboardInterrupt:
            self._interrupted = not self._stop_wanted
            raise

    def save_params(self, *args, **kwargs):
        """Save; remember an error, which skorch's Checkpoint would only print."""
        try:
            super().save_params(*args, **kwargs)
        except Exception as error:
            self._save_error = error
            raise

    def train(self, training_set):
        """Train the initialized net.

        Parameters
        ----------
        training_set : TrainingSet

        Raises
        ------
        KeyboardInterrupt
            If the user pressed Ctrl-C.
        ValueError
            If the loss is no longer finite.
        OSError
            If a callback could not write a checkpoint.
        """
        self._save_error = None
        try:
            self.partial_fit(training_set)
        finally:
            for _, callback in self.callbacks_:
                if isinstance(callback, ProgressBar):
                    callback.close()
        if self._interrupted:
            raise KeyboardInterrupt
        if self._save_error is not None:
            raise OSError(f"A checkpoint was not written: {self._save_error}")

    def trained_module(self):
        """Return the trained module, without gradients and ``torch.compile``'s wrapper."""
        self.module_.zero_grad(set_to_none=True)
        return getattr(self.module_, "_orig_mod", self.module_)
