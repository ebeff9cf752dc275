"""Long short-term memory network."""

from torch import nn

__all__ = ["LSTM"]


class LSTM(nn.Module):
    """Stacked LSTM whose last time step goes through one linear layer.

    Parameters
    ----------
    n_channels : int
        Channels of a series.
    n_timepoints : int
        Length of a series. The network itself takes any length.
    n_classes : int
    hidden_size : int, default=100
        Units per layer.
    num_layers : int, default=3

    References
    ----------
    Teacher (3 x 100 units) and students (1 x 8, 16 or 32) of "Learning to Reason:
    Temporal Saliency Distillation for Interpretable Knowledge Transfer", ECAI 2025,
    doi 10.3233/FAIA251144.

    Examples
    --------
    >>> from sktime_tsd.networks import LSTM
    >>> sum(p.numel() for p in LSTM(1, 100, 2).parameters())
    203002
    >>> sum(p.numel() for p in LSTM(1, 100, 2, hidden_size=8, num_layers=1).parameters())
    370
    """

    def __init__(self, n_channels, n_timepoints, n_classes, hidden_size=100, num_layers=3):
        super().__init__()
        self.lstm = nn.LSTM(n_channels, hidden_size, num_layers, batch_first=True)
        self.linear = nn.Linear(hidden_size, n_classes)

    def _hidden_states(self, x):
        return self.lstm(x.transpose(1, 2))[0]  # (n, n_timepoints, hidden_size)

    def features(self, x):
        """Hidden states of the last layer.

        Parameters
        ----------
        x : torch.Tensor of shape (n, n_channels, n_timepoints)

        Returns
        -------
        features : torch.Tensor of shape (n, hidden_size, n_timepoints)
        """
        return self._hidden_states(x).transpose(1, 2)

    def forward(self, x):
        """Logits.

        Parameters
        ----------
        x : torch.Tensor of shape (n, n_channels, n_timepoints)

        Returns
        -------
        logits : torch.Tensor of shape (n, n_classes)
        """
        return self.linear(self._hidden_states(x)[:, -1])
