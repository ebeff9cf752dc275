"""Trains networks on a training set, through skorch."""
