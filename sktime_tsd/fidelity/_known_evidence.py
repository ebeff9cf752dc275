"""How well a saliency finds evidence whose place is known."""

import numpy as np
from sklearn.metrics import average_precision_score

__all__ = ["saliency_auc_prc"]


def saliency_auc_prc(saliency, mask):
    """Measure how well a saliency finds the time points that are known to matter.

    The area under the precision-recall curve of each series: time points are retrieved by
    saliency, the most salient first, and those in the mask are the relevant ones. The area is a
    sum over the steps of recall (scikit-learn's ``average_precision_score``), since linear
    interpolation would favour saliencies with many ties.

    Parameters
    ----------
    saliency : Saliency or numpy.ndarray of shape (n_instances, (n_channels,) n_timepoints)
    mask : numpy.ndarray of the same shape, bool
        True where the evidence for the class is.

    Returns
    -------
    area : numpy.ndarray of shape (n_instances,)
        In (0, 1]; higher is better. By chance a little more than the share of time points in the
        mask, its value for a constant saliency. NaN for a series without any.

    Raises
    ------
    ValueError
        If the shapes differ, or a value is not finite.

    References
    ----------
    Ismail, Gunady, Corrada Bravo, Feizi, "Benchmarking deep learning interpretability in time
    series predictions", NeurIPS 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from sktime_tsd.fidelity import saliency_auc_prc
    >>> mask = np.array([[False, True, True, False]])
    >>> saliency_auc_prc(np.array([[0.0, 2.0, 3.0, 1.0]]), mask)
    array([1.])
    >>> saliency_auc_prc(np.array([[1.0, 1.0, 1.0, 1.0]]), mask)
    array([0.5])
    """
    values = np.asarray(getattr(saliency, "common_values", saliency), dtype=float)
    mask = np.asarray(mask)
    if values.shape != mask.shape or mask.dtype != bool or mask.ndim < 2:
        raise ValueError(
            "mask must be an array of booleans, shaped like the saliency, (n_instances, ..., "
            f"n_timepoints); got shape {mask.shape} of {mask.dtype} for {values.shape}."
        )
    if not np.isfinite(values).all():
        raise ValueError("The saliency must be finite, but holds NaN or infinite values.")
    pairs = zip(values.reshape(len(values), -1), mask.reshape(len(mask), -1), strict=True)
    return np.array(
        [average_precision_score(m, v) if m.any() else np.nan for v, m in pairs], dtype=float
    )
