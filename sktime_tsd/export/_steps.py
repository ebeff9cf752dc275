"""The steps before a classifier: which can be saved, and how they stand in ``config.json``."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.preprocessing import StandardScaler
from sktime.transformations.adapt import TabularToSeriesAdaptor
from sktime.transformations.compose import FitInTransform, Id
from sktime.transformations.interpolate import TSInterpolator

from sktime_tsd import preprocessing
from sktime_tsd._utils.pipelines import split_pipeline
from sktime_tsd.preprocessing import SeriesCenterer, SeriesResampler, SeriesStandardScaler
from sktime_tsd.runtime._model_files import ModelFileError, check_sizes, entry

__all__ = [
    "Chain",
    "chain_of",
    "first_length",
    "steps_from_json",
    "steps_to_json",
    "transformed",
]

_KINDS = {name: getattr(preprocessing, name) for name in preprocessing.__all__}

# More than any pipeline has.
_MAX_STEPS = 100

# Of one series, in all steps together. Half of it is the longest series a file may be for.
_MAX_VALUES = 2**23


class Chain(NamedTuple):
    """A fitted pipeline, taken apart.

    Parameters
    ----------
    steps : list of SeriesCenterer, SeriesStandardScaler or SeriesResampler
        What its first steps do, fitted.
    given : list of transformers
        These first steps themselves, fitted.
    classifier : object
        Its last step.
    """

    steps: list
    given: list
    classifier: object


def chain_of(classifier):
    """Take a pipeline apart, if its first steps can be saved.

    Parameters
    ----------
    classifier : object
        A fitted pipeline of scikit-learn or sktime, a search around one, or any classifier.

    Returns
    -------
    chain : Chain
        Without steps, if the classifier is no pipeline.

    Raises
    ------
    TypeError
        If a step cannot be saved. The message names it.
    NotFittedError
        If a step is not fitted.
    """
    first, last = split_pipeline(classifier)
    steps, given = [], []
    for name, transformer in first:
        if transformer is None or transformer == "passthrough" or type(transformer) is Id:
            continue
        if type(transformer) in _KINDS.values():
            transformer.check_is_fitted()
            known = transformer
        else:
            known = _converted(transformer)
        if known is None:
            raise TypeError(_refusal(name, transformer))
        steps.append(known)
        given.append(transformer)
    return Chain(steps, given, last)


def _refusal(name, transformer):
    what = " ".join(repr(transformer).split())
    return (
        f"The step {name!r} of the pipeline, {what:.100}, would be lost, and the classifier "
        "would get other series than in fit: replace it by a step of sktime_tsd.preprocessing "
        f"({', '.join(_KINDS)}) and fit the pipeline again, or keep the whole pipeline as a pickle."
    )


def _converted(transformer, *, fits_in_transform=False):
    """Return the step that does the same as a transformer of sktime, or None."""
    kind = type(transformer)
    if kind is FitInTransform:
        return _converted(transformer.transformer, fits_in_transform=True)
    if kind in _KINDS.values():
        return transformer.clone().fit(_of_length(None))
    if kind is TSInterpolator:
        return SeriesResampler(transformer.length).fit(_of_length(None))
    if kind is TabularToSeriesAdaptor and type(transformer.transformer) is StandardScaler:
        alone = fits_in_transform or transformer.fit_in_transform
        scaler = transformer.transformer
        if transformer.pooling == "local" and alone and scaler.with_mean:
            step = SeriesStandardScaler() if scaler.with_std else SeriesCenterer()
            return step.fit(_of_length(1))
    return None


def _of_length(n_timepoints):
    """Make series to fit a step with, which then has seen their length, or several for None."""
    if n_timepoints is not None:
        return np.zeros((1, 1, n_timepoints))
    return [pd.DataFrame({"channel": np.zeros(length)}) for length in (1, 2)]


def transformed(steps, X):
    """Transform series by one step after the other.

    Parameters
    ----------
    steps : list of transformers
        Fitted.
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)

    Returns
    -------
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
        For the classifier behind them.
    """
    for step in steps:
        X = step.transform(X)
    return X


def first_length(steps, n_timepoints):
    """Return the length of the series that enter the steps.

    Parameters
    ----------
    steps : list of transformers
        See `Chain`.
    n_timepoints : int
        Length that the classifier behind them was fitted on.

    Returns
    -------
    n_timepoints : int or None
        None if any length will do.
    """
    resamplers = [step for step in steps if isinstance(step, SeriesResampler)]
    return resamplers[0].n_timepoints_ if resamplers else n_timepoints


def steps_to_json(steps):
    """Describe steps in JSON types.

    Parameters
    ----------
    steps : list of transformers
        See `Chain`.

    Returns
    -------
    described : list of dict
        ``name`` of each, and for a resampler ``length`` and ``n_timepoints``, the length it
        has seen in `fit` or None.
    """
    return [
        {"name": type(step).__name__}
        | (
            {"length": int(step.length), "n_timepoints": step.n_timepoints_}
            if isinstance(step, SeriesResampler)
            else {}
        )
        for step in steps
    ]


def steps_from_json(described, n_channels, n_timepoints):
    """Build the steps that `steps_to_json` has described.

    Parameters
    ----------
    described : object
        As read from a file.
    n_channels, n_timepoints : int
        Shape of the series that the classifier behind them reads.

    Returns
    -------
    steps : list of transformers
        Fitted; see `Chain`.

    Raises
    ------
    ModelFileError
        If a step is unknown, has other or wrong settings, or does not fit its neighbours.
    """
    if type(described) is not list or not 1 <= len(described) <= _MAX_STEPS:
        raise ModelFileError(
            f"config.json: steps must be a list of 1 to {_MAX_STEPS}, got {described!r:.100}."
        )
    steps, n_values = [], 0
    for step in described:
        steps.append(_step_from_json(step, n_channels))
        if isinstance(steps[-1], SeriesResampler):
            n_values += n_channels * max(steps[-1].length, steps[-1].n_timepoints_ or 0)
        else:
            n_values += n_channels * n_timepoints
        if n_values > _MAX_VALUES:
            raise ModelFileError(
                f"config.json: the steps pass {n_values:,} values for each series, which is too "
                "much to be true."
            )
    length = None  # any
    for step in steps:
        if isinstance(step, SeriesResampler):
            _check_same_length(length, step.n_timepoints_)
            length = step.length
    _check_same_length(length, n_timepoints)
    return steps


def _check_same_length(given, read):
    if None not in (given, read) and given != read:
        raise ModelFileError(
            f"config.json: a step gives series of {given} time points, but what follows reads "
            f"series of {read}."
        )


def _step_from_json(described, n_channels):
    if type(described) is not dict:
        raise ModelFileError(f"config.json: a step must be a dict, got {described!r:.100}.")
    name = entry(described, "name", str)
    if name not in _KINDS:
        raise ModelFileError(
            f"This version of sktime_tsd has no step {name!r:.100}, only {', '.join(_KINDS)}. "
            "Upgrade sktime_tsd."
        )
    known = {"name", "length", "n_timepoints"} if name == "SeriesResampler" else {"name"}
    if unknown := sorted(described.keys() - known):
        raise ModelFileError(f"config.json: the step {name} has unknown settings {unknown[:3]}.")
    if name != "SeriesResampler":
        return _KINDS[name]().fit(_of_length(1))
    seen = entry(described, "n_timepoints", int, type(None))
    for length in (entry(described, "length", int), 1 if seen is None else seen):
        check_sizes({"n_channels": n_channels, "n_timepoints": length})
    return SeriesResampler(described["length"]).fit(_of_length(seen))
