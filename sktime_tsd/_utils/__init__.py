"""Shared helpers: validation, seeds, threads. Imports nothing, as runtime must not load torch."""
