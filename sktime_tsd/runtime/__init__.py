"""Predict with exported ONNX students, with only numpy and onnxruntime installed."""

from sktime_tsd.runtime._model_files import ModelFileError
from sktime_tsd.runtime._onnx_classifier import OnnxClassifier
from sktime_tsd.runtime._stream import Stream, StreamAnswer

__all__ = ["ModelFileError", "OnnxClassifier", "Stream", "StreamAnswer"]
