"""The skorch net that trains a network on labels and teacher outputs."""

import contextlib
import math
import re

import torch
from skorch import NeuralNetClassifier
from skorch.callbacks import EarlyStopping, EpochTimer

from sktime_tsd._scoring.precision import autocast
from sktime_tsd._training.callbacks import BATCH_EVENTS, is_watched, needs_split
from sktime_tsd._training.cuda_graph import Recorded
from sktime_tsd._training.means import Means
from sktime_tsd._training.nested import map_tensors
from sktime_tsd._training.progress import ProgressBar
from sktime_tsd._training.training_set import Batch
from sktime_tsd.losses import Outputs
from sktime_tsd.networks import FeatureTaps, forward_copies

__all__ = ["TrainingNet", "softmax"]


def softmax(logits):
    """Turn logits into probabilities; a module-level function, so that nets pickle."""
    return torch.softmax(logits, dim=-1)


def in_float32(outputs):
    """Cast all tensors of nested tuples to float32."""
    return map_tensors(torch.Tensor.float, outputs)


def _hooks_are_guarded():
    """Make torch.compile notice when a network gains or loses hooks."""
    return torch._dynamo.config.patch(skip_nnmodule_hook_guards=False)


class TrainingNet(NeuralNetClassifier):
    """A skorch net that trains on a `TrainingSet` with a `DistillationCriterion`.

    It differs from skorch in five ways: a step skips skorch's bookkeeping, which takes as
    long as a small network; losses are summed on the device and read once per epoch; a
    non-finite loss is an error; Ctrl-C propagates; and a callback that fails to save raises
    an error. Callbacks receive logits as ``y_pred``. The history has one row per epoch, so a
    callback that reads the loss of single batches finds none.

    Parameters
    ----------
    *args
        Those of ``skorch.NeuralNetClassifier``.
    n_steps : int, default=1
        Number of steps of the whole training.
    schedule : callable, optional
        Takes the optimizer and the number of steps; returns a torch scheduler, which is
        stepped after each batch. Each stage of the loss gets its own.
    gradient_clip : float, optional
        Maximum norm of the gradient.
    record : callable, optional
        Records the gradient computation once for each batch size and replays it; see
        `cuda_graph.record_cuda_graph`.
    amp : bool, default=False
        Train in bfloat16, on CUDA cards that support it.
    student_layers : sequence of str or None, default=()
        Layers whose features the terms of the loss need; see `networks.FeatureTaps`.
    **kwargs
        Those of ``skorch.NeuralNetClassifier``.
    """

    def __init__(
        self,
        *args,
        n_steps=1,
        schedule=None,
        gradient_clip=None,
        record=None,
        amp=False,
        student_layers=(),
        **kwargs,
    ):
        super().__init__(*args, **kwargs)
        self.n_steps = n_steps
        self.schedule = schedule
        self.gradient_clip = gradient_clip
        self.record = record
        self.amp = amp
        self.student_layers = student_layers

    @property
    def _default_callbacks(self):
        return [("epoch_timer", EpochTimer())]

    def torch_compile(self, module, name):
        """Compile only the network: the criterion's weights change at every step."""
        return super().torch_compile(module, name) if name == "module" else module

    def check_data(self, X, y):
        """Accept a `TrainingSet`; its series have been checked already."""

    def infer(self, x, **fit_params):
        """Compute the logits of series, or the `Outputs` of a `Batch`."""
        if not isinstance(x, Batch):
            return super().infer(x, **fit_params)
        series = x.x if x.mixes is None else torch.cat([x.x, x.mixes.flatten(0, 1)])
        if x.starts is None:
            outputs = Outputs(self.module_(series))
        else:
            outputs = Outputs(*forward_copies(self.module_, series, x.starts, x.fillers))
        if x.mixes is not None:
            logits, of_mixes = outputs.logits.split([len(x.x), len(series) - len(x.x)])
            of_mixes = of_mixes.unflatten(0, x.mixes.shape[:2])
            outputs = outputs._replace(logits=logits, mixed_logits=of_mixes)
        if not self._needs_features or x.teacher is None:
            return outputs
        return outputs._replace(features=self._taps.collect(len(x.x)))

    def get_loss(self, y_pred, y_true, X=None, training=False):
        """Compute the cross entropy, for validation; training steps use the whole criterion."""
        return self.criterion_.cross_entropy(y_pred.logits, y_true)

    def initialize_module(self):
        """Build the network and tap the required layers."""
        super().initialize_module()
        self._taps = None
        if self.student_layers:
            self._taps = FeatureTaps(self.module_, self.student_layers, "student")
        return self

    def initialize_optimizer(self, triggered_directly=None):
        """Build the optimizer and the schedule."""
        named = list(self.get_all_learnable_params())
        parameters = [parameter for _, parameter in named]
        if not parameters:
            raise ValueError(
                f"The network {type(self.module_).__name__} has no parameters to train."
            )
        self._trained = parameters
        self._device = parameters[0].device
        if self.record is not None:
            for parameter in self._trained:
                parameter.grad = torch.zeros_like(parameter)
        args, kwargs = self.get_params_for_optimizer("optimizer", named)
        self.optimizer_ = self.optimizer(*args, **kwargs)
        self.criterion_.set_progress(0, 1 / self.n_steps)
        self._begin_stage(self.criterion_.n_hint_steps(self.n_steps) or self.n_steps)
        return self

    def run_single_epoch(self, iterator, training, prefix, step_fn, **fit_params):
        """Run one epoch, reading losses back from the device once."""
        if iterator is None:
            return
        watched = {name for name in BATCH_EVENTS if is_watched(self.callbacks_, name)}
        if training:
            self._set_training(True)
        means, lr = Means(), None
        for i, batch in enumerate(iterator):
            if watched:
                self.history.new_batch()  # callbacks may write into it
            if "on_batch_begin" in watched:
                self.notify("on_batch_begin", batch=batch, training=training)
            if training:
                self._set_step((len(self.history) - 1) * len(iterator) + i)
                lr = self.optimizer_.param_groups[0]["lr"]
                if watched:  # a callback may have changed the mode
                    self._set_training(True)
                loss, terms, student = self._train_on(batch, "on_grad_computed" in watched)
                values = {f"{prefix}_loss": loss, **terms}
                weight = len(batch[1])
            else:
                step = step_fn(batch, **fit_params)
                loss, student = step["loss"], step["y_pred"]
                values = {f"{prefix}_loss": loss}
                # makes the loss independent of how the series are batched
                weight = self.criterion_.total_weight(batch[1])
            means.add(values, weight)
            if "on_batch_end" in watched:
                step = {"loss": loss, "y_pred": student.logits}
                self.notify("on_batch_end", batch=batch, training=training, **step)
        means = means.read()
        if training:  # also names the terms that took no part
            means = dict.fromkeys([*values, *self.criterion_.names], math.nan) | means
        for name, mean in means.items():
            self.history.record(name, mean)
        if training:
            self.history.record("lr", lr)
            if not self.history[-1]["batches"]:
                self.history.new_batch()  # skorch's Checkpoint needs a batch to name its files
            self.history.record_batch("lr", lr)
        self._record_whether_best(f"{prefix}_loss")
        self._check_loss_is_finite(f"{prefix}_loss")

    def _set_step(self, step):
        """Tell the criterion the next step, and begin a new stage if this is its first."""
        was_task_stage, took_part = self.criterion_.is_task_stage, self.criterion_.takes_part
        self.criterion_.set_progress(step / self.n_steps, 1 / self.n_steps)
        if self.criterion_.is_task_stage > was_task_stage:
            # as a new training that starts from the weights found so far
            self.optimizer_.state.clear()
            self._begin_stage(self.n_steps - step)
        elif self.criterion_.takes_part != took_part:
            self._take_up_terms()

    def _begin_stage(self, n_steps):
        """Prepare the schedule and the terms of the loss for a new stage.

        Parameters
        ----------
        n_steps : int
            Number of steps of the stage.
        """
        self._schedule = None
        if self.schedule is not None:
            for group in self.optimizer_.param_groups:
                group["lr"] = self.lr
            self._schedule = self.schedule(self.optimizer_, n_steps)
        self._take_up_terms()

    def _take_up_terms(self):
        """Prepare for the terms of the loss that are active now."""
        active = [
            term
            for term, takes_part in zip(
                self.criterion_.terms, self.criterion_.takes_part, strict=True
            )
            if takes_part
        ]
        self._needs_copies = any(term.needs_perturbed for term in active)
        self._uses_mixes = any(term.uses_mixes for term in active)
        self._needs_features = any(term.needs_features for term in active)
        if self._taps is not None and not self._needs_features and not self.compile:
            self._taps.remove()  # hooks would disable partial evaluation of copies
        self._compute_gradient = self._gradient_of_batch
        if self.record is not None:
            buffers = [*self.module_.buffers(), *self.criterion_.buffers()]
            self._compute_gradient = Recorded(self._gradient_of_batch, buffers, self.record)

    def _train_on(self, batch, gradient_is_watched):
        """Take one step and return the loss, its terms and the student's `Outputs`."""
        found = None

        def compute_gradient():
            nonlocal found
            found = self._compute_gradient(*batch)
            if gradient_is_watched:
                self.notify(
                    "on_grad_computed",
                    named_parameters=list(self.get_all_learnable_params()),
                    batch=batch,
                    training=True,
                )
            if self.gradient_clip is not None:
                torch.nn.utils.clip_grad_norm_(self._trained, self.gradient_clip)
            return found[0]

        # some optimizers call this several times
        self.optimizer_.step(compute_gradient)
        if self._schedule is not None:
            self._schedule.step()
        return found

    def _gradient_of_batch(self, x, y):
        """Compute the loss and leave its gradient in the parameters."""
        self._zero_gradients()
        if not self._needs_copies:
            x = x._replace(starts=None, fillers=None)
        if not self._uses_mixes:
            x = x._replace(mixes=None)
        with autocast(self._device, enabled=self.amp):
            student = self.infer(x)
        student = in_float32(student)
        loss = self.criterion_(student, x.teacher, y)
        loss.backward()
        return loss.detach(), self.criterion_.values, Outputs(student.logits.detach())

    def _zero_gradients(self):
        if isinstance(self._compute_gradient, Recorded):  # a recording refers to their memory
            torch._foreach_zero_([parameter.grad for parameter in self._trained])
        else:
            self.optimizer_.zero_grad()

    def _record_whether_best(self, name):
        """Record, as skorch's scoring callbacks do, if this epoch is best: Checkpoint needs it.

        Epochs of a hint stage have a different loss and are never best.
        """
        if not self.criterion_.is_task_stage:
            self._n_hint_epochs = len(self.history)
        losses = self.history[:, name][self._n_hint_epochs :]
        is_best = bool(losses) and losses[-1] < min(losses[:-1], default=math.inf)
        self.history.record(f"{name}_best", is_best)

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
        """Notify callbacks, and tell early stopping from a real Ctrl-C.

        Early stopping is notified of epochs only once the task stage has begun.
        """
        getattr(self, method_name)(self, **cb_kwargs)
        for _, callback in self.callbacks_:
            waits = isinstance(callback, EarlyStopping) and not self.criterion_.is_task_stage
            if method_name == "on_epoch_end" and waits:
                continue  # a hint stage has a different loss
            try:
                getattr(callback, method_name)(self, **cb_kwargs)
            except KeyboardInterrupt:
                self._stop_wanted = isinstance(callback, EarlyStopping)
                raise
            except KeyError as error:
                value = re.search(r"valid_\w+", str(error))
                if self.train_split is None and value:
                    raise needs_split(callback, value[0]) from error
                raise

    def fit_loop(self, X, y=None, epochs=None, **fit_params):
        """Train, and remember an interrupt, which skorch would swallow."""
        self._interrupted = self._stop_wanted = False
        self._n_hint_epochs = 0
        try:
            return super().fit_loop(X, y, epochs=epochs, **fit_params)
        except KeyboardInterrupt:
            self._interrupted = not self._stop_wanted
            raise

    def save_params(self, *args, **kwargs):
        """Save, and remember an error, which skorch's Checkpoint would only print."""
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
            with _hooks_are_guarded() if self.compile else contextlib.nullcontext():
                self.partial_fit(training_set)
        finally:
            self._compute_gradient = None  # it refers to the net and, on CUDA, to the whole step
            if self._taps is not None:
                self._taps.remove()
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
