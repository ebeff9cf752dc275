"""Predictions of exported students with numpy and onnxruntime alone."""

from sktime_tsd.runtime._model_files import ModelFileError
from sktime_tsd.runtime._onnx_classifier import OnnxClassifier

__all__ = ["ModelFileError", "OnnxClassifier"]
