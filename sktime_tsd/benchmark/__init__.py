"""What distillation gives, and what it costs, measured by commands that anyone can rerun.

``python -m sktime_tsd.benchmark run`` fits data sets x methods x seeds and writes one row per run;
``python -m sktime_tsd.benchmark report`` makes tables, tests and pictures of them. The other
modules measure one thing each: ``speed``, ``saliency``, ``terms``, ``weights``,
``fewer_windows``.
"""

from sktime_tsd.benchmark._benchmark_method import CONTROLS, BenchmarkMethod, KDOnCopies
from sktime_tsd.benchmark._results import read_results
from sktime_tsd.benchmark._run import run_benchmark

__all__ = ["CONTROLS", "BenchmarkMethod", "KDOnCopies", "read_results", "run_benchmark"]
