"""Soft dynamic time warping (soft-DTW) of a batch of pairs, with its gradient."""

import torch
import torch.nn.functional as F

__all__ = ["soft_dtw"]


def soft_dtw(costs, gamma):
    r"""Soft minimum of the total cost over all alignments of two sequences.

    .. math:: R_{i,j} = C_{i,j} - \gamma \log \left( e^{-R_{i-1,j-1} / \gamma}
              + e^{-R_{i-1,j} / \gamma} + e^{-R_{i,j-1} / \gamma} \right)

    The result is the last R. All cells of an anti-diagonal are computed at once, so the number
    of tensor operations does not grow with the batch, on any device.

    Parameters
    ----------
    costs : torch.Tensor of shape (n, n_rows, n_columns)
        C, finite: the cost of aligning time point i of one sequence with j of the other.
    gamma : float
        Smoothing, positive. As it approaches 0, the result approaches that of dynamic time
        warping.

    Returns
    -------
    values : torch.Tensor of shape (n,)
        In the units of `costs`; may be negative. Differentiable once.

    References
    ----------
    Cuturi, Blondel, "Soft-DTW: a differentiable loss function for time-series", ICML 2017,
    arXiv 1703.01541.

    Examples
    --------
    >>> import torch
    >>> from sktime_tsd.losses import soft_dtw
    >>> a, b = torch.tensor([0.0, 0.0, 1.0]), torch.tensor([0.0, 1.0, 1.0])
    >>> soft_dtw((a[:, None] - b).square()[None], gamma=0.01).abs() < 1e-6
    tensor([True])
    """
    return _SoftDTW.apply(costs, gamma)


class _SoftDTW(torch.autograd.Function):
    # Works on -R / gamma, whose recursion is a sum of exponentials. Tensors have shape
    # (n_diagonals, n_rows, n): cell (i, j) is at [i + j, i].

    @staticmethod
    def forward(ctx, costs, gamma):
        n, n_rows, n_columns = costs.shape
        scaled = _by_diagonals(costs / gamma)
        # one extra row in front, for the cells before the first row
        paths = scaled.new_full((len(scaled), n_rows + 1, n), -torch.inf)
        paths[0, 1] = -scaled[0, 0]
        into = torch.full_like(scaled, torch.inf)  # paths into a cell, without its own cost
        for d in range(1, len(scaled)):
            first, last = max(0, d - n_columns + 1), min(n_rows, d + 1)
            above, here = slice(first, last), slice(first + 1, last + 1)
            total = into[d, above]
            torch.logaddexp(paths[d - 1, above], paths[d - 1, here], out=total)
            if d > 1:
                torch.logaddexp(total, paths[d - 2, above], out=total)
            torch.sub(total, scaled[d, above], out=paths[d, here])
        ctx.save_for_backward(paths, into)
        ctx.n_columns = n_columns
        return -gamma * paths[-1, -1]

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gradient):
        paths, into = ctx.saved_tensors
        n_diagonals, n_rows = into.shape[:2]
        # share of the paths into a cell that come from each of its three neighbours
        from_above = (paths[:-1, :-1] - into[1:]).exp_()
        from_left = (paths[:-1, 1:] - into[1:]).exp_()
        from_both = (paths[:-2, :-1] - into[2:]).exp_()
        # share of all paths that run through a cell, computed backwards from the last cell
        through = torch.zeros_like(into)
        through[-1, n_rows - 1] = gradient
        for d in range(n_diagonals - 2, -1, -1):
            first, last = max(0, d - ctx.n_columns + 1), min(n_rows, d + 1)
            here = slice(first, last)
            total = torch.mul(through[d + 1, here], from_left[d, here], out=through[d, here])
            # the last row has no row below it
            below = slice(first + 1, min(last + 1, n_rows))
            total = total[: below.stop - below.start]
            total.addcmul_(through[d + 1, below], from_above[d, below])
            if d + 2 < n_diagonals:
                total.addcmul_(through[d + 2, below], from_both[d, below])
        return _by_rows(through, ctx.n_columns), None


def _by_diagonals(cells):
    """Rearrange (n, n_rows, n_columns) to (n_diagonals, n_rows, n), padded with infinity."""
    n_rows, n_columns = cells.shape[1:]
    # flattening rows one longer than n_diagonals and reading rows of n_diagonals shifts each by 1
    shifted = F.pad(cells, (0, n_rows), value=torch.inf).flatten(1)
    n_diagonals = n_rows + n_columns - 1
    shifted = shifted[:, : n_rows * n_diagonals].unflatten(1, (n_rows, n_diagonals))
    return shifted.permute(2, 1, 0).contiguous()


def _by_rows(diagonals, n_columns):
    """Undo `_by_diagonals`."""
    n_diagonals, n_rows = diagonals.shape[:2]
    shifted = F.pad(diagonals.permute(2, 1, 0).flatten(1), (0, n_rows))
    return shifted.unflatten(1, (n_rows, n_diagonals + 1))[:, :, :n_columns]
