"""``python -m sktime_tsd.benchmark.cost.terms``: what a step costs with each distillation term.

Each ratio is an epoch with cross entropy and the term, without saliency or beside it, over
an epoch with cross entropy alone; all take turns in one run.
"""

import argparse

import pandas as pd
import torch

from sktime_tsd._cli.methods import BASE_METHODS
from sktime_tsd._training.training_set import TrainingSet
from sktime_tsd._utils.random import seeded
from sktime_tsd._utils.threads import keep_torch_threads
from sktime_tsd._utils.validation import resolve_device
from sktime_tsd.benchmark.cost._epochs import (
    N_TIMEPOINTS,
    STUDENTS,
    epoch_seconds,
    noise,
    noise_training_set,
)
from sktime_tsd.benchmark.cost._timing import summary
from sktime_tsd.losses import FitNets, TemporalSaliency
from sktime_tsd.networks import InceptionTime
from sktime_tsd.teachers._features import TeacherFeatures

__all__ = ["TERMS", "main"]

TSD = TemporalSaliency()
# with its hint throughout: the cost of a step that has it
SETTINGS = {FitNets: {"hint_share": None}}
TERMS = (*(kind(**SETTINGS.get(kind, {})) for kind in BASE_METHODS.values()), TSD)
TEACHER = {"n_filters": 16, "depth": 3}
N_WINDOWS = 10


def _training_set(terms, perturbed):
    """Hand out what terms need: a bank, features of a teacher, logits."""
    features, outputs = None, perturbed.teacher
    layers = [None for term in terms if term.needs_features]
    if layers:
        with seeded(0, torch.device("cpu")):
            teacher = InceptionTime(1, N_TIMEPOINTS, 2, **TEACHER)
        features = TeacherFeatures(teacher, layers, 1, N_TIMEPOINTS)
    bank = perturbed.bank
    if not any(term.needs_perturbed for term in terms):
        bank, outputs = None, outputs._replace(perturbed_logits=None)
    return TrainingSet(
        perturbed.X,
        perturbed.y,
        teacher=outputs if terms else None,
        bank=bank,
        n_windows=N_WINDOWS,
        teacher_features=features,
    )


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
        One row per term; for each student a column without and one with saliency: median
        ratio [least, greatest]. A teacher that is asked for features (InceptionTime, 3
        modules of 16 filters) has given them in the epoch that is left out, and TSD's bank
        is drawn before.
    """
    device = resolve_device(device)
    perturbed = noise_training_set(*noise(n_series), N_WINDOWS)
    columns = {}
    for name, kind in STUDENTS.items():

        def seconds(terms, kind=kind):
            training_set = _training_set(terms, perturbed)
            return epoch_seconds(kind, training_set, batch_size, device, n_epochs=4, terms=terms)

        for beside, others in (("", ()), (" beside TSD", (TSD,))):
            ratios = {term.name: [] for term in TERMS}
            for _ in range(repeats + 1):
                for term in TERMS:
                    # each term once
                    terms = tuple(dict.fromkeys((term, *others)))
                    ratios[term.name].append(seconds(terms) / seconds(()))
            columns[name + beside] = {term: summary(found[1:]) for term, found in ratios.items()}
    return pd.DataFrame(columns).rename_axis("term")


def main(arguments=None):
    """Print what the terms cost.

    Parameters
    ----------
    arguments : list of str, optional
        Default: those of the command line.
    """
    parser = argparse.ArgumentParser(
        prog="python -m sktime_tsd.benchmark.cost.terms",
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
