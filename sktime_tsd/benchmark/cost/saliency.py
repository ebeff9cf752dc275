"""``python -m sktime_tsd.benchmark.cost.saliency``: what temporal saliency costs, as ratios.

Against the network's bare forward pass over as many series, and against occlusion by
captum and by time_interpret, which answer the same question for the same windows. All
ratios come from one run, in which the two sides take turns.
"""

import argparse
import importlib.util
import warnings

import numpy as np
import pandas as pd
import torch

from sktime_tsd import SkorchClassifier, temporal_saliency
from sktime_tsd._scoring.scorer_of import scorer_of
from sktime_tsd._utils.threads import keep_torch_threads
from sktime_tsd.benchmark.cost._timing import seconds, summary
from sktime_tsd.datasets import load_dataset
from sktime_tsd.perturbations import AnyClass, Zero

__all__ = ["compare_with_forward", "compare_with_occlusion", "main"]

# two students, and a teacher that takes some fifty times as long: on fewer series
NETWORKS = {
    "fcn 8-16-8": ("fcn", {"filters": (8, 16, 8)}, 1.0),
    "lstm 16": ("lstm", {"hidden_size": 16, "num_layers": 1}, 1.0),
    "inception_time 16x3": ("inception_time", {"n_filters": 16, "depth": 3}, 0.1),
}

# Windows of 10 time points every 5 of the 150 of GunPoint: other libraries cut a last
# window that does not fit, ours moves it back, so the windows must fit.
WIDTH, STRIDE = 10, 5
FORWARD_BATCHES = (64, 256, 1024)
PER_EVAL = (1, 4, 16, 64)


def _ratios(ours, theirs, repeats):
    """Time both in turn: theirs / ours, one per repeat, after one turn to warm up."""
    both = [(seconds(theirs), seconds(ours)) for _ in range(repeats + 1)][1:]
    return [a / b for a, b in both]


def _fastest(functions):
    """Find the function that takes least, of the better of two runs each."""
    return min(functions, key=lambda function: min(seconds(function), seconds(function)))


def compare_with_forward(classifier, X, background, *, repeats):
    """Time `temporal_saliency` over the bare network on as many series.

    Parameters
    ----------
    classifier : SkorchClassifier
        Fitted.
    X, background : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
    repeats : int

    Returns
    -------
    rows : list of dict
        One for zeros and one for 8 donors; ``over forward (same batches)`` is a median with
        the least and the greatest, ``(best batches)`` takes the forward pass at its fastest.
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
                "over forward (same batches)": summary(
                    [1 / r for r in _ratios(ours, same, repeats)]
                ),
                "over forward (best batches)": summary(
                    [1 / r for r in _ratios(ours, best, repeats)]
                ),
            }
        )
    return rows


def compare_with_occlusion(classifier, X, *, repeats):
    """Time captum's and time_interpret's occlusion over `temporal_saliency`.

    All three measure the fall of the predicted class's probability, windows filled by zeros.

    Parameters
    ----------
    classifier : SkorchClassifier
        Fitted on one channel.
    X : numpy.ndarray of shape (n_instances, 1, n_timepoints)
    repeats : int

    Returns
    -------
    rows : list of dict
        One per library that is installed; ``default batching`` and ``best batching`` are
        their time over ours, a median with the least and the greatest, and ``largest
        difference`` that of the results.
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
                "default batching": summary(_ratios(ours, lambda run=theirs: run(1), repeats)),
                "best batching": summary(_ratios(ours, best, repeats)),
                "largest difference": f"{np.abs(theirs(1) - ours()).max():.1e}",
            }
        )
    return rows


def _occlusions(forward):
    """Find the occlusion of each library that is installed, as functions of series."""
    found = {}
    if importlib.util.find_spec("captum"):
        from captum.attr import Occlusion

        def by_captum(x, **settings):
            shapes = {"sliding_window_shapes": (1, WIDTH), "strides": (1, STRIDE)}
            return Occlusion(forward).attribute(x, **shapes, **settings)

        found["captum Occlusion"] = by_captum
    if importlib.util.find_spec("tint"):
        from tint.attr import TemporalOcclusion

        # It occludes the last step of axis 1 and slides over the axes behind it: given one
        # channel as that step, its windows slide over our time points.
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
        Default: those of the command line.
    """
    parser = argparse.ArgumentParser(
        prog="python -m sktime_tsd.benchmark.cost.saliency",
        description="What temporal saliency costs, as ratios of times measured in one run. "
        "Compares with captum and time_interpret where they are installed.",
    )
    parser.add_argument("--repeats", type=int, default=7, help="turns per ratio")
    parser.add_argument("--series", type=int, default=50, help="most series explained at once")
    parser.add_argument("--threads", type=int, default=1, help="of torch")
    options = parser.parse_args(arguments)
    if min(options.repeats, options.series, options.threads) < 1:
        parser.error("--repeats, --series and --threads must be 1 or more")

    with keep_torch_threads():
        torch.set_num_threads(options.threads)
        _print_ratios(options)


def _print_ratios(options):
    X_train, y_train = load_dataset("GunPoint", split="train")
    X = load_dataset("GunPoint", split="test")[0][: options.series]
    forward, occlusion = [], []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of other libraries
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
    print(
        f"GunPoint, windows of {WIDTH} time points every {STRIDE}, {options.threads} torch threads "
        f"on {scorer_of(classifier).device}; median [least, greatest] of {options.repeats} turns.\n"
    )
    print("Time of temporal_saliency over that of the bare forward pass on as many series:\n")
    print(pd.DataFrame(forward).to_string(index=False))
    print("\nTime of others over that of temporal_saliency (above 1: ours is faster):\n")
    print(pd.DataFrame(occlusion).to_string(index=False) if occlusion else "(none is installed)")


if __name__ == "__main__":
    main()
