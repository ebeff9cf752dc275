"""``python -m sktime_tsd.benchmark.terms``: what a step costs with each distillation term.

Each ratio is an epoch with cross entropy and the term, without saliency or beside it, over
an epoch with cross entropy alone; all take turns in one run.
"""

import argparse

import pandas as pd
import torch

from sktime_tsd._random import seeded
from sktime_tsd._teacher_features import TeacherFeatures
from sktime_tsd._threads import keep_torch_threads
from sktime_tsd._training_set import TrainingSet
from sktime_tsd._validation import resolve_device
from sktime_tsd.benchmark._epochs import (
    N_TIMEPOINTS,
    STUDENTS,
    epoch_seconds,
    noise,
    noise_training_set,
)
from sktime_tsd.benchmark._timing import summary
from sktime_tsd.losses import (
    DKD,
    DT2W,
    KD,
    RKD,
    VID,
    AttentionTransfer,
    FitNets,
    MemKD,
    TemporalSaliency,
)
from sktime_tsd.networks import InceptionTime

__all__ = ["TERMS", "main"]

TERMS = (
    KD(),
    DKD(),
    FitNets(),
    AttentionTransfer(),
    RKD(),
    VID(),
    DT2W(),
    MemKD(),
    TemporalSaliency(),
)
TEACHER = {"n_filters": 16, "depth": 3}
N_WINDOWS = 10


def _training_set(term, perturbed):
    """Hand out what a term needs: the bank, features of a teacher, or logits alone."""
    if term.needs_perturbed:
        return perturbed
    features = None
    if term.needs_features:
        with seeded(0, torch.device("cpu")):
            teacher = InceptionTime(1, N_TIMEPOINTS, 2, **TEACHER)
        features = TeacherFeatures(teacher, [None], 1, N_TIMEPOINTS)
    outputs = perturbed.teacher._replace(perturbed_logits=None)
    return TrainingSet(perturbed.X, perturbed.y, teacher=outputs, teacher_features=features)


def cost_table(n_series=500, batch_size=16, repeats=5, device="cpu"):
    """Time an epoch with each term over one without.

    Parameters
    ----------
    n_series : int, default=500
        Series of noise, of 100 time points.
    batch_size : int, default=16
    repeats : int, default=5
        Turns, after one to warm up.
    device : torch.device or str, default="cpu"

    Returns
    -------
    table : pandas.DataFrame
        One row per term, one column per student: median ratio [least, greatest]. A teacher
        that is asked for features (InceptionTime, 3 modules of 16 filters) has given them
        in the epoch that is left out, and TSD's bank is drawn before.
    """
    device = resolve_device(device)
    perturbed = noise_training_set(*noise(n_series), N_WINDOWS)
    plain = TrainingSet(perturbed.X, perturbed.y)
    columns = {}
    for name, kind in STUDENTS.items():

        def seconds(training_set, terms, kind=kind):
            return epoch_seconds(kind, training_set, batch_size, device, n_epochs=4, terms=terms)

        ratios = {term.name: [] for term in TERMS}
        for _ in range(repeats + 1):
            for term in TERMS:
                with_term = seconds(_training_set(term, perturbed), (term,))
                ratios[term.name].append(with_term / seconds(plain, ()))
        columns[name] = {term: summary(values[1:]) for term, values in ratios.items()}
    return pd.DataFrame(columns).rename_axis("term")


def main(arguments=None):
    """Print what the terms cost.

    Parameters
    ----------
    arguments : list of str, optional
        Default: those of the command line.
    """
    parser = argparse.ArgumentParser(
        prog="python -m sktime_tsd.benchmark.terms",
        description="What a step costs with each distillation term, over cross entropy alone.",
    )
    parser.add_argument("--series", type=int, default=500)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=5, help="turns per ratio")
    parser.add_argument("--threads", type=int, default=1, help="of torch")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    options = parser.parse_args(arguments)
    if min(options.repeats, options.threads, options.batch_size) < 1 or options.series < 8:
        parser.error("--repeats, --threads and --batch-size must be 1 or more, --series 8 or more")
    with keep_torch_threads():
        torch.set_num_threads(options.threads)
        try:
            table = cost_table(options.series, options.batch_size, options.repeats, options.device)
        except ValueError as error:  # no such device
            parser.error(str(error))
    print(
        f"Epoch with the term / with cross entropy alone; batches of {options.batch_size}, "
        f"{options.threads} torch threads, {options.device}; median [least, greatest].\n"
    )
    print(table.to_string())


if __name__ == "__main__":
    main()
