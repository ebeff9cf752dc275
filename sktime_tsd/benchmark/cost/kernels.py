"""``python -m sktime_tsd.benchmark.cost.kernels``: long convolutions in channels-last memory."""

from functools import partial
from unittest import mock

import torch

from sktime_tsd.benchmark.cost._options import (
    add_number,
    add_threads,
    cost_parser,
    torch_threads,
)
from sktime_tsd.benchmark.cost._timing import seconds, summary, turns
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
    """Time the work without channels-last memory over the same work with it."""

    def without():
        with mock.patch.object(_convolution, "_LONG_KERNEL", float("inf")):
            return seconds(work)

    return turns(without, partial(seconds, work), n_turns)


def main(arguments=None):
    """Print the ratios as a table.

    Parameters
    ----------
    arguments : list of str, optional
        Default: the command line's.
    """
    parser = cost_parser(
        "kernels",
        "Time a training step and a prediction of InceptionTime on the CPU, with and without "
        "channels-last memory for long convolutions. The two take turns.",
    )
    add_number(parser, "--turns", 15, "turns per ratio")
    add_threads(parser)
    options = parser.parse_args(arguments)
    print("| InceptionTime | time points | training: without / with | prediction |")
    print("|---|---|---|---|")
    with torch_threads(options.threads):
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
