"""What scikit-learn's tools need from an estimator and sktime does not provide."""

from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

from sktime_tsd.networks import check_setting_names

__all__ = ["NestedNetworkParams", "SklearnInterop"]

# Prefix of the network's own settings among the classifier's parameters.
_NESTED = "network__"

# scikit-learn sets these on an estimator before `fit` and deletes them after.
_CALLBACK_ATTRIBUTES = (
    "_parent_callback_ctx",
    "_skl_callbacks",
    "_callback_fit_ctx",
    "_skl_callbacks_to_teardown",
)


class SklearnInterop:
    """Mixin that makes an sktime classifier work in scikit-learn's meta-estimators.

    List it before ``BaseClassifier`` in the bases.
    """

    def reset(self):
        """Reset to the state after construction, keeping scikit-learn's callbacks.

        Returns
        -------
        self
        """
        kept = {k: self.__dict__[k] for k in _CALLBACK_ATTRIBUTES if k in self.__dict__}
        super().reset()
        self.__dict__.update(kept)
        return self

    def __sklearn_is_fitted__(self):
        """Tell scikit-learn's ``check_is_fitted`` whether `fit` has run."""
        return self.is_fitted

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
    """Mixin that makes each entry of ``network_params`` a nested parameter.

    For classifiers with the parameters ``network`` and ``network_params``, so that a grid
    search can vary ``network__filters`` alone.
    """

    def get_params(self, deep=True):
        """Get the parameters and, with `deep`, each of the network's settings.

        Parameters
        ----------
        deep : bool, default=True
            Whether to include each entry of `network_params`, as ``network__filters``.

        Returns
        -------
        params : dict of str to object
        """
        params = super().get_params(deep=deep)
        if deep and isinstance(self.network_params, dict):
            params |= {_NESTED + name: value for name, value in self.network_params.items()}
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
        super().set_params(**{k: v for k, v in params.items() if not k.startswith(_NESTED)})
        known = self.network_params or {}
        if any(name not in known or known[name] is not value for name, value in own.items()):
            check_setting_names(self.network, own)
            super().set_params(network_params=known | own)
        return self
