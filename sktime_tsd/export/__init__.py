"""Save and load fitted students without pickle, and export them to ONNX and C."""

from sktime_tsd.export._load import load_model
from sktime_tsd.export._onnx import to_onnx
from sktime_tsd.export._save import save_model
from sktime_tsd.export.c import CCost, CSource, to_c
from sktime_tsd.runtime._model_files import ModelFileError

__all__ = ["CCost", "CSource", "ModelFileError", "load_model", "save_model", "to_c", "to_onnx"]
