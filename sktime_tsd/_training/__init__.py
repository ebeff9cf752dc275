"""From parameters and a training set to a trained network, through skorch."""
