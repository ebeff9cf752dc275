"""``python -m sktime_tsd.benchmark.cost.terms``: cost of each distillation term in training."""

import pandas as pd
import torch

from sktime_tsd._cli.methods import BASE_METHODS
from sktime_tsd._training.training_set import TrainingSet
from sktime_tsd._utils.random import seeded
from sktime_tsd._utils.validation import resolve_device
from sktime_tsd.benchmark.cost._epochs import (
    N_TIMEPOINTS,
    STUDENTS,
    epoch_seconds,
    noise,
    noise_training_set,
)
from sktime_tsd.benchmark.cost._options import (
    add_device,
    add_number,
    add_threads,
    cost_parser,
    torch_threads,
)
from sktime_tsd.benchmark.cost._timing import summary
from sktime_tsd.losses import FitNets, TemporalSaliency
from sktime_tsd.networks import InceptionTime
from sktime_tsd.teachers._features import TeacherFeatures

__all__ = ["TERMS", "main"]

TSD = TemporalSaliency()
# FitNets with its hint in every step: what a step with the hint costs
SETTINGS = {FitNets: {"hint_share": None}}
TERMS = (*(kind(**SETTINGS.get(kind, {})) for kind in BASE_METHODS.values()), TSD)
TEACHER = {"n_filters": 16, "depth": 3}
N_WINDOWS = 10


def _training_set(terms, perturbed):
    """Make a training set with only what the terms need of bank, features and logits."""
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
    """Time an epoch with each term over an epoch with cross entropy alone.

    Parameters
    ----------
    n_series : int, default=500
        Series of noise, with 100 time points each.
    batch_size : int, default=16
    repeats : int, default=5
        Turns, after one turn to warm up.
    device : torch.device or str, default="cpu"

    Returns
    -------
    table : pandas.DataFrame
        One row per term; for each student, one column without and one with saliency: median
        ratio [smallest, largest]. Not included: the teacher's features (InceptionTime, 3
        modules of 16 filters), computed in the epoch that is left out, and TSD's bank, drawn
        before.
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
                    # TSD beside TSD is TSD
                    terms = tuple(dict.fromkeys((term, *others)))
                    ratios[term.name].append(seconds(terms) / seconds(()))
            columns[name + beside] = {term: summary(found[1:]) for term, found in ratios.items()}
    return pd.DataFrame(columns).rename_axis("term")


def main(arguments=None):
    """Print the table.

    Parameters
    ----------
    arguments : list of str, optional
        Default: the command line's.
    """
    parser = cost_parser(
        "terms",
        "Time an epoch with cross entropy and each distillation term, with and without saliency, "
        "over an epoch with cross entropy alone. All take turns in one run.",
    )
    add_number(parser, "--series", 500, "training series", low=8)
    add_number(parser, "--batch-size", 16, "series per step")
    add_number(parser, "--repeats", 5, "turns per ratio")
    add_threads(parser)
    add_device(parser)
    options = parser.parse_args(arguments)
    with torch_threads(options.threads):
        table = cost_table(options.series, options.batch_size, options.repeats, options.device)
    print(
        f"Epoch with the term / with cross entropy alone; batches of {options.batch_size}, "
        f"torch threads: {options.threads}, device: {options.device}; median [smallest, largest].\n"
    )
    print(table.to_string())


if __name__ == "__main__":
    main()
