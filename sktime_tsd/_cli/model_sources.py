"""A fitted model from what a command line names."""

import pkgutil
from pathlib import Path

__all__ = ["add_model", "open_model"]


def add_model(parser):
    """Add the arguments by which `open_model` finds a model.

    Parameters
    ----------
    parser : argparse.ArgumentParser
    """
    parser.add_argument(
        "model",
        metavar="MODEL",
        type=Path,
        help="a folder written by save_model, an .onnx file, or, with --trust-pickle, a pickle "
        "(pickle, joblib) of a fitted classifier",
    )
    parser.add_argument(
        "--network",
        metavar="MODULE:NAME",
        help="class of a network of your own, where the folder's model has one",
    )
    parser.add_argument(
        "--trust-pickle",
        action="store_true",
        help="load a pickle, which runs the code in it: only for files from places you trust",
    )


def open_model(options):
    """Load the model.

    Parameters
    ----------
    options : argparse.Namespace
        With what `add_model` adds.

    Returns
    -------
    model : fitted classifier

    Raises
    ------
    ValueError
        If there is none, or it cannot be loaded.
    """
    path = options.model
    if options.network and not path.is_dir():
        raise ValueError("--network is for folders written by save_model.")
    if path.is_dir():
        from sktime_tsd.export import load_model

        try:
            return load_model(path, network=_network(options.network))
        except ValueError as error:
            hint = " Here: --network MODULE:NAME." if "pass its class" in str(error) else ""
            raise ValueError(f"{error}{hint}") from error
    if not path.exists():
        raise ValueError(f"there is no {path}.")
    if path.suffix == ".onnx":
        from sktime_tsd.runtime import OnnxClassifier

        return OnnxClassifier(path)
    if not options.trust_pickle:
        raise ValueError(
            f"{path} is no folder of save_model and no .onnx file. If it is a pickle from a place "
            "you trust, add --trust-pickle: loading it runs the code in it."
        )
    import joblib

    try:
        return joblib.load(path)
    except Exception as error:  # whatever the code in a pickle raises
        raise ValueError(f"{path} cannot be loaded as a pickle: {error}") from error


def _network(name):
    if name is None:
        return None
    try:
        return pkgutil.resolve_name(name)
    except Exception as error:  # whatever a user's module raises
        raise ValueError(f"--network {name} cannot be imported: {error}") from error
