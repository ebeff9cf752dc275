"""Checks, seeds and the like, for all other modules.

Imports nothing: some of its modules must work with numpy alone.
"""
