"""The fitted model that a command line names."""

import pkgutil
from pathlib import Path

__all__ = ["add_model", "open_model"]


def add_model(parser):
    """Add the arguments that `open_model` reads.

    Parameters
    ----------
    parser : argparse.ArgumentParser
    """
    parser.add_argument(
        "model",
        metavar="MODEL",
        type=Path,
        help="a folder written by save_model, an .onnx file or, with --trust-pickle, a fitted "
        "classifier saved by pickle or joblib",
    )
    parser.add_argument(
        "--network",
        metavar="MODULE:NAME",
        help="class of your own network, if the model in the folder uses one",
    )
    parser.add_argument(
        "--trust-pickle",
        action="store_true",
        help="load a pickle. This runs the code in it: use it only for files you trust",
    )


def open_model(options):
    """Load the model.

    Parameters
    ----------
    options : argparse.Namespace
        With the arguments from `add_model`.

    Returns
    -------
    model : fitted classifier

    Raises
    ------
    ValueError
        If the file does not exist or cannot be loaded.
    """
    path = options.model
    if options.network and not path.is_dir():
        raise ValueError(
            f"--network is only for folders written by save_model, and {path} is not one: "
            "leave it out."
        )
    if path.is_dir():
        from sktime_tsd.export import load_model

        try:
            return load_model(path, network=_network(options.network))
        except ValueError as error:
            hint = (
                " On the command line: --network MODULE:NAME." if "network=" in str(error) else ""
            )
            raise ValueError(f"{error}{hint}") from error
    if not path.exists():
        raise ValueError(f"there is no file or folder {path}.")
    if path.suffix == ".onnx":
        from sktime_tsd.runtime import OnnxClassifier

        return OnnxClassifier(path)
    if not options.trust_pickle:
        raise ValueError(
            f"{path} is neither a folder written by save_model nor an .onnx file. If it is a "
            "pickle that you trust, add --trust-pickle: loading it runs the code in it."
        )
    import joblib

    try:
        return joblib.load(path)
    except Exception as error:  # the code in a pickle can raise anything
        raise ValueError(f"{path} cannot be loaded as a pickle: {error}") from error


def _network(name):
    if name is None:
        return None
    try:
        return pkgutil.resolve_name(name)
    except Exception as error:  # a user's module can raise anything
        raise ValueError(f"--network {name} cannot be imported: {error}") from error
