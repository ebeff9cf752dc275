"""Weights of the classes in the cross entropy."""

import numpy as np
import torch
from sklearn.utils.class_weight import compute_class_weight

__all__ = ["class_weights"]


def class_weights(class_weight, classes, y):
    """Turn the parameter ``class_weight`` into a weight for each class.

    Parameters
    ----------
    class_weight : dict, "balanced" or None
        The keys of a dict are original labels.
    classes : numpy.ndarray of shape (n_classes,)
        Original labels, sorted.
    y : numpy.ndarray of shape (n_instances,)
        Class indices.

    Returns
    -------
    weights : torch.Tensor of shape (n_classes,), float32, or None

    Raises
    ------
    ValueError
        If a class has no weight.
    """
    if class_weight is None:
        return None
    if class_weight == "balanced":
        weights = compute_class_weight("balanced", classes=np.arange(len(classes)), y=y)
        return torch.as_tensor(weights, dtype=torch.float32)
    # scikit-learn's own lookup confuses the label "1" with the number 1
    missing = [label for label in classes.tolist() if label not in class_weight]
    if missing:
        raise ValueError(
            f"class_weight has no weight for the classes {missing} of y; its keys are "
            f"{list(class_weight)}. Add a weight for each class."
        )
    weights = [class_weight[label] for label in classes.tolist()]
    return torch.as_tensor(weights, dtype=torch.float32)
