"""Scores series with any fitted classifier, on its device, in batches that fit."""
