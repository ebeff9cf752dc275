"""Save a fitted student to a folder of files without pickles."""

import copy
import re
import warnings
from pathlib import Path

import numpy as np
import safetensors.torch
import torch

from sktime_tsd._panels.panel import channel_names
from sktime_tsd._utils.usual_state import in_usual_state
from sktime_tsd._utils.versions import versions
from sktime_tsd.export._card import model_card
from sktime_tsd.export._cascade import refuse_cascade
from sktime_tsd.export._config import (
    FORMAT,
    N_CHECKED,
    RULES,
    class_weight_to_json,
    format_version,
    params_to_json,
    plain,
    sha256,
    write_config,
)
from sktime_tsd.export._folder import CARD, staging_folder
from sktime_tsd.export._load import load_model
from sktime_tsd.export._read_folder import CONFIG, WEIGHTS
from sktime_tsd.export._steps import chain_of, first_length, steps_to_json, transformed
from sktime_tsd.export._student import fitted_student, typical_inputs, typical_series
from sktime_tsd.networks import NETWORKS, check_network
from sktime_tsd.runtime._model_files import ModelFileError, classes_to_json, names_to_json

__all__ = ["save_model"]

# Parts of paths and addresses.
_TELLS = re.compile(r"[/\\\\@]|://")

# Dtypes that safetensors can store and torch.isfinite can check.
_DTYPES = {
    *(torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.bool),
    *(torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8),
}


@in_usual_state
def save_model(
    classifier,
    folder,
    *,
    report=None,
    verdict=None,
    data=None,
    intended_use=None,
    overwrite=False,
):
    """Save a fitted student to a folder, which `load_model` reads without running code.

    The folder contains ``model.safetensors`` (weights and scaling), ``config.json`` (network,
    settings, labels with their dtype, shape of a series, names of its channels if they are text,
    versions and digests) and ``README.md``, a model card.

    Parameters
    ----------
    classifier : SkorchClassifier or SaliencyDistilledClassifier
        Fitted. For a distilled classifier, only the student is saved, and the model card says how
        it was distilled. It may be the last step of a fitted pipeline, of scikit-learn or sktime:
        the steps before it are saved, too, if they are of `sktime_tsd.preprocessing` or do the
        same in sktime (see Notes). It may be in a ``GridSearchCV``.
    folder : path-like
        Created if it does not exist. Its parent must exist.
    report : FidelityReport, optional
        Report on this student and its teacher, for the model card.
    verdict : Verdict, optional
        From ``report.check(...)``, for the model card.
    data : str, optional
        What the model was trained on, for the model card.
    intended_use : str, optional
        What the model is for and what it is not for, for the model card.
    overwrite : bool, default=False
        Whether to replace a model in the folder, if `save_model` wrote it.

    Returns
    -------
    folder : pathlib.Path

    Raises
    ------
    FileExistsError
        If the folder is not empty and `overwrite` is False, or it contains other files.
    FileNotFoundError
        If the folder's parent does not exist.
    TypeError, ValueError
        If the classifier, a step before it, its labels or its network's settings cannot be
        saved, or the network cannot be rebuilt from them. Nothing is written then.
    NotFittedError
        If the classifier is not fitted.

    Warns
    -----
    UserWarning
        If the network's settings hold a path or an address, which the file would tell.

    Notes
    -----
    The training history is not saved, nor are settings that are objects (callbacks, an
    optimizer's class).

    Of sktime's transformers, ``TSInterpolator`` is saved as `preprocessing.SeriesResampler`, and
    ``TabularToSeriesAdaptor(StandardScaler(), fit_in_transform=True)`` as
    `preprocessing.SeriesStandardScaler`, or as `preprocessing.SeriesCenterer` with
    ``with_std=False``. A pipeline is loaded as a ``Pipeline`` of scikit-learn.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sktime.datasets import load_unit_test
    >>> from sktime_tsd import SkorchClassifier, load_model, save_model
    >>> X, y = load_unit_test(split="train", return_type="numpy3D")
    >>> clf = SkorchClassifier("fcn", {"filters": (8, 16, 8)}, max_epochs=5, random_state=0)
    >>> folder = save_model(clf.fit(X, y), Path(tempfile.mkdtemp()) / "model")
    >>> sorted(path.name for path in folder.iterdir())
    ['README.md', 'config.json', 'model.safetensors']
    >>> bool((load_model(folder).predict_proba(X) == clf.predict_proba(X)).all())
    True
    """
    chain = chain_of(classifier)
    refuse_cascade(chain.classifier)
    student = fitted_student(chain.classifier)
    network = None if student.network_ is None else copy.deepcopy(student.network_).cpu()
    weights = safetensors.torch.save(_tensors(network))
    settings = _plain_settings(student)
    config = {
        "format": FORMAT,
        "format_version": format_version(settings, has_steps=bool(chain.steps)),
        "network": _describe_network(student),
        "input": {
            "n_channels": int(student.n_channels_),
            "n_timepoints": int(student.n_timepoints_),
            **names_to_json(channel_names(student)),
        },
        "classes": classes_to_json(student.classes_),
        "settings": settings,
        "weights": {"file": WEIGHTS, "sha256": sha256(weights)},
        "check_logits": _check_logits(student, network, chain.steps),
        "versions": versions(),
    }
    if chain.steps:
        config["steps"] = steps_to_json(chain.steps)
    files = {
        WEIGHTS: weights,
        CONFIG: write_config(config),
        CARD: model_card(
            student, chain, report=report, verdict=verdict, data=data, intended_use=intended_use
        ).encode(),
    }
    with staging_folder(Path(folder), overwrite=overwrite) as new:
        for name, content in files.items():
            (new / name).write_bytes(content)
        _check_loads(new, student, network, chain)
    return Path(folder)


