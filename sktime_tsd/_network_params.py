"""Parameters of a classifier of one network: its settings one by one, those of sktime's tests."""

from sktime_tsd.networks import check_setting_names, network_settings

__all__ = ["NetworkParams"]

# Prefix of the network's own settings among the classifier's parameters.
_NESTED = "network__"


class NetworkParams:
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
                "unequal_length": "resample",
                "missing_values": "interpolate",
                "device": "cpu",
            },
        ]

    def _given_settings(self):
        return self.network_params if isinstance(self.network_params, dict) else {}

    def _network_defaults(self):
        try:
            return network_settings(self.network)
        except (TypeError, ValueError):  # no network; `fit` says so
            return {}
