"""``python -m sktime_tsd.benchmark.cost.saliency``: cost of temporal saliency."""

import importlib.util
import warnings
from functools import partial

import numpy as np
import pandas as pd
import torch

from sktime_tsd import SkorchClassifier, temporal_saliency
from sktime_tsd._scoring.scorer_of import scorer_of
from sktime_tsd.benchmark.cost._options import (
    add_number,
    add_threads,
    cost_parser,
    torch_threads,
)
from sktime_tsd.benchmark.cost._timing import seconds, summary, turns
from sktime_tsd.datasets import load_dataset
from sktime_tsd.perturbations import AnyClass, Zero

__all__ = ["compare_with_forward", "compare_with_occlusion", "main"]

# Network, its settings and the share of the series it explains: the last, a teacher, takes about
# fifty times as long as the two students.
NETWORKS = {
    "fcn 8-16-8": ("fcn", {"filters": (8, 16, 8)}, 1.0),
    "lstm 16": ("lstm", {"hidden_size": 16, "num_layers": 1}, 1.0),
    "inception_time 16x3": ("inception_time", {"n_filters": 16, "depth": 3}, 0.1),
}

# Windows of 10 time points every 5 points fit GunPoint's 150 exactly. They must: other libraries
# cut a last window that does not fit, ours moves it back.
WIDTH, STRIDE = 10, 5
FORWARD_BATCHES = (64, 256, 1024)
PER_EVAL = (1, 4, 16, 64)


def _over(numerator, denominator, repeats):
    """Summarise the time of one function over that of another."""
    return summary(turns(partial(seconds, numerator), partial(seconds, denominator), repeats))


def _fastest(functions):
    """Find the fastest function; the better of two runs counts."""
    return min(functions, key=lambda function: min(seconds(function), seconds(function)))


def compare_with_forward(classifier, X, background, *, repeats):
    """Time `temporal_saliency` over the bare network's forward pass on as many series.

    Parameters
    ----------
    classifier : SkorchClassifier
        Fitted.
    X, background : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
    repeats : int

    Returns
    -------
    rows : list of dict
        One row with windows filled by zeros and one by 8 donors. ``over forward (same
        batches)`` is the median ratio [smallest, largest]; ``(best batches)`` is the same over
        the forward pass at its fastest batch size.
    """
    network = classifier.network_
    rows = []
    for filling in (Zero(), AnyClass()):

        def ours(filling=filling):
            return temporal_saliency(
                classifier,
                X,
                perturbation=filling,
                background=background,
                window=WIDTH,
                stride=STRIDE,
                random_state=0,
            )

        saliency = ours()
        n_perturbed = saliency.window_values.size * (saliency.n_donors or 1)
        series = np.resize(X, (n_perturbed, *X.shape[1:])).astype(np.float32)
        x = torch.from_numpy(series).to(scorer_of(classifier).device)

        @torch.inference_mode()
        def forward(batch_size, x=x):
            for batch in x.split(batch_size):
                network(batch).cpu()

        def same(x=x):
            scorer_of(classifier).logits(x)

        best = _fastest([lambda n=n, run=forward: run(n) for n in FORWARD_BATCHES])
        rows.append(
            {
                "filled by": str(filling),
                "series": len(X),
                "perturbed": n_perturbed,
                "over forward (same batches)": _over(ours, same, repeats),
                "over forward (best batches)": _over(ours, best, repeats),
            }
        )
    return rows


