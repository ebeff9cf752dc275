"""What scikit-learn's tools need from an estimator and sktime does not provide."""

import copy

from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags
from sklearn.utils.metadata_routing import _MetadataRequester

from sktime_tsd.networks import check_setting_names, network_settings

__all__ = ["NestedNetworkParams", "ResetKeepingState", "SklearnInterop"]

# Prefix of the network's own settings among the classifier's parameters.
_NESTED = "network__"

_REQUESTS = "_metadata_request"

# scikit-learn sets the first four on an estimator before `fit` and deletes them after. The next
# holds what ``set_fit_request`` was told, the last what `fit` was given besides X and y.
_KEPT_BY_RESET = (
    "_parent_callback_ctx",
    "_skl_callbacks",
    "_callback_fit_ctx",
    "_skl_callbacks_to_teardown",
    _REQUESTS,
    "_fit_params",
)


class ResetKeepingState:
    """Mixin that lets an sktime estimator be a step of a scikit-learn pipeline.

    List it before sktime's base class in the bases.
    """

    def reset(self):
        """Reset to the state after construction, keeping what scikit-learn has set.

        Returns
        -------
        self
        """
        kept = {k: self.__dict__[k] for k in _KEPT_BY_RESET if k in self.__dict__}
        super().reset()
        self.__dict__.update(kept)
        return self

    def __sklearn_is_fitted__(self):
        """Tell scikit-learn's ``check_is_fitted`` whether `fit` has run."""
        return self.is_fitted


class SklearnInterop(ResetKeepingState, _MetadataRequester):
    """Mixin that makes an sktime classifier work in scikit-learn's meta-estimators.

    List it before ``BaseClassifier`` in the bases.
    """

    def clone(self):
        """Clone with the same parameters and metadata requests.

        Returns
        -------
        clone : as this object
            Not fitted.
        """
        return self._with_requests(super().clone())

    def _with_requests(self, cloned):
        """Hand the metadata requests on to a clone."""
        if _REQUESTS in self.__dict__:
            setattr(cloned, _REQUESTS, copy.deepcopy(self.__dict__[_REQUESTS]))
        return cloned

    def __sklearn_tags__(self):
        """Describe a classifier of panels of shape (n_instances, n_channels, n_timepoints)."""
        if hasattr(super(), "__sklearn_tags__"):  # a later sktime may bring its own
            return super().__sklearn_tags__()
        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags(),
            input_tags=InputTags(three_d_array=True),
        )


class NestedNetworkParams:
    """Mixin that makes each of the network's settings a nested parameter.

    For classifiers with the parameters ``network`` and ``network_params``, so that a grid
    search can vary ``network__filters`` alone.
    """

    def get_params(self, deep=True):
        """Get the parameters and, with `deep`, each of the network's settings.

        Parameters
        ----------
        deep : bool, default=True
            Whether to include the network's settings, as ``network__filters``: those of
            `network_params`, and the network's defaults for the others.

        Returns
        -------
        params : dict of str to object
        """
        params = super().get_params(deep=deep)
        if deep:
            settings = self._network_defaults() | self._given_settings()
            params |= {f"{_NESTED}{name}": value for name, value in settings.items()}
        return params

    def set_params(self, **params):
        """Set parameters; ``network__<setting>`` sets one of the network's own.

        Parameters
        ----------
        **params : object
            ``network__filters=(8, 16, 8)`` sets one entry of `network_params` and keeps the
            others.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the classifier or its network has no such parameter.
        """
        own = {k[len(_NESTED) :]: v for k, v in params.items() if k.startswith(_NESTED)}
        if own:
            check_setting_names(params.get("network", self.network), own)
        super().set_params(**{k: v for k, v in params.items() if not k.startswith(_NESTED)})
        given = self._given_settings()
        now = self._network_defaults() | given
        changed = {k: v for k, v in own.items() if k not in now or now[k] is not v}
        if changed:
            super().set_params(network_params=given | changed)
        return self

    def _given_settings(self):
        return self.network_params if isinstance(self.network_params, dict) else {}

    def _network_defaults(self):
        try:
            return network_settings(self.network)
        except (TypeError, ValueError):  # no network; `fit` says so
            return {}
