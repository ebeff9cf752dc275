"""Weights of 8 bits, where they are worth it."""

import os
import warnings

from sktime_tsd.export._quiet import quietly
from sktime_tsd.runtime import OnnxClassifier

__all__ = ["round_weights"]

_LEAST_AGREEMENT = 0.99


def round_weights(path, X, expected):
    """Round the weights in a file to 8 bits, if it becomes smaller and keeps its answers.

    Parameters
    ----------
    path : pathlib.Path
        Of an ONNX file with metadata. Replaced, or left as it is.
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
    expected : numpy.ndarray of shape (n_instances, n_classes)
        Probabilities of the network.

    Warns
    -----
    UserWarning
        If the file is left as it is, and why.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    rounded = path.with_name(f"{path.name}-int8")
    try:
        try:
            with quietly(""):
                quantize_dynamic(path, rounded, weight_type=QuantType.QUInt8)
            answers = OnnxClassifier(rounded).predict_proba(X).argmax(axis=1)
        except Exception as error:  # onnxruntime rounds or runs some layers only in float
            reason = f"onnxruntime cannot: {error!s:.300}"
        else:
            agreement = float((answers == expected.argmax(axis=1)).mean())
            sizes = [file.stat().st_size for file in (path, rounded)]
            if sizes[1] < sizes[0] and agreement >= _LEAST_AGREEMENT:
                os.replace(rounded, path)
                return
            reason = (
                f"it would have {sizes[1]:,} bytes instead of {sizes[0]:,}, and "
                f"{100 * agreement:.1f} % of the answers on X would stay"
            )
    finally:
        rounded.unlink(missing_ok=True)
    warnings.warn(f"The weights keep their 32 bits: {reason}.", stacklevel=3)