def compare_with_occlusion(classifier, X, *, repeats):
    """Time captum's and time_interpret's occlusion over `temporal_saliency`.

    All three fill windows with zeros and measure how far the predicted class's probability falls.

    Parameters
    ----------
    classifier : SkorchClassifier
        Fitted on one channel.
    X : numpy.ndarray of shape (n_instances, 1, n_timepoints)
    repeats : int

    Returns
    -------
    rows : list of dict
        One per installed library. ``default batching`` and ``best batching`` are its time over
        that of `temporal_saliency`, a median ratio [smallest, largest]; ``largest difference``
        is between the two results.
    """
    network = classifier.network_
    target = classifier.predict(X)
    columns = torch.from_numpy(np.searchsorted(classifier.classes_, target))
    x = torch.from_numpy(X.astype(np.float32)).to(scorer_of(classifier).device)

    def probabilities(x):
        return network(x).softmax(dim=-1)

    def ours():
        return temporal_saliency(
            classifier, X, perturbation=Zero(), window=WIDTH, stride=STRIDE, target=target
        ).values

    rows = []
    for library, attribute in _occlusions(probabilities).items():

        @torch.inference_mode()
        def theirs(per_eval, attribute=attribute):
            found = attribute(x, target=columns, perturbations_per_eval=per_eval)
            return found.cpu().numpy()[:, 0]

        best = _fastest([lambda n=n, run=theirs: run(n) for n in PER_EVAL])
        rows.append(
            {
                "library": library,
                "series": len(X),
                "default batching": _over(partial(theirs, 1), ours, repeats),
                "best batching": _over(best, ours, repeats),
                "largest difference": f"{np.abs(theirs(1) - ours()).max():.1e}",
            }
        )
    return rows


def _occlusions(forward):
    """Find each installed library's occlusion, as a function of series."""
    found = {}
    if importlib.util.find_spec("captum"):
        from captum.attr import Occlusion

        def by_captum(x, **settings):
            shapes = {"sliding_window_shapes": (1, WIDTH), "strides": (1, STRIDE)}
            return Occlusion(forward).attribute(x, **shapes, **settings)

        found["captum Occlusion"] = by_captum
    if importlib.util.find_spec("tint"):
        from tint.attr import TemporalOcclusion

        # It occludes the last step of axis 1 and slides windows over the axes after it. Given our
        # single channel as that step, its windows slide over our time points.
        def by_time_interpret(x, **settings):
            shapes = {"sliding_window_shapes": (WIDTH,), "strides": (STRIDE,)}
            return TemporalOcclusion(forward).attribute(x, **shapes, **settings)

        found["time_interpret TemporalOcclusion"] = by_time_interpret
    return found


def main(arguments=None):
    """Print the ratios.

    Parameters
    ----------
    arguments : list of str, optional
        Default: the command line's.
    """
    parser = cost_parser(
        "saliency",
        "Time temporal saliency over the network's bare forward pass on as many series. Also time "
        "occlusion by captum and time_interpret, if installed, over temporal saliency with the "
        "same windows. Both sides of a ratio take turns in one run.",
    )
    add_number(parser, "--repeats", 7, "turns per ratio")
    add_number(parser, "--series", 50, "explain at most this many series at once")
    add_threads(parser)
    options = parser.parse_args(arguments)
    with torch_threads(options.threads):
        _print_ratios(options)


def _print_ratios(options):
    X_train, y_train = load_dataset("GunPoint", split="train")
    X = load_dataset("GunPoint", split="test")[0][: options.series]
    forward, occlusion = [], []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # from the other libraries
        for name, (network, settings, share) in NETWORKS.items():
            classifier = SkorchClassifier(network, settings, max_epochs=5, random_state=0)
            classifier.fit(X_train, y_train)
            most = max(1, round(share * len(X)))
            rows = compare_with_forward(classifier, X[:most], X_train, repeats=options.repeats)
            forward += [{"network": name} | row for row in rows]
            # users explain one series, or many
            for n in sorted({1, most}):
                rows = compare_with_occlusion(classifier, X[:n], repeats=options.repeats)
                occlusion += [{"network": name} | row for row in rows]
    device = scorer_of(classifier).device
    print(
        f"GunPoint, windows of {WIDTH} time points every {STRIDE}; torch threads: "
        f"{options.threads}, device: {device}, turns: {options.repeats}; median "
        "[smallest, largest].\n"
    )
    print("Time of temporal_saliency / bare forward pass on as many series:\n")
    print(pd.DataFrame(forward).to_string(index=False))
    print("\nTime of other libraries / temporal_saliency (above 1: temporal_saliency is faster):\n")
    print(pd.DataFrame(occlusion).to_string(index=False) if occlusion else "(none installed)")


if __name__ == "__main__":
    main()