def _tensors(network):
    if network is None:
        return {}
    state = network.state_dict()
    for name, value in state.items():
        if not isinstance(value, torch.Tensor) or value.layout != torch.strided:
            kind = getattr(value, "layout", type(value).__name__)
            raise TypeError(f"Only dense tensors can be saved to a file, but {name} is {kind}.")
        if value.dtype not in _DTYPES:
            raise TypeError(f"Tensors of {value.dtype}, such as {name}, cannot be saved to a file.")
        if not torch.isfinite(value).all():
            raise ValueError(
                f"The network contains values that are not finite, in {name}. Train it again, for "
                "instance with a lower lr."
            )
    # safetensors refuses tensors that share memory, such as tied weights
    return {name: tensor.clone().contiguous() for name, tensor in state.items()}


def _check_logits(student, network, steps):
    if network is None:
        return []
    sizes = student.n_channels_, student.n_timepoints_
    with torch.inference_mode():
        return network(typical_inputs(network, *sizes, N_CHECKED, steps)).double().tolist()


def _describe_network(student):
    factory = check_network(student.network)
    name = next((name for name, kind in NETWORKS.items() if kind is factory), None)
    kind = factory if student.network_ is None else type(student.network_.network)
    qualified = getattr(kind, "__qualname__", type(kind).__qualname__)
    params = student.network_params
    for text in _texts(params):
        if _TELLS.search(text):
            warnings.warn(
                f"network_params hold {text!r:.100}, which config.json will tell to everyone who "
                "gets the folder. Let the network read it from elsewhere.",
                stacklevel=3,
            )
    return {
        "name": name,
        "class": f"{kind.__module__}.{qualified}",
        "params": None if params is None else params_to_json(params)["dict"],
    }


def _texts(value):
    """All texts in the settings of a network."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, tuple, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


def _plain_settings(student):
    settings = student.get_params(deep=False)
    defaults = {name for name in RULES if settings[name] == "raise"}
    if settings["verbose"] is None:  # older versions take numbers only
        defaults.add("verbose")
    for name in ("network", "network_params", "device", *defaults):
        settings.pop(name)
    settings = {name: plain(value) for name, value in settings.items()}
    kinds = (type(None), bool, int, float, str)
    kept = {name: value for name, value in settings.items() if type(value) in kinds}
    if isinstance(student.class_weight, dict):
        kept["class_weight"] = class_weight_to_json(student.class_weight)
    return kept


def _check_loads(folder, student, network, chain):
    """Check that the saved model can be loaded and gives the same answers."""
    own = check_network(student.network) not in NETWORKS.values()
    try:
        loaded = load_model(folder, network=student.network if own else None, device="cpu")
        if network is not None:
            rebuilt = loaded[-1] if chain.steps else loaded
            if not _same_answers(network, rebuilt.network_, student):
                raise ModelFileError("the rebuilt network gives different answers.")
            _check_steps(loaded, network, student, chain)
    except ModelFileError as error:
        raise ValueError(
            "The network cannot be rebuilt from network and network_params, so nothing was saved: "
            f"{error} For a network trained elsewhere, describe how to build it with "
            "SkorchClassifier.from_module(..., network=..., network_params=...)."
        ) from error


def _same_answers(network, loaded, student):
    """Compare logits bit for bit, at larger scales too, where some settings first show."""
    x = typical_series(network, student.n_channels_, student.n_timepoints_, N_CHECKED)
    with torch.inference_mode():
        return all(torch.equal(network(scale * x), loaded(scale * x)) for scale in (1, 10, 100))


def _check_steps(loaded, network, student, chain):
    """Check that the rebuilt steps do what the pipeline's own do."""
    if not chain.steps:
        return
    length = first_length(chain.steps, student.n_timepoints_) or student.n_timepoints_
    raw = typical_series(network, student.n_channels_, length, N_CHECKED).double().numpy()
    expected = transformed(chain.given, raw)
    found = loaded[:-1].transform(raw)
    if found.shape != expected.shape or np.abs(found - expected).max() > _rounding(raw, expected):
        raise ModelFileError("the rebuilt steps give other series than those of the pipeline.")


def _rounding(raw, expected):
    """Say how far two ways to compute the same in float64 may differ: not as far as float32."""
    gain = np.ptp(expected) / (np.ptp(raw) or 1)
    return 1e-9 * np.abs(expected).max() + 64 * np.finfo(np.float64).eps * np.abs(raw).max() * gain
