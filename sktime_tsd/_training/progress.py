"""How far training is: a progress bar, or a word if it will take long."""

from skorch.callbacks import Callback
from tqdm.auto import tqdm

from sktime_tsd._utils.long_work import LongWork

__all__ = ["LongTraining", "ProgressBar"]


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
        """Advance the bar by one epoch."""
        row = net.history[-1]
        losses = {k: f"{row[k]:.4f}" for k in ("train_loss", "valid_loss") if k in row}
        self.bar_.set_postfix(losses, refresh=False)
        self.bar_.update()

    def close(self):
        """Close the bar, even if training was cut short."""
        if hasattr(self, "bar_"):
            self.bar_.close()


class LongTraining(Callback):
    """Say after a few epochs how long training will take, if it is long.

    Parameters
    ----------
    description : str
        What is being trained.
    """

    def __init__(self, description):
        self.description = description

    def on_train_begin(self, net, **kwargs):
        """Start the clock."""
        # the first epoch also warms up
        self.work_ = LongWork(f"Training the {self.description}", net.max_epochs, n_warm_up=1)

    def on_epoch_end(self, net, **kwargs):
        """Count the epoch."""
        self.work_.advance()
