"""A fitted student as one C file, for microcontrollers."""

from sktime_tsd.export.c._cost import CCost, CSource
from sktime_tsd.export.c._to_c import to_c

__all__ = ["CCost", "CSource", "to_c"]
