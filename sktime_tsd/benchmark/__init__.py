"""Benchmark: compare distillation methods over data sets and seeds, and report the results."""

from sktime_tsd.benchmark._benchmark_method import CONTROLS, BenchmarkMethod, KDOnCopies
from sktime_tsd.benchmark._results import read_results
from sktime_tsd.benchmark._run import run_benchmark

__all__ = ["CONTROLS", "BenchmarkMethod", "KDOnCopies", "read_results", "run_benchmark"]
