"""Save and load fitted students without pickle, and export them to ONNX."""

from sktime_tsd.export._load import load_model
from sktime_tsd.export._onnx import to_onnx
from sktime_tsd.export._save import save_model
from sktime_tsd.runtime._model_files import ModelFileError

__all__ = ["ModelFileError", "load_model", "save_model", "to_onnx"]
