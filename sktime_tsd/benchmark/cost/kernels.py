"""``python -m sktime_tsd.benchmark.cost.kernels``: long convolutions on channels-last memory.

A step of training and a prediction of InceptionTime on the CPU, with and without, in turns.
"""

import argparse
from functools import partial
from unittest import mock

import torch

from sktime_tsd._cli.command_line import positive
from sktime_tsd._utils.threads import keep_torch_threads
from sktime_tsd.benchmark.cost._timing import seconds, summary
from sktime_tsd.networks import InceptionTime, _convolution

__all__ = ["main"]

NETWORKS = {
    "16 filters, depth 3": {"n_filters": 16, "depth": 3},
    "32 filters, depth 6 (published)": {},
}
N_TIMEPOINTS = (100, 500)
N_SERIES = 16


def _train(network, x):
    network.zero_grad()
    network(x).square().sum().backward()


@torch.no_grad()
def _predict(network, x):
    network(x)


def _ratios(work, n_turns):
    """Time without over time with, turn by turn."""
    plain = mock.patch.object(_convolution, "_LONG_KERNEL", float("inf"))
    ratios = []
    for turn in range(n_turns + 1):
        with plain:
            without = seconds(work)
        ratio = without / seconds(work)
        if turn:  # the first warms up
            ratios.append(ratio)
    return ratios


def main(arguments=None):
    """Print the ratios as a table.

    Parameters
    ----------
    arguments : list of str, optional
        Default: those of the command line.
    """
    parser = argparse.ArgumentParser(prog="python -m sktime_tsd.benchmark.cost.kernels")
    parser.add_argument("--turns", type=positive, default=15)
    parser.add_argument("--threads", type=positive, default=1)
    options = parser.parse_args(arguments)
    print("| InceptionTime | time points | training: without / with | prediction |")
    print("|---|---|---|---|")
    with keep_torch_threads():
        torch.set_num_threads(options.threads)
        for name, params in NETWORKS.items():
            for n_timepoints in N_TIMEPOINTS:
                torch.manual_seed(0)
                network = InceptionTime(1, n_timepoints, 2, **params)
                x = torch.randn(N_SERIES, 1, n_timepoints)
                training = _ratios(partial(_train, network, x), options.turns)
                network.eval()
                prediction = _ratios(partial(_predict, network, x), options.turns)
                print(f"| {name} | {n_timepoints} | {summary(training)} | {summary(prediction)} |")


if __name__ == "__main__":
    main()
