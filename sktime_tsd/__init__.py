"""Distil any time series classifier into a tiny network that decides for the same reasons."""

import importlib

__version__ = "0.1.0"

# The module of each public name, imported on first use: importing the package must not
# import torch, which takes seconds.
_OBJECTS = {
    "CascadeClassifier": "cascade",
    "SaliencyDistilledClassifier": "distiller",
    "SkorchClassifier": "classifier",
    "fidelity_report": "fidelity",
    "load_model": "export",
    "save_model": "export",
    "temporal_saliency": "saliency",
    "to_onnx": "export",
}
_MODULES = (
    "benchmark",
    "cascade",
    "datasets",
    "export",
    "fidelity",
    "losses",
    "networks",
    "perturbations",
    "plotting",
    "preprocessing",
    "runtime",
    "saliency",
    "teachers",
)

__all__ = [*_OBJECTS, *_MODULES]


def __getattr__(name):
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _OBJECTS:
        return getattr(importlib.import_module(f"{__name__}.{_OBJECTS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
