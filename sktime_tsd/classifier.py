"""Any torch network as an sktime classifier."""

import copy

import numpy as np
import pandas as pd
import torch
from torch import nn

from sktime_tsd._base import LogitsClassifier
from sktime_tsd._scoring.network import NetworkScorer
from sktime_tsd._sklearn_interop import NestedNetworkParams
from sktime_tsd._training.build import build, frozen_copy
from sktime_tsd._training.class_weights import class_weights
from sktime_tsd._training.history import pack, unpack
from sktime_tsd._training.settings import check_settings
from sktime_tsd._training.train import train_network
from sktime_tsd._training.training_set import TrainingSet
from sktime_tsd._training.validation_split import split_validation
from sktime_tsd._utils.panels import as_float32_panel
from sktime_tsd._utils.random import draw_seed
from sktime_tsd._utils.validation import resolve_device

__all__ = ["SkorchClassifier"]


class SkorchClassifier(NestedNetworkParams, LogitsClassifier):
    """Any torch network as an sktime classifier, trained through skorch.

    The fitted classifier holds the network, the scaling of its input, the labels and the
    history of the training; no data and no optimizer.

    Parameters
    ----------
    network : str or callable, default="fcn"
        "fcn", "inception_time" or "lstm", see `sktime_tsd.networks`; or an ``nn.Module``
        class or function called as
        ``network(n_channels, n_timepoints, n_classes, **network_params)`` whose result
        maps (n, n_channels, n_timepoints) to logits (n, n_classes).
    network_params : dict, optional
        The network's own settings. In `set_params` and grid searches each has a name of its
        own, such as ``network__filters``.
    scale_inputs : bool, default=True
        Standardise each channel with the training set's mean and standard deviation,
        inside the network.
    max_epochs : int or "auto", default="auto"
        "auto": 120; for networks of up to 10,000 parameters more, as long as these are no more
        than 20,000 steps in all, and 400 at most.
    batch_size : int, default=16
        Most series per step; the batches of an epoch are of nearly equal size. (Two at
        least, where a series is a single value.)
    lr : float or "auto", default="auto"
        Peak learning rate. "auto": 0.02 for networks of up to 10,000 parameters, 0.002 for
        larger ones.
    optimizer : {"adamw", "adam", "sgd"} or class, default="adamw"
        A class is a subclass of ``torch.optim.Optimizer`` that takes ``weight_decay``.
    weight_decay : float, default=1e-4
    lr_schedule : {"one_cycle", "cosine"} or None, default="one_cycle"
        Course of the learning rate over all steps; None keeps it constant. As in torch,
        "one_cycle" varies the momentum too, where the optimizer has one.
    gradient_clip : float or None, default=1.0
        Largest norm of the gradient; None does not clip.
    validation_fraction : float or None, default=None
        Share of the training series in (0, 1) that is kept aside: ``history_`` then has
        ``valid_loss``, the cross entropy on them. The split is stratified where each class
        has enough series. None trains on all.
    patience : int or None, default=None
        Stop after so many epochs without a lower ``valid_loss``, and restore the best
        weights. Needs `validation_fraction`. Epochs of a hint stage do not count.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes in the cross entropy, by original label; a dict needs one for
        each class of y.
    callbacks : list of skorch callbacks, optional
        Copied for each fit. Losses are kept per epoch, so callbacks that read the loss of
        single batches (``BatchScoring``) or score without caching find nothing. To stop the
        training, derive from ``skorch.callbacks.EarlyStopping``: any other
        KeyboardInterrupt counts as Ctrl-C. Call ``net.infer`` in them, not ``net.predict``.
    device : str or torch.device, default="auto"
        Where to train and predict; "auto" is CUDA where present, else the CPU. A pickle
        from a CUDA machine predicts on the CPU where there is no CUDA.
    compile : bool, default=False
        Train through ``torch.compile``.
    amp : bool, default=False
        Train in bfloat16 where torch deems it safe, on CUDA cards that have it; elsewhere
        without effect. Predictions are in float32.
    verbose : int, default=0
        1 shows a progress bar with loss and time left.
    random_state : int, RandomState or None, default=None
        Seeds weights, shuffling and split. None is different each time. Global
        generators are never touched.

    Attributes
    ----------
    classes_ : numpy.ndarray of shape (n_classes,)
        Labels, in the order of the columns of `predict_proba`.
    network_ : nn.Module
        The trained network, in eval mode. None if all labels were equal.
    history_ : list of dict
        One per epoch: ``epoch``, ``train_loss``, its terms, ``lr``, ``dur`` in seconds,
        and ``valid_loss`` where there is a validation split.
    n_channels_, n_timepoints_ : int or None
        Shape of a series in `fit`; None after `from_module`.
    lr_, max_epochs_ : float and int
        What `fit` trained with: "auto" resolved. Not there if nothing was trained.

    Raises
    ------
    ValueError, TypeError
        In `fit`, before any training, for a parameter or data that cannot be used.

    Notes
    -----
    Two fits with the same seed are equal bit for bit on the CPU of the same machine with
    the same number of torch threads. Fits in several threads of one process take turns.

    On CUDA the step of a network of this package is recorded as a CUDA graph, which takes
    memory for each of two batch sizes; not with `callbacks`, `compile`, or an optimizer
    given as a class.

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
        device="auto",
        compile=False,
        amp=False,
        verbose=0,
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
        self.device = device
        self.compile = compile
        self.amp = amp
        self.verbose = verbose
        self.random_state = random_state
        super().__init__()

    @classmethod
    def from_module(
        cls, module, classes, *, network=None, network_params=None, input_shape=None, device="auto"
    ):
        """Make a fitted classifier of a network trained elsewhere.

        Parameters
        ----------
        module : nn.Module
            Maps raw series (n, n_channels, n_timepoints) to logits (n, n_classes). It is
            copied, set to eval mode and frozen; the original stays as it is.
        classes : array-like of shape (n_classes,)
            Labels in the order of the logits.
        network : str or callable, optional
            What builds a network like this one, as in the constructor; default: the class of
            `module`. For clones, and for `save_model`.
        network_params : dict, optional
            The network's own settings, likewise.
        input_shape : tuple of int, optional
            ``(n_channels, n_timepoints)``: series of another shape are refused then. Needed by
            `save_model` and `to_onnx`.
        device : str or torch.device, default="auto"
            Where to predict.

        Returns
        -------
        classifier : SkorchClassifier
            Fitted. Pass it on in a ``sklearn.frozen.FrozenEstimator``, since a clone is
            not fitted, and can be only if `network`, or else the module's class, takes
            ``(n_channels, n_timepoints, n_classes)``.

        Raises
        ------
        TypeError
            If `module` is no ``nn.Module``, `network` builds none or `network_params` is no dict.
        ValueError
            If `network` or `device` is not known, there are fewer than two classes, two are
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
        classes = np.asarray(classes)
        if classes.ndim != 1 or len(classes) < 2 or len(np.unique(classes)) < len(classes):
            raise ValueError(
                f"classes must be two or more different labels, got {classes.tolist()}."
            )
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
        X, y = as_float32_panel(X), np.searchsorted(self.classes_, y)
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

    def _train(self, classes, fresh, training_set, valid_set, *, terms=(), description="network"):
        """Train on labels and a teacher: the seam the distiller trains through.

        Leaves the classifier as `fit` would, without the checks of `fit`.

        Parameters
        ----------
        classes : numpy.ndarray of shape (n_classes,)
            Sorted labels.
        fresh : FreshNetwork
            From `_build_network`. It is trained in place.
        training_set : TrainingSet
            With teacher outputs where a term needs them.
        valid_set : TrainingSet or None
        terms : sequence of DistillationTerm, default=()
        description : str, default="network"
            What the progress bar calls it.
        """
        trained = train_network(
            self,
            fresh,
            training_set,
            valid_set,
            terms=terms,
            class_weight=class_weights(self.class_weight, classes, training_set.y.numpy()),
            description=description,
        )
        self.lr_, self.max_epochs_ = trained.lr, trained.max_epochs
        shape = training_set.X.shape[1:]
        self._set_fitted(classes, trained.network, trained.history, *shape)

    def _set_fitted(self, classes, network, history, n_channels, n_timepoints):
        """Set what `fit` of the base class and `_fit` leave behind."""
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

    # -- state -----------------------------------------------------------------------

    def history_frame(self):
        """Course of the training.

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
                "y had several outputs in fit; each classifier in classifiers_ has a history."
            )
        frame = pd.DataFrame(self.history_)
        return frame.set_index("epoch") if len(frame) else frame

    def __getstate__(self):
        """Hold the network on the CPU, so that any machine can load it; the history packed."""
        state = self.__dict__.copy()
        network = state.get("network_")
        if network is not None and network.mean.device.type != "cpu":
            state["network_"] = copy.deepcopy(network).cpu()
        if "history_" in state:
            state["history_"] = pack(self.history_)
        return state

    def __setstate__(self, state):
        """Bring the network to the device that is there."""
        self.__dict__.update(state)
        if "history_" in state:
            self.history_ = unpack(state["history_"])
        if state.get("network_") is not None:
            try:
                device = resolve_device(self.device)
            except ValueError:  # fitted on a device this machine does not have
                device = torch.device("cpu")
            self.network_.to(device)

    @classmethod
    def get_test_params(cls, parameter_set="default"):
        """Parameters for sktime's conformance tests.

        Parameters
        ----------
        parameter_set : str, default="default"
            All sets are the same.

        Returns
        -------
        params : list of dict
        """
        return [
            {
                "network": "fcn",
                "network_params": {"filters": (4,), "kernel_sizes": (3,)},
                "max_epochs": 2,
                "device": "cpu",
            },
            {
                "network": "lstm",
                "network_params": {"hidden_size": 4, "num_layers": 1},
                "max_epochs": 1,
                "lr_schedule": None,
                "validation_fraction": 0.25,
                "patience": 1,
                "class_weight": "balanced",
                "device": "cpu",
            },
        ]
