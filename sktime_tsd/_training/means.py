"""Means of losses over an epoch."""

import torch

__all__ = ["Means"]


class Means:
    """Weighted means of values on a device, read back only once.

    If the terms of a loss change within an epoch, losses before and after are not
    comparable. Each mean then covers only the last steps with the same terms.
    """

    def __init__(self):
        self._sums = {}

    def add(self, values, weight):
        """Add values; calls may differ in their names.

        Parameters
        ----------
        values : dict of str to torch.Tensor, scalar
        weight : int or torch.Tensor, scalar
        """
        total, weights = self._sums.get(tuple(values), (0, 0))
        stacked = torch.stack([value.reshape(()) for value in values.values()])
        self._sums[tuple(values)] = total + stacked * weight, weights + weight

    def read(self):
        """Return the means.

        Returns
        -------
        means : dict of str to float
        """
        means = {}
        for names, (total, weight) in self._sums.items():
            means |= zip(names, (total / weight).tolist(), strict=True)
        return means
