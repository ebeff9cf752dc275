"""Long short-term memory network (LSTM)."""

import math

import torch
from torch import nn

from sktime_tsd._utils.windows import replace_window
from sktime_tsd.networks._copies import read_whole

__all__ = ["LSTM"]

# Hidden values per thread from which one more piece pays off, as measured.
_VALUES_PER_PIECE = 150_000
_MOST_PIECES = 16


class LSTM(nn.Module):
    """Stacked LSTM. The last hidden state is passed to one linear layer.

    Parameters
    ----------
    n_channels : int
        Channels of a series.
    n_timepoints : int
        Length of a series. Not used: the network accepts any length.
    n_classes : int
    hidden_size : int, default=100
        Units per layer.
    num_layers : int, default=3
        Stacked LSTM layers.

    References
    ----------
    The sizes of teacher (3 x 100 units) and students (1 x 8, 16 or 32 units) are those of
    "Learning to Reason: Temporal Saliency Distillation for Interpretable Knowledge Transfer",
    ECAI 2025, doi 10.3233/FAIA251144.

    Examples
    --------
    >>> from sktime_tsd.networks import LSTM
    >>> sum(p.numel() for p in LSTM(1, 100, 2).parameters())
    203002
    >>> sum(p.numel() for p in LSTM(1, 100, 2, hidden_size=8, num_layers=1).parameters())
    370
    """

    feature_layer = "lstm"

    def __init__(self, n_channels, n_timepoints, n_classes, hidden_size=100, num_layers=3):
        super().__init__()
        self.lstm = nn.LSTM(n_channels, hidden_size, num_layers, batch_first=True)
        self.linear = nn.Linear(hidden_size, n_classes)

    def features(self, x):
        """Hidden states of the last layer.

        Parameters
        ----------
        x : torch.Tensor of shape (n, n_channels, n_timepoints)

        Returns
        -------
        features : torch.Tensor of shape (n, hidden_size, n_timepoints)
        """
        return self.lstm(x.transpose(1, 2))[0].transpose(1, 2)

    def forward(self, x):
        """Logits.

        Parameters
        ----------
        x : torch.Tensor of shape (n, n_channels, n_timepoints)

        Returns
        -------
        logits : torch.Tensor of shape (n, n_classes)
        """
        _, (hidden, _) = self.lstm(x.transpose(1, 2))
        return self.linear(hidden[-1])

    def forward_copies(self, x, starts, fillers):
        """Logits of series and of copies, computing copies only from their window on.

        The time points are read in a few pieces. A copy joins the batch, with its series'
        hidden state, in the piece in which its window begins.

        Parameters
        ----------
        x : torch.Tensor of shape (n_series, n_channels, n_timepoints)
            The first n of them have copies.
        starts : torch.Tensor of shape (n, n_copies), int64
            First time point of each copy's window.
        fillers : torch.Tensor of shape (n, n_copies, n_channels, width)
            Values that replace those in the windows.

        Returns
        -------
        logits : torch.Tensor of shape (n_series, n_classes)
        copies_logits : torch.Tensor of shape (n, n_copies, n_classes)
        """
        (n, n_copies), n_timepoints = starts.shape, x.shape[2]
        piece = math.ceil(n_timepoints / self._n_pieces(n * n_copies * n_timepoints))
        if piece == n_timepoints or not _is_plain(self.lstm):
            return read_whole(self, x, starts, fillers)
        joins_in = starts.flatten() // piece
        order = joins_in.argsort(stable=True)  # copies, sorted by the piece they join in
        n_joining = joins_in.bincount(minlength=math.ceil(n_timepoints / piece)).tolist()
        source = order // n_copies
        copies = replace_window(x[source], starts.flatten()[order], fillers.flatten(0, 1)[order])
        sequences = torch.cat([x, copies]).permute(2, 0, 1)  # (n_timepoints, ..., n_channels)
        hidden = cell = x.new_zeros(self.lstm.num_layers, len(x), self.lstm.hidden_size)
        n_joined = 0
        for i, n_new in enumerate(n_joining):
            new = source[n_joined : n_joined + n_new]
            hidden = torch.cat([hidden, hidden[:, new]], dim=1)
            cell = torch.cat([cell, cell[:, new]], dim=1)
            n_joined += n_new
            points = sequences[i * piece : (i + 1) * piece, : len(x) + n_joined]
            _, (hidden, cell) = self.lstm(points.transpose(0, 1), (hidden, cell))
        logits, copies_logits = self.linear(hidden[-1]).split([len(x), n * n_copies])
        return logits, copies_logits[order.argsort()].unflatten(0, (n, n_copies))

    def _n_pieces(self, n_steps):
        """Choose the number of pieces: each one saves time steps, but costs a call."""
        n_values = n_steps * self.lstm.hidden_size * self.lstm.num_layers
        pays_from = _VALUES_PER_PIECE * torch.get_num_threads()
        return max(1, min(_MOST_PIECES, round(n_values / pays_from)))


def _is_plain(lstm):
    """Tell whether an LSTM is as `LSTM` builds it: one direction, no dropout, no projection."""
    return (
        type(lstm) is nn.LSTM
        and lstm.batch_first
        and not (lstm.bidirectional or lstm.dropout or lstm.proj_size)
    )
