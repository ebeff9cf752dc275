"""The precision in which an ONNX file reads series. numpy only."""

import numpy as np

from sktime_tsd._utils.panels import as_float32_panel

__all__ = ["as_input", "input_dtype"]


def input_dtype(session):
    """Return the dtype that a file reads.

    Parameters
    ----------
    session : onnxruntime.InferenceSession

    Returns
    -------
    dtype : type
        numpy.float64 if the file prepares the series itself, else numpy.float32.
    """
    return np.float64 if session.get_inputs()[0].type == "tensor(double)" else np.float32


def as_input(X, dtype):
    """Cast a panel to the dtype that a file reads.

    Parameters
    ----------
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
        With the dimensions and a dtype that `check_panel` accepts.
    dtype : type
        numpy.float64 or numpy.float32.

    Returns
    -------
    X : numpy.ndarray of the same shape and the given dtype, C-contiguous

    Raises
    ------
    ValueError
        If a value is beyond the range of float32, in which the network computes.
    """
    X32 = as_float32_panel(X)  # also refuses values that are too large
    return X32 if dtype is np.float32 else np.ascontiguousarray(X, dtype=np.float64)
