"""What scikit-learn's tools ask of an estimator and sktime does not give."""

from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

__all__ = ["SklearnInterop"]

# scikit-learn sets these on an estimator before `fit` and deletes them after.
_CALLBACK_ATTRIBUTES = (
    "_parent_callback_ctx",
    "_skl_callbacks",
    "_callback_fit_ctx",
    "_skl_callbacks_to_teardown",
)


class SklearnInterop:
    """Mixin that makes an sktime classifier work in scikit-learn's meta-estimators.

    Stands before ``BaseClassifier`` in the bases.
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
        """Describe a classifier of panels of shape (instances, channels, timepoints)."""
        if hasattr(super(), "__sklearn_tags__"):  # a later sktime may bring its own
            return super().__sklearn_tags__()
        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags(),
            input_tags=InputTags(three_d_array=True),
        )
