"""Callbacks of a training."""

from skorch.callbacks import Callback, EarlyStopping
from tqdm.auto import tqdm

__all__ = ["Patience", "ProgressBar"]


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


class Patience(EarlyStopping):
    """Early stopping that begins to count when the cross entropy is in the loss."""

    def on_epoch_end(self, net, **kwargs):
        """Count an epoch without progress, unless it is one of a hint stage."""
        if net.criterion_.is_task_stage:
            super().on_epoch_end(net, **kwargs)
