"""The training and test series that a command line names, checked before anything is fitted."""

from dataclasses import dataclass

import numpy as np

from sktime_tsd._cli.model_input import in_options
from sktime_tsd._panels.arrays import as_array
from sktime_tsd._panels.precision import as_training_panel
from sktime_tsd.datasets import SeriesData
from sktime_tsd.datasets._archive import load_split

__all__ = ["Data", "load_data"]


@dataclass(frozen=True)
class Data:
    """A named data set, split into training and test series."""

    name: str
    X_train: np.ndarray
    y_train: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray
    channels: list | None = None

    @property
    def named(self):
        """The training series, in a container that knows the names of the channels if any."""
        if self.channels is None:
            return self.X_train
        return SeriesData(self.X_train, channels=self.channels).to_frame()


def load_data(name, data_dir=None, *, unequal_length="raise", missing_values="raise"):
    """Load the training and test series of a data set, and check that both can be used.

    Parameters
    ----------
    name : str
    data_dir : path-like, optional
        See `sktime_tsd.datasets.load_dataset`.
    unequal_length : {"raise", "resample"}, default="raise"
        "resample" brings all series to the length of the longest training series.
    missing_values : {"raise", "interpolate"}, default="raise"
        "interpolate" fills them linearly in time.

    Returns
    -------
    data : Data

    Raises
    ------
    ValueError
        If the data set is not found, its series differ in length or values are missing (unless
        this is mended), values are infinite or beyond float32, there are fewer than two classes,
        or a test series has a label of no training series. The message names options.
    """
    parts = []
    for split in ("train", "test"):
        loaded = load_split(
            name,
            split=split,
            data_dir=data_dir,
            unequal_lengths="resample" if unequal_length == "resample" else "error",
            missing_values="interpolate" if missing_values == "interpolate" else "keep",
        )
        try:
            as_training_panel(as_array(loaded.X))
        except ValueError as error:
            raise ValueError(f"the {split} series of {name}: {in_options(str(error))}") from error
        parts += [loaded.X, loaded.y]
    X_train, y_train, X_test, y_test = parts
    if X_train.shape[1] != X_test.shape[1]:
        raise ValueError(
            f"the series of {name} have {X_train.shape[1]} channels in the training set, "
            f"{X_test.shape[1]} in the test set; check the files in --data-dir"
        )
    if X_train.shape[2] != X_test.shape[2]:
        raise ValueError(
            f"the series of {name} have {X_train.shape[2]} time points in the training set, "
            f"{X_test.shape[2]} in the test set; add --unequal-length resample"
        )
    classes = np.unique(y_train)
    if len(classes) < 2:
        raise ValueError(
            f"all training series of {name} have the label {classes[0]}, and a classifier needs "
            "two classes; name another --dataset"
        )
    unknown = np.setdiff1d(y_test, y_train)
    if len(unknown):
        raise ValueError(
            f"a test series of {name} has the label {unknown[0]}, which no training series has; "
            "check the files in --data-dir"
        )
    return Data(name, *parts, channels=loaded.channels)
