"""``python -m sktime_tsd.benchmark run`` and ``python -m sktime_tsd.benchmark report``."""

import sys
from pathlib import Path

from sktime_tsd._cli.command_line import INTERRUPTED, Parser, positive
from sktime_tsd._cli.models import TEACHERS
from sktime_tsd.benchmark import _results_report, _run
from sktime_tsd.benchmark._backends import BACKENDS
from sktime_tsd.benchmark._benchmark_method import CONTROLS
from sktime_tsd.benchmark._made_data import MADE
from sktime_tsd.benchmark._protocols import PROTOCOLS
from sktime_tsd.benchmark._yardsticks import YARDSTICKS
from sktime_tsd.datasets import BUNDLED, available_datasets

__all__ = ["main"]

METHODS = ("ce", "kd", "tsd", "kd+tsd", *CONTROLS)

_SOME_FAILED = 1


def _add_run(commands):
    parser = commands.add_parser(
        "run",
        help="fit data sets x methods x seeds; write one row per run",
        description="Fit every method on every data set with every seed, and compare each student "
        "with its teacher. Runs that already have a row in --out are skipped, so the same command "
        "resumes a benchmark that was stopped.",
    )
    parser.add_argument("--out", type=Path, required=True, help="CSV file for the rows")
    parser.add_argument(
        "--data-dir",
        type=Path,
        help="folder of UCR/UEA data sets: NAME/NAME_TRAIN.ts and NAME/NAME_TEST.ts",
    )
    parser.add_argument(
        "--datasets",
        nargs="+",
        help=f"default: all in --data-dir, or those bundled with sktime ({', '.join(BUNDLED)}). "
        "Made, with known evidence: "
        + "; ".join(f"{name} ({what})" for name, what in MADE.items())
        + ". NAME@0.5: training series carry a cue of that strength that agrees with the label",
    )
    parser.add_argument("--archive", help="version of the data, recorded in the rows")
    parser.add_argument(
        "--methods",
        nargs="+",
        default=list(METHODS),
        help="such as ce, kd, tsd, kd+tsd, dkd, fitnets; controls: "
        + "; ".join(f"{name} ({what})" for name, what in CONTROLS.items())
        + "; yardsticks: "
        + "; ".join(f"{name} ({what})" for name, what in YARDSTICKS.items())
        + "; join unlabelled, as in tsd+unlabelled, to use the series of --unlabelled-share"
        "; add settings after a colon: tsd:n_windows=20,window=0.05 or kd:kd.weight=0.1; "
        "default: " + " ".join(METHODS),
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], help="default: 0 1 2")
    parser.add_argument(
        "--protocol",
        choices=PROTOCOLS,
        default="default",
        help="default: the classifiers' default settings; paper: the publication's settings, "
        "weight picked on the validation split; authors: the same with the learning rate schedule "
        "of the authors' code",
    )
    parser.add_argument(
        "--teacher", help=f"one of {', '.join(TEACHERS)}; default: set by the protocol"
    )
    parser.add_argument("--student", help="fcn, lite or lstm; default: set by the protocol")
    parser.add_argument(
        "--evaluate-on",
        choices=("test", "validation"),
        default="test",
        help="validation: hold out a third of the training series, for choosing settings",
    )
    parser.add_argument(
        "--unlabelled-share",
        type=float,
        default=0.0,
        help="take the labels of this share of the training series away (default: 0)",
    )
    parser.add_argument(
        "--choose-weight-on",
        choices=("validation", "test"),
        default="validation",
        help="for the paper and authors protocols; test is what the authors' code does, and the "
        "rows say so",
    )
    parser.add_argument(
        "--saliency-instances",
        type=int,
        default=50,
        help="measure saliency and removal on at most this many test series (default: 50)",
    )
    parser.add_argument("--no-removal", action="store_true", help="skip the removal metrics")
    parser.add_argument(
        "--no-held-out", action="store_true", help="skip reasons by explainers nobody trained on"
    )
    parser.add_argument("--no-latency", action="store_true", help="skip timing predictions")
    parser.add_argument(
        "--epochs", type=positive, help="train every network for this many epochs, for a quick try"
    )
    parser.add_argument(
        "--backend",
        choices=BACKENDS,
        default="loky",
        help="loky (default): processes on this machine; dask or ray: a cluster",
    )
    parser.add_argument(
        "--workers", type=positive, default=1, help="processes to start (default: 1)"
    )
    parser.add_argument("--scheduler", help="address of a running Dask or Ray cluster")
    parser.add_argument("--device", default="cpu", help="torch device (default: cpu)")
    parser.add_argument(
        "--threads", type=positive, default=1, help="torch threads per worker (default: 1)"
    )
    parser.add_argument(
        "--cache", type=Path, help="folder to keep fitted teachers and their logits in"
    )
    parser.add_argument("--retry-failed", action="store_true", help="run failed runs again")
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
        held_out=not options.no_held_out,
        latency=not options.no_latency,
        max_epochs=options.epochs,
        unlabelled_share=options.unlabelled_share,
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
    print(f"{options.out} has all {len(rows)} runs; {len(failed)} of them failed.")
    if len(failed):
        raise SystemExit(_SOME_FAILED)


def _add_report(commands):
    parser = commands.add_parser(
        "report",
        help="write tables, significance tests and pictures",
        description="Write report.md and pictures from the rows in one or more files.",
    )
    parser.add_argument("results", type=Path, nargs="+", help="CSV files written by run")
    parser.add_argument("--out", type=Path, required=True, help="folder for the report")
    parser.add_argument(
        "--methods",
        nargs="+",
        help="report on these methods only; means cover the data sets and seeds that all of them "
        "have",
    )
    parser.add_argument("--title", default=_results_report.TITLE, help="default: %(default)s")
    parser.set_defaults(command=_report_command)


def _report_command(options):
    for path in _results_report.write_report(
        options.results, options.out, methods=options.methods, title=options.title
    ):
        print(f"wrote {path}")


def main(arguments=None):
    """Run a benchmark or report its results.

    Parameters
    ----------
    arguments : list of str, optional
        Default: the command line's.
    """
    parser = Parser(
        prog="python -m sktime_tsd.benchmark",
        description="Compare distillation methods over data sets and seeds. The package's own "
        "cost (speed, memory, latency) is measured by sktime_tsd.benchmark.cost.",
    )
    commands = parser.add_subparsers(required=True, metavar="{run,report}")
    _add_run(commands)
    _add_report(commands)
    options = parser.parse_args(arguments)
    try:
        options.command(options)
    except (ValueError, TypeError, OSError, ImportError, RuntimeError) as error:
        parser.error(str(error))
    except KeyboardInterrupt:
        print("Stopped. Run the same command again to resume.", file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None


if __name__ == "__main__":
    main()
