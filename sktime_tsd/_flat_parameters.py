"""Parameters that lie in one vector, so that an optimizer has a single one to update."""

import torch
from torch import nn

__all__ = ["FlatParameters"]


class FlatParameters:
    """Move parameters and their gradients into one vector each.

    An optimizer that treats each number alike does the same to the vector, in a fraction
    of the operations: for a small network they are what its step costs. (A parameter that
    the loss does not depend on has a gradient of 0 there instead of none, so weight decay
    shrinks it.)

    Parameters
    ----------
    parameters : iterable of nn.Parameter
        In float32, on one device. From now on views of the vector, until `release`.

    Attributes
    ----------
    vector : nn.Parameter of shape (n_parameters,)
        Its ``grad`` is there from the start, and must be set to zero, not removed.
    """

    def __init__(self, parameters):
        self._parameters = list(parameters)
        sizes = [parameter.numel() for parameter in self._parameters]
        with torch.no_grad():
            flat = torch.cat([parameter.reshape(-1) for parameter in self._parameters])
        self.vector = nn.Parameter(flat)
        self.vector.grad = torch.zeros_like(flat)
        pieces = zip(flat.split(sizes), self.vector.grad.split(sizes), strict=True)
        for parameter, (values, gradient) in zip(self._parameters, pieces, strict=True):
            parameter.data = values.view(parameter.shape)
            parameter.grad = gradient.view(parameter.shape)

    @staticmethod
    def can_hold(parameters):
        """Tell whether parameters can lie in one vector.

        Parameters
        ----------
        parameters : list of nn.Parameter

        Returns
        -------
        bool
        """
        trained = all(p.dtype == torch.float32 and p.requires_grad for p in parameters)
        return trained and len({parameter.device for parameter in parameters}) == 1

    def release(self):
        """Give each parameter memory of its own again, without a gradient."""
        for parameter in self._parameters:
            parameter.data = parameter.data.clone()
            parameter.grad = None
