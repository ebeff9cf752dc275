"""The series of a file as a model reads them: order of channels, length, missing values."""

from sktime_tsd._base import LogitsClassifier
from sktime_tsd._panels.arrays import as_array
from sktime_tsd._panels.panel import by_position, channel_names, length_of
from sktime_tsd._panels.rules import STRICT, PanelRules
from sktime_tsd._utils.pipelines import split_pipeline
from sktime_tsd.preprocessing import SeriesResampler
from sktime_tsd.runtime import OnnxClassifier

__all__ = ["in_options", "model_input"]

_RESAMPLE = "--unequal-length resample"

# How messages name parameters of classifiers, and the options in their place.
_OPTIONS = {
    'unequal_length="resample"': _RESAMPLE,
    'missing_values="interpolate"': "--missing-values interpolate",
}


def model_input(data, model, options, path):
    """Prepare the series of a file for a model.

    Parameters
    ----------
    data : SeriesData
    model : fitted classifier
    options : argparse.Namespace
        With those of `add_irregular_options`.
    path : pathlib.Path
        Of the file, for messages.

    Returns
    -------
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints), or list of numpy.ndarray
        Channels in the model's order, if both have names. A list, or missing values, only if the
        model takes them.

    Raises
    ------
    ValueError
        If the model cannot read the series. The message names an option.
    """
    order = _order(data, model, path)
    X = [series[order] for series in data.X] if isinstance(data.X, list) else data.X[:, order]
    own, asked = _own_rules(model), PanelRules(options.unequal_length, options.missing_values)
    if own is None and asked == STRICT:
        return X  # what the model takes, it knows best
    length = length_of(model)
    rules = PanelRules(
        *(a if b == "raise" else b for a, b in zip((own or STRICT)[:2], asked[:2], strict=True))
    )
    if rules.resamples and length is None and not _takes_any_length(model):
        raise ValueError(f"{_RESAMPLE}: the model does not say which length it reads")
    try:
        X = as_array(X, rules._replace(n_timepoints=length))
    except ValueError as error:
        raise ValueError(f"{path}: {in_options(str(error))}") from error
    if length is not None and X.shape[2] != length:
        raise ValueError(
            f"{path}: the series have {X.shape[2]} time points, but the model was fitted on "
            f"{length}; add {_RESAMPLE}"
        )
    return X


def in_options(message):
    """Name options of a command instead of the parameters that `as_array` names.

    Parameters
    ----------
    message : str

    Returns
    -------
    message : str
    """
    said, _, remedy = message.partition(". ")
    ways = [way for name, way in _OPTIONS.items() if name in remedy]
    return f"{said}; add {' or '.join(ways)}" if ways else message


def _own_rules(model):
    """Return what our classifiers and files do by themselves; None for all others."""
    steps, last = split_pipeline(model)
    if steps or not isinstance(last, (LogitsClassifier, OnnxClassifier)):
        return None
    # the pickles of version 0.1 have neither
    return PanelRules(*(getattr(last, name, "raise") for name in PanelRules._fields[:2]))


def _takes_any_length(model):
    steps, _ = split_pipeline(model)
    return bool(steps) and isinstance(steps[0][1], SeriesResampler)


def _order(data, model, path):
    """Positions of the file's channels in the model's order."""
    names = channel_names(model)
    found = None if data.channels is None else tuple(data.channels)
    if by_position(found, names):
        return list(range(data.X[0].shape[0]))
    missing = [str(name) for name in names if name not in found]
    if missing:
        raise ValueError(
            f"{path} has the channels {', '.join(found)}, but the model was fitted on "
            f"{', '.join(map(str, names))}: rename its columns, or leave columns that are no "
            "channels out with --ignore-column"
        )
    unknown = [name for name in found if name not in names]
    if unknown:
        raise ValueError(
            f"{path} has channels on which the model was not fitted: leave them out with "
            + " ".join(f"--ignore-column {name}" for name in unknown)
        )
    return [found.index(name) for name in names]
