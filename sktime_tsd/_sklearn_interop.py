"""What scikit-learn's tools need from an estimator and sktime does not provide."""

import copy

from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags
from sklearn.utils.metadata_routing import _MetadataRequester

__all__ = ["ResetKeepingState", "SklearnInterop"]

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
            input_tags=InputTags(
                three_d_array=True, allow_nan=self.get_tag("capability:missing_values")
            ),
        )
