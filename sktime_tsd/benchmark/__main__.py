"""``python -m sktime_tsd.benchmark run`` and ``... report``."""

import argparse
import sys
from pathlib import Path

from sktime_tsd._cli.command_line import INTERRUPTED, positive
from sktime_tsd.benchmark import _results_report, _run
from sktime_tsd.benchmark._backends import BACKENDS
from sktime_tsd.benchmark._benchmark_method import CONTROLS
from sktime_tsd.benchmark._protocols import PROTOCOLS
from sktime_tsd.datasets import BUNDLED, available_datasets

__all__ = ["main"]

METHODS = ("ce", "kd", "tsd", "kd+tsd", *CONTROLS)

_SOME_FAILED = 1


def _add_run(commands):
    parser = commands.add_parser(
        "run",
        help="fit data sets x methods x seeds; one row per run",
        description="Fit every method on every data set with every seed, and compare each student "
        "with its teacher. Rows that --out has are not computed again: a run that was stopped "
        "goes on where it was.",
    )
    parser.add_argument("--out", type=Path, required=True, help="CSV file of the rows")
    parser.add_argument(
        "--data-dir", type=Path, help="folder of UCR/UEA sets: NAME/NAME_TRAIN.ts, _TEST.ts"
    )
    parser.add_argument(
        "--datasets",
        nargs="+",
        help=f"default: all of --data-dir, or those inside sktime ({', '.join(BUNDLED)})",
    )
    parser.add_argument("--archive", help="version of the data, for the rows")
    parser.add_argument(
        "--methods",
        nargs="+",
        default=list(METHODS),
        help="such as ce, kd, tsd, kd+tsd, dkd, fitnets; controls: "
        + "; ".join(f"{name} ({what})" for name, what in CONTROLS.items())
        + "; with settings: tsd:temperature=4,n_windows=20 or kd:kd.weight=0.1; default: "
        + " ".join(METHODS),
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], help="default: 0 1 2")
    parser.add_argument(
        "--protocol",
        choices=PROTOCOLS,
        default="default",
        help="default: the classifiers' own settings; paper: those of the publication, the weight "
        "picked on the validation split; authors: as their code, with its learning rate",
    )
    parser.add_argument(
        "--teacher", help="inception_time, lstm or minirocket; default: the protocol's"
    )
    parser.add_argument("--student", help="fcn or lstm; default: the protocol's")
    parser.add_argument(
        "--evaluate-on",
        choices=("test", "validation"),
        default="test",
        help="validation: a third of the training series, to choose settings on",
    )
    parser.add_argument(
        "--choose-weight-on",
        choices=("validation", "test"),
        default="validation",
        help="test is what the authors' code does; the rows are marked (paper, authors)",
    )
    parser.add_argument(
        "--saliency-instances",
        type=int,
        default=50,
        help="measure reasons on at most so many series (default: 50)",
    )
    parser.add_argument("--no-removal", action="store_true", help="leave removal curves out")
    parser.add_argument("--no-latency", action="store_true", help="do not time predictions")
    parser.add_argument("--epochs", type=positive, help="of all networks, for a quick try")
    parser.add_argument(
        "--backend",
        choices=BACKENDS,
        default="loky",
        help="loky (default): processes of this machine; dask or ray: those of a cluster",
    )
    parser.add_argument(
        "--workers", type=positive, default=1, help="processes to start (default: 1)"
    )
    parser.add_argument("--scheduler", help="address of a running Dask or Ray cluster")
    parser.add_argument("--device", default="cpu")
    parser.add_argument(
        "--threads", type=positive, default=1, help="of torch, in each worker (default: 1)"
    )
    parser.add_argument("--cache", type=Path, help="folder that keeps teachers and their logits")
    parser.add_argument("--retry-failed", action="store_true", help="run again what failed")
    parser.set_defaults(command=_run_command)


def _run_command(options):
    datasets = options.datasets
    if datasets is None:
        datasets = available_datasets(options.data_dir)
    rows = _run.run_benchmark(
        datasets,
        options.methods,
        options.seeds,
        out=options.out,
        data_dir=options.data_dir,
        archive=options.archive,
        protocol=options.protocol,
        teacher=options.teacher,
        student=options.student,
        evaluated_on=options.evaluate_on,
        weight_chosen_on=options.choose_weight_on,
        saliency_instances=options.saliency_instances,
        removal=not options.no_removal,
        latency=not options.no_latency,
        max_epochs=options.epochs,
        backend=options.backend,
        n_workers=options.workers,
        scheduler=options.scheduler,
        device=options.device,
        threads=options.threads,
        cache=options.cache,
        retry_failed=options.retry_failed,
    )
    failed = rows[rows["status"] == "failed"]
    for row in failed.itertuples():
        print(f"failed: {row.method} on {row.dataset}, seed {row.seed}: {row.error}")
    print(f"All {len(rows)} runs asked for are in {options.out}, {len(failed)} of them failed.")
    if len(failed):
        raise SystemExit(_SOME_FAILED)


def _add_report(commands):
    parser = commands.add_parser(
        "report",
        help="tables, tests and pictures of the rows",
        description="Write report.md and pictures from the rows of one or more files.",
    )
    parser.add_argument("results", type=Path, nargs="+", help="CSV files that run has written")
    parser.add_argument("--out", type=Path, required=True, help="folder")
    parser.add_argument(
        "--methods",
        nargs="+",
        help="report on these alone; means are over data sets and seeds that all of them have",
    )
    parser.add_argument("--title", default=_results_report.TITLE, help="default: %(default)s")
    parser.set_defaults(command=_report_command)


def _report_command(options):
    for path in _results_report.write_report(
        options.results, options.out, methods=options.methods, title=options.title
    ):
        print(f"wrote {path}")


def main(arguments=None):
    """Run a benchmark, or report on its rows.

    Parameters
    ----------
    arguments : list of str, optional
        Default: those of the command line.
    """
    parser = argparse.ArgumentParser(prog="python -m sktime_tsd.benchmark")
    commands = parser.add_subparsers(required=True, metavar="{run,report}")
    _add_run(commands)
    _add_report(commands)
    options = parser.parse_args(arguments)
    try:
        options.command(options)
    except (ValueError, TypeError, OSError, ImportError, RuntimeError) as error:
        parser.exit(2, f"{parser.prog}: error: {error}\n")
    except KeyboardInterrupt:
        print("Stopped; the same command goes on where it was.", file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None


if __name__ == "__main__":
    main()
