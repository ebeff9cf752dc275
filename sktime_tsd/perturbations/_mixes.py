"""Mixes of two series, drawn once for a training set."""

from dataclasses import dataclass, replace

import torch

from sktime_tsd.perturbations._bank import WindowBank

__all__ = ["MixBank"]


@dataclass(frozen=True)
class MixBank(WindowBank):
    """Which mixes of each series with others are learned from, and in which shares.

    A mix is ``share * series + (1 - share) * other``. It counts as a copy whose window is the whole
    series, so that a mix bank is scored as any other bank. Create one with `draw_mixes`.

    Parameters
    ----------
    perturbation : None
    width : int
        Length of the series.
    starts : torch.Tensor of shape (n_instances, n_entries), int32
        Zeros.
    donors : torch.Tensor of shape (n_instances, n_entries), int32
        The other series, indices into `pool`.
    pool : torch.Tensor of shape (n_instances, n_channels, n_timepoints)
        All series.
    shares : torch.Tensor of shape (n_instances, n_entries), float32
        Share of the series itself, in [0, 1).

    References
    ----------
    Zhang, Cisse, Dauphin, Lopez-Paz, "mixup: Beyond empirical risk minimization", ICLR 2018,
    which mixes labels, too; here the teacher is asked.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.perturbations import MixBank
    >>> X = torch.tensor([[[0.0, 0.0]], [[1.0, 1.0]]])
    >>> bank = MixBank.draw_mixes(X, n_entries=3, generator=torch.Generator().manual_seed(0))
    >>> mixes = bank.perturb(X, torch.tensor([0]), slice(None))
    >>> bool((mixes[0, :, 0, 0] == 1 - bank.shares[0]).all())
    True
    """

    shares: torch.Tensor

    @classmethod
    def draw_mixes(cls, X, *, n_entries, generator):
        """Draw partners and shares uniformly at random for every series.

        A bank with more entries begins with those of a smaller one from a generator in the same
        state.

        Parameters
        ----------
        X : torch.Tensor of shape (n_instances, n_channels, n_timepoints)
        n_entries : int
            Mixes per series.
        generator : torch.Generator
            On the CPU. The only source of randomness.

        Returns
        -------
        bank : MixBank
        """
        n = len(X)
        drawn = torch.rand(n_entries, 2, n, generator=generator, dtype=torch.float64)
        others = (drawn[:, 0] * max(n - 1, 1)).int().T  # (n, n_entries)
        partners = (others + 1 + torch.arange(n, dtype=torch.int32)[:, None]) % n
        return cls(
            perturbation=None,
            width=X.shape[2],
            starts=torch.zeros(n, n_entries, dtype=torch.int32),
            donors=partners,
            pool=X,
            shares=drawn[:, 1].T.float().contiguous(),
        )

    def to(self, device):
        """Move the bank's tensors to a device; see `WindowBank.to`."""
        return replace(super().to(device), shares=self.shares.to(device))

    def windows(self, X, series, entries):
        """Return the mixes as windows as long as the series; see `WindowBank.windows`."""
        chosen = self._chosen(series, entries)
        shares = self.shares[chosen][..., None, None]
        others = self.pool[self.donors[chosen].long()]  # (n, k, n_channels, n_timepoints)
        return self.starts[chosen].long(), shares * X[series].unsqueeze(1) + (1 - shares) * others
