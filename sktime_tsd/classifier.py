"""Any torch network as an sktime classifier."""

import copy

import numpy as np
import pandas as pd
import torch
from torch import nn

from sktime_tsd._base import LogitsClassifier
from sktime_tsd._network_params import NetworkParams
from sktime_tsd._panels.precision import as_training_panel
from sktime_tsd._scoring.network import NetworkScorer
from sktime_tsd._training.build import build, frozen_copy
from sktime_tsd._training.class_weights import class_weights
from sktime_tsd._training.history import pack, unpack
from sktime_tsd._training.settings import check_settings
from sktime_tsd._training.train import train_network
from sktime_tsd._training.training_set import TrainingSet
from sktime_tsd._training.validation_split import split_validation
from sktime_tsd._utils.random import draw_seed
from sktime_tsd._utils.usual_state import in_usual_state
from sktime_tsd._utils.validation import check_distinct_labels, resolve_device
from sktime_tsd.losses import UNLABELLED

__all__ = ["SkorchClassifier"]

# Parameters added since version 0.1, with values under which old pickles do as they did.
_ADDED = {"unequal_length": "raise", "missing_values": "raise"}


class SkorchClassifier(NetworkParams, LogitsClassifier):
    """Any torch network as an sktime classifier, trained through skorch.

    A fitted classifier keeps the network, the input scaling, the labels and the training
    history. It keeps no data and no optimizer.

    Parameters
    ----------
    network : str or callable, default="fcn"
        "fcn", "inception_time", "lite" or "lstm" (see `sktime_tsd.networks`), or an ``nn.Module``
        class or a function. It is called as
        ``network(n_channels, n_timepoints, n_classes, **network_params)`` and must return a
        module that maps (n, n_channels, n_timepoints) to logits (n, n_classes).
    network_params : dict, optional
        The network's own settings. `set_params` and grid searches reach each of them by
        name, such as ``network__filters``.
    scale_inputs : bool, default=True
        Standardise each channel with the training set's mean and standard deviation,
        inside the network; in float64 if float32 cannot tell the values apart.
    max_epochs : int or "auto", default="auto"
        "auto" is 120 epochs. Networks of up to 10,000 parameters train longer, up to
        20,000 steps in all and at most 400 epochs.
    batch_size : int, default=16
        Maximum number of series per step. The batches of an epoch have nearly equal sizes,
        and at least two series if each series is a single value.
    lr : float or "auto", default="auto"
        Peak learning rate. "auto" is 0.02 for networks of up to 10,000 parameters and 0.002
        for larger ones.
    optimizer : {"adamw", "adam", "sgd"} or class, default="adamw"
        A class must derive from ``torch.optim.Optimizer`` and accept ``weight_decay``.
    weight_decay : float, default=1e-4
        Passed to the optimizer; 0 or more.
    lr_schedule : {"one_cycle", "cosine"} or None, default="one_cycle"
        Learning rate schedule over all steps; None keeps the rate constant. As in torch,
        "one_cycle" also varies the optimizer's momentum, if it has one.
    gradient_clip : float or None, default=1.0
        Maximum norm of the gradient; None does not clip.
    validation_fraction : float or None, default=None
        Share of the training series, in (0, 1), to hold out for validation. ``history_``
        then has ``valid_loss``, their cross entropy. The split is stratified if each class
        has enough series. None trains on all series.
    patience : int or None, default=None
        Stop after this many epochs without a lower ``valid_loss`` and restore the best
        weights. Needs `validation_fraction`. Epochs of a hint stage do not count.
    class_weight : dict, "balanced" or None, default=None
        Weight of each class in the cross entropy, by original label. A dict needs an entry
        for every class of y.
    callbacks : list of skorch callbacks, optional
        Copied for each fit. Losses are recorded per epoch, so callbacks that read the loss
        of single batches (``BatchScoring``) or score without caching find nothing. To stop
        training, derive from ``skorch.callbacks.EarlyStopping``: any other
        KeyboardInterrupt counts as Ctrl-C. Call ``net.infer`` in a callback, not
        ``net.predict``.
    unequal_length : {"raise", "resample"}, default="raise"
        "resample" brings series of any length to that of the longest in `fit`, by linear
        interpolation at equally spaced places from their first to their last time point. In one
        array of all series, time points at the end at which no channel has a value are padding
        and are cut off.
    missing_values : {"raise", "interpolate"}, default="raise"
        Missing are NaN, NA, None and masked values. "interpolate" fills them linearly in time,
        channel by channel, and at both ends with the nearest value. A channel without any
        value is refused.
    device : str or torch.device, default="auto"
        Where to train and predict. "auto" is CUDA if available, else the CPU. A pickle
        from a CUDA machine predicts on the CPU where there is no CUDA.
    compile : bool, default=False
        Train through ``torch.compile``.
    amp : bool, default=False
        Train in bfloat16 where torch considers it safe, on CUDA cards that support it; no
        effect elsewhere. Predictions are in float32.
    verbose : int or None, default=None
        1 shows a progress bar with the loss and the time left, 0 nothing. None says how long
        training will take once it is known to last more than a minute, on the logger
        ``sktime_tsd``.
    random_state : int, RandomState or None, default=None
        Seeds weights, shuffling and split. None gives a different result each time. Global
        generators are never touched.

    Attributes
    ----------
    classes_ : numpy.ndarray of shape (n_classes,)
        Labels, in the column order of `predict_proba`.
    network_ : nn.Module
        The trained network, in eval mode. None if all labels were equal.
    feature_names_in_ : numpy.ndarray of shape (n_channels,), object
        Names of the channels seen in `fit`. Only there if they had names.
    history_ : list of dict
        One per epoch: ``epoch``, ``train_loss``, its terms, ``lr``, ``dur`` in seconds,
        and, with a validation split, ``valid_loss``.
    n_channels_, n_timepoints_ : int or None
        Shape of the series seen in `fit`, that of the longest if they differed. After
        `from_module`, those of ``input_shape``, or None without it.
    lr_, max_epochs_ : float and int
        What `fit` trained with, "auto" resolved. Missing if nothing was trained.

    Raises
    ------
    ValueError, TypeError
        In `fit`, before any training, if a parameter or the data cannot be used.

    Notes
    -----
    Two fits with the same seed are identical bit for bit on the same CPU with the same
    number of torch threads. Fits in several threads of one process take turns.

    On CUDA, training steps of this package's networks are recorded as CUDA graphs, which
    take memory for each of two batch sizes. Steps are not recorded with `callbacks`,
    `compile` or an optimizer class.

    Examples
    --------
    >>> from sktime.datasets import load_unit_test
    >>> from sktime_tsd import SkorchClassifier
    >>> X_train, y_train = load_unit_test(split="train", return_type="numpy3D")
    >>> X_test, y_test = load_unit_test(split="test", return_type="numpy3D")
    >>> clf = SkorchClassifier("fcn", {"filters": (8, 16, 8)}, max_epochs=20, random_state=0)
    >>> clf.fit(X_train, y_train)
    SkorchClassifier(...)
    >>> clf.predict_proba(X_test).shape
    (22, 2)
    >>> clf.score(X_test, y_test) > 0.7
    True
    """

    _tags = {"capability:class_weight": True}

    def __init__(
        self,
        network="fcn",
        network_params=None,
        scale_inputs=True,
        max_epochs="auto",
        batch_size=16,
        lr="auto",
        optimizer="adamw",
        weight_decay=1e-4,
        lr_schedule="one_cycle",
        gradient_clip=1.0,
        validation_fraction=None,
        patience=None,
        class_weight=None,
        callbacks=None,
        unequal_length="raise",
        missing_values="raise",
        device="auto",
        compile=False,
        amp=False,
        verbose=None,
        random_state=None,
    ):
        self.network = network
        self.network_params = network_params
        self.scale_inputs = scale_inputs
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.lr = lr
        self.optimizer = optimizer
        self.weight_decay = weight_decay
        self.lr_schedule = lr_schedule
        self.gradient_clip = gradient_clip
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.class_weight = class_weight
        self.callbacks = callbacks
        self.unequal_length = unequal_length
        self.missing_values = missing_values
        self.device = device
        self.compile = compile
        self.amp = amp
        self.verbose = verbose
        self.random_state = random_state
        super().__init__()

    @classmethod
    @in_usual_state
    def from_module(
        cls, module, classes, *, network=None, network_params=None, input_shape=None, device="auto"
    ):
        """Make a fitted classifier from a network trained elsewhere.

        Parameters
        ----------
        module : nn.Module
            Maps raw series (n, n_channels, n_timepoints) to logits (n, n_classes). A copy
            is set to eval mode and frozen; the original does not change.
        classes : array-like of shape (n_classes,)
            Labels in the order of the logits.
        network : str or callable, optional
            Builds a network like this one, as in the constructor; by default the class of
            `module`. Used by clones and `save_model`.
        network_params : dict, optional
            The network's own settings, as in the constructor.
        input_shape : tuple of int, optional
            ``(n_channels, n_timepoints)``. Series of any other shape are then refused.
            `save_model` and `to_onnx` need it.
        device : str or torch.device, default="auto"
            Where to predict.

        Returns
        -------
        classifier : SkorchClassifier
            Fitted. Wrap it in a ``sklearn.frozen.FrozenEstimator`` to pass it on, because
            clones are not fitted. A clone can be fitted only if `network`, or else the
            module's class, accepts ``(n_channels, n_timepoints, n_classes)``.

        Raises
        ------
        TypeError
            If `module` is not an ``nn.Module``, `network` does not build one, or
            `network_params` is not a dict.
        ValueError
            If `network` or `device` is unknown, there are fewer than two classes, two are
            equal, or the module cannot read series of `input_shape`.

        Examples
        --------
        >>> import numpy as np
        >>> from sktime_tsd import SkorchClassifier
        >>> from sktime_tsd.networks import FCN
        >>> clf = SkorchClassifier.from_module(FCN(1, 24, 2), classes=["left", "right"])
        >>> clf.predict_proba(np.zeros((3, 1, 24))).shape
        (3, 2)
        """
        if not isinstance(module, nn.Module):
            raise TypeError(f"module must be an nn.Module, got {module!r}.")
        classes = check_distinct_labels(classes)
        classifier = cls(network or type(module), network_params, device=device)
        classifier._check_parameters()
        copied = frozen_copy(module, len(classes), input_shape)
        copied.to(resolve_device(device))
        classifier._set_fitted(classes, copied, [], *(input_shape or (None, None)))
        return classifier

    # -- fitting ---------------------------------------------------------------------

    def _check_parameters(self):
        check_settings(self)

    def _fit(self, X, y):
        X = as_training_panel(X, self.scale_inputs)
        y = np.searchsorted(self.classes_, y)
        seed = draw_seed(self.random_state)
        train, valid = split_validation(y, self.validation_fraction, seed)
        fresh = self._build_network(*X.shape[1:], self.n_classes_, seed)
        X, y = torch.from_numpy(X), torch.from_numpy(y)
        self._train(
            self.classes_,
            fresh,
            TrainingSet(X[train], y[train]),
            None if valid is None else TrainingSet(X[valid], y[valid]),
        )

    def _fit_single_class(self, X, y):
        self._set_fitted(self.classes_, None, [], *X.shape[1:])

    def _build_network(self, n_channels, n_timepoints, n_classes, seed):
        return build(self, n_channels, n_timepoints, n_classes, seed=seed)

    def _train(self, classes, fresh, training_set, valid_set, **transfer):
        """Train on labels and a teacher, on behalf of a distiller.

        Leaves the classifier as `fit` would, but skips the checks of `fit`.

        Parameters
        ----------
        classes : numpy.ndarray of shape (n_classes,)
            Sorted labels.
        fresh : FreshNetwork
            From `_build_network`; trained in place.
        training_set : TrainingSet
            With teacher outputs if a term needs them.
        valid_set : TrainingSet or None
        **transfer : object
            Terms of the loss and the like; see `train_network`.
        """
        labels = training_set.y[training_set.y != UNLABELLED].numpy()
        trained = train_network(
            self,
            fresh,
            training_set,
            valid_set,
            class_weight=class_weights(self.class_weight, classes, labels),
            **transfer,
        )
        self.lr_, self.max_epochs_ = trained.lr, trained.max_epochs
        shape = training_set.X.shape[1:]
        self._set_fitted(classes, trained.network, trained.history, *shape)

    def _set_fitted(self, classes, network, history, n_channels, n_timepoints):
        """Set the state that the base class's `fit` and `_fit` leave behind."""
        self.classes_ = classes
        self.n_classes_ = len(classes)
        self._class_dictionary = {label: i for i, label in enumerate(classes)}
        self._y_metadata = {"is_univariate": True}
        self._y_inner_mtype = "numpy1D"
        self.network_ = network
        self.history_ = history
        self.n_channels_ = n_channels
        self.n_timepoints_ = n_timepoints
        self._is_fitted = True

    def _network_scorer(self):
        return NetworkScorer(self, self.network_)

    def _n_timepoints_of_fit(self):
        return getattr(self, "n_timepoints_", None)

    # -- state -----------------------------------------------------------------------

    def history_frame(self):
        """Training history as a table.

        Returns
        -------
        history : pandas.DataFrame
            ``history_`` with one row per epoch, indexed by epoch.

        Raises
        ------
        NotFittedError
            If the classifier is not fitted.
        ValueError
            If `y` had several outputs.
        """
        self.check_is_fitted()
        if self._is_vectorized:
            raise ValueError(
                "y had several outputs in fit, so there is no single history. Call "
                "history_frame on each classifier in classifiers_."
            )
        frame = pd.DataFrame(self.history_)
        return frame.set_index("epoch") if len(frame) else frame

    def __getstate__(self):
        """Move the network to the CPU, so that any machine can load it, and pack the history."""
        state = self.__dict__.copy()
        network = state.get("network_")
        if network is not None and network.mean.device.type != "cpu":
            state["network_"] = copy.deepcopy(network).cpu()
        if "history_" in state:
            state["history_"] = pack(self.history_)
        return state

    def __setstate__(self, state):
        """Move the network to its device, or to the CPU if that is missing here."""
        self.__dict__.update(_ADDED | state)
        if "history_" in state:
            self.history_ = unpack(state["history_"])
        if state.get("network_") is not None:
            try:
                device = resolve_device(self.device)
            except ValueError:  # fitted on a device this machine does not have
                device = torch.device("cpu")
            self.network_.to(device)
