"""Quantize the weights of an ONNX file to 8 bits, if that pays off."""

import os
import warnings

from sktime_tsd.export._quiet import quietly
from sktime_tsd.runtime import OnnxClassifier

__all__ = ["quantize_weights"]

_LEAST_AGREEMENT = 0.99


def quantize_weights(path, X, expected):
    """Quantize the weights to 8 bits, if the file gets smaller and keeps its predictions.

    Parameters
    ----------
    path : pathlib.Path
        An ONNX file with metadata. It is replaced or left unchanged.
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
        Real series.
    expected : numpy.ndarray of shape (n_instances, n_classes)
        The network's probabilities for `X`.

    Warns
    -----
    UserWarning
        If the file is left unchanged. The message says why.
    """
    with quietly(""):  # the import alone sets up logging
        from onnxruntime.quantization import QuantType, quantize_dynamic

    rounded = path.with_name(f"{path.name}-int8")
    try:
        try:
            with quietly(""):
                quantize_dynamic(path, rounded, weight_type=QuantType.QUInt8)
            answers = OnnxClassifier(rounded).predict_proba(X).argmax(axis=1)
        except Exception as error:  # onnxruntime can quantize or run some layers only in float
            reason = f"onnxruntime cannot quantize this network ({error!s:.300})"
        else:
            agreement = float((answers == expected.argmax(axis=1)).mean())
            sizes = [file.stat().st_size for file in (path, rounded)]
            if sizes[1] < sizes[0] and agreement >= _LEAST_AGREEMENT:
                os.replace(rounded, path)
                return
            reason = (
                f"with 8 bits, the file would have {sizes[1]:,} bytes instead of {sizes[0]:,} and "
                f"keep {100 * agreement:.1f} % of the answers on X "
                f"(required: {100 * _LEAST_AGREEMENT:g} %)"
            )
    finally:
        rounded.unlink(missing_ok=True)
    warnings.warn(f"The weights keep their 32 bits: {reason}.", stacklevel=4)
