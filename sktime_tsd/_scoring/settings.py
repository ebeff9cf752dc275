"""How a teacher is asked."""

from dataclasses import dataclass

import joblib

from sktime_tsd._utils.validation import check_number

__all__ = ["ScoringSettings"]


@dataclass(frozen=True)
class ScoringSettings:
    """How a teacher is asked: how much at a time, where, and what becomes of its answers.

    Parameters
    ----------
    batch_size : int, optional
        Most series per call of a teacher that is no network of this package. Default: chosen
        from the size of the series.
    n_jobs : int, optional
        Processes that such a teacher scores in. None uses the active ``joblib.parallel_config``,
        else 1.
    memory : joblib.Memory, optional
        Keeps the answers.
    verbose : int or None, default=0
        1 prints how many series will be scored, then shows a progress bar. None says how long it
        will take, if it is long.
    key : str, optional
        Identifies the classifier in the memory. Default: its fingerprint whenever it is asked, so
        a classifier that changes as it answers needs one.

    Raises
    ------
    TypeError, ValueError
        If a number is none, or out of range.
    """

    batch_size: int | None = None
    n_jobs: int | None = None
    memory: joblib.Memory | None = None
    verbose: int | None = 0
    key: str | None = None

    def __post_init__(self):
        check_number("teacher_batch_size", self.batch_size, integer=True, low=1, none_ok=True)
        check_number("n_jobs", self.n_jobs, integer=True, none_ok=True)
        if self.n_jobs == 0:
            raise ValueError("n_jobs == 0, must be 1 or more, or negative to count from all cores.")
